package deploy

import (
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"

	"tocsin/detect"
)

// maxLockfile bounds a lockfile in bytes.
const maxLockfile = 32 << 20

// lockfiles are the readers by the base name of the file.
var lockfiles = map[string]func([]byte) ([]detect.Package, error){
	"package-lock.json":   parsePackageLock,
	"npm-shrinkwrap.json": parsePackageLock,
}

// ParseLockfile reads a lockfile. Which kind it is, its base name tells.
func ParseLockfile(name string, data []byte) (list []detect.Package, err error) {
	if len(data) > maxLockfile {
		return nil, fmt.Errorf("it is larger than %d MB", maxLockfile>>20)
	}
	base := strings.ToLower(path.Base(strings.ReplaceAll(name, "\\", "/")))
	parse := lockfiles[base]
	if parse == nil {
		var known []string
		for k := range lockfiles {
			known = append(known, k)
		}
		sort.Strings(known)
		return nil, fmt.Errorf("%q is no lockfile that is known: %s", clean(base, 60), strings.Join(known, ", "))
	}
	if list, err = parse(data); err != nil {
		return nil, fmt.Errorf("%s: %w", base, err)
	}
	if len(list) > maxPackages {
		return nil, errors.New("it lists too many packages")
	}
	sort.Slice(list, func(a, b int) bool {
		return list[a].Name < list[b].Name || list[a].Name == list[b].Name && list[a].Version < list[b].Version
	})
	return list, nil
}

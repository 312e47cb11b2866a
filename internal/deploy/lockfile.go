package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"tocsin/detect"
)

// maxLockfile bounds a lockfile in bytes.
const maxLockfile = 20 << 20

var errTooMany = fmt.Errorf("it lists more than %d packages", maxPackages)

// lockfiles are the readers by the base name of the file.
var lockfiles = map[string]func([]byte) ([]detect.Package, error){
	"package-lock.json":   parsePackageLock,
	"npm-shrinkwrap.json": parsePackageLock,
	"yarn.lock":           parseYarn,
	"pnpm-lock.yaml":      parsePnpm,
	"bun.lock":            parseBun,
	"go.mod":              parseGoMod,
	"go.sum":              parseGoSum,
	"requirements.txt":    parseRequirements,
	"poetry.lock":         parsePoetry,
	"uv.lock":             parsePoetry,
	"pipfile.lock":        parsePipfile,
	"gemfile.lock":        parseGemfile,
	"cargo.lock":          parseCargo,
	"composer.lock":       parseComposer,
	"packages.lock.json":  parseNuGet,
}

// ParseLockfile reads a lockfile; which kind it is, its base name tells.
func ParseLockfile(name string, data []byte) (list []detect.Package, err error) {
	if len(data) > maxLockfile {
		return nil, fmt.Errorf("it is larger than %d MB", maxLockfile>>20)
	}
	base := strings.ToLower(path.Base(strings.ReplaceAll(name, "\\", "/")))
	parse := lockfiles[base]
	if parse == nil && strings.HasPrefix(base, "requirements") && strings.HasSuffix(base, ".txt") {
		parse = parseRequirements
	}
	if parse == nil {
		return nil, fmt.Errorf("%q is no lockfile that is known: %s", clean(base, 60), strings.Join(slices.Sorted(maps.Keys(lockfiles)), ", "))
	}
	if list, err = parse(data); err != nil {
		return nil, fmt.Errorf("%s: %w", base, err)
	}
	if len(list) > maxPackages {
		return nil, errTooMany
	}
	if len(list) == 0 && strings.TrimSpace(string(data)) != "" && base != "go.mod" {
		return nil, fmt.Errorf("%s: no package was found in it", base)
	}
	slices.SortFunc(list, func(a, b detect.Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	return slices.CompactFunc(list, func(a, b detect.Package) bool { return a.Name == b.Name && a.Version == b.Version }), nil
}

package deploy

import (
	"encoding/json"
	"errors"
	"strings"

	"tocsin/detect"
)

// packageLock is package-lock.json in its versions 1 to 3 and
// npm-shrinkwrap.json (docs.npmjs.com, "package-lock.json").
type packageLock struct {
	LockfileVersion int `json:"lockfileVersion"`
	Packages        map[string]struct {
		Name            string            `json:"name"`
		Version         string            `json:"version"`
		Dev             bool              `json:"dev"`
		Link            bool              `json:"link"`
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
		Optional        map[string]string `json:"optionalDependencies"`
	} `json:"packages"`
	Dependencies map[string]*npmDependency `json:"dependencies"`
}

// npmDependency is an entry of version 1, which nests.
type npmDependency struct {
	Version      string                    `json:"version"`
	Dev          bool                      `json:"dev"`
	Dependencies map[string]*npmDependency `json:"dependencies"`
}

func parsePackageLock(data []byte) ([]detect.Package, error) {
	var l packageLock
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, err
	}
	var list []detect.Package
	if l.Packages != nil {
		root := l.Packages[""]
		for path, p := range l.Packages {
			name := p.Name
			if i := strings.LastIndex(path, "node_modules/"); i >= 0 && name == "" {
				name = path[i+len("node_modules/"):]
			}
			if path == "" || p.Link || name == "" || p.Version == "" {
				continue
			}
			_, direct := root.Dependencies[name]
			_, optional := root.Optional[name]
			_, dev := root.DevDependencies[name]
			top := path == "node_modules/"+name
			list = append(list, pkg(name, p.Version, "npm", top && (direct || optional || dev), p.Dev))
		}
		return list, nil
	}
	if l.Dependencies == nil {
		return nil, errors.New("it lists no packages")
	}
	return npmTree(list, l.Dependencies, 0), nil
}

// npmTree walks the nested entries of version 1. Its first level holds what was
// hoisted too, so that what is direct is not known.
func npmTree(list []detect.Package, deps map[string]*npmDependency, depth int) []detect.Package {
	if depth > 50 {
		return list
	}
	for name, d := range deps {
		if d == nil || len(list) >= maxPackages {
			continue
		}
		if d.Version != "" {
			list = append(list, pkg(name, d.Version, "npm", false, d.Dev))
		}
		list = npmTree(list, d.Dependencies, depth+1)
	}
	return list
}

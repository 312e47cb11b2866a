package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"tocsin/detect"
)

// packageLock is package-lock.json in its versions 1 to 3 and
// npm-shrinkwrap.json (docs.npmjs.com, "package-lock.json").
type packageLock struct {
	Packages map[string]struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Dev     bool   `json:"dev"`
		Link    bool   `json:"link"`
	} `json:"packages"`
	Dependencies map[string]*npmDependency `json:"dependencies"`
}

// npmRoot is the project itself: the packages that it asks for.
type npmRoot struct {
	Dependencies map[string]string `json:"dependencies"`
	Dev          map[string]string `json:"devDependencies"`
	Optional     map[string]string `json:"optionalDependencies"`
}

// rootOf reads the entry of the project, which npm writes first: so that the
// dependencies of the thousands after it need not be read.
func rootOf(data []byte) (root npmRoot) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var skip json.RawMessage
	enter := func() bool {
		t, err := dec.Token()
		return err == nil && t == json.Delim('{')
	}
	if !enter() {
		return root
	}
	for dec.More() {
		if key, err := dec.Token(); err != nil || key != "packages" {
			if err != nil || dec.Decode(&skip) != nil {
				return root
			}
			continue
		}
		if !enter() {
			return root
		}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return root
			}
			if key == "" {
				_ = dec.Decode(&root) // one that is of no shape asks for nothing
				return root
			}
			if dec.Decode(&skip) != nil {
				return root
			}
		}
	}
	return root
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
		root := rootOf(data)
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
			_, dev := root.Dev[name]
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

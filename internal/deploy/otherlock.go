package deploy

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/mod/modfile"

	"tocsin/detect"
)

// parseGoMod reads go.mod; since Go 1.17 it lists the indirect modules too.
func parseGoMod(data []byte) ([]detect.Package, error) {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		// Of a newer Go: what it requires can be read all the same.
		if f, err = modfile.ParseLax("go.mod", data, nil); err != nil {
			return nil, err
		}
	}
	replaced := map[string]string{}
	for _, r := range f.Replace {
		if r.New.Version != "" {
			replaced[r.Old.Path] = r.New.Version
		}
	}
	var list []detect.Package
	if f.Go != nil {
		list = append(list, pkg("go", f.Go.Version, "Go", true, false))
	}
	for _, r := range f.Require {
		version := r.Mod.Version
		if v := replaced[r.Mod.Path]; v != "" {
			version = v
		}
		list = append(list, pkg(r.Mod.Path, version, "Go", !r.Indirect, false))
	}
	return list, nil
}

// parseGoSum reads go.sum: every module that was looked at, of which those with
// a hash of their content were built from.
func parseGoSum(data []byte) ([]detect.Package, error) {
	var list []detect.Package
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) == 3 && strings.HasPrefix(f[2], "h1:") && !strings.HasSuffix(f[1], "/go.mod") {
			list = append(list, pkg(f[0], f[1], "Go", false, false))
		}
	}
	return list, nil
}

// requirement is a pinned line of requirements.txt (PEP 508).
var requirement = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*===?\s*([A-Za-z0-9.!+_-]+)`)

func parseRequirements(data []byte) ([]detect.Package, error) {
	var list []detect.Package
	for line := range strings.Lines(string(data)) {
		if m := requirement.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			list = append(list, pkg(pyName(m[1]), m[2], "PyPI", false, false))
		}
	}
	return list, nil
}

// pyName is the normalised name of a Python project (PEP 503).
func pyName(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(s))
}

// parsePoetry reads poetry.lock and uv.lock: both are tables [[package]].
func parsePoetry(data []byte) ([]detect.Package, error) {
	var f struct {
		Package []struct {
			Name     string `toml:"name"`
			Version  string `toml:"version"`
			Category string `toml:"category"` // until Poetry 1.4
			Needs    any    `toml:"dependencies"`
			Dev      map[string][]struct {
				Name string `toml:"name"`
			} `toml:"dev-dependencies"`
			Source struct {
				Virtual  string `toml:"virtual"`
				Editable string `toml:"editable"`
			} `toml:"source"`
		} `toml:"package"`
	}
	if err := toml.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	// uv lists the project itself, with what it needs.
	direct, dev := map[string]bool{}, map[string]bool{}
	for _, p := range f.Package {
		if p.Source.Virtual == "" && p.Source.Editable == "" {
			continue
		}
		for _, group := range p.Dev {
			for _, d := range group {
				direct[pyName(d.Name)], dev[pyName(d.Name)] = true, true
			}
		}
		needs, _ := p.Needs.([]any) // Poetry writes a table
		for _, d := range needs {
			if t, ok := d.(map[string]any); ok {
				name, _ := t["name"].(string)
				direct[pyName(name)], dev[pyName(name)] = true, false
			}
		}
	}
	var list []detect.Package
	for _, p := range f.Package {
		if name := pyName(p.Name); name != "" && p.Version != "" && p.Source.Virtual == "" && p.Source.Editable == "" {
			list = append(list, pkg(name, p.Version, "PyPI", direct[name], dev[name] || p.Category == "dev"))
		}
	}
	return list, nil
}

// parsePipfile reads Pipfile.lock.
func parsePipfile(data []byte) ([]detect.Package, error) {
	type entry struct {
		Version string `json:"version"`
	}
	var f struct {
		Default map[string]entry `json:"default"`
		Develop map[string]entry `json:"develop"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	var list []detect.Package
	for dev, part := range map[bool]map[string]entry{false: f.Default, true: f.Develop} {
		for name, e := range part {
			if v := strings.TrimLeft(e.Version, "="); v != "" {
				list = append(list, pkg(pyName(name), v, "PyPI", false, dev))
			}
		}
	}
	return list, nil
}

// parseGemfile reads Gemfile.lock: gems stand four spaces deep under specs, the
// direct ones under DEPENDENCIES.
func parseGemfile(data []byte) ([]detect.Package, error) {
	var list []detect.Package
	direct := map[string]bool{}
	section, specs := "", false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, " \r\n")
		trimmed := strings.TrimLeft(line, " ")
		switch depth := len(line) - len(trimmed); {
		case trimmed == "":
		case depth == 0:
			section, specs = trimmed, false
		case depth == 2 && trimmed == "specs:":
			specs = true
		case depth == 4 && specs:
			if name, version, ok := strings.Cut(trimmed, " ("); ok {
				list = append(list, pkg(name, strings.TrimSuffix(version, ")"), "RubyGems", false, false))
			}
		case depth == 2 && section == "DEPENDENCIES":
			name, _, _ := strings.Cut(trimmed, " ")
			direct[strings.TrimSuffix(name, "!")] = true
		}
	}
	for i := range list {
		list[i].Direct = direct[list[i].Name]
	}
	return list, nil
}

// parseCargo reads Cargo.lock; packages without a source are the project's own.
func parseCargo(data []byte) ([]detect.Package, error) {
	var f struct {
		Package []struct {
			Name    string   `toml:"name"`
			Version string   `toml:"version"`
			Source  string   `toml:"source"`
			Needs   []string `toml:"dependencies"` // name, or name and version where there are several
		} `toml:"package"`
	}
	if err := toml.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	direct := map[string]bool{}
	for _, p := range f.Package {
		if p.Source == "" {
			for _, d := range p.Needs {
				name, _, _ := strings.Cut(d, " ")
				direct[name] = true
			}
		}
	}
	var list []detect.Package
	for _, p := range f.Package {
		if p.Source != "" && p.Name != "" {
			list = append(list, pkg(p.Name, p.Version, "crates.io", direct[p.Name], false))
		}
	}
	return list, nil
}

// parseComposer reads composer.lock.
func parseComposer(data []byte) ([]detect.Package, error) {
	type entry struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	var f struct {
		Packages []entry `json:"packages"`
		Dev      []entry `json:"packages-dev"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	var list []detect.Package
	for dev, part := range map[bool][]entry{false: f.Packages, true: f.Dev} {
		for _, e := range part {
			if e.Name != "" {
				list = append(list, pkg(e.Name, e.Version, "Packagist", false, dev))
			}
		}
	}
	return list, nil
}

// parseNuGet reads packages.lock.json, which lists packages by framework.
func parseNuGet(data []byte) ([]detect.Package, error) {
	var f struct {
		Dependencies map[string]map[string]struct {
			Type     string `json:"type"`
			Resolved string `json:"resolved"`
		} `json:"dependencies"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	var list []detect.Package
	for _, framework := range f.Dependencies {
		for name, p := range framework {
			if p.Resolved != "" {
				list = append(list, pkg(name, p.Resolved, "NuGet", p.Type == "Direct", false))
			}
		}
	}
	return list, nil
}

package deploy

import (
	"encoding/json"
	"strings"

	"tocsin/detect"
)

// parseBun reads bun.lock, which is JSON with commas before closing brackets:
// its packages are arrays that begin with name@version, the direct ones stand
// under workspaces.
func parseBun(data []byte) ([]detect.Package, error) {
	var l struct {
		Workspaces map[string]struct {
			Dependencies map[string]string `json:"dependencies"`
			Dev          map[string]string `json:"devDependencies"`
			Optional     map[string]string `json:"optionalDependencies"`
		} `json:"workspaces"`
		Packages map[string][]json.RawMessage `json:"packages"`
	}
	if err := json.Unmarshal(plainJSON(data), &l); err != nil {
		return nil, err
	}
	direct, dev := map[string]bool{}, map[string]bool{}
	for _, w := range l.Workspaces {
		for name := range w.Dev {
			direct[name], dev[name] = true, true
		}
	}
	for _, w := range l.Workspaces {
		for _, part := range []map[string]string{w.Dependencies, w.Optional} {
			for name := range part {
				direct[name], dev[name] = true, false
			}
		}
	}
	var list []detect.Package
	for key, entry := range l.Packages {
		var id string
		if len(entry) == 0 || json.Unmarshal(entry[0], &id) != nil {
			continue
		}
		name, version, ok := cutVersion(id)
		if !ok || strings.HasPrefix(version, "workspace:") {
			continue // the project's own
		}
		if len(list) > maxPackages {
			return nil, errTooMany
		}
		list = append(list, pkg(name, version, "npm", direct[key], dev[key]))
	}
	return list, nil
}

// plainJSON drops what JSON does not allow and bun writes: a comma before a
// closing bracket.
func plainJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	comma, text := -1, false // where the last comma stands if only blanks followed
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case text && c == '\\' && i+1 < len(data):
			out = append(out, c)
			i++
			c = data[i]
		case c == '"':
			text, comma = !text, -1
		case text || c == ' ' || c == '\n' || c == '\r' || c == '\t':
		case c == ',':
			comma = len(out)
		case (c == '}' || c == ']') && comma >= 0:
			out[comma], comma = ' ', -1
		default:
			comma = -1
		}
		out = append(out, c)
	}
	return out
}

package deploy

import (
	"strings"

	"tocsin/detect"
)

// parseYarn reads yarn.lock of Yarn 1 and of Berry. Both are blocks of a line
// with descriptors and indented lines, one of them the version:
//
//	"a@^1.0.0", a@~1.0.1:          # 1
//	  version "1.0.3"
//	"a@npm:^1.0.0":                # Berry
//	  version: 1.0.3
func parseYarn(data []byte) ([]detect.Package, error) {
	var list []detect.Package
	name := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			name = yarnName(line)
			continue
		}
		rest, ok := strings.CutPrefix(line, "  version")
		if !ok || name == "" {
			continue
		}
		version := strings.Trim(strings.TrimPrefix(strings.TrimSpace(rest), ":"), ` "`)
		// Berry writes 0.0.0-use.local for the project's own packages.
		if version != "" && !strings.HasSuffix(version, "use.local") {
			list = append(list, pkg(name, version, "npm", false, false))
		}
		name = ""
	}
	return list, nil
}

// yarnName is the name in the first descriptor of a block: what stands before
// its last @, which is not the one of a scope.
func yarnName(line string) string {
	first, _, _ := strings.Cut(strings.TrimSuffix(line, ":"), ",")
	first = strings.Trim(first, `" `)
	if strings.HasPrefix(first, "__metadata") {
		return ""
	}
	if i := strings.Index(first[min(1, len(first)):], "@"); i >= 0 {
		return first[:i+1]
	}
	return ""
}

// parsePnpm reads the packages of pnpm-lock.yaml: keys /a/1.0.0 (5), /a@1.0.0
// (6) and a@1.0.0(peer) (9). The direct ones stand under importers.
func parsePnpm(data []byte) ([]detect.Package, error) {
	var list []detect.Package
	direct := map[string]bool{}
	section := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, " \r\n")
		trimmed := strings.TrimLeft(line, " ")
		depth := len(line) - len(trimmed)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case depth == 0:
			section, _, _ = strings.Cut(trimmed, ":")
		case section == "packages" && depth == 2 && strings.HasSuffix(trimmed, ":"):
			if name, version := pnpmKey(strings.Trim(strings.TrimSuffix(trimmed, ":"), `'"`)); name != "" {
				list = append(list, pkg(name, version, "npm", false, false))
			}
		case (section == "importers" && depth >= 4 || (section == "dependencies" || section == "devDependencies") && depth == 2) && strings.HasSuffix(trimmed, ":"):
			direct[strings.Trim(strings.TrimSuffix(trimmed, ":"), `'"`)] = true
		}
	}
	for i := range list {
		list[i].Direct = direct[list[i].Name]
	}
	return list, nil
}

func pnpmKey(key string) (name, version string) {
	key, _, _ = strings.Cut(strings.TrimPrefix(key, "/"), "(")
	if i := strings.LastIndex(key, "@"); i > 0 {
		return key[:i], key[i+1:]
	}
	if i := strings.LastIndex(key, "/"); i > 0 {
		version, _, _ = strings.Cut(key[i+1:], "_")
		return key[:i], version
	}
	return "", ""
}

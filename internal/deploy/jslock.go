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
		if len(list) > maxPackages {
			return nil, errTooMany
		}
		if version != "" && !strings.HasSuffix(version, "use.local") {
			list = append(list, pkg(name, version, "npm", false, false))
		}
		name = ""
	}
	return list, nil
}

// yarnName is the name in the first descriptor of a block: what stands before
// its last @, which is not the one of a scope. In "a@npm:b@^1" it is b, which
// is installed under the name a.
func yarnName(line string) string {
	first, _, _ := strings.Cut(strings.TrimSuffix(line, ":"), ",")
	first = strings.Trim(first, `" `)
	if strings.HasPrefix(first, "__metadata") {
		return ""
	}
	name, spec, ok := cutVersion(first)
	if !ok {
		return ""
	}
	if real, _, ok := cutVersion(strings.TrimPrefix(spec, "npm:")); ok && strings.HasPrefix(spec, "npm:") {
		return real
	}
	return name
}

// cutVersion splits name@version at the first @ that is not a scope's.
func cutVersion(s string) (name, version string, ok bool) {
	i := strings.Index(s[min(1, len(s)):], "@")
	if i < 0 {
		return "", "", false
	}
	return s[:i+1], s[i+2:], true
}

// parsePnpm reads the packages of pnpm-lock.yaml: keys /a/1.0.0 (5), /a@1.0.0
// (6) and a@1.0.0(peer) (9). The direct ones stand under importers, those of
// development there under devDependencies; until 6 a package says dev: true.
func parsePnpm(data []byte) ([]detect.Package, error) {
	var list []detect.Package
	direct, wanted := map[string]bool{}, map[string]bool{}
	section, part := "", ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, " \r\n")
		trimmed := strings.TrimLeft(line, " ")
		depth := len(line) - len(trimmed)
		name, value, _ := strings.Cut(trimmed, ": ")
		name = strings.Trim(strings.TrimSuffix(name, ":"), `'"`)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case depth == 0:
			section, part = strings.TrimSuffix(trimmed, ":"), strings.TrimSuffix(trimmed, ":")
		case section == "packages" && depth == 2 && strings.HasSuffix(trimmed, ":"):
			if len(list) > maxPackages {
				return nil, errTooMany
			}
			if name, version := pnpmKey(name); name != "" {
				list = append(list, pkg(name, version, "npm", false, false))
			}
		case section == "packages" && depth == 4 && trimmed == "dev: true" && len(list) > 0:
			list[len(list)-1].Dev = true
		case section == "importers" && depth == 4:
			part = name
		case section == "importers" && depth == 6 || depth == 2 && strings.HasSuffix(section, "ependencies"):
			if value == "" || section != "importers" {
				direct[name] = true
				wanted[name] = wanted[name] || part != "devDependencies"
			}
		}
	}
	for i := range list {
		p := &list[i]
		p.Direct = direct[p.Name]
		p.Dev = p.Dev || p.Direct && !wanted[p.Name]
	}
	return list, nil
}

func pnpmKey(key string) (name, version string) {
	key, _, _ = strings.Cut(strings.TrimPrefix(key, "/"), "(")
	at := strings.Index(key[min(1, len(key)):], "@") + 1
	slash := strings.Index(key, "/")
	if slash > 0 && key[0] == '@' { // that of the scope
		if n := strings.Index(key[slash+1:], "/"); n >= 0 {
			slash += 1 + n
		} else {
			slash = -1
		}
	}
	if slash > 0 && (at == 0 || slash < at) {
		version, _, _ = strings.Cut(key[slash+1:], "_") // peers follow
		return key[:slash], version
	}
	if at > 0 {
		return key[:at], key[at+1:]
	}
	return "", ""
}

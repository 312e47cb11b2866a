package mailbox

import (
	"sort"
	"strconv"
	"strings"
)

// maxParams bounds the parameters of one field.
const maxParams = 50

// mediaType reads a Content-Type or Content-Disposition. Broken parameters are
// read as far as they go: without quotes, without their end, without a
// semicolon between them. Continued and encoded ones (RFC 2231) are put
// together, in every charset. Without parameters params is nil.
func mediaType(value string) (kind string, params map[string]string) {
	value = strings.TrimSpace(value)
	i := strings.IndexAny(value, "; \t(")
	if i < 0 {
		i = len(value)
	}
	kind = strings.ToLower(strings.Trim(value[:i], `"'`))
	var pieces map[string][]piece2231
	for rest := value[i:]; rest != "" && len(params) < maxParams; {
		var key, v string
		if key, v, rest = parameter(rest); key == "" {
			continue
		}
		if params == nil {
			params = map[string]string{}
		}
		name, section, ok := strings.Cut(key, "*")
		if !ok {
			if _, twice := params[key]; !twice {
				params[key] = v
			}
			continue
		}
		p := piece2231{text: v, encoded: strings.HasSuffix(key, "*")}
		p.at, _ = strconv.Atoi(strings.TrimSuffix(section, "*"))
		if pieces == nil {
			pieces = map[string][]piece2231{}
		}
		if len(pieces[name]) < maxParams {
			pieces[name] = append(pieces[name], p)
		}
	}
	for name, list := range pieces {
		params[name] = join2231(list)
	}
	return kind, params
}

// parameter reads the next parameter of a field and returns what follows it.
func parameter(s string) (key, value, rest string) {
	s = strings.TrimLeft(s, "; \t")
	if strings.HasPrefix(s, "(") {
		_, rest, _ = strings.Cut(s, ")")
		return "", "", rest
	}
	i := strings.IndexAny(s, "=;")
	if i < 0 {
		return "", "", ""
	}
	if s[i] == ';' {
		return "", "", s[i:]
	}
	key = strings.ToLower(strings.TrimSpace(s[:i]))
	if j := strings.LastIndexAny(key, " \t"); j >= 0 {
		key = key[j+1:]
	}
	s = strings.TrimLeft(s[i+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		i = strings.IndexByte(s, ';')
		if i < 0 {
			i = len(s)
		}
		value = strings.TrimSpace(s[:i])
		if key == "charset" || key == "boundary" || key == "format" || key == "delsp" {
			// The next one without a semicolon before it, or a comment.
			if j := strings.IndexAny(value, " \t"); j > 0 {
				return key, value[:j], s[j:]
			}
		}
		return key, value, s[i:]
	}
	var b strings.Builder
	for i = 1; i < len(s) && s[i] != '"'; i++ {
		// A backslash quotes, but Windows paths have it too.
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
			i++
		}
		b.WriteByte(s[i])
	}
	return key, b.String(), s[min(len(s), i+1):]
}

// piece2231 is a section of a continued or encoded parameter.
type piece2231 struct {
	at      int
	text    string
	encoded bool
}

// join2231 puts the sections together in their order, then decodes them in the
// charset that the first one names.
func join2231(list []piece2231) string {
	sort.SliceStable(list, func(i, j int) bool { return list[i].at < list[j].at })
	charset := ""
	var out []byte
	for n, p := range list {
		if !p.encoded {
			out = append(out, p.text...)
			continue
		}
		text := p.text
		if f := strings.SplitN(text, "'", 3); n == 0 && len(f) == 3 {
			charset, text = f[0], f[2]
		}
		out = append(out, unpercent(text)...)
	}
	s, _ := toUTF8(out, charset)
	return s
}

func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}

package config

import (
	"bytes"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// mostMistakes is how many values that cannot be read are named at most.
const mostMistakes = 50

// decode reads a file on beyond each value that cannot be read, so that all
// mistakes are named at once. The Config is nil where nothing can be said of
// the rest: the file is no TOML.
func decode(path string, raw []byte) (*Config, Problems) {
	var ps Problems
	for {
		c := Default()
		dec := toml.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		err := dec.Decode(c)
		if err == nil {
			return c, ps
		}
		found, unknown := decodeProblems(path, err)
		ps = append(ps, found...)
		if unknown {
			return c, ps
		}
		if raw = without(raw, found[0].Line); raw == nil || len(ps) >= mostMistakes {
			return nil, ps
		}
	}
}

// decodeProblems words an error of the decoder; unknown tells that all else in
// the file was read.
func decodeProblems(path string, err error) (ps Problems, unknown bool) {
	name := filepath.Base(path)
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		for _, e := range strict.Errors {
			row, _ := e.Position()
			key := strings.Join(e.Key(), ".")
			ps = append(ps, Problem{name, row, key, "there is no such key", nearest(e.Key())})
		}
		return ps, true
	}
	var dec *toml.DecodeError
	if errors.As(err, &dec) {
		row, _ := dec.Position()
		return Problems{{name, row, strings.Join(dec.Key(), "."), inWords(dec.Error()), ""}}, false
	}
	return Problems{{File: name, Text: inWords(err.Error())}}, false
}

var wrongType = regexp.MustCompile(`^cannot decode TOML (\w+) into (?:struct field \S+ of type |a Go value of type )?(\S+)`)

// wanted words the types that a value may have.
var wanted = map[string]string{
	"string": `text in quotes, as "…"`, "int": "a whole number", "int64": "a whole number", "bool": "true or false", "[]string": `a list, as ["…", "…"]`,
}

// inWords says what the decoder says without naming what it decodes into.
func inWords(text string) string {
	text = strings.TrimPrefix(text, "toml: ")
	m := wrongType.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	want := wanted[m[2]]
	switch {
	case want == "" && (strings.HasPrefix(m[2], "map") || m[1] == "string"):
		want = "a table with a name, as [mailbox.support]"
	case want == "":
		want = wanted["string"]
	}
	return "this is of the type " + m[1] + ": write " + want
}

// without blanks the key and value that stand on a line, and nothing if there
// are none or the file cannot be read as TOML: then it returns nil.
func without(raw []byte, line int) []byte {
	var p unstable.Parser
	p.Reset(raw)
	start, end := -1, len(raw)
	for p.NextExpression() {
		e := p.Expression()
		it := e.Key()
		if !it.Next() {
			continue
		}
		at := bytes.LastIndexByte(raw[:min(int(it.Node().Raw.Offset), len(raw))], '\n') + 1
		switch {
		case 1+bytes.Count(raw[:at], []byte("\n")) > line:
			end = min(end, at)
		case e.Kind == unstable.KeyValue:
			start = at
		default:
			start = -1
		}
	}
	if p.Error() != nil || start < 0 {
		return nil
	}
	raw = slices.Clone(raw)
	for i := start; i < end; i++ {
		if raw[i] != '\n' {
			raw[i] = ' '
		}
	}
	return raw
}

// follows tells whether a problem may only be there because of one of ps: it is
// about the same key, or about what lacks in a table in which a key could not
// be read.
func (c *Config) follows(p Problem, ps Problems) bool {
	table := p.Key[:strings.LastIndexByte(p.Key, '.')+1]
	_, written := c.lines[p.Key]
	return slices.ContainsFunc(ps, func(q Problem) bool {
		return q.Key == p.Key || strings.HasPrefix(q.Key, p.Key+".") || !written && table != "" && strings.HasPrefix(q.Key, table)
	})
}

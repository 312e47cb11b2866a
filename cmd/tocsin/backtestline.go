package main

import "bytes"

// plain reads the line that makes up nearly all of an input, an object of
// strings in ASCII without escapes under the names known, in a fifth of the
// time that encoding/json takes. It tells whether the line was one; any other
// line, a wrong one above all, is left to encoding/json and its errors.
func (l *backtestLine) plain(raw []byte) bool {
	rest, ok := bytes.CutPrefix(raw, []byte("{"))
	for ok {
		var name, value []byte
		if name, rest, ok = plainString(rest); !ok {
			return false
		}
		if rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " "), []byte(":")); !ok {
			return false
		}
		if value, rest, ok = plainString(rest); !ok {
			return false
		}
		switch string(name) {
		case "time":
			l.Time = string(value)
		case "category":
			l.Category = string(value)
		case "sender":
			l.Sender = string(value)
		default:
			return false
		}
		if rest = bytes.TrimLeft(rest, " "); string(rest) == "}" {
			return true
		}
		rest, ok = bytes.CutPrefix(rest, []byte(","))
	}
	return false
}

// plainString takes a string off the front of b.
func plainString(b []byte) (value, rest []byte, ok bool) {
	if b, ok = bytes.CutPrefix(bytes.TrimLeft(b, " "), []byte(`"`)); !ok {
		return nil, nil, false
	}
	for i, c := range b {
		switch {
		case c == '"':
			return b[:i], b[i+1:], true
		case c == '\\' || c < ' ' || c > '~':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

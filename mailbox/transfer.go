package mailbox

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decodeTransfer undoes a Content-Transfer-Encoding, tolerantly: what is broken
// is read as far as it goes, what is unknown is taken as it is. go-message
// refuses unknown names and cuts quoted-printable lines at 4 KB.
func decodeTransfer(b []byte, name string) []byte {
	name = strings.ToLower(strings.TrimSpace(name))
	if i := strings.IndexAny(name, "; \t("); i > 0 {
		name = name[:i]
	}
	switch strings.Trim(name, `"`) {
	case "quoted-printable", "quotedprintable", "qp":
		return decodeQuotedPrintable(b)
	case "base64", "b":
		return base64Text(b)
	case "x-uuencode", "uuencode", "x-uue", "uue":
		return decodeUU(b)
	}
	return b
}

// decodeQuotedPrintable reads RFC 2045 section 6.7 without its limits.
func decodeQuotedPrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		b = rest
		line = bytes.TrimRight(line, "\r \t")
		soft := false
		if n := len(line); n > 0 && line[n-1] == '=' {
			line, soft = line[:n-1], true
		}
		for i := 0; i < len(line); i++ {
			if line[i] == '=' && i+2 < len(line) && unhex(line[i+1]) >= 0 && unhex(line[i+2]) >= 0 {
				out = append(out, byte(unhex(line[i+1])<<4|unhex(line[i+2])))
				i += 2
				continue
			}
			out = append(out, line[i])
		}
		if !soft && found {
			out = append(out, '\n')
		}
	}
	return out
}

// base64Text decodes a body. Lines that are no base64 (what a list adds below,
// a note of a virus scanner) are left out; a body that has almost only such
// lines is labelled wrongly and taken as it is.
func base64Text(b []byte) []byte {
	var kept []byte
	foreign := 0
	for line := range bytes.Lines(b) {
		if isBase64Line(line) {
			kept = append(kept, line...)
		} else {
			foreign += len(line)
		}
	}
	switch {
	case foreign == 0:
		return decodeBase64(b)
	case foreign > len(kept):
		return b
	}
	return decodeBase64(kept)
}

// isBase64Line tells whether a line may be base64, with a little rubbish in it.
func isBase64Line(line []byte) bool {
	line = bytes.TrimSpace(line)
	if len(line) > 4 && bytes.Count(line, line[:1]) == len(line) {
		return false // a rule under the text
	}
	rubbish := 0
	for i, c := range line {
		switch {
		case isBase64(c) || c == '=' || c == '-' || c == '_':
		case (c == ' ' || c == '\t') && i > 0 && i%4 != 0: // words, not groups
			rubbish += 4
		default:
			rubbish++
		}
	}
	return rubbish*20 <= len(line)
}

// decodeBase64 reads what is base64 in b and skips the rest; a part that is
// padded in the middle goes on after the padding.
func decodeBase64(b []byte) []byte {
	out := make([]byte, 0, len(b)*3/4)
	group := make([]byte, 0, 4)
	flush := func() {
		if n := len(group); n >= 2 {
			var dst [3]byte
			k, _ := base64.RawStdEncoding.Decode(dst[:], group)
			out = append(out, dst[:k]...)
		}
		group = group[:0]
	}
	for _, c := range b {
		switch {
		case c == '=':
			flush()
		case isBase64(c):
			if group = append(group, c); len(group) == 4 {
				flush()
			}
		case c == '-' || c == '_': // the URL alphabet
			if group = append(group, map[byte]byte{'-': '+', '_': '/'}[c]); len(group) == 4 {
				flush()
			}
		}
	}
	flush()
	return out
}

// decodeUU reads uuencode.
func decodeUU(b []byte) []byte {
	var out []byte
	begun := false
	for line := range bytes.Lines(b) {
		line = bytes.TrimRight(line, "\r\n")
		if !begun {
			begun = bytes.HasPrefix(line, []byte("begin "))
			continue
		}
		if len(line) == 0 || bytes.Equal(line, []byte("end")) {
			break
		}
		n := int(line[0]-' ') & 0x3f
		for i := 1; i < len(line) && n > 0; i += 4 {
			var v [4]byte
			for k := range v {
				if i+k < len(line) {
					v[k] = (line[i+k] - ' ') & 0x3f
				}
			}
			three := []byte{v[0]<<2 | v[1]>>4, v[1]<<4 | v[2]>>2, v[2]<<6 | v[3]}
			out = append(out, three[:min(3, n)]...)
			n -= 3
		}
	}
	return out
}

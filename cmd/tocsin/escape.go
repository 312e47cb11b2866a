package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unprintable is what a terminal may obey instead of show: controls, C1, and
// the marks that reverse the reading direction. Line feeds and tabs pass.
func unprintable(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// escape makes text harmless on a terminal.
func escape(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// oneLine is escape for a cell of a table.
func oneLine(s string) string {
	return escape(strings.Join(strings.Fields(s), " "))
}

// jsonLines writes one JSON value a line. encoding/json leaves DEL, C1 and the
// bidirectional marks raw; here they are written as \u escapes, since the line
// may end on a terminal.
type jsonLines struct {
	w   io.Writer
	buf bytes.Buffer
	enc *json.Encoder
}

func newJSONLines(w io.Writer) *jsonLines {
	j := &jsonLines{w: w}
	j.enc = json.NewEncoder(&j.buf)
	j.enc.SetEscapeHTML(false)
	return j
}

func (j *jsonLines) write(v any) error {
	j.buf.Reset()
	if err := j.enc.Encode(v); err != nil {
		return err
	}
	b := j.buf.Bytes()
	if bytes.IndexFunc(b, func(r rune) bool { return r > 0x7e && unprintable(r) }) < 0 {
		_, err := j.w.Write(b)
		return err
	}
	var out bytes.Buffer
	for _, r := range j.buf.String() {
		switch {
		case r > 0xffff && unprintable(r):
			hi, lo := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&out, "\\u%04x\\u%04x", hi, lo)
		case r > 0x7e && unprintable(r):
			fmt.Fprintf(&out, "\\u%04x", r)
		default:
			out.WriteRune(r)
		}
	}
	_, err := j.w.Write(out.Bytes())
	return err
}

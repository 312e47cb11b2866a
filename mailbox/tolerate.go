package mailbox

import (
	"bytes"

	"golang.org/x/text/encoding/unicode"
)

// tolerate repairs what comes before a mail and its line ends: an mbox line
// (go-message issue 198), a byte order mark, a whole mail in UTF-16, CR alone or
// CR CR LF, NUL bytes in the header.
func tolerate(b []byte, defect func(string)) []byte {
	b = fromUTF16(b, defect)
	if bom := []byte("\xef\xbb\xbf"); bytes.HasPrefix(b, bom) {
		b = b[3:]
		defect("a byte order mark stood before the mail")
	}
	b = lineEnds(b, defect)
	b = bytes.TrimLeft(b, "\n")
	if line, rest, _ := bytes.Cut(b, []byte("\n")); mboxLine(line) {
		b = rest
		defect("an mbox line stood before the mail")
	}
	end := bytes.Index(b, []byte("\n\n"))
	if end < 0 {
		end = len(b)
	}
	if bytes.IndexByte(b[:end], 0) >= 0 {
		defect("NUL bytes were dropped")
		b = append(bytes.ReplaceAll(b[:end], []byte{0}, nil), b[end:]...)
	}
	return b
}

// fromUTF16 turns a mail that an editor saved in UTF-16 into UTF-8.
func fromUTF16(b []byte, defect func(string)) []byte {
	if len(b) < 4 {
		return b
	}
	order := unicode.LittleEndian
	switch {
	case b[0] == 0xff && b[1] == 0xfe, b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0:
	case b[0] == 0xfe && b[1] == 0xff, b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0:
		order = unicode.BigEndian
	default:
		return b
	}
	out, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(b)
	if err != nil {
		return b
	}
	defect("the mail was saved in UTF-16")
	return out
}

// lineEnds makes every line end LF. A CR alone ends a line where the first line
// does so; else it is one in the text, and inside a header's line no end of it.
func lineEnds(b []byte, defect func(string)) []byte {
	if out, ok := plainLineEnds(b); ok {
		return out
	}
	if bytes.Contains(b, []byte("\r\r\n")) {
		b = bytes.ReplaceAll(b, []byte("\r\r\n"), []byte("\n"))
		defect("line ends were doubled")
	}
	newline := bytes.IndexByte(b, '\n')
	alone := newline < 0 || bytes.IndexByte(b[:max(newline-1, 0)], '\r') >= 0
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	if bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	defect("lines ended in CR alone")
	if !alone {
		if end := bytes.Index(b, []byte("\n\n")); end > 0 {
			b = append(bytes.ReplaceAll(b[:end], []byte("\r"), []byte(" ")), b[end:]...)
		}
	}
	return bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
}

// plainLineEnds is lineEnds for a mail in which every CR stands singly before
// an LF, as it should.
func plainLineEnds(b []byte) (out []byte, ok bool) {
	first := bytes.IndexByte(b, '\r')
	if first < 0 {
		return b, true
	}
	out = make([]byte, 0, len(b))
	for i := first; i >= 0; i = bytes.IndexByte(b, '\r') {
		if i+1 == len(b) || b[i+1] != '\n' {
			return nil, false
		}
		out = append(out, b[:i]...)
		b = b[i+1:]
	}
	return append(out, b...), true
}

// mboxLine tells whether a line is the one that mbox puts before a mail, and
// not a From field with a space before its colon.
func mboxLine(line []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimPrefix(line, []byte(">")), []byte("From "))
	return ok && !bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte(":"))
}

package mailbox

import (
	"strings"
	"unicode/utf8"
)

// decodeHeader decodes a header's value: encoded words (RFC 2047) with their
// usual mistakes, which are spaces or question marks inside, no end, letters
// split between words, charsets nobody knows, and raw 8-bit text.
func decodeHeader(s string) string {
	if !utf8.ValidString(s) || strings.Contains(s, "\x1b$") {
		s, _ = toUTF8([]byte(s), "")
	}
	if !strings.Contains(s, "=?") {
		return s
	}
	// Neighbouring words of one charset are joined before they are decoded:
	// many programs split a letter between them (section 5 forbids it).
	var out strings.Builder
	var pending []byte
	var charset string
	flush := func() {
		if len(pending) > 0 {
			t, _ := toUTF8(pending, charset)
			out.WriteString(t)
			pending = nil
		}
	}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, n := encodedWord(s[i:])
		if n == 0 {
			flush()
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		// White space between two words is theirs, not the text's (section 6.2).
		if between := s[:i]; len(pending) == 0 || strings.TrimSpace(between) != "" {
			flush()
			out.WriteString(between)
		}
		if !strings.EqualFold(w.charset, charset) {
			flush()
		}
		charset = w.charset
		pending = append(pending, w.bytes...)
		s = s[i+n:]
	}
	flush()
	out.WriteString(s)
	return out.String()
}

type word struct {
	charset string
	bytes   []byte
}

// encodedWord reads the word at the beginning of s and returns its length; 0 if
// there is none.
func encodedWord(s string) (word, int) {
	rest := s[2:]
	i := strings.IndexByte(rest[:min(len(rest), 64)], '?')
	if i <= 0 || strings.ContainsAny(rest[:i], " \t\"<>") || i+2 >= len(rest) || rest[i+2] != '?' {
		return word{}, 0
	}
	w := word{charset: rest[:i]}
	encoding, text := rest[i+1]|0x20, rest[i+3:]
	end, after := strings.Index(text, "?="), 2
	if end < 0 {
		// Cut off: what is there is read to the next word or the end.
		if end = strings.IndexAny(text, " \t\"<>"); end < 0 {
			end = len(text)
		}
		text, after = strings.TrimRight(text[:end], "?="), 0
		if end == 0 {
			return word{}, 0
		}
	} else {
		text = text[:end]
	}
	switch encoding {
	case 'b':
		w.bytes = decodeBase64([]byte(text))
	case 'q':
		w.bytes = decodeQ(text)
	default:
		return word{}, 0
	}
	if w.bytes == nil {
		w.bytes = []byte{}
	}
	return w, 2 + i + 3 + end + after
}

// decodeQ reads the Q encoding (RFC 2047 section 4.2).
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

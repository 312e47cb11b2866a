package mailbox

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// aliases are names of charsets that mail programs made up.
var aliases = map[string]string{
	"default": "", "default_charset": "", "unknown-8bit": "", "x-unknown": "", "unknown": "", "ascii": "", "us-ascii": "", "7bit": "", "8bit": "",
	"utf8": "utf-8", "utf": "utf-8", "unicode": "utf-8", "x-utf-8": "utf-8", "utf-8mb4": "utf-8",
	"unicode-1-1-utf-7": "utf-7", "unicode-1-1-utf-8": "utf-8", "utf7": "utf-7", "x-unicode-2-0-utf-7": "utf-7",
	"chinesebig5": "big5", "gb2312_charset": "gbk", "gb_2312-80": "gbk", "gb2312": "gb18030", "x-gbk": "gb18030", "gbk": "gb18030",
	"cp1252": "windows-1252", "cp-1252": "windows-1252", "iso-8859-8-i": "iso-8859-8", "iso8859-1": "windows-1252", "iso-8859-1": "windows-1252", "latin1": "windows-1252",
	"cp932": "shift_jis", "x-sjis": "shift_jis", "ms_kanji": "shift_jis", "ks_c_5601-1987": "euc-kr", "cp949": "euc-kr", "ks_c_5601": "euc-kr",
	"iso-2022-jp-2": "iso-2022-jp", "iso-2022-jp-ms": "iso-2022-jp", "x-euc-jp": "euc-jp", "cp866": "ibm866", "koi8r": "koi8-r", "cp850": "ibm850", "x-mac-roman": "macintosh", "cp65001": "utf-8",
}

// lookup finds a charset by its name; nil is UTF-8 or ASCII.
func lookup(name string) (enc encoding.Encoding, utf7, known bool) {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`))
	name = strings.TrimPrefix(name, "charset=")
	if i := strings.IndexAny(name, " ;*\t"); i > 0 { // *: RFC 2231's language
		name = name[:i]
	}
	if to, ok := aliases[name]; ok {
		name = to
	}
	switch name {
	case "", "utf-8":
		return nil, false, true
	case "utf-7":
		return nil, true, true
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312, false, true
	case "utf-16", "ucs-2", "iso-10646-ucs-2": // RFC 2781 section 4.3
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), false, true
	case "utf-32", "ucs-4":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM), false, true
	case "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), false, true
	case "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), false, true
	case "ibm850":
		return charmap.CodePage850, false, true
	}
	if e, err := htmlindex.Get(name); err == nil {
		return e, false, true
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil && e != nil {
		return e, false, true
	}
	if e, _ := charset.Lookup(name); e != nil {
		return e, false, true
	}
	return nil, false, false
}

// toUTF8 decodes text. What is labelled wrongly is guessed: valid UTF-8 is
// taken as such, other bytes as the declared charset, else by their look. ok is
// false when a guess was needed.
func toUTF8(b []byte, label string) (s string, ok bool) {
	enc, utf7, known := lookup(label)
	switch {
	case utf7:
		return decodeUTF7(b), true
	case enc == encoding.Replacement: // what browsers refuse (WHATWG Encoding section 4.2)
		if bytes.IndexByte(b, 0x0e) >= 0 {
			return decodeShifted(b), true
		}
		return guess(b), false
	case enc == nil && utf8.Valid(b):
		if bytes.Contains(b, []byte("\x1b$")) {
			return decodeWith(japanese.ISO2022JP, b), false
		}
		plain := known && (!strings.Contains(strings.ToLower(label), "ascii") || ascii(b))
		return string(bytes.TrimPrefix(b, []byte("\ufeff"))), plain
	case enc == nil:
		return guess(b), false
	case wide(enc) && bytes.IndexByte(b, 0) < 0 && utf8.Valid(b):
		return string(b), false // labelled with two bytes a letter, and has none
	case enc != japanese.ISO2022JP && enc != simplifiedchinese.HZGB2312 && !ascii(b) && utf8.Valid(b):
		// Labelled with an older charset, but UTF-8: hardly ever by chance.
		return string(b), false
	}
	return decodeWith(enc, b), true
}

// wide tells whether a charset has two or four bytes for each letter: ASCII
// text then has a NUL byte beside each letter.
func wide(e encoding.Encoding) bool {
	out, err := e.NewEncoder().String("a")
	return err == nil && len(out) > 1
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func decodeWith(e encoding.Encoding, b []byte) string {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil && len(out) == 0 {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

// decodeShifted reads iso-2022-kr (RFC 1557): Korean stands between the two
// shift characters, with the high bit off.
func decodeShifted(b []byte) string {
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil)
	out := make([]byte, 0, len(b))
	high := byte(0)
	for _, c := range b {
		switch c {
		case 0x0e:
			high = 0x80
		case 0x0f:
			high = 0
		case '\n':
			high = 0
			out = append(out, c)
		default:
			out = append(out, c|high)
		}
	}
	return decodeWith(korean.EUCKR, out)
}

// decodeUTF7 reads RFC 2152. What is broken stays as it was.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); {
		if b[i] != '+' {
			out.WriteByte(b[i])
			i++
			continue
		}
		j := i + 1
		for j < len(b) && isBase64(b[j]) {
			j++
		}
		if j == i+1 {
			out.WriteByte('+')
			i = j
			if i < len(b) && b[i] == '-' {
				i++
			}
			continue
		}
		raw, err := base64.RawStdEncoding.DecodeString(string(b[i+1 : j]))
		if err != nil {
			raw, _ = base64.RawStdEncoding.DecodeString(string(b[i+1 : j-1]))
		}
		if len(raw) < 2 { // a plus that means itself
			out.Write(b[i:j])
			i = j
			continue
		}
		units := make([]uint16, 0, len(raw)/2)
		for k := 0; k+1 < len(raw); k += 2 {
			units = append(units, uint16(raw[k])<<8|uint16(raw[k+1]))
		}
		out.WriteString(string(utf16.Decode(units)))
		i = j
		if i < len(b) && b[i] == '-' {
			i++
		}
	}
	return out.String()
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

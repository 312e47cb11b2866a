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
	"golang.org/x/text/encoding/traditionalchinese"
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
	case "hz-gb-2312":
		return simplifiedchinese.HZGB2312, false, true
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
	case known && enc == nil:
		if utf8.Valid(b) {
			if bytes.ContainsRune(b, 0x1b) && bytes.Contains(b, []byte("\x1b$")) {
				return decodeWith(japanese.ISO2022JP, b), false
			}
			return string(b), true
		}
		return guess(b), false
	case enc != nil:
		if isMultibyteASCII(enc) && utf8.Valid(b) && !ascii(b) && enc != japanese.ISO2022JP {
			return string(b), false // labelled as a national charset, but UTF-8
		}
		if enc == charmap.Windows1252 && utf8.Valid(b) && !ascii(b) {
			return string(b), false
		}
		return decodeWith(enc, b), true
	}
	if utf8.Valid(b) {
		return string(b), false
	}
	return guess(b), false
}

func isMultibyteASCII(e encoding.Encoding) bool {
	switch e {
	case simplifiedchinese.GB18030, simplifiedchinese.GBK, traditionalchinese.Big5, japanese.ShiftJIS, japanese.EUCJP, korean.EUCKR:
		return true
	}
	return false
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
		return guess(b)
	}
	return string(out)
}

// guess reads bytes that are not UTF-8 and whose charset is not told.
func guess(b []byte) string {
	high := 0
	for _, c := range b {
		if c >= 0x80 {
			high++
		}
	}
	// UTF-8 with a few broken bytes is still UTF-8.
	if bad := strings.Count(strings.ToValidUTF8(string(b), "\uFFFD"), "\uFFFD"); bad > 0 && high > 20*bad {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	if len(b) > 0 && high*2 > len(b) { // mostly high bytes: a Cyrillic or Asian charset
		for _, e := range []encoding.Encoding{japanese.EUCJP, simplifiedchinese.GB18030, korean.EUCKR} {
			if s := decodeWith(e, b); !strings.ContainsRune(s, utf8.RuneError) {
				if e == japanese.EUCJP && !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x3040 && r < 0x3100 }) {
					continue
				}
				return s
			}
		}
		return decodeWith(charmap.Windows1251, b)
	}
	return decodeWith(charmap.Windows1252, b)
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

package mailbox

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// maxGuess is how many bytes a guess looks at.
const maxGuess = 16 << 10

// guess reads bytes that are not UTF-8 and whose charset is not told.
func guess(b []byte) string {
	look := b[:min(len(b), maxGuess)]
	// UTF-8 with a few broken bytes is still UTF-8.
	if bad, high := brokenUTF8(look); high > 20*bad {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return decodeWith(likely(look), b)
}

func brokenUTF8(b []byte) (bad, high int) {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			bad++
		}
		high += n
		b = b[n:]
	}
	return bad, high
}

// likely is the charset that bytes look like, by how their high bytes stand:
// in pairs in the scripts of East Asia, in words of their own in Cyrillic,
// singly among ASCII letters in Latin.
func likely(b []byte) encoding.Encoding {
	switch {
	case bytes.Contains(b, []byte("\x1b$")):
		return japanese.ISO2022JP
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	}
	s := survey(b)
	switch {
	case s.high == 0:
		return charmap.Windows1252
	case s.letters*20 >= s.high*19: // all of them where Cyrillic letters are
		if s.high < 2*s.runs {
			return charmap.Windows1252
		}
		if s.lower1251 >= s.letters-s.lower1251 {
			return charmap.Windows1251
		}
		return charmap.KOI8R
	}
	if e := eastAsian(b, s); e != nil {
		return e
	}
	if s.high > 3*s.runs && s.letters*2 > s.high {
		return charmap.Windows1251
	}
	return charmap.Windows1252
}

// surveyed counts high bytes.
type surveyed struct {
	high, runs int
	letters    int // in C0-FF, where Windows-1251 and KOI8-R have letters
	lower1251  int // in E0-FF: lower case in Windows-1251, upper case in KOI8-R
}

func survey(b []byte) (s surveyed) {
	before := byte(0)
	for _, c := range b {
		if c >= 0x80 {
			s.high++
			if before < 0x80 {
				s.runs++
			}
			if c >= 0xc0 {
				s.letters++
			}
			if c >= 0xe0 {
				s.lower1251++
			}
		}
		before = c
	}
	return s
}

// eastAsian tries the charsets of two bytes a letter; nil if none fits.
func eastAsian(b []byte, s surveyed) encoding.Encoding {
	euc := pairsOf(b, func(lead, trail byte) bool { return lead >= 0xa1 && lead <= 0xfe && trail >= 0xa1 && trail <= 0xfe })
	if euc.broken == 0 && euc.pairs > 0 {
		switch {
		case euc.share(0xa4, 0xa5) > 20: // kana
			return japanese.EUCJP
		case euc.share(0xb0, 0xc8) > 85 && s.runs*6 > euc.pairs: // Hangul, in short words
			return korean.EUCKR
		case euc.share(0xb0, 0xd7)+euc.share(0xa1, 0xa3) > 70: // the common characters of GB 2312
			return simplifiedchinese.GB18030
		}
	}
	sjis := pairsOf(b, func(lead, trail byte) bool {
		return (lead >= 0x81 && lead <= 0x9f || lead >= 0xe0 && lead <= 0xfc) && trail >= 0x40 && trail <= 0xfc && trail != 0x7f
	})
	if sjis.broken == 0 && sjis.share(0x81, 0x83) > 30 { // kana and punctuation
		return japanese.ShiftJIS
	}
	big5 := pairsOf(b, func(lead, trail byte) bool {
		return lead >= 0xa1 && lead <= 0xf9 && (trail >= 0x40 && trail <= 0x7e || trail >= 0xa1 && trail <= 0xfe)
	})
	if big5.broken == 0 && big5.pairs > 2 && big5.share(0xa4, 0xc6)+big5.share(0xa1, 0xa3) > 70 {
		return traditionalchinese.Big5
	}
	if euc.broken == 0 && euc.pairs > 2 {
		return simplifiedchinese.GB18030
	}
	return nil
}

// pairing counts the pairs that high bytes make, by their first byte.
type pairing struct {
	pairs, broken int
	lead          [256]int
}

func pairsOf(b []byte, pair func(lead, trail byte) bool) (p pairing) {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] < 0x80:
		case i+1 == len(b): // cut off here, perhaps
		case pair(b[i], b[i+1]):
			p.pairs++
			p.lead[b[i]]++
			i++
		default:
			p.broken++
		}
	}
	return p
}

// share is the percentage of pairs that begin with a byte from lo to hi.
func (p *pairing) share(lo, hi byte) int {
	n := 0
	for _, k := range p.lead[lo : int(hi)+1] {
		n += k
	}
	return 100 * n / max(1, p.pairs)
}

package mailbox

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what is kept of a mail, in bytes.
const (
	maxSubject   = 500
	maxName      = 320
	maxMessageID = 900
	maxText      = 256 << 10
)

// Clean is the one place where a mail's text is made safe to keep: valid UTF-8,
// no control characters but line feed and tab, no bidirectional overrides, no
// invisible letters, at most max bytes. It does not escape: each way out knows
// its own language.
func Clean(s string, max int) string {
	if len(s) > 4*max {
		s = s[:4*max]
	}
	clean := cleanLength(s)
	if clean == len(s) {
		return cut(s, max)
	}
	if s = strings.ToValidUTF8(s, "\uFFFD"); strings.IndexFunc(s[clean:], unclean) >= 0 {
		var b strings.Builder
		b.Grow(len(s))
		b.WriteString(s[:clean])
		last, _ := utf8.DecodeLastRuneInString(s[:clean])
		for _, r := range s[clean:] {
			if joins(last, r) {
				b.WriteRune(r)
				last = r
				continue
			}
			last = r
			switch {
			case r == '\u2028' || r == '\u2029' || r == '\u0085':
				b.WriteByte('\n')
			case r == '\u00a0':
				b.WriteByte(' ')
			case !dropped(r):
				b.WriteRune(r)
			}
		}
		s = b.String()
	}
	return cut(s, max)
}

// cleanLength is how much of the beginning is valid UTF-8 that Clean has
// nothing to do about.
func cleanLength(s string) int {
	for i := 0; i < len(s); {
		if cleanByte[s[i]] {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || unclean(r) {
			return i
		}
		i += n
	}
	return len(s)
}

// cleanByte are the bytes of ASCII that Clean keeps.
var cleanByte = func() (table [256]bool) {
	for c := range rune(0x7f) {
		table[c] = !unclean(c)
	}
	return table
}()

// unclean tells whether Clean has something to do about a letter.
func unclean(r rune) bool {
	if r < 0x7f {
		return r < 0x20 && r != '\n' && r != '\t'
	}
	return r == '\u00a0' || r == '\u2028' || r == '\u2029' || dropped(r)
}

// cleanLine is Clean for what must be one line: a header's value.
func cleanLine(s string, max int) string {
	if s == "" {
		return ""
	}
	return cut(strings.Join(strings.Fields(Clean(s, 2*max)), " "), max)
}

// cut shortens to at most max bytes without splitting a letter.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}

// joins tells whether an invisible letter has a meaning after the one before
// it: it shapes emoji, and words in the scripts from Arabic to Burmese. Between
// letters of other scripts it only hides a word from those who look for it.
func joins(before, r rune) bool {
	switch r {
	case 0x200c, 0x200d, 0xfe0e, 0xfe0f: // joiners and the two forms of a symbol
		return before >= 0x600 && before < 0x10a0 || before >= 0x2190 && before < 0x2c00 || before >= 0x1f000 && before < 0x1fb00 || before == 0xfe0f && r == 0x200d
	}
	return false
}

// dropped are the characters that have no place in a text, but for those that
// joins: controls, and format characters such as zero-width letters and
// bidirectional overrides.
func dropped(r rune) bool {
	switch r {
	case '\n', '\t':
		return false
	}
	return r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0) || unicode.Is(unicode.Cf, r) || r == '\ufffc' ||
		(r >= 0xfe00 && r <= 0xfe0f) || (r >= 0xe0000 && r <= 0xe0fff)
}

// Fold makes texts that look alike equal, for comparing only: compatibility
// forms (full-width letters, ligatures), case, and look-alike letters of other
// scripts inside Latin words.
func Fold(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return fold(s)
		}
	}
	return strings.ToLower(cut(s, maxText)) // all letters stand for themselves
}

func fold(s string) string {
	s = norm.NFKC.String(Clean(s, maxText))
	return strings.ToLower(strings.Map(func(r rune) rune {
		if dropped(r) {
			return -1
		}
		if f, ok := lookAlike[r]; ok {
			return f
		}
		return r
	}, s))
}

// lookAlike are the letters that are taken for Latin ones most often (a small
// part of Unicode TR 39's confusables). They are folded only for comparing
// near-identical mails, where a Cyrillic text stays itself consistently.
var lookAlike = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ѕ': 's', 'ј': 'j', 'һ': 'h', 'ԁ': 'd', 'ո': 'n',
	'ο': 'o', 'α': 'a', 'ν': 'v', 'ι': 'i', '’': '\'', '‘': '\'', '“': '"', '”': '"', '–': '-', '—': '-',
}

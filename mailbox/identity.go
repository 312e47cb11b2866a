package mailbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// identity is the digest by which a mail is known again: in another folder,
// under another UID, after a change of UIDVALIDITY, fetched whole or by its
// parts. It covers what no server changes under way: Message-ID, Date, sender,
// subject and the first words of the readable text, with white space unified.
// This is version 1 of it, and the letter in front says so.
func identity(m *Message, date string) string {
	b := make([]byte, 0, 8192)
	for _, s := range []string{m.MessageID, date, strings.ToLower(m.From.Addr), m.Subject} {
		b = append(append(b, s...), 0)
	}
	b = append(appendLetters(b, cut(m.Text, 4096)), 0)
	sum := sha256.Sum256(b)
	return "a" + identityText.EncodeToString(sum[:12])
}

// TellApart gives a mail that has neither Message-ID nor Date an identity of its
// own: nothing in it tells it from the next one with the same words, as forms
// send them. A copy keeps its time of arrival (INTERNALDATE, RFC 9051 section
// 6.4.7) and its size.
func (m *Message) TellApart(arrived time.Time, size int64) {
	if m.MessageID == "" && m.Date.IsZero() {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", m.ID, arrived.Unix(), size))
		m.ID = hex.EncodeToString(sum[:])
	}
}

var identityText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// letters keeps letters and digits only, at most max bytes of text.
func letters(s string, max int) string {
	return string(appendLetters(nil, cut(s, max)))
}

// appendLetters adds a text's letters, in lower case, and digits to b.
func appendLetters(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := lower[s[i]]; c < utf8.RuneSelf {
			if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
				b = append(b, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b = utf8.AppendRune(b, unicode.ToLower(r))
		}
		i += n
	}
	return b
}

// fewestWords is how many words a mail must have to be told from others by
// them: many people write "I can't log in" in the very same words.
const fewestWords = 12

// Print is a fingerprint of a text's words: near-identical texts (other case,
// punctuation, numbers) have equal prints. It is 0 for a text too short to be
// taken for another's copy.
func Print(text string) uint64 {
	folded := Fold(cut(text, 4096))
	// FNV-1a of the words, each with a space behind it.
	const start, prime = 14695981039346656037, 1099511628211
	h, words, within := uint64(start), 0, false
	for i := 0; i < len(folded); {
		size, letter := 1, folded[i] >= 'a' && folded[i] <= 'z' || folded[i] == '\''
		if folded[i] >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(folded[i:])
			letter = unicode.IsLetter(r)
		}
		switch {
		case letter && !within:
			words++
		case !letter && within:
			h = (h ^ ' ') * prime
		}
		if within = letter; letter {
			for k := range size {
				h = (h ^ uint64(folded[i+k])) * prime
			}
		}
		i += size
	}
	if within {
		h = (h ^ ' ') * prime
	}
	switch {
	case words < fewestWords:
		return 0
	case h == 0:
		return 1
	}
	return h
}

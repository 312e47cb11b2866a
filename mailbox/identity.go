package mailbox

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"unicode"
	"unicode/utf8"
)

// identity is the digest by which a mail is known again: in another folder,
// under another UID, after a change of UIDVALIDITY, fetched whole or by its
// parts. It covers what no server changes under way: Message-ID, Date, sender,
// subject and the first words of the readable text, with white space unified.
// This is version 1 of it, and the letter in front says so.
func identity(m *Message, date string) string {
	h := sha256.New()
	for _, s := range []string{m.MessageID, date, strings.ToLower(m.From.Addr), m.Subject, letters(m.Text, 4096)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return "a" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:12]))
}

// letters keeps letters and digits only, at most max bytes of text.
func letters(s string, max int) string {
	s = cut(s, max)
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
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
	for i, r := range folded {
		size := utf8.RuneLen(r)
		if r >= utf8.RuneSelf && !unicode.IsLetter(r) || r < utf8.RuneSelf && (r < 'a' || r > 'z') && r != '\'' {
			if within {
				h = (h ^ ' ') * prime
			}
			within = false
			continue
		}
		if !within {
			within = true
			words++
		}
		for k := range size {
			h = (h ^ uint64(folded[i+k])) * prime
		}
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

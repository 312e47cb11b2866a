package mailbox

import (
	"crypto/sha256"
	"encoding/base32"
	"hash/fnv"
	"strings"
	"unicode"
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
	words := strings.FieldsFunc(Fold(cut(text, 4096)), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
	if len(words) < fewestWords {
		return 0
	}
	h := fnv.New64a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{' '})
	}
	if v := h.Sum64(); v != 0 {
		return v
	}
	return 1
}

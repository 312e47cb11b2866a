package classify

import (
	"slices"
	"strings"
	"unicode"
)

// phrase is words by which a team gives a mail to one of their categories.
type phrase struct {
	category string
	words    []string
}

// heard is a text as phrases are looked for in it: its words folded, the forms
// of "not" written in one way, and the place of each in the text. Where one
// sentence or line ends does not matter: mails are wrapped anywhere.
type heard struct {
	text     string
	words    []string
	from, to []int
}

func listen(text string) heard {
	s := heard{text: bound(text)}
	pos := 0
	for pos < len(s.text) {
		from := pos + len(s.text[pos:]) - len(strings.TrimLeftFunc(s.text[pos:], unicode.IsSpace))
		field := s.text[from:]
		if end := strings.IndexFunc(field, unicode.IsSpace); end >= 0 {
			field = field[:end]
		}
		field = field[:oneWord(field)]
		pos = from + len(field)
		s.words = unify(s.words, words(fold(field)))
		for len(s.from) < len(s.words) {
			s.from, s.to = append(s.from, from), append(s.to, pos)
		}
	}
	return s
}

// find returns the sender's words for the first place where a phrase stands.
func (s *heard) find(phrase []string) (quote string, ok bool) {
	for i := 0; i+len(phrase) <= len(s.words); i++ {
		if slices.Equal(s.words[i:i+len(phrase)], phrase) {
			quote = strings.Join(strings.Fields(s.text[s.from[i]:s.to[i+len(phrase)-1]]), " ")
			return strings.Trim(cutRunes(quote, maxPhrase), " .,;:!?\"()"), true
		}
	}
	return "", false
}

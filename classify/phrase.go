package classify

import (
	"slices"
	"strings"
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
	end := 0
	for field := range strings.FieldsSeq(s.text) {
		from := end + strings.Index(s.text[end:], field)
		for end = from + len(field); from < end; {
			to := from + oneWord(s.text[from:end])
			s.words = unify(s.words, words(fold(s.text[from:to])))
			for len(s.from) < len(s.words) {
				s.from, s.to = append(s.from, from), append(s.to, to)
			}
			from = to
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

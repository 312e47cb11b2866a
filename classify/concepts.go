package classify

import (
	"embed"
	"strings"
)

// Concepts are what support mail speaks of, whatever the words: to log in, not,
// a code, to arrive, a wish. The lexicon names the words for each in eight
// languages, so that what is learned of one language's mails holds for the
// others, and "cannot get past the front door" is near "login fails". The
// features of block 3 are the concepts of a text, and those that stand together
// in a clause: "not" with "login" is a complaint, "wish" with "login" a request.

//go:embed lexicon/*.txt
var lexiconFiles embed.FS

// concept is the number of a line of the lexicon.
type concept uint8

// Concepts that no word stands for.
const (
	asked  concept = iota + 1 // the clause ends in a question mark
	turned                    // the clause begins with "but"
	firstConcept

	maxConcepts = 64
)

// token is what the lexicon matches: a part of a word of the text.
type token struct {
	*part
	word int16
}

// tokensFrom are the tokens of words.
func tokensFrom(ws []word, list []token) []token {
	for i, w := range ws {
		for k := range w.parts {
			list = append(list, token{&w.parts[k], int16(i)})
		}
	}
	return list
}

// mention is a concept where it was found.
type mention struct {
	concept     concept
	first, last int16 // words
	clause      int16
}

// mentions finds the concepts of a text, the longest expression at each place.
func (x *lexicon) mentions(ws []word, ts []token, language string, list []mention) []mention {
	spoken := tongueOf(language) | tongueOf("en")
	for i := 0; i < len(ts); {
		n, from := 0, len(list)
		for _, x := range ts[i].begins {
			n, list = x.longest(ws, ts[i:], spoken, n, list, from)
		}
		if n == 0 {
			for _, x := range ts[i].meant {
				n, list = x.longest(ws, ts[i:], spoken, n, list, from)
			}
		}
		list = list[:min(len(list), from+3)]
		i += max(1, n)
	}
	return list
}

// longest adds to a list the mentions at the first token of ts that take as
// many tokens as those there are from a place on, n; where one takes more, it
// stands in their place.
func (x *entry) longest(ws []word, ts []token, spoken tongue, n int, list []mention, from int) (int, []mention) {
	first, next := ts[0].word, int32(0)
	if len(ts) > 1 {
		next = ts[1].number
	}
	if x.tongue&spoken == 0 || x.seconds&(1<<(next%64)) == 0 {
		return n, list
	}
	for i := range x.list {
		e := &x.list[i]
		if e.tongue&spoken == 0 || e.second != 0 && e.second != next {
			continue
		}
		m := matchTokens(e.rest, ts[1:])
		if m < 0 || m+1 < n || ws[first].clause != ws[ts[m].word].clause {
			continue
		}
		if m+1 > n {
			n, list = m+1, list[:from]
		}
		list = append(list, mention{e.concept, first, ts[m].word, ws[first].clause})
	}
	return n, list
}

// matchTokens returns how many tokens the rest of an expression takes, or -1.
func matchTokens(ps []pattern, ts []token) int {
	n := 0
	for k, p := range ps {
		if p.number == anyWords {
			for _, gap := range [...]int{1, 2, 0} {
				if n+gap > len(ts) {
					continue
				}
				if m := matchTokens(ps[k+1:], ts[n+gap:]); m >= 0 {
					return n + gap + m
				}
			}
			return -1
		}
		if n >= len(ts) || !p.matches(ts[n].part) {
			return -1
		}
		n++
	}
	return n
}

func (p pattern) matches(t *part) bool {
	if p.number != 0 {
		return p.number == t.number
	}
	return strings.HasPrefix(t.text, p.stem)
}

// together is how many mentions further another one of a clause may stand to be
// spoken of with it.
const together = 5

// conceptTerms are the features of mentions: each one, each two of a clause
// that are near, and each three that follow each other.
func conceptTerms(ms []mention, list []term) []term {
	for i, m := range ms {
		list = append(list, term{conceptHash(m.concept), blockConcepts, m.first, m.last})
		for j := i - 1; j >= i-together && beside(ms, j, i); j-- {
			list = append(list, term{clauseHash(ms[j].concept, m.concept), blockConcepts, ms[j].first, m.last})
		}
		if beside(ms, i-2, i) {
			list = append(list, term{threeHash(ms[i-2].concept, ms[i-1].concept, m.concept), blockConcepts, ms[i-2].first, m.last})
		}
	}
	return list
}

// beside tells whether there is a mention j, in the clause of i.
func beside(ms []mention, j, i int) bool { return j >= 0 && ms[j].clause == ms[i].clause }

func conceptHash(c concept) uint64 { return hashPair(hashStart, uint64(c)) | 1 }

// clauseHash is the term of two concepts of a clause, in either order.
func clauseHash(a, b concept) uint64 {
	return hashPair(uint64(min(a, b))<<8+1, uint64(max(a, b))) | 1
}

func threeHash(a, b, c concept) uint64 {
	return hashPair(hashPair(uint64(a)<<16+1, uint64(b)), uint64(c)) | 1
}

// withMarks is the mentions of a text, with what the signs and turns say of
// clauses, in the order of words and, for one word, of concepts.
func withMarks(ws []word, said, list []mention) []mention {
	k := 0
	for i, w := range ws {
		at := int16(i)
		if w.asks {
			list = append(list, mention{asked, at, at, w.clause})
		}
		if w.turns {
			list = append(list, mention{turned, at, at, w.clause})
		}
		for from := len(list); k < len(said) && said[k].first == at; k++ {
			list = append(list, said[k])
			for j := len(list) - 1; j > from && list[j].concept < list[j-1].concept; j-- {
				list[j], list[j-1] = list[j-1], list[j]
			}
		}
	}
	return list
}

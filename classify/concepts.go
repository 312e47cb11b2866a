package classify

import (
	"embed"
	"path"
	"slices"
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
)

// expression is words that stand for a concept.
type expression struct {
	words    []string
	concept  concept
	language string
}

// lexicon is the expressions by their first word, or by its stem.
type lexicon struct {
	names    []string
	exact    map[string][]expression
	stems    map[string][]expression
	shortest int                 // bytes of the shortest stem
	misspelt map[string][]string // a word less one letter: the words that may be meant
}

// shipped is the lexicon of this package; a fault in it is found by any test.
var shipped = func() *lexicon {
	x := &lexicon{exact: map[string][]expression{}, stems: map[string][]expression{}, misspelt: map[string][]string{}, shortest: maxToken}
	numbers := map[string]concept{}
	files, _ := lexiconFiles.ReadDir("lexicon")
	for _, f := range files {
		b, _ := lexiconFiles.ReadFile(path.Join("lexicon", f.Name()))
		for line := range strings.Lines(string(b)) {
			name, list, ok := strings.Cut(strings.TrimSpace(line), ":")
			if !ok || strings.HasPrefix(name, "#") {
				continue
			}
			if numbers[name] == 0 {
				numbers[name] = firstConcept + concept(len(numbers))
				x.names = append(x.names, name)
			}
			for words := range strings.SplitSeq(list, ",") {
				x.add(tokensOf(words), numbers[name], strings.TrimSuffix(f.Name(), ".txt"))
			}
		}
	}
	return x
}()

func (x *lexicon) add(words []string, c concept, language string) {
	if len(words) == 0 {
		return
	}
	e := expression{words, c, language}
	if stem, ok := strings.CutSuffix(words[0], "*"); ok {
		x.stems[stem] = append(x.stems[stem], e)
		x.shortest = min(x.shortest, len(stem))
	} else {
		x.exact[words[0]] = append(x.exact[words[0]], e)
	}
	if w := strings.TrimSuffix(words[0], "*"); len(words) == 1 && len(w) >= leastMisspelt {
		withoutOne(w, func(less string) {
			if list := x.misspelt[less]; !slices.Contains(list, words[0]) {
				x.misspelt[less] = append(list, words[0])
			}
		})
	}
}

// leastMisspelt is the length from which a word that the lexicon does not have
// may be one of it with a letter too many, too few, wrong or in the wrong place.
const leastMisspelt = 5

// withoutOne calls f with the word less each of its letters, and with itself.
func withoutOne(w string, f func(string)) {
	f(w)
	for i := range w {
		next := i + 1
		for next < len(w) && w[next]&0xc0 == 0x80 {
			next++
		}
		f(w[:i] + w[next:])
	}
}

// tokensOf are the tokens of an expression of the lexicon.
func tokensOf(s string) (list []string) {
	for w := range strings.FieldsSeq(strings.ToLower(s)) {
		list = append(list, w)
	}
	return list
}

// token is what the lexicon matches: a word, or a part of one ("ca", "n't").
type token struct {
	text string
	word int16
}

// tokensFrom are the tokens of words: what has an apostrophe is split.
func tokensFrom(ws []word, list []token) []token {
	for i, w := range ws {
		if strings.IndexByte(w.folded, '\'') < 0 {
			list = append(list, token{w.folded, int16(i)})
			continue
		}
		for _, part := range split(w.folded) {
			if part == "n't" {
				list = append(list, token{part, int16(i)})
				continue
			}
			for p := range strings.SplitSeq(part, "'") {
				if p == "ca" {
					p = "can"
				}
				if p != "" {
					list = append(list, token{p, int16(i)})
				}
			}
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
	for i := 0; i < len(ts); {
		n := 0
		from := len(list)
		take := func(es []expression) {
			for _, e := range es {
				if language != "" && e.language != language && e.language != "en" {
					continue
				}
				m := matchTokens(e.words[1:], ts[i+1:])
				if m < 0 || m+1 < n || ws[ts[i].word].clause != ws[ts[i+m].word].clause {
					continue
				}
				if m+1 > n {
					n, list = m+1, list[:from]
				}
				list = append(list, mention{e.concept, ts[i].word, ts[i+m].word, ws[ts[i].word].clause})
			}
		}
		x.expressions(ts[i].text, take)
		if n == 0 && len(ts[i].text) >= leastMisspelt {
			x.meant(ts[i].text, take)
		}
		list = list[:min(len(list), from+3)]
		i += max(1, n)
	}
	return list
}

// expressions calls f with those whose first word is w.
func (x *lexicon) expressions(w string, f func([]expression)) {
	if es := x.exact[w]; es != nil {
		f(es)
	}
	for n := len(w); n >= x.shortest; n-- {
		if es := x.stems[w[:n]]; es != nil {
			f(es)
		}
	}
}

// meant calls f with the expressions of words that differ from w by a letter.
func (x *lexicon) meant(w string, f func([]expression)) {
	found := false
	withoutOne(w, func(less string) {
		if found {
			return
		}
		for _, word := range x.misspelt[less] {
			found = true
			if stem, ok := strings.CutSuffix(word, "*"); ok {
				f(single(x.stems[stem]))
			} else {
				f(single(x.exact[word]))
			}
		}
	})
}

// single keeps the expressions of one word.
func single(es []expression) (list []expression) {
	for _, e := range es {
		if len(e.words) == 1 {
			list = append(list, e)
		}
	}
	return list
}

// matchTokens returns how many tokens the rest of an expression takes, or -1.
func matchTokens(words []string, ts []token) int {
	n := 0
	for k, w := range words {
		if w == "_" {
			for gap := 1; gap <= 2; gap++ {
				if n+gap <= len(ts) {
					if m := matchTokens(words[k+1:], ts[n+gap:]); m >= 0 {
						return n + gap + m
					}
				}
			}
			return matchTokens(words[k+1:], ts[n:])
		}
		if n >= len(ts) || !wordMatches(w, ts[n].text) {
			return -1
		}
		n++
	}
	return n
}

// together is how many mentions further another one of a clause may stand to be
// spoken of with it.
const together = 5

// conceptTerms are the features of mentions: each one, each two of a clause,
// and each three that follow each other.
func conceptTerms(ms []mention, list []term) []term {
	for i, m := range ms {
		one := hashPair(hashStart, uint64(m.concept))
		list = append(list, term{one | 1, blockConcepts, m.first, m.last})
		for j := i - 1; j >= 0 && j >= i-together && ms[j].clause == m.clause; j-- {
			a, b := uint64(ms[j].concept), uint64(m.concept)
			if a > b {
				a, b = b, a
			}
			list = append(list, term{hashPair(a<<8+1, b) | 1, blockConcepts, ms[j].first, m.last})
		}
		if i > 1 && ms[i-2].clause == m.clause {
			h := hashPair(hashPair(uint64(ms[i-2].concept)<<16+1, uint64(ms[i-1].concept)), uint64(m.concept))
			list = append(list, term{h | 1, blockConcepts, ms[i-2].first, m.last})
		}
	}
	return list
}

// withMarks adds to a text's mentions what its signs and turns say of clauses.
func withMarks(ws []word, ms []mention) []mention {
	for i, w := range ws {
		at := int16(i)
		if w.asks {
			ms = append(ms, mention{asked, at, at, w.clause})
		}
		if w.turns {
			ms = append(ms, mention{turned, at, at, w.clause})
		}
	}
	slices.SortStableFunc(ms, func(a, b mention) int {
		if a.first != b.first {
			return int(a.first) - int(b.first)
		}
		return int(a.concept) - int(b.concept)
	})
	return ms
}

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

	maxConcepts = 64
)

// expression is words that stand for a concept, without the first.
type expression struct {
	rest    []pattern
	second  int32 // the number of the first of them, 0 where it has none
	concept concept
	tongue  tongue
}

// pattern is one word of an expression: that of a number, one with a stem, or
// any words up to two.
type pattern struct {
	number int32
	stem   string
}

const anyWords = -1

// entry is the expressions of a first word or stem, and what none of them can
// be without.
type entry struct {
	list    []expression
	tongue  tongue // their languages
	seconds uint64 // a bit for each number that the second word must have; all where it need not
}

func (x *entry) add(e expression) {
	x.list, x.tongue = append(x.list, e), x.tongue|e.tongue
	if e.second == 0 {
		x.seconds = ^uint64(0)
	} else {
		x.seconds |= 1 << (e.second % 64)
	}
}

// lexicon is the expressions by their first word, or by its stem.
type lexicon struct {
	names    []string
	numbers  map[string]int32 // of the words that stand in an expression, from 1
	exact    map[string]*entry
	stems    map[string]*entry
	shortest int                 // bytes of the shortest stem
	misspelt map[string][]string // a word less one letter: the words that may be meant
	keys     [1 << 12]uint64     // a bit for each key of stems and misspelt: most words are none
}

// mayKnow tells whether w may be a key of stems or misspelt, by the hash of it.
func (x *lexicon) mayKnow(hash uint64) bool {
	return x.keys[hash>>52]&(1<<(hash>>46&63)) != 0
}

func (x *lexicon) note(key []byte) {
	hash := hashWord(key)
	x.keys[hash>>52] |= 1 << (hash >> 46 & 63)
}

// shipped is the lexicon of this package; a fault in it is found by any test.
var shipped = func() *lexicon {
	x := &lexicon{numbers: map[string]int32{}, exact: map[string]*entry{}, stems: map[string]*entry{}, misspelt: map[string][]string{}, shortest: maxToken}
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
				if x.names = append(x.names, name); numbers[name] >= maxConcepts {
					panic("classify: the lexicon has more concepts than fit")
				}
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
	e := expression{rest: make([]pattern, len(words)-1), concept: c, tongue: tongueOf(language)}
	for i, w := range words[1:] {
		e.rest[i] = x.pattern(w)
	}
	if len(e.rest) > 0 {
		e.second = max(0, e.rest[0].number)
	}
	under, first := x.exact, words[0]
	if stem, ok := strings.CutSuffix(first, "*"); ok {
		under, first = x.stems, stem
		x.shortest = min(x.shortest, len(stem))
		x.note([]byte(stem))
	}
	if under[first] == nil {
		under[first] = &entry{}
	}
	under[first].add(e)
	if w := strings.TrimSuffix(words[0], "*"); len(words) == 1 && len(w) >= leastMisspelt {
		withoutOne(w, func(less []byte) {
			if list := x.misspelt[string(less)]; !slices.Contains(list, words[0]) {
				x.misspelt[string(less)] = append(list, words[0])
				x.note(less)
			}
		})
	}
}

func (x *lexicon) pattern(w string) pattern {
	if w == "_" {
		return pattern{number: anyWords}
	}
	if stem, ok := strings.CutSuffix(w, "*"); ok {
		return pattern{stem: stem}
	}
	if x.numbers[w] == 0 {
		x.numbers[w] = int32(len(x.numbers) + 1)
	}
	return pattern{number: x.numbers[w]}
}

// leastMisspelt is the length from which a word that the lexicon does not have
// may be one of it with a letter too many, too few, wrong or in the wrong place.
const leastMisspelt = 5

// withoutOne calls f with the word, then with the word less each of its letters.
func withoutOne(w string, f func([]byte)) {
	less := append(make([]byte, 0, 2*maxToken), w...)
	f(less)
	for i := range w {
		next := i + 1
		for next < len(w) && w[next]&0xc0 == 0x80 {
			next++
		}
		f(append(append(less[:0], w[:i]...), w[next:]...))
	}
}

// tokensOf are the tokens of an expression of the lexicon.
func tokensOf(s string) (list []string) {
	for w := range strings.FieldsSeq(strings.ToLower(s)) {
		list = append(list, w)
	}
	return list
}

// part is a word, or a part of one ("ca", "n't"), as the lexicon knows it.
type part struct {
	text   string
	number int32    // in the lexicon, 0 if it is not there
	begins []*entry // those whose first word it is
	meant  []*entry // of one word, of which it may be a misspelling
}

// parts takes a word with an apostrophe apart.
func (x *lexicon) parts(w string, list []part) []part {
	if strings.IndexByte(w, '\'') < 0 {
		return append(list, x.part(w))
	}
	for _, piece := range split(w) {
		if piece == "n't" {
			list = append(list, x.part(piece))
			continue
		}
		for p := range strings.SplitSeq(piece, "'") {
			if p == "ca" {
				p = "can"
			}
			if p != "" {
				list = append(list, x.part(p))
			}
		}
	}
	return list
}

// part looks a part up.
func (x *lexicon) part(w string) part {
	p := part{text: w, number: x.numbers[w]}
	if es := x.exact[w]; es != nil {
		p.begins = append(p.begins, es)
	}
	var may [maxToken + 1]bool // by length: whether the stem is one
	h := uint64(hashStart)
	for i := range len(w) {
		h = (h ^ uint64(w[i])) * hashPrime
		may[i+1] = x.mayKnow(h)
	}
	for n := len(w); n >= x.shortest; n-- {
		if may[n] {
			if es := x.stems[w[:n]]; es != nil {
				p.begins = append(p.begins, es)
			}
		}
	}
	if len(w) >= leastMisspelt {
		p.meant = x.meant(w)
	}
	return p
}

// meant are the expressions of words that differ from w by a letter.
func (x *lexicon) meant(w string) (list []*entry) {
	found := false
	withoutOne(w, func(less []byte) {
		if found || !x.mayKnow(hashWord(less)) {
			return
		}
		for _, word := range x.misspelt[string(less)] {
			found = true
			if stem, ok := strings.CutSuffix(word, "*"); ok {
				list = append(list, x.stems[stem].single())
			} else {
				list = append(list, x.exact[word].single())
			}
		}
	})
	return list
}

// single keeps the expressions of one word.
func (x *entry) single() *entry {
	one := &entry{}
	for _, e := range x.list {
		if len(e.rest) == 0 {
			one.add(e)
		}
	}
	return one
}

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
			for gap := 1; gap <= 2; gap++ {
				if n+gap <= len(ts) {
					if m := matchTokens(ps[k+1:], ts[n+gap:]); m >= 0 {
						return n + gap + m
					}
				}
			}
			return matchTokens(ps[k+1:], ts[n:])
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

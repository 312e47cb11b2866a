package classify

import (
	"path"
	"slices"
	"strings"
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

package classify

import (
	"math"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Features are words and pairs of neighbours (block 0), the runs of 2 to 5
// letters inside words (block 1), which stand typos and inflections, and pairs
// of words that are near each other in any order (block 2), and concepts (block
// 3). A term is known by a 64-bit hash: nothing of the training texts can be read from a model.
const (
	blockWords = iota
	blockLetters
	blockNear
	blockConcepts // concepts of the lexicon, and those of one clause together
	blocks
)

// share is the length of each block's part of a vector. Letters count for more:
// with few texts a class they find what words miss.
var share = [blocks]float64{1, 1.4, 0.8, 0.7}

const (
	minRun, maxRunes = 2, 5
	nearWords        = 8
	maxWords         = 400 // of a text
)

// feature is one entry of a sparse vector.
type feature struct {
	id int32
	v  float32
}

// word is a word of a text: folded, and where the sender wrote it.
type word struct {
	folded   string
	from, to int
	clause   int16
	asks     bool // a question mark follows
	turns    bool // it turns the meaning, as "but" does
}

// term is one occurrence of a feature, and the words it is made of.
type term struct {
	hash        uint64
	block       uint8
	first, last int16
}

// splitWords cuts a text into folded words, each with its place in the text.
func splitWords(text string, list []word) []word {
	pos, clause := 0, int16(0)
	for pos < len(text) && len(list) < maxWords {
		start := pos
		for start < len(text) && asciiSpace(text[start]) {
			if text[start] == '\n' {
				clause++
			}
			start++
		}
		end := start
		for end < len(text) && !asciiSpace(text[end]) {
			end++
		}
		pos = end
		if start == end {
			continue
		}
		own := text[start:min(end, start+4*maxToken)]
		folded := own
		if !simple(own) {
			folded = foldWord(own)
		}
		for w := range strings.FieldsFuncSeq(folded, notInWord) {
			if w = strings.Trim(w, "'"); w == "" || len(list) == maxWords {
				continue
			}
			if len(w) > maxToken {
				w = strings.ToValidUTF8(w[:maxToken], "")
			}
			turns := mayTurn[w[0]]&(1<<(len(w)&31)) != 0 && turning[w]
			if turns {
				clause++
			}
			list = append(list, word{folded: w, from: start, to: end, clause: clause, turns: turns})
		}
		if last := text[end-1]; strings.IndexByte(".!?;:", last) >= 0 {
			clause++
			if n := len(list); n > 0 && last == '?' {
				list[n-1].asks = true
			}
		}
	}
	return list
}

func asciiSpace(c byte) bool { return c <= ' ' || c == 0x7f }

// simple tells that folding would change nothing.
func simple(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

func notInWord(r rune) bool {
	if r < utf8.RuneSelf {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '\''
	}
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r)
}

// FNV-1a, with a start of its own for each block.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func hashWord(s string) uint64 {
	h := uint64(hashStart)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * hashPrime
	}
	return h
}

// hashPair depends on the order of a and b.
func hashPair(a, b uint64) uint64 {
	h := (a ^ 0x9e3779b97f4a7c15) * hashPrime
	h ^= h >> 29
	return (h ^ b) * hashPrime
}

// terms are the features of words, with the runs of their letters where asked.
func terms(ws []word, runs bool, list []term) []term {
	var hashes [maxWords]uint64
	for i, w := range ws {
		hashes[i] = hashWord(w.folded)
		at := int16(i)
		list = append(list, term{hashes[i] | 1, blockWords, at, at})
		if i > 0 {
			list = append(list, term{hashPair(hashes[i-1], hashes[i]) | 1, blockWords, at - 1, at})
		}
		for j := max(0, i-nearWords); j < i; j++ {
			a, b := hashes[j], hashes[i]
			if a > b {
				a, b = b, a
			}
			list = append(list, term{hashPair(a+1, b) | 1, blockNear, int16(j), at})
		}
		if runs {
			list = letters(w.folded, at, list)
		}
	}
	return list
}

// letters appends the runs of letters of a word, whose ends are part of them.
func letters(w string, at int16, list []term) []term {
	var buf [maxToken + 8]byte
	n := 0
	buf[n] = ' '
	n += 1 + copy(buf[1:len(buf)-1], w)
	buf[n] = ' '
	n++
	for i := 0; i < n; i++ {
		if buf[i]&0xc0 == 0x80 {
			continue // inside a letter
		}
		h, runes := uint64(hashStart+2), 0
		for j := i; j < n && runes < maxRunes; {
			h = (h ^ uint64(buf[j])) * hashPrime
			j++
			for j < n && buf[j]&0xc0 == 0x80 {
				h = (h ^ uint64(buf[j])) * hashPrime
				j++
			}
			if runes++; runes >= minRun {
				list = append(list, term{h | 1, blockLetters, at, at})
			}
		}
	}
	return list
}

// vocabulary gives every known term a number and a weight.
type vocabulary struct {
	hashes  []uint64 // by number; the numbers of a block follow each other
	ends    [blocks]int32
	weights []float32 // how telling a term is; 0 for one that was never seen

	// Open addressing: the upper half of the hash, and number+1; 0 is free. Most
	// terms of a text are not known, and the half says so without another look.
	table []uint64
	pool  sync.Pool
}

func (v *vocabulary) index() {
	size := 16
	for size < 2*len(v.hashes) {
		size *= 2
	}
	v.table = make([]uint64, size)
	for i, h := range v.hashes {
		at := v.slot(h)
		for v.table[at] != 0 {
			at = (at + 1) & (size - 1)
		}
		v.table[at] = h>>32<<32 | uint64(i+1)
	}
}

// with is the same vocabulary with other weights.
func (v *vocabulary) with(weights []float32) *vocabulary {
	return &vocabulary{hashes: v.hashes, ends: v.ends, weights: weights, table: v.table}
}

func (v *vocabulary) slot(h uint64) int { return int((h ^ h>>31) & uint64(len(v.table)-1)) }

// find returns the number of a term, or -1.
func (v *vocabulary) find(h uint64) int32 {
	for at := v.slot(h); ; at = (at + 1) & (len(v.table) - 1) {
		e := v.table[at]
		if e == 0 {
			return -1
		}
		if n := uint32(e) - 1; e>>32 == h>>32 && v.hashes[n] == h {
			return int32(n)
		}
	}
}

// count is a term of a text and how often it occurs.
type count struct {
	id int32
	n  float32
}

// vector is the sublinear, weighted form of counts; each block has the length
// of its share.
func (v *vocabulary) vector(counts []count, weights []float32, out []feature) []feature {
	var sum [blocks]float64
	from := len(out)
	for _, c := range counts {
		w := weights[c.id]
		if w == 0 {
			continue
		}
		if c.n > 1 {
			w *= 1 + float32(math.Log(float64(c.n)))
		}
		sum[v.block(c.id)] += float64(w) * float64(w)
		out = append(out, feature{c.id, w})
	}
	var scale [blocks]float32
	for b := range sum {
		if sum[b] > 0 {
			scale[b] = float32(share[b] / math.Sqrt(sum[b]))
		}
	}
	for i := from; i < len(out); i++ {
		out[i].v *= scale[v.block(out[i].id)]
	}
	return out
}

func (v *vocabulary) block(id int32) int {
	for b, end := range v.ends {
		if id < end {
			return b
		}
	}
	return blocks - 1
}

// reading is one text taken apart, with the room to do so.
type reading struct {
	words        []word
	terms        []term
	tokens       []token
	said         []mention
	singles      []int32 // by word: its number; -1 for one that is not known
	spots        []spot  // of the known terms, in the order of the text
	counts       []count
	at           []int32 // by number: place in counts, plus 1
	vector       []feature
	scores, odds []float32
	known        float64   // share of the words that training had seen
	spoke        []float64 // by word: what it said for a class
	brought      []float64 // by count: what one occurrence said for it

	common [commonWords]runs // words met before
	run    []term            // room for the letters of one word

	language string
}

// spot is one occurrence of a known term: its words, and its place in counts.
type spot struct {
	first, last int16
	place       int32
}

// runs are the numbers of the known runs of letters in a word. They are two
// terms of three, and the same for a word that comes again, in this text or in
// the next.
type runs struct {
	word string
	ids  []int32
}

const commonWords = 1 << 11

// split takes a text apart into words and concepts.
func (r *reading) split(t Text) {
	r.words = splitWords(bound(joined(t)), r.words[:0])
	r.language = language(r.words)
	r.tokens = tokensFrom(r.words, r.tokens[:0])
	r.said = withMarks(r.words, shipped.mentions(r.words, r.tokens, r.language, r.said[:0]))
}

// take finds the terms of a text.
func (r *reading) take(t Text) {
	r.split(t)
	r.terms = conceptTerms(r.said, terms(r.words, true, r.terms[:0]))
}

// read takes a text apart and counts the terms that are known. Give the reading
// back with done.
func (v *vocabulary) read(t Text) *reading {
	r, _ := v.pool.Get().(*reading)
	if r == nil {
		r = &reading{at: make([]int32, len(v.hashes))}
	}
	r.split(t)
	r.terms = conceptTerms(r.said, terms(r.words, false, r.terms[:0]))
	r.singles, r.spots, r.counts = r.singles[:0], r.spots[:0], r.counts[:0]
	seen, k := 0, 0
	for i, w := range r.words {
		at := int16(i)
		for ; k < len(r.terms) && r.terms[k].block != blockConcepts && r.terms[k].last == at; k++ {
			t := r.terms[k]
			id := v.find(t.hash)
			if t.block == blockWords && t.first == t.last {
				r.singles = append(r.singles, id)
				if id >= 0 && v.weights[id] > 0 {
					seen++
				}
			}
			r.count(id, t.first, t.last)
		}
		for _, id := range r.runs(v, w.folded) {
			r.count(id, at, at)
		}
	}
	for _, t := range r.terms[k:] {
		r.count(v.find(t.hash), t.first, t.last)
	}
	r.known = float64(seen) / float64(max(1, len(r.words)))
	r.vector = v.vector(r.counts, v.weights, r.vector[:0])
	return r
}

// count counts one occurrence of a term.
func (r *reading) count(id int32, first, last int16) {
	if id < 0 {
		return
	}
	k := r.at[id]
	if k > 0 {
		r.counts[k-1].n++
	} else {
		r.counts = append(r.counts, count{id, 1})
		k = int32(len(r.counts))
		r.at[id] = k
	}
	r.spots = append(r.spots, spot{first, last, k - 1})
}

// runs returns the numbers of the known runs of letters in a word.
func (r *reading) runs(v *vocabulary, w string) []int32 {
	h := hashWord(w)
	c := &r.common[(h^h>>31)%commonWords]
	if c.word == w {
		return c.ids
	}
	c.word, c.ids = strings.Clone(w), c.ids[:0] // the mail itself is not kept
	r.run = letters(w, 0, r.run[:0])
	for _, t := range r.run {
		if id := v.find(t.hash); id >= 0 {
			c.ids = append(c.ids, id)
		}
	}
	return c.ids
}

func (v *vocabulary) done(r *reading) {
	for _, c := range r.counts {
		r.at[c.id] = 0
	}
	v.pool.Put(r)
}

// bound cuts a text to what is judged.
func bound(s string) string {
	if len(s) > maxJudged {
		s = s[:maxJudged]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, " ")
	}
	return s
}

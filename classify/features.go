package classify

import (
	"math"
	"strings"
	"sync"
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
	// maxWords is how many words of a text are judged as one: a page. No labelled
	// mail has 150. What is said after them, the sentences tell (letter.go).
	maxWords = 250
)

// feature is one entry of a sparse vector.
type feature struct {
	id int32
	v  float32
}

// term is one occurrence of a feature, and the words it is made of.
type term struct {
	hash        uint64
	block       uint8
	first, last int16
}

// FNV-1a, with a start of its own for each block.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func hashWord(w []byte) uint64 {
	h := uint64(hashStart)
	for _, c := range w {
		h = (h ^ uint64(c)) * hashPrime
	}
	return h
}

// hashPair depends on the order of a and b.
func hashPair(a, b uint64) uint64 {
	h := (a ^ 0x9e3779b97f4a7c15) * hashPrime
	h ^= h >> 29
	return (h ^ b) * hashPrime
}

// The terms of words with these hashes: one, two that follow each other, and two
// that are near each other in either order.
func wordHash(a uint64) uint64         { return a | 1 }
func neighbourHash(a, b uint64) uint64 { return hashPair(a, b) | 1 }
func nearHash(a, b uint64) uint64      { return hashPair(min(a, b)+1, max(a, b)) | 1 }

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

	// Open addressing: number+1; 0 is free. Most pairs of a text's words are not
	// known, and a bit for every term, eight times as many as there are, tells it
	// of nine in ten of them without leaving the cache.
	table  []uint32
	filter []uint64

	concepts [maxConcepts]int32               // by concept: its number, -1 for none
	together [maxConcepts * maxConcepts]int32 // and of two of a clause

	book wordbook
	pool sync.Pool
}

func (v *vocabulary) index() {
	size := 64
	for size < 2*len(v.hashes) {
		size *= 2
	}
	v.table, v.filter = make([]uint32, size), make([]uint64, size*4/64)
	for i, h := range v.hashes {
		at := v.slot(h)
		for v.table[at] != 0 {
			at = (at + 1) & (size - 1)
		}
		v.table[at] = uint32(i + 1)
		v.filter[h>>40&uint64(len(v.filter)-1)] |= 1 << (h >> 34 & 63)
	}
	v.book.vocab = v
	for a := range concept(maxConcepts) {
		v.concepts[a] = v.find(conceptHash(a))
		for b := range concept(maxConcepts) {
			v.together[int(a)*maxConcepts+int(b)] = v.find(clauseHash(a, b))
		}
	}
}

// with is the same vocabulary with other weights.
func (v *vocabulary) with(weights []float32) *vocabulary {
	n := &vocabulary{hashes: v.hashes, ends: v.ends, weights: weights, table: v.table, filter: v.filter, concepts: v.concepts, together: v.together}
	n.book.vocab = n
	return n
}

func (v *vocabulary) slot(h uint64) int { return int((h ^ h>>31) & uint64(len(v.table)-1)) }

// likely is 0 for a term that is not known, and 1 for one that may be.
func (v *vocabulary) likely(h uint64) uint64 {
	return v.filter[h>>40&uint64(len(v.filter)-1)] >> (h >> 34 & 63) & 1
}

// find returns the number of a term, or -1.
func (v *vocabulary) find(h uint64) int32 {
	if v.likely(h) == 0 {
		return -1
	}
	return v.number(h)
}

// number is find for a term that is likely.
func (v *vocabulary) number(h uint64) int32 {
	for at := v.slot(h); ; at = (at + 1) & (len(v.table) - 1) {
		n := v.table[at]
		if n == 0 {
			return -1
		}
		if v.hashes[n-1] == h {
			return int32(n - 1)
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
			w *= sublinear(c.n)
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

// sublinear is what n occurrences weigh.
func sublinear(n float32) float32 {
	if int(n) < len(logarithms) {
		return logarithms[int(n)]
	}
	return 1 + float32(math.Log(float64(n)))
}

var logarithms = func() (of [256]float32) {
	for n := range of {
		of[n] = 1 + float32(math.Log(float64(n)))
	}
	return of
}()

// block is that of a term: of the ends, those up to its number count one each.
// Blocks come in no order that a processor could foresee, so it does not branch.
func (v *vocabulary) block(id int32) int {
	return int(3 + (id-v.ends[0])>>31 + (id-v.ends[1])>>31 + (id-v.ends[2])>>31)
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

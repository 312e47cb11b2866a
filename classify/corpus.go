package classify

import (
	"math"
	"slices"
)

// corpus is the texts to learn from, taken apart once. Of a text only its terms
// are kept: its vector is made of them each time it is asked for, which takes a
// tenth of what is then done with it and a third of the room.
type corpus struct {
	vocab *vocabulary
	texts []bag
	ys    []int
}

// bag is the terms of a text, and how often each occurs in it.
type bag struct {
	ids   []int32
	times []uint16
	words []int32 // the numbers of its single words, -1 for one not kept
}

// leastTexts is in how many texts a term of a block must occur to be kept. Of a
// few texts, even a word that was seen once may be what tells classes apart; of
// very many, pairs of near words are the most terms and the least use.
func leastTexts(block, texts int) int32 {
	switch {
	case texts > 9000:
		return [blocks]int32{blockWords: 2, blockLetters: 3, blockNear: 4, blockConcepts: 2}[block]
	case texts > 3000 || block == blockNear:
		return 2
	}
	return 1
}

// newCorpus numbers the terms of texts in the order of their hashes, so that
// the same texts give the same model.
func newCorpus(texts []Text, ys []int) *corpus {
	type seen struct{ texts, last int32 }
	var all [blocks]map[uint64]seen
	for b := range all {
		all[b] = map[uint64]seen{}
	}
	var r reading
	for i, t := range texts {
		r.take(t)
		for _, t := range r.terms {
			if s := all[t.block][t.hash]; s.last != int32(i+1) {
				all[t.block][t.hash] = seen{s.texts + 1, int32(i + 1)}
			}
		}
	}
	v := &vocabulary{}
	for b := range all {
		from, least := len(v.hashes), leastTexts(b, len(texts))
		for h, s := range all[b] {
			if s.texts >= least {
				v.hashes = append(v.hashes, h)
			}
		}
		slices.Sort(v.hashes[from:])
		v.ends[b] = int32(len(v.hashes))
	}
	v.index()
	c := &corpus{vocab: v, ys: ys}
	v.weights = make([]float32, len(v.hashes))
	for _, t := range texts {
		r := v.read(t)
		b := bag{make([]int32, len(r.counts)), make([]uint16, len(r.counts)), make([]int32, len(r.words))}
		for k, n := range r.counts {
			b.ids[k], b.times[k] = n.id, uint16(n.n)
		}
		for k, w := range r.words {
			b.words[k] = w.id
		}
		c.texts = append(c.texts, b)
		v.done(r)
	}
	return c
}

// vectors gives the vectors of the texts by weights of weigh, each in the room
// of the one before. It is for one goroutine.
func (c *corpus) vectors(weights []float32) func(text int) []feature {
	var counts []count
	var x []feature
	return func(text int) []feature {
		b := &c.texts[text]
		counts = counts[:0]
		for k, id := range b.ids {
			counts = append(counts, count{id, float32(b.times[k])})
		}
		x = c.vocab.vector(counts, weights, x[:0])
		return x
	}
}

// known is the share of a text's words that have a weight; strange is that
// share if its class did not exist.
func (c *corpus) known(text int, weights []float32, sole []int32) (known, strange float64) {
	for _, id := range c.texts[text].words {
		if id < 0 || weights[id] == 0 {
			continue
		}
		known++
		if int(sole[id]) != c.ys[text] {
			strange++
		}
	}
	n := float64(max(1, len(c.texts[text].words)))
	return known / n, strange / n
}

// weigh finds how telling each term is from some of the texts: the logarithm
// of how few of the classes use it (inverse class frequency). With few texts a
// class it says more than how few texts do: 1 point of accuracy at 5 texts.
func (c *corpus) weigh(texts []int, classes int) (weights []float32, sole []int32) {
	uses := make([]int32, len(c.vocab.hashes))
	sole = make([]int32, len(c.vocab.hashes))
	last := make([]int32, len(c.vocab.hashes))
	order := slices.Clone(texts)
	slices.SortStableFunc(order, func(a, b int) int { return c.ys[a] - c.ys[b] })
	for _, i := range order {
		y := int32(c.ys[i] + 1)
		for _, id := range c.texts[i].ids {
			if last[id] != y {
				last[id] = y
				uses[id]++
				sole[id] = y - 1
			}
		}
	}
	weights = make([]float32, len(uses))
	for id, n := range uses {
		if n > 0 {
			weights[id] = float32(math.Log(float64(1+classes)/float64(1+n))) + 1
		}
		if n != 1 {
			sole[id] = -1
		}
	}
	return weights, sole
}

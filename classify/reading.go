package classify

import "math/bits"

// reading is one text taken apart, with the room to do so.
type reading struct {
	text   string
	words  []word
	kinds  []kind // the different words of the text
	latest [commonWords]int16
	tokens []token
	said   []mention
	marked []mention // said, with what the signs say
	terms  []term
	spots  []spot // of the known terms, in the order of the text
	counts []count
	at     []int32                   // by number: place in counts, plus 1
	places []int32                   // in counts, of the letters of the kinds
	met    [fewKinds][fewKinds]int32 // places of pairs of near kinds

	vector       []feature
	scores, odds []float32
	known        float64   // share of the words that training had seen
	spoke        []float64 // by word: what it said for a class
	brought      []float64 // by count: what one occurrence said for it

	language string
	book     *wordbook
}

// kind is one of the different words of a text.
type kind struct {
	*lemma
	n        int32 // how often it occurs
	from, to int32 // its letters in places; 0 before they are counted
}

// spot is one occurrence of a known term: its words, and its place in counts.
// The runs of letters have none: those of a word are the same wherever it stands.
type spot struct {
	first, last int16
	place       int32
}

// fewKinds is up to how many different words the places of a text's pairs are
// remembered.
const (
	fewKinds = 64
	unknown  = -1 // a place of a term that is not known
	unmet    = -2 // and of one that was not looked up yet
)

// split takes a text apart into words and concepts.
func (r *reading) split(t Text) {
	r.speak(t)
	r.tokens = tokensFrom(r.words, r.tokens[:0])
	r.said = shipped.mentions(r.words, r.tokens, r.language, r.said[:0])
	r.marked = withMarks(r.words, r.said, r.marked[:0])
}

// speak finds a text's words and their language.
func (r *reading) speak(t Text) {
	if r.book == nil {
		r.book = &wordbook{}
	}
	r.text = bound(joined(t))
	r.words = r.book.split(r.text, r.words[:0])
	r.sort()
	r.language = language(r.kinds, len(r.words))
}

// take finds the terms of a text, whether a vocabulary has them or not.
func (r *reading) take(t Text) {
	r.split(t)
	r.terms = r.terms[:0]
	for i, w := range r.words {
		at := int16(i)
		r.terms = append(r.terms, term{wordHash(w.hash), blockWords, at, at})
		if i > 0 {
			r.terms = append(r.terms, term{neighbourHash(r.words[i-1].hash, w.hash), blockWords, at - 1, at})
		}
		for j := max(0, i-nearWords); j < i; j++ {
			r.terms = append(r.terms, term{nearHash(r.words[j].hash, w.hash), blockNear, int16(j), at})
		}
		r.terms = letters(w.folded, at, r.terms)
	}
	r.terms = conceptTerms(r.marked, r.terms)
}

// read takes a text apart and counts the terms that are known. Give the reading
// back with done.
func (v *vocabulary) read(t Text) *reading {
	r := v.room()
	r.split(t)
	r.spots, r.counts, r.places = r.spots[:0], r.counts[:0], r.places[:0]
	seen := 0
	for i := range r.words {
		if id := r.words[i].id; id >= 0 && v.weights[id] > 0 {
			seen++
		}
		r.countWord(v, i)
	}
	r.countConcepts(v)
	r.known = float64(seen) / float64(max(1, len(r.words)))
	r.vector = v.vector(r.counts, v.weights, r.vector[:0])
	return r
}

// room is that of a text read before, or new. Give it back with done.
func (v *vocabulary) room() *reading {
	if r, ok := v.pool.Get().(*reading); ok {
		return r
	}
	return &reading{at: make([]int32, len(v.hashes)), book: &v.book}
}

// sort finds the different words of a text. Where two of them have the same
// place in the wordbook, one may be taken for several: that costs time only.
func (r *reading) sort() {
	r.kinds = r.kinds[:0]
	for i := range r.words {
		w := &r.words[i]
		last := &r.latest[place(w.hash)]
		if *last == 0 || r.kinds[*last-1].lemma != w.lemma {
			r.kinds = append(r.kinds, kind{lemma: w.lemma})
			*last = int16(len(r.kinds))
		}
		w.kind = *last - 1
		r.kinds[w.kind].n++
	}
	for _, k := range r.kinds {
		r.latest[place(k.hash)] = 0
	}
	if len(r.kinds) <= fewKinds {
		for a := range r.kinds {
			row := &r.met[a]
			for b := range row {
				row[b] = unmet
			}
		}
	}
}

// countWord counts the known terms whose last word is word i, but concepts.
func (r *reading) countWord(v *vocabulary, i int) {
	at := int16(i)
	r.count(r.words[i].id, at, at)
	r.countPairs(v, i)
	if k := &r.kinds[r.words[i].kind]; k.to == 0 {
		r.countLetters(k)
	}
	r.words[i].spots = int32(len(r.spots))
}

// countPairs counts the pairs whose second word is word i.
func (r *reading) countPairs(v *vocabulary, i int) {
	if i > 0 {
		r.count(v.find(neighbourHash(r.words[i-1].hash, r.words[i].hash)), int16(i-1), int16(i))
	}
	if len(r.kinds) <= fewKinds {
		r.countMet(v, i)
	} else {
		r.countNear(v, i)
	}
}

// countNear counts the near pairs of word i. Which of them may be known is
// asked for all at once, without branches, and only those are looked up.
func (r *reading) countNear(v *vocabulary, i int) {
	var hashes [nearWords]uint64
	likely, own, first := uint64(0), r.words[i].hash, max(0, i-nearWords)
	for k := range min(nearWords, i) {
		h := nearHash(r.words[first+k].hash, own)
		hashes[k%nearWords] = h
		likely |= v.likely(h) << k
	}
	for ; likely != 0; likely &= likely - 1 {
		k := bits.TrailingZeros64(likely) % nearWords
		r.count(v.number(hashes[k]), int16(first+k), int16(i))
	}
}

// countMet is countNear for a text of few different words, where most pairs
// come again: each is looked up once.
func (r *reading) countMet(v *vocabulary, i int) {
	own := &r.words[i]
	met, spots := &r.met[own.kind%fewKinds], r.spots
	for j := max(0, i-nearWords); j < i; j++ {
		other := &r.words[j]
		place := met[other.kind%fewKinds]
		if place == unmet {
			place = r.placeOf(v.find(nearHash(other.hash, own.hash)))
			met[other.kind%fewKinds], r.met[other.kind%fewKinds][own.kind%fewKinds] = place, place
		}
		if place >= 0 {
			r.counts[place].n++
			spots = append(spots, spot{int16(j), int16(i), place})
		}
	}
	r.spots = spots
}

// countConcepts counts the terms of conceptTerms.
func (r *reading) countConcepts(v *vocabulary) {
	for i, m := range r.marked {
		r.count(v.concepts[m.concept], m.first, m.last)
		for j := i - 1; j >= i-together && beside(r.marked, j, i); j-- {
			r.count(v.together[int(r.marked[j].concept)*maxConcepts+int(m.concept)], r.marked[j].first, m.last)
		}
		if beside(r.marked, i-2, i) {
			r.count(v.find(threeHash(r.marked[i-2].concept, r.marked[i-1].concept, m.concept)), r.marked[i-2].first, m.last)
		}
	}
}

// count counts one occurrence of a term.
func (r *reading) count(id int32, first, last int16) {
	if id >= 0 {
		place := r.placeOf(id)
		r.counts[place].n++
		r.spots = append(r.spots, spot{first, last, place})
	}
}

// countLetters counts the runs of letters of a word wherever it stands. They
// are two terms of three.
func (r *reading) countLetters(k *kind) {
	k.from = int32(len(r.places))
	for _, id := range k.letters {
		place := r.placeOf(id)
		r.counts[place].n += float32(k.n)
		r.places = append(r.places, place)
	}
	k.to = int32(len(r.places))
}

// placeOf is where a term is counted; unknown for none.
func (r *reading) placeOf(id int32) int32 {
	if id < 0 {
		return unknown
	}
	if at := r.at[id]; at > 0 {
		return at - 1
	}
	r.counts = append(r.counts, count{id: id})
	r.at[id] = int32(len(r.counts))
	return int32(len(r.counts)) - 1
}

// done gives a reading back; it keeps nothing of the mail.
func (v *vocabulary) done(r *reading) {
	for _, c := range r.counts {
		r.at[c.id] = 0
	}
	r.text, r.counts = "", r.counts[:0]
	v.pool.Put(r)
}

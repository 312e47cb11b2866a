package classify

import (
	"math"
	"strings"
)

// Bounds of evidence.
const (
	maxPhrase   = 80 // letters of a phrase
	maxEvidence = 3
)

// evidence is the runs of words that spoke most for a class. The weights
// of a feature sum to zero over the classes, so a positive one speaks for it.
func (m *Model) evidence(r *reading, class int) []Evidence {
	spoke := r.spoken(m.linear, class)
	total := 0.0
	for _, s := range spoke {
		total += max(0, s)
	}
	var list []Evidence
	for len(list) < maxEvidence && total > 0 {
		from, to, sum := heaviestRun(r.words, spoke, total)
		if sum < 0.1*total {
			break
		}
		phrase := strings.Join(strings.Fields(r.text[r.words[from].from:r.words[to-1].to]), " ")
		if phrase = strings.Trim(cutRunes(phrase, maxPhrase), " .,;:!?\"()"); phrase != "" {
			list = append(list, Evidence{phrase, math.Round(100*sum/total) / 100})
		}
		for i := from; i < to; i++ {
			spoke[i] = math.Inf(-1)
		}
	}
	return list
}

// heaviestRun is the run of one clause with the largest sum, where each word
// costs a little, so that a phrase stops before words that hardly speak.
func heaviestRun(ws []word, spoke []float64, total float64) (from, to int, sum float64) {
	price := 0.02 * total
	best, here, start := math.Inf(-1), 0.0, 0
	for i, s := range spoke {
		if here <= 0 || i-start >= 12 || ws[i].clause != ws[start].clause {
			here, start = 0, i
		}
		here += s - price
		if here > best {
			best, from, to = here, start, i+1
		}
	}
	return from, to, best + price*float64(to-from)
}

// spoken is what each word said for a class: of each term it is part of, an
// occurrence's part of the vector by the weight. Of a term of two words each
// said half.
func (r *reading) spoken(l *linear, class int) []float64 {
	brought := r.bring(l, class)
	r.spoke = append(r.spoke[:0], make([]float64, len(r.words))...)
	spoke, spots := r.spoke, r.spots
	from := int32(0)
	for i := range r.words {
		w := &r.words[i]
		sum := 0.0
		for _, s := range spots[from:w.spots] {
			if b := brought[s.place]; s.first == s.last {
				sum += b
			} else {
				sum += b / 2
				spoke[s.first] += b / 2
			}
		}
		from = w.spots
		k := &r.kinds[w.kind]
		for _, at := range r.places[k.from:k.to] {
			sum += brought[at]
		}
		spoke[i] = sum
	}
	for _, s := range spots[from:] {
		if b := brought[s.place]; s.first == s.last {
			spoke[s.first] += b
		} else {
			spoke[s.first] += b / 2
			spoke[s.last] += b / 2
		}
	}
	return spoke
}

// bring is what one occurrence of each counted term says for a class.
func (r *reading) bring(l *linear, class int) []float64 {
	r.brought = r.brought[:0]
	place := 0
	for _, c := range r.counts {
		w := 0.0
		if place < len(r.vector) && r.vector[place].id == c.id {
			w = float64(l.row(c.id)[class] * (r.vector[place].v / c.n))
			place++
		}
		r.brought = append(r.brought, w)
	}
	return r.brought
}

func cutRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

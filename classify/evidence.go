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
func (m *Model) evidence(text string, r *reading, class int) []Evidence {
	spoke := make([]float64, len(r.words))
	value := r.values()
	for k, t := range r.terms {
		id := r.ids[k]
		if id < 0 || value[k] == 0 {
			continue
		}
		w := float64(m.linear.row(id)[class] * value[k])
		if t.first == t.last {
			spoke[t.first] += w
		} else {
			spoke[t.first] += w / 2
			spoke[t.last] += w / 2
		}
	}
	total := 0.0
	for _, s := range spoke {
		total += max(0, s)
	}
	var list []Evidence
	for len(list) < maxEvidence && total > 0 {
		from, to, sum := heaviestRun(spoke, total)
		if sum < 0.1*total {
			break
		}
		phrase := strings.Join(strings.Fields(text[r.words[from].from:r.words[to-1].to]), " ")
		if phrase = strings.Trim(cutRunes(phrase, maxPhrase), " .,;:!?\"()"); phrase != "" {
			list = append(list, Evidence{phrase, math.Round(100*sum/total) / 100})
		}
		for i := from; i < to; i++ {
			spoke[i] = math.Inf(-1)
		}
	}
	return list
}

// heaviestRun is the run with the largest sum, where each word costs a little,
// so that a phrase stops before words that hardly speak.
func heaviestRun(spoke []float64, total float64) (from, to int, sum float64) {
	price := 0.02 * total
	best, here, start := math.Inf(-1), 0.0, 0
	for i, s := range spoke {
		if here <= 0 || i-start >= 12 {
			here, start = 0, i
		}
		here += s - price
		if here > best {
			best, from, to = here, start, i+1
		}
	}
	return from, to, best + price*float64(to-from)
}

// values is the part of the vector that each term's occurrence brought.
func (r *reading) values() []float32 {
	out := make([]float32, len(r.terms))
	place := 0
	byCount := make([]float32, len(r.counts))
	for k, c := range r.counts {
		if place < len(r.vector) && r.vector[place].id == c.id {
			byCount[k] = r.vector[place].v / c.n
			place++
		}
	}
	for k, id := range r.ids {
		if id >= 0 {
			out[k] = byCount[r.at[id]-1]
		}
	}
	return out
}

func cutRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

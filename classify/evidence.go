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

// evidence is what the sender wrote where the verdict was found: the clauses
// that the rules found it in, else the runs of words whose features weigh most.
func (m *Model) evidence(t Text, r *reading, said []finding, class int) []Evidence {
	if list := ruledEvidence(said, m.labels[class]); len(list) > 0 {
		return list
	}
	return m.heaviest(bound(joined(t)), r, class)
}

// heaviest returns the runs of words that spoke most for a class. The weights
// of a feature sum to zero over the classes, so a positive one speaks for it.
func (m *Model) heaviest(text string, r *reading, class int) []Evidence {
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

// ruledEvidence is the clauses in which the rules found a category.
func ruledEvidence(fs []finding, category string) []Evidence {
	var list []Evidence
	total := 0.0
	for _, f := range fs {
		if f.category == category {
			total += f.score
		}
	}
	seen := map[string]bool{}
	for _, f := range fs {
		if f.category != category || len(list) == maxEvidence {
			continue
		}
		phrase := quote(f)
		if seen[phrase] || phrase == "" {
			continue
		}
		seen[phrase] = true
		list = append(list, Evidence{Phrase: phrase, Weight: math.Round(100*f.score/total) / 100})
	}
	return list
}

// quote finds the deciding words in the sender's own spelling: the clause
// itself when it is short, else a window of it.
func quote(f finding) string {
	own := strings.Fields(f.clause.text)
	joined := strings.Join(own, " ")
	if len([]rune(joined)) <= maxPhrase {
		return strings.TrimRight(joined, " .,;:!?")
	}
	// Words were added and split on the way, so the place is scaled.
	scale := float64(len(own)) / math.Max(1, float64(len(f.clause.words)))
	from := max(0, int(float64(f.from)*scale)-2)
	to := min(len(own), int(float64(f.to)*scale)+3)
	for from < to {
		s := strings.Join(own[from:to], " ")
		if len([]rune(s)) <= maxPhrase {
			return strings.TrimRight(s, " .,;:!?")
		}
		to--
	}
	return ""
}

func cutRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

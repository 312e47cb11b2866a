package classify

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// feature is one entry of a sparse vector.
type feature struct {
	id int32
	v  float32
}

// terms are the features of a text: words and pairs of words (block 0), and
// the runs of 3 to 5 letters inside words (block 1), which stand typos and
// inflections. Each with how often it occurs.
func terms(text string, f func(block int, term string)) {
	folded := fold(text)
	var ws []string
	for w := range strings.FieldsFuncSeq(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' }) {
		if len(w) > maxToken {
			w = strings.ToValidUTF8(w[:maxToken], "")
		}
		ws = append(ws, w)
	}
	for i, w := range ws {
		f(0, w)
		if i > 0 {
			f(0, ws[i-1]+" "+w)
		}
		letters(" "+w+" ", f)
	}
}

// letters calls f with the runs of 3 to 5 letters of a word.
func letters(w string, f func(block int, term string)) {
	var at [maxToken + 8]int
	n := 0
	for i := range w {
		if n == len(at)-1 {
			break
		}
		at[n] = i
		n++
	}
	at[n] = len(w)
	for size := 3; size <= 5; size++ {
		for i := 0; i+size <= n; i++ {
			f(1, w[at[i]:at[i+size]])
		}
	}
}

// vocabulary gives every term of the training texts a number and a weight
// (inverse document frequency).
type vocabulary struct {
	ids [2]map[string]int32
	idf []float32
}

// newVocabulary counts the terms of texts. Terms seen once are kept for words
// of few texts, where they are what tells classes apart.
func newVocabulary(texts []string) *vocabulary {
	df := [2]map[string]int{{}, {}}
	for _, t := range texts {
		seen := map[string]bool{}
		terms(t, func(b int, term string) {
			key := string(rune('0'+b)) + term
			if !seen[key] {
				seen[key] = true
				df[b][term]++
			}
		})
	}
	v := &vocabulary{ids: [2]map[string]int32{{}, {}}}
	least := 1
	if len(texts) > 3000 {
		least = 2
	}
	for b := range df {
		names := make([]string, 0, len(df[b]))
		for term, n := range df[b] {
			if n >= least {
				names = append(names, term)
			}
		}
		slices.Sort(names) // the same texts give the same model
		for _, term := range names {
			v.ids[b][strings.Clone(term)] = int32(len(v.idf))
			v.idf = append(v.idf, float32(math.Log(float64(1+len(texts))/float64(1+df[b][term]))+1))
		}
	}
	return v
}

// vector is a text's sublinear TF-IDF, each block of unit length.
func (v *vocabulary) vector(text string) []feature {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, " ")
	}
	var tf [2]map[int32]float32
	tf[0], tf[1] = map[int32]float32{}, map[int32]float32{}
	terms(text, func(b int, term string) {
		if id, ok := v.ids[b][term]; ok {
			tf[b][id]++
		}
	})
	var out []feature
	for b := range tf {
		start := len(out)
		var norm float64
		for id, n := range tf[b] {
			w := (1 + float32(math.Log(float64(n)))) * v.idf[id]
			norm += float64(w) * float64(w)
			out = append(out, feature{id, w})
		}
		if norm > 0 {
			scale := float32(1 / math.Sqrt(norm))
			for i := start; i < len(out); i++ {
				out[i].v *= scale
			}
		}
	}
	slices.SortFunc(out, func(a, b feature) int { return int(a.id - b.id) })
	return out
}

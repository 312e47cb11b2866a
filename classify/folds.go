package classify

import (
	"math/rand/v2"
	"strings"
	"unicode"
)

// assign deals the texts of each class to the folds; texts that are alike but
// for a few letters go to the same one, or a model would be asked what it was
// told. Where all of a class are alike they are dealt out all the same, or no
// model would know of the class that it is asked for.
func assign(examples []Example, ys []int, classes int, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 7))
	fold := make([]int, len(ys))
	next := make([]int, classes)
	for c := range next {
		next[c] = c
	}
	keys, first, varied := make([]string, len(ys)), make([]string, classes), make([]bool, classes)
	for i, y := range ys {
		keys[i] = fingerprint(examples[i])
		if first[y] == "" {
			first[y] = keys[i]
		}
		varied[y] = varied[y] || keys[i] != first[y]
	}
	twin := map[string]int{}
	for _, i := range rng.Perm(len(ys)) {
		y := ys[i]
		if f, ok := twin[keys[i]]; ok && varied[y] {
			fold[i] = f
			continue
		}
		fold[i] = next[y] % folds
		next[y]++
		twin[keys[i]] = fold[i]
	}
	return fold
}

// fingerprint is the letters a text begins with, without spaces and signs.
func fingerprint(e Example) string {
	s := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, bound(e.Subject+e.Text))
	return s[:min(len(s), 60)]
}

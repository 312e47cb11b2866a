package classify

import (
	"math/rand/v2"
	"os"
	"testing"
)

// TestFewShotStudy measures what a model of 5, 10 and 20 texts a class knows,
// the mean of three draws: CLASSIFY_FEW and CLASSIFY_DEV are JSONL files.
func TestFewShotStudy(t *testing.T) {
	if os.Getenv("CLASSIFY_FEW") == "" {
		t.Skip("a study: set CLASSIFY_FEW and CLASSIFY_DEV to labelled JSONL files")
	}
	all, dev := readJSONL(t, os.Getenv("CLASSIFY_FEW")), examplesOf(readJSONL(t, os.Getenv("CLASSIFY_DEV")))
	for _, n := range []int{5, 10, 20} {
		var accuracy, ece float64
		const draws = 3
		for seed := range uint64(draws) {
			count := map[string]int{}
			var ex []Example
			for _, i := range rand.New(rand.NewPCG(seed, 1)).Perm(len(all)) {
				if l := all[i]; count[l.Category] < n {
					count[l.Category]++
					ex = append(ex, l.Example)
				}
			}
			m, _, err := Train(t.Context(), ex, TrainOptions{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := Evaluate(m, dev)
			accuracy, ece = accuracy+r.Accuracy/draws, ece+r.ECE/draws
		}
		t.Logf("%d texts a class: accuracy %.2f %%, calibration error %.3f", n, 100*accuracy, ece)
	}
}

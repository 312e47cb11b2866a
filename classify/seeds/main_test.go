package main

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"tocsin/classify"
)

func TestTheBuiltInModelIsMadeOfTheseSeeds(t *testing.T) {
	examples, err := read(".")
	if err != nil {
		t.Fatal(err)
	}
	if !classify.Default().TrainedOn(examples) {
		t.Error("seeds or lexicon changed since the model was made: run go generate ./classify")
	}
	if classify.Default().TrainedOn(examples[1:]) {
		t.Error("a model made of other examples passes for one made of these")
	}
}

// A model that has learned a held-out mail, or one much like it, would be
// measured on what it was told. Of fewer than five words any two people write
// the same ("Payment failed"). The held-out mail is not shown: whoever mends
// seeds should not have read it.
func TestNoSeedIsAHeldOutMail(t *testing.T) {
	held, err := read(filepath.Join("..", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	seeds, err := read(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(held) < 1000 || len(seeds) < 1000 {
		t.Fatalf("%d held-out mails, %d seeds", len(held), len(seeds))
	}
	texts := make([]map[string]bool, len(held))
	with := map[string][]int{}
	for i, e := range held {
		texts[i] = triples(e)
		for s := range texts[i] {
			with[s] = append(with[s], i)
		}
	}
	for _, e := range seeds {
		own, common := triples(e), map[int]int{}
		for s := range own {
			for _, i := range with[s] {
				common[i]++
			}
		}
		for i, n := range common {
			if all := len(own) + len(texts[i]) - n; 2*n > all && len(own) > 2 {
				t.Errorf("much like a held-out mail: %q %q", e.Subject, e.Text)
			}
		}
	}
}

// triples are the runs of three words of a mail; all of it, if it has fewer.
func triples(e classify.Example) map[string]bool {
	words := strings.FieldsFunc(strings.ToLower(e.Subject+" "+e.Text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	set := map[string]bool{}
	for i := range max(1, len(words)-2) {
		set[strings.Join(words[i:min(i+3, len(words))], " ")] = true
	}
	return set
}

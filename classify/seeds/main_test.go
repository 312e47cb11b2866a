package main

import (
	"testing"

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

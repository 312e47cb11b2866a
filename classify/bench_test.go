package classify

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkClassifyLong judges a mail of 8 KB.
func BenchmarkClassifyLong(b *testing.B) {
	text := strings.Repeat("Dear support team, we have been using your product for two years and were always happy with it, but today the export of the quarterly report does not work: it ends with an error after some minutes.\n", 40)
	for b.Loop() {
		Default().Classify(Text{Subject: "Export of the report", Body: text})
	}
}

// BenchmarkClassifyFilled judges mails of 4 KB on average, made of few words in
// any order, as the first sync of a large mailbox is measured with.
func BenchmarkClassifyFilled(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("I cannot log in since this morning the page says my password is wrong and the reset link does not come please help we need the invoice for the month and the export is slow again thank you")
	texts := make([]Text, 200)
	for i := range texts {
		var body strings.Builder
		for size := 1000 + rng.IntN(6000); body.Len() < size; {
			body.WriteString(words[rng.IntN(len(words))])
			if rng.IntN(12) == 0 {
				body.WriteByte('\n')
			} else {
				body.WriteByte(' ')
			}
		}
		texts[i] = Text{Subject: fmt.Sprintf("Cannot log in %d", i), Body: body.String()}
	}
	for i := 0; b.Loop(); i++ {
		Default().Classify(texts[i%len(texts)])
	}
}

// BenchmarkClassifyHeldOut judges mails as people write them, one after the other.
func BenchmarkClassifyHeldOut(b *testing.B) {
	texts := readJSONL(b, "testdata/heldout.jsonl")
	for i := 0; b.Loop(); i++ {
		Default().Classify(texts[i%len(texts)].text())
	}
}

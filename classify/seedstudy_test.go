package classify

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSeedStudy prints which seeds a model of the others sorts wrongly.
func TestSeedStudy(t *testing.T) {
	if os.Getenv("CLASSIFY_SEEDS") == "" {
		t.Skip("a study: set CLASSIFY_SEEDS")
	}
	files, _ := filepath.Glob("seeds/*.jsonl")
	var list []labelled
	for _, f := range files {
		list = append(list, readJSONL(t, f)...)
	}
	ex := examplesOf(list)
	labels, ys, _ := prepare(ex)
	tr := &training{opt: TrainOptions{Seed: 1}, labels: labels, ys: ys, examples: ex}
	m, r, err := tr.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var c tally
	for i, l := range list {
		v := Verdict{Category: labels[tr.taken[i]], Confidence: m.calib.of(tr.judged[i].signs)}
		v.Complaint = m.complaint(v.Category)
		good := v.Category == l.Category
		c.count(m, l, v, good)
		if !good && os.Getenv("CLASSIFY_SHOW") != "" {
			t.Logf("%s -> %s %.2f %v | %s | %s", l.Category, v.Category, v.Confidence, l.Tags, l.Subject, l.Text)
		}
	}
	t.Logf("%v\n%v", &c, r)
}

package classify

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// readJSONL reads labelled texts of a study.
func readJSONL(t testing.TB, path string) (ex []Example, tags []string, ok [][]string) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var l struct {
			Text, Subject, Category, Gold string
			Tags, OK                      []string
		}
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.Category == "" {
			l.Category = l.Gold
		}
		ex = append(ex, Example{Subject: l.Subject, Text: l.Text, Category: l.Category})
		tags = append(tags, strings.Join(l.Tags, ","))
		ok = append(ok, l.OK)
	}
	return ex, tags, ok
}

// TestStudy prints how well labelled texts are sorted. CLASSIFY_ZERO names a
// file for the built-in model, CLASSIFY_TRAIN and CLASSIFY_DEV a pair to train
// and measure on.
func TestStudy(t *testing.T) {
	zero, train, dev := os.Getenv("CLASSIFY_ZERO"), os.Getenv("CLASSIFY_TRAIN"), os.Getenv("CLASSIFY_DEV")
	if zero == "" && train == "" {
		t.Skip("a study: set CLASSIFY_ZERO, or CLASSIFY_TRAIN and CLASSIFY_DEV, to labelled JSONL files")
	}
	if zero != "" {
		ex, tags, oks := readJSONL(t, zero)
		right := 0
		for i, e := range ex {
			v := Default().Classify(Text{Subject: e.Subject, Body: e.Text})
			good := v.Category == e.Category
			for _, o := range oks[i] {
				good = good || v.Category == o
			}
			if good {
				right++
			} else if os.Getenv("CLASSIFY_SHOW") != "" {
				t.Logf("%s -> %s %.2f [%s] %q %q", e.Category, v.Category, v.Confidence, tags[i], e.Subject, e.Text)
			}
		}
		t.Logf("built-in: %d of %d, %.1f %%", right, len(ex), 100*float64(right)/float64(len(ex)))
	}
	if train != "" {
		ex, _, _ := readJSONL(t, train)
		m, r, err := Train(t.Context(), ex, TrainOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("cross-validation: accuracy %.2f, calibration error %.3f", 100*r.Accuracy, r.ECE)
		held, _, _ := readJSONL(t, dev)
		r = Evaluate(m, held)
		t.Logf("held back: accuracy %.2f, macro-F1 %.2f, calibration error %.3f", 100*r.Accuracy, 100*r.MacroF1, r.ECE)
	}
}

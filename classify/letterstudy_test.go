package classify

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLetterStudy prints how seeds are judged that stand in small talk, each by
// a model that has not seen it: what a bare seed is taken for, and the same one
// in a long letter.
func TestLetterStudy(t *testing.T) {
	if os.Getenv("CLASSIFY_LETTERS") == "" {
		t.Skip("a study: set CLASSIFY_LETTERS")
	}
	files, _ := filepath.Glob("seeds/*.jsonl")
	var list []labelled
	for _, f := range files {
		list = append(list, readJSONL(t, f)...)
	}
	ex := examplesOf(list)
	labels, ys, _ := prepare(ex)
	tr := &training{opt: TrainOptions{Seed: 1}, labels: labels, ys: ys, examples: ex}
	var texts []Text
	for _, e := range ex {
		texts = append(texts, e.text())
	}
	tr.corpus = newCorpus(texts, tr.ys)
	tr.fold = assign(ex, ys, len(labels), 1)
	w := newLetterWriter(t, "")
	counts := map[string]*letterCount{}
	note := func(of string, l labelled, m *Model, text Text) {
		if counts[of] == nil {
			counts[of] = &letterCount{}
		}
		counts[of].add(m, l, text)
	}
	for fold := range 2 {
		m := &Model{name: "fold", labels: labels, taxonomy: taxonomyOf(labels), calib: Default().calib}
		m.settled()
		tr.fitModelWithout(t, m, fold)
		for i, l := range list {
			n := len(strings.Fields(l.Text))
			language := languageOf(l.Text)
			if tr.fold[i] != fold || n < 4 || n > 60 || w.talk[language] == nil {
				continue
			}
			hard := "usual "
			if slices.ContainsFunc(l.Tags, func(s string) bool { return s != "short" && s != "long" && s != "greeting" }) {
				hard = "hard "
			}
			note(hard+"bare", l, m, l.text())
			text := Text{Subject: l.Subject, Body: w.around(l.Text, language, 60+w.rng.IntN(340))}
			note(hard+"in a letter", l, m, text)
			v := m.Classify(text)
			if m.pages(v) {
				note(hard+"in a letter, pages", l, m, text)
			} else {
				note(hard+"in a letter, quiet", l, m, text)
			}
		}
	}
	for of, c := range counts {
		t.Logf("%-20s %v", of, c)
	}
}

// fitModelWithout trains a model without one fold.
func (t *training) fitModelWithout(tb testing.TB, m *Model, fold int) {
	room := make([]float32, (len(t.corpus.vocab.hashes)+1)*len(t.labels))
	m.vocab, m.linear, _ = t.fit(tb.Context(), fold, room)
	m.linear.quantise()
}

type letterCount struct {
	tally
	bins [10][3]float64
}

func (c *letterCount) add(m *Model, l labelled, text Text) {
	v := m.Classify(text)
	good := v.Category == l.Category
	c.count(m, l, v, good)
	b := &c.bins[min(9, int(v.Confidence*10))]
	b[0]++
	b[1] += float64(count01(good))
	b[2] += v.Confidence
}

func (c *letterCount) String() string {
	ece := 0.0
	for _, b := range c.bins {
		ece += math.Abs(b[1]-b[2]) / float64(c.texts)
	}
	percent := func(a, b int) float64 { return 100 * float64(a) / float64(max(1, b)) }
	return fmt.Sprintf("%d texts, accuracy %.1f %%; access recall %.1f %%, precision %.1f %%; false pages %.1f %% of %d; calibration error %.3f", c.texts, percent(c.right, c.texts),
		percent(c.accessHit, c.accessIs), percent(c.sayRight, c.accessSay), percent(c.falsePages, c.quiet), c.quiet, ece)
}

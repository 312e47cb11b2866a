package classify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Example is a text with the category a person gave it.
type Example struct {
	Subject, Text, Category string
	Weight                  float64 // 0 means 1
}

// TrainOptions of Train.
type TrainOptions struct {
	Seed     uint64
	Progress func(done, total int) // may be nil; called from several goroutines
	Name     string                // default "trained"
}

// folds of the cross-validation by which confidence is calibrated and quality
// reported.
const folds = 5

// svmCost is C of the SVM: 1, as the usual default on TF-IDF.
const svmCost = 1.0

// Train makes a model from labelled texts of any taxonomy. The same examples
// and seed give the same model. The report is of cross-validation: every text
// was judged by a model that had not seen it.
func Train(ctx context.Context, examples []Example, opt TrainOptions) (*Model, *Report, error) {
	labels, ys, texts, err := prepare(examples)
	if err != nil {
		return nil, nil, err
	}
	if opt.Name == "" {
		opt.Name = "trained"
	}
	done, total := make(chan struct{}, 64), len(labels)*(folds+1)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		n := 0
		for range done {
			n++
			if opt.Progress != nil {
				opt.Progress(n, total)
			}
		}
	}()
	m, report, err := train(ctx, texts, ys, labels, opt, func() { done <- struct{}{} })
	close(done)
	<-finished
	return m, report, err
}

// prepare checks what cannot be learned from.
func prepare(examples []Example) (labels []string, ys []int, texts []string, err error) {
	if len(examples) == 0 {
		return nil, nil, nil, fmt.Errorf("there is nothing to train on: no labelled text was read")
	}
	count := map[string]int{}
	for i, e := range examples {
		t := strings.TrimSpace(joined(Text{Subject: e.Subject, Body: e.Text}))
		if t == "" {
			return nil, nil, nil, fmt.Errorf("text %d is empty", i+1)
		}
		if strings.TrimSpace(e.Category) == "" {
			return nil, nil, nil, fmt.Errorf("text %d has no category", i+1)
		}
		count[e.Category]++
		texts = append(texts, t)
	}
	var thin []string
	for c, n := range count {
		labels = append(labels, c)
		if n < 2 {
			thin = append(thin, c)
		}
	}
	slices.Sort(labels)
	slices.Sort(thin)
	if len(labels) < 2 {
		return nil, nil, nil, fmt.Errorf("all texts are of one category, %q: there is nothing to tell apart", labels[0])
	}
	if len(thin) > 0 {
		return nil, nil, nil, fmt.Errorf("a category needs at least 2 texts, better 20; too few of: %s", strings.Join(thin, ", "))
	}
	at := map[string]int{}
	for i, l := range labels {
		at[l] = i
	}
	for _, e := range examples {
		ys = append(ys, at[e.Category])
	}
	return labels, ys, texts, nil
}

func train(ctx context.Context, texts []string, ys []int, labels []string, opt TrainOptions, step func()) (*Model, *Report, error) {
	fold := assign(ys, len(labels), opt.Seed)
	guesses := make([]int, len(texts))
	tops, seconds := make([]float64, len(texts)), make([]float64, len(texts))
	right := make([]bool, len(texts))
	for k := range folds {
		var trainX []string
		var trainY []int
		for i, t := range texts {
			if fold[i] != k {
				trainX, trainY = append(trainX, t), append(trainY, ys[i])
			}
		}
		v := newVocabulary(trainX)
		l := trainSVM(ctx, vectors(v, trainX), trainY, nil, len(v.idf), len(labels), svmCost, opt.Seed, step)
		for i, t := range texts {
			if fold[i] == k {
				guesses[i], tops[i], seconds[i] = topTwo(l.margins(v.vector(t)))
				right[i] = guesses[i] == ys[i]
			}
		}
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
	m := &Model{name: opt.Name, labels: labels, taxonomy: taxonomyOf(labels), calib: fitCalibration(tops, seconds, right)}
	m.vocab = newVocabulary(texts)
	m.linear = trainSVM(ctx, vectors(m.vocab, texts), ys, nil, len(m.vocab.idf), len(labels), svmCost, opt.Seed, step)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	r := newReport(labels)
	for i := range texts {
		r.add(texts[i], labels[ys[i]], labels[guesses[i]], m.calib.probability(tops[i], seconds[i]))
	}
	r.finish(fmt.Sprintf("each text judged by a model that had not seen it (%d-fold cross-validation)", folds))
	return m, r, nil
}

// assign deals the texts of each class to the folds.
func assign(ys []int, classes int, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 7))
	fold := make([]int, len(ys))
	next := make([]int, classes)
	for c := range next {
		next[c] = c
	}
	for _, i := range rng.Perm(len(ys)) {
		fold[i] = next[ys[i]] % folds
		next[ys[i]]++
	}
	return fold
}

func vectors(v *vocabulary, texts []string) [][]feature {
	xs := make([][]feature, len(texts))
	for i, t := range texts {
		xs[i] = v.vector(t)
	}
	return xs
}

// taxonomyOf gives a team's labels the standing of the shipped categories of
// the same name; others page.
func taxonomyOf(labels []string) Taxonomy {
	shipped := DefaultTaxonomy()
	var t Taxonomy
	for _, l := range labels {
		c, ok := shipped.Find(l)
		if !ok {
			c = Category{Name: l, Title: l, Rings: RingsPage}
		}
		t = append(t, c)
	}
	if _, ok := t.Find(Other); !ok {
		c, _ := shipped.Find(Other)
		t = append(t, c)
	}
	return t
}

package classify

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const (
	// lesson is the cost of a corrected text against the penalty that draws to
	// the model before it: a correction outweighs the texts it was trained on.
	lesson = 40
	// unheard is the score of a class that the model before did not have.
	unheard = -4
	// leastProof is from how many corrections on they are tried on each other.
	leastProof = 5
)

// Learn returns a model that has also learned how people sorted these texts. It
// starts from the model before and moves its weights as far as the corrections
// need, so that mails like a corrected one are sorted like it and others stay.
//
// With five corrections or more each is first judged by a model that learned
// only the others: if fewer are right so than without learning, people
// contradict each other, and an error says so. The report is of that trial,
// with fewer corrections of the corrections themselves. Those to a category that
// the taxonomy no longer has teach nothing.
func (m *Model) Learn(ctx context.Context, corrections []Example) (*Model, *Report, error) {
	corrections = slices.DeleteFunc(slices.Clone(corrections), func(e Example) bool {
		return strings.TrimSpace(e.Subject) == "" && strings.TrimSpace(e.Text) == "" || !m.mayName(e.Category)
	})
	if len(corrections) == 0 {
		n := *m
		return &n, &Report{}, nil
	}
	report, err := m.prove(ctx, corrections)
	if err != nil {
		return nil, nil, err
	}
	n := m.taught(ctx, corrections)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	n.name = fmt.Sprintf("%s, %d corrections", strings.Split(m.name, ",")[0], len(corrections))
	if report == nil {
		report = Evaluate(n, corrections)
	}
	return n, report, nil
}

// mayName tells whether a verdict may name a category, or what it counts as.
func (m *Model) mayName(category string) bool {
	v := Verdict{Category: category}
	m.rename(&v)
	_, ok := m.taxonomy.Find(v.Category)
	return ok
}

// prove judges each correction by a model that learned the others; nil where
// there are too few.
func (m *Model) prove(ctx context.Context, corrections []Example) (*Report, error) {
	if len(corrections) < leastProof {
		return nil, nil
	}
	before, r := Evaluate(m, corrections), newReport(nil)
	for fold := range folds {
		var taught, held []Example
		for i, e := range corrections {
			if i%folds == fold {
				held = append(held, e)
			} else {
				taught = append(taught, e)
			}
		}
		n := m.taught(ctx, taught)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, e := range held {
			v := n.Classify(e.text())
			r.add(joined(e.text()), e.Category, v.Category, v.Confidence)
		}
	}
	r.finish("corrections, each judged by a model that learned the others")
	if r.right < before.right {
		return nil, fmt.Errorf("learning the %d corrections would make it worse: of those held back %d were right, %d without learning", len(corrections), r.right, before.right)
	}
	return r, nil
}

// taught is the model after a fit to corrected texts.
func (m *Model) taught(ctx context.Context, corrections []Example) *Model {
	n := *m
	n.labels = slices.Clone(m.labels)
	var ys []int
	for _, e := range corrections {
		if !slices.Contains(n.labels, e.Category) {
			n.labels = append(n.labels, e.Category)
		}
		ys = append(ys, slices.Index(n.labels, e.Category))
	}
	n.vocab = m.vocab.extended(corrections)
	n.linear = m.linear.extended(m.vocab, n.vocab, len(n.labels))
	xs, costs := make([][]feature, len(ys)), make([]float32, len(ys))
	for i, e := range corrections {
		r := n.vocab.read(e.text())
		xs[i], costs[i] = slices.Clone(r.vector), lesson
		n.vocab.done(r)
	}
	fitSoftmax(ctx, n.linear, func(i int) []feature { return xs[i] }, ys, costs, 1, nil)
	n.linear.quantise()
	return n.settled()
}

// extended is the vocabulary with the terms of corrected texts, which weigh as
// much as a term that one class uses.
func (v *vocabulary) extended(corrections []Example) *vocabulary {
	var fresh [blocks][]uint64
	var r reading
	for _, e := range corrections {
		r.take(e.text())
		for _, t := range r.terms {
			if v.find(t.hash) < 0 {
				fresh[t.block] = append(fresh[t.block], t.hash)
			}
		}
	}
	n := &vocabulary{}
	from := int32(0)
	for b := range blocks {
		n.hashes = append(n.hashes, v.hashes[from:v.ends[b]]...)
		n.weights = append(n.weights, v.weights[from:v.ends[b]]...)
		var most float32
		for _, w := range v.weights[from:v.ends[b]] {
			most = max(most, w)
		}
		slices.Sort(fresh[b])
		for _, h := range slices.Compact(fresh[b]) {
			n.hashes, n.weights = append(n.hashes, h), append(n.weights, most)
		}
		from, n.ends[b] = v.ends[b], int32(len(n.hashes))
	}
	n.index()
	return n
}

// extended moves the weights to a larger vocabulary and more classes.
func (l *linear) extended(from, to *vocabulary, classes int) *linear {
	n := newLinear(len(to.hashes), classes)
	a, b := int32(0), int32(0)
	for k := range blocks {
		for ; a < from.ends[k]; a, b = a+1, b+1 {
			copy(n.row(b), l.row(a))
		}
		b = to.ends[k]
	}
	copy(n.bias(), l.bias())
	for c := l.classes; c < classes; c++ {
		n.bias()[c] = unheard
	}
	return n
}

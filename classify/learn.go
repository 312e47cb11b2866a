package classify

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// lesson is the cost of a corrected text against the penalty that draws to the
// model before it: a correction outweighs the texts it was trained on.
const lesson = 40

// Learn returns a model that has also learned how people sorted these texts. It
// starts from the model before and moves its weights as far as the corrections
// need, so that mails like a corrected one are sorted like it and others stay.
func (m *Model) Learn(ctx context.Context, corrections []Example) (*Model, *Report, error) {
	n := *m
	if len(corrections) == 0 {
		return &n, &Report{}, nil
	}
	n.labels = slices.Clone(m.labels)
	n.name = fmt.Sprintf("%s, %d corrections", strings.Split(m.name, ",")[0], len(corrections))
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
		xs[i], costs[i] = n.vectorOf(e.text()), lesson
	}
	fitSoftmax(ctx, n.linear, xs, ys, costs, 1, nil)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	n.linear.quantise()
	return &n, Evaluate(&n, corrections), nil
}

// vectorOf is a text's vector.
func (m *Model) vectorOf(t Text) []feature {
	r := m.vocab.read(t)
	defer m.vocab.done(r)
	return slices.Clone(r.vector)
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

// unheard is the score of a class that the model before did not have.
const unheard = -4

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

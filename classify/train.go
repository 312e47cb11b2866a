package classify

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
)

// Example is a text with the category a person gave it.
type Example struct {
	Subject, Text, Category string

	// Hard says that it was written to be hard to sort, as few texts are: it is
	// learned from, but says nothing of how often verdicts are right.
	Hard bool `json:"-"`
}

func (e Example) text() Text { return Text{Subject: e.Subject, Body: e.Text} }

// TrainOptions of Train.
type TrainOptions struct {
	Seed     uint64
	Progress func(done, total int) // may be nil; called from one goroutine at a time
	Name     string                // default "trained"
}

const (
	// cost of a text against the penalty: C of the logistic regression.
	cost = 25
	// folds of the cross-validation by which confidence is calibrated and
	// quality reported.
	folds = 5
	// muchWork, as texts × classes, is where one held-back fold is enough to
	// calibrate on and four more trainings would be a long wait.
	muchWork = 300_000
	// largeModel, in weights, is where one training at a time is enough room.
	largeModel = 8 << 20
)

// Train makes a model from labelled texts of any taxonomy. The same examples
// and seed give the same model. The report is of held-back texts: each was
// judged by a model that had not seen it.
func Train(ctx context.Context, examples []Example, opt TrainOptions) (*Model, *Report, error) {
	labels, ys, err := prepare(examples)
	if err != nil {
		return nil, nil, err
	}
	if opt.Name == "" {
		opt.Name = "trained"
	}
	t := &training{opt: opt, labels: labels, ys: ys, examples: examples}
	return t.run(ctx)
}

// prepare checks what cannot be learned from.
func prepare(examples []Example) (labels []string, ys []int, err error) {
	if len(examples) == 0 {
		return nil, nil, fmt.Errorf("there is nothing to train on: no labelled text was read")
	}
	number := map[string]int{}
	for i, e := range examples {
		if strings.TrimSpace(e.Text) == "" && strings.TrimSpace(e.Subject) == "" {
			return nil, nil, fmt.Errorf("text %d is empty", i+1)
		}
		if strings.TrimSpace(e.Category) == "" {
			return nil, nil, fmt.Errorf("text %d has no category", i+1)
		}
		number[e.Category]++
	}
	var thin []string
	for c, n := range number {
		labels = append(labels, c)
		if n < 2 {
			thin = append(thin, c)
		}
	}
	slices.Sort(labels)
	slices.Sort(thin)
	if len(labels) < 2 {
		return nil, nil, fmt.Errorf("all texts are of one category, %q: there is nothing to tell apart", labels[0])
	}
	if len(thin) > 0 {
		return nil, nil, fmt.Errorf("a category needs at least 2 texts, better 20; too few of: %s", strings.Join(thin, ", "))
	}
	for i, l := range labels {
		number[l] = i
	}
	for _, e := range examples {
		ys = append(ys, number[e.Category])
	}
	return labels, ys, nil
}

// training is one run of Train.
type training struct {
	opt      TrainOptions
	labels   []string
	examples []Example
	ys       []int // classes; those of the category names stand at the end

	stand  []standing
	corpus *corpus
	fold   []int
	judged []judged // of the texts that were held back
	taken  []int    // and the class each was taken for, -1 if it was not

	mu          sync.Mutex
	done, total int
}

func (t *training) run(ctx context.Context) (*Model, *Report, error) {
	texts := make([]Text, 0, len(t.examples)+len(t.labels))
	for _, e := range t.examples {
		texts = append(texts, e.text())
	}
	// A category's name says what it is about: with 5 texts a class, taking it
	// as one more is worth 3 points of accuracy.
	for c, l := range t.labels {
		texts = append(texts, Text{Body: nameWords(l)})
		t.ys = append(t.ys, c)
	}
	t.corpus = newCorpus(texts, t.ys)
	n := len(t.examples)
	t.fold = assign(t.examples, t.ys[:n], len(t.labels), t.opt.Seed)
	t.judged, t.taken = make([]judged, n), make([]int, n)
	for i := range t.taken {
		t.taken[i] = -1
	}
	held := folds
	if n*len(t.labels) > muchWork {
		held = 1
	}
	t.total = maxPasses * (held + 1)
	m := &Model{name: t.opt.Name, labels: t.labels, taxonomy: taxonomyOf(t.labels), seeds: origin(t.examples)}
	t.stand = m.settled().stand
	if err := t.trainAll(ctx, m, held); err != nil {
		return nil, nil, err
	}
	var seen []judged
	r := newReport(t.labels)
	for i, taken := range t.taken {
		if taken >= 0 && !t.examples[i].Hard {
			seen = append(seen, t.judged[i])
		}
	}
	m.calib = newConfidence(seen, !slices.Contains(t.labels, Other))
	for i, taken := range t.taken {
		if taken >= 0 {
			r.add(joined(t.examples[i].text()), t.labels[t.ys[i]], t.labels[taken], m.calib.of(t.judged[i].signs))
		}
	}
	how := fmt.Sprintf("each judged by a model that had not seen it (%d-fold cross-validation)", folds)
	if held == 1 {
		how = fmt.Sprintf("every %dth, held back from the model that judged them", folds)
	}
	r.finish(how)
	return m, r, nil
}

// trainAll fits the model and those that held-back texts are judged by, as many
// at a time as there are cores; the model itself, which is the largest, first.
// Where one alone is large they follow each other, in the room of the one
// before.
func (t *training) trainAll(ctx context.Context, m *Model, held int) error {
	size := (len(t.corpus.vocab.hashes) + 1) * len(t.labels)
	if size > largeModel {
		room := make([]float32, size)
		for fold := range held {
			t.holdBack(ctx, fold, room)
		}
		t.fitModel(ctx, m, room)
		return ctx.Err()
	}
	var next atomic.Int32
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), held+1) {
		wg.Go(func() {
			for job := int(next.Add(1)) - 1; job <= held && ctx.Err() == nil; job = int(next.Add(1)) - 1 {
				if job == 0 {
					t.fitModel(ctx, m, make([]float32, size))
				} else {
					t.holdBack(ctx, job-1, make([]float32, size))
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func (t *training) fitModel(ctx context.Context, m *Model, room []float32) {
	m.vocab, m.linear, _ = t.fit(ctx, -1, room)
	m.linear.quantise()
}

// fit trains on all texts but those of one fold; sole names the class of each
// term that only one class uses. The weights are made in the room.
func (t *training) fit(ctx context.Context, without int, room []float32) (v *vocabulary, l *linear, sole []int32) {
	c := t.corpus
	var in []int
	for i := range c.ys {
		if i >= len(t.examples) || t.fold[i] != without {
			in = append(in, i)
		}
	}
	weights, sole := c.weigh(in, len(t.labels))
	ys, costs := make([]int, len(in)), make([]float32, len(in))
	for k, i := range in {
		ys[k], costs[k] = c.ys[i], cost
	}
	vector := c.vectors(weights)
	clear(room)
	l = &linear{classes: len(t.labels), weights: room}
	passes := 0
	fitSoftmax(ctx, l, func(k int) []feature { return vector(in[k]) }, ys, costs, t.opt.Seed, func() { passes++; t.progress(1) })
	t.progress(maxPasses - passes)
	return c.vocab.with(weights), l, sole
}

// progress reports passes that are done or not needed.
func (t *training) progress(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += n
	if t.opt.Progress != nil {
		t.opt.Progress(t.done, t.total)
	}
}

// holdBack judges the texts of one fold by a model of the others.
func (t *training) holdBack(ctx context.Context, fold int, room []float32) {
	v, l, sole := t.fit(ctx, fold, room)
	s, p := make([]float32, len(t.labels)), make([]float32, len(t.labels))
	vector := t.corpus.vectors(v.weights)
	for i := range t.examples {
		if t.fold[i] != fold || ctx.Err() != nil {
			continue
		}
		l.scores(vector(i), s)
		known, strange := t.corpus.known(i, v.weights, sole)
		class, other := decide(t.stand, s, p, -1), decide(t.stand, s, p, t.ys[i])
		t.taken[i] = class
		t.judged[i] = judged{signsOf(t.stand, s, known, class, -1), signsOf(t.stand, s, strange, other, t.ys[i]), class == t.ys[i]}
	}
}

// nameWords is a category's name as words: "card_not_working", "cardNotWorking".
func nameWords(name string) string {
	var b strings.Builder
	last := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		last = r
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// taxonomyOf gives a team's labels the standing of the shipped categories of
// the same name; others page.
func taxonomyOf(labels []string) Taxonomy {
	shipped := DefaultTaxonomy()
	var t Taxonomy
	for _, c := range shipped {
		if slices.Contains(labels, c.Name) {
			t = append(t, c)
		}
	}
	for _, l := range labels {
		if _, ok := shipped.Find(l); !ok {
			t = append(t, Category{Name: l, Title: l, Rings: RingsPage})
		}
	}
	if _, ok := t.Find(Other); !ok {
		c, _ := shipped.Find(Other)
		t = append(t, c)
	}
	return t
}

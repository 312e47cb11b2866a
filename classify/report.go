package classify

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// Report is how well texts were sorted.
type Report struct {
	How      string        `json:"how"`
	Texts    int           `json:"texts"`
	Accuracy float64       `json:"accuracy"`
	MacroF1  float64       `json:"macro_f1"`
	ECE      float64       `json:"calibration_error"` // expected, in 10 bins
	Classes  []ClassReport `json:"classes"`
	Confused []Confusion   `json:"confused"`

	right int
	count map[string]*ClassReport
	pairs map[[2]string]*Confusion
	bins  [10][3]float64 // texts, right ones, sum of confidence
}

// ClassReport is one category's part.
type ClassReport struct {
	Category  string  `json:"category"`
	Texts     int     `json:"texts"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`

	given, hit int
}

// Confusion is a pair of categories taken for each other.
type Confusion struct {
	Is      string `json:"is"`
	Taken   string `json:"taken_for"`
	Times   int    `json:"times"`
	Example string `json:"example"`
}

func newReport(labels []string) *Report {
	r := &Report{count: map[string]*ClassReport{}, pairs: map[[2]string]*Confusion{}}
	for _, l := range labels {
		r.count[l] = &ClassReport{Category: l}
	}
	return r
}

func (r *Report) class(name string) *ClassReport {
	c := r.count[name]
	if c == nil {
		c = &ClassReport{Category: name}
		r.count[name] = c
	}
	return c
}

func (r *Report) add(text, is, taken string, confidence float64) {
	r.Texts++
	bin := &r.bins[min(9, max(0, int(confidence*10)))]
	bin[0]++
	bin[2] += confidence
	r.class(is).Texts++
	r.class(taken).given++
	if is == taken {
		r.right++
		bin[1]++
		r.class(is).hit++
		return
	}
	key := [2]string{is, taken}
	p := r.pairs[key]
	if p == nil {
		p = &Confusion{Is: is, Taken: taken, Example: cutText(strings.Join(strings.Fields(text), " "), 100)}
		r.pairs[key] = p
	}
	p.Times++
}

func (r *Report) finish(how string) {
	r.How = how
	if r.Texts == 0 {
		return
	}
	r.Accuracy = float64(r.right) / float64(r.Texts)
	for _, b := range r.bins {
		r.ECE += math.Abs(b[1]-b[2]) / float64(r.Texts)
	}
	n := 0
	for _, c := range r.count {
		if c.given > 0 {
			c.Precision = float64(c.hit) / float64(c.given)
		}
		if c.Texts > 0 {
			c.Recall = float64(c.hit) / float64(c.Texts)
			n++
		}
		if c.hit > 0 {
			c.F1 = 2 * c.Precision * c.Recall / (c.Precision + c.Recall)
		}
		r.MacroF1 += c.F1
		r.Classes = append(r.Classes, *c)
	}
	r.MacroF1 /= float64(max(1, n))
	sort.Slice(r.Classes, func(a, b int) bool { return r.Classes[a].Category < r.Classes[b].Category })
	for _, p := range r.pairs {
		r.Confused = append(r.Confused, *p)
	}
	sort.Slice(r.Confused, func(a, b int) bool {
		x, y := r.Confused[a], r.Confused[b]
		if x.Times != y.Times {
			return x.Times > y.Times
		}
		return x.Is+x.Taken < y.Is+y.Taken
	})
	r.Confused = r.Confused[:min(10, len(r.Confused))]
}

// String is the report for a person.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d texts, %s\naccuracy %.1f %%   macro-F1 %.1f %%   calibration error %.3f\n\n", r.Texts, r.How, 100*r.Accuracy, 100*r.MacroF1, r.ECE)
	width := 8
	for _, c := range r.Classes {
		width = max(width, len([]rune(c.Category)))
	}
	fmt.Fprintf(&b, "%-*s  texts  precision  recall\n", width, "category")
	for _, c := range r.Classes {
		fmt.Fprintf(&b, "%-*s  %5d  %7.1f %%  %5.1f %%\n", width, c.Category, c.Texts, 100*c.Precision, 100*c.Recall)
	}
	if len(r.Confused) > 0 {
		b.WriteString("\nmost confused\n")
		for _, p := range r.Confused {
			fmt.Fprintf(&b, "%4d  %s taken for %s: %q\n", p.Times, p.Is, p.Taken, p.Example)
		}
	}
	return b.String()
}

// Evaluate sorts labelled texts with a model and reports how well.
func Evaluate(m *Model, examples []Example) *Report {
	r := newReport(nil)
	for _, e := range examples {
		v := m.Classify(Text{Subject: e.Subject, Body: e.Text})
		r.add(joined(Text{Subject: e.Subject, Body: e.Text}), e.Category, v.Category, v.Confidence)
	}
	r.finish("judged by the model " + m.name)
	return r
}

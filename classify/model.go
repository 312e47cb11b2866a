package classify

import (
	"math"
	"strings"
	"sync"
)

// Model judges texts. It is immutable: Learn and With make new ones.
type Model struct {
	name     string
	taxonomy Taxonomy
	custom   Custom

	vocab  *vocabulary
	linear *linear
	labels []string
	paging []bool // of the labels: whether the category it counts as may page
	calib  confidence
	seeds  string // origin of what it was trained on

	own map[string]*phrases // phrases of the team's categories
}

// Name says which model judged.
func (m *Model) Name() string { return m.name }

// Taxonomy is the set of categories that verdicts may name.
func (m *Model) Taxonomy() Taxonomy { return m.taxonomy }

// Classify judges a text. It is a pure function of text and model, safe for
// concurrent use, and takes bounded time for any input.
func (m *Model) Classify(t Text) Verdict {
	v := Verdict{Category: Other, Model: m.name}
	if t.Automated != "" {
		v.Language = language(splitWords(bound(joined(t)), nil))
		v.Confidence = 1
		v.Evidence = []Evidence{{Phrase: t.Automated, Weight: 1}}
		return v
	}
	trouble := m.judge(t, &v)
	if m.ownPhrases(t, &v) {
		trouble = 1
	}
	m.rename(&v)
	v.Complaint = m.complaint(v.Category, trouble)
	return v
}

// sure is the probability of trouble from which a mail counts towards a page.
// It was chosen on the seeds, by cross-validation.
const sure = 0.85

// complaint tells whether a verdict counts: always where it only goes into a
// digest, and where it may page, if it is sure enough that this is trouble, of
// whatever kind. A mail that may be login or password trouble is trouble.
func (m *Model) complaint(category string, trouble float64) bool {
	c, ok := m.taxonomy.Find(category)
	if !ok {
		return category != Other
	}
	return c.Rings == RingsDigest || c.pages() && trouble >= sure
}

// trouble is the probability that a text is of a category that may page.
func (m *Model) trouble(scores, p []float32) (sum float64) {
	softmax(scores, p)
	for c, pages := range m.paging {
		if pages {
			sum += float64(p[c])
		}
	}
	return sum
}

// settled notes which labels may page, and returns the model.
func (m *Model) settled() *Model {
	m.paging = make([]bool, len(m.labels))
	for c, label := range m.labels {
		m.paging[c] = m.standing(label).pages()
	}
	return m
}

// standing is the category that a label counts as, with the team's changes.
func (m *Model) standing(label string) Category {
	v := Verdict{Category: label}
	m.rename(&v)
	c, _ := m.taxonomy.Find(v.Category)
	return c
}

// judge lets the linear model speak, and returns the probability of trouble.
func (m *Model) judge(t Text, v *Verdict) float64 {
	r := m.vocab.read(t)
	defer m.vocab.done(r)
	v.Language = r.language
	if len(r.words) == 0 {
		return 0
	}
	r.scores = append(r.scores[:0], m.linear.bias()...)
	m.linear.scores(r.vector, r.scores)
	best, z := signsOf(r.scores, r.known, -1)
	v.Category = m.labels[best]
	v.Confidence = math.Round(10000*m.calib.of(z)) / 10000
	v.Evidence = m.evidence(bound(joined(t)), r, best)
	if v.Confidence < m.calib.Least {
		v.Category = Other
	}
	r.odds = append(r.odds[:0], r.scores...)
	return m.trouble(r.scores, r.odds)
}

// joined is subject and body as one text.
func joined(t Text) string {
	if t.Subject == "" {
		return t.Body
	}
	return cutText(t.Subject, maxJudged) + "\n" + cutText(t.Body, maxJudged)
}

func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// Default returns the built-in model, which needs no training.
var Default = sync.OnceValue(func() *Model {
	m, err := Load(strings.NewReader(builtIn))
	if err != nil {
		panic("classify: the built-in model: " + err.Error())
	}
	return m
})

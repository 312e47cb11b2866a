package classify

import (
	"math"
	"strings"
	"sync"
	"unicode/utf8"
)

// Model judges texts. It is immutable: Learn and With make new ones.
type Model struct {
	name     string
	taxonomy Taxonomy
	custom   Custom

	vocab  *vocabulary
	linear *linear
	labels []string
	stand  []standing // of the labels
	calib  confidence
	seeds  string // origin of what it was trained on

	own []phrase // of the team's categories
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
		r := m.vocab.room()
		r.speak(t)
		v.Language = r.language
		m.vocab.done(r)
		v.Confidence = 1
		v.Evidence = []Evidence{{Phrase: t.Automated, Weight: 1}}
		return v
	}
	m.judge(t, &v)
	m.ownPhrases(t, &v)
	m.rename(&v)
	v.Complaint = m.complaint(v.Category)
	return v
}

// judge lets the linear model speak.
func (m *Model) judge(t Text, v *Verdict) {
	r := m.vocab.read(t)
	defer m.vocab.done(r)
	v.Language = r.language
	if len(r.vector) == 0 {
		return // nothing in it was seen in training: nothing can be said of it
	}
	m.score(r)
	r.odds = append(r.odds[:0], r.scores...)
	class := decide(m.stand, r.scores, r.odds, -1)
	said := m.letter(t, r, class)
	if class = said.class; said.sentence != "" {
		r = m.vocab.read(Text{Body: said.sentence})
		defer m.vocab.done(r)
		m.score(r)
	}
	v.Confidence = math.Round(10000*m.calib.less(signsOf(m.stand, r.scores, r.known, class, -1), said.doubt)) / 10000
	if v.Confidence < m.calib.Least {
		return // what spoke for the class does not speak for other
	}
	v.Category = m.labels[class]
	v.Evidence = m.evidence(r, class)
}

// score gives a reading the scores of the classes.
func (m *Model) score(r *reading) {
	r.scores = append(r.scores[:0], m.linear.bias()...)
	m.linear.scores(r.vector, r.scores)
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
	if s = s[:n]; utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "")
}

// Default returns the built-in model, which needs no training.
var Default = sync.OnceValue(func() *Model {
	m, err := Load(strings.NewReader(builtIn))
	if err != nil {
		panic("classify: the built-in model: " + err.Error())
	}
	return m
})

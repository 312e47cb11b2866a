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
	paging []bool   // of the labels: whether the category it counts as may page
	groups []string // and its group, "" for none
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
	o := m.judge(t, &v)
	if m.ownPhrases(t, &v) {
		o = odds{1, 1}
	}
	m.rename(&v)
	v.Complaint = m.complaint(v.Category, o)
	return v
}

// sure is the probability of trouble from which a mail counts towards a page,
// and ofGroup that of its group of categories. Precision (of the mails that
// count as access complaints), recall of access complaints, and the share of
// false pages among the mails that should not page, in %, of seeds by
// cross-validation and of the held-out mails:
//
//	trouble group    seeds            held out
//	0.80    -        88.2 77.0 5.9    93.6 88.4 1.8
//	0.80    0.6      91.1 74.3 5.5    94.4 86.6 1.8
//	0.85    -        89.7 73.0 4.2    93.5 87.1 1.4
//	0.85    0.6      92.0 71.0 4.0    94.3 85.3 1.4
//	0.90    0.6      92.8 65.3 2.8    94.2 84.1 1.4
//
// More of either costs the seeds more recall than it gives precision. The seeds
// are harder than an inbox: a third was written to be taken for something else.
const (
	sure    = 0.85
	ofGroup = 0.6
)

// odds are what a text's scores say of paging.
type odds struct {
	trouble float64 // probability that it is of a category that may page
	group   float64 // and that it is of the verdict's group
}

// complaint tells whether a verdict counts: always where it only goes into a
// digest, and where it may page, if it is sure enough that this is trouble, and
// the trouble of its group. A mail that may be of login or of password trouble
// is access trouble, and counts.
func (m *Model) complaint(category string, o odds) bool {
	c, ok := m.taxonomy.Find(category)
	if !ok {
		return category != Other
	}
	return c.Rings == RingsDigest || c.pages() && o.trouble >= sure && (c.Group == "" || o.group >= ofGroup)
}

// oddsOf sums the probabilities of the labels that may page, and of those of
// the best one's group.
func (m *Model) oddsOf(best int, scores, p []float32) (o odds) {
	softmax(scores, p)
	for c, pages := range m.paging {
		if pages {
			o.trouble += float64(p[c])
		}
		if m.groups[c] == m.groups[best] {
			o.group += float64(p[c])
		}
	}
	return o
}

// settled notes which labels may page and how they group, and returns the model.
func (m *Model) settled() *Model {
	m.paging, m.groups = make([]bool, len(m.labels)), make([]string, len(m.labels))
	for c, label := range m.labels {
		of := m.standing(label)
		m.paging[c], m.groups[c] = of.pages(), of.Group
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

// judge lets the linear model speak, and returns what it says of paging.
func (m *Model) judge(t Text, v *Verdict) odds {
	r := m.vocab.read(t)
	defer m.vocab.done(r)
	v.Language = r.language
	if len(r.words) == 0 {
		return odds{}
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
	return m.oddsOf(best, r.scores, r.odds)
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

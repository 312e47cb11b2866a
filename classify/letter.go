package classify

import (
	"math"
	"strings"
)

// A long mail is judged as a letter: customers tell of their company, of the
// weather and of last year before they say that they cannot log in. In one bag
// of words that is lost, and small talk, of which the seeds have none, adds up
// to anything. So one of its sentences must be of the trouble: its log-odds, and
// those of the whole by as much as the whole counts, must reach a bound. The
// whole counts the less the longer it is: wholeCounts times the part of it that
// usualMail words are.
//
// The form and the numbers were found by a logistic regression on seeds between
// paragraphs of small talk (testdata/letters) by models that had not seen the
// seeds; taking two or three sentences together, or the second strongest too,
// was no better. TestLetterStudy prints what comes of them.
const (
	usualMail   = 40 // words up to which a mail is judged as a whole
	wholeCounts = 1.5
	// The bounds, of the categories of a group together, as the access ones are,
	// and of all trouble, for which small talk is taken more easily.
	groupBound, troubleBound = 2.2, 4.9
	// plainTrouble is the probability of trouble of the whole that needs no
	// sentence: no small talk reached it.
	plainTrouble = 0.97
	// spokenFor is how much the whole must count to name the trouble itself.
	spokenFor = 0.5
	// rambling is how many log-odds of being right a verdict of the whole loses,
	// the more the longer it is.
	rambling = 1
	// A text of more than manyWords with fewer stops than one in wordsPerStop
	// words is a log, a list or a table, and is judged as a whole.
	manyWords, wordsPerStop = 200, 60
)

// finding is what a mail was taken for: a class, the sentence that said so, ""
// for the whole, and how many log-odds less it can be trusted for its length.
type finding struct {
	class    int
	sentence string
	doubt    float64
}

// speaker is the sentence that speaks most for a class, and the log-odds of
// that class's group, or of trouble, by it.
type speaker struct {
	sentence span
	class    int
	odds     float64
}

func (s *speaker) hear(next speaker) {
	if next.odds > s.odds {
		*s = next
	}
}

// letter listens to the sentences of a mail whose whole was taken for a class.
func (m *Model) letter(t Text, r *reading, class int) finding {
	stands, pages := finding{class: class}, m.stand[class].pages
	if len(r.words) <= usualMail || pages && !m.stand[class].doubts || !isLetter(r) {
		return stands
	}
	whole := trouble(m.stand, r.odds)
	if pages && whole >= plainTrouble {
		return stands
	}
	text := letterText(t)
	list, words := sentences(text, nil)
	if words <= usualMail {
		return stands
	}
	if t.Subject != "" && len(list) > 1 {
		list = append(list, span{0, list[1].to})
	}
	ofGroup, ofAny := m.strongest(text, list)
	part := usualMail / float64(words)
	counts := wholeCounts * part
	says := func(s speaker) finding {
		if pages && counts > spokenFor && m.stand[s.class].group == m.stand[class].group {
			return stands
		}
		return finding{class: s.class, sentence: text[s.sentence.from:s.sentence.to]}
	}
	switch {
	case ofGroup.odds+counts*(logOdds(inGroup(m.stand, r.odds, ofGroup.class))-strange(r)) >= groupBound:
		return says(ofGroup)
	case ofAny.odds+counts*(logOdds(whole)-strange(r)) >= troubleBound:
		if pages && counts > spokenFor {
			return stands
		}
		return says(ofAny)
	}
	if pages {
		class = quietest(m.stand, r.odds, class)
	}
	return finding{class: class, doubt: rambling * (1 - part)}
}

// strongest judges each sentence for itself. It returns the one that is most of
// the trouble of one group, and the one that is most of any.
func (m *Model) strongest(text string, list []span) (ofGroup, ofAny speaker) {
	var p []float32
	ofGroup.odds, ofAny.odds = math.Inf(-1), math.Inf(-1)
	for _, at := range list {
		r := m.vocab.read(Text{Body: text[at.from:at.to]})
		m.score(r)
		p = append(p[:0], r.scores...)
		less := strange(r)
		m.vocab.done(r)
		softmax(p, p)
		best := -1
		for c, s := range m.stand {
			if s.pages && s.doubts && (best < 0 || p[c] > p[best]) {
				best = c
			}
		}
		if best < 0 {
			return
		}
		ofAny.hear(speaker{at, best, logOdds(trouble(m.stand, p)) - less})
		if m.stand[best].group != "" {
			ofGroup.hear(speaker{at, best, logOdds(inGroup(m.stand, p, best)) - less})
		}
	}
	return ofGroup, ofAny
}

// strange is how many log-odds a text loses for words that training had not seen.
func strange(r *reading) float64 { return familiar * (1 - r.known) }

// isLetter tells whether a text has sentences, as far as it was read.
func isLetter(r *reading) bool {
	stops := strings.Count(r.text, ".") + strings.Count(r.text, "!") + strings.Count(r.text, "?")
	return len(r.words) <= manyWords || stops*wordsPerStop >= len(r.words)
}

// letterText is subject and body as one text, as much as is listened to.
func letterText(t Text) string {
	return strings.ToValidUTF8(cutText(t.Subject, maxJudged)+"\n\n"+cutText(t.Body, maxLetterBytes), " ")
}

// trouble is the probability of the classes that may page.
func trouble(stand []standing, p []float32) (sum float32) {
	for c, s := range stand {
		if s.pages {
			sum += p[c]
		}
	}
	return sum
}

func logOdds(p float32) float64 {
	x := min(max(float64(p), 1e-5), 1-1e-5)
	return math.Log(x / (1 - x))
}

package classify

// sure is the probability of trouble from which a category that may page is
// named, and ofGroup that of its group. Accuracy, precision and recall of the
// access categories, and the share of mails that should not page with one that
// may, in %, of the seeds by cross-validation, and of those that were not
// written to be taken for something else:
//
//	sure ofGroup    all seeds                the usual ones
//	-    -          77.9 81.6 86.6 14.5      79.6 88.7 88.1 12.0
//	0.80 -          75.7 88.2 77.0 5.9       75.6 93.4 78.2 4.6
//	0.80 0.6        75.5 91.1 74.3 5.9       75.2 95.9 75.4 4.6
//	0.80 0.7        75.0 92.0 70.9 5.9       74.6 96.8 72.3 4.6
//	0.85 0.6        73.9 92.0 71.0 4.2       73.0 96.2 71.9 3.1
//	0.90 0.6        70.9 92.8 65.3 2.8       69.5 96.9 66.0 1.9
//
// The seeds are harder than an inbox. Weighing what a false page costs against
// each text's probabilities, instead of bounds, was no better.
const (
	sure    = 0.8
	ofGroup = 0.65
)

// standing is what a label of the model counts as.
type standing struct {
	pages  bool   // a surge of it may page
	doubts bool   // and it is named only when that is sure
	group  string // "" for none
}

// settled notes how the labels stand, and returns the model.
func (m *Model) settled() *Model {
	m.stand = make([]standing, len(m.labels))
	shipped := DefaultTaxonomy()
	for i, label := range m.labels {
		v := Verdict{Category: label}
		m.rename(&v)
		c, _ := m.taxonomy.Find(v.Category)
		_, known := shipped.Find(label)
		m.stand[i] = standing{c.pages(), known && c.pages(), c.Group}
	}
	return m
}

// complaint tells whether mails of a category count: towards a page or in a
// digest. Doubt has no part in it, for decide names no category that may page
// without being sure of it.
func (m *Model) complaint(category string) bool {
	c, ok := m.taxonomy.Find(category)
	if !ok {
		return category != Other
	}
	return c.Rings != RingsNever
}

// decide returns the class to name: the most probable one of those that are
// sure enough. A class that may page is, where the classes that may have a
// probability of sure together, and those of its group one of ofGroup: a mail
// that may be of login or of password trouble is access trouble. A class that
// does not page is always. So is a team's own class: what their texts are of
// is theirs to say.
//
// p is room for the probabilities; without is a class to leave out, -1 for none.
func decide(stand []standing, scores, p []float32, without int) int {
	softmax(scores, p)
	var total, trouble float32
	for c, s := range stand {
		if c == without {
			p[c] = 0
			continue
		}
		total += p[c]
		if s.pages {
			trouble += p[c]
		}
	}
	best, first := -1, -1
	for c, x := range p {
		if c == without {
			continue
		}
		if first < 0 || x > p[first] {
			first = c
		}
		if (best < 0 || x > p[best]) && (!stand[c].doubts || trouble >= sure*total && inGroup(stand, p, c) >= ofGroup*total) {
			best = c
		}
	}
	if best < 0 {
		return first // every class may page, and is of another group
	}
	return best
}

// inGroup is the probability of a class's group; 1 where it is in none.
func inGroup(stand []standing, p []float32, class int) (sum float32) {
	group := stand[class].group
	if group == "" {
		return 1
	}
	for c, s := range stand {
		if s.group == group {
			sum += p[c]
		}
	}
	return sum
}

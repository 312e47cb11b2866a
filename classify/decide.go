package classify

// sure is the probability of trouble from which a category that may page is
// named, and ofGroup that of its group. Accuracy, precision and recall of the
// access categories, and the share of mails that should not page with one that
// may, in %, of the seeds by cross-validation, and of those that were not
// written to be taken for something else:
//
//	sure ofGroup    all seeds                the usual ones
//	-    -          75.8 80.2 84.7 14.1      77.8 90.9 85.2 10.9
//	0.65 0.5        75.0 85.3 78.3 9.6       75.3 93.9 78.8 6.7
//	0.70 0.5        74.6 86.2 76.7 8.1       74.3 94.1 77.2 5.5
//	0.75 -          73.9 85.0 75.1 7.0       73.0 92.5 75.6 4.4
//	0.75 0.5        73.8 86.7 73.9 6.9       72.9 94.1 74.4 4.2
//	0.75 0.6        73.7 88.1 71.7 6.9       72.6 95.4 72.3 4.2
//	0.80 0.5        72.7 88.3 70.8 5.6       70.6 94.5 71.2 3.7
//	0.85 0.5        71.2 89.8 67.1 4.1       68.1 95.0 67.4 2.5
//
// The seeds are harder than an inbox. Weighing what a false page costs against
// each text's probabilities, instead of bounds, was no better.
const (
	sure    = 0.75
	ofGroup = 0.5
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

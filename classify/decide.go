package classify

// sure is the probability of trouble from which a category that may page is
// named, and ofGroup that of its group. Accuracy, precision and recall of the
// access categories, and the share of mails that should not page with one that
// may, in %, of the seeds by cross-validation, and of those that were not
// written to be taken for something else:
//
//	sure ofGroup    all seeds                the usual ones
//	-    -          75.3 79.2 85.0 15.0      77.6 90.6 85.6 10.7
//	0.65 0.55       74.8 85.2 78.0 10.0      75.4 94.5 78.6 6.9
//	0.70 0.55       74.5 85.9 77.0 8.7       74.6 94.8 77.7 5.9
//	0.75 -          74.0 84.4 77.1 7.4       73.5 92.3 77.7 5.0
//	0.75 0.5        74.1 86.0 76.2 7.4       73.6 94.3 76.8 4.9
//	0.75 0.55       73.9 86.8 75.1 7.4       73.3 95.0 75.7 4.8
//	0.75 0.6        73.9 87.7 73.7 7.3       73.1 95.7 74.5 4.7
//	0.80 0.55       72.8 87.6 72.4 6.0       71.5 95.3 73.2 3.5
//	0.85 0.55       71.2 88.8 68.7 4.7       68.8 95.7 69.4 2.6
//
// The seeds are harder than an inbox. Weighing what a false page costs against
// each text's probabilities, instead of bounds, was no better.
const (
	sure    = 0.75
	ofGroup = 0.55
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

// quietest returns the most probable of the classes that do not page, or else
// the class itself.
func quietest(stand []standing, p []float32, class int) int {
	best := -1
	for c, s := range stand {
		if !s.pages && (best < 0 || p[c] > p[best]) {
			best = c
		}
	}
	if best < 0 {
		return class
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

package detect

import (
	"slices"
	"testing"
)

// TestOneEventIsOnePage: a surge that goes on for hours is paged once, whatever
// else comes in meanwhile, and one that dies down and flares up is taken up
// again.
func TestOneEventIsOnePage(t *testing.T) {
	for _, x := range harderInboxes(1, 1, false) {
		if x.rate != 8 && x.rate != 30 {
			continue
		}
		x.seed += 50_000
		s := x.simulate()
		sc := newScore()
		list := replaySim(s, backtestOptions())
		sc.add(s, list)
		if sc.twice > 0 {
			t.Errorf("%v an hour, noise %v: %d of %d events were paged twice", x.rate, x.noise, sc.twice, len(s.truths))
		}
		// Of what is normal meanwhile, no kind may be counted to the trouble.
		named, foreign := 0, 0
		for _, p := range list {
			for _, truth := range s.truths {
				if p.DetectedAt.Before(truth.start) || p.DetectedAt.After(truth.end) || truth.shape == "three kinds" {
					continue
				}
				named++
				if group := []string{"login", "signup", "password"}; slices.Contains(p.Now.Categories, "payment") && slices.ContainsFunc(group, func(k string) bool { return slices.Contains(p.Now.Categories, k) }) {
					foreign++
				}
			}
		}
		if named == 0 || foreign*10 > named {
			t.Errorf("%v an hour, noise %v: %d of %d incidents about one kind ended with another group in them", x.rate, x.noise, foreign, named)
		}
	}
}

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

// TestAnEventThatIsSlowOrCrossesAWarningIsOnePage: half an hour without a
// complaint is no end where few write, and neither a warning that was there
// before nor all complaints together make a second page.
func TestAnEventThatIsSlowOrCrossesAWarningIsOnePage(t *testing.T) {
	for _, x := range []inbox{{rate: 1, seed: 300}, {rate: 1, seed: 318}, {rate: 1, seed: 330}, {rate: 1, seed: 338}} {
		x.noise, x.weeks, x.scored, x.surges = 0.2, 8, 12, true
		s, sc := harder{inbox: x, scale: 2}.simulate(), newScore()
		sc.add(s, replaySim(s, backtestOptions()))
		if found := len(sc.starts); found < len(s.truths)*3/4 || sc.twice > 0 {
			t.Errorf("seed %d: of %d events %d were paged, and %d of them twice", x.seed, len(s.truths), found, sc.twice)
		}
	}
}

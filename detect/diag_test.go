package detect

import (
	"os"
	"testing"
)

func TestDiag(t *testing.T) {
	if os.Getenv("DIAG") == "" {
		t.Skip()
	}
	for _, x := range []inbox{{rate: 30, noise: 0.1, weeks: 8, scored: 12, deploys: 4, seed: 5}, {rate: 30, noise: 0.35, weeks: 8, scored: 12, deploys: 4, seed: 5}, {rate: 110, noise: 0.1, weeks: 8, scored: 12, deploys: 4, seed: 5}} {
		s := x.simulate()
		d := New(backtestOptions())
		n := 0
		for _, e := range s.events {
			var cs []Change
			switch e := e.(type) {
			case Complaint:
				cs = d.Complaint(e)
			case Deployment:
				cs = d.Deployment(e)
			}
			for _, c := range cs {
				if c.Kind == Opened {
					n++
					if n%8 == 0 {
						i := c.Incident
						b := &d.all.base
						t.Logf("%s %v %d in %v expected %.1f evidence %.1f limit %.1f; all: level %.1f v1 %.3f slope %.2f k60 %.1f k360 %.1f", i.DetectedAt.In(simLoc).Format("Mon 2 Jan 15:04"), i.Categories, i.Reason.Customers, i.Reason.Window, i.Reason.Expected, i.Reason.Evidence, i.Reason.Threshold, b.level, b.v1, b.slope, b.k(3600e9), b.k(6*3600e9))
					}
				}
			}
		}
		t.Logf("rate %v noise %v: %d pages in 20 weeks; limit %.1f", x.rate, x.noise, n, d.limit.current)
	}
}

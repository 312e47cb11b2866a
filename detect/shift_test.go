package detect

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"
)

// TestALevelThatRisesForGoodBecomesNormal: an inbox that is two and a half times
// as busy from one day on rings at first, and not for ever.
func TestALevelThatRisesForGoodBecomesNormal(t *testing.T) {
	first, later := 0, 0
	for seed := range uint64(4) {
		s := inbox{rate: 10, noise: 0.01, weeks: 8, scored: 6, seed: 900 + seed}.simulate()
		r := rand.New(rand.NewPCG(seed, 5))
		var list []Complaint
		for _, e := range s.events {
			c := e.(Complaint)
			list = append(list, c)
			for n := range 2 {
				if !c.At.Before(s.from) && (n == 0 || r.IntN(2) == 0) {
					more := c
					more.At = c.At.Add(time.Duration(r.IntN(3600)) * time.Second)
					more.Complainant = fmt.Sprintf("more%d@gmail.com", len(list))
					list = append(list, more)
				}
			}
		}
		sort.SliceStable(list, func(a, b int) bool { return list[a].At.Before(list[b].At) })
		s.events = s.events[:0]
		for _, c := range list {
			s.events = append(s.events, c)
		}
		for _, p := range replaySim(s, backtestOptions()) {
			switch {
			case p.DetectedAt.Before(s.from):
			case p.DetectedAt.Before(s.from.AddDate(0, 0, 14)):
				first++
			default:
				later++
			}
		}
	}
	if first == 0 || later > 12 {
		t.Errorf("4 inboxes paged %d times in the first two weeks and %d times in the next four", first, later)
	}
}

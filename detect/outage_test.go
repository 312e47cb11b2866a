package detect

import (
	"fmt"
	"sort"
	"testing"
	"time"
)

// heldBack takes the complaints of a span out of a simulation and lets them all
// come in when it is over, within spread.
func (s *simulation) heldBack(from, to time.Time, spread time.Duration) {
	var late []int
	for i, e := range s.events {
		if c, ok := e.(Complaint); ok && !c.At.Before(from) && c.At.Before(to) {
			late = append(late, i)
		}
	}
	for n, i := range late {
		c := s.events[i].(Complaint)
		c.At = to.Add(spread * time.Duration(n) / time.Duration(len(late)))
		s.events[i] = c
	}
	at := func(e any) time.Time {
		if d, ok := e.(Deployment); ok {
			return d.At
		}
		return e.(Complaint).At
	}
	sort.SliceStable(s.events, func(a, b int) bool { return at(s.events[a]).Before(at(s.events[b])) })
}

// TestHeldBackMailDoesNotRing: six hours of mail arrive in a bunch, and nobody
// is woken by it: not then, and not when the bunch has been forgotten, while
// windows still reach back into it.
func TestHeldBackMailDoesNotRing(t *testing.T) {
	for _, rate := range []float64{8, 30, 110} {
		for _, spread := range []time.Duration{2 * time.Minute, 15 * time.Minute} {
			t.Run(fmt.Sprintf("%v an hour, in %v", rate, spread), func(t *testing.T) {
				s := inbox{rate: rate, noise: 0.1, weeks: 5, scored: 1, seed: 11}.simulate()
				from := s.from.AddDate(0, 0, 1).Add(9 * time.Hour) // a Tuesday
				to := from.Add(6 * time.Hour)
				s.heldBack(from, to, spread)
				for _, p := range replaySim(s, backtestOptions()) {
					if p.DetectedAt.After(from) && p.DetectedAt.Before(to.Add(12*time.Hour)) {
						t.Errorf("paged %v after the outage: %v, %d customers since %v", p.DetectedAt.Sub(to), p.Categories, p.Reason.Customers, p.StartedAt.Sub(to))
					}
				}
			})
		}
	}
}

// TestASurgeAfterAnOutageIsFound: what was held back excuses no surge that
// begins an hour and a half later.
func TestASurgeAfterAnOutageIsFound(t *testing.T) {
	s := inbox{rate: 8, noise: 0.1, weeks: 5, scored: 1, seed: 11}.simulate()
	from := s.from.AddDate(0, 0, 1).Add(6 * time.Hour)
	to := from.Add(6 * time.Hour)
	begin := to.Add(90 * time.Minute)
	for n := range 40 {
		s.events = append(s.events, Complaint{At: begin.Add(time.Duration(n) * time.Minute), Category: "payment", Complainant: fmt.Sprintf("hit%d@gmail.com", n)})
	}
	s.heldBack(from, to, 5*time.Minute)
	for _, p := range replaySim(s, backtestOptions()) {
		if late := p.DetectedAt.Sub(begin); late >= 0 && late < 15*time.Minute {
			return
		}
	}
	t.Error("forty complaints in forty minutes paged nobody within a quarter of an hour")
}

// TestAnnouncedMailDoesNotRing: the answers to a mailing that was announced wake
// nobody, neither as they come nor when its half day is over.
func TestAnnouncedMailDoesNotRing(t *testing.T) {
	for _, announced := range []bool{true, false} {
		s := inbox{rate: 8, noise: 0.1, weeks: 5, scored: 1, seed: 12}.simulate()
		at := s.from.AddDate(0, 0, 1).Add(9 * time.Hour)
		if announced {
			s.events = append(s.events, Deployment{ID: "mailing", Service: "news", Kind: "campaign", At: at})
		}
		// Some answer at once, and as many again just before it is over.
		for n := range 50 {
			due := at.Add(time.Duration(n+1) * time.Minute)
			if n >= 25 {
				due = at.Add(11*time.Hour + time.Duration(n)*time.Minute)
			}
			s.events = append(s.events, Complaint{At: due, Category: "billing", Complainant: fmt.Sprintf("answer%d@gmail.com", n)})
		}
		s.heldBack(at, at, 0) // sorts
		var during int
		for _, p := range replaySim(s, backtestOptions()) {
			if p.DetectedAt.After(at) && p.DetectedAt.Before(at.Add(20*time.Hour)) {
				during++
			}
		}
		if announced && during > 0 || !announced && during == 0 {
			t.Errorf("announced %v: %d pages", announced, during)
		}
	}
}

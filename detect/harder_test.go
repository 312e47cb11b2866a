package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"
)

// harder is a simulated inbox whose surges are as hard to see as those on which
// the methods in use were measured elsewhere: scale shrinks them until the best
// of those finds about half. Decoys are put in, too: an outage of the inbox and
// its backlog, firms whose people write together, and people who write a dozen
// times.
type harder struct {
	inbox
	scale  float64
	decoys bool
}

func (x harder) simulate() *simulation {
	plain := x.inbox
	plain.surges = false
	s := plain.simulate()
	r := rand.New(rand.NewPCG(x.seed, 4242))
	var complaints []Complaint
	var deploys []Deployment
	for _, e := range s.events {
		switch e := e.(type) {
		case Complaint:
			complaints = append(complaints, e)
		case Deployment:
			deploys = append(deploys, e)
		}
	}
	n := 0
	add := func(at time.Time, kind string) {
		n++
		complaints = append(complaints, Complaint{At: at.Truncate(time.Second), Category: kind, Complainant: fmt.Sprintf("s%d@gmail.com", n)})
	}
	if x.surges {
		x.small(r, s, &deploys, add)
	}
	if x.decoys {
		complaints = x.deceive(r, s, complaints)
	}
	sort.SliceStable(complaints, func(a, b int) bool { return complaints[a].At.Before(complaints[b].At) })
	sort.SliceStable(deploys, func(a, b int) bool { return deploys[a].At.Before(deploys[b].At) })
	s.events = s.events[:0]
	for len(complaints)+len(deploys) > 0 {
		if len(complaints) == 0 || len(deploys) > 0 && !deploys[0].At.After(complaints[0].At) {
			s.events, deploys = append(s.events, deploys[0]), deploys[1:]
			continue
		}
		s.events, complaints = append(s.events, complaints[0]), complaints[1:]
	}
	return s
}

// small puts a surge into every fourth day or so, at any waking hour.
func (x harder) small(r *rand.Rand, s *simulation, deploys *[]Deployment, add func(time.Time, string)) {
	for day, n := x.weeks*7+1, int(x.seed); day < (x.weeks+x.scored)*7-2; day, n = day+3+r.IntN(2), n+1 {
		t := truth{shape: allShapes[n%len(allShapes)], start: s.begin.AddDate(0, 0, day).Add(time.Duration((7 + 15*r.Float64()) * float64(time.Hour)))}
		usual := x.rate * profileAt(t.start)
		size := x.scale * math.Exp(0.5*r.NormFloat64()) // no two surges are alike
		kinds, last, top := []string{[]string{"login", "payment", "slow", "bug"}[r.IntN(4)]}, time.Hour, size*(8+0.5*usual)
		rate := func(time.Duration) float64 { return top } // an hour
		switch t.shape[:2] {
		case "ra":
			last = 90 * time.Minute
			rate = func(m time.Duration) float64 { return 1.6 * top * m.Minutes() / 90 }
		case "th":
			kinds = []string{"login", "signup", "password"}
		case "3x":
			last, top = 150*time.Minute, size*(3+0.4*usual)
		}
		t.end = t.start.Add(last)
		if len(t.shape) > 8 && t.shape[len(t.shape)-8:] == "deployed" {
			d := Deployment{ID: fmt.Sprint("guilty ", day), Service: "web", Version: "bad", At: t.start.Add(-time.Duration((1 + 6*r.ExpFloat64()) * float64(time.Minute))).Truncate(time.Second)}
			*deploys, t.deployed = append(*deploys, d), d.ID
		}
		for at := time.Duration(0); at < last; at += time.Minute {
			for range poisson(r, rate(at)/60) {
				when := t.start.Add(at + time.Duration(r.Float64()*float64(time.Minute))).Truncate(time.Second)
				t.times = append(t.times, when)
				add(when, kinds[r.IntN(len(kinds))])
			}
		}
		if len(t.times) < 3 {
			continue // nobody may be woken by two
		}
		slices.SortFunc(t.times, time.Time.Compare)
		t.start = t.times[0]
		s.truths = append(s.truths, t)
	}
}

// deceive puts in what is no surge.
func (x harder) deceive(r *rand.Rand, s *simulation, list []Complaint) []Complaint {
	for day := 10; day < (x.weeks+x.scored)*7; day += 5 + r.IntN(5) {
		at := s.begin.AddDate(0, 0, day).Add(time.Duration((8 + 10*r.Float64()) * float64(time.Hour)))
		switch r.IntN(3) {
		case 0: // six colleagues
			for n := range 6 {
				org := fmt.Sprintf("together%d.example", day)
				list = append(list, Complaint{At: at.Add(time.Duration(r.IntN(600)) * time.Second), Category: "bug", Complainant: fmt.Sprintf("c%d@%s", n, org), Organisation: org})
			}
		case 1: // one who writes a dozen times
			for range 12 {
				list = append(list, Complaint{At: at.Add(time.Duration(r.IntN(5400)) * time.Second), Category: "payment", Complainant: fmt.Sprintf("angry%d@gmail.com", day)})
			}
		case 2: // no mail for six hours, then all of it
			end := at.Add(6 * time.Hour)
			for n := range list {
				if c := &list[n]; !c.At.Before(at) && c.At.Before(end) {
					c.At = end.Add(time.Duration(r.IntN(300)) * time.Second)
				}
			}
		}
	}
	return list
}

// forEach runs inboxes on the cores there are.
func forEach(list []harder, do func(i int, s *simulation)) {
	var g sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, x := range list {
		g.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			do(i, x.simulate())
		})
	}
	g.Wait()
}

func harderInboxes(rounds int, scale float64, decoys bool) (list []harder) {
	for _, rate := range []float64{0.5, 2, 8, 30, 110} {
		for round := range rounds {
			for _, noise := range []float64{0.1, 0.35} {
				list = append(list, harder{inbox{rate: rate, noise: noise, trend: 0.4*float64(round%3) - 0.3, weeks: 8, scored: 12, deploys: 4, surges: true,
					seed: uint64(9000+round*100+int(rate*10)) + uint64(noise*100)}, scale, decoys})
			}
		}
	}
	return list
}

// TestHarderStudy prints what the detector, its threshold learned, and the peers,
// theirs told, make of the same hard inboxes. DETECT_STUDY=1 runs it,
// DETECT_SCALE sets how large the surges are.
func TestHarderStudy(t *testing.T) {
	rounds, scale := 0, 1.0
	if _, err := fmt.Sscan(os.Getenv("DETECT_STUDY"), &rounds); err != nil {
		t.Skip("a study of some minutes: DETECT_STUDY=1 runs it")
	}
	fmt.Sscan(os.Getenv("DETECT_SCALE"), &scale)
	for _, decoys := range []bool{false, true} {
		inboxes := harderInboxes(rounds, scale, decoys)
		scores := make([][]*score, len(inboxes))
		forEach(inboxes, func(i int, s *simulation) {
			for _, count := range []float64{1, 4} {
				opt, sc := backtestOptions(), newScore()
				opt.FalseAlarms = Rate{count, 30 * 24 * time.Hour}
				sc.add(s, replaySim(s, opt))
				scores[i] = append(scores[i], sc)
			}
			for list, n := seriesOf(s), 0; n < len(peers); n++ {
				scores[i] = append(scores[i], toldBudget(s, peers[n].rated(s, list), 1))
			}
		})
		names := []string{"detector 1/30d, learned", "detector 4/30d, learned"}
		for _, p := range peers {
			names = append(names, p.name+", told")
		}
		t.Logf("scale %v, decoys %v, %d inboxes", scale, decoys, len(inboxes))
		for n, name := range names {
			total, worst := newScore(), 0.0
			for i := range scores {
				total.merge(scores[i][n])
				total.false30 += scores[i][n].false30 / float64(len(scores))
				worst = max(worst, scores[i][n].false30)
			}
			t.Logf("%-34s %s; false %.2f, worst %.2f", name, total, total.false30, worst)
			for _, shape := range allShapes {
				t.Logf("      %-16s found %3.0f %% of %d, complaints until the page %v", shape, total.share(shape), len(total.found[shape])+total.missed[shape], median(total.found[shape]))
			}
			if n < 2 {
				for i := 0; i < len(scores); i += 2 * rounds {
					at, wrong := newScore(), 0.0
					for k := i; k < i+2*rounds; k++ {
						at.merge(scores[k][n])
						wrong += scores[k][n].false30 / float64(2*rounds)
					}
					t.Logf("      %5.1f an hour: %s; false %.2f", inboxes[i].rate, at, wrong)
				}
			}
		}
	}
}

package detect

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"
)

// TestStudy prints the table of the package's documentation: false pages, and
// for each shape of surge the share found and the median number of its
// complaints until the page. DETECT_STUDY=1 runs it; DETECT_STUDY=3 on three
// times as many inboxes.
func TestStudy(t *testing.T) {
	rounds := 0
	if _, err := fmt.Sscan(os.Getenv("DETECT_STUDY"), &rounds); err != nil {
		t.Skip("a study of some minutes: DETECT_STUDY=1 runs it")
	}
	for _, budget := range []Rate{{1, 30 * 24 * time.Hour}, {4, 30 * 24 * time.Hour}} {
		total := newScore()
		var worst, sum, quiet, worstQuiet float64
		n := 0
		for _, rate := range []float64{0.5, 2, 8, 30, 110} {
			at, calm := newScore(), newScore()
			var list []inbox
			for round := range rounds {
				for _, noise := range []float64{0.1, 0.35} {
					x := inbox{rate: rate, noise: noise, trend: 0.4*float64(round%3) - 0.3, weeks: 8, scored: 12, deploys: 4, surges: true, seed: uint64(round*100+int(rate*10)) + uint64(noise*100)}
					y := x
					y.surges, y.seed = false, x.seed+7777
					list = append(list, x, y)
				}
			}
			scores := make([]*score, len(list))
			var g sync.WaitGroup
			slots := make(chan struct{}, 2)
			for i, x := range list {
				g.Go(func() {
					slots <- struct{}{}
					defer func() { <-slots }()
					opt := backtestOptions()
					opt.FalseAlarms = budget
					s := x.simulate()
					scores[i] = newScore()
					scores[i].add(s, replaySim(s, opt))
				})
			}
			g.Wait()
			for i, sc := range scores {
				if list[i].surges {
					at.merge(sc)
					at.false30 += sc.false30
					worst = max(worst, sc.false30)
					sum += sc.false30
					n++
				} else {
					calm.false30 += sc.false30
					quiet += sc.false30
					worstQuiet = max(worstQuiet, sc.false30)
				}
			}
			t.Logf("%v/30d, %5.1f an hour: %s, false %.2f, quiet %.2f", budget.Count, rate, at, at.false30/float64(2*rounds), calm.false30/float64(2*rounds))
			total.merge(at)
		}
		t.Logf("%v/30d, all: %s, false %.2f (worst %.2f), quiet %.2f (worst %.2f)", budget.Count, total, sum/float64(n), worst, quiet/float64(n), worstQuiet)
		for _, shape := range allShapes {
			t.Logf("  %-16s found %3.0f %%, complaints until the page %v", shape, total.share(shape), median(total.found[shape]))
		}
	}
}

func (sc *score) merge(o *score) {
	for k, v := range o.found {
		sc.found[k] = append(sc.found[k], v...)
	}
	for k, v := range o.missed {
		sc.missed[k] += v
	}
	sc.right, sc.guilty, sc.innocent, sc.free, sc.twice = sc.right+o.right, sc.guilty+o.guilty, sc.innocent+o.innocent, sc.free+o.free, sc.twice+o.twice
	sc.starts = append(sc.starts, o.starts...)
}

func (sc *score) share(shape string) float64 {
	f, m := len(sc.found[shape]), sc.missed[shape]
	if f+m == 0 {
		return 0
	}
	return 100 * float64(f) / float64(f+m)
}

func (sc *score) String() string {
	f, m := 0, 0
	var all []int
	for _, v := range sc.found {
		f += len(v)
		all = append(all, v...)
	}
	for _, v := range sc.missed {
		m += v
	}
	slices.Sort(sc.starts)
	start := 0.0
	if len(sc.starts) > 0 {
		start = sc.starts[len(sc.starts)/2]
	}
	return fmt.Sprintf("found %.0f %% of %d after %v complaints, guilty named %.0f %%, innocent %.0f %%, start off by %.1f min, twice %d",
		100*float64(f)/float64(max(1, f+m)), f+m, median(all), 100*float64(sc.right)/float64(max(1, sc.guilty)), 100*float64(sc.innocent)/float64(max(1, sc.free)), start, sc.twice)
}

func median(v []int) float64 {
	if len(v) == 0 {
		return -1
	}
	s := slices.Clone(v)
	sort.Ints(s)
	return float64(s[len(s)/2]+s[(len(s)-1)/2]) / 2
}

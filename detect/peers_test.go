package detect

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

// Peers: what teams use today, written down as their authors describe it and
// put beside the detector on the same inboxes. They look at how many
// complainants wrote in the last hour, every five minutes, of each kind and of
// all together; that is kinder to them than the full hours they are used with.

const (
	peerStep = 5 * time.Minute
	peerHour = int(time.Hour / peerStep)
	peerWeek = 168 * peerHour
	// peerRest is how long one must have been silent to page anew.
	peerRest = 3 * time.Hour
)

// series is how many distinct complainants wrote in the hour before each step.
type series struct {
	lastHour []float64
}

// at is the number i steps after the beginning; before it there is none.
func (s *series) at(i int) float64 {
	if i < 0 || i >= len(s.lastHour) {
		return 0
	}
	return s.lastHour[i]
}

// peer rates a step of a series: the higher, the more unusual.
type peer struct {
	name string
	rate func(s *series, i int) float64
}

var peers = []peer{
	{"fixed N in an hour", func(s *series, i int) float64 { return s.at(i) }},
	{"mean + k sd by hour of week", func(s *series, i int) float64 {
		mean, sd := moments(sameHours(s, i))
		return (s.at(i) - mean) / max(sd, 1)
	}},
	{"max(5, 3 x median), robust z", func(s *series, i int) float64 {
		v := sameHours(s, i)
		middle := medianOf(v)
		for n := range v {
			v[n] = math.Abs(v[n] - middle)
		}
		if s.at(i) < max(5, 3*middle) {
			return 0
		}
		return (s.at(i) - middle) / max(1.4826*medianOf(v), 1)
	}},
	{"EARS C1", func(s *series, i int) float64 { return ears(s, i, 1) }},
	{"EARS C2", func(s *series, i int) float64 { return ears(s, i, 3) }},
	{"EARS C3", func(s *series, i int) float64 {
		sum := 0.0
		for back := range 3 {
			sum += max(0, ears(s, i-back*peerHour, 3)-1)
		}
		return sum
	}},
}

// ears is the statistic of Hutwagner et al. 2003 over hours: how many standard
// deviations above the mean of seven of them that end lag hours ago.
func ears(s *series, i, lag int) float64 {
	var v [7]float64
	for n := range v {
		v[n] = s.at(i - (lag+n)*peerHour)
	}
	mean, sd := moments(v[:])
	return (s.at(i) - mean) / max(sd, 0.5)
}

// sameHours are the numbers at this time of the eight weeks before.
func sameHours(s *series, i int) []float64 {
	v := make([]float64, 0, 8)
	for n := 1; n <= 8 && i >= n*peerWeek; n++ {
		v = append(v, s.at(i-n*peerWeek))
	}
	return v
}

func moments(v []float64) (mean, sd float64) {
	if len(v) < 2 {
		return 0, 0
	}
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sd += (x - mean) * (x - mean) / float64(len(v)-1)
	}
	return mean, math.Sqrt(sd)
}

func medianOf(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return (s[len(s)/2] + s[(len(s)-1)/2]) / 2
}

// seriesOf counts a simulation: all together first, then each kind.
func seriesOf(s *simulation) []*series {
	steps := int(s.end.Sub(s.begin)/peerStep) + 1
	names := map[string]int{"": 0}
	list := []*series{{make([]float64, steps)}}
	last := map[string]time.Time{}
	for _, e := range s.events {
		c, ok := e.(Complaint)
		if !ok {
			continue
		}
		i, known := names[c.Category]
		if !known {
			i = len(list)
			names[c.Category] = i
			list = append(list, &series{make([]float64, steps)})
		}
		for _, n := range []int{0, i} {
			// One person counts once a day, as in the detector.
			key := fmt.Sprint(n, c.Complainant)
			if at, ok := last[key]; ok && c.At.Sub(at) < countOnce {
				continue
			}
			last[key] = c.At
			from := int((c.At.Sub(s.begin) + peerStep - 1) / peerStep)
			for k := from; k < min(from+peerHour, steps); k++ {
				list[n].lastHour[k]++
			}
		}
	}
	return list
}

// rated is the highest rating of any series at each step of the scored weeks.
func (p peer) rated(s *simulation, list []*series) []float64 {
	from := int(s.from.Sub(s.begin) / peerStep)
	v := make([]float64, len(list[0].lastHour))
	for i := from; i < len(v); i++ {
		for _, x := range list {
			v[i] = max(v[i], p.rate(x, i))
		}
	}
	return v
}

// pages are what a threshold makes of ratings.
func pages(s *simulation, rated []float64, threshold float64) (list []Incident) {
	silent := time.Time{}
	for i, v := range rated {
		if v < threshold || v <= 0 {
			continue
		}
		at := s.begin.Add(time.Duration(i) * peerStep)
		if !at.Before(silent) {
			list = append(list, Incident{DetectedAt: at, StartedAt: at})
		}
		silent = at.Add(peerRest)
	}
	return list
}

// toldBudget finds the lowest threshold with which at most perMonth false pages come
// in 30 days: a gift, since it takes the truth to know it.
func toldBudget(s *simulation, rated []float64, perMonth float64) (best *score) {
	levels := slices.Clone(rated)
	slices.Sort(levels)
	levels = slices.Compact(levels)
	try := func(threshold float64) *score {
		sc := newScore()
		sc.add(s, pages(s, rated, threshold))
		return sc
	}
	low, high := 0, len(levels)-1
	best = try(math.Inf(1))
	for low <= high {
		middle := (low + high) / 2
		if sc := try(levels[middle]); sc.false30 <= perMonth {
			best, high = sc, middle-1
		} else {
			low = middle + 1
		}
	}
	return best
}

// TestPeers prints what the peers find on the inboxes of the study.
// DETECT_STUDY=1 runs it.
func TestPeers(t *testing.T) {
	rounds := 0
	if _, err := fmt.Sscan(os.Getenv("DETECT_STUDY"), &rounds); err != nil {
		t.Skip("a study of some minutes: DETECT_STUDY=1 runs it")
	}
	total := make([]*score, len(peers))
	for i := range total {
		total[i] = newScore()
	}
	n := 0
	for _, rate := range []float64{0.5, 2, 8, 30, 110} {
		for round := range rounds {
			for _, noise := range []float64{0.1, 0.35} {
				n++
				s := inbox{rate: rate, noise: noise, trend: 0.4*float64(round%3) - 0.3, weeks: 8, scored: 12, deploys: 4, surges: true,
					seed: uint64(round*100+int(rate*10)) + uint64(noise*100)}.simulate()
				list := seriesOf(s)
				for i, p := range peers {
					sc := toldBudget(s, p.rated(s, list), 1)
					total[i].merge(sc)
					total[i].false30 += sc.false30
				}
			}
		}
	}
	for i, p := range peers {
		t.Logf("%-30s false %.2f", p.name, total[i].false30/float64(n))
		found, missed := []int{}, 0
		for _, shape := range allShapes {
			found, missed = append(found, total[i].found[shape]...), missed+total[i].missed[shape]
			t.Logf("    %-16s found %3.0f %%, complaints until the page %v", shape, total[i].share(shape), median(total[i].found[shape]))
		}
		t.Logf("    %-16s found %3.0f %%, complaints until the page %v", "all", 100*float64(len(found))/float64(max(1, len(found)+missed)), median(found))
	}
}

// TestPeersAreWhatTheyAreCalled holds the peers to their definitions: a table
// beside straw men would say nothing.
func TestPeersAreWhatTheyAreCalled(t *testing.T) {
	now := 9 * peerWeek
	quiet, jump := &series{make([]float64, now+1)}, &series{make([]float64, now+1)}
	for i := range quiet.lastHour {
		quiet.lastHour[i] = float64(4 + i/peerHour%3) // 4, 5, 6 and again
		jump.lastHour[i] = quiet.lastHour[i]
	}
	jump.lastHour[now] = 20
	for _, p := range peers {
		calm, loud := p.rate(quiet, now), p.rate(jump, now)
		if loud < 4 || loud < calm+3 {
			t.Errorf("%s: 20 where 5 are normal is rated %.1f, a normal hour %.1f", p.name, loud, calm)
		}
	}
	// Hours of 4, 5, 6, 4, 5, 6 and 4: mean 34/7, sd 0.9, and 20 is 16.8 of them away.
	if got := ears(jump, now, 1); math.Abs(got-16.8) > 0.5 {
		t.Errorf("EARS C1 is %.2f, want 16.8", got)
	}
	s := &simulation{begin: time.Unix(0, 0), end: time.Unix(1e7, 0)}
	rated := make([]float64, 200)
	rated[3], rated[30], rated[150] = 5, 7, 9
	if got := pages(s, rated, 6); len(got) != 2 || !got[0].DetectedAt.Equal(s.begin.Add(30*peerStep)) {
		t.Errorf("threshold 6 gives %d pages, want those of 7 and 9: %+v", len(got), got)
	}
	if got := pages(s, rated, 5); len(got) != 3-1 {
		t.Errorf("threshold 5 gives %d pages, want two: 5 and 7 are within %v", len(got), peerRest)
	}
}

package detect

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The bounds that spare a scan its logarithms must not change what it finds.
func TestScanFindsWhatTryingEveryWindowFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		s := &stream{}
		s.base.flat(1 + 100*r.Float64())
		now := time.Unix(1_800_000_000, 0)
		s.base.rate(weekHour{})
		hours := &calendar{loc: time.UTC}
		for range 600 {
			mean := s.base.current / (1 + 2*r.Float64())
			if r.IntN(50) == 0 {
				s.backlog = backlog{count: 5 * r.Float64(), from: now, until: now.Add(time.Hour), fade: backlogFade}
			}
			now = now.Add(time.Duration(r.ExpFloat64() / mean * float64(time.Hour)))
			s.advance(now, hours)
			s.add(event{at: now})
			want := s.everyWindow(now)
			if got := s.scan(now, leastScan); got != want {
				t.Fatalf("round %d: scan found %+v, trying every window %+v", round, got, want)
			}
			// A floor hides what is not above it, and nothing else.
			floor := leastScan + 5*r.Float64()
			if want.evidence <= floor {
				want = window{}
			}
			if got := s.scan(now, floor); got != want {
				t.Fatalf("round %d: above %.3f scan found %+v, trying every window %+v", round, floor, got, want)
			}
		}
	}
}

func (s *stream) everyWindow(now time.Time) (best window) {
	best.evidence = leastScan
	gap := 1
	for back := 2; back <= len(s.events); back += gap {
		if back > 16 {
			gap = 1 + back/12
		}
		i := len(s.events) - back
		e := &s.events[i]
		lambda, k := s.expect(e, e.tau, now.UnixNano(), float64(back-1))
		if g := ratio(float64(back-1), lambda, k); g > best.evidence {
			best = window{start: e.at, first: i, count: back, expected: lambda, evidence: g}
		}
	}
	if best.count == 0 {
		return window{}
	}
	return best
}

// Somebody counts once in a stream and a day, even when so many write in
// between that the memory turns.
func TestSomebodyIsRememberedForADay(t *testing.T) {
	var m memory[int]
	at := time.Unix(1_800_000_000, 0)
	s := &stream{id: 3}
	first := known{who: m.of(-1, at)}
	if !first.counts(s, at) {
		t.Fatal("a first complaint did not count")
	}
	for i := range mostPeople * 3 / 4 {
		m.of(i, at).add(s.id, at)
	}
	if (known{who: m.of(-1, at)}).counts(s, at.Add(countOnce-1)) {
		t.Error("a second complaint within the day counted")
	}
	if !(known{who: m.of(-1, at)}).counts(s, at.Add(countOnce)) {
		t.Error("a complaint a day later did not count")
	}
	if n := len(m.young.list) + len(m.old.list); n > mostPeople+1 {
		t.Errorf("%d are remembered", n)
	}
}

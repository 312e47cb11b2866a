package detect

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func surgeWeeks() *simulation {
	return inbox{rate: 3, noise: 0.2, weeks: 2, scored: 2, deploys: 4, surges: true, seed: 3}.simulate()
}

// told are changes as people see them, for comparison.
func told(t *testing.T, changes []Change) []string {
	t.Helper()
	var list []string
	for _, c := range changes {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(b))
	}
	return list
}

func equal(t *testing.T, what string, a, b []string) {
	t.Helper()
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			t.Fatalf("%s: change %d is\n%s\nand was\n%s", what, i, y, x)
		}
	}
	if len(a) < 20 {
		t.Fatalf("%s: only %d changes, too few to say anything", what, len(a))
	}
}

// TestARestartAnywhereChangesNothing: a detector fed the same events again goes
// on as if nothing had happened.
func TestARestartAnywhereChangesNothing(t *testing.T) {
	s := surgeWeeks()
	want := told(t, feed(New(backtestOptions()), s.events))
	r := rand.New(rand.NewPCG(7, 7))
	for range 3 {
		cut := r.IntN(len(s.events))
		d := New(backtestOptions())
		before := feed(d, s.events[:cut])
		again := New(backtestOptions())
		feed(again, s.events[:cut])
		equal(t, "after a restart", want, told(t, append(before, feed(again, s.events[cut:])...)))
	}
}

// TestHowOftenTheTimeIsToldChangesNothing: ticks between the events change no
// decision and no time in one.
func TestHowOftenTheTimeIsToldChangesNothing(t *testing.T) {
	s := surgeWeeks()
	end := s.end
	want := told(t, feed(New(backtestOptions()), append(s.events[:len(s.events):len(s.events)], end)))
	for _, every := range []time.Duration{time.Hour, 97 * time.Second} {
		var ticked []any
		next := s.begin
		for _, e := range s.events {
			at := time.Time{}
			switch e := e.(type) {
			case Complaint:
				at = e.At
			case Deployment:
				at = e.At
			}
			for ; next.Before(at); next = next.Add(every) {
				ticked = append(ticked, next)
			}
			ticked = append(ticked, e)
		}
		for ; !next.After(end); next = next.Add(every) {
			ticked = append(ticked, next)
		}
		equal(t, "with ticks every "+every.String(), want, told(t, feed(New(backtestOptions()), append(ticked, end))))
	}
}

// TestNamesOfCustomersChangeNothing: only who is the same person counts.
func TestNamesOfCustomersChangeNothing(t *testing.T) {
	s := surgeWeeks()
	want := told(t, feed(New(backtestOptions()), s.events))
	renamed := make([]any, len(s.events))
	for i, e := range s.events {
		if c, ok := e.(Complaint); ok {
			c.Complainant = "x" + strings.ToUpper(c.Complainant) + "y"
			if c.Organisation != "" {
				c.Organisation = "z" + c.Organisation
			}
			e = c
		}
		renamed[i] = e
	}
	equal(t, "with other names", want, told(t, feed(New(backtestOptions()), renamed)))
}

// TestTheFutureChangesNothing: what was paged until an instant does not depend
// on what comes after it.
func TestTheFutureChangesNothing(t *testing.T) {
	s := surgeWeeks()
	all := told(t, feed(New(backtestOptions()), s.events))
	for _, cut := range []int{len(s.events) / 3, len(s.events) / 2, len(s.events) * 4 / 5} {
		part := told(t, feed(New(backtestOptions()), s.events[:cut]))
		if len(part) > len(all) {
			t.Fatalf("%d changes until event %d, %d in all", len(part), cut, len(all))
		}
		for i := range part {
			if part[i] != all[i] {
				t.Fatalf("change %d until event %d is\n%s\nand with what follows\n%s", i, cut, part[i], all[i])
			}
		}
	}
}

// TestBadInputIsBorne: out of order, twice, with gaps and jumps, in floods.
func TestBadInputIsBorne(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	at := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	d := New(backtestOptions())
	for n := range 700 {
		switch r.IntN(50) {
		case 0:
			at = at.Add(time.Duration(r.IntN(40)) * 24 * time.Hour)
		case 1:
			at = at.Add(-time.Duration(r.IntN(3000)) * time.Minute)
		case 2:
			d.Gap(Gap{From: at.Add(-time.Hour), To: at.Add(time.Hour)})
			d.Gap(Gap{From: at, To: at.Add(-time.Hour)})
		case 3:
			d.Deployment(Deployment{ID: string(rune('a' + r.IntN(26))), Service: "web", At: at, Kind: []string{"", "campaign", "rollback"}[r.IntN(3)]})
		case 4:
			d.Relabel(Relabel{Complaint: Complaint{At: at, Category: "login", Complainant: "x"}, To: "signup", At: at})
		case 5:
			d.Outcome(Outcome{At: at, Service: "s", Action: "login", Succeeded: r.IntN(100), Failed: r.IntN(100)})
		case 6:
			d.Trouble(Trouble{At: at, Kind: "blind", Key: "k", Over: r.IntN(2) == 0})
		case 7:
			for _, i := range d.Incidents() {
				d.Decide(Decision{Incident: i.ID, Verb: []Verb{Acknowledge, Resolve, Dismiss, Note, "x"}[r.IntN(5)], At: at})
			}
		case 8:
			d.Complaint(Complaint{})
			d.Complaint(Complaint{At: time.Date(1816, 1, 1, 0, 0, 0, 0, time.UTC), Category: "login", Complainant: "x", History: r.IntN(2) == 0})
			d.Tick(time.Time{})
		}
		d.Complaint(Complaint{At: at, Category: string(rune('a' + n%200)), Complainant: string(rune(r.IntN(500))), Print: uint64(r.IntN(3)), Organisation: "o"})
		at = at.Add(time.Duration(r.IntN(120)) * time.Second)
	}
	for n := range 60_000 { // a flood within an hour
		d.Complaint(Complaint{At: at.Add(time.Duration(n) * time.Hour / 60_000), Category: "login", Complainant: string(rune(n))})
	}
	if len(d.people.young.list)+len(d.people.old.list) > mostPeople || len(d.streams) > mostStreams {
		t.Errorf("%d people and %d streams are remembered", len(d.people.young.list)+len(d.people.old.list), len(d.streams))
	}
	for _, s := range d.streams {
		if len(s.events) > mostWindow {
			t.Errorf("stream %q remembers %d complaints", s.name, len(s.events))
		}
	}
}

// BenchmarkBusyInbox feeds 20 weeks at 110 complaints an hour.
func BenchmarkBusyInbox(b *testing.B) {
	s := inbox{rate: 110, noise: 0.1, weeks: 8, scored: 12, deploys: 4, seed: 5}.simulate()
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		feed(New(backtestOptions()), s.events)
	}
	b.ReportMetric(float64(b.N)*float64(len(s.events))/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(len(s.events)), "events")
}

// BenchmarkRebuild feeds a year of 2,000 complaints a day, as at a start.
func BenchmarkRebuild(b *testing.B) {
	s := inbox{rate: 83, noise: 0.1, weeks: 26, scored: 26, deploys: 2, seed: 6}.simulate()
	b.ResetTimer()
	for b.Loop() {
		feed(New(backtestOptions()), s.events)
	}
	b.ReportMetric(float64(len(s.events)), "events")
}

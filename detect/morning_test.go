package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"testing"
	"time"
)

// morning is the day Tocsin was built for: a deployment at 9:40, the first
// complaint at 9:45, 150 by 11:10, after weeks of a quiet inbox.
type morning struct {
	weeks   int    // of history
	kind    string // of the history's complaints; "" for several
	deploy  bool
	kinds   []string // of the surge
	history bool     // the history was in the inbox before the first start
}

func (m morning) events(t testing.TB) (events []any, deployed, first time.Time) {
	t.Helper()
	day := time.Date(2026, 11, 17, 0, 0, 0, 0, simLoc)
	r := rand.New(rand.NewPCG(1, 2))
	var list []Complaint
	for d := -7 * m.weeks; d < 0; d++ {
		at := day.AddDate(0, 0, d)
		n := 2 + r.IntN(4)
		if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday {
			n = r.IntN(2)
		}
		for range n {
			kind := m.kind
			if kind == "" {
				kind = simKinds[r.IntN(len(simKinds))].name
			}
			list = append(list, Complaint{At: at.Add(8*time.Hour + time.Duration(r.Float64()*10*float64(time.Hour))), Category: kind,
				Complainant: fmt.Sprintf("old%d@gmail.com", len(list)), History: m.history})
		}
	}
	sort.Slice(list, func(a, b int) bool { return list[a].At.Before(list[b].At) })
	for _, c := range list {
		events = append(events, c)
	}
	deployed, first = day.Add(9*time.Hour+40*time.Minute), day.Add(9*time.Hour+45*time.Minute)
	if m.deploy {
		events = append(events, Deployment{ID: "d", Service: "web", Version: "2.4.0", At: deployed})
	}
	for n := range 150 {
		at := first.Add(time.Duration(math.Pow(float64(n)/149, 0.8) * float64(85*time.Minute)))
		events = append(events, Complaint{At: at, Category: m.kinds[n%len(m.kinds)], Complainant: fmt.Sprintf("p%d@gmail.com", n), MessageID: fmt.Sprint("m", n)})
	}
	return events, deployed, first
}

// feed runs events through a detector and returns every change.
func feed(d *Detector, events []any) (changes []Change) {
	for _, e := range events {
		switch e := e.(type) {
		case Complaint:
			changes = append(changes, d.Complaint(e)...)
		case Deployment:
			changes = append(changes, d.Deployment(e)...)
		case time.Time:
			changes = append(changes, d.Tick(e)...)
		}
	}
	return changes
}

func opened(changes []Change) (list []Change) {
	for _, c := range changes {
		if c.Kind == Opened {
			list = append(list, c)
		}
	}
	return list
}

// TestTheMorningRingsOnceByTheFourthComplaint is what the product exists for.
func TestTheMorningRingsOnceByTheFourthComplaint(t *testing.T) {
	for name, m := range map[string]morning{
		"six weeks of quiet":             {weeks: 6, deploy: true, kinds: []string{"login"}},
		"six weeks, read at the start":   {weeks: 6, deploy: true, kinds: []string{"login"}, history: true},
		"login and signup together":      {weeks: 6, deploy: true, kinds: []string{"login", "signup", "login"}},
		"history of another kind only":   {weeks: 6, kind: "billing", deploy: true, kinds: []string{"login"}},
		"without a deployment":           {weeks: 6, kinds: []string{"login"}},
		"no history at all":              {weeks: 0, deploy: true, kinds: []string{"login"}},
		"a week of history":              {weeks: 1, deploy: true, kinds: []string{"login", "signup"}},
		"a kind nobody ever heard about": {weeks: 6, deploy: true, kinds: []string{"teleporter"}},
	} {
		t.Run(name, func(t *testing.T) {
			events, deployed, first := m.events(t)
			d := New(backtestOptions())
			changes := feed(d, append(events, first.Add(6*time.Hour)))
			pages := opened(changes)
			if len(pages) != 1 {
				t.Fatalf("%d pages, want 1: %+v", len(pages), pages)
			}
			p := pages[0]
			n := 0
			for _, e := range events {
				if c, ok := e.(Complaint); ok && !c.At.Before(first) && !c.At.After(p.At) {
					n++
				}
			}
			limit := 4
			if !m.deploy {
				limit = 6 // nothing speaks for it
			}
			if n > limit || n < leastPeople {
				t.Errorf("paged at complaint %d (%s), want %d to %d", n, p.At.Format("15:04"), leastPeople, limit)
			}
			switch s := p.Incident.Suspect; {
			case m.deploy && (s == nil || s.Deployment.Version != "2.4.0"):
				t.Errorf("suspect is %+v", s)
			case m.deploy && s.Lead != first.Sub(deployed):
				t.Errorf("lead is %v, want %v", s.Lead, first.Sub(deployed))
			case !m.deploy && s != nil:
				t.Errorf("suspect is %+v where nothing was deployed", s)
			}
			last := changes[len(changes)-1]
			if last.Kind != DidResolve && last.Kind != Clean {
				t.Errorf("the last change is %s at %s, not the end of the incident", last.Kind, last.At.Format("15:04"))
			}
			for _, c := range changes {
				if c.Kind == DidResolve && c.Incident.ID == p.Incident.ID && (c.Incident.Now.Customers != 150 || c.At.Before(first.Add(85*time.Minute))) {
					t.Errorf("resolved %s with %d customers", c.At.Format("15:04"), c.Incident.Now.Customers)
				}
			}
			if k := p.Incident.Categories; len(m.kinds) > 1 && (len(k) != 2 || k[0] != "login") {
				t.Errorf("the page names %v", k)
			}
		})
	}
}

// TestNobodyIsWokenByOne: an angry customer, one firm, or the same text sent by
// many is no surge.
func TestNobodyIsWokenByOne(t *testing.T) {
	base, _, first := morning{weeks: 6, kinds: []string{"login"}}.events(t)
	base = base[:len(base)-150]
	for name, make := range map[string]func(n int) Complaint{
		"ten mails of one customer": func(n int) Complaint { return Complaint{Complainant: "angry@gmail.com"} },
		"colleagues of one firm": func(n int) Complaint {
			return Complaint{Complainant: fmt.Sprintf("p%d@firm.example", n), Organisation: "firm.example"}
		},
		"one text from many": func(n int) Complaint { return Complaint{Complainant: fmt.Sprintf("p%d@gmail.com", n), Print: 77} },
		"answers in a thread": func(n int) Complaint {
			return Complaint{Complainant: fmt.Sprintf("p%d@gmail.com", n), FollowUp: true}
		},
		"history": func(n int) Complaint { return Complaint{Complainant: fmt.Sprintf("p%d@gmail.com", n), History: true} },
	} {
		t.Run(name, func(t *testing.T) {
			events := base
			for n := range 10 {
				c := make(n)
				c.At, c.Category = first.Add(time.Duration(n)*time.Minute), "login"
				events = append(events[:len(events):len(events)], c)
			}
			if p := opened(feed(New(backtestOptions()), events)); len(p) != 0 {
				t.Errorf("it paged: %+v", p[0].Incident.Reason)
			}
		})
	}
}

// TestADecisionIsKept: acknowledged, dismissed and resolved by hand.
func TestADecisionIsKept(t *testing.T) {
	events, _, first := morning{weeks: 6, deploy: true, kinds: []string{"login"}}.events(t)
	d := New(backtestOptions())
	history := len(events) - 151
	changes := feed(d, events[:history+30])
	page := opened(changes)[0]
	decide := func(v Verb) ([]Change, error) {
		return d.Decide(Decision{Incident: page.Incident.ID, Verb: v, Who: "anna", At: first.Add(30 * time.Minute)})
	}
	if c, err := decide(Acknowledge); err != nil || c[len(c)-1].Incident.AcknowledgedBy != "anna" {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := decide(Acknowledge); err == nil {
		t.Error("acknowledged twice")
	}
	if c, err := decide(Dismiss); err != nil || !c[len(c)-1].Incident.FalseAlarm || c[len(c)-1].Incident.State != Resolved {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := decide(Resolve); err == nil {
		t.Error("resolved after it was dismissed")
	}
	if p := opened(feed(d, events[history+30:history+50])); len(p) != 0 {
		t.Errorf("it paged again at once after it was called a false alarm: %+v", p[0].Incident.Reason)
	}
	if _, err := d.Decide(Decision{Incident: "nope", Verb: Resolve, At: first}); err == nil {
		t.Error("an incident that never was could be resolved")
	}
}

// TestTroubleIsAnIncident: blindness opens once and ends.
func TestTroubleIsAnIncident(t *testing.T) {
	d := New(Options{})
	at := time.Date(2026, 11, 17, 9, 0, 0, 0, time.UTC)
	x := Trouble{At: at, Kind: "blind", Key: "support/INBOX", Text: "blind", Page: true}
	if c := d.Trouble(x); len(c) != 1 || c[0].Kind != Opened || c[0].Incident.Level != Paging {
		t.Fatalf("%+v", c)
	}
	if c := d.Trouble(x); len(c) != 0 {
		t.Errorf("opened twice: %+v", c)
	}
	x.Over, x.At = true, at.Add(time.Hour)
	if c := d.Trouble(x); len(c) != 1 || c[0].Kind != DidResolve {
		t.Errorf("%+v", c)
	}
}

package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// minutes reports an action's attempts, one outcome a minute.
func minutes(d *Detector, action string, from time.Time, n, succeeded, failed int) (changes []Change) {
	for i := range n {
		changes = append(changes, d.Outcome(Outcome{At: from.Add(time.Duration(i) * time.Minute), Service: "web", Action: action, Succeeded: succeeded, Failed: failed})...)
	}
	return changes
}

func kindsOf(changes []Change) string {
	var list []string
	for _, c := range changes {
		if c.Kind != Clean {
			list = append(list, string(c.Kind))
		}
	}
	return strings.Join(list, " ")
}

var signalDay = time.Date(2026, 11, 17, 8, 0, 0, 0, time.UTC)

// TestADropRaisesAnIncidentByItself, of any action, and ends with it.
func TestADropRaisesAnIncidentByItself(t *testing.T) {
	for _, c := range []struct {
		name, want string
		two        bool
		ok, failed int
	}{
		{"failures page", "opened resolved", false, 20, 20},
		{"by configuration they only warn", "warned resolved", true, 20, 20},
		{"a few more failures are chance", "", false, 38, 2},
		{"no attempt at all pages", "opened resolved", false, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New(Options{TwoSignals: c.two, Kinds: []Kind{{Name: "login", Page: true}}})
			got := minutes(d, "checkout", signalDay, 120, 40, 1)
			got = append(got, minutes(d, "checkout", signalDay.Add(2*time.Hour), 20, c.ok, c.failed)...)
			got = append(got, minutes(d, "checkout", signalDay.Add(2*time.Hour+20*time.Minute), 40, 40, 1)...)
			if kindsOf(got) != c.want {
				t.Errorf("changes are %q, want %q", kindsOf(got), c.want)
			}
			for _, g := range got {
				if g.Kind == Opened && g.Incident.Reason.Text == "" {
					t.Error("the page does not say what dropped")
				}
			}
		})
	}
}

// TestTheQuietOfANightIsNoOutage: attempts that thin out in the evening and
// cease are what every night looks like.
func TestTheQuietOfANightIsNoOutage(t *testing.T) {
	d := New(Options{})
	start := time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC)
	var changes []Change
	for n := range 6 * 24 * 60 {
		at := start.Add(time.Duration(n) * time.Minute)
		ok := 0
		switch h := at.Hour(); {
		case h >= 8 && h < 20:
			ok = 10
		case h == 20 || h == 7:
			ok = 2
		case h == 21:
			ok = n % 2
		}
		changes = append(changes, d.Outcome(Outcome{At: at, Service: "web", Action: "login", Succeeded: ok})...)
	}
	if len(opened(changes)) > 0 {
		t.Errorf("a night paged: %s", opened(changes)[0].Incident.Reason.Text)
	}
	noon := start.AddDate(0, 0, 6).Add(9 * time.Hour)
	minutes(d, "login", start.AddDate(0, 0, 6), 9*60, 0, 0) // a holiday's morning
	minutes(d, "login", noon, 60, 10, 0)
	if got := kindsOf(minutes(d, "login", noon.Add(time.Hour), 10, 0, 0)); got != "opened" {
		t.Errorf("an outage at ten in the morning: %q", got)
	}
}

// TestTwoSignalsAreOneIncident: whichever comes first, it rings once.
func TestTwoSignalsAreOneIncident(t *testing.T) {
	for name, c := range map[string]struct {
		complaintsFirst, two bool
		want                 string
	}{
		"complaints, then failures":                      {true, false, "opened grew"},
		"failures, then complaints":                      {false, false, "opened grew"},
		"a warning of complaints, confirmed by failures": {true, true, "warned opened"},
		"a warning of failures, confirmed by complaints": {false, true, "warned opened"},
	} {
		t.Run(name, func(t *testing.T) {
			events, _, first := morning{weeks: 6, kinds: []string{"login"}}.events(t)
			opt := backtestOptions()
			opt.TwoSignals = c.two
			d := New(opt)
			history := len(events) - 150
			feed(d, events[:history])
			minutes(d, "signin", first.Add(-3*time.Hour), 178, 40, 1)
			var got []Change
			fail := func() {
				got = append(got, minutes(d, "signin", first.Add(9*time.Minute), 4, 20, 20)...)
			}
			if c.complaintsFirst {
				got = append(got, feed(d, events[history:history+7])...)
				fail()
			} else {
				fail()
				for n := range 7 {
					got = append(got, d.Complaint(Complaint{At: first.Add(13*time.Minute + time.Duration(n)*20*time.Second), Category: "login", Complainant: fmt.Sprint("x", n)})...)
				}
			}
			ids := map[string]bool{}
			for _, g := range got {
				ids[g.Incident.ID] = true
			}
			if !strings.HasPrefix(kindsOf(got), c.want) || len(opened(got)) != 1 || len(ids) != 1 {
				t.Fatalf("changes are %q of %d incidents, want %q of one", kindsOf(got), len(ids), c.want)
			}
			last := got[len(got)-1].Incident
			if last.Kind != "surge" || last.Now.Signal == "" || last.Now.Customers < leastPeople || last.Level != Paging {
				t.Errorf("at last it is %+v", last)
			}
		})
	}
}

// TestADropEndsWhenNobodyReportsAnyMore: figures that cease must not keep an
// incident open for ever, but what failed and then fell silent has not
// recovered.
func TestADropEndsWhenNobodyReportsAnyMore(t *testing.T) {
	d := New(Options{})
	minutes(d, "login", signalDay, 120, 40, 1)
	if got := kindsOf(minutes(d, "login", signalDay.Add(2*time.Hour), 10, 0, 40)); got != "opened" {
		t.Fatalf("changes are %q", got)
	}
	if got := kindsOf(d.Tick(signalDay.Add(4 * time.Hour))); got != "warned" {
		t.Errorf("two hours later: %q", got)
	}
	if got := kindsOf(d.Tick(signalDay.Add(28 * time.Hour))); got != "resolved resolved" {
		t.Errorf("a day later: %q", got)
	}
}

// TestAServiceThatFallsSilentIsSaid: once, as a warning, and its end, too. A
// service that reported too little to be known is not expected to go on.
func TestAServiceThatFallsSilentIsSaid(t *testing.T) {
	d := New(Options{})
	minutes(d, "login", signalDay, 120, 40, 1)
	minutes(d, "signup", signalDay, 120, 4, 0)
	if got := kindsOf(d.Tick(signalDay.Add(2*time.Hour + 9*time.Minute))); got != "" {
		t.Errorf("after nine minutes: %q", got)
	}
	got := d.Tick(signalDay.Add(3 * time.Hour))
	if kindsOf(got) != "warned" || got[0].Incident.Reason.Text != "no reports of success rates from web for 10 min" {
		t.Fatalf("after an hour: %+v", got)
	}
	if got := kindsOf(minutes(d, "login", signalDay.Add(3*time.Hour), 30, 40, 1)); got != "resolved" {
		t.Errorf("it reports again: %q", got)
	}

	d = New(Options{})
	minutes(d, "login", signalDay, 20, 40, 1)
	if got := kindsOf(d.Tick(signalDay.Add(3 * time.Hour))); got != "" {
		t.Errorf("twenty reports: %q", got)
	}

	d = New(Options{})
	minutes(d, "login", signalDay, 120, 40, 1)
	d.Listening(signalDay.Add(5 * time.Hour))
	if got := kindsOf(d.Tick(signalDay.Add(5*time.Hour + 5*time.Minute))); got != "" {
		t.Errorf("the silence of Tocsin itself: %q", got)
	}
	if got := kindsOf(d.Tick(signalDay.Add(6 * time.Hour))); got != "warned" {
		t.Errorf("nobody reports to the new process: %q", got)
	}
}

// TestAServiceKeepsItsOwnPace: one that reports nothing at night is missed after
// the first night only, and one that reports each half hour never.
func TestAServiceKeepsItsOwnPace(t *testing.T) {
	count := func(every time.Duration, works func(time.Time) bool) (warned int) {
		d := New(Options{})
		for at := signalDay; at.Before(signalDay.AddDate(0, 0, 7)); at = at.Add(time.Minute) {
			changes := d.Tick(at)
			if works(at) && at.Sub(signalDay)%every == 0 {
				changes = append(changes, d.Outcome(Outcome{At: at, Service: "web", Action: "login", Succeeded: 10})...)
			}
			for _, c := range changes {
				if c.Kind == Warned {
					warned++
				}
			}
		}
		return warned
	}
	if n := count(time.Minute, func(at time.Time) bool { return at.Hour() >= 7 && at.Hour() < 21 }); n != 1 {
		t.Errorf("silent at night: %d warnings in a week, want that of the first night", n)
	}
	if n := count(30*time.Minute, func(time.Time) bool { return true }); n != 0 {
		t.Errorf("each half hour: %d warnings", n)
	}
}

// TestASilenceConfirmsComplaints: a warning of complaints and a service that does
// not report any more are a page.
func TestASilenceConfirmsComplaints(t *testing.T) {
	for _, silenceFirst := range []bool{true, false} {
		events, _, first := morning{weeks: 6, kinds: []string{"login"}}.events(t)
		opt := backtestOptions()
		opt.TwoSignals = true
		d := New(opt)
		feed(d, events[:len(events)-150])
		minutes(d, "login", first.Add(-3*time.Hour), 170, 40, 1)
		at := first.Add(time.Minute)
		if silenceFirst {
			at = first.Add(20 * time.Minute)
		}
		got := d.Tick(at)
		for n := range 7 {
			got = append(got, d.Complaint(Complaint{At: at.Add(time.Duration(n) * 20 * time.Second), Category: "login", Complainant: fmt.Sprint("x", n)})...)
		}
		got = append(got, d.Tick(at.Add(15*time.Minute))...)
		pages := opened(got)
		if len(pages) != 1 || !strings.Contains(pages[0].Incident.Reason.Signal, "no reports") {
			t.Errorf("silence first %v: %q, %d pages", silenceFirst, kindsOf(got), len(pages))
		}
	}
}

// TestAPastDropRingsNobody: a history of outcomes that is pushed at once teaches,
// in whatever order it comes.
func TestAPastDropRingsNobody(t *testing.T) {
	for _, backwards := range []bool{false, true} {
		d := New(Options{})
		d.Tick(signalDay.Add(24 * time.Hour))
		var list []Outcome
		for n := range 600 {
			o := Outcome{At: signalDay.Add(time.Duration(n) * time.Minute), Service: "web", Action: "login", Succeeded: 40, Failed: 1}
			if n > 400 && n < 430 {
				o.Succeeded, o.Failed = 5, 36
			}
			list = append(list, o)
		}
		if backwards {
			slices.Reverse(list)
		}
		var got []Change
		for _, o := range list {
			got = append(got, d.Outcome(o)...)
		}
		if kindsOf(got) != "" {
			t.Errorf("backwards %v: %q", backwards, kindsOf(got))
		}
	}
}

// TestAFalseAlarmMutesItsKindOnly, for a day, and not what is clearly more.
func TestAFalseAlarmMutesItsKindOnly(t *testing.T) {
	events, _, first := morning{weeks: 6, kinds: []string{"login", "signup"}}.events(t)
	surge := func(d *Detector, kind string, at time.Time, n int) []Change {
		var changes []Change
		for i := range n {
			changes = append(changes, d.Complaint(Complaint{At: at.Add(time.Duration(i) * 20 * time.Second), Category: kind, Complainant: fmt.Sprintf("%s %v %d", kind, at, i)})...)
		}
		return opened(changes)
	}
	dismissed := func() *Detector {
		d := New(backtestOptions())
		page := opened(feed(d, events[:len(events)-150+8]))[0]
		if _, err := d.Decide(Decision{Incident: page.Incident.ID, Verb: Dismiss, Who: "anna", At: first.Add(15 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		return d
	}
	if p := surge(dismissed(), "login", first.Add(3*time.Hour), 9); len(p) != 0 {
		t.Errorf("as many again within the day paged: %+v", p[0].Incident.Reason)
	}
	if p := surge(dismissed(), "login", first.Add(3*time.Hour), 40); len(p) != 1 || p[0].Incident.Now.Customers < 16 {
		t.Errorf("clearly more than was dismissed: %d pages", len(p))
	}
	if p := surge(dismissed(), "payment", first.Add(3*time.Hour), 9); len(p) != 1 {
		t.Errorf("another kind: %d pages", len(p))
	}
	if p := surge(dismissed(), "login", first.Add(27*time.Hour), 9); len(p) != 1 {
		t.Errorf("on the next day: %d pages", len(p))
	}
}

// TestItFlaresAgainWithinTheHour: the same incident is taken up, later a new
// one begins.
func TestItFlaresAgainWithinTheHour(t *testing.T) {
	for after, want := range map[time.Duration]string{40 * time.Minute: "reopened", 3 * time.Hour: "opened"} {
		events, _, first := morning{weeks: 6, deploy: true, kinds: []string{"login"}}.events(t)
		d := New(backtestOptions())
		page := opened(feed(d, events[:len(events)-150+10]))[0]
		end := first.Add(15 * time.Minute)
		if _, err := d.Decide(Decision{Incident: page.Incident.ID, Verb: Resolve, Who: "anna", At: end}); err != nil {
			t.Fatal(err)
		}
		var changes []Change
		for i := range 10 {
			changes = append(changes, d.Complaint(Complaint{At: end.Add(after + time.Duration(i)*20*time.Second), Category: "login", Complainant: fmt.Sprint("again", i)})...)
		}
		if got := kindsOf(changes); !strings.Contains(got, want) || len(changes) > 0 && (want == "reopened") != (changes[0].Incident.ID == page.Incident.ID) {
			t.Errorf("%v after the end: %q", after, got)
		}
	}
}

// TestARollbackThatHelpedIsSaid: how soon after it the complaints ended.
func TestARollbackThatHelpedIsSaid(t *testing.T) {
	events, _, first := morning{weeks: 6, deploy: true, kinds: []string{"login"}}.events(t)
	d := New(backtestOptions())
	changes := feed(d, events[:len(events)-150+20])
	last := events[len(events)-150+19].(Complaint).At
	changes = append(changes, d.Deployment(Deployment{ID: "r", Service: "web", Version: "2.3.9", Rollback: true, At: last.Add(-6 * time.Minute)})...)
	changes = append(changes, d.Complaint(Complaint{At: last, Category: "login", Complainant: "the last one"})...)
	changes = append(changes, d.Tick(first.Add(5*time.Hour))...)
	var story []string
	for _, c := range changes {
		if c.Note != "" {
			story = append(story, string(c.Kind)+": "+c.Note)
		}
	}
	got := strings.Join(story, "; ")
	for _, want := range []string{"rollback: web 2.3.9", "calm: complaints stopped 6 min after the roll-back", "resolved: complaints stopped 6 min after the roll-back"} {
		if !strings.Contains(got, want) {
			t.Errorf("the timeline says %q, not %q", got, want)
		}
	}
}

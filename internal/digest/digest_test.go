package digest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/page"
	"tocsin/mailbox"
	"tocsin/store"
)

var update = flag.Bool("update", false, "rewrite golden files")

func berlin(t testing.TB) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	return l
}

func TestWeeks(t *testing.T) {
	loc := berlin(t)
	for _, c := range []struct {
		start            time.Weekday
		name, from, last string
	}{
		{time.Monday, "2026-W47", "2026-11-16", "2026-11-22"},
		{time.Sunday, "2026-W47", "2026-11-15", "2026-11-21"},
		{time.Saturday, "2026-W47", "2026-11-14", "2026-11-20"},
		{time.Monday, "2026-W01", "2025-12-29", "2026-01-04"},
		{time.Monday, "2026-W53", "2026-12-28", "2027-01-03"},
		{time.Monday, "2026-W13", "2026-03-23", "2026-03-29"}, // with 167 hours
	} {
		w, err := ParseWeek(c.name, c.start, loc)
		if err != nil {
			t.Errorf("%s from %s: %v", c.name, c.start, err)
			continue
		}
		if got := w.From.Format("2006-01-02"); got != c.from || w.To.AddDate(0, 0, -1).Format("2006-01-02") != c.last || w.From.Weekday() != c.start || w.From.Hour() != 0 {
			t.Errorf("%s from %s is %s to %s", c.name, c.start, w.From, w.To)
		}
		if again := WeekOf(w.From.Add(100*time.Hour), c.start, loc); again != w || again.String() != c.name {
			t.Errorf("%s from %s: WeekOf its middle is %s", c.name, c.start, again)
		}
	}
	if w, _ := ParseWeek("2026-W13", time.Monday, loc); w.To.Sub(w.From) != 167*time.Hour {
		t.Errorf("the week of the change to summer time has %v", w.To.Sub(w.From))
	}
	for _, bad := range []string{"", "2026", "2026-47", "2026-W54", "2025-W53", "2026-W00", "2026-W4", "W47-2026", "2026-W47x"} {
		if w, err := ParseWeek(bad, time.Monday, loc); err == nil {
			t.Errorf("ParseWeek(%q) = %s", bad, w)
		}
	}
}

func TestSchedule(t *testing.T) {
	loc := berlin(t)
	s := Schedule{Day: time.Monday, Hour: 8, Location: loc}
	for now, want := range map[string]string{
		"2026-11-23T08:00:00+01:00": "2026-11-23T08:00:00+01:00", "2026-11-23T07:59:59+01:00": "2026-11-16T08:00:00+01:00", "2026-11-22T23:00:00+01:00": "2026-11-16T08:00:00+01:00",
		"2026-03-30T09:00:00+02:00": "2026-03-30T08:00:00+02:00", "2026-03-30T07:00:00+02:00": "2026-03-23T08:00:00+01:00",
	} {
		n, _ := time.Parse(time.RFC3339, now)
		if got := s.Last(n).Format(time.RFC3339); got != want {
			t.Errorf("Last(%s) = %s, want %s", now, got, want)
		}
	}
}

const hostile = "<script>alert(1)</script> [x](https://evil.example) \u202egnp.exe\r\nBcc: a@example.com"

// filled is a store with a week in it: an ordinary week before, and one with the
// morning of the incident.
func filled(t testing.TB) Options {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "t.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(context.Background()); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	loc := berlin(t)
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, loc)
	var entries []store.Entry
	mail := func(at time.Time, category, subject, text string) {
		n := len(entries)
		entries = append(entries, store.Entry{Message: mailbox.Message{ID: fmt.Sprint("m", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n + 1), Received: at,
			From: mailbox.Address{Name: "A", Addr: fmt.Sprintf("p%d@example.com", n)}, Subject: subject, Text: text, Reply: text},
			Verdict: classify.Verdict{Category: category, Confidence: 0.9, Complaint: category != "other" && category != "praise"}})
	}
	for d := -14; d < 5; d++ {
		at := monday.AddDate(0, 0, d).Add(10 * time.Hour)
		mail(at, "billing", "Invoice", "Please send the invoice again.")
		mail(at.Add(time.Hour), "question", "How", "How do I add a user?")
		if d%2 == 0 {
			mail(at.Add(2*time.Hour), "login", "Login", "My login fails.")
		}
	}
	tuesday := monday.AddDate(0, 0, 1).Add(9*time.Hour + 45*time.Minute)
	for n := range 40 {
		mail(tuesday.Add(time.Duration(n)*time.Minute), "login", "Can't log in "+hostile, "I can't log in since this morning, invalid token. "+hostile)
	}
	mail(tuesday.Add(5*time.Hour), "other", hostile, "???")
	if _, err := s.Append(entries, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(len(entries))}); err != nil {
		t.Fatal(err)
	}
	dep := detect.Deployment{ID: "d1", Service: "web", Version: "2.4.0", At: tuesday.Add(-5 * time.Minute), Commit: "f95f852", Link: "https://ci.example/1",
		Changes: []detect.PackageChange{{Name: "jsonwebtoken", From: []string{"9.0.2"}, To: []string{"8.5.1"}, Kind: "downgraded"}}}
	other := detect.Deployment{ID: "d2", Service: "api", Version: "1.9", At: tuesday.AddDate(0, 0, 1)}
	for _, d := range []detect.Deployment{dep, other} {
		if _, _, err := s.AddDeployment(d, nil); err != nil {
			t.Fatal(err)
		}
	}
	r := detect.Reason{Complaints: 4, Customers: 4, Expected: 0.1, Window: 4 * time.Minute, FirstComplaint: tuesday, Messages: []string{"m50", "m51"}, Categories: []string{"login"}}
	i := detect.Incident{ID: "20261117-0949-abcdef", Kind: "surge", Level: detect.Paging, State: detect.Open, Categories: []string{"login"}, StartedAt: tuesday, DetectedAt: tuesday.Add(4 * time.Minute),
		Reason: r, Now: r, Suspect: &detect.Suspect{Deployment: dep, Probability: 0.94, Lead: 5 * time.Minute, Why: "the complaints began 5 min after it"}}
	over := i
	over.State, over.ResolvedAt, over.Now.Customers, over.Now.Complaints = detect.Resolved, tuesday.Add(2*time.Hour), 40, 41
	if err := s.Record("detector", 0, []detect.Change{{Kind: detect.Opened, At: i.DetectedAt, Incident: i},
		{Kind: detect.DidAcknowledge, At: i.DetectedAt.Add(time.Minute), Incident: i, Who: "anna"}, {Kind: detect.DidNote, At: i.DetectedAt.Add(2 * time.Minute), Incident: i, Who: "anna", Note: hostile},
		{Kind: detect.DidResolve, At: over.ResolvedAt, Incident: over}}, nil); err != nil {
		t.Fatal(err)
	}
	return Options{Store: s, Taxonomy: classify.DefaultTaxonomy(), Location: loc, WeekStart: time.Monday, PublicURL: "https://tocsin.example.com/", Source: "support@example.com",
		Now: func() time.Time { return monday.AddDate(0, 0, 7).Add(8 * time.Hour) }}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		os.MkdirAll("testdata", 0o755)
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s (%v):\n%s", file, err, got)
	}
}

// TestDigest holds the mail in both its forms to golden files, hostile subjects
// and all.
func TestDigest(t *testing.T) {
	o := filled(t)
	w, _ := ParseWeek("2026-W47", o.WeekStart, o.Location)
	d, err := Build(t.Context(), o, w)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "digest.txt", d.Text())
	golden(t, "digest.html", d.HTML())
	if want := "Week 47: 1 incident after web 2.4.0, 53 complaints (+212 %)"; d.Subject() != want {
		t.Errorf("subject %q, want %q", d.Subject(), want)
	}
	for form, text := range map[string]string{"text": d.Text(), "html": d.HTML()} {
		if strings.Contains(text, "<script>alert") && form == "html" || strings.ContainsAny(text, "\u202e\r") {
			t.Errorf("the %s form carries an attack", form)
		}
	}
	for _, bad := range []string{"<svg", "<script", "<style", "<link", "position:", "url("} {
		if strings.Contains(d.HTML(), bad) {
			t.Errorf("the HTML has %s, which mail clients drop", bad)
		}
	}
}

// TestAnEmptyWeekReadsWell.
func TestAnEmptyWeekReadsWell(t *testing.T) {
	o := filled(t)
	w, _ := ParseWeek("2026-W10", o.WeekStart, o.Location)
	d, err := Build(t.Context(), o, w)
	if err != nil {
		t.Fatal(err)
	}
	if d.Subject() != "Week 10: no mail arrived" || !strings.Contains(d.Text(), "No mail arrived") || !strings.Contains(d.HTML(), "None.") {
		t.Errorf("%s\n%s", d.Subject(), d.Text())
	}
}

// TestTheTextFitsAMail: RFC 3676 §4.2 asks for lines under 78 characters, and
// ours are at most 72; only a link is as long as it is.
func TestTheTextFitsAMail(t *testing.T) {
	o := filled(t)
	for line := range strings.Lines(build(t, o, "2026-W47").Text()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 72 && !strings.Contains(line, "https://") {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}

func TestPostMortem(t *testing.T) {
	o := filled(t)
	text, err := PostMortem(t.Context(), o, "20261117-0949-abcdef")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "postmortem.md", text)
	if strings.Contains(text, "<script>") || strings.Contains(text, "[x](") {
		t.Error("a customer's markup is markup in the draft")
	}
	if _, err := PostMortem(t.Context(), o, "nope"); err == nil {
		t.Error("a post-mortem of nothing")
	}
}

// TestTheDigestIsSentOnce: on its schedule, after an outage over the hour, and
// after failures; not at the first start.
func TestTheDigestIsSentOnce(t *testing.T) {
	loc := berlin(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(filepath.Join(t.TempDir(), "t.db"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var sent []string
		fail := 0
		sender := &Sender{Options: Options{Store: s, Taxonomy: classify.DefaultTaxonomy(), Location: loc, WeekStart: time.Monday, Now: time.Now}, Schedule: Schedule{Day: time.Monday, Hour: 8, Location: loc},
			To: []string{"lead@example.com"}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Send: func(_ context.Context, l page.Letter) error {
				if fail > 0 {
					fail--
					return errors.New("no route to host")
				}
				sent = append(sent, time.Now().In(loc).Format("Mon 15:04 ")+l.Subject[:7])
				return nil
			}}
		run := func(d time.Duration) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- sender.Run(ctx) }()
			time.Sleep(d)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		// A bubble begins on Saturday, 1 January 2000, 1:00 in Berlin.
		run(24 * time.Hour)
		if len(sent) != 0 {
			t.Fatalf("sent at the first start: %v", sent)
		}
		run(3 * 24 * time.Hour) // over Monday
		time.Sleep(6*24*time.Hour + 2*time.Hour)
		// Down over the next Monday's hour: Tuesday, 3:00.
		fail = 3
		run(12 * time.Hour)
		run(24 * time.Hour)
		if len(sent) != 2 || !strings.HasPrefix(sent[0], "Mon 08:0") || !strings.HasPrefix(sent[1], "Tue 03:") || !strings.HasSuffix(sent[0], "Week 52") || !strings.HasSuffix(sent[1], "Week 1:") {
			t.Errorf("sent: %q", sent)
		}
	})
}

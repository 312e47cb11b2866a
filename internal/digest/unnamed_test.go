package digest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
	"tocsin/store"
)

// unnamed adds to the store four weeks of bugs, and eight customers in a few
// hours who write about CSV exports, and one who writes ten times.
func unnamed(t *testing.T, o Options, w Week) {
	t.Helper()
	var entries []store.Entry
	mail := func(at time.Time, from, category, subject, text string) {
		n := len(entries)
		entries = append(entries, store.Entry{Message: mailbox.Message{ID: fmt.Sprint("u", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(500 + n), Received: at,
			From: mailbox.Address{Addr: from}, Subject: subject, Text: text, Reply: text}, Verdict: classify.Verdict{Category: category, Confidence: 0.6, Complaint: category == "bug"}})
	}
	for i, text := range []string{"The dashboard shows an error", "Search finds nothing", "My avatar is gone", "The calendar is off by one", "Dark mode flickers", "The map does not load"} {
		for week := range 4 {
			mail(w.From.AddDate(0, 0, -7*week-1), fmt.Sprintf("old%d%d@example.com", week, i), "bug", "Help", text)
		}
		mail(w.From.Add(time.Duration(i)*time.Hour), fmt.Sprintf("new%d@example.com", i), "other", "Help", text)
	}
	for i, text := range []string{"The CSV export ends early", "Exporting to csv gives an empty file", "export csv does nothing", "csv exports are garbled",
		"we export a CSV and columns are gone", "csv export: wrong dates", "Is the CSV export cut off?", "I exported csv and half is missing"} {
		mail(w.From.Add(time.Duration(30+i)*time.Hour), fmt.Sprintf("csv%d@example.com", i), []string{"bug", "other"}[i%2], "Question", text)
	}
	for i := range 10 {
		mail(w.From.Add(time.Duration(40+i)*time.Hour), "angry@example.com", "bug", "Printer", "the label printer jams again")
	}
	if _, err := o.Store.Append(entries, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: 999}); err != nil {
		t.Fatal(err)
	}
}

// Eight customers write about CSV exports in a week in which nobody used to:
// the digest says so, with their mails, and one customer's ten mails about
// printing are no trouble of many.
func TestTroubleWithoutACategoryIsNamed(t *testing.T) {
	o := filled(t)
	w, _ := ParseWeek("2026-W47", o.WeekStart, o.Location)
	unnamed(t, o, w)
	d := build(t, o, "2026-W47")
	if len(d.Unnamed) != 1 || d.Unnamed[0].Mails != 8 || !strings.Contains(d.Unnamed[0].Phrase, "csv") {
		t.Fatalf("unnamed trouble: %+v, want 8 mails about csv exports", d.Unnamed)
	}
	for form, text := range map[string]string{"text": d.Text(), "html": d.HTML()} {
		if !strings.Contains(text, d.Unnamed[0].Line()) || !strings.Contains(text, "https://tocsin.example.com/messages/"+d.Unnamed[0].Samples[0].ID) {
			t.Errorf("the %s form does not tell of it:\n%s", form, text)
		}
	}
}

// The watch warns once while it lasts, without a page, and takes a person's
// word that it is over.
func TestTroubleWithoutACategoryWarnsOnce(t *testing.T) {
	o := filled(t)
	w, _ := ParseWeek("2026-W47", o.WeekStart, o.Location)
	unnamed(t, o, w)
	now := w.From.Add(38 * time.Hour)
	watch := &UnnamedWatch{Store: o.Store, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}
	d := detect.New(detect.Options{})
	mark, err := o.Store.Last()
	if err != nil {
		t.Fatal(err)
	}
	look := func() (all []detect.Change) {
		t.Helper()
		if err := watch.Look(); err != nil {
			t.Fatal(err)
		}
		next, err := o.Store.Since(mark, 100, func(e store.Event) error {
			if e.Trouble != nil {
				all = append(all, d.Trouble(*e.Trouble)...)
			}
			if e.Decision != nil {
				c, err := d.Decide(*e.Decision)
				all = append(all, c...)
				return err
			}
			return nil
		})
		if err == nil {
			err = o.Store.Record("detector", next, all, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		mark = next
		return all
	}
	c := look()
	if len(c) != 1 || c[0].Kind != detect.Warned || c[0].Incident.Level != detect.Warning || !strings.Contains(c[0].Incident.Reason.Text, "8 customers write about “csv export”") {
		t.Fatalf("eight mails about CSV exports: %+v, want one warning", c)
	}
	if c := look(); len(c) != 0 {
		t.Errorf("looked at again: %+v, want nothing new", c)
	}
	now = now.Add(20 * time.Hour) // five of the eight are of the last day
	if c := look(); len(c) != 0 {
		t.Errorf("hours later: %+v, want nothing new", c)
	}
	if _, err := o.Store.AddDecision(detect.Decision{Incident: c[0].Incident.ID, Verb: detect.Resolve, Who: "ada", At: now}); err != nil {
		t.Fatal(err)
	}
	if c := look(); len(c) != 1 || c[0].Kind != detect.DidResolve {
		t.Errorf("resolved by hand: %+v", c)
	}
	if c := look(); len(c) != 0 {
		t.Errorf("after it was resolved by hand: %+v, want nothing", c)
	}
}

// A warning ends by itself when the mail about it thins out.
func TestTroubleWithoutACategoryEnds(t *testing.T) {
	o := filled(t)
	w, _ := ParseWeek("2026-W47", o.WeekStart, o.Location)
	unnamed(t, o, w)
	now := w.From.Add(38 * time.Hour)
	watch := &UnnamedWatch{Store: o.Store, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}
	mark, err := o.Store.Last()
	if err != nil {
		t.Fatal(err)
	}
	d := detect.New(detect.Options{})
	var kinds []detect.ChangeKind
	for range 2 {
		if err := watch.Look(); err != nil {
			t.Fatal(err)
		}
		var all []detect.Change
		next, err := o.Store.Since(mark, 100, func(e store.Event) error {
			all = append(all, d.Trouble(*e.Trouble)...)
			return nil
		})
		if err == nil {
			err = o.Store.Record("detector", next, all, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			kinds = append(kinds, c.Kind)
		}
		mark, now = next, now.Add(48*time.Hour)
	}
	if fmt.Sprint(kinds) != fmt.Sprint([]detect.ChangeKind{detect.Warned, detect.DidResolve}) {
		t.Errorf("changes %v, want a warning and its end", kinds)
	}
}

package digest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/mailbox"
	"tocsin/store"
)

// Eight customers write about CSV exports in a week in which nobody used to:
// the digest says so, with their mails, and one customer's ten mails about
// printing are no trouble of many.
func TestTroubleWithoutACategoryIsNamed(t *testing.T) {
	o := filled(t)
	w, _ := ParseWeek("2026-W47", o.WeekStart, o.Location)
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

package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/mailbox"
)

// TestEveryMessageIsListedOnce turns the pages of a list in both directions.
func TestEveryMessageIsListedOnce(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "tocsin.db"))
	begin := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var entries []Entry
	for i := range 25 {
		category := "login"
		if i%5 == 0 {
			category = "praise"
		}
		entries = append(entries, Entry{
			Message: mailbox.Message{ID: fmt.Sprint("m", i), Received: begin.Add(time.Duration(i) * time.Minute),
				Subject: fmt.Sprint("mail ", i), Reply: "Ich komme NICHT rein", From: mailbox.Address{Addr: fmt.Sprintf("p%d@example.com", i)}},
			Verdict: classify.Verdict{Category: category, Complaint: category == "login"},
		})
	}
	if _, err := s.Append(entries, mailbox.Cursor{Account: "a", Folder: "f", UIDValidity: 1, UID: 25}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{{}, {Oldest: true}, {Heads: true}, {Words: "nicht rein"}, {From: begin, To: begin.Add(time.Hour)}} {
		q.Limit = 4
		seen := map[string]int{}
		for range 20 {
			p, err := s.Messages(q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Entries {
				seen[e.ID]++
				if (e.Reply == "") != q.Heads {
					t.Errorf("%+v: %s has the reply %q", q, e.ID, e.Reply)
				}
			}
			if q.Before = p.Next; q.Before == "" {
				break
			}
		}
		if len(seen) != 25 {
			t.Errorf("%+v: %d messages were listed, want 25", q, len(seen))
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%+v: %s was listed %d times", q, id, n)
			}
		}
	}
	for want, q := range map[int]Query{5: {Category: "praise"}, 20: {Complaints: true}, 1: {Sender: "P7@"}, 0: {Words: "no such words"}} {
		if p, err := s.Messages(q); err != nil || len(p.Entries) != want {
			t.Errorf("%+v: %d messages, %v; want %d", q, len(p.Entries), err, want)
		}
	}
	if _, err := s.Messages(Query{Before: "../x"}); err == nil {
		t.Error("a place in the list that is none was taken")
	}
	a, err := s.Arrivals(begin.Add(5*time.Minute), begin.Add(10*time.Minute), 100)
	if err != nil || len(a) != 5 || a[0].Category != "praise" || !a[1].Complaint || a[1].Sender != "p6@example.com" {
		t.Errorf("arrivals = %+v, %v", a, err)
	}
}

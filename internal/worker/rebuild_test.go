package worker

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
	"tocsin/store"
)

// BenchmarkRebuild starts on a store that holds a year of 2,000 complaints a
// day.
func BenchmarkRebuild(b *testing.B) {
	s, err := store.Open(filepath.Join(b.TempDir(), "t.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const days, daily, batch = 365, 2000, 5000
	r := rand.New(rand.NewPCG(1, 1))
	at := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	kinds := classify.Default().Taxonomy()
	for n := 0; n < days*daily; {
		entries := make([]store.Entry, 0, batch)
		for range batch {
			n++
			at = at.Add(time.Duration(r.ExpFloat64() * float64(24*time.Hour) / daily))
			addr := fmt.Sprintf("u%d@%s", n, []string{"gmail.com", "web.de", "outlook.com", fmt.Sprintf("firm%d.de", n%150)}[r.IntN(4)])
			entries = append(entries, store.Entry{
				Message: mailbox.Message{ID: fmt.Sprintf("%032x", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n), Received: at,
					MessageID: fmt.Sprintf("%d@x", n), From: mailbox.Address{Name: "Anna Smith", Addr: addr}, Subject: "Can't log in", Reply: "It says no."},
				Verdict: classify.Verdict{Category: kinds[r.IntN(len(kinds))].Name, Confidence: 0.9, Complaint: true},
			})
		}
		if _, err := s.Append(entries, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n)}); err != nil {
			b.Fatal(err)
		}
	}
	last, err := s.Last()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Record(reader, last, nil, nil); err != nil {
		b.Fatal(err)
	}
	w := New(Options{Store: s, Model: classify.Default(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Detect: detect.Options{Kinds: Kinds(kinds)}, Now: func() time.Time { return at }})
	b.ReportAllocs()
	for b.Loop() {
		if err := w.rebuild(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(last), "events")
}

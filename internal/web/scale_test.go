//go:build unix

package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/digest"
	"tocsin/mailbox"
	"tocsin/store"
)

// TestScale stores two years of mail and times every page and the backup. It is
// a measurement and not a test:
//
//	TOCSIN_SCALE=1000000 go test -run Scale -v -timeout 20m ./internal/web
func TestScale(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("TOCSIN_SCALE"))
	if n < 1000 {
		t.Skip("a measurement: set TOCSIN_SCALE to a number of messages")
	}
	path := filepath.Join(t.TempDir(), "t.db")
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	end := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	step := 2 * 365 * 24 * time.Hour / time.Duration(n)
	begin := end.Add(-step * time.Duration(n))
	r := rand.New(rand.NewPCG(1, 1))
	taxonomy := classify.DefaultTaxonomy()
	words := []string{"login", "invoice", "export", "report", "please", "account", "error", "since", "yesterday", "cannot", "open", "button", "payment", "card", "mail", "password"}
	began := time.Now()
	for done := 0; done < n; {
		var batch []store.Entry
		for range min(500, n-done) {
			text := ""
			for range 60 {
				text += words[r.IntN(len(words))] + " "
			}
			k := taxonomy[r.IntN(len(taxonomy))]
			batch = append(batch, store.Entry{Message: mailbox.Message{ID: fmt.Sprint("m", done), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(done + 1), Received: begin.Add(step * time.Duration(done)),
				MessageID: fmt.Sprint(done, "@x"), From: mailbox.Address{Name: "Somebody", Addr: fmt.Sprintf("p%d@example.com", r.IntN(200_000))}, Subject: text[:40], Text: text, Reply: text},
				Verdict: classify.Verdict{Category: k.Name, Confidence: 0.9, Complaint: k.Rings != classify.RingsNever, Evidence: []classify.Evidence{{Phrase: "cannot open", Weight: 1}}}})
			done++
		}
		if _, err := s.Append(batch, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(done)}); err != nil {
			t.Fatal(err)
		}
	}
	for d := range 500 {
		at := end.AddDate(0, 0, -d).Add(-2 * time.Hour)
		if _, _, err := s.AddDeployment(detect.Deployment{ID: fmt.Sprint("d", d), Service: "web", Version: fmt.Sprint(d), At: at}, nil); err != nil {
			t.Fatal(err)
		}
		if d%10 == 0 {
			i := detect.Incident{ID: fmt.Sprint("i", d), Kind: "surge", Level: detect.Paging, State: detect.Resolved, Categories: []string{"login"}, StartedAt: at, DetectedAt: at.Add(time.Minute), ResolvedAt: at.Add(time.Hour)}
			if err := s.Record("detector", 0, []detect.Change{{Kind: detect.DidResolve, At: at, Incident: i}}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	st, _ := s.Stats()
	t.Logf("%d messages stored in %v (%.0f a second), %d MB", n, time.Since(began).Round(time.Millisecond), float64(n)/time.Since(began).Seconds(), st.Size>>20)

	now := func() time.Time { return end }
	srv, err := New(Options{Store: s, Worker: &fake{store: s}, Taxonomy: taxonomy, Location: time.UTC, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: now,
		Digest: digest.Options{Store: s, Taxonomy: taxonomy, Location: time.UTC, WeekStart: time.Monday, Now: now}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/?span=3h", "/?span=7d", "/?span=30d", "/?span=1y", "/incidents", "/incidents/i0", "/incidents/i10", "/messages", "/messages?category=login", "/messages?words=password",
		"/messages?words=nosuchword", "/messages?sender=nobody", "/messages?unsorted=1", "/messages/m77", "/deployments", "/deployments/d3", "/digests", "/digests/2026-W47?form=html", "/status", "/metrics", "/api/v1/messages"} {
		var took []time.Duration
		before := cpu()
		for range 7 {
			at := time.Now()
			if w := get(t, srv.Handler(), path); w.Code != http.StatusOK {
				t.Errorf("%s: %d", path, w.Code)
			}
			took = append(took, time.Since(at))
		}
		slices.Sort(took)
		t.Logf("%-34s median %7.1f ms, CPU %7.1f ms each", path, took[3].Seconds()*1000, (cpu()-before).Seconds()*1000/7)
	}
	at := time.Now()
	if err := s.Backup(context.Background(), path+".copy"); err != nil {
		t.Fatal(err)
	}
	t.Logf("backup took %v", time.Since(at).Round(time.Millisecond))
}

// cpu is what this process has computed, which other work on the machine does
// not lengthen.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

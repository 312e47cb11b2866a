package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
	"tocsin/store"
)

// inbox is a folder whose mail a test delivers.
type inbox struct {
	mu   sync.Mutex
	mail []mailbox.Message
	fail error
	more chan struct{}
}

func newInbox() *inbox { return &inbox{more: make(chan struct{}, 1)} }

func (b *inbox) Place() (string, string) { return "support", "INBOX" }
func (b *inbox) Close() error            { return nil }

func (b *inbox) Fetch(_ context.Context, c mailbox.Cursor) (mailbox.Batch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return mailbox.Batch{}, b.fail
	}
	n := mailbox.Batch{Next: c}
	n.Next.UIDValidity, n.Next.HistoryDone = 1, true
	for i := int(c.UID); i < len(b.mail) && (c.UIDValidity == 0 || len(n.Messages) < 10); i++ {
		n.Messages = append(n.Messages, b.mail[i])
		n.Next.UID = uint32(i + 1)
	}
	return n, nil
}

func (b *inbox) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-b.more:
	case <-time.After(30 * time.Second):
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fail
}

func (b *inbox) deliver(from, text string) {
	b.mu.Lock()
	n := len(b.mail) + 1
	b.mail = append(b.mail, mailbox.Message{ID: fmt.Sprint("m", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n), Received: time.Now().Truncate(time.Second),
		From: mailbox.Address{Addr: from}, Subject: "Help", Text: text, Reply: text})
	b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
}

func (b *inbox) fault(err error) {
	b.mu.Lock()
	b.fail = err
	b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// bench runs a worker on a store until f returns.
func bench(t *testing.T, path string, src Source, f func(*Worker, *store.Store)) {
	t.Helper()
	benchAt(t, path, src, time.Now, f)
}

// benchAt is bench by a clock of its own.
func benchAt(t *testing.T, path string, src Source, now func() time.Time, f func(*Worker, *store.Store)) {
	t.Helper()
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := New(Options{Store: s, Sources: []Source{src}, Model: classify.Default(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Detect: detect.Options{Kinds: Kinds(classify.DefaultTaxonomy())}, Own: []string{"team@example.com"}, MinDisk: 1, TickEvery: time.Minute, Now: now,
		Deliveries: func(cs []detect.Change) (ds []store.Delivery) {
			for _, c := range cs {
				if c.Kind == detect.Opened {
					ds = append(ds, store.Delivery{Incident: c.Incident.ID, Change: c.Kind, Pager: "p", Due: c.At, State: store.Pending})
				}
			}
			return ds
		}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	synctest.Wait()
	f(w, s)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

func pages(t *testing.T, s *store.Store) int {
	t.Helper()
	box, err := s.Outbox("p")
	if err != nil {
		t.Fatal(err)
	}
	return len(box)
}

// TestHistoryNeverRingsAndASurgeDoesOnce, also over a restart.
func TestHistoryNeverRingsAndASurgeDoesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "t.db")
		b := newInbox()
		for n := range 30 {
			b.deliver(fmt.Sprintf("old%d@gmail.com", n), "I can't log in any more.")
		}
		bench(t, path, b, func(w *Worker, s *store.Store) {
			time.Sleep(10 * time.Second)
			if st, _ := s.Stats(); st.Messages != 30 || pages(t, s) != 0 {
				t.Fatalf("after history: %+v, %d pages", st, pages(t, s))
			}
			time.Sleep(20 * 24 * time.Hour)
			b.deliver("team@example.com", "I can't log in any more.")
			for n := range 6 {
				b.deliver(fmt.Sprintf("new%d@gmail.com", n), "I can't log in any more.")
				time.Sleep(time.Minute)
			}
			synctest.Wait()
			if pages(t, s) != 1 {
				t.Fatalf("%d pages, want 1", pages(t, s))
			}
			list, _ := s.Incidents(time.Time{}, time.Time{})
			i, err := w.Decide(t.Context(), detect.Decision{Incident: list[0].ID, Verb: detect.Acknowledge, Who: "anna"})
			if err != nil || i.AcknowledgedBy != "anna" {
				t.Errorf("Decide: %+v, %v", i, err)
			}
			if _, err := w.Decide(t.Context(), detect.Decision{Incident: list[0].ID, Verb: detect.Acknowledge, Who: "bob"}); err == nil {
				t.Error("acknowledged twice")
			}
			if _, err := w.Decide(t.Context(), detect.Decision{Incident: "nope", Verb: detect.Resolve}); err == nil {
				t.Error("an incident that is none was resolved")
			}
			if err := w.Correct(t.Context(), "m32", "nonsense", "anna"); err == nil {
				t.Error("corrected to a category that is none")
			}
			if err := w.Correct(t.Context(), "m32", "praise", "anna"); err != nil {
				t.Error(err)
			}
		})
		bench(t, path, b, func(w *Worker, s *store.Store) {
			for n := range 5 {
				b.deliver(fmt.Sprintf("late%d@gmail.com", n), "I can't log in any more.")
				time.Sleep(time.Minute)
			}
			synctest.Wait()
			list, _ := s.Incidents(time.Time{}, time.Time{})
			if pages(t, s) != 1 || len(list) != 1 || list[0].State != detect.Acknowledged || list[0].Now.Customers < 6 {
				t.Errorf("after a restart: %d pages, incidents %+v", pages(t, s), list)
			}
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			if list, _ := s.Incidents(time.Time{}, time.Time{}); list[0].State != detect.Resolved {
				t.Errorf("three hours later it is %s", list[0].State)
			}
		})
	})
}

// TestBlindnessIsSaid: a folder that cannot be read pages by itself, and what
// was not seen teaches nothing.
func TestBlindnessIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInbox()
		bench(t, filepath.Join(t.TempDir(), "t.db"), b, func(w *Worker, s *store.Store) {
			time.Sleep(time.Minute)
			if f := w.Status().Folders[0]; f.State != "watching" || f.Blind {
				t.Fatalf("%+v", f)
			}
			b.fault(errors.New("connection refused"))
			time.Sleep(9 * time.Minute)
			if pages(t, s) != 0 {
				t.Error("it paged before ten minutes were over")
			}
			time.Sleep(3 * time.Minute)
			f := w.Status().Folders[0]
			list, _ := s.Incidents(time.Time{}, time.Time{})
			if pages(t, s) != 1 || !f.Blind || len(list) != 1 || list[0].Kind != "blind" || list[0].State != detect.Open {
				t.Fatalf("%d pages, %+v, %+v", pages(t, s), f, list)
			}
			b.fault(nil)
			time.Sleep(5 * time.Minute)
			list, _ = s.Incidents(time.Time{}, time.Time{})
			if f := w.Status().Folders[0]; f.Blind || f.Error != "" || list[0].State != detect.Resolved {
				t.Errorf("seeing again: %+v, %s", f, list[0].State)
			}
		})
	})
}

// TestABlindnessEndsAfterARestart: what was open when the process ended is
// ended by the next one, and not opened twice.
func TestABlindnessEndsAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "t.db")
		b := newInbox()
		b.fault(errors.New("connection refused"))
		bench(t, path, b, func(w *Worker, s *store.Store) {
			time.Sleep(12 * time.Minute)
			w.trouble(detect.Trouble{Kind: "blind", Key: "gone/INBOX", At: time.Now(), Text: "of a mailbox that is no longer configured", Page: true})
			w.trouble(detect.Trouble{Kind: "pager", Key: "oncall", At: time.Now(), Text: "refuses", Page: true})
			w.trouble(detect.Trouble{Kind: "disk", Key: "disk", At: time.Now(), Text: "full", Page: true})
			synctest.Wait()
		})
		bench(t, path, b, func(w *Worker, s *store.Store) {
			time.Sleep(20 * time.Minute)
			if open := openKeys(t, s); open != "support/INBOX" || pages(t, s) != 4 {
				t.Errorf("still blind: open are %q, %d pages", open, pages(t, s))
			}
			b.fault(nil)
			time.Sleep(5 * time.Minute)
			if open := openKeys(t, s); open != "" || w.Status().Folders[0].Blind {
				t.Errorf("seeing again: open are %q", open)
			}
		})
	})
}

func openKeys(t *testing.T, s *store.Store) string {
	t.Helper()
	list, err := s.Incidents(time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, i := range list {
		if i.State != detect.Resolved {
			keys = append(keys, i.Key)
		}
	}
	return strings.Join(keys, " ")
}

// TestAClockThatJumpsIsSaid, is no blindness, and stops no page when it comes
// back.
func TestAClockThatJumpsIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		b := newInbox()
		benchAt(t, filepath.Join(t.TempDir(), "t.db"), b, now, func(w *Worker, s *store.Store) {
			time.Sleep(time.Hour)
			ahead.Store(int64(30 * time.Hour))
			time.Sleep(2 * time.Minute)
			if open := openKeys(t, s); open != "clock" || pages(t, s) != 1 {
				t.Fatalf("after a jump: open are %q, %d pages", open, pages(t, s))
			}
			ahead.Store(0)
			time.Sleep(2 * time.Minute)
			for n := range 8 {
				b.deliver(fmt.Sprintf("new%d@gmail.com", n), "I can't log in any more.")
				time.Sleep(20 * time.Second)
			}
			synctest.Wait()
			if pages(t, s) != 2 {
				t.Errorf("%d pages after the clock came back, want that of the surge, too", pages(t, s))
			}
			time.Sleep(3 * time.Hour)
			if open := openKeys(t, s); open != "" {
				t.Errorf("three hours later: open are %q", open)
			}
		})
	})
}

// TestWhatIsOfTomorrowBlindsNobody: a deployment, a success rate and a mail whose
// times are wrong do not take the detector where the mail of today is history.
func TestWhatIsOfTomorrowBlindsNobody(t *testing.T) {
	for name, wrong := range map[string]func(*store.Store, *inbox, time.Time){
		"deployment": func(s *store.Store, _ *inbox, at time.Time) {
			s.AddDeployment(detect.Deployment{ID: "d", Service: "web", Version: "2", At: at}, nil)
		},
		"outcome": func(s *store.Store, _ *inbox, at time.Time) {
			s.AddOutcomes([]detect.Outcome{{At: at, Service: "web", Action: "login", Succeeded: 40}})
		},
		"mail": func(_ *store.Store, b *inbox, at time.Time) {
			b.deliver("first@gmail.com", "I can't log in any more.")
			b.mu.Lock()
			b.mail[len(b.mail)-1].Received = at
			b.mu.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newInbox()
				bench(t, filepath.Join(t.TempDir(), "t.db"), b, func(w *Worker, s *store.Store) {
					time.Sleep(20 * 24 * time.Hour)
					wrong(s, b, time.Now().Add(30*time.Hour))
					w.Recorded()
					synctest.Wait()
					for n := range 8 {
						b.deliver(fmt.Sprintf("new%d@gmail.com", n), "I can't log in any more.")
						time.Sleep(20 * time.Second)
					}
					synctest.Wait()
					if pages(t, s) != 1 {
						t.Errorf("%d pages of a surge, want 1", pages(t, s))
					}
				})
			})
		})
	}
}

// TestAPoisonMailIsKept: what breaks the classifier is stored, and the queue goes on.
func TestAPoisonMailIsKept(t *testing.T) {
	w := &Worker{opt: Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	e := w.judgeOne(nil, mailbox.Message{ID: "m", Subject: "x"}) // a classifier that is not there panics
	if e.Problem == "" || e.Verdict.Category != classify.Other || e.Subject != "x" {
		t.Errorf("%+v", e)
	}
}

// TestCorrectionsThatAreNotLearnedAreSaid where people look, and no more once
// those that contradict were taken back.
func TestCorrectionsThatAreNotLearnedAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInbox()
		for n := range 20 {
			b.deliver(fmt.Sprintf("c%d@gmail.com", n), "I can't log in any more.")
		}
		bench(t, filepath.Join(t.TempDir(), "t.db"), b, func(w *Worker, s *store.Store) {
			time.Sleep(10 * time.Second)
			list, err := s.Messages(store.Query{Limit: 20})
			if err != nil || len(list.Entries) != 20 {
				t.Fatal(len(list.Entries), err)
			}
			sort := func(to func(n int) string) {
				for n := range list.Entries {
					if err := w.Correct(t.Context(), list.Entries[n].ID, to(n), "anna"); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				synctest.Wait()
			}
			sort(func(n int) string {
				return []string{"login", "cancel", "praise", "slow", "data", "login", "billing"}[n%7]
			})
			if why := w.Status().Unlearned; !strings.Contains(why, "would make it worse") {
				t.Errorf("corrections that contradict each other: %q", why)
			}
			sort(func(int) string { return "" })
			if why := w.Status().Unlearned; why != "" {
				t.Errorf("after they were taken back: %q", why)
			}
		})
	})
}

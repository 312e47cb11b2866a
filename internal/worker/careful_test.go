package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
	"tocsin/store"
)

// crashing is a folder one of whose mails ends the process when it is read: the
// test then runs a new worker on the same store, which the old one left open.
type crashing struct {
	*inbox
	poison uint32
	crash  func()
	aside  []uint32
	begin  func(uidValidity uint32, uids []uint32) (int, int, error)
}

func (c *crashing) Careful(begin func(uint32, []uint32) (int, int, error)) { c.begin = begin }

func (c *crashing) Fetch(ctx context.Context, cur mailbox.Cursor) (mailbox.Batch, error) {
	b, err := c.inbox.Fetch(ctx, cur)
	if err != nil || len(b.Messages) == 0 {
		return b, err
	}
	crashes := 0
	if c.begin != nil {
		var uids []uint32
		for _, m := range b.Messages {
			uids = append(uids, m.UID)
		}
		take := 0
		if take, crashes, err = c.begin(1, uids); err != nil {
			return b, err
		}
		b.Messages = b.Messages[:take]
		b.Next.UID = uids[take-1]
	}
	for i := range b.Messages {
		m := &b.Messages[i]
		if crashes >= 2 {
			c.aside = append(c.aside, m.UID)
			m.Problem = "set aside"
		} else if m.UID == c.poison {
			c.crash()
			return b, errCrashed
		}
	}
	return b, nil
}

var errCrashed = errors.New("the process is gone")

// TestAMailThatCrashesTheProcessIsSetAside: whatever it does to the process, in
// the end all other mails are stored, and it is stored as unreadable.
func TestAMailThatCrashesTheProcessIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	box := &crashing{inbox: newInbox(), poison: 7}
	for i := range 12 {
		box.deliver(fmt.Sprintf("c%d@example.com", i), "I can't log in")
	}
	runs := 0
	for done := false; !done; {
		if runs++; runs > 10 {
			t.Fatal("it crashes for ever")
		}
		s, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		box.begin = nil
		box.crash = func() {
			// What a dead process does not do any more: the mark that it runs
			// stays, and so does the mail in hand.
			s.Close()
			cancel()
		}
		w := New(Options{Store: s, Sources: []Source{box}, Model: classify.Default(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Detect: detect.Options{Kinds: Kinds(classify.DefaultTaxonomy())}, MinDisk: 1})
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		for end := time.Now().Add(time.Minute); ctx.Err() == nil && time.Now().Before(end); {
			if st, err := s.Stats(); err == nil && st.Messages == 12 {
				done = true
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
		<-ended
		if done {
			e, ok, err := s.Message("m7")
			if err != nil || !ok || e.Problem == "" {
				t.Errorf("the mail itself: %+v, %v, %v", e, ok, err)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			s.Close()
		}
	}
	if runs != 5 || !slices.Equal(box.aside, []uint32{7}) {
		t.Errorf("after %d runs %v are set aside; want 7 in the fifth: crashed among many, among a few, and twice alone", runs, box.aside)
	}
}

// TestAnOrdinaryEndAsksForNoCare: after a clean end mails are read in batches.
func TestAnOrdinaryEndAsksForNoCare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	for range 2 {
		s, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		box := &crashing{inbox: newInbox(), crash: func() {}}
		ctx, cancel := context.WithCancel(t.Context())
		w := New(Options{Store: s, Sources: []Source{box}, Model: classify.Default(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Detect: detect.Options{Kinds: Kinds(classify.DefaultTaxonomy())}, MinDisk: 1})
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		for !func() bool { return !w.Status().Folders[0].LastRead.IsZero() }() {
			time.Sleep(time.Millisecond)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if box.begin != nil {
			t.Error("it reads one by one after an ordinary end")
		}
		s.Close()
	}
}

// TestWhatIsHistory: nothing that was there before anybody asked rings; what
// came while a folder was made again does.
func TestWhatIsHistory(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	msg := func(validity, uid uint32, received time.Time) *mailbox.Message {
		return &mailbox.Message{UIDValidity: validity, UID: uid, Received: received}
	}
	read := mailbox.Cursor{UIDValidity: 1, UID: 10}
	again := mailbox.Cursor{UIDValidity: 2, UID: 5, NewAfter: at.Unix()}
	for name, tc := range map[string]struct {
		m            *mailbox.Message
		before, next mailbox.Cursor
		known        bool
		want         bool
	}{
		"first start":                   {msg(1, 3, at), mailbox.Cursor{}, read, false, true},
		"backfill":                      {msg(1, 3, at), read, read, true, true},
		"new":                           {msg(1, 11, at), read, read, true, false},
		"made again, old":               {msg(2, 3, at.Add(-time.Minute)), read, again, true, true},
		"made again, came meanwhile":    {msg(2, 4, at.Add(time.Minute)), read, again, true, false},
		"made again, in a later batch":  {msg(2, 2, at.Add(time.Minute)), again, again, true, false},
		"made again, old and yet later": {msg(2, 1, at.Add(-time.Minute)), again, again, true, true},
		"made again, then new":          {msg(2, 6, at), again, again, true, false},
	} {
		if got := isHistory(tc.m, tc.before, tc.next, tc.known); got != tc.want {
			t.Errorf("%s: history %v, want %v", name, got, tc.want)
		}
	}
}

// TestAFullDiskStopsNothing: what cannot be stored is fetched again, and in the
// end every mail is there once.
func TestAFullDiskStopsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s, err := store.Open(path, store.Options{MaxSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	box := newInbox()
	const n = 60
	for i := range n {
		box.deliver(fmt.Sprintf("c%d@example.com", i), noise(i))
	}
	run := func(s *store.Store, until func(w *Worker) bool) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		w := New(Options{Store: s, Sources: []Source{box}, Model: classify.Default(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Detect: detect.Options{Kinds: Kinds(classify.DefaultTaxonomy())}, MinDisk: 1})
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		for end := time.Now().Add(time.Minute); !until(w); time.Sleep(time.Millisecond) {
			select {
			case err := <-ended:
				t.Fatalf("the worker ended: %v", err)
			default:
			}
			if time.Now().After(end) {
				t.Fatal("it did not come")
			}
		}
		cancel()
		if err := <-ended; err != nil && !store.Full(err) {
			t.Error(err)
		}
	}
	run(s, func(w *Worker) bool { return w.Status().Folders[0].State == "failing" })
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	s.Close()
	if s, err = store.Open(path, store.Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run(s, func(*Worker) bool { st, err := s.Stats(); return err == nil && st.Messages == n })
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// noise is a long text that packs badly.
func noise(seed int) string {
	b := make([]byte, 60<<10)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = 'a' + byte(x%26)
		if x%9 == 0 {
			b[i] = ' '
		}
	}
	return string(b)
}

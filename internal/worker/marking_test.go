package worker

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tocsin/mailbox"
	"tocsin/store"
)

// copier copies mails, and ends the reading of them after so many.
type copier struct {
	copied []uint32
	most   int
	end    context.CancelFunc
	fate   func()
}

func (c *copier) Close() error { return nil }

func (c *copier) Mark(ctx context.Context, _, uid uint32, _, _ string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.copied = append(c.copied, uid); len(c.copied) == c.most {
		c.fate()
	}
	return nil
}

// What was copied before a crash is not copied again after it, but for the mail
// that was just being copied.
func TestACrashCopiesNoMoreThanOneMailTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	arrive := func(from, to uint32) {
		var entries []store.Entry
		for uid := from; uid <= to; uid++ {
			entries = append(entries, store.Entry{Message: mailbox.Message{ID: fmt.Sprint("m", uid), Account: "support", Folder: "INBOX",
				UIDValidity: 1, UID: uid, Received: time.Now(), From: mailbox.Address{Addr: "a@example.com"}}})
		}
		if _, err := s.Append(entries, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: to}); err != nil {
			t.Fatal(err)
		}
	}
	arrive(1, 1)
	c := &copier{}
	run := func(s *store.Store) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		c.end = cancel
		m := &Marking{Store: s, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Every: time.Millisecond,
			Marks: map[string]Marks{"support": {CopyTo: "Copies", Marker: func(string) Marker { return c }}}}
		m.Run(ctx)
	}
	// A crash leaves what the file held at that moment.
	crashed := filepath.Join(t.TempDir(), "crashed.db")
	c.most, c.fate = 5, func() {
		if err := s.Backup(t.Context(), crashed); err != nil {
			t.Error(err)
		}
		c.end()
	}
	if err := s.Record(markReader, 1, nil, nil); err != nil { // marking was asked for before
		t.Fatal(err)
	}
	arrive(2, 10)
	run(s)
	s.Close()
	if s, err = store.Open(crashed, store.Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c.most, c.fate = 10, func() { c.end() }
	run(s)
	if want := []uint32{2, 3, 4, 5, 6, 6, 7, 8, 9, 10}; !slices.Equal(c.copied, want) {
		t.Errorf("copied %v, want %v", c.copied, want)
	}
}

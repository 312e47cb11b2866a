package worker

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"tocsin/store"
)

// Marker writes to a folder; mailbox/imapsync's is one.
type Marker interface {
	// Mark sets a keyword on a mail and copies it to a folder, each unless
	// empty.
	Mark(ctx context.Context, uidValidity, uid uint32, keyword, copyTo string) error
	Close() error
}

// Marks is what a mailbox's owner asked to be written to its mails; in both
// "{category}" is replaced.
type Marks struct {
	Keyword, CopyTo string
	Marker          func(folder string) Marker
}

// Marking sets keywords on mails, or copies them, where the configuration asks
// for it. It reads the store's log with a mark of its own, so that a restart
// goes on where it was, and never marks history.
type Marking struct {
	Store *store.Store
	Marks map[string]Marks // by mailbox
	Log   *slog.Logger
	Every time.Duration // between looks; default 2 s

	open map[place]Marker
}

// markReader is its name in the store's marks.
const markReader = "marking"

// Run works until ctx ends or the store breaks.
func (m *Marking) Run(ctx context.Context) error {
	if m.Every <= 0 {
		m.Every = 2 * time.Second
	}
	m.open = map[place]Marker{}
	defer func() {
		for _, x := range m.open {
			x.Close()
		}
	}()
	at, err := m.Store.Mark(markReader)
	if err != nil {
		return err
	}
	if at == 0 { // asked for only now: what was read before stays as it is
		if at, err = m.Store.Last(); err != nil {
			return err
		}
	}
	for tries := 0; ctx.Err() == nil; {
		next, failed, err := m.look(ctx, at)
		if err != nil {
			return err
		}
		if next != at {
			if err := m.record(next); err != nil {
				return err
			}
			at = next
		}
		wait := m.Every
		if failed == nil {
			tries = 0
		} else if ctx.Err() == nil {
			if tries++; tries == 1 {
				m.Log.Warn("mail could not be marked", "err", failed)
			}
			wait = backOff(failed, tries)
		}
		sleep(ctx, wait)
	}
	return nil
}

// record notes how far the log was read. Want of room is no error: the next
// record makes up for it.
func (m *Marking) record(at store.SeqNo) error {
	err := m.Store.Record(markReader, at, nil, nil)
	if store.Full(err) {
		return nil
	}
	return err
}

// look marks what is new in the log; next is how far it came.
func (m *Marking) look(ctx context.Context, from store.SeqNo) (next store.SeqNo, failed, err error) {
	var todo []store.Event
	last, err := m.Store.Since(from, 200, func(e store.Event) error {
		todo = append(todo, e)
		return nil
	})
	if err != nil {
		return from, nil, err
	}
	for _, e := range todo {
		wrote, err := m.one(ctx, e.Message)
		if err != nil {
			return from, err, nil
		}
		if from = e.Seq; !wrote {
			continue
		}
		// At once: whatever was copied after the last record is copied again
		// after a crash.
		if err := m.record(from); err != nil {
			return from, nil, err
		}
	}
	return max(from, last), nil, nil
}

// one marks a mail where that is wanted; wrote tells that it was.
func (m *Marking) one(ctx context.Context, e *store.Entry) (wrote bool, err error) {
	if e == nil || e.History {
		return false, nil
	}
	full, known, err := m.Store.Message(e.ID) // the log's is brief
	if err != nil || !known {
		return false, err
	}
	e = &full
	marks, ok := m.Marks[e.Account]
	if !ok || e.UID == 0 {
		return false, nil
	}
	at := place{e.Account, e.Folder}
	x := m.open[at]
	if x == nil {
		for p, other := range m.open { // one connection at a time is enough
			if p.account == at.account {
				other.Close()
				delete(m.open, p)
			}
		}
		x = marks.Marker(e.Folder)
		m.open[at] = x
	}
	fill := func(s string) string { return strings.ReplaceAll(s, "{category}", e.Category()) }
	err = x.Mark(ctx, e.UIDValidity, e.UID, fill(marks.Keyword), fill(marks.CopyTo))
	if permanent(err) {
		// A person has to mend it; the mails after this one do not wait for that.
		m.Log.Error("mail could not be marked", "mailbox", e.Account, "folder", e.Folder, "uid", e.UID, "err", err)
		return false, nil
	}
	return err == nil, err
}

package imapsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"tocsin/mailbox"
)

// Folder reads one folder of an account over a connection of its own, which it
// makes when it is needed and ends on any doubt. One goroutine at a time uses
// it.
type Folder struct {
	acct  Account
	name  string
	filed bool

	s        *session
	examine  *imap.SelectData
	examined time.Time
	checked  bool  // the cursor was held to what EXAMINE said
	cuts     int   // batches in a row that were cut short
	noIdle   bool  // the server refused it
	read     int64 // bytes received over connections that are closed

	// What is left to take of the last search, and the cursor it belongs to.
	fresh   []imap.UID // ascending
	history []imap.UID // descending
	at      mailbox.Cursor
	haveOld bool // history was searched for at all
	looked  time.Time
	done    int // taken of a long read
	total   int

	limit   int // mails a batch, when batches fail; 0: as configured
	bad     map[imap.UID]*badMail
	careful Begin

	turns     *Turns // nil: the connection is the folder's own
	hasTurn   bool
	turnBegan time.Time

	day      string // of the byte budget
	dayBegan int64  // Received when it began
}

// NewFolder makes a Folder; it connects at the first Fetch.
func NewFolder(a Account, folder string) *Folder {
	return &Folder{acct: a.withDefaults(), name: folder, bad: make(map[imap.UID]*badMail)}
}

// Filed says that people move mail to this folder: what is missing in it left
// no folder unread, and what is new in it may have.
func (f *Folder) Filed() *Folder {
	f.filed = true
	return f
}

// Place names the mailbox and the folder.
func (f *Folder) Place() (account, folder string) { return f.acct.Name, f.name }

// Received returns how many bytes the server sent so far.
func (f *Folder) Received() int64 {
	if f.s != nil {
		return f.read + f.s.guard.received()
	}
	return f.read
}

// Close ends the connection. The Folder can be used again.
func (f *Folder) Close() error {
	if f.s != nil {
		f.read += f.s.guard.received()
		f.s.logout()
		f.s, f.examine = nil, nil
	}
	f.endTurn()
	f.forget()
	return nil
}

// drop ends the connection after a doubt.
func (f *Folder) drop() {
	if f.s != nil {
		f.read += f.s.guard.received()
		f.s.close()
		f.s, f.examine = nil, nil
	}
	f.endTurn()
	f.forget()
}

// forget drops what the last search found.
func (f *Folder) forget() {
	f.fresh, f.history, f.haveOld = nil, nil, false
}

// connect makes sure of a connection with the folder open.
func (f *Folder) connect(ctx context.Context) error {
	if f.s != nil {
		select {
		case <-f.s.client.Closed():
			f.drop()
		default:
			return f.reexamine(ctx)
		}
	}
	if err := f.pace(ctx); err != nil {
		return err
	}
	if err := f.turn(ctx); err != nil {
		return err
	}
	s, err := dial(ctx, &f.acct)
	if err != nil {
		return err
	}
	d, err := s.examine(ctx, f.name)
	if err != nil {
		s.close()
		return orDone(ctx, err)
	}
	f.s, f.examine, f.examined, f.checked = s, d, time.Now(), false
	return nil
}

// pace waits before a new connection when one after the other is cut, though
// each brought mail: servers take many logins a minute for an attack.
func (f *Folder) pace(ctx context.Context) error {
	if f.cuts < 3 {
		return ctx.Err()
	}
	t := time.NewTimer(min(5*time.Second, 100*time.Millisecond<<min(f.cuts-3, 10)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// examineEvery is how often an open folder is opened anew: one that was deleted
// and made again may look merely quiet to a connection that had it open.
const examineEvery = time.Minute

func (f *Folder) reexamine(ctx context.Context) error {
	if time.Since(f.examined) < examineEvery {
		return nil
	}
	d, err := f.s.examine(ctx, f.name)
	if err != nil {
		return err
	}
	f.examine, f.examined, f.checked = d, time.Now(), false
	return nil
}

// atOnce is how often one Fetch makes a new connection to try a smaller batch
// when a batch breaks the connection.
const atOnce = 5

// Fetch returns the next bounded batch after c: new mail first, oldest first,
// then history, newest first, down to the account's Backfill. An empty batch
// with an unchanged cursor means that all was read.
//
// A zero UIDVALIDITY in c, or one that is no longer the server's, begins anew:
// what is there counts as history, what comes as new. Mail known already is
// delivered again then, and recognised by its ID.
func (f *Folder) Fetch(ctx context.Context, c mailbox.Cursor) (mailbox.Batch, error) {
	f.yield()
	for try := 1; ; try++ {
		b, err := f.fetchOnce(ctx, c)
		if err == nil {
			return b, nil
		}
		f.drop()
		if ctx.Err() != nil {
			return mailbox.Batch{}, ctx.Err()
		}
		var broken *brokenFetch
		var innocent notItsFault
		if errors.As(err, &broken) && !errors.As(err, &innocent) {
			f.suspect(broken)
			if try < atOnce && !errors.Is(err, errSilent) && !errors.Is(err, errSlow) {
				continue
			}
		}
		return mailbox.Batch{}, f.wrap(err)
	}
}

// wrap gives an error its place in words.
func (f *Folder) wrap(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Account: f.acct.Name, What: fmt.Sprintf("reading folder %q", f.name), Err: err}
}

// suspect makes the next batch a single mail after one that broke the
// connection, and counts against a mail that did so on its own.
func (f *Folder) suspect(b *brokenFetch) {
	f.limit = 1
	if b.count > 1 {
		return // servers answer in order: the first that did not come is tried alone
	}
	if len(f.bad) > 1000 {
		clear(f.bad)
	}
	if f.bad[b.uid] == nil {
		f.bad[b.uid] = &badMail{}
	}
	f.bad[b.uid].tries++
	f.acct.Log.Debug("a mail could not be read", "mailbox", f.acct.Name, "folder", f.name, "uid", uint32(b.uid), "attempt", f.bad[b.uid].tries, "err", b.err)
}

func (f *Folder) fetchOnce(ctx context.Context, c mailbox.Cursor) (mailbox.Batch, error) {
	if err := f.connect(ctx); err != nil {
		return mailbox.Batch{}, err
	}
	next, err := f.begin(ctx, c)
	if err != nil {
		return mailbox.Batch{}, err
	}
	if err := f.look(ctx, next); err != nil {
		return mailbox.Batch{}, err
	}
	b := mailbox.Batch{Next: next, Filed: f.filed}
	switch {
	case len(f.fresh) > 0:
		t, err := f.take(ctx, f.fresh, time.Time{})
		if err != nil {
			return b, err
		}
		b.Messages, b.Gone = t.messages, t.gone
		f.account(&b.Next, t, uint32(f.fresh[t.count-1]))
		f.fresh = f.fresh[t.count:]
		f.progress(&b, t.count)
	case !next.HistoryDone && len(f.history) > 0 && f.budgetUsed():
		// The rest of the history waits for tomorrow.
	case !next.HistoryDone && len(f.history) > 0:
		t, err := f.take(ctx, f.history, f.since())
		if err != nil {
			return b, err
		}
		b.Messages, b.Gone = t.messages, t.gone
		b.Next.HistoryUID = uint32(f.history[t.count-1])
		f.history = f.history[t.count:]
		b.Next.HistoryDone = len(f.history) == 0
		f.progress(&b, t.count)
	case !next.HistoryDone:
		b.Next.HistoryDone = true
	}
	f.at = b.Next
	return b, nil
}

// account moves the cursor over what was taken of the new mail, and counts the
// UIDs passed that nobody will see here: servers number the mails of a folder
// one by one (RFC 9051 section 2.3.1.1 allows gaps; Zimbra has them), so a gap
// above the cursor is a mail that was moved or deleted first.
func (f *Folder) account(c *mailbox.Cursor, t taken, uid uint32) {
	c.Taken += int64(t.count - len(t.gone))
	if !f.filed {
		c.Left += int64(uid-c.UID) - int64(t.count-len(t.gone))
	}
	c.UID = uid
}

// Begin is told which mails are about to be read, as their UIDs in order. It
// says how many of them to take, at least one, and how often the process ended
// while the first was read alone.
type Begin = func(uidValidity uint32, uids []uint32) (take, crashes int, err error)

// Careful makes each Fetch ask begin just before it reads mails, until it is
// called with nil. It is for the time after the process crashed: a mail that
// ended it twice alone is set aside and comes as a Message with a Problem.
func (f *Folder) Careful(begin Begin) { f.careful = begin }

// progress counts a long read.
func (f *Folder) progress(b *mailbox.Batch, n int) {
	f.done += n
	left := len(f.fresh) + len(f.history)
	f.total = f.done + left
	if left > 0 || f.done > n {
		b.Done, b.Total = f.done, f.total
	}
	if left == 0 {
		f.done, f.total = 0, 0
	}
}

// begin checks a cursor against the folder, and starts a new one where it does
// not belong to it.
func (f *Folder) begin(ctx context.Context, c mailbox.Cursor) (mailbox.Cursor, error) {
	// UIDs below one that was taken are to come: the folder is an older copy of
	// itself, and what comes next would be taken for known.
	restored := f.examine.UIDNext > 0 && !f.checked && c.UID >= uint32(f.examine.UIDNext)
	f.checked = true
	if c.UIDValidity == f.examine.UIDValidity && !restored {
		return c, nil
	}
	last := uint32(0)
	if f.examine.UIDNext > 0 {
		last = uint32(f.examine.UIDNext) - 1
	} else {
		// The server does not foretell: what is there now is history.
		uids, err := f.s.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{upward(1)}})
		if err != nil {
			return c, err
		}
		if len(uids) > 0 {
			last = uint32(slices.Max(uids))
		}
	}
	switch {
	case c.UIDValidity == f.examine.UIDValidity:
		f.acct.Log.Warn("folder is an older copy of itself and is read anew", "mailbox", f.acct.Name, "folder", f.name,
			"uidnext", uint32(f.examine.UIDNext), "uid_before", c.UID)
	case c.UIDValidity != 0:
		f.acct.Log.Warn("folder is another than before and is read anew", "mailbox", f.acct.Name, "folder", f.name,
			"uidvalidity", f.examine.UIDValidity, "before", c.UIDValidity)
	}
	f.forget()
	f.done, f.total = 0, 0
	return mailbox.Cursor{
		Account: f.acct.Name, Folder: f.name,
		UIDValidity: f.examine.UIDValidity, UID: last,
		HistoryDone: f.acct.Backfill <= 0 || last == 0,
		Taken:       c.Taken, Left: c.Left, Found: c.Found,
	}, nil
}

// upward is the set n:*.
func upward(n uint32) imap.UIDSet {
	var set imap.UIDSet
	set.AddRange(imap.UID(n), 0)
	return set
}

package imapsync

import (
	"context"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"tocsin/mailbox"
)

// since is the start of the wanted history.
func (f *Folder) since() time.Time { return f.acct.Now().Add(-f.acct.Backfill) }

// lookEvery is how often history is left for a look at new mail of which the
// server has said nothing.
const lookEvery = 2 * time.Second

// look searches for what is left to take: new mail whenever the last is taken,
// history once.
func (f *Folder) look(ctx context.Context, c mailbox.Cursor) error {
	if !samePlace(f.at, c) {
		f.forget()
	}
	reading := f.haveOld && len(f.history) > 0 && !f.budgetUsed() && len(f.s.news) == 0 && time.Since(f.looked) < lookEvery
	if len(f.fresh) == 0 && !reading {
		select { // what is announced from now on is for the next look
		case <-f.s.news:
		default:
		}
		if err := f.noop(ctx); err != nil {
			return err
		}
		uids, err := f.lookAbove(ctx, c.UID)
		if err != nil {
			return err
		}
		f.fresh, f.looked = uids, time.Now()
	}
	if c.HistoryDone || f.haveOld {
		return nil
	}
	top := c.UID
	if c.HistoryUID > 0 {
		top = c.HistoryUID - 1
	}
	uids, err := f.lookBelow(ctx, top)
	if err != nil {
		return err
	}
	f.history, f.haveOld = uids, true
	return nil
}

// samePlace tells whether two cursors stand at the same mails, whatever was
// counted beside.
func samePlace(a, b mailbox.Cursor) bool {
	return a.UIDValidity == b.UIDValidity && a.UID == b.UID && a.HistoryUID == b.HistoryUID && a.HistoryDone == b.HistoryDone
}

// noop makes the server tell of changes where a search alone would not: it is
// sent only once something was read, for EXAMINE has just told.
func (f *Folder) noop(ctx context.Context) error {
	if f.at == (mailbox.Cursor{}) {
		return nil
	}
	return f.s.noop(ctx)
}

// lookAbove returns the UIDs above last. The set n:* always holds the newest
// mail, even one below n (RFC 9051 section 9, "uid-range").
func (f *Folder) lookAbove(ctx context.Context, last uint32) ([]imap.UID, error) {
	if last == ^uint32(0) {
		return nil, nil
	}
	uids, err := f.s.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{upward(last + 1)}})
	if err != nil {
		return nil, err
	}
	uids = slices.DeleteFunc(uids, func(u imap.UID) bool { return uint32(u) <= last })
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// lookBelow returns the UIDs of the wanted history up to top, newest first. It
// asks for a day more than wanted: SINCE takes no account of time zones.
func (f *Folder) lookBelow(ctx context.Context, top uint32) ([]imap.UID, error) {
	if top == 0 {
		return nil, nil
	}
	var set imap.UIDSet
	set.AddRange(1, imap.UID(top))
	c := &imap.SearchCriteria{UID: []imap.UIDSet{set}, Since: f.since().AddDate(0, 0, -1)}
	uids, err := f.s.search(ctx, c)
	if isRefusal(err) && !isBusy(err) {
		uids, err = f.s.search(ctx, &imap.SearchCriteria{UID: c.UID})
	}
	if err != nil {
		return nil, err
	}
	uids = slices.DeleteFunc(uids, func(u imap.UID) bool { return uint32(u) > top || u == 0 })
	slices.Sort(uids)
	uids = slices.Compact(uids)
	slices.Reverse(uids)
	return uids, nil
}

// budgetUsed tells whether history must wait until tomorrow: the server closes
// a mailbox to everybody, people included, that is read beyond its quota.
func (f *Folder) budgetUsed() bool {
	if f.acct.DayBytes <= 0 {
		return false
	}
	if today := f.acct.Now().UTC().Format(time.DateOnly); today != f.day {
		f.day, f.dayBegan = today, f.Received()
	}
	return f.Received()-f.dayBegan > f.acct.DayBytes
}

package imapsync

import (
	"context"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
)

// How a mail that broke the connection on its own is asked for, by how often
// it did: each time less is asked of the server. The last asks nothing and
// keeps the mail's place, so that it stops nobody else.
const (
	badWhole    = 1 // its first bytes, without its structure
	badUndated  = 2 // and without size and date
	badHeader   = 3 // the header alone
	badUnread   = 4 // nothing
	badLoneMail = 12
)

// takeBad takes the one mail that cannot be read as others can.
func (f *Folder) takeBad(ctx context.Context, uid imap.UID, since time.Time) (taken, error) {
	tries := f.bad[uid]
	g := f.newGathering([]imap.UID{uid}, since)
	defer g.parsers.wait()
	err := f.tryBad(ctx, g, tries)
	g.parsers.wait()
	if err == nil {
		if t := g.prefix(); t.count == 1 {
			delete(f.bad, uid)
			f.relax()
			return t, nil
		}
		err = errWithheld
	}
	if ctx.Err() != nil {
		return taken{}, ctx.Err()
	}
	if isBusy(err) {
		return taken{}, err
	}
	return taken{}, &brokenFetch{err: err, uid: uid, count: 1}
}

func (f *Folder) tryBad(ctx context.Context, g *gathering, tries int) error {
	it := &g.items[0]
	there, err := g.there(ctx, []*item{it})
	if err != nil {
		return notItsFault{err}
	}
	if !there[it.uid] {
		it.state = gone
		return nil
	}
	if tries >= badHeader {
		if err := f.proves(ctx, g, it.uid, tries); err != nil {
			return err
		}
	}
	if tries != badUndated && tries < badUnread {
		// Best effort: where even this breaks the connection, the next try
		// goes without.
		if err := g.sizes(ctx); err != nil {
			return err
		}
		if it.state == old {
			return nil
		}
	}
	switch {
	case tries <= badUndated:
		raw, err := g.bytesOf(ctx, it.uid, section(nil, "", maxMail))
		if err != nil || raw == nil {
			return err
		}
		g.finish(it, raw, "")
	case tries == badHeader:
		raw, err := g.bytesOf(ctx, it.uid, section(nil, imap.PartSpecifierHeader, wholeMail))
		if err != nil || raw == nil {
			return err
		}
		g.finish(it, raw, "only its header could be read from the server")
	default:
		f.acct.Log.Warn("a mail could not be read from the server and is kept without its text",
			"mailbox", f.acct.Name, "folder", f.name, "uid", uint32(it.uid), "attempt", tries)
		g.unread(it)
	}
	return nil
}

// unread keeps the place of a mail that the server does not hand over.
func (g *gathering) unread(it *item) {
	m := &it.msg
	m.ID = mailDigest(fmt.Appendf(nil, "unread %q %q %d %d", g.f.acct.Name, g.f.name, g.parsers.validity, it.uid))
	m.Account, m.Folder, m.UIDValidity, m.UID = g.f.acct.Name, g.f.name, g.parsers.validity, uint32(it.uid)
	m.Received, m.Size = it.date, it.size
	if m.Received.IsZero() {
		m.Received = g.f.acct.Now()
	}
	m.Problem = "the server lists this mail but does not hand it over"
	it.state = done
}

// notItsFault is a failure that came before the bad mail was asked for.
type notItsFault struct{ error }

func (e notItsFault) Unwrap() error { return e.error }

// proves reads another mail before a bad one is given up: a network that drops
// large packets or cuts connections must not cost mails their text. It fails
// when that cannot be read either.
func (f *Folder) proves(ctx context.Context, g *gathering, bad imap.UID, tries int) error {
	uids, err := g.s.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{upward(1)}})
	if err != nil {
		return notItsFault{err}
	}
	for i := len(uids) - 1; i >= 0 && i >= len(uids)-20; i-- {
		if uids[i] == bad || f.bad[uids[i]] > 0 {
			continue
		}
		raw, err := g.bytesOf(ctx, uids[i], section(nil, "", 16<<10))
		if err != nil {
			return notItsFault{err}
		}
		if len(raw) > 0 {
			return nil
		}
	}
	if tries < badLoneMail {
		// It is alone, or all are bad: it gets more tries before it is given up.
		f.bad[bad]++
		return notItsFault{errWithheld}
	}
	return nil
}

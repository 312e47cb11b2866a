package imapsync

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// How a mail that broke the connection on its own is asked for, by how often
// it did: each time less is asked of the server. In the end nothing is, and the
// mail's place is kept, so that it stops nobody else.
const (
	badWhole   = 1 // its first bytes, without its structure
	badUndated = 2 // and without size and date
	badProven  = 3 // once another mail could be read: all again, its header, nothing
	badAlone   = 12
	badAll     = 60
)

// badMail is what is known against a mail.
type badMail struct {
	tries int
	stage int // how often it was asked for since another mail could be read
}

// takeBad takes the one mail that cannot be read as others can.
func (f *Folder) takeBad(ctx context.Context, uid imap.UID, since time.Time) (taken, error) {
	bad := f.bad[uid]
	g := f.newGathering([]imap.UID{uid}, since)
	defer g.parsers.wait()
	err := f.tryBad(ctx, g, bad)
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

func (f *Folder) tryBad(ctx context.Context, g *gathering, bad *badMail) error {
	it := &g.items[0]
	there, err := g.there(ctx, []*item{it})
	if err != nil {
		return notItsFault{err}
	}
	if !there[it.uid] {
		it.state = gone
		return nil
	}
	if bad.tries >= badProven {
		if err := f.proves(ctx, g, it.uid, bad); err != nil {
			return err
		}
		bad.stage++
		switch bad.stage {
		case 1: // what was wrong with all may have ended
		case 2:
			raw, err := g.bytesOf(ctx, it.uid, section(nil, imap.PartSpecifierHeader, wholeMail))
			if err == nil && raw != nil {
				g.finish(it, raw, "only its header could be read from the server")
			}
			return err
		default:
			f.acct.Log.Warn("a mail could not be read from the server and is kept without its text",
				"mailbox", f.acct.Name, "folder", f.name, "uid", uint32(it.uid), "attempt", bad.tries)
			g.unread(it, "the server lists this mail but does not hand it over")
			return nil
		}
	}
	if bad.tries != badUndated {
		if err := g.sizes(ctx); err != nil || it.state == old {
			return err
		}
	}
	raw, err := g.bytesOf(ctx, it.uid, section(nil, "", maxMail))
	if err == nil && raw != nil {
		g.finish(it, raw, "")
	}
	return err
}

// takeAside takes one mail without looking into it: of its header only the
// lines that name sender and subject are read, as they stand, and not even they
// if that ended the process again.
func (f *Folder) takeAside(ctx context.Context, uid imap.UID, crashes int) (taken, error) {
	g := f.newGathering([]imap.UID{uid}, time.Time{})
	it := &g.items[0]
	if err := g.sizes(ctx); err != nil {
		return taken{}, err
	}
	if crashes == 2 {
		header, err := g.bytesOf(ctx, uid, section(nil, imap.PartSpecifierHeader, maxPartMIME))
		if err != nil {
			return taken{}, err
		}
		it.msg.From.Addr, it.msg.Subject = salvage(header)
	}
	f.acct.Log.Error("a mail ended the program each time it was read and was set aside",
		"mailbox", f.acct.Name, "folder", f.name, "uid", uint32(uid), "attempt", crashes)
	g.unread(it, "reading this mail ended the program twice; it was set aside")
	return g.prefix(), nil
}

// salvage finds sender and subject in a header without decoding anything.
func salvage(header []byte) (from, subject string) {
	for line := range bytes.Lines(header) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch strings.ToLower(string(name)) {
		case "from":
			if i := bytes.LastIndexByte(value, '<'); i >= 0 {
				value, _, _ = bytes.Cut(value[i+1:], []byte(">"))
			}
			from = strings.TrimSpace(printable(string(value)))
		case "subject":
			subject = strings.TrimSpace(printable(string(value)))
		}
	}
	return from, subject
}

// unread keeps the place of a mail that cannot be read.
func (g *gathering) unread(it *item, problem string) {
	m := &it.msg
	m.ID = mailDigest(fmt.Appendf(nil, "unread %q %q %d %d", g.f.acct.Name, g.f.name, g.parsers.validity, it.uid))
	m.Account, m.Folder, m.UIDValidity, m.UID = g.f.acct.Name, g.f.name, g.parsers.validity, uint32(it.uid)
	m.Received, m.Size = g.f.arrival(it.date), it.size
	m.Problem = problem
	it.state = done
}

// notItsFault is a failure that came before the bad mail was asked for.
type notItsFault struct{ error }

func (e notItsFault) Unwrap() error { return e.error }

// proves reads another mail before a bad one is given up: a network that drops
// large packets, or a server that refuses all for an hour, must not cost mails
// their text. It fails when nothing else can be read either, until that has
// been so many times that other mails must be as bad.
func (f *Folder) proves(ctx context.Context, g *gathering, uid imap.UID, bad *badMail) error {
	uids, err := g.s.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{upward(1)}})
	if err != nil {
		return notItsFault{err}
	}
	most := badAlone
	for i := len(uids) - 1; i >= 0 && i >= len(uids)-20; i-- {
		if uids[i] == uid || f.bad[uids[i]] != nil {
			continue
		}
		most = badAll
		raw, err := g.bytesOf(ctx, uids[i], section(nil, "", 16<<10))
		if err == nil && len(raw) > 0 {
			return nil
		}
		if err != nil {
			break
		}
	}
	if bad.tries >= most {
		return nil
	}
	bad.tries++
	bad.stage = 0
	return notItsFault{errWithheld}
}

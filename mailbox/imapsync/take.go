package imapsync

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"

	"tocsin/mailbox"
)

// taken is the outcome of the first count UIDs of a list.
type taken struct {
	messages []mailbox.Message
	gone     []uint32
	count    int
}

// Bounds of a batch beside its number of mails.
const (
	batchBytes = 16 << 20  // estimated bytes in flight
	largeCost  = 512 << 10 // of a mail whose text parts are not known yet
)

// take fetches the first mails of a list, as many as make a batch, and accounts
// for every one of them. When the connection breaks in the middle, what came
// whole before the first hole is delivered and the rest left for the next time.
func (f *Folder) take(ctx context.Context, uids []imap.UID, since time.Time) (taken, error) {
	n := min(len(uids), f.acct.Batch)
	if f.limit > 0 {
		n = min(n, f.limit)
	}
	if f.careful != nil {
		plain := make([]uint32, n)
		for i := range plain {
			plain[i] = uint32(uids[i])
		}
		take, crashes, err := f.careful(f.examine.UIDValidity, plain)
		if err != nil {
			return taken{}, err
		}
		if crashes >= 2 {
			return f.takeAside(ctx, uids[0], crashes)
		}
		n = min(n, max(1, take))
	}
	if f.bad[uids[0]] != nil {
		return f.takeBad(ctx, uids[0], since)
	}
	g := f.newGathering(uids[:n], since)
	err := g.run(ctx)
	g.parsers.wait()
	if err == nil {
		err = g.resolve(ctx)
		g.parsers.wait()
	}
	if err != nil && !isRefusal(err) && !isNetwork(err) && g.last != nil {
		// The answers went wrong somewhere: bytes that do not belong there may
		// have come within the last mail.
		g.last.state = open
	}
	t := g.prefix()
	if err == nil {
		f.cuts = 0
		f.relax()
		return t, nil
	}
	if ctx.Err() != nil {
		return taken{}, ctx.Err()
	}
	if isBusy(err) && t.count == 0 {
		return taken{}, err
	}
	var broken *brokenFetch
	if !errors.As(err, &broken) {
		broken = &brokenFetch{err: err, uid: uids[0], count: n}
	}
	if t.count == 0 {
		return taken{}, broken
	}
	f.acct.Log.Debug("a batch was cut short", "mailbox", f.acct.Name, "folder", f.name, "mails", t.count, "err", err)
	// The next mail is the first suspect: it is taken alone.
	f.limit = 1
	if errors.Is(err, errWithheld) {
		f.suspect(broken)
	}
	if !isRefusal(err) && !errors.Is(err, errWithheld) {
		f.cuts++
		fresh, history := f.fresh, f.history
		f.drop()
		f.fresh, f.history, f.haveOld = fresh, history, len(history) > 0
	}
	return t, nil
}

// relax lets batches grow again.
func (f *Folder) relax() {
	if f.limit == 0 {
		return
	}
	if f.limit *= 2; f.limit >= f.acct.Batch {
		f.limit = 0
	}
}

// gathering is the work on one batch.
type gathering struct {
	f       *Folder
	s       *session
	since   time.Time
	items   []item
	byUID   map[imap.UID]*item
	parsers *parsers
	last    *item // finished last
}

// item is one mail of a batch on its way.
type item struct {
	uid  imap.UID
	size int64
	date time.Time
	seen bool // size and date are known

	state itemState
	msg   mailbox.Message
	large *answer // header and structure of a large mail
	plan  *plan
}

type itemState uint8

const (
	open itemState = iota // nothing yet
	old                   // before the wanted history
	gone                  // no longer there
	done                  // msg is complete
)

func (f *Folder) newGathering(uids []imap.UID, since time.Time) *gathering {
	g := &gathering{f: f, s: f.s, since: since,
		items: make([]item, len(uids)), byUID: make(map[imap.UID]*item, len(uids)),
		parsers: &parsers{f: f, validity: f.examine.UIDValidity}}
	for i, u := range uids {
		g.items[i].uid = u
		g.byUID[u] = &g.items[i]
	}
	return g
}

// prefix is what is accounted for without a hole.
func (g *gathering) prefix() taken {
	var t taken
	for i := range g.items {
		it := &g.items[i]
		switch it.state {
		case open:
			return t
		case gone:
			t.gone = append(t.gone, uint32(it.uid))
		case done:
			t.messages = append(t.messages, it.msg)
		}
		t.count++
	}
	return t
}

// run fetches sizes, then small mails whole, then large ones in parts.
func (g *gathering) run(ctx context.Context) error {
	if err := g.sizes(ctx); err != nil {
		return err
	}
	var small, large []*item
	budget := int64(batchBytes)
	for i := range g.items {
		it := &g.items[i]
		if it.state != open || !it.seen {
			continue
		}
		cost := min(it.size, largeCost)
		if budget -= cost; budget < 0 && i > 0 {
			g.items = g.items[:i]
			break
		}
		if it.size < wholeMail {
			small = append(small, it)
		} else {
			large = append(large, it)
		}
	}
	if err := g.whole(ctx, small); err != nil {
		return err
	}
	return g.inParts(ctx, large)
}

// sizes learns how large each mail is and when it came.
func (g *gathering) sizes(ctx context.Context) error {
	var set imap.UIDSet
	for i := range g.items {
		set.AddNum(g.items[i].uid)
	}
	opt := &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true}
	err := g.s.fetch(ctx, set, opt, smallAnswer+int64(len(g.items))*1024, func(a *answer) { g.learn(a) })
	if isRefusal(err) && !isBusy(err) {
		return nil // some servers answer NO when some are gone: resolve asks again
	}
	return err
}

func (g *gathering) learn(a *answer) *item {
	it := g.byUID[a.uid]
	if it == nil || !a.hasSize || a.date.IsZero() {
		return nil
	}
	it.size, it.date, it.seen = a.size, a.date, true
	if it.date.Before(g.since) {
		it.state = old
	}
	return it
}

func setOf(items []*item) imap.UIDSet {
	var set imap.UIDSet
	for _, it := range items {
		set.AddNum(it.uid)
	}
	return set
}

// whole fetches mails as they are.
func (g *gathering) whole(ctx context.Context, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	bytes := int64(smallAnswer)
	for _, it := range items {
		bytes += 2*it.size + 1024
	}
	opt := &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section(nil, "", 0)}}
	err := g.s.fetch(ctx, setOf(items), opt, bytes, func(a *answer) {
		if it := g.byUID[a.uid]; it != nil && it.state == open && a.sections[""] != nil {
			g.finish(it, a.sections[""], "")
		}
	})
	if isRefusal(err) && !isBusy(err) {
		return nil
	}
	return err
}

// finish hands a mail to the parsers. A problem is kept beside what they read.
func (g *gathering) finish(it *item, raw []byte, problem string) {
	it.state = done
	g.last = it
	g.parsers.add(it, raw, problem)
}

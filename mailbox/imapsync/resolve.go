package imapsync

import (
	"context"
	"errors"

	"github.com/emersion/go-imap/v2"
)

// resolve accounts for the mails that did not come: gone, or asked for again
// one by one.
func (g *gathering) resolve(ctx context.Context) error {
	var missing []*item
	for i := range g.items {
		if g.items[i].state == open {
			missing = append(missing, &g.items[i])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	there, err := g.there(ctx, missing)
	if err != nil {
		return err
	}
	for _, it := range missing {
		if !there[it.uid] {
			it.state = gone
			continue
		}
		if err := g.again(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// there asks which of the mails the folder still has.
func (g *gathering) there(ctx context.Context, items []*item) (map[imap.UID]bool, error) {
	if err := g.s.noop(ctx); err != nil {
		return nil, err
	}
	uids, err := g.s.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{setOf(items)}})
	if err != nil {
		return nil, err
	}
	there := make(map[imap.UID]bool, len(uids))
	for _, u := range uids {
		there[u] = true
	}
	return there, nil
}

var errWithheld = errors.New("the server lists the mail but does not send it")

// again asks for a single mail in every way there is. A mail that the server
// lists and does not send is an error, which counts against it.
func (g *gathering) again(ctx context.Context, it *item) error {
	if !it.seen {
		a := &answer{uid: it.uid}
		opt := &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true}
		if err := g.single(ctx, it.uid, opt, smallAnswer, a, func() bool { return a.hasSize && !a.date.IsZero() }); err != nil {
			return err
		}
		if g.learn(a) == nil {
			return &brokenFetch{err: errWithheld, uid: it.uid, count: 1}
		}
		if it.state == old {
			return nil
		}
	}
	if it.size >= wholeMail {
		if err := g.inParts(ctx, []*item{it}); err != nil || it.state != open {
			return err
		}
	}
	raw, err := g.bytesOf(ctx, it.uid, section(nil, "", maxMail))
	if err != nil {
		return err
	}
	if raw == nil {
		return &brokenFetch{err: errWithheld, uid: it.uid, count: 1}
	}
	g.finish(it, raw, "")
	return nil
}

// bytesOf fetches one section of one mail; nil if the server does not send it.
func (g *gathering) bytesOf(ctx context.Context, uid imap.UID, sec *imap.FetchItemBodySection) ([]byte, error) {
	a := &answer{uid: uid}
	name := sectionName(sec)
	opt := &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{sec}}
	err := g.single(ctx, uid, opt, smallAnswer+maxLiteral, a, func() bool { return a.sections[name] != nil })
	return a.sections[name], err
}

// single fetches from one mail by UID, and when the answer does not come or is
// not complete, by sequence number: then the client does not need the UID to
// come first. What it could not connect with the command is picked up too.
func (g *gathering) single(ctx context.Context, uid imap.UID, opt *imap.FetchOptions, bytes int64, a *answer, complete func() bool) error {
	merge := func(b *answer) {
		if b.uid == uid {
			a.merge(b)
		}
	}
	err := g.s.fetch(ctx, imap.UIDSetNum(uid), opt, bytes, merge)
	if err != nil && (!isRefusal(err) || isBusy(err)) {
		return err
	}
	if err == nil {
		g.s.strays.merge(a, complete)
	}
	if complete() {
		return nil
	}
	seq, err := g.s.sequence(ctx, uid)
	if err != nil || seq == 0 {
		return err
	}
	err = g.s.fetch(ctx, imap.SeqSetNum(seq), opt, bytes, merge)
	if err != nil && (!isRefusal(err) || isBusy(err)) {
		return err
	}
	if err == nil {
		g.s.strays.merge(a, complete)
	}
	return nil
}

// sequence finds the sequence number of a UID; 0 if it is gone.
func (s *session) sequence(ctx context.Context, uid imap.UID) (uint32, error) {
	var seq uint32
	err := s.do(ctx, smallAnswer, func() error {
		d, err := s.client.Search(&imap.SearchCriteria{UID: []imap.UIDSet{imap.UIDSetNum(uid)}}, nil).Wait()
		if err != nil {
			return err
		}
		if set, ok := d.All.(imap.SeqSet); ok && len(set) == 1 && set[0].Start == set[0].Stop {
			seq = set[0].Start
		}
		return nil
	})
	if isRefusal(err) && !isBusy(err) {
		return 0, nil
	}
	return seq, err
}

package imapsync

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"
)

const (
	structuresAtOnce = 100     // mails whose structure is asked for in one command
	sectionsAtOnce   = 60      // sections in one command: servers bound their length
	partBytesAtOnce  = 8 << 20 // estimated bytes of sections in one command
)

// inParts fetches large mails: header and structure of all, then the text
// parts, mails of equal structure together. Mails that this does not work for
// stay open.
func (g *gathering) inParts(ctx context.Context, items []*item) error {
	for chunk := range slices.Chunk(items, structuresAtOnce) {
		if err := g.structures(ctx, chunk); err != nil {
			return err
		}
		if err := g.sections(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (g *gathering) structures(ctx context.Context, items []*item) error {
	for _, it := range items {
		it.large, it.plan = nil, nil
	}
	opt := &imap.FetchOptions{UID: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
		BodySection: []*imap.FetchItemBodySection{section(nil, imap.PartSpecifierHeader, maxHeader)}}
	err := g.s.fetch(ctx, setOf(items), opt, smallAnswer+int64(len(items))*(maxHeader+maxPart), func(a *answer) {
		if it := g.byUID[a.uid]; it != nil && a.structure != nil && len(a.sections[string(imap.PartSpecifierHeader)]) > 0 {
			it.large, it.plan = a, planOf(a.structure)
		}
	})
	if isRefusal(err) && !isBusy(err) {
		return nil
	}
	return err
}

// sections fetches what the plans ask for and makes mails of it.
func (g *gathering) sections(ctx context.Context, items []*item) error {
	groups := make(map[string][]*item)
	var order []string
	for _, it := range items {
		if it.plan == nil {
			continue
		}
		key := it.plan.key()
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], it)
	}
	for _, key := range order {
		for _, few := range byBytes(groups[key]) {
			if err := g.group(ctx, few); err != nil {
				return err
			}
		}
	}
	return nil
}

// byBytes splits a group so that no command brings too much.
func byBytes(items []*item) [][]*item {
	var out [][]*item
	var sum int64
	for i, it := range items {
		if i == 0 || sum+it.plan.bytes > partBytesAtOnce {
			out, sum = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], it)
		sum += it.plan.bytes
	}
	return out
}

// group fetches the same sections of several mails.
func (g *gathering) group(ctx context.Context, items []*item) error {
	bytes := int64(smallAnswer)
	for _, it := range items {
		bytes += 2*it.plan.bytes + int64(len(it.plan.sections))*maxPartMIME
	}
	for sections := range slices.Chunk(items[0].plan.sections, sectionsAtOnce) {
		opt := &imap.FetchOptions{UID: true, BodySection: sections}
		err := g.s.fetch(ctx, setOf(items), opt, bytes, func(a *answer) {
			if it := g.byUID[a.uid]; it != nil && it.large != nil {
				it.large.merge(a)
			}
		})
		if err != nil && (!isRefusal(err) || isBusy(err)) {
			return err
		}
	}
	for _, it := range items {
		if it.plan.complete(it.large) {
			g.finish(it, it.plan.rebuild(it.large), "")
		}
		it.large, it.plan = nil, nil
	}
	return nil
}

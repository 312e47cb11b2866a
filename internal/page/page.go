// Package page calls people: it words a page from an incident as it is now and
// delivers it to each pager, at least once and in order.
package page

import (
	"context"
	"time"

	"tocsin/detect"
)

// Quote is a customer's own words.
type Quote struct {
	From string // redacted as configured
	Text string // at most 160 characters
	At   time.Time
}

// Page is what a pager is given to send: everything worded, nothing escaped;
// each pager escapes for its own medium.
type Page struct {
	Delivery uint64            // id of the delivery, for idempotency keys
	DedupKey string            // "tocsin/incident/" + incident id
	Change   detect.ChangeKind // what happened
	Incident detect.Incident   // as it is now
	Due      time.Time         // when it became true
	Late     time.Duration     // how much later it is sent; 0 when in time
	Test     bool              // a page that somebody asked for to try the pager
	// Deployment is set instead of the incident where a pager wants to be told
	// of deployments.
	Deployment *detect.Deployment

	Headline string   // "Login and signup complaints are surging"
	Sentence string   // what was paged, one line: customers, minutes, normal, deployment
	Facts    []Fact   // what is known, a line each
	Quotes   []Quote  // at most 3
	Terms    []string // words that surge against normal
	Packages []string // "jsonwebtoken 9.0.2 -> 8.5.1 (downgraded)", the likeliest first
	Source   string   // the mailbox's address or name
	Link     string   // of the incident; "" when no public address is configured
}

// Pager delivers one page. Its errors may say whether to try again: an error
// with Permanent() bool true is final, one with RetryAfter() time.Duration is
// tried again after that.
type Pager interface {
	Page(ctx context.Context, p Page) error
}

// bounded cuts every text to what a page needs, whoever wrote it: versions and
// package names come from outside, too, and services refuse what is too long.
func (p Page) bounded() Page {
	p.Headline, p.Sentence, p.Source, p.Link = clip(p.Headline, 300), clip(p.Sentence, 1000), clip(p.Source, 200), clip(p.Link, 2000)
	cut := func(list []string, n, length int) []string {
		var out []string
		for _, s := range list[:min(n, len(list))] {
			out = append(out, clip(s, length))
		}
		return out
	}
	p.Terms, p.Packages = cut(p.Terms, 8, 60), cut(p.Packages, 6, 200)
	known := p.Facts
	p.Facts = nil
	for _, f := range known[:min(10, len(known))] {
		p.Facts = append(p.Facts, Fact{f.Name, clip(f.Value, 1200)})
	}
	quotes := p.Quotes
	p.Quotes = nil
	for _, q := range quotes[:min(maxQuotes, len(quotes))] {
		p.Quotes = append(p.Quotes, Quote{From: clip(q.From, 80), Text: clip(q.Text, maxQuote), At: q.At})
	}
	if s := p.Incident.Suspect; s != nil {
		c := *s
		d := &c.Deployment
		d.Service, d.Version, d.Commit, d.Actor, d.Link = clip(d.Service, 100), clip(d.Version, 100), clip(d.Commit, 100), clip(d.Actor, 100), clip(d.Link, 500)
		d.Changes = d.Changes[:min(20, len(d.Changes))]
		p.Incident.Suspect = &c
	}
	return p
}

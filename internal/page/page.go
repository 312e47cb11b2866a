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

	Headline string   // "Login and signup complaints are surging"
	Sentence string   // what was paged, one line: customers, minutes, normal, deployment
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

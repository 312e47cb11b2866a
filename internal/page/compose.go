package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/store"
)

// Bounds of a page's words.
const (
	maxQuote  = 160 // characters
	maxQuotes = 3
	lateAfter = 2 * time.Minute
)

// Composer words pages from what the store holds now.
type Composer struct {
	Store     *store.Store
	Location  *time.Location
	PublicURL string   // of the dashboard; empty: no links
	Source    string   // the mailbox, as people know it
	Watch     []string // core packages, named first
	Redact    []string // what is blotted out of quotes: email, number, name
	Now       func() time.Time
}

// errGone says that what a page is about is not in the store.
var errGone = &sendError{text: "what the page is about is gone", final: true}

// DedupKey is the key by which pagers drop repeats: one an incident for ever.
func DedupKey(incident string) string { return "tocsin/incident/" + incident }

// Compose words the page of a delivery.
func (c *Composer) Compose(d store.Delivery) (Page, error) {
	p := Page{Delivery: uint64(d.ID), Change: d.Change, Due: d.Due, Source: c.Source}
	if d.Incident == "" {
		dep, ok, err := c.Store.Deployment(d.Subject)
		if err == nil && !ok {
			err = errGone
		}
		p.Deployment = &dep
		return p, err
	}
	i, ok, err := c.Store.Incident(d.Incident)
	if err != nil {
		return p, err
	}
	if !ok {
		return p, errGone
	}
	p.Incident, p.DedupKey = i, DedupKey(i.ID)
	if c.PublicURL != "" {
		p.Link = strings.TrimSuffix(c.PublicURL, "/") + "/incidents/" + i.ID
	}
	p.Headline, p.Sentence = Headline(&i), Sentence(&i)
	switch d.Change {
	case detect.DidResolve:
		p.Headline = "Resolved: " + subjectOf(&i)
		if i.Kind == "surge" {
			p.Headline += " are back to normal"
		}
		p.Sentence = SentenceNow(&i) + ended(&i)
	case detect.DidDismiss:
		p.Headline = "False alarm: " + subjectOf(&i)
	case detect.DidAcknowledge:
		p.Headline = "Acknowledged: " + subjectOf(&i)
	case detect.Grew, detect.Suspected, detect.DidReopen:
		p.Sentence = SentenceNow(&i)
	}
	if s := i.Suspect; s != nil {
		if full, ok, err := c.Store.Deployment(s.Deployment.ID); err == nil && ok {
			s.Deployment = full
		}
		for n, ch := range detect.RankChanges(s.Deployment.Changes, i.Categories, c.Watch) {
			if n == 5 {
				p.Packages = append(p.Packages, fmt.Sprintf("and %d more", len(s.Deployment.Changes)-5))
				break
			}
			p.Packages = append(p.Packages, ch.String())
		}
	}
	c.late(&p)
	if i.Kind == "surge" {
		err = c.customers(&p)
	}
	p.Facts = facts(&p, c.location())
	return p, err
}

// late lets a page that was delayed say when it was due, and whether what it
// tells of is over.
func (c *Composer) late(p *Page) {
	late := c.Now().Sub(p.Due)
	if late <= lateAfter {
		return
	}
	p.Late = late
	clock := func(t time.Time) string { return t.In(c.location()).Format("15:04 MST") }
	p.Sentence += fmt.Sprintf("; due at %s, sent %s late", clock(p.Due), Span(late))
	if i := &p.Incident; i.State == detect.Resolved && p.Change != detect.DidResolve && p.Change != detect.DidDismiss {
		p.Sentence += ", over since " + clock(i.ResolvedAt)
	}
}

func (c *Composer) location() *time.Location {
	if c.Location == nil {
		return time.UTC
	}
	return c.Location
}

// customers adds the customers' own words, and the words that surge.
func (c *Composer) customers(p *Page) error {
	i := &p.Incident
	var texts []string
	for _, id := range i.Now.Messages {
		e, ok, err := c.Store.Message(id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		words := quoteOf(&e)
		texts = append(texts, blank.Replace(c.redact(e.Subject+"\n"+e.Reply, &e)))
		if words != "" && len(p.Quotes) < maxQuotes {
			p.Quotes = append(p.Quotes, Quote{From: c.redact(e.From.Name, &e), Text: c.redact(words, &e), At: e.Received})
		}
	}
	if len(texts) < 3 {
		return nil
	}
	usual, err := c.Store.Messages(store.Query{From: i.StartedAt.Add(-14 * 24 * time.Hour), To: i.StartedAt, Automated: "without", Limit: 300})
	if err != nil {
		return err
	}
	var background []string
	for n := range usual.Entries {
		background = append(background, usual.Entries[n].Subject+"\n"+usual.Entries[n].Reply)
	}
	for _, t := range classify.Surging(texts, background, 5) {
		p.Terms = append(p.Terms, t.Term)
	}
	return nil
}

// quoteOf is what best says the trouble: the phrase that decided, else the
// first words of the mail.
func quoteOf(e *store.Entry) string {
	s := strings.Join(strings.Fields(e.Reply), " ")
	if len([]rune(s)) > maxQuote && len(e.Verdict.Evidence) > 0 && len(e.Verdict.Evidence[0].Phrase) > 10 {
		s = e.Verdict.Evidence[0].Phrase
	}
	if s == "" {
		s = e.Subject
	}
	return clip(s, maxQuote)
}

// clipBytes cuts at a rune's edge.
func clipBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimRight(string(r[:n-1]), " ") + "…"
}

// blank takes the marks of what was blotted out, which are no words.
var blank = strings.NewReplacer("[address]", " ", "[number]", " ", "[name]", " ")

var (
	mailAddress = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]+`)
	longNumber  = regexp.MustCompile(`\+?\d[\d ()/.-]{4,}\d|\d{4,}`)
)

// redact blots out what the configuration asks for.
func (c *Composer) redact(s string, e *store.Entry) string {
	if slices.Contains(c.Redact, "email") {
		s = mailAddress.ReplaceAllString(s, "[address]")
	}
	if slices.Contains(c.Redact, "number") {
		s = longNumber.ReplaceAllString(s, "[number]")
	}
	if slices.Contains(c.Redact, "name") {
		if s == e.From.Name {
			return "a customer"
		}
		for _, n := range strings.Fields(e.From.Name) {
			if len(n) > 2 {
				s = strings.ReplaceAll(s, n, "[name]")
			}
		}
	}
	return s
}

// TestPage is a page that somebody asked for to try a pager.
func TestPage(now time.Time, source string) Page {
	i := detect.Incident{ID: "test-" + now.UTC().Format("20060102-150405"), Kind: "surge", Level: detect.Paging, State: detect.Open,
		Categories: []string{"login"}, StartedAt: now, DetectedAt: now}
	return Page{DedupKey: DedupKey(i.ID), Change: detect.Opened, Incident: i, Due: now, Test: true, Source: source,
		Headline: "TEST: this is a test page of Tocsin", Sentence: "TEST: nobody complains; somebody tries whether this pager rings"}
}

// Over is the end of a test page: where a page stays open until it is ended,
// nobody should have to do so by hand.
func (p Page) Over() Page {
	p.Change, p.Incident.State, p.Incident.ResolvedAt = detect.DidResolve, detect.Resolved, p.Due
	p.Headline, p.Sentence = "TEST: the test page is over", "TEST: the pager rang, and the test is over"
	return p
}

// StaysOpen tells whether what a pager shows of an incident stays until it is
// told of its end.
func StaysOpen(p Pager) bool {
	switch p.(type) {
	case *PagerDuty, *JSM, *Alertmanager:
		return true
	}
	return false
}

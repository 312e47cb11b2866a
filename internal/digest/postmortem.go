package digest

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/internal/page"
	"tocsin/store"
)

// todo marks what only people can write.
const todo = "_To be written._"

// PostMortem is the draft of an incident's post-mortem, in Markdown: what the
// store knows is filled in, the rest is marked.
func PostMortem(ctx context.Context, o Options, id string) (string, error) {
	i, ok, err := o.Store.Incident(id)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("there is no incident %q", id)
	}
	steps, err := o.Store.Timeline(id)
	if err != nil {
		return "", err
	}
	m := draft{o: &o, i: &i, zone: o.Location}
	if s := i.Suspect; s != nil {
		if full, ok, err := o.Store.Deployment(s.Deployment.ID); err != nil {
			return "", err
		} else if ok {
			s.Deployment = full
		}
	}
	m.head()
	m.summary()
	m.impact()
	m.timeline(steps)
	m.suspect()
	if err := m.quotes(ctx); err != nil {
		return "", err
	}
	m.add("## Root cause\n\n%s\n\n## Resolution\n\n%s\n\n## What went well, what went badly\n\n%s\n", todo, m.resolution(), todo)
	m.add("## Corrective measures\n\n| Measure | Owner | Due |\n|---|---|---|\n| %s | | |\n", todo)
	return m.b.String(), nil
}

type draft struct {
	o    *Options
	i    *detect.Incident
	zone *time.Location
	b    strings.Builder
}

func (m *draft) add(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

func (m *draft) head() {
	m.add("# Post-mortem: %s\n", md(strings.TrimSuffix(strings.TrimSuffix(page.Headline(m.i), " are surging"), " surged")))
	m.add("- Incident: `%s`", strings.ReplaceAll(oneLine(m.i.ID), "`", ""))
	m.add("- Began: %s", m.at(m.i.StartedAt))
	m.add("- Detected: %s", m.at(m.i.DetectedAt))
	switch {
	case m.i.ResolvedAt.IsZero():
		m.add("- Ended: not yet")
	default:
		m.add("- Ended: %s, after %s", m.at(m.i.ResolvedAt), page.Span(m.i.ResolvedAt.Sub(m.i.StartedAt)))
	}
	if m.o.PublicURL != "" {
		m.add("- Dashboard: <%s/incidents/%s>", strings.TrimSuffix(m.o.PublicURL, "/"), url.PathEscape(m.i.ID))
	}
	m.add("- Authors: %s\n- Status: draft, written %s\n", todo, m.at(m.o.Now()))
}

func (m *draft) at(t time.Time) string { return t.In(m.zone).Format("2006-01-02 15:04:05 MST") }

func (m *draft) summary() {
	m.add("## Summary\n")
	m.add("%s.", md(strings.TrimSuffix(clip(upper(oneLine(page.SentenceNow(m.i))), maxSentence), ".")))
	if m.i.Kind == "surge" {
		m.add("On-call was paged with: %s.", md(strings.TrimSuffix(clip(oneLine(page.Sentence(m.i)), maxSentence), ".")))
	}
	if s := m.i.Suspect; s != nil {
		m.add("The likeliest cause is deployment %s, %s before the first complaint.", md(name(&s.Deployment)), page.Span(s.Lead))
	} else if m.i.Kind == "surge" {
		m.add("No deployment is suspected.")
	}
	m.add("\n%s\n", todo)
}

func name(d *detect.Deployment) string { return strings.TrimSpace(d.Service + " " + d.Version) }

func (m *draft) impact() {
	r := &m.i.Now
	if m.i.Kind != "surge" {
		return
	}
	m.add("## Impact\n")
	m.add("| | |\n|---|---|")
	m.add("| Customers who wrote | %d |", r.Customers)
	m.add("| Mails | %d |", r.Complaints)
	if r.Organisations > 0 {
		m.add("| Organisations among them | %d |", r.Organisations)
	}
	m.add("| Normal in the same time | %s |", page.Number(r.Expected))
	m.add("| Kinds of complaint | %s |", md(page.Kinds(m.i)))
	if !m.i.Reason.FirstComplaint.IsZero() {
		m.add("| From the first complaint to the page | %s |", page.Span(m.i.DetectedAt.Sub(m.i.Reason.FirstComplaint)))
	}
	if !m.i.AcknowledgedAt.IsZero() {
		m.add("| From the page to the acknowledgement | %s |", page.Span(m.i.AcknowledgedAt.Sub(m.i.DetectedAt)))
	}
	if !m.i.ResolvedAt.IsZero() {
		m.add("| From the first complaint to the end | %s |", page.Span(m.i.ResolvedAt.Sub(m.i.StartedAt)))
	}
	if m.i.Reopened > 0 {
		m.add("| Flared again | %s |", plural(m.i.Reopened, "time"))
	}
	if signal := m.i.Now.Signal; signal != "" {
		m.add("| Second signal | %s |", md(clip(oneLine(signal), maxSentence)))
	}
	m.add("\nCustomers who were hit and did not write: %s\n", todo)
}

func (m *draft) timeline(steps []store.Step) {
	if zone := m.zone.String(); zone == "Local" {
		m.add("## Timeline\n")
	} else {
		m.add("## Timeline\n\nTimes are in %s.\n", md(zone))
	}
	m.add("| Time | What |\n|---|---|")
	type row struct {
		at   time.Time
		text string
	}
	var rows []row
	if s := m.i.Suspect; s != nil {
		rows = append(rows, row{s.Deployment.At, "Deployment " + name(&s.Deployment)})
	}
	if at := m.i.Reason.FirstComplaint; !at.IsZero() {
		rows = append(rows, row{at, "First complaint"})
	}
	for _, s := range steps {
		rows = append(rows, row{s.At, m.step(&s)})
	}
	for n := 1; n < len(rows); n++ { // few rows, and almost in order
		for k := n; k > 0 && rows[k].at.Before(rows[k-1].at); k-- {
			rows[k], rows[k-1] = rows[k-1], rows[k]
		}
	}
	for _, r := range rows {
		m.add("| %s | %s |", m.at(r.at), md(r.text))
	}
	m.add("")
}

// step words a line of the timeline.
func (m *draft) step(s *store.Step) string {
	text := map[detect.ChangeKind]string{
		detect.Warned: "Warning raised", detect.Opened: "On-call paged", detect.Grew: "The incident grew", detect.Suspected: "Another deployment is suspected",
		detect.DidAcknowledge: "Acknowledged", detect.DidResolve: "Resolved", detect.DidReopen: "Flared again", detect.DidDismiss: "Dismissed as a false alarm",
		detect.DidNote: "Note", detect.Deployed: "Deployment", detect.RolledBack: "Roll-back", detect.Calmed: "Complaints stopped",
		"page-accepted": "Page accepted", "page-failed": "Page refused",
	}[s.Kind]
	if text == "" {
		text = string(s.Kind)
	}
	if s.Who != "" {
		text += " by " + s.Who
	}
	if s.Pager != "" {
		text += " (" + s.Pager + ")"
	}
	if s.Deployment != "" {
		if d, ok, err := m.o.Store.Deployment(s.Deployment); err == nil && ok {
			text += ": " + name(&d)
		}
	}
	counted := s.Kind == detect.Warned || s.Kind == detect.Opened || s.Kind == detect.Grew || s.Kind == detect.DidReopen || s.Kind == detect.DidResolve
	if r := s.Reason; r != nil && r.Customers > 0 && counted {
		text += fmt.Sprintf(": %s, %s", plural(r.Customers, "customer"), plural(r.Complaints, "mail"))
	}
	if s.Note != "" {
		text += ": " + clip(oneLine(s.Note), 500)
	}
	return text
}

func (m *draft) suspect() {
	s := m.i.Suspect
	if s == nil {
		return
	}
	d := &s.Deployment
	m.add("## Suspect deployment\n")
	m.add("%s at %s, probability %.0f %%: %s.", md(name(d)), m.at(d.At), 100*s.Probability, md(s.Why))
	if d.Commit != "" {
		m.add("Commit `%s`.", strings.ReplaceAll(clip(oneLine(d.Commit), 60), "`", ""))
	}
	if d.Link != "" {
		m.add("<%s>", strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20").Replace(oneLine(d.Link)))
	}
	if len(d.Changes) == 0 {
		m.add("\nWhat it changed is not known: no lockfile came with it.\n")
		return
	}
	m.add("\n| Package | From | To | Change |\n|---|---|---|---|")
	for n, c := range detect.RankChanges(d.Changes, m.i.Categories, nil) {
		if n == 30 {
			m.add("| and %d more | | | |", len(d.Changes)-n)
			break
		}
		m.add("| %s | %s | %s | %s |", md(c.Name), md(strings.Join(c.From, ", ")), md(strings.Join(c.To, ", ")), md(c.Kind))
	}
	m.add("")
}

func (m *draft) quotes(ctx context.Context) error {
	if len(m.i.Now.Messages) == 0 {
		return nil
	}
	n := 0
	for _, id := range m.i.Now.Messages {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, ok, err := m.o.Store.Message(id)
		if err != nil {
			return err
		}
		text := oneLine(e.Reply)
		if !ok || text == "" {
			continue
		}
		if n == 0 {
			m.add("## In the customers' own words\n")
		}
		m.add("> %s\n>\n> %s\n", md(clip(text, 300)), e.Received.In(m.zone).Format("15:04"))
		if n++; n == 3 {
			break
		}
	}
	return nil
}

func (m *draft) resolution() string {
	switch {
	case m.i.FalseAlarm:
		return "Dismissed as a false alarm by " + md(m.i.ResolvedBy) + "."
	case m.i.ResolvedAt.IsZero():
		return "The incident is still open. " + todo
	case m.i.ResolvedBy == "":
		return "Complaints went back to normal; Tocsin resolved the incident at " + m.at(m.i.ResolvedAt) + ". " + todo
	}
	return "Resolved by " + md(m.i.ResolvedBy) + " at " + m.at(m.i.ResolvedAt) + ". " + todo
}

// bare finds what autolinks begin with, up to the mark that is to be escaped.
var bare = regexp.MustCompile(`(?i)(https?|ftp|mailto|xmpp|www)([:.])`)

func upper(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// md makes text harmless in Markdown, where others' words could be a link, an
// image or markup.
func md(s string) string {
	s = oneLine(s)
	// A bare address would be made a link by the autolinks of GitHub's Markdown
	// (GFM §6.9).
	s = bare.ReplaceAllString(s, "$1\x00$2")
	var b strings.Builder
	for n, r := range s {
		switch r {
		case 0:
			b.WriteByte('\\')
			continue
		case '-', '+', '=': // a list or a heading, at the start of a line only
			if n == 0 {
				b.WriteByte('\\')
			}
		case '$', '\\', '`', '*', '_', '[', ']', '<', '>', '#', '|', '~', '!', '&':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

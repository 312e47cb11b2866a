package page

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"tocsin/detect"
)

// Log writes pages as lines, for a start without a pager and for the demo.
type Log struct {
	W  io.Writer
	mu sync.Mutex
}

// Page implements Pager.
func (l *Log) Page(_ context.Context, p Page) error {
	p = p.bounded()
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintf(l.W, "%s PAGE %s: %s [%s]\n", p.Due.UTC().Format(time.RFC3339), p.Headline, printable(p.Sentence), p.Incident.ID)
	return err
}

// Webhook posts JSON signed by Standard Webhooks (standardwebhooks.com).
type Webhook struct {
	URL    string
	Secret string // as given, or base64 after "whsec_"
	Now    func() time.Time
}

type webhookBody struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	DedupKey string          `json:"dedup_key"`
	Test     bool            `json:"test,omitempty"`
	Headline string          `json:"headline"`
	Sentence string          `json:"sentence"`
	Link     string          `json:"link,omitempty"`
	DueAt    time.Time       `json:"due_at"`
	LateBy   float64         `json:"late_seconds,omitempty"`
	Terms    []string        `json:"terms,omitempty"`
	Packages []string        `json:"packages,omitempty"`
	Quotes   []webhookQuote  `json:"quotes,omitempty"`
	Incident detect.Incident `json:"incident"`
}

type webhookQuote struct {
	From string    `json:"from"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// typeOf is the event's name.
func typeOf(c detect.ChangeKind) string {
	switch c {
	case detect.Opened, detect.Warned, detect.DidReopen:
		return "incident.opened"
	case detect.DidAcknowledge:
		return "incident.acknowledged"
	case detect.DidResolve, detect.DidDismiss:
		return "incident.resolved"
	}
	return "incident.updated"
}

// Page implements Pager.
func (w *Webhook) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	now := time.Now
	if w.Now != nil {
		now = w.Now
	}
	b := webhookBody{Type: typeOf(p.Change), Timestamp: now().UTC(), Data: webhookData{DedupKey: p.DedupKey, Test: p.Test, Headline: p.Headline, Sentence: p.Sentence,
		Link: p.Link, DueAt: p.Due.UTC(), LateBy: p.Late.Seconds(), Terms: p.Terms, Packages: p.Packages, Incident: p.Incident}}
	for _, q := range p.Quotes {
		b.Data.Quotes = append(b.Data.Quotes, webhookQuote(q))
	}
	raw, err := encode(b)
	if err != nil {
		return &sendError{text: err.Error(), final: true}
	}
	id := fmt.Sprintf("msg_%s_%d", strings.ReplaceAll(p.Incident.ID, "-", ""), p.Delivery)
	headers := map[string]string{"webhook-id": id, "webhook-timestamp": fmt.Sprint(now().Unix())}
	if w.Secret != "" {
		headers["webhook-signature"] = Sign(w.Secret, id, headers["webhook-timestamp"], raw)
	}
	return postRaw(ctx, w.URL, raw, headers)
}

// Sign is the signature of Standard Webhooks.
func Sign(secret, id, timestamp string, body []byte) string {
	key := []byte(secret)
	if rest, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if k, err := base64.StdEncoding.DecodeString(rest); err == nil {
			key = k
		}
	}
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s.%s.", id, timestamp)
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// PagerDuty speaks Events API v2.
type PagerDuty struct {
	URL     string // base; default https://events.pagerduty.com
	Key     string // routing key
	Changes bool   // deployments as change events
}

type pdEvent struct {
	RoutingKey  string     `json:"routing_key"`
	EventAction string     `json:"event_action"`
	DedupKey    string     `json:"dedup_key"`
	Client      string     `json:"client,omitempty"`
	ClientURL   string     `json:"client_url,omitempty"`
	Payload     *pdPayload `json:"payload,omitempty"`
	Links       []pdLink   `json:"links,omitempty"`
}

type pdPayload struct {
	Summary       string         `json:"summary"`
	Source        string         `json:"source"`
	Severity      string         `json:"severity"`
	Timestamp     string         `json:"timestamp"`
	Component     string         `json:"component,omitempty"`
	Group         string         `json:"group,omitempty"`
	Class         string         `json:"class,omitempty"`
	CustomDetails map[string]any `json:"custom_details,omitempty"`
}

type pdLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Page implements Pager. A trigger that is repeated under its key adds to the
// open alert, so that a retry never rings twice.
func (d *PagerDuty) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	base := d.URL
	if base == "" {
		base = "https://events.pagerduty.com"
	}
	base = strings.TrimSuffix(base, "/")
	if p.Deployment != nil {
		return post(ctx, base+"/v2/change/enqueue", d.change(p.Deployment), nil)
	}
	e := pdEvent{RoutingKey: d.Key, DedupKey: clip(p.DedupKey, 255)}
	switch p.Change {
	case detect.DidAcknowledge:
		e.EventAction = "acknowledge"
	case detect.DidResolve, detect.DidDismiss:
		e.EventAction = "resolve"
	default:
		e.EventAction = "trigger"
		e.Client, e.ClientURL = "Tocsin", p.Link
		e.Payload = d.payload(p)
		if p.Link != "" {
			e.Links = []pdLink{{p.Link, "Incident"}}
		}
	}
	return post(ctx, base+"/v2/enqueue", e, nil)
}

// change is a change event: PagerDuty shows deployments beside incidents and
// rings nobody for them.
func (d *PagerDuty) change(x *detect.Deployment) map[string]any {
	what := "deployed"
	if x.Rollback || x.Kind == "rollback" {
		what = "rolled back"
	} else if x.Failed {
		what = "failed to deploy"
	}
	details := map[string]any{"packages_changed": len(x.Changes)}
	if x.Commit != "" {
		details["sha"] = x.Commit
	}
	e := map[string]any{"routing_key": d.Key, "payload": map[string]any{
		"summary": clip(strings.TrimSpace(x.Service+" "+x.Version)+" "+what, 1024), "timestamp": x.At.UTC().Format(time.RFC3339),
		"source": orTocsin(x.Source), "custom_details": details}}
	if x.Link != "" {
		e["links"] = []pdLink{{x.Link, "Deployment"}}
	}
	return e
}

func (d *PagerDuty) payload(p Page) *pdPayload {
	severity := "critical"
	if p.Incident.Level == detect.Warning || p.Test {
		severity = "warning"
	}
	details := map[string]any{"customers": p.Incident.Now.Customers, "expected": p.Incident.Now.Expected, "headline": p.Headline}
	if t := p.Incident.Reason.FirstComplaint; !t.IsZero() {
		details["first_complaint"] = t.UTC().Format(time.RFC3339)
	}
	if s := p.Incident.Suspect; s != nil {
		details["deployment"] = s.Deployment.Service + " " + s.Deployment.Version + " at " + s.Deployment.At.UTC().Format(time.RFC3339)
	}
	if len(p.Packages) > 0 {
		details["packages"] = strings.Join(p.Packages, "; ")
	}
	if len(p.Terms) > 0 {
		details["words"] = strings.Join(p.Terms, ", ")
	}
	if len(p.Quotes) > 0 {
		var texts []string
		for _, q := range p.Quotes {
			texts = append(texts, q.Text)
		}
		details["examples"] = texts
	}
	if p.Late > 0 {
		details["late"] = "due " + p.Due.UTC().Format(time.RFC3339) + ", sent " + Span(p.Late) + " later"
	}
	pl := &pdPayload{Summary: clip(p.Sentence, 1024), Source: orTocsin(p.Source), Severity: severity, Timestamp: p.Incident.DetectedAt.UTC().Format(time.RFC3339),
		Group: p.Incident.Group, CustomDetails: details}
	if len(p.Incident.Categories) > 0 {
		pl.Class = p.Incident.Categories[0]
	}
	if s := p.Incident.Suspect; s != nil {
		pl.Component = s.Deployment.Service
	}
	return pl
}

func orTocsin(s string) string {
	if s == "" {
		return "tocsin"
	}
	return s
}

// Slack posts to an incoming webhook. Customers' words stand only in plain_text
// blocks, where "<!channel>" rings nobody.
type Slack struct{ URL string }

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// slackEscape makes text harmless in mrkdwn (Slack: "Escaping text").
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// Page implements Pager.
func (s *Slack) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	blocks := []any{map[string]any{"type": "header", "text": slackText{"plain_text", clip(p.Headline, 150)}},
		map[string]any{"type": "section", "text": slackText{"plain_text", clip(capital(p.Sentence), 3000)}}}
	var fields []slackText
	field := func(name, value string) {
		if value != "" {
			fields = append(fields, slackText{"mrkdwn", "*" + name + "*\n" + slackEscape(clip(value, 1900))})
		}
	}
	if d := p.Incident.Suspect; d != nil {
		field("Deployment", fmt.Sprintf("%s %s, %s before", d.Deployment.Service, d.Deployment.Version, Span(d.Lead)))
	}
	field("Packages", strings.Join(p.Packages, "\n"))
	field("Words", strings.Join(p.Terms, ", "))
	if p.Late > 0 {
		field("Late", "was due "+p.Due.UTC().Format("15:04 MST"))
	}
	if len(fields) > 0 {
		blocks = append(blocks, map[string]any{"type": "section", "fields": fields})
	}
	for _, q := range p.Quotes {
		blocks = append(blocks, map[string]any{"type": "section", "text": slackText{"plain_text", "“" + clip(q.Text, 500) + "”"}})
	}
	if p.Link != "" {
		blocks = append(blocks, map[string]any{"type": "actions", "elements": []any{map[string]any{"type": "button", "text": slackText{"plain_text", "Open incident"}, "url": p.Link}}})
	}
	text := capital(p.Sentence)
	if p.Change != detect.Opened {
		text = p.Headline + ": " + p.Sentence
	}
	return post(ctx, s.URL, map[string]any{"text": slackEscape(text), "blocks": blocks, "unfurl_links": false, "link_names": false}, nil)
}

// Teams posts an Adaptive Card to a Workflows URL.
type Teams struct{ URL string }

// teamsEscape keeps text from being read as the Markdown subset of TextBlocks.
func teamsEscape(s string) string {
	return strings.NewReplacer("*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "`", "\\`", "<", "&lt;", "#", "\\#").Replace(s)
}

// Page implements Pager.
func (t *Teams) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	body := []any{map[string]any{"type": "TextBlock", "text": teamsEscape(clip(p.Headline, 300)), "weight": "Bolder", "size": "Medium", "wrap": true},
		map[string]any{"type": "TextBlock", "text": teamsEscape(clip(capital(p.Sentence), 1000)), "wrap": true}}
	var facts []map[string]string
	if d := p.Incident.Suspect; d != nil {
		facts = append(facts, map[string]string{"title": "Deployment", "value": teamsEscape(fmt.Sprintf("%s %s, %s before", d.Deployment.Service, d.Deployment.Version, Span(d.Lead)))})
	}
	for _, c := range p.Packages {
		facts = append(facts, map[string]string{"title": "Package", "value": teamsEscape(clip(c, 300))})
	}
	if p.Late > 0 {
		facts = append(facts, map[string]string{"title": "Late", "value": "was due " + p.Due.UTC().Format("15:04 MST")})
	}
	if len(facts) > 0 {
		body = append(body, map[string]any{"type": "FactSet", "facts": facts})
	}
	for _, q := range p.Quotes {
		body = append(body, map[string]any{"type": "TextBlock", "text": "“" + teamsEscape(clip(q.Text, 300)) + "”", "wrap": true, "isSubtle": true})
	}
	card := map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"msteams": map[string]string{"width": "full"}, "body": body}
	if p.Link != "" {
		card["actions"] = []any{map[string]string{"type": "Action.OpenUrl", "title": "Open incident", "url": p.Link}}
	}
	return post(ctx, t.URL, map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}}}, nil)
}

// Ntfy publishes to a topic.
type Ntfy struct{ URL, Topic, Token string }

// Page implements Pager.
func (n *Ntfy) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	priority, tags := 5, []string{"rotating_light"}
	switch {
	case p.Change == detect.DidResolve || p.Change == detect.DidDismiss || p.Change == detect.DidAcknowledge:
		priority, tags = 3, []string{"white_check_mark"}
	case p.Incident.Level == detect.Warning || p.Change != detect.Opened && p.Change != detect.DidReopen:
		priority, tags = 3, []string{"warning"}
	}
	lines := []string{p.Sentence}
	lines = append(lines, p.Packages...)
	for _, q := range p.Quotes {
		lines = append(lines, "“"+q.Text+"”")
	}
	body := map[string]any{"topic": n.Topic, "title": clip(p.Headline, 250), "message": clip(strings.Join(lines, "\n"), 3500), "priority": priority, "tags": tags}
	if p.Link != "" {
		body["click"] = p.Link
		body["actions"] = []any{map[string]string{"action": "view", "label": "Open", "url": p.Link}}
	}
	headers := map[string]string{}
	if n.Token != "" {
		headers["Authorization"] = "Bearer " + n.Token
	}
	return post(ctx, n.URL, body, headers)
}

// JSM speaks the alert API of Jira Service Management, whose bodies are those
// of Opsgenie.
type JSM struct {
	URL  string // default https://api.atlassian.com/jsm/ops/integration
	Key  string
	Team string
}

// Page implements Pager.
func (j *JSM) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	base := strings.TrimSuffix(j.URL, "/")
	if base == "" {
		base = "https://api.atlassian.com/jsm/ops/integration"
	}
	headers := map[string]string{"Authorization": "GenieKey " + j.Key}
	alias := "tocsin-" + p.Incident.ID
	action := ""
	switch p.Change {
	case detect.DidAcknowledge:
		action = "acknowledge"
	case detect.DidResolve, detect.DidDismiss:
		action = "close"
	}
	if action != "" {
		return post(ctx, base+"/v2/alerts/"+alias+"/"+action+"?identifierType=alias", map[string]string{"source": "tocsin", "note": clip(p.Headline, 1000)}, headers)
	}
	priority := "P1"
	if p.Incident.Level == detect.Warning || p.Test {
		priority = "P3"
	}
	lines := []string{capital(p.Sentence)}
	lines = append(lines, p.Packages...)
	for _, q := range p.Quotes {
		lines = append(lines, "“"+q.Text+"”")
	}
	if p.Link != "" {
		lines = append(lines, p.Link)
	}
	body := map[string]any{"message": clip(p.Sentence, 130), "alias": alias, "description": clip(strings.Join(lines, "\n"), 15000), "priority": priority, "source": "tocsin",
		"tags": append([]string{"tocsin"}, p.Incident.Categories...), "details": map[string]string{"customers": fmt.Sprint(p.Incident.Now.Customers)}}
	if s := p.Incident.Suspect; s != nil {
		body["entity"] = s.Deployment.Service
		body["details"].(map[string]string)["deployment"] = s.Deployment.Service + " " + s.Deployment.Version
	}
	if j.Team != "" {
		body["responders"] = []any{map[string]string{"type": "team", "name": j.Team}}
	}
	return post(ctx, base+"/v2/alerts", body, headers)
}

// Alertmanager speaks its API v2. An alert is its labels, so no number and no
// time is among them; it ends by itself unless it is sent again, which the
// courier does while the incident is open.
type Alertmanager struct {
	URL string
	Now func() time.Time
}

// keepAlive is how far ahead an open alert's end is set, and repeat how often
// it is sent again.
const (
	keepAlive = 5 * time.Minute
	repeat    = time.Minute
)

// Page implements Pager.
func (a *Alertmanager) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	now := time.Now
	if a.Now != nil {
		now = a.Now
	}
	severity := "critical"
	if p.Incident.Level == detect.Warning || p.Test {
		severity = "warning"
	}
	category := p.Incident.Kind
	if len(p.Incident.Categories) > 0 {
		category = p.Incident.Categories[0]
	}
	ends := now().Add(keepAlive)
	if p.Incident.State == detect.Resolved {
		ends = now()
	}
	alert := map[string]any{
		"labels":      map[string]string{"alertname": "TocsinComplaintSurge", "category": category, "mailbox": orTocsin(p.Source), "severity": severity, "incident": p.Incident.ID},
		"annotations": map[string]string{"summary": clip(p.Sentence, 1000), "description": clip(strings.Join(append(append([]string{p.Headline}, p.Packages...), p.Terms...), "\n"), 4000)},
		"startsAt":    p.Incident.StartedAt.UTC().Format(time.RFC3339), "endsAt": ends.UTC().Format(time.RFC3339),
	}
	if p.Link != "" {
		alert["generatorURL"] = p.Link
	}
	return post(ctx, strings.TrimSuffix(a.URL, "/")+"/api/v2/alerts", []any{alert}, nil)
}

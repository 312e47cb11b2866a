package page

import (
	"context"
	"strings"
	"time"

	"tocsin/detect"
)

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
	pl := &pdPayload{Summary: clip(p.Sentence, 1024), Source: orTocsin(p.Source), Severity: severity, Timestamp: p.Incident.DetectedAt.UTC().Format(time.RFC3339),
		Group: p.Incident.Group, CustomDetails: pdDetails(&p)}
	if len(p.Incident.Categories) > 0 {
		pl.Class = p.Incident.Categories[0]
	}
	if s := p.Incident.Suspect; s != nil {
		pl.Component = s.Deployment.Service
	}
	return pl
}

// pdDetails are the figures for rules and the words for people.
func pdDetails(p *Page) map[string]any {
	details := map[string]any{"headline": p.Headline}
	if r := p.reason(); r.Customers > 0 {
		details["customers"], details["mails"], details["expected"], details["minutes"] = r.Customers, r.Complaints, r.Expected, int(r.Window.Minutes())
		details["first_complaint"] = r.FirstComplaint.UTC().Format(time.RFC3339)
	}
	for _, f := range p.Facts {
		if key := map[string]string{deploymentFact: "deployment", packagesFact: "packages", wordsFact: "words", signalFact: "success_rate", rollbackFact: "rollback"}[f.Name]; key != "" {
			details[key] = strings.ReplaceAll(f.Value, "\n", "; ")
		}
	}
	var texts []string
	for _, q := range p.Quotes {
		texts = append(texts, q.Text)
	}
	if texts != nil {
		details["examples"] = texts
	}
	if p.Late > 0 {
		details["due"] = p.Due.UTC().Format(time.RFC3339)
	}
	return details
}

func orTocsin(s string) string {
	if s == "" {
		return "tocsin"
	}
	return s
}

package page

import (
	"context"
	"strings"
	"time"

	"tocsin/detect"
)

// Alertmanager speaks its API v2. An alert is its labels, so no number and no
// time is among them, and nothing that changes as an incident grows; it ends
// by itself unless it is sent again, which the courier does while the incident
// is open.
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
	ends := now().Add(keepAlive)
	if p.Incident.State == detect.Resolved {
		ends = now()
	}
	alert := map[string]any{
		"labels":      labels(&p),
		"annotations": map[string]string{"summary": p.Sentence, "description": clip(p.Headline+"\n"+p.text(), 4000)},
		"startsAt":    p.Incident.StartedAt.UTC().Format(time.RFC3339), "endsAt": ends.UTC().Format(time.RFC3339),
	}
	if p.Link != "" {
		alert["generatorURL"] = p.Link
	}
	return post(ctx, strings.TrimSuffix(a.URL, "/")+"/api/v2/alerts", []any{alert}, nil)
}

// labels are an alert's identity. The kind that leads may change as an incident
// grows: the one it was raised for stays.
func labels(p *Page) map[string]string {
	i := &p.Incident
	severity := "critical"
	if i.Level == detect.Warning || p.Test {
		severity = "warning"
	}
	name, category := "TocsinTrouble", i.Kind
	switch {
	case i.Kind == "outcome" || i.Kind == "surge" && i.Key != "": // a success rate that complaints joined
		name, category = "TocsinSuccessRate", i.Key
	case i.Kind == "surge":
		name = "TocsinComplaintSurge"
		if len(i.Reason.Categories) > 0 {
			category = i.Reason.Categories[0]
		}
	case i.Kind == "dependency":
		name = "TocsinPackage"
	}
	return map[string]string{"alertname": name, "category": category, "mailbox": orTocsin(p.Source), "severity": severity, "incident": i.ID}
}

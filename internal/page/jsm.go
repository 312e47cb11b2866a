package page

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"tocsin/detect"
)

// JSM speaks the alert API of Jira Service Management, whose bodies are those
// of Opsgenie.
type JSM struct {
	URL  string // default https://api.atlassian.com/jsm/ops/integration
	Key  string
	Team string
}

// The API's limits, in characters, and of tags.
const (
	jsmMessage     = 130
	jsmDescription = 15_000
	jsmTag         = 50
	jsmTags        = 20
)

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
		return post(ctx, base+"/v2/alerts/"+url.PathEscape(alias)+"/"+action+"?identifierType=alias", map[string]string{"source": "tocsin", "note": clip(p.Headline+"\n"+p.Sentence, 1000)}, headers)
	}
	return post(ctx, base+"/v2/alerts", j.alert(&p, alias), headers)
}

func (j *JSM) alert(p *Page, alias string) map[string]any {
	priority := "P1"
	if p.Incident.Level == detect.Warning || p.Test {
		priority = "P3"
	}
	tags := []string{"tocsin"}
	for _, c := range p.Incident.Categories[:min(jsmTags-1, len(p.Incident.Categories))] {
		tags = append(tags, clip(c, jsmTag))
	}
	details := map[string]string{}
	if r := p.reason(); r.Customers > 0 {
		details["customers"], details["mails"], details["expected"] = fmt.Sprint(r.Customers), fmt.Sprint(r.Complaints), Number(r.Expected)
	}
	body := map[string]any{"message": clip(p.Sentence, jsmMessage), "alias": alias, "description": clip(p.text(), jsmDescription), "priority": priority,
		"source": "tocsin", "tags": tags, "details": details}
	if s := p.Incident.Suspect; s != nil {
		body["entity"] = s.Deployment.Service
		details["deployment"] = s.Deployment.Service + " " + s.Deployment.Version
	}
	if j.Team != "" {
		body["responders"] = []any{map[string]string{"type": "team", "name": j.Team}}
	}
	return body
}

package page

import (
	"context"
	"strings"
	"unicode/utf8"

	"tocsin/detect"
)

// Slack posts to an incoming webhook. Customers' words stand only in plain_text
// blocks, where "<!channel>" rings nobody.
type Slack struct{ URL string }

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Slack's own limits, in characters.
const (
	slackHeader  = 150
	slackSection = 3000
	slackField   = 2000
	slackFields  = 10
)

// slackEscape makes text harmless in mrkdwn (Slack: "Escaping text").
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// slackFit escapes text and cuts it to n characters, never within an escape.
func slackFit(s string, n int) string {
	for {
		e := slackEscape(s)
		if utf8.RuneCountInString(e) <= n {
			return e
		}
		s = clip(s, utf8.RuneCountInString(s)*3/4)
	}
}

// Page implements Pager.
func (s *Slack) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	blocks := []any{map[string]any{"type": "header", "text": slackText{"plain_text", clip(p.Headline, slackHeader)}},
		map[string]any{"type": "section", "text": slackText{"plain_text", clip(capital(p.Sentence), slackSection)}}}
	var fields []slackText
	for _, f := range p.Facts[:min(slackFields, len(p.Facts))] {
		fields = append(fields, slackText{"mrkdwn", "*" + f.Name + "*\n" + slackFit(f.Value, slackField-50)})
	}
	if len(fields) > 0 {
		blocks = append(blocks, map[string]any{"type": "section", "fields": fields})
	}
	for _, q := range p.Quotes {
		blocks = append(blocks, map[string]any{"type": "section", "text": slackText{"plain_text", "“" + q.Text + "”"}})
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

package page

import (
	"context"
	"strings"
)

// Teams posts an Adaptive Card to a Workflows URL.
type Teams struct{ URL string }

// teamsEscape keeps text from being read as the Markdown subset of TextBlocks.
func teamsEscape(s string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "`", "\\`", "<", "&lt;", "#", "\\#").Replace(s)
}

// Page implements Pager.
func (t *Teams) Page(ctx context.Context, p Page) error {
	p = p.bounded()
	body := []any{map[string]any{"type": "TextBlock", "text": teamsEscape(p.Headline), "weight": "Bolder", "size": "Medium", "wrap": true},
		map[string]any{"type": "TextBlock", "text": teamsEscape(capital(p.Sentence)), "wrap": true}}
	var facts []map[string]string
	for _, f := range p.Facts {
		facts = append(facts, map[string]string{"title": f.Name, "value": teamsEscape(f.Value)})
	}
	if len(facts) > 0 {
		body = append(body, map[string]any{"type": "FactSet", "facts": facts})
	}
	for _, q := range p.Quotes {
		body = append(body, map[string]any{"type": "TextBlock", "text": "“" + teamsEscape(q.Text) + "”", "wrap": true, "isSubtle": true})
	}
	card := map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"msteams": map[string]string{"width": "full"}, "body": body}
	if p.Link != "" {
		card["actions"] = []any{map[string]string{"type": "Action.OpenUrl", "title": "Open incident", "url": p.Link}}
	}
	return post(ctx, t.URL, map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}}}, nil)
}

package page

import (
	"context"

	"tocsin/detect"
)

// Ntfy publishes to a topic.
type Ntfy struct{ URL, Topic, Token string }

// ntfyMessage is the most bytes that are shown as a message; what is longer
// becomes an attachment, which nobody reads at night.
const ntfyMessage = 4096

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
	body := map[string]any{"topic": n.Topic, "title": clip(p.Headline, 250), "message": clipBytes(p.text(), ntfyMessage), "priority": priority, "tags": tags}
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

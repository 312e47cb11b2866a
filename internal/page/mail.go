package page

import (
	"context"
	"fmt"
	"strings"

	"tocsin/detect"
)

// Mail pages by mail, one thread an incident.
type Mail struct {
	SMTP *SMTP
	To   []string
}

// Page implements Pager.
func (p *Mail) Page(ctx context.Context, g Page) error {
	g = g.bounded()
	domain := "tocsin.invalid"
	if _, d, ok := strings.Cut(p.SMTP.From, "@"); ok {
		domain = strings.Trim(d, "> ")
	}
	thread := "tocsin." + g.Incident.ID + "@" + domain
	id := thread
	if g.Change != detect.Opened || g.Delivery == 0 {
		id = fmt.Sprintf("tocsin.%s.%d@%s", g.Incident.ID, g.Delivery, domain)
	}
	return p.SMTP.Send(ctx, Letter{
		To: p.To, Subject: subject(g), Text: g.text(), MessageID: id, References: thread,
		Headers: map[string]string{"X-Tocsin-Incident": g.Incident.ID},
	})
}

func subject(g Page) string {
	return clip("["+strings.ToUpper(string(g.Incident.Level))+"] "+g.Headline, 200)
}

package page

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"tocsin/detect"
)

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
	Facts    []Fact          `json:"facts,omitempty"`
	Terms    []string        `json:"terms,omitempty"`
	Packages []string        `json:"packages,omitempty"`
	Quotes   []webhookQuote  `json:"quotes,omitempty"`
	Incident detect.Incident `json:"incident"`
}

type webhookDeployment struct {
	Type      string            `json:"type"`
	Timestamp time.Time         `json:"timestamp"`
	Data      detect.Deployment `json:"data"`
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
	if p.Deployment != nil {
		raw, err := encode(webhookDeployment{"deployment.recorded", now().UTC(), *p.Deployment})
		if err != nil {
			return &sendError{text: err.Error(), final: true}
		}
		return w.send(ctx, fmt.Sprintf("msg_deployment_%d", p.Delivery), now(), raw)
	}
	b := webhookBody{Type: typeOf(p.Change), Timestamp: now().UTC(), Data: webhookData{DedupKey: p.DedupKey, Test: p.Test, Headline: p.Headline, Sentence: p.Sentence,
		Link: p.Link, DueAt: p.Due.UTC(), LateBy: p.Late.Seconds(), Facts: p.Facts, Terms: p.Terms, Packages: p.Packages, Incident: p.Incident}}
	for _, q := range p.Quotes {
		b.Data.Quotes = append(b.Data.Quotes, webhookQuote(q))
	}
	raw, err := encode(b)
	if err != nil {
		return &sendError{text: err.Error(), final: true}
	}
	id := fmt.Sprintf("msg_%s_%d", strings.ReplaceAll(p.Incident.ID, "-", ""), p.Delivery)
	return w.send(ctx, id, now(), raw)
}

// send signs a message and posts it.
func (w *Webhook) send(ctx context.Context, id string, now time.Time, raw []byte) error {
	headers := map[string]string{"webhook-id": id, "webhook-timestamp": fmt.Sprint(now.Unix())}
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

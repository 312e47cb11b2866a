package deploy

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Secrets are those shared with the senders of webhooks; a hook without one
// does not exist.
type Secrets struct {
	GitHub, GitLab, Vercel, Heroku, CDEvents, Generic string
	// Workflows are the GitHub workflows that deploy, by name or path, for
	// teams without deployment events.
	Workflows []string
}

// Bounds of webhooks.
const (
	maxHook   = 5 << 20
	hookSkew  = 5 * time.Minute // Standard Webhooks
	hookPast  = 24 * time.Hour  // a sender's time is believed that far back
	seenFor   = 24 * time.Hour
	maxSeen   = 100_000
	hookSlots = 4           // large bodies in memory at a time
	smallHook = 64 << 10    // a body up to this takes no slot, so that a slow sender of a large one stops nobody
	sayAgain  = time.Minute // between lines of the log about the same refusals
)

// hook is one sender: how it signs, and what its body means.
type hook struct {
	verify func(secret string, r *http.Request, body []byte, now time.Time) error
	read   func(h *hooks, r *http.Request, body []byte, now time.Time) (*Request, error)
	// delivery names the header with the delivery's id.
	delivery string
}

var senders = map[string]hook{
	"github":   {verifyGitHub, readGitHub, "X-GitHub-Delivery"},
	"gitlab":   {verifyGitLab, readGitLab, "Idempotency-Key"},
	"vercel":   {verifyVercel, readVercel, ""},
	"heroku":   {verifyHeroku, readHeroku, "Heroku-Webhook-Event-Id"},
	"cdevents": {verifyBearer, readCDEvent, ""},
	"generic":  {verifyBearer, readGeneric, "Webhook-Id"},
}

// errIgnored says that a webhook is right and tells of no deployment.
var errIgnored = errors.New("ignored")

type hooks struct {
	recorder *Recorder
	secrets  map[string]string
	workflow []string
	log      *slog.Logger
	slots    chan struct{}

	mu   sync.Mutex
	seen map[string]time.Time // deliveries
	said map[string]*refusals
}

// refusals are those of one kind since the log spoke of them last.
type refusals struct {
	at   time.Time
	more int
}

// Hooks answers POST /hooks/{github,gitlab,vercel,heroku,cdevents,generic}.
// Each body is read once and bounded, its signature is checked before it is
// parsed, and the same delivery twice is one.
func Hooks(r *Recorder, s Secrets, log *slog.Logger) http.Handler {
	h := &hooks{recorder: r, workflow: s.Workflows, log: log, slots: make(chan struct{}, hookSlots), seen: map[string]time.Time{}, said: map[string]*refusals{},
		secrets: map[string]string{"github": s.GitHub, "gitlab": s.GitLab, "vercel": s.Vercel, "heroku": s.Heroku, "cdevents": s.CDEvents, "generic": s.Generic}}
	return h
}

// ServeHTTP implements http.Handler.
func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/hooks/")
	sender, ok := senders[name]
	if secret := h.secrets[name]; !ok || secret == "" {
		http.Error(w, "no such hook is configured", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "a webhook is a POST", http.StatusMethodNotAllowed)
		return
	}
	if r.ContentLength < 0 || r.ContentLength > smallHook {
		select {
		case h.slots <- struct{}{}:
			defer func() { <-h.slots }()
		case <-r.Context().Done():
			return
		}
	}
	status, text := h.take(w, r, name, sender)
	if status >= 400 {
		h.refused(name, r.RemoteAddr, status, text)
	}
	if status >= 400 {
		http.Error(w, text, status)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

func (h *hooks) take(w http.ResponseWriter, r *http.Request, name string, sender hook) (status int, text string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d MB", maxHook>>20)
	}
	if err != nil {
		return http.StatusBadRequest, "the body could not be read"
	}
	now := h.recorder.Now()
	if err := sender.verify(h.secrets[name], r, body, time.Now()); err != nil {
		return http.StatusUnauthorized, err.Error()
	}
	id := ""
	if v := r.Header.Get(sender.delivery); sender.delivery != "" && v != "" {
		id = name + " " + clean(v, maxName)
		if h.known(id) {
			return http.StatusOK, "this delivery was taken before"
		}
	}
	req, err := sender.read(h, r, body, now)
	switch {
	case errors.Is(err, errIgnored):
		return http.StatusAccepted, "taken; it tells of no deployment"
	case err != nil:
		return http.StatusBadRequest, clean(err.Error(), 500)
	}
	req.Source = name
	if req.At.Sub(now) > hookSkew || now.Sub(req.At) > hookPast {
		req.At = now
	}
	d, added, err := h.recorder.Record(r.Context(), *req)
	if err != nil {
		if h.log != nil {
			h.log.Error("deployment could not be stored", "hook", name, "err", err)
		}
		return http.StatusInternalServerError, "the deployment could not be stored: send it again"
	}
	h.remember(id)
	if !added {
		return http.StatusOK, "known already"
	}
	return http.StatusCreated, "recorded " + d.Service + " " + d.Version
}

// refused logs a refusal: the first of its kind at once, then how many more
// there were, once a minute.
func (h *hooks) refused(name, remote string, status int, text string) {
	if h.log == nil {
		return
	}
	h.mu.Lock()
	key := name + " " + strconv.Itoa(status)
	s := h.said[key]
	if s == nil {
		s = &refusals{}
		h.said[key] = s
	}
	if time.Since(s.at) < sayAgain {
		s.more++
		h.mu.Unlock()
		return
	}
	more := s.more
	s.at, s.more = time.Now(), 0
	h.mu.Unlock()
	attrs := []any{"hook", name, "remote", remote, "status", status, "err", text}
	if more > 0 {
		attrs = append(attrs, "more_before", more)
	}
	h.log.Warn("webhook was refused", attrs...)
}

func (h *hooks) known(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.seen[id]
	return ok && time.Since(at) < seenFor
}

func (h *hooks) remember(id string) {
	if id == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.seen) >= maxSeen {
		for k, at := range h.seen {
			if time.Since(at) > seenFor {
				delete(h.seen, k)
			}
		}
	}
	if len(h.seen) < maxSeen {
		h.seen[id] = time.Now()
	}
}

var errSignature = errors.New("the signature is wrong: check that both sides have the same secret")

// verifyGitHub checks X-Hub-Signature-256 (docs.github.com, "Validating webhook
// deliveries").
func verifyGitHub(secret string, r *http.Request, body []byte, _ time.Time) error {
	given, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	if err != nil || !hmac.Equal(given, m.Sum(nil)) {
		return errSignature
	}
	return nil
}

// verifyGitLab takes the secret token, or a signature by Standard Webhooks.
func verifyGitLab(secret string, r *http.Request, body []byte, now time.Time) error {
	if r.Header.Get("Webhook-Signature") != "" {
		return verifyStandard(secret, r, body, now)
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Gitlab-Token")), []byte(secret)) != 1 {
		return errSignature
	}
	return nil
}

func verifyVercel(secret string, r *http.Request, body []byte, _ time.Time) error {
	given, err := hex.DecodeString(r.Header.Get("X-Vercel-Signature"))
	m := hmac.New(sha1.New, []byte(secret))
	m.Write(body)
	if err != nil || !hmac.Equal(given, m.Sum(nil)) {
		return errSignature
	}
	return nil
}

func verifyHeroku(secret string, r *http.Request, body []byte, _ time.Time) error {
	given, err := base64.StdEncoding.DecodeString(r.Header.Get("Heroku-Webhook-Hmac-SHA256"))
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	if err != nil || !hmac.Equal(given, m.Sum(nil)) {
		return errSignature
	}
	return nil
}

// verifyBearer takes a signature by Standard Webhooks, or the secret as a
// bearer token for senders that cannot sign.
func verifyBearer(secret string, r *http.Request, body []byte, now time.Time) error {
	if r.Header.Get("Webhook-Signature") != "" {
		return verifyStandard(secret, r, body, now)
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return errors.New("it is not signed: send webhook-id, webhook-timestamp and webhook-signature (Standard Webhooks), or Authorization: Bearer SECRET")
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(secret)) != 1 {
		return errSignature
	}
	return nil
}

// verifyStandard checks a signature by Standard Webhooks (standardwebhooks.com):
// HMAC-SHA256 over id.timestamp.body, not older than five minutes.
func verifyStandard(secret string, r *http.Request, body []byte, now time.Time) error {
	id, stamp := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" {
		return errSignature
	}
	if now.Sub(time.Unix(n, 0)).Abs() > hookSkew {
		return errors.New("the webhook is older than five minutes, or a clock is wrong")
	}
	key := []byte(secret)
	if k, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); strings.HasPrefix(secret, "whsec_") && err == nil {
		key = k
	}
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%s.", id, stamp)
	m.Write(body)
	want := m.Sum(nil)
	for _, s := range strings.Fields(r.Header.Get("Webhook-Signature")) {
		if v, ok := strings.CutPrefix(s, "v1,"); ok {
			if given, err := base64.StdEncoding.DecodeString(v); err == nil && hmac.Equal(given, want) {
				return nil
			}
		}
	}
	return errSignature
}

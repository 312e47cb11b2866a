package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/detect"
)

var update = flag.Bool("update", false, "rewrite golden files")

var at = time.Date(2026, 11, 23, 9, 45, 2, 0, time.UTC)

// nine is the page of the morning.
func nine() Page {
	r := detect.Reason{Complaints: 9, Customers: 9, Expected: 0.3, Window: 6 * time.Minute, FirstComplaint: at, Categories: []string{"login", "signup"}}
	i := detect.Incident{ID: "20261123-0948-abcdef", Kind: "surge", Level: detect.Paging, State: detect.Open, Categories: []string{"login", "signup"}, Group: "access",
		StartedAt: at, DetectedAt: at.Add(3*time.Minute + 8*time.Second), Reason: r, Now: r,
		Suspect: &detect.Suspect{Deployment: detect.Deployment{ID: "d", Service: "web", Version: "2.4.0", At: at.Add(-5*time.Minute - 2*time.Second)}, Lead: 5 * time.Minute}}
	p := Page{Delivery: 7, DedupKey: DedupKey(i.ID), Change: detect.Opened, Incident: i, Due: i.DetectedAt, Headline: Headline(&i), Sentence: Sentence(&i),
		Quotes: []Quote{{"Anna", "I can't log in since this morning", at}}, Terms: []string{"log in"}, Packages: []string{"jsonwebtoken 9.0.2 -> 8.5.1 (downgraded)"},
		Source: "support@example.com", Link: "https://tocsin.example.com/incidents/20261123-0948-abcdef"}
	p.Facts = facts(&p, time.UTC)
	return p
}

func (p Page) with(c detect.ChangeKind) Page {
	p.Change = c
	if c == detect.DidResolve || c == detect.DidDismiss {
		p.Incident.State, p.Incident.ResolvedAt = detect.Resolved, at.Add(time.Hour)
	}
	return p
}

// hostile is a page whose every text attacks the medium it is shown in.
func hostilePage() Page {
	evil := "<!channel> <@U123> *bold* [x](https://evil.example) <script>alert(1)</script> \u202egnp.exe\r\nBcc: all@example.com " + strings.Repeat("long ", 20_000)
	p := nine()
	p.Headline, p.Sentence, p.Terms, p.Packages = p.Headline+" "+evil, p.Sentence+" "+evil, []string{evil}, []string{evil}
	p.Quotes = []Quote{{evil, evil, at}, {evil, evil, at}}
	p.Incident.Suspect.Deployment.Version = evil
	p.Facts = append(facts(&p, time.UTC), Fact{"Success rate", strings.Repeat("<&", 5000)})
	return p
}

// recorder keeps what a pager sends.
type recorder struct {
	*httptest.Server
	requests []string
	last     *http.Request
	body     []byte
	answer   func(w http.ResponseWriter)
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.body, _ = io.ReadAll(q.Body)
		r.last = q
		var b bytes.Buffer
		json.Indent(&b, r.body, "", "  ")
		auth := "\nContent-Type: " + q.Header.Get("Content-Type") + "\nUser-Agent: " + q.Header.Get("User-Agent")
		if a := q.Header.Get("Authorization"); a != "" {
			auth += "\nAuthorization: " + a
		}
		r.requests = append(r.requests, fmt.Sprintf("%s %s%s\n%s\n", q.Method, q.URL.RequestURI(), auth, b.String()))
		if r.answer != nil {
			r.answer(w)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(r.Close)
	return r
}

func clockAt() time.Time { return at.Add(4 * time.Minute) }

// pagersAt are all pagers that speak HTTP, pointed at a server.
func pagersAt(url string) map[string]Pager {
	return map[string]Pager{
		"pagerduty":    &PagerDuty{URL: url, Key: "R0UT1NGKEY", Changes: true},
		"jsm":          &JSM{URL: url, Key: "jsm-key", Team: "Web"},
		"alertmanager": &Alertmanager{URL: url, Now: clockAt},
		"slack":        &Slack{URL: url + "/services/T/B/x"},
		"teams":        &Teams{URL: url + "/workflows/1"},
		"ntfy":         &Ntfy{URL: url, Topic: "tocsin", Token: "tk_1"},
		"webhook":      &Webhook{URL: url + "/hook", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Now: clockAt},
	}
}

// TestWhatEachPagerIsSent holds every request to a golden file, which was read
// against the service's documentation.
func TestWhatEachPagerIsSent(t *testing.T) {
	for name := range pagersAt("") {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			p := pagersAt(r.URL)[name]
			pages := []Page{nine(), nine().with(detect.DidAcknowledge), nine().with(detect.DidResolve), TestPage(at, "support@example.com")}
			if name == "pagerduty" || name == "webhook" {
				pages = append(pages, Page{Deployment: &detect.Deployment{Service: "web", Version: "2.4.0", At: at, Source: "github", Commit: "f95f852", Link: "https://github.com/acme/web/commit/f95f852",
					Changes: []detect.PackageChange{{Name: "a"}, {Name: "b"}}}})
			}
			for _, g := range pages {
				if err := p.Page(t.Context(), g); err != nil {
					t.Fatal(err)
				}
			}
			got := strings.Join(r.requests, "\n")
			file := filepath.Join("testdata", name+".txt")
			if *update {
				os.MkdirAll("testdata", 0o755)
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%s (%v):\n%s", file, err, got)
			}
		})
	}
}

// TestTheSignatureIsThatOfStandardWebhooks uses the published vector.
func TestTheSignatureIsThatOfStandardWebhooks(t *testing.T) {
	got := Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	r := newRecorder(t)
	p := pagersAt(r.URL)["webhook"]
	if err := p.Page(t.Context(), nine()); err != nil {
		t.Fatal(err)
	}
	h := r.last.Header
	if want := Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", h.Get("webhook-id"), h.Get("webhook-timestamp"), r.body); h.Get("webhook-signature") != want {
		t.Errorf("the request is signed %s, want %s", h.Get("webhook-signature"), want)
	}
}

// TestHostileTextRingsNobodyElse: length limits, Slack's and Teams' markup, and
// valid JSON whatever a customer wrote.
func TestHostileTextRingsNobodyElse(t *testing.T) {
	limits := map[string]int{"pagerduty": 512_000, "slack": 60_000, "teams": 28_000, "ntfy": 8_000, "jsm": 60_000, "alertmanager": 60_000}
	for name := range pagersAt("") {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			if err := pagersAt(r.URL)[name].Page(t.Context(), hostilePage()); err != nil {
				t.Fatal(err)
			}
			if !json.Valid(r.body) {
				t.Error("the body is not JSON")
			}
			if n := limits[name]; n > 0 && len(r.body) > n {
				t.Errorf("the body has %d bytes, more than the %d that the service takes", len(r.body), n)
			}
			var v any
			if err := json.Unmarshal(r.body, &v); err != nil {
				t.Fatal(err)
			}
			walk(v, func(m map[string]any) {
				text, _ := m["text"].(string)
				if m["type"] == "mrkdwn" && strings.Contains(text, "<!channel>") {
					t.Errorf("Slack would ring everybody: %.80s", text)
				}
				if m["type"] == "TextBlock" && strings.Contains(text, "[x](") {
					t.Errorf("Teams would show a link: %.80s", text)
				}
			})
			if name == "slack" {
				if text := v.(map[string]any)["text"].(string); strings.Contains(text, "<!channel>") {
					t.Errorf("the notification would ring everybody: %.80s", text)
				}
			}
		})
	}
}

func walk(v any, f func(map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		f(x)
		for _, y := range x {
			walk(y, f)
		}
	case []any:
		for _, y := range x {
			walk(y, f)
		}
	}
}

// TestWhichErrorsAreFinal: a mistake shouts, a moment's trouble waits.
func TestWhichErrorsAreFinal(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		final  bool
		wait   time.Duration
	}{
		{400, "", true, 0}, {401, "", true, 0}, {404, "", true, 0}, {302, "", true, 0}, {429, "7", false, 7 * time.Second}, {500, "", false, 0}, {503, "100000000", false, 24 * time.Hour}, {408, "x", false, 0},
	} {
		r := newRecorder(t)
		r.answer = func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://evil.example/")
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.WriteHeader(c.status)
			io.WriteString(w, "no\x1b[31m\r\nsecond line")
		}
		err := pagersAt(r.URL)["slack"].Page(t.Context(), nine())
		var e *sendError
		if !errors.As(err, &e) || e.Permanent() != c.final || e.RetryAfter() != c.wait {
			t.Errorf("%d %q: %+v", c.status, c.after, e)
			continue
		}
		if strings.ContainsAny(e.Error(), "\x1b\r\n") || strings.Contains(e.Error(), "/services/") {
			t.Errorf("the error shows too much: %q", e.Error())
		}
	}
	err := (&Slack{URL: "http://127.0.0.1:1/services/T/B/secret"}).Page(t.Context(), nine())
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestSentences reads what people are told.
func TestSentences(t *testing.T) {
	p := nine()
	for _, c := range []struct{ got, want string }{
		{p.Headline, "Login and signup complaints are surging"},
		{p.Sentence, "login and signup complaints: 9 customers in 6 min (normal 0.3), 5 min after deployment web 2.4.0"},
		{Span(20 * time.Second), "less than a minute"}, {Span(89 * time.Minute), "89 min"}, {Span(100 * time.Minute), "1.7 h"}, {Span(72 * time.Hour), "3 days"},
		{Number(0.01), "0"}, {Number(0.31), "0.3"}, {Number(2), "2"}, {Number(18.4), "18"},
		{join([]string{"login", "email_delivery", "slow", "bug", "data"}), "login, email delivery, slow and 2 more"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// TestRoutes says who is rung for what.
func TestRoutes(t *testing.T) {
	rs := Routes{{Pager: "oncall", Fallback: "backup"}, {Pager: "chat", Warnings: true}, {Pager: "payments", Categories: []string{"payment"}}, {Pager: "backup", OnlyBack: true}}
	who := func(kind detect.ChangeKind, level detect.Level, categories ...string) string {
		var names []string
		for _, d := range rs.Deliveries([]detect.Change{{Kind: kind, At: at, Incident: detect.Incident{ID: "i", Kind: "surge", Level: level, Categories: categories}}}) {
			names = append(names, d.Pager)
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct{ got, want string }{
		{who(detect.Opened, detect.Paging, "login"), "oncall chat"},
		{who(detect.Opened, detect.Paging, "payment"), "oncall chat payments"},
		{who(detect.Warned, detect.Warning, "login"), "chat"},
		{who(detect.DidNote, detect.Paging, "login"), ""},
		{who(detect.DidResolve, detect.Paging, "login"), "oncall chat"},
	} {
		if c.got != c.want {
			t.Errorf("rung are %q, want %q", c.got, c.want)
		}
	}
}

package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/deploy"
	"tocsin/internal/digest"
	"tocsin/internal/worker"
	"tocsin/mailbox"
	"tocsin/store"
)

var t0 = time.Date(2026, 11, 17, 9, 45, 0, 0, time.UTC)

// hostile is what a mail may carry to attack whoever looks at it.
const hostile = `<script>alert(1)</script>"'&<img src=x onerror=alert(2)> {{.}} =cmd|' /C calc'!A0`

// fake is a worker that remembers what it was asked for.
type fake struct {
	decided   []detect.Decision
	corrected []string
	refuse    error
	store     *store.Store
	changed   chan struct{}
	recorded  int
}

func (f *fake) Status() worker.Status {
	return worker.Status{Version: "test", Unlearned: "learning the 7 corrections would make it worse", Now: t0.Add(time.Hour), Started: t0.Add(-time.Hour),
		Folders: []worker.FolderStatus{{Mailbox: "support", Folder: "INBOX", State: "watching", LastRead: t0.Add(time.Hour - 12*time.Second)}},
		Pagers:  []worker.PagerStatus{{Pager: "oncall", LastDelivered: t0.Add(5 * time.Minute)}}}
}
func (f *fake) Model() *classify.Model { return classify.Default() }
func (f *fake) Normal(_ string, from, to time.Time, step time.Duration) (list []detect.Band) {
	for at := from; at.Before(to); at = at.Add(step) {
		list = append(list, detect.Band{From: at, To: at.Add(step), Expected: 0.1, High: 1.2})
	}
	return list
}
func (f *fake) Decide(_ context.Context, d detect.Decision) (detect.Incident, error) {
	if f.refuse != nil {
		return detect.Incident{}, f.refuse
	}
	f.decided = append(f.decided, d)
	i, _, err := f.store.Incident(d.Incident)
	return i, err
}
func (f *fake) Correct(_ context.Context, message, category, who string) error {
	_, err := f.store.Correct(message, category, who, t0)
	f.corrected = append(f.corrected, message+" "+category+" "+who)
	return err
}
func (f *fake) Recorded() { f.recorded++ }
func (f *fake) Subscribe() (<-chan struct{}, func()) {
	if f.changed == nil {
		f.changed = make(chan struct{}, 1)
	}
	return f.changed, func() {}
}

// fixture is a store with a morning in it, and a server over it.
func fixture(t testing.TB, access Access) (*Server, *fake) {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "tocsin.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(context.Background()); err != nil {
			t.Errorf("the store is not sound: %v", err)
		}
		s.Close()
	})
	fill(t, s)
	now := func() time.Time { return t0.Add(time.Hour) }
	w := &fake{store: s}
	srv, err := New(Options{
		Store: s, Worker: w, Taxonomy: classify.DefaultTaxonomy(), Location: time.UTC, Log: slog.New(slog.NewTextHandler(testLog{t}, nil)), Now: now,
		Deployments: &deploy.Recorder{Store: s, Now: now, Recorded: w.Recorded},
		Digest:      digest.Options{Store: s, Taxonomy: classify.DefaultTaxonomy(), Location: time.UTC, WeekStart: time.Monday, Now: now},
		Outcomes:    true, Access: access, Version: "test", Facts: [][2]string{{"Time zone", "UTC"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return srv, w
}

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Helper()
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func fill(t testing.TB, s *store.Store) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var entries []store.Entry
	for n := range 12 {
		e := store.Entry{
			Message: mailbox.Message{ID: fmt.Sprintf("m%d", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n + 1),
				Received: t0.Add(time.Duration(n) * time.Minute), From: mailbox.Address{Name: hostile, Addr: fmt.Sprintf("anna%d@example.com", n)},
				Subject: "Can't log in " + hostile, Text: "I can't log in\n> old " + hostile, Reply: "I can't log in " + hostile,
				Defects: []string{"bad " + hostile}, Attachments: []mailbox.Attachment{{Name: hostile, Type: "image/png"}}},
			Verdict: classify.Verdict{Category: "login", Confidence: 0.93, Complaint: true, Language: "en",
				Evidence: []classify.Evidence{{Phrase: "can't log in", Weight: 2.1}, {Phrase: hostile, Weight: 0.1}}},
		}
		if n == 11 {
			e.Verdict = classify.Verdict{Category: "other", Confidence: 0.3}
			e.Problem = "unreadable " + hostile
		}
		entries = append(entries, e)
	}
	_, err := s.Append(entries, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: 12})
	check(err)
	d := detect.Deployment{ID: "d1", Service: "web", Version: "2.4.0" + hostile, At: t0.Add(-5 * time.Minute), Actor: hostile, Commit: "abc",
		Changes: []detect.PackageChange{{Name: "jsonwebtoken", From: []string{"9.0.2"}, To: []string{"8.5.1" + hostile}, Kind: "downgraded"}}}
	_, _, err = s.AddDeployment(d, nil)
	check(err)
	mark, err := s.Last()
	check(err)
	r := detect.Reason{Complaints: 9, Customers: 9, Expected: 0.3, Window: 6 * time.Minute, FirstComplaint: t0, FirstMessage: "m0", Messages: []string{"m0", "m1", "m2"}}
	open := detect.Incident{ID: "i1", Kind: "surge", Level: detect.Paging, State: detect.Open, Categories: []string{"login", "signup"}, StartedAt: t0,
		DetectedAt: t0.Add(6 * time.Minute), Reason: r, Now: r, Suspect: &detect.Suspect{Deployment: d, Probability: 0.9, Lead: 5 * time.Minute, Why: "the complaints began 5 min after it"}}
	blind := detect.Incident{ID: "i2", Kind: "blind", Level: detect.Paging, State: detect.Resolved, Categories: []string{"blind"}, StartedAt: t0.Add(-time.Hour),
		DetectedAt: t0.Add(-time.Hour), ResolvedAt: t0.Add(-30 * time.Minute), Reason: detect.Reason{Text: "blind " + hostile}, Now: detect.Reason{Text: "blind " + hostile}}
	warning := detect.Incident{ID: "i3", Kind: "surge", Level: detect.Warning, State: detect.Open, Categories: []string{"slow"}, StartedAt: t0, DetectedAt: t0, Reason: r, Now: r}
	check(s.Record("detector", mark, []detect.Change{
		{Kind: detect.Opened, At: open.DetectedAt, Incident: open},
		{Kind: detect.DidNote, At: open.DetectedAt.Add(time.Minute), Incident: open, Who: "anna " + hostile, Note: hostile},
		{Kind: detect.DidResolve, At: blind.ResolvedAt, Incident: blind},
		{Kind: detect.Warned, At: warning.DetectedAt, Incident: warning},
	}, []store.Delivery{{Incident: "i1", Change: detect.Opened, Pager: "oncall", Due: t0, State: store.Pending, Error: hostile}}))
}

func get(t testing.TB, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, h, http.MethodGet, path, nil, header...)
}

func send(t testing.TB, h http.Handler, method, path string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost:8086"+path, body)
	for n := 0; n+1 < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var pagesSeen = []string{"/", "/?span=3h", "/?span=7d", "/?span=1y", "/incidents", "/incidents/i1", "/incidents/i2", "/incidents/i3", "/messages", "/messages?unsorted=1",
	"/messages?words=%3Cscript%3E&category=login", "/messages/m0", "/messages/m11", "/deployments", "/deployments/d1", "/digests", "/digests/2026-W47", "/digests/2026-W47?form=html",
	"/digests/2026-W47?form=text", "/status", "/login", "/incidents/i1/postmortem.md", "/incidents/i1/customers.csv"}

// TestHostileTextIsHarmlessOnEveryPage opens each page with a store full of
// attacks: no markup of a mail is markup of the page.
func TestHostileTextIsHarmlessOnEveryPage(t *testing.T) {
	s, _ := fixture(t, Access{})
	for _, path := range pagesSeen {
		w := get(t, s.Handler(), path)
		if w.Code != http.StatusOK && path != "/login" {
			t.Errorf("GET %s: %d", path, w.Code)
			continue
		}
		body := w.Body.String()
		if !strings.Contains(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		for _, bad := range []string{"<script>alert", "<img src=x", "ZgotmplZ", "style=\"{{"} {
			if strings.Contains(body, bad) {
				t.Errorf("GET %s: the page contains %s", path, bad)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "script-src 'unsafe") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("GET %s: Content-Security-Policy %q", path, csp)
		}
		if !strings.HasPrefix(path, "/digests/2026-W47?") && (strings.Contains(body, " style=") || strings.Contains(body, "onclick=")) {
			t.Errorf("GET %s: inline style or script, which the policy forbids", path)
		}
	}
	if body := get(t, s.Handler(), "/incidents/i1").Body.String(); !strings.Contains(body, "<mark>can&#39;t log in</mark>") {
		t.Error("the incident's page does not mark the phrase that decided")
	}
	csv := get(t, s.Handler(), "/incidents/i1/customers.csv").Body.String()
	if !strings.Contains(csv, "anna0@example.com") || strings.Contains(csv, ",=cmd") || strings.Contains(csv, "\n=") {
		t.Errorf("customers.csv:\n%s", csv)
	}
	for _, path := range []string{"/incidents/nope", "/messages/nope", "/deployments/nope", "/digests/2026-W99", "/messages?before=zz", "/messages?limit=x", "/messages?from=yesterday", "/nowhere", "/static/", "/api/v1/nowhere", "/deployments?before=x"} {
		if w := get(t, s.Handler(), path); w.Code != http.StatusNotFound && w.Code != http.StatusBadRequest {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
}

// TestMessagesAreFoundByDay: from and to are days of the team, both included,
// and hold beside the other filters.
func TestMessagesAreFoundByDay(t *testing.T) {
	s, _ := fixture(t, Access{})
	for query, want := range map[string]int{
		"": 12, "from=2026-11-17": 12, "to=2026-11-17": 12, "from=2026-11-17&to=2026-11-17": 12, "to=2026-11-16": 0, "from=2026-11-18": 0,
		"from=2026-11-17&category=login": 11, "from=2026-11-17&sender=anna3%40": 1, "to=2026-11-17&automated=only": 0, "from=2026-11-17T09:50:00Z": 7,
	} {
		body := get(t, s.Handler(), "/messages?"+query).Body.String()
		if n := strings.Count(body, `class="what"`); n != want {
			t.Errorf("/messages?%s: %d mails, want %d", query, n, want)
		}
		if want > 0 && !strings.Contains(body, "Today, Tuesday 17 November 2026") {
			t.Errorf("/messages?%s: the day is not said", query)
		}
	}
	if w := get(t, s.Handler(), "/messages?from=2026-11-31"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "is no time") {
		t.Errorf("a day that is none: %d", w.Code)
	}
}

// TestWhoDidWhatIsShown: decisions and corrections stand on the status page with
// who did them.
func TestWhoDidWhatIsShown(t *testing.T) {
	s, _ := fixture(t, Access{})
	if _, err := s.opt.Store.Correct("m3", "payment", "bert", t0.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	body := get(t, s.Handler(), "/status").Body.String()
	for _, want := range []string{"bert", "Sorted as payment", `href="/messages/m3"`, "Note", `href="/incidents/i1"`, "Deployment", "learning the 7 corrections would make it worse"} {
		if !strings.Contains(body, want) {
			t.Errorf("the status page is without %s", want)
		}
	}
}

// TestAnIncidentShowsTenMailsAndTheRestOnRequest, and begins its timeline with
// the deployment and the first complaint.
func TestAnIncidentShowsTenMailsAndTheRestOnRequest(t *testing.T) {
	s, _ := fixture(t, Access{})
	body := get(t, s.Handler(), "/incidents/i1").Body.String()
	if n := strings.Count(body, `<article class="mail">`); n != 10 || !strings.Contains(body, "Show 1 more") {
		t.Errorf("%d mails", n)
	}
	d, f, p := strings.Index(body, "step-deployment"), strings.Index(body, "First complaint"), strings.Index(body, "step-opened")
	if d < 0 || d > f || f > p {
		t.Errorf("the timeline: deployment at %d, first complaint at %d, page at %d", d, f, p)
	}
	if n := strings.Count(get(t, s.Handler(), "/incidents/i1?mails=all").Body.String(), `<article class="mail">`); n != 11 {
		t.Errorf("%d mails when asked for all", n)
	}
}

// TestTheAPI asks for everything a program may ask for.
func TestTheAPI(t *testing.T) {
	s, f := fixture(t, Access{})
	h := s.Handler()
	for path, want := range map[string]string{
		"/api/v1/status":                     `"running":true`,
		"/api/v1/messages?limit=2":           `"next":"`,
		"/api/v1/messages/m0":                `"reply":"I can't log in`,
		"/api/v1/counts":                     `"complaints":`,
		"/api/v1/incidents":                  `"id":"i1"`,
		"/api/v1/incidents/i1":               `"customers":9`,
		"/api/v1/incidents/i1/timeline":      `"kind":"opened"`,
		"/api/v1/incidents/i1/postmortem":    "# Post-mortem",
		"/api/v1/incidents/i1/customers.csv": "address,name",
		"/api/v1/deployments":                `"id":"d1"`,
		"/api/v1/deployments/d1":             `"jsonwebtoken"`,
		"/api/v1/digest?week=2026-W47":       `"week":"2026-W47"`,
		"/api/v1/events":                     `"category":"login","sender":"anna0@example.com"`,
		"/metrics":                           `tocsin_incidents_open{category="login",level="page"} 1`,
		"/healthz":                           "ok",
		"/readyz":                            "ready",
	} {
		if w := get(t, h, path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s: %d, without %s\n%.600s", path, w.Code, want, w.Body)
		}
	}
	post := func(path, body string, code int, want string) {
		t.Helper()
		if w := send(t, h, http.MethodPost, path, strings.NewReader(body)); w.Code != code || !strings.Contains(w.Body.String(), want) {
			t.Errorf("POST %s %s: %d, want %d with %q\n%s", path, body, w.Code, code, want, w.Body)
		}
	}
	post("/api/v1/deployments", `{"service":"web","version":"2.4.1"}`, http.StatusCreated, `"added":true`)
	post("/api/v1/deployments", `{"service":"web"}`, http.StatusBadRequest, "no version")
	post("/api/v1/deployments", `{"service":`, http.StatusBadRequest, "JSON")
	post("/api/v1/outcomes", `[{"action":"login","succeeded":3,"failed":1}]`, http.StatusAccepted, "1")
	post("/api/v1/outcomes", `[{"succeeded":3,"failed":1}]`, http.StatusBadRequest, "no action")
	post("/api/v1/messages/m0/category", `{"category":"signup"}`, http.StatusOK, `"category":"signup"`)
	post("/api/v1/messages/m0/category", `{"category":"nonsense"}`, http.StatusBadRequest, "no category")
	post("/api/v1/messages/m0/category", `{"category":"nonsense"}`, http.StatusBadRequest, "there are login, signup")
	post("/api/v1/messages/m0/category", `{"kategorie":"login"}`, http.StatusBadRequest, "the body is not")
	post("/api/v1/messages/m0/category", `{"category":5}`, http.StatusBadRequest, "takes a correction back")
	post("/api/v1/messages/none/category", `{"category":"signup"}`, http.StatusNotFound, "no such message")
	post("/api/v1/incidents/i1/acknowledge", ``, http.StatusOK, `"id":"i1"`)
	post("/api/v1/incidents/i1/note", `{"note":" "}`, http.StatusBadRequest, "empty")
	post("/api/v1/incidents/i1/explode", ``, http.StatusNotFound, "no decision")
	post("/api/v1/messages/m0/category", strings.Repeat("x", maxBody+1), http.StatusRequestEntityTooLarge, "longer")
	f.refuse = errors.New("anna acknowledged it already")
	post("/api/v1/incidents/i1/acknowledge", ``, http.StatusConflict, "already")
	if len(f.decided) != 1 || f.decided[0].Verb != detect.Acknowledge || f.recorded != 2 {
		t.Errorf("decided %+v, recorded %d", f.decided, f.recorded)
	}
}

// TestOnlyWhoMayComesIn tries every door as a stranger, as each kind of token
// and as a person.
func TestOnlyWhoMayComesIn(t *testing.T) {
	hash := cheapHash("correct horse")
	s, f := fixture(t, Access{Users: map[string]string{"anna": hash}, Hosts: []string{"localhost", "tocsin.example.com"},
		Tokens: []Token{{"ci", "token-of-ci", ScopeDeployments}, {"grafana", "token-to-read", ScopeRead}, {"robot", "token-for-all", ScopeAll}}})
	h := s.Handler()
	for _, path := range pagesSeen {
		if path == "/login" {
			continue
		}
		if w := get(t, h, path); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login?to=") {
			t.Errorf("a stranger gets %s: %d", path, w.Code)
		}
	}
	for _, c := range []struct {
		token, method, path string
		want                int
	}{
		{"", "GET", "/api/v1/messages", 401}, {"wrong", "GET", "/api/v1/messages", 401}, {"token-of-ci", "GET", "/api/v1/messages", 403}, {"token-of-ci", "GET", "/api/v1/nowhere", 403},
		{"token-of-ci", "POST", "/api/v1/deployments", 201}, {"token-to-read", "POST", "/api/v1/deployments", 403}, {"token-to-read", "GET", "/api/v1/messages", 200},
		{"token-to-read", "POST", "/api/v1/incidents/i1/resolve", 403}, {"token-for-all", "POST", "/api/v1/incidents/i1/resolve", 200},
		{"token-for-all", "GET", "/api/v1/messages", 200}, {"", "GET", "/metrics", 401}, {"", "GET", "/healthz", 200},
	} {
		var header []string
		if c.token != "" {
			header = []string{"Authorization", "Bearer " + c.token}
		}
		w := send(t, h, c.method, c.path, strings.NewReader(`{"service":"web","version":"9"}`), header...)
		if w.Code != c.want {
			t.Errorf("%s %s with token %q: %d, want %d: %s", c.method, c.path, c.token, w.Code, c.want, w.Body)
		}
	}
	form := func(password string) *httptest.ResponseRecorder {
		return send(t, h, "POST", "/login", strings.NewReader(url.Values{"name": {"anna"}, "password": {password}, "to": {"//evil.example"}}.Encode()),
			"Content-Type", "application/x-www-form-urlencoded")
	}
	if w := form("wrong"); w.Code != http.StatusUnauthorized || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("a wrong password: %d", w.Code)
	}
	w := form("correct horse")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("the right password: %d to %q", w.Code, w.Header().Get("Location"))
	}
	cookie := strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
	if !strings.Contains(w.Header().Get("Set-Cookie"), "HttpOnly") || !strings.Contains(w.Header().Get("Set-Cookie"), "SameSite=Lax") {
		t.Errorf("cookie: %s", w.Header().Get("Set-Cookie"))
	}
	if w := get(t, h, "/", "Cookie", cookie); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "anna") {
		t.Errorf("signed in: %d", w.Code)
	}
	if w := send(t, h, "POST", "/incidents/i1", strings.NewReader("verb=resolve"), "Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("a form of another site: %d", w.Code)
	}
	if w := send(t, h, "POST", "/incidents/i1", strings.NewReader("verb=resolve&back=now"), "Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusSeeOther {
		t.Errorf("a form: %d %s", w.Code, w.Body)
	}
	if n := len(f.decided); n != 2 || f.decided[1].Who != "anna" || f.decided[0].Who != "robot" {
		t.Errorf("decided: %+v", f.decided)
	}
	if w := get(t, h, "/logout", "Cookie", cookie); w.Code != http.StatusNotFound {
		t.Errorf("GET /logout: %d", w.Code)
	}
	send(t, h, "POST", "/logout", nil, "Cookie", cookie)
	if w := get(t, h, "/", "Cookie", cookie); w.Code != http.StatusSeeOther {
		t.Errorf("signed out, and still in: %d", w.Code)
	}
	r := httptest.NewRequest("GET", "http://evil.example/", nil)
	rec := httptest.NewRecorder()
	if h.ServeHTTP(rec, r); rec.Code != http.StatusMisdirectedRequest {
		t.Errorf("another name: %d", rec.Code)
	}
}

// TestViewersShareARendering: open pages that ask anew are given one rendering,
// without anybody's name, and only to those who may come in.
func TestViewersShareARendering(t *testing.T) {
	s, _ := fixture(t, Access{TrustedProxy: []string{"192.0.2.0/24"}, UserHeader: "X-User"})
	h := s.Handler()
	for _, name := range []string{"anna", "bob"} {
		w := get(t, h, "/", "X-User", name, "X-Live", "1")
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "anna\n") || strings.Contains(w.Body.String(), ">bob<") || strings.Contains(w.Body.String(), ">anna<") || !strings.Contains(w.Body.String(), "9 customers") && !strings.Contains(w.Body.String(), "customers in") {
			t.Errorf("%s: %d", name, w.Code)
		}
		if w.Header().Get("Content-Security-Policy") == "" {
			t.Error("a shared page has no policy")
		}
	}
	if w := get(t, h, "/", "X-Live", "1"); w.Code != http.StatusSeeOther {
		t.Errorf("a stranger: %d", w.Code)
	}
}

// BenchmarkViewers is what 200 open pages cost when something changes.
func BenchmarkViewers(b *testing.B) {
	s, _ := fixture(b, Access{})
	h := s.Handler()
	for b.Loop() {
		for range 200 {
			if w := get(b, h, "/", "X-Live", "1"); w.Code != http.StatusOK {
				b.Fatal(w.Code)
			}
		}
	}
}

// TestAProxyInFrontOpensNothing: with nobody configured, what a proxy forwards
// may come from anywhere.
func TestAProxyInFrontOpensNothing(t *testing.T) {
	s, _ := fixture(t, Access{})
	for _, path := range []string{"/", "/api/v1/messages"} {
		if w := get(t, s.Handler(), path, "X-Forwarded-For", "203.0.113.9"); w.Code != http.StatusForbidden && w.Code != http.StatusUnauthorized {
			t.Errorf("GET %s through a proxy: %d", path, w.Code)
		}
	}
	p, _ := fixture(t, Access{TrustedProxy: []string{"192.0.2.0/24"}, UserHeader: "X-User"})
	if w := get(t, p.Handler(), "/", "X-User", "anna"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "anna") {
		t.Errorf("a trusted proxy's user: %d", w.Code)
	}
	q, _ := fixture(t, Access{TrustedProxy: []string{"198.51.100.1"}, UserHeader: "X-User"})
	if w := get(t, q.Handler(), "/", "X-User", "anna"); w.Code != http.StatusSeeOther {
		t.Errorf("anybody's user header: %d", w.Code)
	}
}

// TestGuessingIsSlowedDown: after five wrong passwords one has to wait.
func TestGuessingIsSlowedDown(t *testing.T) {
	g, err := newGuard(Access{Users: map[string]string{"anna": cheapHash("x")}}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	g.decoy.memory = 8
	r := httptest.NewRequest("POST", "/login", nil)
	for range 5 {
		if _, err := g.signIn(r, "anna", "wrong"); err == nil || !strings.Contains(err.Error(), "wrong") {
			t.Fatal(err)
		}
	}
	if _, err := g.signIn(r, "anna", "x"); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("the sixth try: %v", err)
	}
	// Guesses sent at once all find nothing to wait for; they are hashed one
	// after another, and only the first five are.
	g, err = newGuard(Access{Users: map[string]string{"anna": cheapHash("x")}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	g.hashing <- struct{}{}
	answers := make(chan error, 20)
	for range cap(answers) {
		go func() {
			_, err := g.signIn(httptest.NewRequest("POST", "/login", nil), "anna", "wrong")
			answers <- err
		}()
	}
	<-g.hashing
	hashed := 0
	for range cap(answers) {
		if err := <-answers; strings.Contains(err.Error(), "wrong") {
			hashed++
		}
	}
	if hashed != 5 {
		t.Errorf("%d of 20 guesses sent at once were tried", hashed)
	}
	s, _ := fixture(t, Access{Users: map[string]string{"anna": cheapHash("x")}})
	s.guard.failed([]string{"name anna"})
	s.guard.tries["name anna"].until = time.Now().Add(time.Minute)
	w := send(t, s.Handler(), "POST", "/login", strings.NewReader("name=anna&password=x"), "Content-Type", "application/x-www-form-urlencoded")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("a login that must wait: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
}

// TestAGuesserBehindAProxyIsTold: who guesses is found behind trusted proxies,
// and nobody else may say whom they forward for.
func TestAGuesserBehindAProxyIsTold(t *testing.T) {
	g, err := newGuard(Access{TrustedProxy: []string{"10.0.0.0/8", "192.0.2.7"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.5:9", "198.51.100.1", "203.0.113.5"}, {"10.1.2.3:9", "198.51.100.1", "198.51.100.1"}, {"10.1.2.3:9", "1.1.1.1, 198.51.100.1, 192.0.2.7", "198.51.100.1"},
		{"10.1.2.3:9", "", "10.1.2.3"}, {"10.1.2.3:9", "nonsense", "10.1.2.3"}, {"[::ffff:10.1.2.3]:9", "2001:db8::1", "2001:db8::1"},
	} {
		r := httptest.NewRequest("POST", "/login", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := g.client(r); got != c.want {
			t.Errorf("from %s, forwarded for %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func cheapHash(password string) string {
	h, err := HashPassword(password)
	if err != nil {
		panic(err)
	}
	return h
}

func TestPasswords(t *testing.T) {
	h, err := HashPassword("grün & gold")
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseHash(h)
	if err != nil || !p.matches("grün & gold") || p.matches("grün & gol") {
		t.Errorf("%s does not fit its password: %v", h, err)
	}
	for _, bad := range []string{"", "secret", "$argon2i$v=19$m=65536,t=3,p=4$AAAA$AAAA", "$argon2id$v=19$m=99999999,t=3,p=4$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=65536,t=3,p=4$AAAA$"} {
		if _, err := parseHash(bad); err == nil {
			t.Errorf("parseHash(%q) took it", bad)
		}
	}
}

// TestTheClientSpeaksTheAPI drives the client over the handler.
func TestTheClientSpeaksTheAPI(t *testing.T) {
	s, _ := fixture(t, Access{})
	ctx := context.Background()
	c := s.Client()
	if st, err := c.Status(ctx); err != nil || st.Store.Messages != 12 {
		t.Errorf("Status: %+v, %v", st, err)
	}
	if l, err := c.Messages(ctx, store.Query{Category: "login", Limit: 5}); err != nil || len(l) != 5 {
		t.Errorf("Messages: %d, %v", len(l), err)
	}
	if l, err := c.Incidents(ctx, time.Time{}, time.Time{}); err != nil || len(l) != 3 {
		t.Errorf("Incidents: %d, %v", len(l), err)
	}
	if r, err := c.Deploy(ctx, []byte(`{"service":"web","version":"3"}`)); err != nil || !r.Added {
		t.Errorf("Deploy: %+v, %v", r, err)
	}
	_, err := c.Deploy(ctx, []byte(`{}`))
	var e *APIError
	if !errors.As(err, &e) || e.Status != 400 || e.Advice() == "" {
		t.Errorf("Deploy of nothing: %v", err)
	}
	if d, err := c.Digest(ctx, "2026-W47"); err != nil || !strings.HasPrefix(d.Subject, "Week 47") {
		t.Errorf("Digest: %q, %v", d.Subject, err)
	}
	if _, err := NewClient("http://127.0.0.1:1", "").Status(ctx); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
	var lines bytes.Buffer
	if err := c.Events(ctx, time.Time{}, func(n int, l []byte) error { lines.Write(l); lines.WriteByte('\n'); return nil }); err != nil || strings.Count(lines.String(), "\n") != 13 {
		t.Errorf("Events: %v\n%s", err, lines.String())
	}
}

// TestTroubleWithoutACategoryIsShown: on the page of unsorted mail, with links
// to the mails, and not where people only page on.
func TestTroubleWithoutACategoryIsShown(t *testing.T) {
	s, f := fixture(t, Access{})
	var entries []store.Entry
	mail := func(at time.Time, text string) {
		n := len(entries)
		entries = append(entries, store.Entry{Message: mailbox.Message{ID: fmt.Sprint("u", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(100 + n), Received: at,
			From: mailbox.Address{Addr: fmt.Sprintf("u%d@example.com", n)}, Subject: "Question " + hostile, Reply: text}, Verdict: classify.Verdict{Category: "other", Confidence: 0.3}})
	}
	for n := range 24 {
		mail(t0.AddDate(0, 0, -5-n%20), fmt.Sprintf("something about matter %c%c", 'a'+n, 'a'+n))
	}
	for n := range 6 {
		mail(t0.Add(time.Duration(n)*time.Minute), "the csv export is cut off")
	}
	if _, err := f.store.Append(entries, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: 200}); err != nil {
		t.Fatal(err)
	}
	body := get(t, s.Handler(), "/messages?unsorted=1").Body.String()
	if !strings.Contains(body, "6 customers write about “csv export”") || !strings.Contains(body, `href="/messages/u29"`) {
		t.Errorf("the page of unsorted mail does not tell of it:\n%s", body)
	}
	if strings.Contains(get(t, s.Handler(), "/messages").Body.String(), "customers write about") {
		t.Error("it is told among all mail")
	}
}

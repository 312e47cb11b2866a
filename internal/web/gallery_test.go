package web

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/digest"
	"tocsin/internal/worker"
	"tocsin/mailbox"
	"tocsin/store"
)

// TestGallery takes a picture of every page in every state, wide and on a
// phone, light and dark, for somebody to look at:
//
//	TOCSIN_GALLERY=/tmp/gallery go test -run Gallery ./internal/web
func TestGallery(t *testing.T) {
	dir := os.Getenv("TOCSIN_GALLERY")
	if dir == "" {
		t.Skip("pictures to look at: set TOCSIN_GALLERY to a folder")
	}
	only := os.Getenv("TOCSIN_GALLERY_ONLY")
	ctx := browser(t)
	for _, sc := range scenes {
		var base string
		for _, path := range sc.paths {
			name := sc.name + strings.NewReplacer("/", "_", "?", "_", "=", "-", "&", "_", "%", "").Replace(path)
			if only != "" && !strings.Contains(name, only) {
				continue
			}
			if base == "" {
				base = serve(t, sc.open(t))
			}
			for _, v := range []struct {
				suffix, scheme string
				width          int64
			}{{"wide", "light", 1280}, {"wide-dark", "dark", 1280}, {"phone", "light", 390}, {"phone-dark", "dark", 390}} {
				if dark := os.Getenv("TOCSIN_GALLERY_DARK"); dark == "" && v.scheme == "dark" {
					continue
				}
				do(t, ctx, chromedp.EmulateViewport(v.width, 800),
					chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
						_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}})
						return err
					}),
					chromedp.Navigate(base+path), chromedp.WaitReady("body"))
				tall := ask(t, ctx, chromedp.Evaluate[int64](`Math.max(300, Math.min(9000, document.documentElement.scrollHeight))`))
				do(t, ctx, chromedp.EmulateViewport(v.width, tall))
				png := ask(t, ctx, chromedp.CaptureScreenshot())
				if err := os.WriteFile(filepath.Join(dir, name+"."+v.suffix+".png"), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

type scene struct {
	name  string
	open  func(testing.TB) *Server
	paths []string
}

var scenes = []scene{
	{"first", func(t testing.TB) *Server { return stage{}.open(t) },
		[]string{"/", "/incidents", "/messages", "/deployments", "/digests", "/status", "/digests/2026-W47"}},
	{"calm", func(t testing.TB) *Server { return stage{mail: true, resolved: true}.open(t) },
		[]string{"/", "/?span=7d", "/incidents", "/incidents/access-1", "/incidents/false-1"}},
	{"surge", func(t testing.TB) *Server {
		return stage{mail: true, surge: true, warning: true, outcomes: true}.open(t)
	},
		[]string{"/?span=3h", "/", "/incidents", "/incidents/access-1", "/incidents/slow-1", "/messages", "/messages?category=login&automated=without", "/messages?unsorted=1", "/messages?words=nosuchword",
			"/messages/odd0", "/messages/odd1", "/messages/login3", "/messages/auto1", "/deployments", "/deployments/d0", "/deployments/d3", "/digests", "/digests/2026-W47", "/digests/2026-W47?form=html", "/status", "/nowhere", "/incidents/nope"}},
	{"acked", func(t testing.TB) *Server { return stage{mail: true, surge: true, acked: true}.open(t) }, []string{"/?span=3h", "/incidents/access-1?said=acknowledge"}},
	{"blind", func(t testing.TB) *Server { return stage{mail: true, blind: true}.open(t) }, []string{"/", "/incidents/blind-1", "/status"}},
	{"door", func(t testing.TB) *Server { return stage{mail: true, surge: true, users: true}.open(t) }, []string{"/login"}},
}

// stage says what a scene holds.
type stage struct{ mail, surge, resolved, warning, outcomes, acked, blind, users bool }

// player is the worker of a scene.
type player struct {
	fake
	stage stage
	now   time.Time
}

var sceneNow = time.Date(2026, 11, 24, 11, 12, 0, 0, time.UTC)

func (p *player) Status() worker.Status {
	st := worker.Status{Version: "1.0.0", Now: p.now, Started: p.now.Add(-9 * 24 * time.Hour)}
	f := worker.FolderStatus{Mailbox: "support", Folder: "INBOX", State: "watching", LastRead: p.now.Add(-12 * time.Second), LastMail: p.now.Add(-3 * time.Minute)}
	switch {
	case p.stage.blind:
		f.State, f.Blind, f.LastRead, f.Error = "failing", true, p.now.Add(-14*time.Minute), "mailbox \"support\": connect to imap.example.com:993: dial tcp 203.0.113.7:993: connect: connection refused"
	case !p.stage.mail:
		f.State, f.LastRead, f.Done, f.Total, f.Rate = "catching up", time.Time{}, 4210, 18400, 812
		st.Notice = "Learning what is normal: 0 of 14 days. Until then more evidence is needed for a page."
	}
	st.Folders = []worker.FolderStatus{f, {Mailbox: "support", Folder: "Archive/2026", State: "watching", LastRead: p.now.Add(-40 * time.Second)}}
	st.Pagers = []worker.PagerStatus{{Pager: "oncall"}, {Pager: "slack-support-incidents"}}
	if p.stage.mail {
		st.Pagers[0].LastDelivered = p.now.Add(-80 * time.Minute)
		st.Pagers[1].Error, st.Pagers[1].Pending = "slack answered 429 Too Many Requests; the next try is at 11:14", 2
	}
	return st
}

func (p *player) Normal(category string, from, to time.Time, step time.Duration) (list []detect.Band) {
	rate := map[string]float64{"": 6, "login": 0.8, "signup": 0.4, "payment": 0.9, "bug": 1.4, "slow": 0.3}[category]
	if !p.stage.mail {
		return nil
	}
	if rate == 0 {
		rate = 0.5
	}
	for at := from; at.Before(to); at = at.Add(step) {
		day := 0.3
		if h := at.Hour(); h >= 7 && h < 19 {
			day = 1.4
		}
		if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
			day *= 0.3
		}
		e := rate * day * step.Hours()
		list = append(list, detect.Band{From: at, To: at.Add(step), Expected: e, Low: max(0, e-1.6*sqrt(e)), High: e + 1.6*sqrt(e) + 0.5})
	}
	return list
}

func sqrt(v float64) float64 {
	z := v/2 + 0.1
	for range 20 {
		z = (z + v/z) / 2
	}
	return z
}

var people = []string{"Anna Keller", "Bert de Groot", "Chiara Rossi", "David Okafor", "Élodie Martin", "Farid Haddad", "Greta Lindqvist", "Hiro Tanaka", "Ines Carvalho", "Jan Nowak", "Kim Larsen", "Leïla Benali", "Mateo García", "", "Nora Byrne", "Oluwaseun Adeyemi-Featherstonehaugh"}

var usual = []struct{ kind, subject, body string }{
	{"login", "Password reset needed", "Hello, I forgot which address I signed up with. Can you help me log in?"},
	{"signup", "Question about the sign-up", "I tried to register my team and the form said the workspace name was taken."},
	{"payment", "Card was declined", "My card was declined although the bank says everything is fine. Could you look at invoice 20417?"},
	{"billing", "Invoice for October", "Could you please send the invoice for October to our accounting? Thanks."},
	{"bug", "Export misses a column", "The CSV export leaves out the last column since last week. Steps: open the report, press export."},
	{"slow", "Dashboard takes ages", "The dashboard takes over a minute to load this morning, is something going on?"},
	{"question", "How do I share a report?", "Is there a way to share a report with somebody who has no account?"},
	{"feature", "Dark mode, please", "Any plans for a dark mode? Our night shift would love it."},
	{"praise", "Thank you!", "Just wanted to say thank you, the new export is a joy."},
	{"other", "Re: yesterday", "See below, as discussed on the phone."},
}

var surging = []struct{ kind, subject, body string }{
	{"login", "I can't log in any more", "Since this morning I can't log in any more. It says \"invalid token\" and throws me out again. I tried two browsers."},
	{"login", "Login broken", "Login does not work: after the password the page just reloads. We are ten people here and nobody can work."},
	{"login", "Logged out and cannot get back in", "The app logged me out and I cannot log in again, the error is invalid token."},
	{"signup", "Sign-up fails", "Signing up fails with an error after the confirmation mail: session could not be created."},
	{"login", "invalid token???", "I can't log in. Error: invalid token. Please help, we have a demo at noon."},
}

func (g stage) open(t testing.TB) *Server {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "tocsin.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	now := func() time.Time { return sceneNow }
	if g.mail {
		g.fill(t, s)
	}
	w := &player{fake: fake{store: s}, stage: g, now: sceneNow}
	access := Access{}
	if g.users {
		access.Users = map[string]string{"anna": cheapHash("correct horse")}
	}
	srv, err := New(Options{Store: s, Worker: w, Taxonomy: classify.DefaultTaxonomy(), Location: time.UTC, Log: slog.New(slog.DiscardHandler), Now: now,
		Digest: digest.Options{Store: s, Taxonomy: classify.DefaultTaxonomy(), Location: time.UTC, WeekStart: time.Monday, Now: now, PublicURL: "https://tocsin.example.com", Source: "support@example.com", Normal: w.Normal},
		Access: access, Version: "1.0.0", Watch: []string{"jsonwebtoken"},
		Facts: [][2]string{{"Configuration", "/etc/tocsin/tocsin.toml"}, {"Time zone", "Europe/Berlin"}, {"False alarms you bear", "1 per 30 days"}, {"Texts are kept", "90 days"}, {"Mailbox support", "support@example.com on imap.example.com"}, {"Pager oncall", "pagerduty"}}})
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

func (g stage) fill(t testing.TB, s *store.Store) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(7, 7))
	uid := uint32(0)
	var batch []store.Entry
	add := func(id string, at time.Time, kind, subject, body string) *store.Entry {
		uid++
		name := people[r.IntN(len(people))]
		addr := fmt.Sprintf("%s%d@%s", strings.ToLower(strings.SplitN(url.PathEscape(name+"x"), "%", 2)[0]), uid%97, []string{"example.com", "example.org", "mail.example.net"}[r.IntN(3)])
		k, _ := classify.DefaultTaxonomy().Find(kind)
		batch = append(batch, store.Entry{Message: mailbox.Message{ID: id, Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uid, Received: at, MessageID: id + "@example.com",
			From: mailbox.Address{Name: name, Addr: addr}, Subject: subject, Text: body + "\n\nBest regards\n" + name + "\n\n> On Monday Support wrote:\n> Hello", Reply: body},
			Verdict: classify.Verdict{Category: kind, Confidence: 0.93, Complaint: k.Rings == classify.RingsPage || k.Rings == classify.RingsHigh, Language: "en"}})
		return &batch[len(batch)-1]
	}
	n := 0
	for at := sceneNow.AddDate(0, 0, -30); at.Before(sceneNow); at = at.Add(time.Duration(4+r.IntN(50)) * time.Minute) {
		if h := at.Hour(); (h < 7 || h > 19) && r.IntN(4) > 0 {
			continue
		}
		u := usual[r.IntN(len(usual))]
		e := add(fmt.Sprint("usual", n), at, u.kind, u.subject, u.body)
		if u.kind == "other" {
			e.Verdict.Confidence = 0.31
		}
		n++
	}
	d := []detect.Deployment{
		{ID: "d0", Service: "web", Version: "2.4.0", Environment: "production", At: sceneNow.Add(-92 * time.Minute), Actor: "anna", Commit: "3f2c81d07a9b4e5f", Source: "github", Link: "https://github.com/acme/web",
			Changes: []detect.PackageChange{{Name: "jsonwebtoken", Ecosystem: "npm", From: []string{"9.0.2"}, To: []string{"8.5.1"}, Kind: "downgraded", Direct: true},
				{Name: "express", Ecosystem: "npm", From: []string{"4.21.1"}, To: []string{"5.0.1"}, Kind: "major", Direct: true}, {Name: "lodash.isplainobject", Ecosystem: "npm", To: []string{"4.0.6"}, Kind: "added"},
				{Name: "@types/node", Ecosystem: "npm", From: []string{"22.9.0"}, To: []string{"22.10.0"}, Kind: "upgraded", Dev: true}, {Name: "left-pad", Ecosystem: "npm", From: []string{"1.3.0"}, Kind: "removed"}}},
		{ID: "d1", Service: "billing-service-with-a-long-name", Version: "2026.11.23-rc4+build.20261123.4471", At: sceneNow.Add(-20 * time.Hour), Environment: "production", Source: "gitlab"},
		{ID: "d2", Service: "web", Version: "2.3.9", At: sceneNow.Add(-50 * time.Hour), Environment: "production", Failed: true},
		{ID: "d3", Service: "web", Version: "2.3.8", At: sceneNow.Add(-74 * time.Hour), Environment: "production", Rollback: true, Actor: "bert"},
	}
	for i := len(d) - 1; i >= 0; i-- {
		_, _, err := s.AddDeployment(d[i], nil)
		check(err)
	}
	if g.surge || g.resolved {
		for i := range 150 {
			at := sceneNow.Add(-87*time.Minute + time.Duration(i*i/265)*time.Minute + time.Duration(r.IntN(60))*time.Second)
			if g.resolved {
				at = at.Add(-26 * time.Hour)
			}
			u := surging[r.IntN(len(surging))]
			e := add(fmt.Sprint("login", i), at, u.kind, u.subject, u.body)
			e.Verdict.Evidence = []classify.Evidence{{Phrase: "can't log in", Weight: 3.1}, {Phrase: "invalid token", Weight: 1.4}}
		}
		add("odd0", sceneNow.Add(-4*time.Minute), "login", strings.Repeat("LOGIN-KAPUTT", 40), strings.Repeat("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 30))
		add("odd1", sceneNow.Add(-3*time.Minute), "login", "لا أستطيع تسجيل الدخول إلى حسابي منذ هذا الصباح", "مرحبا، لا أستطيع تسجيل الدخول إلى حسابي منذ هذا الصباح. الرجاء المساعدة.")
		a := add("auto1", sceneNow.Add(-150*time.Second), "other", "Out of office: Re: your ticket", "I am away until Monday.")
		a.Automated, a.Sign = "auto-reply", "Auto-Submitted: auto-replied"
		a.Defects = []string{"a header line without a colon", "unknown charset x-mac-icelandic"}
		add("odd2", sceneNow.Add(-2*time.Minute), "signup", "", "Sign up is broken").Problem = "the text could not be decoded"
	}
	_, err := s.Append(batch, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uid})
	check(err)
	mark, err := s.Last()
	check(err)
	start := sceneNow.Add(-87 * time.Minute)
	if g.resolved {
		start = start.Add(-26 * time.Hour)
	}
	paged := start.Add(3 * time.Minute)
	why := detect.Reason{Complaints: 3, Customers: 3, Expected: 0.1, Window: 3 * time.Minute, FirstComplaint: start, FirstMessage: "login0", Messages: []string{"login0", "login1", "login2"}, Organisations: 3, Categories: []string{"login"}}
	grown := why
	grown.Complaints, grown.Customers, grown.Expected, grown.Window, grown.Organisations, grown.Categories = 150, 137, 2.9, 85*time.Minute, 96, []string{"login", "signup"}
	i := detect.Incident{ID: "access-1", Kind: "surge", Level: detect.Paging, State: detect.Open, Categories: []string{"login", "signup"}, Group: "access", StartedAt: start, DetectedAt: paged, Reason: why, Now: grown,
		Suspect: &detect.Suspect{Deployment: d[0], Probability: 0.93, Lead: 5 * time.Minute, Why: "the complaints began 5 min after it, and nothing else was deployed that day"}}
	changes := []detect.Change{{Kind: detect.Opened, At: paged, Incident: i}, {Kind: detect.Suspected, At: paged.Add(time.Second), Incident: i, Deployment: "d0"}, {Kind: detect.Grew, At: paged.Add(9 * time.Minute), Incident: i}}
	if g.acked || g.resolved {
		i.State, i.AcknowledgedAt, i.AcknowledgedBy = detect.Acknowledged, paged.Add(4*time.Minute), "anna"
		changes = append(changes, detect.Change{Kind: detect.DidAcknowledge, At: i.AcknowledgedAt, Incident: i, Who: "anna"},
			detect.Change{Kind: detect.DidNote, At: paged.Add(20 * time.Minute), Incident: i, Who: "anna", Note: "Reproduced. The session cookie is signed with the old algorithm; rolling back to 2.3.8 now."})
	}
	if g.resolved {
		i.Suspect.Deployment.At = start.Add(-5 * time.Minute)
		i.State, i.ResolvedAt = detect.Resolved, start.Add(95*time.Minute)
		changes = append(changes, detect.Change{Kind: detect.RolledBack, At: start.Add(70 * time.Minute), Incident: i, Deployment: "d3"}, detect.Change{Kind: detect.Calmed, At: start.Add(88 * time.Minute), Incident: i}, detect.Change{Kind: detect.DidResolve, At: i.ResolvedAt, Incident: i})
		f := i
		f.ID, f.Categories, f.FalseAlarm, f.Suspect, f.ResolvedBy = "false-1", []string{"payment"}, true, nil, "bert"
		f.StartedAt, f.DetectedAt, f.ResolvedAt = start.AddDate(0, 0, -6), paged.AddDate(0, 0, -6), start.AddDate(0, 0, -6).Add(30*time.Minute)
		f.Now = f.Reason
		changes = append(changes, detect.Change{Kind: detect.Opened, At: f.DetectedAt, Incident: f}, detect.Change{Kind: detect.DidDismiss, At: f.ResolvedAt, Incident: f, Who: "bert", Note: "our own newsletter"})
	}
	if !g.surge && !g.resolved {
		changes = nil
	}
	if g.warning {
		w := detect.Incident{ID: "slow-1", Kind: "surge", Level: detect.Warning, State: detect.Open, Categories: []string{"slow"}, StartedAt: sceneNow.Add(-50 * time.Minute), DetectedAt: sceneNow.Add(-30 * time.Minute),
			Reason: detect.Reason{Complaints: 4, Customers: 4, Expected: 0.6, Window: 20 * time.Minute}, Now: detect.Reason{Complaints: 5, Customers: 4, Expected: 0.6, Window: 20 * time.Minute}}
		changes = append(changes, detect.Change{Kind: detect.Warned, At: w.DetectedAt, Incident: w})
	}
	if g.blind {
		text := "mailbox \"support\" was not read for 14 min: connect to imap.example.com:993: connection refused"
		b := detect.Incident{ID: "blind-1", Kind: "blind", Key: "support", Level: detect.Paging, State: detect.Open, StartedAt: sceneNow.Add(-14 * time.Minute), DetectedAt: sceneNow.Add(-4 * time.Minute), Reason: detect.Reason{Text: text}, Now: detect.Reason{Text: text}}
		changes = append(changes, detect.Change{Kind: detect.Opened, At: b.DetectedAt, Incident: b})
	}
	var pages []store.Delivery
	if g.surge || g.resolved {
		pages = []store.Delivery{{Incident: "access-1", Change: detect.Opened, Pager: "oncall", Due: paged}, {Incident: "access-1", Change: detect.Grew, Pager: "slack-support-incidents", Due: paged.Add(9 * time.Minute), Error: "slack answered 429 Too Many Requests", Attempts: 4}}
	}
	check(s.Record("detector", mark, changes, pages))
	if box, _ := s.Outbox("oncall"); len(box) > 0 {
		box[0].State, box[0].DoneAt = store.Delivered, paged.Add(2*time.Second)
		check(s.Settle(box[0]))
	}
	if g.outcomes {
		var o []detect.Outcome
		for at := sceneNow.Add(-24 * time.Hour); at.Before(sceneNow); at = at.Add(time.Minute) {
			x := detect.Outcome{At: at, Service: "web", Action: "login", Succeeded: 19 + r.IntN(4), Failed: r.IntN(2)}
			if at.After(start.Add(-5 * time.Minute)) {
				x.Succeeded, x.Failed = 6+r.IntN(3), 14+r.IntN(4)
			}
			o = append(o, x)
		}
		_, err := s.AddOutcomes(o)
		check(err)
	}
}

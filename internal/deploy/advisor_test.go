package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// registries speak npm's registry, Go's module proxy and OSV, each under a path
// of its own.
func registries(t *testing.T) (*httptest.Server, *atomic.Bool) {
	t.Helper()
	var down atomic.Bool
	mux := http.NewServeMux()
	text := func(path, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
	}
	text("/npm/jsonwebtoken", `{"name":"jsonwebtoken","dist-tags":{"latest":"9.0.2"},"time":{"created":"2013-01-01T00:00:00.000Z","8.5.1":"2019-03-18T12:00:00.000Z","9.0.2":"2023-08-30T12:00:00.000Z"},
		"versions":{"8.5.1":{},"9.0.2":{}}}`)
	text("/proxy/github.com/!acme/jwt/@latest", `{"Version":"v1.4.0","Time":"2026-03-01T00:00:00Z"}`)
	text("/proxy/github.com/!acme/jwt/@v/v1.2.0.info", `{"Version":"v1.2.0","Time":"2024-02-01T00:00:00Z"}`)
	text("/osv/v1/vulns/GHSA-8cf7-32gw-wr33", `{"id":"GHSA-8cf7-32gw-wr33","summary":"unrestricted key type"}`)
	mux.HandleFunc("POST /osv/v1/querybatch", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Queries []osvQuery }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		var results []string
		for _, q := range q.Queries {
			switch {
			case q.Package.Ecosystem == "npm" && q.Package.Name == "jsonwebtoken" && q.Version == "8.5.1" && q.Token == "":
				results = append(results, `{"vulns":[{"id":"GHSA-8cf7-32gw-wr33","modified":"2023-01-01T00:00:00Z"}],"next_page_token":"two"}`)
			case q.Token == "two":
				results = append(results, `{"vulns":[{"id":"GHSA-qwph-4952-7xr6"}]}`)
			case q.Package.Ecosystem == "Go" && strings.HasPrefix(q.Version, "v"):
				t.Errorf("OSV is asked for Go version %s", q.Version)
				fallthrough
			default:
				results = append(results, `{}`)
			}
		}
		fmt.Fprintf(w, `{"results":[%s]}`, strings.Join(results, ","))
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		// The mux would clean the escaped slash of a scoped name.
		if r.URL.EscapedPath() == "/npm/@scope%2Fauth" {
			io.WriteString(w, `{"dist-tags":{"latest":"1.0.0"},"time":{"1.0.0":"2020-01-01T00:00:00.000Z"},"versions":{"1.0.0":{"deprecated":"use @scope/auth2"}}}`)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv, &down
}

func newAdvisor(base string) *Advisor {
	a := &Advisor{Watch: []string{"jsonwebtoken", "@scope/auth", "github.com/Acme/jwt", "django"}, OldAfter: 365 * 24 * time.Hour, Now: func() time.Time { return now }}
	if base != "" {
		a.NPM, a.GoProxy, a.OSV = base+"/npm/", base+"/proxy", base+"/osv"
	}
	return a
}

func say(found []Finding) string {
	var list []string
	for _, f := range found {
		list = append(list, f.Kind+": "+f.String())
	}
	return strings.Join(list, "\n")
}

// TestWhatIsWrongWithCorePackages, by those who know and by what time tells.
func TestWhatIsWrongWithCorePackages(t *testing.T) {
	srv, _ := registries(t)
	core := []detect.Package{{Name: "jsonwebtoken", Version: "8.5.1", Ecosystem: "npm"}, {Name: "jsonwebtoken", Version: "9.0.2", Ecosystem: "npm"}, {Name: "@scope/auth", Version: "1.0.0", Ecosystem: "npm"},
		{Name: "github.com/Acme/jwt", Version: "v1.2.0", Ecosystem: "Go"}, {Name: "django", Version: "3.0", Ecosystem: "PyPI"}, {Name: "left-pad", Version: "0.0.1", Ecosystem: "npm"}}
	changes := []detect.PackageChange{{Name: "jsonwebtoken", Kind: "downgraded", From: []string{"9.0.2"}, To: []string{"8.5.1"}}, {Name: "left-pad", Kind: "downgraded"}}
	since := func(p detect.Package) time.Time {
		if p.Name == "django" {
			return now.AddDate(-2, 0, 0)
		}
		return now.AddDate(0, 0, -3)
	}
	found, err := newAdvisor(srv.URL).Check(t.Context(), core, changes, since)
	if err != nil {
		t.Fatal(err)
	}
	want := `deprecated: @scope/auth 1.0.0 is deprecated: use @scope/auth2
old: django 3.0 has not changed since 2024-11-24
outdated: github.com/Acme/jwt v1.2.0 is of 2024-02-01; v1.4.0 is out since 2026-03-01
downgraded: jsonwebtoken 8.5.1 was 9.0.2 before: it was downgraded
outdated: jsonwebtoken 8.5.1 is of 2019-03-18; 9.0.2 is out since 2023-08-30
vulnerable: jsonwebtoken 8.5.1 has known vulnerabilities: GHSA-8cf7-32gw-wr33 (unrestricted key type), GHSA-qwph-4952-7xr6`
	if got := say(found); got != want {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
	found, err = newAdvisor("").Check(t.Context(), core, changes, func(detect.Package) time.Time { return now.AddDate(-2, 0, 0) })
	if got := say(found); err != nil || strings.Count(got, "old: ") != 5 || !strings.Contains(got, "downgraded: jsonwebtoken 8.5.1") || len(found) != 6 {
		t.Errorf("without the network: %v\n%s", err, got)
	}
}

// TestARegistryThatMisbehaves ends nothing: the error says who, and what is
// known otherwise is found.
func TestARegistryThatMisbehaves(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"down":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"a page of HTML": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"another host": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"too few answers": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"results":[]}`) },
		"pages without an end": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"results":[{"next_page_token":"x"}]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(h)
			defer srv.Close()
			found, err := newAdvisor(srv.URL).Check(t.Context(), []detect.Package{{Name: "jsonwebtoken", Version: "8.5.1", Ecosystem: "npm"}},
				[]detect.PackageChange{{Name: "jsonwebtoken", Kind: "downgraded", To: []string{"8.5.1"}}}, nil)
			if len(found) < 1 || found[0].Kind != Downgraded || err == nil && name != "pages without an end" && name != "too few answers" {
				t.Errorf("found %v, %v", found, err)
			}
		})
	}
}

// TestADeploymentWithABadPackageIsAlerted at once, when the registry is back if
// it was not there, once, and until a deployment mends it.
func TestADeploymentWithABadPackageIsAlerted(t *testing.T) {
	srv, down := registries(t)
	r := recorder(t)
	w := NewPackageWatch(r.Store, newAdvisor(srv.URL), slog.New(slog.DiscardHandler), nil)
	w.Retry = time.Millisecond
	w.Tries = 1000
	r.Then = func(detect.Deployment) { w.Nudge() }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	// The first mark is stored before anything is deployed.
	mark := func() store.SeqNo {
		m, err := r.Store.Mark(packageReader)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	wait := func(seq store.SeqNo) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); mark() < seq; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("it was never looked at")
			}
		}
	}
	last := func() store.SeqNo {
		n, err := r.Store.Last()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	at := now
	deploy := func(version, jwt string) {
		t.Helper()
		_, added, err := r.Record(t.Context(), Request{detect.Deployment{Service: "web", Version: version, At: at}, []detect.Package{{Name: "jsonwebtoken", Version: jwt, Ecosystem: "npm"}}})
		if err != nil || !added {
			t.Fatal(added, err)
		}
		at = at.Add(time.Hour)
	}
	if _, err := r.Store.AddGap(detect.Gap{}); err != nil { // so that there is something before
		t.Fatal(err)
	}
	down.Store(true)
	deploy("2.4.0", "8.5.1")
	seq := last()
	down.Store(false)
	wait(seq)
	if got := troubles(t, r.Store); got != "outdated vulnerable" {
		t.Errorf("troubles are %q", got)
	}
	deploy("2.4.1", "8.5.1")
	wait(last())
	deploy("2.4.2", "9.0.2")
	wait(last())
	if got := troubles(t, r.Store); got != "" {
		t.Errorf("after it was mended: %q", got)
	}
}

// troubles are the kinds of those that are open, by folding the log as the
// worker does.
func troubles(t *testing.T, s *store.Store) string {
	t.Helper()
	d := detect.New(detect.Options{})
	if _, err := s.Since(0, 0, func(e store.Event) error {
		if e.Trouble != nil {
			for _, c := range d.Trouble(*e.Trouble) {
				if err := s.Record("test", 0, []detect.Change{c}, nil); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, i := range d.Incidents() {
		if i.State != detect.Resolved {
			kinds = append(kinds, i.Key[strings.LastIndex(i.Key, "/")+1:])
		}
	}
	return strings.Join(kinds, " ")
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tocsin/internal/imaptest"
)

// TestPageTestRingsEachOnceAndSaysSo: every pager by its own protocol, marked as
// a test; without the flag nobody is rung; one that refuses is named.
func TestPageTestRingsEachOnceAndSaysSo(t *testing.T) {
	d := imaptest.StartDovecot(t)
	var mu sync.Mutex
	got := map[string]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got[r.URL.Path] += string(body)
		mu.Unlock()
		if r.URL.Path == "/gone" {
			http.Error(w, "no such channel", http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer srv.Close()
	pagers := map[string]string{
		"/v2/enqueue":    "[pager.pd]\ntype = \"pagerduty\"\nkey = \"k\"\nurl = %q\n",
		"/v2/alerts":     "[pager.jsm]\ntype = \"jsm\"\nkey = \"k\"\nurl = %q\n",
		"/api/v2/alerts": "[pager.am]\ntype = \"alertmanager\"\nurl = %q\n",
		"/slack":         "[pager.slack]\ntype = \"slack\"\nurl = \"%s/slack\"\n",
		"/teams":         "[pager.teams]\ntype = \"teams\"\nurl = \"%s/teams\"\n",
		"/":              "[pager.ntfy]\ntype = \"ntfy\"\ntopic = \"t\"\nurl = %q\n",
		"/hook":          "[pager.hook]\ntype = \"webhook\"\nkey = \"k\"\nurl = \"%s/hook\"\n",
	}
	text := fmt.Sprintf("data = \"t.db\"\n[web]\nlisten = \"127.0.0.1:0\"\n[mailbox.support]\nhost = \"localhost\"\nport = %d\nca_file = %q\nusername = %q\npassword = %q\n", d.TLSPort, d.CAFile, d.Username, d.Password)
	for _, p := range pagers {
		text += fmt.Sprintf(p, srv.URL)
	}
	run := func(text string, args ...string) (string, int) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		p := &program{In: strings.NewReader(""), Out: &out, Err: &errs}
		code := p.Run(t.Context(), append([]string{"check", "--config", file}, args...))
		return out.String() + errs.String(), code
	}
	if out, code := run(text); code != 0 || len(got) != 0 {
		t.Errorf("without the flag: %d, rung %v\n%s", code, got, out)
	}
	out, code := run(text, "--page-test")
	if code != 0 || strings.Count(out, "took the test page") != len(pagers) {
		t.Errorf("with it: %d\n%s", code, out)
	}
	for path := range pagers {
		if strings.Count(got[path], "TEST: this is a test page") != 1 && strings.Count(got[path], "TEST: nobody complains") < 1 {
			t.Errorf("%s got %q", path, got[path])
		}
	}
	for path, want := range map[string]string{"/v2/enqueue": `"event_action":"resolve"`, "/api/v2/alerts": "the test page is over"} {
		if !strings.Contains(got[path], want) {
			t.Errorf("the test page of %s stays open: %q", path, got[path])
		}
	}
	closed := 0
	for path, body := range got {
		if strings.HasPrefix(path, "/v2/alerts/tocsin-test-") && strings.HasSuffix(path, "/close") && strings.Contains(body, "TEST") {
			closed++
		}
	}
	if closed != 1 {
		t.Errorf("the test alert of jsm was closed %d times", closed)
	}
	if !strings.Contains(out, "no pager takes warnings") {
		t.Errorf("it does not say that nobody hears warnings:\n%s", out)
	}
	if out, _ := run(text + fmt.Sprintf("[pager.chat]\ntype = \"slack\"\nlevel = \"warning\"\nurl = \"%s/slack\"\n", srv.URL)); strings.Contains(out, "no pager takes warnings") {
		t.Errorf("somebody hears warnings:\n%s", out)
	}
	out, code = run(text+fmt.Sprintf("[pager.gone]\ntype = \"slack\"\nurl = \"%s/gone\"\n", srv.URL), "--page-test")
	if code == 0 || !strings.Contains(out, "no such channel") || !strings.Contains(out, "pager.gone") || strings.Contains(out, srv.URL+"/gone") {
		t.Errorf("one that is gone: %d\n%s", code, out)
	}
}

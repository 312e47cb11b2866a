package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/detect"
)

// brokenReceiver is a pager in trouble: it answers as its mode says, and keeps
// what it took in its order.
type brokenReceiver struct {
	addr string
	mu   sync.Mutex
	mode string // "500", "429", "hang", or "" when it works
	took []taken
	came map[string]int // requests by mode
}

type taken struct{ id, key, kind string }

// newBrokenReceiver has an address at which nobody listens yet.
func newBrokenReceiver(t *testing.T) *brokenReceiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &brokenReceiver{addr: l.Addr().String(), came: map[string]int{}}
}

func (r *brokenReceiver) listen(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: r}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

func (r *brokenReceiver) set(mode string) {
	r.mu.Lock()
	r.mode = mode
	r.mu.Unlock()
}

func (r *brokenReceiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	var m struct {
		Type string `json:"type"`
		Data struct {
			DedupKey string `json:"dedup_key"`
		} `json:"data"`
	}
	r.mu.Lock()
	mode := r.mode
	r.came[mode]++
	if mode == "" && err == nil && json.Unmarshal(body, &m) == nil {
		r.took = append(r.took, taken{q.Header.Get("webhook-id"), m.Data.DedupKey, m.Type})
	}
	r.mu.Unlock()
	switch mode {
	case "500":
		w.WriteHeader(http.StatusInternalServerError)
	case "429":
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case "hang":
		<-q.Context().Done()
	}
}

// story is what it took of each incident, a repeat under the same id once; bad
// is what must not be.
func (r *brokenReceiver) story() (byKey map[string]string, bad []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	byKey, kinds := map[string]string{}, map[string]taken{}
	for _, x := range r.took {
		if before, again := kinds[x.id]; again {
			if before != x {
				bad = append(bad, fmt.Sprintf("%v came again as %v", before, x))
			}
			continue
		}
		kinds[x.id] = x
		byKey[x.key] = strings.TrimSpace(byKey[x.key] + " " + strings.TrimPrefix(x.kind, "incident."))
	}
	return byKey, bad
}

// attempts are the outcomes of a service, a minute each, the first so many
// minutes ago.
func attempts(service string, ago, n, succeeded, failed int) (list []map[string]any) {
	begin := time.Now().Truncate(time.Minute).Add(-time.Duration(ago) * time.Minute)
	for i := range n {
		list = append(list, map[string]any{"service": service, "action": "login", "time": begin.Add(time.Duration(i) * time.Minute).Format(time.RFC3339), "succeeded": succeeded, "failed": failed})
	}
	return list
}

// TestEveryPageArrivesThroughAnyOutage runs the built program with a pager that
// is not there, then answers 500, then 429 with Retry-After, then hangs. Twenty
// times an incident opens and the program is killed before its page is out;
// every incident has ended by the time the pager works. In the end each was
// told from its begin to its end, in order, and repeats came under their id.
func TestEveryPageArrivesThroughAnyOutage(t *testing.T) {
	const rounds = 20
	bin, dir, r := build(t), t.TempDir(), newBrokenReceiver(t)
	file, data := filepath.Join(dir, "tocsin.toml"), filepath.Join(dir, "tocsin.db")
	config := fmt.Sprintf(`
data = "tocsin.db"
[web]
listen = "127.0.0.1:0"
[mailbox.support]
host = "127.0.0.1"
port = 1
tls = "none"
username = "support"
password = "x"
[pager.hook]
type = "webhook"
url = "http://%s/"
`, r.addr)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, bin, file)
	running := func() *control {
		t.Helper()
		var c *control
		eventually(t, p, "the start", func() bool {
			var err error
			if c, err = readControl(data); err != nil || c.PID != p.cmd.Process.Pid {
				return false
			}
			_, err = c.client().Status(context.Background())
			return err == nil
		})
		return c
	}
	post := func(list []map[string]any) {
		t.Helper()
		body, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		c := running()
		q, _ := http.NewRequest(http.MethodPost, c.URL+"/api/v1/outcomes", bytes.NewReader(body))
		q.Header.Set("Authorization", "Bearer "+c.Token)
		resp, err := http.DefaultClient.Do(q)
		if err != nil || resp.StatusCode != http.StatusAccepted {
			t.Fatalf("outcomes: %+v, %v", resp, err)
		}
		resp.Body.Close()
	}
	state := func(service string) (id string, state detect.State) {
		list, err := running().client().Incidents(context.Background(), time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			if i.Key == service+"/login" {
				return i.ID, i.State
			}
		}
		return "", ""
	}
	again := func() {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		p.cmd.Wait()
		p = start(t, bin, file)
	}
	ids := map[string]bool{}
	for n := range rounds {
		switch n {
		case 5:
			r.set("500")
			r.listen(t)
		case 9:
			r.set("429")
		case 13:
			r.set("hang")
		case 18:
			r.set("") // the last ones race with the kill
		}
		service := fmt.Sprintf("svc%d", n)
		post(append(attempts(service, 150, 90, 60, 0), attempts(service, 55, 3, 20, 40)...))
		var id string
		if n < 18 {
			eventually(t, p, "the incident", func() bool { id, _ = state(service); return id != "" })
		}
		again()
		if after, s := state(service); n < 18 && (after != id || s != detect.Open) {
			t.Fatalf("round %d: the incident was %s, and is %s (%s) after the kill", n, id, after, s)
		}
		post(attempts(service, 52, 20, 60, 0))
		eventually(t, p, "the end of the incident", func() bool {
			id, s := state(service)
			if s == detect.Resolved {
				ids[id] = true
			}
			return s == detect.Resolved
		})
	}
	eventually(t, p, "an empty outbox", func() bool { return pending(t, data) == 0 })
	story, bad := r.story()
	for id := range ids {
		if got := story["tocsin/incident/"+id]; got != "opened resolved" {
			t.Errorf("of incident %s the pager was told %q", id, got)
		}
	}
	if len(bad) > 0 || len(ids) != rounds {
		t.Errorf("%d incidents, want %d; %v", len(ids), rounds, bad)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, mode := range []string{"500", "429", "hang"} {
		if r.came[mode] == 0 {
			t.Errorf("nothing was tried while it answered %s", mode)
		}
	}
	t.Logf("%d incidents, %d pages taken, tries in trouble: %v", len(ids), len(r.took), r.came)
}

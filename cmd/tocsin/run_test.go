package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/config"
	"tocsin/internal/demo"
	"tocsin/internal/imaptest"
	"tocsin/internal/page"
)

// build makes the program as a user would.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "tocsin")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// receiver is a webhook pager that counts what it gets and checks who sent it.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	types []string
	keys  map[string]bool
	ids   map[string]int
	text  string
	bad   []string
}

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func newReceiver(t *testing.T) *receiver {
	r := &receiver{keys: map[string]bool{}, ids: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		var m struct {
			Type string `json:"type"`
			Data struct {
				DedupKey string `json:"dedup_key"`
				Sentence string `json:"sentence"`
			} `json:"data"`
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		id := q.Header.Get("webhook-id")
		if want := page.Sign(hookSecret, id, q.Header.Get("webhook-timestamp"), body); q.Header.Get("webhook-signature") != want {
			r.bad = append(r.bad, "the signature is wrong")
		}
		if err := json.Unmarshal(body, &m); err != nil || m.Data.DedupKey == "" {
			r.bad = append(r.bad, fmt.Sprintf("the body is not a page: %v %s", err, body))
		}
		r.types, r.keys[m.Data.DedupKey] = append(r.types, m.Type), true
		r.ids[id]++
		if r.text == "" {
			r.text = string(body)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count(kind string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, k := range r.types {
		if k == kind {
			n++
		}
	}
	return n
}

// process is a running "tocsin run".
type process struct {
	cmd *exec.Cmd
	log *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func start(t *testing.T, bin, file string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(bin, "run", "--config", file), log: &safeBuffer{}}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	return p
}

// eventually waits for what must come to be; the limit is only there for when
// it does not.
func eventually(t *testing.T, p *process, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(2 * time.Minute)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen; the log:\n%s", what, p.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestFromTheInboxToThePageAndBackAfterACrash drives the built program against
// a real server over TLS: history, a deployment, a surge among 300 mails, one
// page, kill -9, and the same incident afterwards.
func TestFromTheInboxToThePageAndBackAfterACrash(t *testing.T) {
	d := imaptest.StartDovecot(t)
	r := newReceiver(t)
	bin := build(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "tocsin.toml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("imap-password", d.Password+"\n")
	write("tocsin.toml", fmt.Sprintf(`
data = "tocsin.db"
log = "info"
[web]
listen = "127.0.0.1:0"
[mailbox.support]
host = "localhost"
port = %d
ca_file = %q
username = %q
password_file = "imap-password"
poll = "5s"
[pager.hook]
type = "webhook"
url = %q
key = %q
`, d.TLSPort, d.CAFile, d.Username, r.URL, hookSecret))

	now := time.Now()
	story := demo.New(now)
	shift := now.Add(-2 * time.Minute).Sub(story.Begin)
	for _, m := range story.Past {
		d.Deliver("INBOX", string(m.Raw), m.At.Add(shift))
	}
	p := start(t, bin, file)
	data := filepath.Join(dir, "tocsin.db")
	messages := func() int64 {
		c, err := readControl(data)
		if err != nil {
			return -1
		}
		st, err := c.client().Status(context.Background())
		if err != nil || len(st.Folders) == 0 || st.Folders[0].LastRead.IsZero() {
			return -1
		}
		return st.Store.Messages
	}
	eventually(t, p, "reading the history", func() bool { return messages() == int64(len(story.Past)) })
	if r.count("incident.opened") != 0 {
		t.Error("history rang")
	}

	tocsin := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Env = append(os.Environ(), "TOCSIN_URL=", "TOCSIN_TOKEN=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tocsin %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	// Lockfiles that npm wrote, in which much else changed, too.
	real := func(dir string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join("..", "..", "internal", "deploy", "testdata", "real", dir, "package-lock.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	write("package-lock.json", real("npm3"))
	lock := filepath.Join(dir, "package-lock.json")
	tocsin("deploy", "--config", file, "--service", "web", "--version", "2.3.9", "--lockfile", lock, "--time", now.AddDate(0, 0, -4).Format(time.RFC3339))
	write("package-lock.json", real("npm3-after"))
	if out := tocsin("deploy", "--config", file, "--service", "web", "--version", "2.4.0", "--lockfile", lock, "--time", now.Add(-5*time.Minute).Format(time.RFC3339)); !strings.Contains(out, "jsonwebtoken 9.0.2 -> 8.5.1") {
		t.Errorf("deploy says %q", out)
	}

	// 300 mails while it runs: the morning's, and ordinary ones.
	mails := story.Morning
	mails = append(mails, demo.New(now.AddDate(0, 0, 40)).Past[:300-len(mails)]...)
	for _, m := range mails {
		d.Deliver("INBOX", string(m.Raw), time.Time{})
	}
	all := int64(len(story.Past) + len(mails))
	before := d.Flags("INBOX")
	eventually(t, p, "reading 300 mails", func() bool { return messages() == all })
	eventually(t, p, "the page", func() bool { return r.count("incident.opened") == 1 })
	eventually(t, p, "the last page", func() bool { return pending(t, data) == 0 })

	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.cmd.Wait()
	p = start(t, bin, file)
	d.Deliver("INBOX", "From: b@example.com\r\nSubject: Thanks\r\nMessage-ID: <after@example.com>\r\n\r\nThank you, all is well.\r\n", time.Time{})
	eventually(t, p, "the mail after the crash", func() bool { return messages() == all+1 })
	eventually(t, p, "an empty outbox", func() bool { return pending(t, data) == 0 })

	r.mu.Lock()
	if len(r.keys) != 1 || len(r.bad) > 0 {
		t.Errorf("pages under %d keys, faults: %v", len(r.keys), r.bad)
	}
	for id, n := range r.ids {
		if n > 1 && !strings.HasPrefix(id, "msg_") {
			t.Errorf("page %s came %d times", id, n)
		}
	}
	if !strings.Contains(r.text, `"packages":["jsonwebtoken 9.0.2 -> 8.5.1 (downgraded)",`) || !strings.Contains(r.text, `"version":"2.4.0"`) {
		t.Errorf("the page names neither the deployment nor the package:\n%s", r.text)
	}
	r.mu.Unlock()
	if n := r.count("incident.opened"); n != 1 {
		t.Errorf("%d pages opened an incident, want 1: %v\n%s", n, r.types, p.log)
	}
	after := d.Flags("INBOX")
	for name := range before {
		if before[name] != after[name] {
			t.Errorf("the flags of %s were %q and are %q", name, before[name], after[name])
		}
	}
	if len(after) != len(before)+1 {
		t.Errorf("the folder had %d mails and has %d", len(before), len(after))
	}

	// The lists come from the running worker, and from the file once it ended.
	seen := map[string]bool{}
	for line := range strings.Lines(tocsin("messages", "--config", file, "--json", "--limit", "5000", "--since", "400d")) {
		var m struct{ ID string }
		if err := json.Unmarshal([]byte(line), &m); err != nil || seen[m.ID] {
			t.Errorf("message %q: %v, listed before: %v", m.ID, err, seen[m.ID])
		}
		seen[m.ID] = true
	}
	if int64(len(seen)) != all+1 {
		t.Errorf("%d messages are listed, want %d", len(seen), all+1)
	}
	running := tocsin("incidents", "--config", file, "--json")
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil || !strings.Contains(p.log.String(), "tocsin stopped") {
		t.Errorf("SIGTERM: %v\n%s", err, p.log)
	}
	if _, err := os.Stat(controlPath(data)); err == nil {
		t.Error("the control file was left behind")
	}
	// What is normal now, only a running worker knows.
	brief := func(lines string) (list []string) {
		for line := range strings.Lines(lines) {
			var i struct {
				ID, State string
				Now       struct{ Customers, Complaints int }
			}
			if err := json.Unmarshal([]byte(line), &i); err != nil {
				t.Errorf("incidents --json: %v", err)
			}
			list = append(list, fmt.Sprint(i))
		}
		return list
	}
	if stopped := tocsin("incidents", "--config", file, "--json"); !slices.Equal(brief(stopped), brief(running)) || len(brief(stopped)) != 1 {
		t.Errorf("incidents while it ran:\n%sand from the file:\n%s", running, stopped)
	}
	var id string
	for line := range strings.Lines(running) {
		var i struct{ ID string }
		json.Unmarshal([]byte(line), &i)
		id = i.ID
	}
	if out := tocsin("postmortem", id, "--config", file); !strings.Contains(out, "web 2.4.0") || !strings.Contains(out, "On-call paged") {
		t.Errorf("postmortem:\n%s", out)
	}
	if out := tocsin("digest", "--config", file, "--week", weekOf(now)); !strings.Contains(out, "1 incident") {
		t.Errorf("digest:\n%s", out)
	}
	if out := tocsin("deployments", "--config", file); !strings.Contains(out, "2.4.0") || !strings.Contains(out, "jsonwebtoken") {
		t.Errorf("deployments:\n%s", out)
	}
	tocsin("backtest", "--config", file)
}

func weekOf(t time.Time) string {
	y, w := t.UTC().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w)
}

// pending is how many pages wait, by the running worker's own word.
func pending(t *testing.T, data string) int {
	t.Helper()
	c, err := readControl(data)
	if err != nil {
		return -1
	}
	st, err := c.client().Status(context.Background())
	if err != nil {
		return -1
	}
	n := 0
	for _, p := range st.Pagers {
		n += p.Pending
	}
	return n
}

// TestCheckSaysHowToMend gives check what people get wrong, and reads the
// sentence that it answers with.
func TestCheckSaysHowToMend(t *testing.T) {
	d := imaptest.StartDovecot(t)
	d.Create("Done")
	right := map[string]string{
		"host": `host = "localhost"`, "port": fmt.Sprintf("port = %d", d.TLSPort), "ca": fmt.Sprintf("ca_file = %q", d.CAFile),
		"user": fmt.Sprintf("username = %q", d.Username), "password": fmt.Sprintf("password = %q", d.Password), "folder": `folder = "INBOX"`, "more": "",
	}
	run := func(t *testing.T, change map[string]string) (string, int) {
		t.Helper()
		lines := maps.Clone(right)
		maps.Copy(lines, change)
		text := "data = \"t.db\"\n[web]\nlisten = \"127.0.0.1:0\"\n[pager.log]\ntype = \"log\"\n[mailbox.support]\n"
		for _, k := range []string{"host", "port", "ca", "user", "password", "folder", "more"} {
			text += lines[k] + "\n"
		}
		file := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		p := &program{In: strings.NewReader(""), Out: &out, Err: &errs}
		code := p.Run(t.Context(), []string{"check", "--config", file})
		return out.String() + errs.String(), code
	}
	if out, code := run(t, map[string]string{"more": `also = ["Done"]`}); code != 0 || strings.Contains(out, "FAIL") || !strings.Contains(out, "IDLE") {
		t.Errorf("check of what is right: %d\n%s", code, out)
	}
	for name, c := range map[string]struct {
		change map[string]string
		want   []string
	}{
		"an unknown key":       {map[string]string{"more": `fodler = "x"`}, []string{"c.toml:13", "fodler"}},
		"a missing folder":     {map[string]string{"folder": `folder = "Inbox/Support"`}, []string{"c.toml:12", "Inbox/Support", "INBOX", "Done"}},
		"no teaching folder":   {map[string]string{"more": `teach = {login = "Nowhere"}`}, []string{"c.toml:13", "mailbox.support.teach", "Nowhere", "Done"}},
		"an unknown lesson":    {map[string]string{"more": `teach = {lgoin = "Done"}`}, []string{"no category \"lgoin\"", "login, signup"}},
		"a wrong password":     {map[string]string{"password": `password = "wrong"`}, []string{"login refused by localhost", "check username and password"}},
		"an unreachable host":  {map[string]string{"port": "port = 1"}, []string{"localhost", "refused"}},
		"an unknown host":      {map[string]string{"host": `host = "imap.invalid"`}, []string{"imap.invalid"}},
		"an unknown authority": {map[string]string{"ca": ""}, []string{"certificate", "ca_file"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := run(t, c.change)
			if code == 0 {
				t.Errorf("check ended with 0:\n%s", out)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("check does not say %q:\n%s", want, out)
				}
			}
		})
	}
}

// TestMarksOnlyWhereAsked: a keyword by category, on new mail only, and no other
// flag.
func TestMarksOnlyWhereAsked(t *testing.T) {
	d := imaptest.StartDovecot(t)
	old := d.Deliver("INBOX", "From: a@example.com\r\nSubject: Can't log in\r\n\r\nI can't log in.\r\n", time.Now().Add(-time.Hour))
	file := filepath.Join(t.TempDir(), "tocsin.toml")
	text := fmt.Sprintf("data = \"t.db\"\n[web]\nlisten = \"127.0.0.1:0\"\n[mailbox.support]\nhost = \"localhost\"\nport = %d\nca_file = %q\nusername = %q\npassword = %q\nmark = \"tocsin-{category}\"\n",
		d.TLSPort, d.CAFile, d.Username, d.Password)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	log := &safeBuffer{}
	p := &program{In: strings.NewReader(""), Out: io.Discard, Err: log}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.work(ctx, cfg) }()
	end := time.Now().Add(time.Minute)
	wait := func(what string, ok func() bool) {
		t.Helper()
		for !ok() {
			if time.Now().After(end) {
				t.Fatalf("%s did not happen:\n%s", what, log)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	wait("reading history", func() bool {
		c, err := readControl(cfg.Data)
		if err != nil {
			return false
		}
		st, err := c.client().Status(ctx)
		return err == nil && st.Store.Messages == 1 && !st.Folders[0].LastRead.IsZero()
	})
	name := d.Deliver("INBOX", "From: b@example.com\r\nSubject: Locked out\r\n\r\nI can't log in since this morning.\r\n", time.Time{})
	wait("the keyword", func() bool {
		return strings.Contains(d.Doveadm("fetch", "-u", d.Username, "flags", "subject", "Locked out"), "tocsin-login")
	})
	if f := d.Doveadm("fetch", "-u", d.Username, "flags", "subject", "Locked out"); strings.Contains(f, "Seen") {
		t.Errorf("the mail's flags are %s", f)
	}
	if f := d.Flags("INBOX"); f[old] != "" || f[name] == "" {
		t.Errorf("flags: %v", f)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestAFolderTeaches: people move a mail to a folder, and that is a correction,
// which is learned, can be taken back, and is still there after a restart. The
// mail's flags stay as they were.
func TestAFolderTeaches(t *testing.T) {
	bin := build(t)
	d := imaptest.StartDovecot(t)
	d.Create("Labels")
	file := filepath.Join(t.TempDir(), "tocsin.toml")
	text := fmt.Sprintf("data = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[category.printer]\ntitle = \"Label printer\"\n[mailbox.support]\nhost = \"localhost\"\nport = %d\nca_file = %q\nusername = %q\npassword = %q\npoll = \"1s\"\nteach = {printer = \"Labels\"}\n",
		filepath.Join(t.TempDir(), "t.db"), d.TLSPort, d.CAFile, d.Username, d.Password)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		d.Deliver("INBOX", fmt.Sprintf("From: c%d@example.com\r\nMessage-ID: <%d@example.com>\r\nSubject: Zebra %d\r\n\r\nThe zebra thermal labels come out blank, shelf %d.\r\n", i, i, i, i), time.Now().Add(-time.Hour))
	}
	list := func() (list []struct{ ID, Subject, Category string }) {
		out, _ := exec.Command(bin, "messages", "--config", file, "--json").Output()
		for line := range strings.Lines(string(out)) {
			var m struct{ ID, Subject, Category string }
			if json.Unmarshal([]byte(line), &m) == nil {
				list = append(list, m)
			}
		}
		return list
	}
	sorted := func(category string) (n int) {
		for _, m := range list() {
			if m.Category == category {
				n++
			}
		}
		return n
	}
	p := start(t, bin, file)
	eventually(t, p, "reading history", func() bool { return len(list()) == 4 })
	if n := sorted("printer"); n != 0 {
		t.Fatalf("%d mails are printer before anybody said so", n)
	}
	d.Move("INBOX", "Labels", "subject 1")
	d.Move("INBOX", "Labels", "subject 2")
	eventually(t, p, "the correction", func() bool { return sorted("printer") == 2 && len(list()) == 4 })
	eventually(t, p, "learning", func() bool { return strings.Contains(p.log.String(), "corrections were learned") })
	d.Deliver("INBOX", "From: new@example.com\r\nMessage-ID: <new@example.com>\r\nSubject: Zebra\r\n\r\nOur zebra thermal labels come out blank again.\r\n", time.Time{})
	eventually(t, p, "sorting by what was learned", func() bool { return sorted("printer") == 3 })
	if f := d.Doveadm("fetch", "-u", d.Username, "flags", "mailbox", "Labels"); strings.Contains(f, "Seen") {
		t.Errorf("flags of the moved mails: %s", f)
	}
	for _, m := range list() {
		if m.Subject == "Zebra 1" {
			if out, err := exec.Command(bin, "correct", "--config", file, m.ID, "bug").CombinedOutput(); err != nil {
				t.Fatalf("correct: %v\n%s", err, out)
			}
		}
	}
	eventually(t, p, "the last word", func() bool { return sorted("printer") == 2 })
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Wait()
	p = start(t, bin, file)
	eventually(t, p, "watching again", func() bool { return strings.Contains(p.log.String(), "is watched") })
	if n := sorted("printer"); n != 2 || len(list()) != 5 {
		t.Errorf("after kill -9: %d printer of %d mails, want 2 of 5", n, len(list()))
	}
}

// TestASecondOneIsRefused: one data file has one worker, and a port that is
// taken is said before anything starts.
func TestASecondOneIsRefused(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Data = filepath.Join(dir, "t.db")
	s, err := openStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = openStore(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "held by another process") {
		t.Errorf("the second: %v", err)
	}
}

// TestDemoOnce is the promise of the README's first command.
func TestDemoOnce(t *testing.T) {
	var out, errs bytes.Buffer
	p := &program{In: strings.NewReader(""), Out: &out, Err: &errs}
	if code := p.Run(t.Context(), []string{"demo", "--once", "--speed", "600"}); code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, errs.String(), out.String())
	}
	for _, want := range []string{"deployment web 2.4.0", "PAGED", "jsonwebtoken 9.0.2 -> 8.5.1 (downgraded)", "One incident, one page"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
}

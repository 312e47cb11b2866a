package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"

	"tocsin/internal/demo"
)

// attacks are what mails carry to hurt whoever looks at them: markup, script,
// commands of a terminal, marks that turn the reading direction, formulas of a
// spreadsheet, commands of a chat, headers of a mail.
var attacks = []string{
	`<script>alert(1)</script><img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `{{.}} ${7*7} <%= 1 %>`,
	"\x1b]0;owned\x07\x1b[2J\x1b[31mred", "\u009b31m C1 \u0085 next", "invoice\u202egpj.exe\u202c \u2066x\u2069", "a\u2028b\u2029c\u200b",
	`=cmd|' /C calc'!A0`, `+1+1`, `@SUM(1+1)`, "\uff1d1+1", "\t=1+1", `-2+3`,
	`<!channel> <!here> <http://evil.example|click here> @everyone`, `[x](javascript:alert(1)) ![x](http://evil.example/i.png)`,
	"x\r\nBcc: evil@example.com\r\n\r\nbody", "\x00NUL \x08 \x7f DEL",
}

// enemy writes the mail that carries an attack wherever a mail has words.
func enemy(n int, attack string) []byte {
	q := func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, "=%02X", c)
		}
		return "=?utf-8?q?" + b.String() + "?="
	}
	return fmt.Appendf(nil, "From: %s <c%d@customer%d.example>\r\nSubject: %s %s\r\nMessage-ID: <%d@attack.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nI can't log in any more, it says invalid token. %s number %d\r\n",
		q(attack), n, n, q(attack), q("I can't log in"), n, strings.ReplaceAll(attack, "\r\n", "\n"), n)
}

// inboxOfOutgoing is an SMTP server that keeps what it is given.
type inboxOfOutgoing struct {
	mu    sync.Mutex
	mails [][]byte
}

func (b *inboxOfOutgoing) NewSession(*smtp.Conn) (smtp.Session, error) { return outgoing{b}, nil }

type outgoing struct{ to *inboxOfOutgoing }

func (outgoing) Reset()                               {}
func (outgoing) Logout() error                        { return nil }
func (outgoing) Mail(string, *smtp.MailOptions) error { return nil }
func (outgoing) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (o outgoing) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	o.to.mu.Lock()
	defer o.to.mu.Unlock()
	o.to.mails = append(o.to.mails, raw)
	return err
}

// harmless looks for what a terminal, a browser or a reader could be led by.
func harmless(t *testing.T, exit, text string) {
	t.Helper()
	for i, r := range text {
		if r == '\n' || r == '\t' || r == '\r' || !unicode.IsControl(r) && !(r >= 0x202a && r <= 0x202e) && !(r >= 0x2066 && r <= 0x2069) && r != 0x2028 && r != 0x2029 {
			continue
		}
		t.Errorf("%s: %U gets out: %q", exit, r, text[max(0, i-60):min(len(text), i+20)])
		return
	}
}

// TestAttacksAreHarmlessAtEveryExit sends hostile mails, and one of 10 MB in one
// line, through the program, until they made an incident, and looks at all that
// comes out: pages, exports, API, pagers, mails, terminal.
func TestAttacksAreHarmlessAtEveryExit(t *testing.T) {
	imap, err := demo.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer imap.Close()
	now := time.Now()
	story := demo.New(now)
	for _, m := range story.Past {
		if err := imap.Deliver(m.Raw, m.At.Add(now.Add(-2*time.Hour).Sub(story.Begin))); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	paged := map[string]string{}
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		paged[r.URL.Path] += string(body) + "\n"
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, "ok")
	}))
	defer chat.Close()
	post := &inboxOfOutgoing{}
	out := smtp.NewServer(post)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go out.Serve(ln)
	defer out.Close()

	dir := t.TempDir()
	file := filepath.Join(dir, "tocsin.toml")
	config := fmt.Sprintf(`data = "tocsin.db"
[web]
listen = "127.0.0.1:0"
[mailbox.support]
host = "127.0.0.1"
tls = "none"
port = %d
username = %q
password = %q
poll = "1s"
[smtp]
host = "127.0.0.1"
tls = "none"
port = %d
from = "tocsin@example.com"
[digest]
to = ["lead@example.com"]
[pager.mail]
type = "mail"
to = ["oncall@example.com"]
[pager.log]
type = "log"
[pager.slack]
type = "slack"
url = "%[5]s/slack"
[pager.teams]
type = "teams"
url = "%[5]s/teams"
[pager.ntfy]
type = "ntfy"
url = "%[5]s"
topic = "ntfy"
[pager.hook]
type = "webhook"
url = "%[5]s/hook"
key = %[6]q
`, imap.Port(), demo.Username, demo.Password, ln.Addr().(*net.TCPAddr).Port, chat.URL, hookSecret)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	said, logged := &safeBuffer{}, &safeBuffer{}
	done := make(chan int, 1)
	go func() {
		done <- (&program{In: strings.NewReader(""), Out: said, Err: logged}).Run(ctx, []string{"run", "--config", file})
	}()
	defer func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("run ended with %d:\n%s", code, logged)
		}
	}()
	p := &process{log: logged}
	data := filepath.Join(dir, "tocsin.db")
	count := func() int64 {
		c, err := readControl(data)
		if err != nil {
			return -1
		}
		st, err := c.client().Status(ctx)
		if err != nil || len(st.Folders) == 0 || st.Folders[0].LastRead.IsZero() {
			return -1
		}
		return st.Store.Messages
	}
	all := int64(len(story.Past))
	eventually(t, p, "reading the history", func() bool { return count() == all })
	for n, a := range attacks {
		if err := imap.Deliver(enemy(n, a), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	long := append([]byte("From: Long <long@example.com>\r\nSubject: I can't log in "+strings.Repeat("x", 5000)+"\r\n\r\nI can't log in. "), bytes.Repeat([]byte("A"), 10<<20)...)
	if err := imap.Deliver(append(long, "\r\n"...), time.Now()); err != nil {
		t.Fatal(err)
	}
	eventually(t, p, "reading the attacks", func() bool { return count() == all+int64(len(attacks))+1 })
	eventually(t, p, "the pages", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(slices.Collect(maps.Keys(paged))) == 4 && pending(t, data) == 0
	})

	run := func(args ...string) string {
		t.Helper()
		var o, e bytes.Buffer
		if code := (&program{In: strings.NewReader(""), Out: &o, Err: &e}).Run(ctx, args); code != 0 {
			t.Errorf("tocsin %s: %d, %s", strings.Join(args, " "), code, &e)
		}
		harmless(t, "tocsin "+strings.Join(args, " "), o.String()+e.String())
		return o.String()
	}
	var id string
	for line := range strings.Lines(run("incidents", "--json", "--config", file)) {
		var i struct{ ID, Kind string }
		if err := json.Unmarshal([]byte(line), &i); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if i.Kind == "surge" {
			id = i.ID
		}
	}
	if id == "" {
		t.Fatal("the attacks made no incident to look at")
	}
	// The terminal.
	run("messages", "--config", file)
	ids := run("messages", "--json", "--config", file)
	run("incidents", "--config", file)
	run("postmortem", id, "--config", file)
	run("digest", "--config", file, "--week", weekOf(now))
	run("digest", "--config", file, "--week", weekOf(now), "--json")
	run("digest", "--config", file, "--week", weekOf(now), "--send")
	for n, a := range attacks {
		name := filepath.Join(dir, fmt.Sprintf("%d.eml", n))
		if err := os.WriteFile(name, enemy(n, a), 0o600); err != nil {
			t.Fatal(err)
		}
		run("inspect", name)
	}
	harmless(t, "the log pager", said.String())
	harmless(t, "the log", logged.String())

	// The browser.
	control, err := readControl(data)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (string, http.Header) {
		t.Helper()
		res, err := http.Get(control.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %d, %v", path, res.StatusCode, err)
		}
		if len(b) > 2<<20 {
			t.Errorf("GET %s: %d bytes", path, len(b))
		}
		harmless(t, "GET "+path, string(b))
		if res.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET %s: headers %v", path, res.Header)
		}
		return string(b), res.Header
	}
	paths := []string{"/", "/incidents", "/incidents/" + id, "/incidents/" + id + "?mails=all", "/messages", "/messages?unsorted=1", "/messages?words=%3Cscript%3E", "/deployments", "/digests",
		"/digests/" + weekOf(now), "/digests/" + weekOf(now) + "?form=html", "/digests/" + weekOf(now) + "?form=text", "/status", "/incidents/" + id + "/postmortem.md"}
	for line := range strings.Lines(ids) {
		var m struct{ ID, From string }
		if json.Unmarshal([]byte(line), &m) == nil && (strings.HasSuffix(m.From, ".example") || m.From == "long@example.com") {
			paths = append(paths, "/messages/"+m.ID, "/api/v1/messages/"+m.ID)
		}
	}
	for _, path := range paths {
		body, h := get(path)
		if !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
			continue
		}
		for _, bad := range []string{"<script>", "<img src=x", "<svg onload", "javascript:alert(1)\""} {
			if strings.Contains(body, bad) {
				t.Errorf("GET %s: %s is alive", path, bad)
			}
		}
	}
	for _, path := range []string{"/api/v1/messages", "/api/v1/incidents/" + id, "/api/v1/incidents/" + id + "/timeline", "/api/v1/digest?week=" + weekOf(now)} {
		if body, h := get(path); h.Get("Content-Type") != "application/json" || !json.Valid([]byte(body)) {
			t.Errorf("GET %s: no JSON", path)
		}
	}
	sheet, _ := get("/incidents/" + id + "/customers.csv")
	rows, err := csv.NewReader(strings.NewReader(sheet)).ReadAll()
	if err != nil || len(rows) < len(attacks) {
		t.Errorf("customers.csv: %d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if c := strings.TrimSpace(cell); c != "" && strings.ContainsAny(c[:1], "=+-@|%") || strings.HasPrefix(c, "\uff1d") {
				t.Errorf("customers.csv: the cell %q is a formula", cell)
			}
		}
	}

	// The chats, and the mails.
	mu.Lock()
	defer mu.Unlock()
	for path, body := range paged {
		harmless(t, "pager "+path, body)
		var told strings.Builder // as the chat reads it, without the escapes of JSON
		for d := json.NewDecoder(strings.NewReader(body)); ; {
			tok, err := d.Token()
			if err != nil {
				break
			}
			if s, ok := tok.(string); ok {
				harmless(t, "pager "+path+", decoded", s)
				told.WriteString(s + "\n")
			}
		}
		if path == "/slack" && (strings.Contains(told.String(), "<!channel>") || strings.Contains(told.String(), "<http://evil")) {
			t.Errorf("Slack is given a command of a customer's:\n%s", &told)
		}
	}
	post.mu.Lock()
	defer post.mu.Unlock()
	if len(post.mails) < 2 {
		t.Errorf("%d mails went out, want a page and a digest", len(post.mails))
	}
	for _, raw := range post.mails {
		m, err := mail.CreateReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		subject, _ := m.Header.Subject()
		harmless(t, "the subject of a mail", subject)
		if m.Header.Get("Bcc") != "" {
			t.Errorf("a customer gave a mail of ours the header Bcc:\n%.500s", raw)
		}
		for {
			part, err := m.NextPart()
			if err != nil {
				break
			}
			b, _ := io.ReadAll(part.Body)
			harmless(t, "a part of the mail "+subject, string(b))
			if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") && (bytes.Contains(b, []byte("<script>")) || bytes.Contains(b, []byte("<img src=x"))) {
				t.Errorf("markup of a customer's is alive in the mail %s", subject)
			}
		}
	}
}

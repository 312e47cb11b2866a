package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tocsin/internal/imaptest"
)

// provider is an identity provider that takes each refresh token once, as
// careful ones do, and gives access tokens that are over in a minute.
type provider struct {
	*httptest.Server
	mu        sync.Mutex
	refresh   string // the only one that is good
	access    string
	n         int
	withdrawn bool
	reused    []string
}

func newProvider(t *testing.T) *provider {
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) answer(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.ParseForm()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/device" {
		fmt.Fprintf(w, `{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"https://login.example.com/device","expires_in":900,"interval":1}`)
		return
	}
	ok := false
	switch r.Form.Get("grant_type") {
	case "refresh_token":
		if ok = r.Form.Get("refresh_token") == p.refresh && !p.withdrawn; !ok && !p.withdrawn {
			p.reused = append(p.reused, r.Form.Get("refresh_token"))
		}
	case "authorization_code":
		ok = r.Form.Get("code") == "c0de" && r.Form.Get("code_verifier") != ""
	default: // the device grant (RFC 8628)
		ok = r.Form.Get("device_code") == "d"
	}
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	p.n++
	p.refresh, p.access = fmt.Sprintf("refresh-%d", p.n), fmt.Sprintf("access-%d", p.n)
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":60,"refresh_token":%q}`, p.access, p.refresh)
}

func (p *provider) good(token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return token == p.access
}

// TestAPersonConsents drives the built program from the first sign-in to the
// day on which the consent is withdrawn.
func TestAPersonConsents(t *testing.T) {
	bin, idp := build(t), newProvider(t)
	f := imaptest.StartFake(t, faultMail(1), faultMail(2))
	f.Caps = "IMAP4rev1 IDLE AUTH=XOAUTH2 SASL-IR"
	f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
		initial, ok := strings.CutPrefix(line, "AUTHENTICATE XOAUTH2 ")
		if !ok {
			return false
		}
		raw, _ := base64.StdEncoding.DecodeString(initial)
		_, token, _ := strings.Cut(strings.TrimRight(string(raw), "\x01"), "\x01auth=Bearer ")
		if idp.good(token) {
			c.Send("%s OK done\r\n", tag)
		} else {
			c.Send("%s NO AUTHENTICATE failed.\r\n", tag)
		}
		return true
	})
	dir := t.TempDir()
	file := filepath.Join(dir, "tocsin.toml")
	config := fmt.Sprintf(`data = "t.db"
[web]
listen = "127.0.0.1:0"
[mailbox.support]
host = "127.0.0.1"
port = %d
tls = "none"
username = "support@example.com"
poll = "1s"
[mailbox.support.oauth2]
provider = "generic"
client_id = "tocsin"
token_url = "%[2]s/token"
auth_url = "%[2]s/auth"
device_url = "%[2]s/device"
scopes = ["mail"]
`, f.Port, idp.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	tocsin := func(want string, args ...string) {
		t.Helper()
		out, _ := exec.Command(bin, append(args, "--config", file)...).CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("tocsin %s does not say %q:\n%s", strings.Join(args, " "), want, out)
		}
	}
	w := &watched{t: t, bin: bin, file: file, data: filepath.Join(dir, "t.db")}

	tocsin("run: tocsin login", "check")
	tocsin("run: tocsin login", "run")
	tocsin("enter the code ABCD-EFGH", "login", "--device", "mailbox.support")
	tocsin("127.0.0.1", "check")
	tocsin("2 messages", "check")
	for range 3 { // each time with a refresh token that was rotated before
		w.start()
		w.has(2)
		tocsin("the running tocsin read folder INBOX", "check")
		w.stop(syscall.SIGKILL)
	}
	idp.mu.Lock()
	idp.withdrawn = true
	idp.mu.Unlock()
	tocsin("the consent was withdrawn or has expired: run tocsin login again", "check")
	idp.mu.Lock()
	idp.withdrawn = false
	idp.mu.Unlock()

	inBrowser(t, exec.Command(bin, "login", "--config", file, "mailbox.support"))
	w.start()
	w.has(2)
	w.stop(syscall.SIGTERM)
	if len(idp.reused) > 0 {
		t.Errorf("refresh tokens used twice: %q", idp.reused)
	}
}

// inBrowser runs a login and plays the browser in which a person consents.
func inBrowser(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	page := regexp.MustCompile(`http://\S+`)
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		u, err := url.Parse(page.FindString(lines.Text()))
		if err != nil || u.Query().Get("redirect_uri") == "" {
			continue
		}
		back := url.Values{"code": {"c0de"}, "state": {u.Query().Get("state")}}
		resp, err := http.Get(u.Query().Get("redirect_uri") + "?" + back.Encode())
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), "Signed in") {
		t.Errorf("login in a browser: %v\n%s", err, said.String())
	}
}

// TestASecretFromSystemd: credentials are readable by their group, because
// systemd gives them by an access list, and guarded by their folder.
func TestASecretFromSystemd(t *testing.T) {
	d := imaptest.StartDovecot(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "imap"), []byte(d.Password+"\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tocsin.toml")
	text := fmt.Sprintf("data = \"t.db\"\n[web]\nlisten = \"\"\n[mailbox.support]\nhost = \"localhost\"\nport = %d\nca_file = %q\nusername = %q\npassword_file = \"${CREDENTIALS_DIRECTORY}/imap\"\n", d.TLSPort, d.CAFile, d.Username)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for set, want := range map[bool]bool{true: true, false: false} {
		cmd := exec.Command(build(t), "check", "--json", "--config", file)
		if set {
			cmd.Env = append(os.Environ(), "CREDENTIALS_DIRECTORY="+dir)
		}
		out, _ := cmd.CombinedOutput()
		ok := false
		for line := range strings.Lines(string(out)) {
			var c checked
			if json.Unmarshal([]byte(line), &c) == nil && c.What == "mailbox support" {
				ok = c.OK
			}
		}
		if ok != want {
			t.Errorf("with the credentials' folder set %v: signed in %v, want %v\n%s", set, ok, want, out)
		}
	}
}

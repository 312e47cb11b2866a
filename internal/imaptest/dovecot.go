// Package imaptest provides IMAP servers for tests: a real Dovecot, a proxy
// that makes the network misbehave, and a scripted server that misbehaves
// itself.
//
// Everything listens on free ports of loopback, lives in a temporary directory
// and ends with the test. Where Dovecot is not installed a test that asks for
// it is skipped, or fails when the environment has CI=true.
package imaptest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// Dovecot is a running server with one user. Mail is kept in a Maildir.
type Dovecot struct {
	Host     string // 127.0.0.1
	Port     int    // plain and STARTTLS
	TLSPort  int    // implicit TLS
	CAFile   string // of the certificate, for localhost and 127.0.0.1
	Username string
	Password string

	t     testing.TB
	dir   string
	home  string // of the user
	owner *user.User
	pid   int           // 0: not running
	ended chan struct{} // closed when the process is gone
	seq   atomic.Int64
}

// StartDovecot starts a server with an empty INBOX.
func StartDovecot(t testing.TB) *Dovecot {
	t.Helper()
	bin := lookDovecot(t)
	// The server's own users must reach it, which they cannot in t.TempDir.
	dir, err := os.MkdirTemp("", "imaptest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &Dovecot{Host: "127.0.0.1", Username: "support", Password: "a secret, with {braces} and \"quotes\"", t: t, dir: dir, home: filepath.Join(dir, "home")}
	check(t, os.Chmod(dir, 0o755))
	d.owner = mailOwner(t)
	check(t, os.MkdirAll(d.home, 0o700))
	d.give(d.home)
	d.CAFile = filepath.Join(dir, "ca.pem")
	writeCertificate(t, dir)
	d.writeUsers(d.Password)
	for range 3 { // another process may take a port before the server does
		d.Port, d.TLSPort = freePort(t), freePort(t)
		d.writeConfig()
		if err = d.start(bin); err == nil {
			t.Cleanup(d.stop)
			return d
		}
	}
	t.Fatalf("imaptest: dovecot did not start: %v\n%s", err, d.log())
	return nil
}

// lookDovecot finds the program or skips the test.
func lookDovecot(t testing.TB) string {
	t.Helper()
	bin, err := exec.LookPath("dovecot")
	if err != nil {
		bin = "/usr/sbin/dovecot"
		_, err = os.Stat(bin)
	}
	why := "dovecot is not installed (Debian: dovecot-imapd)"
	if err == nil {
		version, _ := exec.Command(bin, "--version").Output()
		if bytes.HasPrefix(version, []byte("2.2.")) || bytes.HasPrefix(version, []byte("2.3.")) {
			return bin
		}
		why = fmt.Sprintf("dovecot is %s; its configuration here is for 2.3", bytes.TrimSpace(version))
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("imaptest: " + why)
	}
	t.Skip(why)
	return ""
}

// mailOwner is who owns the mail: the one who runs the test, or nobody when
// that is root, as which Dovecot reads no mail.
func mailOwner(t testing.TB) *user.User {
	t.Helper()
	if os.Getuid() == 0 {
		u, err := user.Lookup("nobody")
		check(t, err)
		return u
	}
	u, err := user.Current()
	check(t, err)
	return u
}

func (d *Dovecot) give(path string) {
	if os.Getuid() != 0 {
		return
	}
	uid, _ := strconv.Atoi(d.owner.Uid)
	gid, _ := strconv.Atoi(d.owner.Gid)
	check(d.t, os.Chown(path, uid, gid))
}

var configTemplate = template.Must(template.New("").Parse(`base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/state
log_path = {{.Dir}}/dovecot.log
protocols = imap
listen = 127.0.0.1
{{if not .Root}}default_internal_user = {{.User}}
default_internal_group = {{.Group}}
default_login_user = {{.User}}
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
{{end}}mail_location = maildir:~/Maildir
mail_home = {{.Dir}}/home
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{{.Dir}}/cert.pem
ssl_key = <{{.Dir}}/key.pem
mail_max_userip_connections = 500
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {{.Dir}}/users
}
userdb {
  driver = static
  args = uid={{.UID}} gid={{.GID}} home={{.Dir}}/home
}
service imap-login {
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = {{.Port}}
  }
  inet_listener imaps {
    port = {{.TLSPort}}
    ssl = yes
  }
}
service stats {
  process_limit = 1
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`))

func (d *Dovecot) writeConfig() {
	group, err := user.LookupGroupId(d.owner.Gid)
	check(d.t, err)
	var b bytes.Buffer
	check(d.t, configTemplate.Execute(&b, map[string]any{
		"Dir": d.dir, "Root": os.Getuid() == 0, "User": d.owner.Username, "Group": group.Name,
		"UID": d.owner.Uid, "GID": d.owner.Gid, "Port": d.Port, "TLSPort": d.TLSPort,
	}))
	check(d.t, os.WriteFile(d.config(), b.Bytes(), 0o644))
}

func (d *Dovecot) config() string { return filepath.Join(d.dir, "dovecot.conf") }

func (d *Dovecot) writeUsers(password string) {
	check(d.t, os.WriteFile(filepath.Join(d.dir, "users"), fmt.Appendf(nil, "%s:{PLAIN}%s::::::\n", d.Username, password), 0o644))
}

// start runs the server and waits until it answers.
func (d *Dovecot) start(bin string) error {
	cmd := exec.Command(bin, "-F", "-c", d.config())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	d.pid, d.ended = cmd.Process.Pid, ended
	deadline := time.After(20 * time.Second)
	for {
		if d.answers() {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended: %s", out.String())
		case <-deadline:
			d.stop()
			return fmt.Errorf("no answer on port %d", d.Port)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// answers tells whether the server greets.
func (d *Dovecot) answers() bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(d.Host, strconv.Itoa(d.Port)), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 4)
	_, err = c.Read(b)
	return err == nil && string(b) == "* OK"
}

// stop ends the server and its children.
func (d *Dovecot) stop() {
	if d.pid == 0 {
		return
	}
	syscall.Kill(d.pid, syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(5 * time.Second):
	}
	syscall.Kill(-d.pid, syscall.SIGKILL)
	<-d.ended
	d.pid = 0
}

// Stop ends the server; its port refuses connections until Start.
func (d *Dovecot) Stop() { d.stop() }

// Start runs the server again on the same ports.
func (d *Dovecot) Start() {
	d.t.Helper()
	if err := d.start(lookDovecot(d.t)); err != nil {
		d.t.Fatalf("imaptest: dovecot did not start again: %v\n%s", err, d.log())
	}
}

// Restart stops and starts the server; all connections are lost.
func (d *Dovecot) Restart() {
	d.t.Helper()
	d.Stop()
	d.Start()
}

// SetPassword changes the password that the server takes, not d.Password: give
// it another to have logins refused. It returns when the server, which looks at
// its file once a second, has seen it.
func (d *Dovecot) SetPassword(p string) {
	d.t.Helper()
	d.writeUsers(p)
	var out []byte
	for range 100 {
		var err error
		if out, err = exec.Command("doveadm", "-c", d.config(), "auth", "test", d.Username, p).CombinedOutput(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.t.Fatalf("imaptest: the server does not take the new password: %s", out)
}

// log is the end of the server's log.
func (d *Dovecot) log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "dovecot.log"))
	return string(b[max(0, len(b)-4000):])
}

// Log returns the end of the server's log.
func (d *Dovecot) Log() string { return d.log() }

// Doveadm runs a command of Dovecot's administration tool for the user.
func (d *Dovecot) Doveadm(args ...string) string {
	d.t.Helper()
	full := append([]string{"-c", d.config()}, args...)
	out, err := exec.Command("doveadm", full...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("imaptest: doveadm %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// freePort finds a port that nobody listens on at the moment.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal("imaptest:", err)
	}
}

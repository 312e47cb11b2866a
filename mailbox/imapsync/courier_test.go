package imapsync

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestCourier reads a folder of another maker's server, whose EXAMINE does not
// foretell UIDs and whose answers differ in small ways. Its imapd runs for one
// connection with the login behind it. TOCSIN_COURIER names the program
// (Debian: courier-imap, /usr/bin/imapd).
func TestCourier(t *testing.T) {
	bin := os.Getenv("TOCSIN_COURIER")
	if bin == "" {
		t.Skip("TOCSIN_COURIER does not name Courier's imapd")
	}
	dir := filepath.Join(t.TempDir(), "Maildir")
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put := func(i int, mail string) {
		path := filepath.Join(dir, "cur", fmt.Sprintf("%d.M%d.test:2,", 1000000+i, i))
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(mail, "\r\n", "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const n = 2000
	for i := range n {
		if i%50 == 7 {
			put(i, large(i))
		} else {
			put(i, letter(i))
		}
	}
	a := Account{Name: "support", Host: "127.0.0.1", Port: serveProgram(t, bin, dir), TLS: Plain, Backfill: 90 * 24 * time.Hour, Parse: parse}
	r := newReader(t, a, "INBOX")
	begun := time.Now()
	r.all()
	took := time.Since(begun)
	if len(r.got) != n || r.gone > 0 {
		t.Errorf("%d mails and %d gone, want %d and 0", len(r.got), r.gone, n)
	}
	for _, m := range r.got {
		if m.Problem != "" || m.Subject == "" {
			t.Errorf("UID %d: subject %q, problem %q", m.UID, m.Subject, m.Problem)
		}
	}
	put(n, letter(n))
	r.f.Wait(t.Context())
	r.all()
	if len(r.got) != n+1 {
		t.Errorf("%d mails after one more, want %d", len(r.got), n+1)
	}
	seen, err := filepath.Glob(filepath.Join(dir, "cur", "*S*"))
	if err != nil || len(seen) > 0 {
		t.Errorf("%d mails marked as read, %v", len(seen), err)
	}
	t.Logf("%.0f mails/s, %d KB", n/took.Seconds(), r.f.Received()>>10)
}

// serveProgram runs a program for each connection to a port.
func serveProgram(t *testing.T, bin, maildir string) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				file, err := c.(*net.TCPConn).File()
				if err != nil {
					return
				}
				defer file.Close()
				cmd := exec.Command(bin, "./Maildir")
				cmd.Dir = filepath.Dir(maildir)
				cmd.Env = append(os.Environ(), "AUTHENTICATED=support", "IMAP_CAPABILITY=IMAP4rev1 UIDPLUS CHILDREN IDLE", "IMAP_ENHANCEDIDLE=0", "IMAP_USELOCKS=0")
				cmd.Stdin = file
				out, err := cmd.StdoutPipe()
				if err != nil || cmd.Start() != nil {
					return
				}
				// Without its file watcher the program complains before the
				// greeting.
				r := bufio.NewReader(out)
				if line, _ := r.ReadString('\n'); !strings.HasPrefix(line, "* OK [ALERT]") {
					c.Write([]byte(line))
				}
				r.WriteTo(c)
				cmd.Wait()
			})
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

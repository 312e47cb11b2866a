package imapsync

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/mailbox"
)

// TestSyncAgainstMbsync reads a folder of support mails and lets mbsync copy it
// in the same run. It is a measurement and not a test:
//
//	TOCSIN_MEASURE=20000 go test -run Mbsync -v -timeout 20m ./mailbox/imapsync
func TestSyncAgainstMbsync(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("TOCSIN_MEASURE"))
	if n < 100 {
		t.Skip("a measurement: set TOCSIN_MEASURE to a number of mails")
	}
	if _, err := exec.LookPath("mbsync"); err != nil {
		t.Skip("mbsync is not installed (Debian: isync)")
	}
	d := imaptest.StartDovecot(t)
	bytes := fill(d, n)
	t.Logf("%d mails, %d MB", n, bytes>>20)
	// Both find the server's caches warm.
	d.Doveadm("index", "-u", d.Username, "INBOX")
	d.Doveadm("fetch", "-u", d.Username, "size.virtual", "mailbox", "INBOX", "all")

	for _, tls := range []bool{false, true} {
		a := account(d)
		a.Parse = (&mailbox.Parser{}).Parse
		if tls {
			a.TLS, a.Port, a.CAFile = TLS, d.TLSPort, d.CAFile
		}
		r := newReader(t, a, "INBOX")
		peak := watchMemory()
		begun := time.Now()
		for {
			more, err := r.step()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			for i := range r.got {
				r.got[i].Text = "" // the store would have it now
			}
		}
		took := time.Since(begun)
		if len(r.got) != n {
			t.Errorf("%d mails, want %d", len(r.got), n)
		}
		t.Logf("tocsin, TLS %v: %.0f mails/s (%v, %d batches), %.1f %% of the bytes, heap at most %d MB", tls,
			float64(n)/took.Seconds(), took.Round(time.Millisecond), r.batches, 100*float64(r.f.Received())/float64(bytes), peak()>>20)
		r.f.Close()
	}
	took := mbsync(t, d)
	t.Logf("mbsync: %.0f mails/s (%v)", float64(n)/took.Seconds(), took.Round(time.Millisecond))
}

// watchMemory returns a function that ends the watch and gives the most memory
// the process had from the system.
func watchMemory() func() uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var m uint64
		for {
			select {
			case <-stop:
				most <- m
				return
			case <-time.After(5 * time.Millisecond):
				var s runtime.MemStats
				runtime.ReadMemStats(&s)
				m = max(m, s.HeapInuse+s.StackInuse)
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

// fill delivers n mails of 8 KB on average, one in 75 with an attachment of 1 to
// 5 MB, and returns their bytes.
func fill(d *imaptest.Dovecot, n int) int64 {
	rng := rand.New(rand.NewPCG(1, 2))
	blob := make([]byte, 4<<20)
	for i := range blob {
		blob[i] = byte(rng.Uint32())
	}
	encoded := base64.StdEncoding.EncodeToString(blob)
	var lines strings.Builder
	for i := 0; i+76 <= len(encoded); i += 76 {
		lines.WriteString(encoded[i : i+76])
		lines.WriteString("\r\n")
	}
	var sum int64
	now := time.Now()
	words := strings.Fields("I cannot log in since this morning the page says my password is wrong and the reset link does not come please help we need the invoice for the month and the export is slow again thank you")
	for i := range n {
		var text strings.Builder
		for text.Len() < 1000+rng.IntN(6000) {
			text.WriteString(words[rng.IntN(len(words))])
			if rng.IntN(12) == 0 {
				text.WriteString("\r\n")
			} else {
				text.WriteByte(' ')
			}
		}
		var m strings.Builder
		fmt.Fprintf(&m, "Return-Path: <c%d@example.com>\r\nReceived: from mx.example.com by mail.example.org with ESMTPS id %d\r\n\tfor <support@example.org>; Tue, 24 Nov 2026 09:00:00 +0000\r\n"+
			"From: Customer %d <c%d@example.com>\r\nTo: Support <support@example.org>\r\nSubject: Cannot log in %d\r\nMessage-ID: <%d.measure@example.com>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n", i, i, i, i, i, i)
		alternative := fmt.Sprintf("Content-Type: multipart/alternative; boundary=\"alt\"\r\n\r\n--alt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n--alt\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>%s</p></body></html>\r\n--alt--\r\n",
			text.String(), strings.ReplaceAll(text.String(), "\r\n", "<br>\r\n"))
		if i%75 == 10 {
			size := 1<<20 + rng.IntN(4<<20)
			size = min(size, lines.Len()) / 78 * 78
			fmt.Fprintf(&m, "Content-Type: multipart/mixed; boundary=\"mix\"\r\n\r\n--mix\r\n%s\r\n--mix\r\nContent-Type: image/png; name=\"screen%d.png\"\r\nContent-Disposition: attachment; filename=\"screen%d.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s--mix--\r\n",
				alternative, i, i, lines.String()[:size])
		} else {
			m.WriteString(alternative)
		}
		sum += int64(m.Len())
		d.Deliver("INBOX", m.String(), now.Add(time.Duration(i-n)*time.Minute))
	}
	return sum
}

// mbsync copies the INBOX to a new Maildir and returns how long it took.
func mbsync(t *testing.T, d *imaptest.Dovecot) time.Duration {
	dir := t.TempDir()
	pass := filepath.Join(dir, "pass")
	if err := os.WriteFile(pass, []byte(d.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("IMAPAccount a\nHost %s\nPort %d\nUser %s\nPassCmd \"cat %s\"\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount a\n\nMaildirStore near\nPath %s/near/\nInbox %s/near/INBOX\n\nChannel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n",
		d.Host, d.Port, d.Username, pass, dir, dir)
	rc := filepath.Join(dir, "rc")
	if err := os.WriteFile(rc, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "near"), 0o700); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	out, err := exec.Command("mbsync", "-c", rc, "-q", "c").CombinedOutput()
	took := time.Since(begun)
	if err != nil {
		t.Fatalf("mbsync: %v: %s", err, out)
	}
	copied, _ := filepath.Glob(filepath.Join(dir, "near", "INBOX", "new", "*"))
	seen, _ := filepath.Glob(filepath.Join(dir, "near", "INBOX", "cur", "*"))
	t.Logf("mbsync copied %d mails", len(copied)+len(seen))
	return took
}

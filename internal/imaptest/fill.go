package imaptest

import (
	"encoding/base64"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Fill delivers the mails of Mails a minute apart up to now, and returns their
// bytes.
func (d *Dovecot) Fill(folder string, n int) int64 {
	d.t.Helper()
	var sum int64
	now, i := time.Now(), 0
	for mail := range Mails(n) {
		sum += int64(len(mail))
		d.Deliver(folder, mail, now.Add(time.Duration(i-n)*time.Minute))
		i++
	}
	return sum
}

// Mails makes n support mails of 8 KB on average, one in 75 with an attachment
// of 1 to 5 MB. The same n gives the same mails.
func Mails(n int) iter.Seq[string] {
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
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(mail(rng, i, lines.String())) {
				return
			}
		}
	}
}

var words = strings.Fields("I cannot log in since this morning the page says my password is wrong and the reset link does not come please help we need the invoice for the month and the export is slow again thank you")

// mail is one of Mails; attached are the lines of an attachment in base64.
func mail(rng *rand.Rand, i int, attached string) string {
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
		size = min(size, len(attached)) / 78 * 78
		fmt.Fprintf(&m, "Content-Type: multipart/mixed; boundary=\"mix\"\r\n\r\n--mix\r\n%s\r\n--mix\r\nContent-Type: image/png; name=\"screen%d.png\"\r\nContent-Disposition: attachment; filename=\"screen%d.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s--mix--\r\n",
			alternative, i, i, attached[:size])
	} else {
		m.WriteString(alternative)
	}
	return m.String()
}

// Mbsync lets isync's mbsync copy the INBOX to a new Maildir, and returns how
// long that took. Without mbsync the test is skipped.
func (d *Dovecot) Mbsync() time.Duration {
	t := d.t
	t.Helper()
	if _, err := exec.LookPath("mbsync"); err != nil {
		t.Skip("mbsync is not installed (Debian: isync)")
	}
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

package imapsync

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/mailbox"
)

// parse stands in for the real parser: subject, and the whole body as text.
func parse(raw []byte) mailbox.Message {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return mailbox.Message{ID: mailDigest(raw), Problem: err.Error()}
	}
	body, _ := io.ReadAll(m.Body)
	return mailbox.Message{ID: mailDigest(raw), Subject: m.Header.Get("Subject"), MessageID: m.Header.Get("Message-Id"), Text: string(body)}
}

// account reads the server plainly.
func account(d *imaptest.Dovecot) Account {
	return Account{Name: "support", Host: d.Host, Port: d.Port, TLS: Plain, Username: d.Username, Auth: Password(d.Password),
		Backfill: 90 * 24 * time.Hour, Parse: parse, Timeout: 10 * time.Second}
}

func letter(n int) string {
	return fmt.Sprintf("From: customer%d@example.com\r\nTo: support@example.org\r\nSubject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\nI cannot log in, %d.\r\n", n, n, n, n)
}

// reader keeps the cursor as the store would.
type reader struct {
	t       testing.TB
	f       *Folder
	c       mailbox.Cursor
	got     []mailbox.Message
	gone    int
	batches int
}

func newReader(t testing.TB, a Account, folder string) *reader {
	f := NewFolder(a, folder)
	t.Cleanup(func() { f.Close() })
	return &reader{t: t, f: f}
}

// step fetches and keeps one batch, and tells whether there was anything.
func (r *reader) step() (bool, error) {
	b, err := r.f.Fetch(r.t.Context(), r.c)
	if err != nil {
		return false, err
	}
	more := len(b.Messages) > 0 || len(b.Gone) > 0 || b.Next != r.c
	r.c = b.Next
	r.got = append(r.got, b.Messages...)
	r.gone += len(b.Gone)
	r.batches++
	return more, nil
}

// all reads until nothing is left.
func (r *reader) all() {
	r.t.Helper()
	for {
		more, err := r.step()
		if err != nil {
			r.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

func (r *reader) subjects() []string {
	var s []string
	for _, m := range r.got {
		s = append(s, m.Subject)
	}
	return s
}

func TestFirstHistoryNewestFirstThenNewMail(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	now := time.Now()
	d.Deliver("INBOX", letter(0), now.Add(-100*24*time.Hour)) // before the backfill
	for i := 1; i <= 5; i++ {
		d.Deliver("INBOX", letter(i), now.Add(time.Duration(i-10)*time.Hour))
	}
	a := account(d)
	a.Batch = 2
	r := newReader(t, a, "INBOX")
	r.all()
	want := []string{"mail 5", "mail 4", "mail 3", "mail 2", "mail 1"}
	if !slices.Equal(r.subjects(), want) {
		t.Errorf("first read: %q, want %q", r.subjects(), want)
	}
	if !r.c.HistoryDone || r.c.UIDValidity == 0 || r.c.UID != 6 {
		t.Errorf("cursor %+v", r.c)
	}
	if m := r.got[0]; m.Received.Sub(now.Add(-5*time.Hour)).Abs() > time.Second || m.Size != int64(len(letter(5))) || m.Account != "support" || m.Folder != "INBOX" || m.UID != 6 || m.UIDValidity != r.c.UIDValidity {
		t.Errorf("message %+v", m)
	}
	r.got = nil
	d.Deliver("INBOX", letter(6), time.Time{})
	d.Deliver("INBOX", letter(7), time.Time{})
	r.all()
	if want := []string{"mail 6", "mail 7"}; !slices.Equal(r.subjects(), want) {
		t.Errorf("then: %q, want %q", r.subjects(), want)
	}
}

func TestReadingLeavesNoTrace(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	for i := range 20 {
		d.Deliver("INBOX", letter(i), time.Time{})
	}
	d.Deliver("INBOX", large(1), time.Time{})
	before := d.Flags("INBOX")
	r := newReader(t, account(d), "INBOX")
	r.all()
	if len(r.got) != 21 {
		t.Errorf("%d mails, want 21", len(r.got))
	}
	after := d.Flags("INBOX")
	if len(after) != len(before) {
		t.Fatalf("%d mails after, %d before", len(after), len(before))
	}
	for name, f := range before {
		if after[name] != f {
			t.Errorf("%s: flags %q, before %q", name, after[name], f)
		}
	}
	if out := d.Doveadm("search", "-u", d.Username, "mailbox", "INBOX", "seen"); out != "" {
		t.Errorf("seen: %s", out)
	}
}

// large is a mail with an attachment of a megabyte.
func large(n int) string {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	return fmt.Sprintf("From: customer%d@example.com\r\nSubject: large %d\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"xx\"\r\n\r\n"+
		"--xx\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSee the invoice, %d.\r\n"+
		"--xx\r\nContent-Type: application/pdf; name=\"invoice.pdf\"\r\nContent-Disposition: attachment; filename=\"invoice.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--xx--\r\n",
		n, n, n, strings.Repeat(line, 1<<20/len(line)))
}

func TestAttachmentsAreNamedAndNotFetched(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	d.Deliver("INBOX", large(1), time.Time{})
	d.Deliver("INBOX", large(2), time.Time{})
	r := newReader(t, account(d), "INBOX")
	r.all()
	if len(r.got) != 2 {
		t.Fatalf("%d mails, want 2", len(r.got))
	}
	text := r.got[0].Text
	for _, want := range []string{"See the invoice, 2.", "filename=\"invoice.pdf\"", "X-Tocsin-Size: 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the mail:\n%s", want, text)
		}
	}
	if n := r.f.Received(); n > 20<<10 {
		t.Errorf("%d bytes read for 2 MB of mail", n)
	}
}

func TestIdleTellsOfNewMail(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	a := account(d)
	a.Poll, a.Quick = time.Hour, -1
	r := newReader(t, a, "INBOX")
	r.all()
	done := make(chan error, 1)
	go func() { done <- r.f.Wait(context.Background()) }()
	d.Deliver("INBOX", letter(1), time.Time{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r.all()
	if len(r.got) != 1 {
		t.Errorf("%d mails, want 1", len(r.got))
	}
}

package imapsync

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/mailbox"
)

// exact checks that each mail delivered is there once, by its content.
func (r *reader) exact(want []string) (lost, twice int) {
	seen := make(map[string]int)
	for _, m := range r.got {
		seen[m.Subject]++
	}
	for _, s := range want {
		switch n := seen[s]; {
		case n == 0:
			lost++
		case n > 1:
			twice += n - 1
		}
	}
	return lost, twice
}

// mixed fills a folder with small and large mails and returns their subjects.
func mixed(d *imaptest.Dovecot, folder string, n int) []string {
	var want []string
	for i := range n {
		if i%10 == 3 {
			d.Deliver(folder, large(i), time.Time{})
			want = append(want, fmt.Sprintf("large %d", i))
			continue
		}
		d.Deliver(folder, letter(i), time.Time{})
		want = append(want, fmt.Sprintf("mail %d", i))
	}
	return want
}

// through reads a Dovecot through a proxy, with time-outs short enough to wait
// for.
func through(d *imaptest.Dovecot, p *imaptest.Proxy) Account {
	a := account(d)
	a.Port, a.Timeout, a.Batch = p.Port, time.Second, 20
	return a
}

// faultyRun reads a folder to its end in spite of errors.
func faultyRun(t *testing.T, d *imaptest.Dovecot, p *imaptest.Proxy, folder string, want []string) (errs int, took time.Duration) {
	t.Helper()
	begun := time.Now()
	r := newReader(t, through(d, p), folder)
	errs = len(r.retry(50))
	took = time.Since(begun)
	r.f.Close()
	if lost, twice := r.exact(want); lost+twice > 0 || r.gone > 0 {
		t.Errorf("%d lost, %d twice, %d said to be gone", lost, twice, r.gone)
	}
	for _, m := range r.got {
		if m.Problem != "" {
			t.Errorf("UID %d: %s", m.UID, m.Problem)
		}
	}
	return errs, took
}

func TestCutAnywhereLosesNothing(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	want := mixed(d, "INBOX", 60)
	p := imaptest.StartProxy(t, d.Port)
	faultyRun(t, d, p, "INBOX", want)
	all := p.Bytes()
	rng := rand.New(rand.NewPCG(3, 4))
	runs := 150
	if testing.Short() {
		runs = 20
	}
	for range runs {
		at := rng.Int64N(all)
		p.Next(imaptest.Fault{After: at, Cut: true}, imaptest.Fault{After: rng.Int64N(all), Cut: true})
		faultyRun(t, d, p, "INBOX", want)
		if t.Failed() {
			t.Fatalf("cut after %d of %d bytes", at, all)
		}
	}
}

func TestFaultsOfTheNetworkLoseNothing(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	want := mixed(d, "INBOX", 60)
	for name, f := range map[string]imaptest.Fault{
		"stall at the greeting": {Stall: true},
		"stall in a mail":       {After: 6000, Stall: true},
		"a byte a second":       {After: 4000, Every: time.Second},
		"garbage":               {After: 5000, Garbage: []byte("\x00\xff)(\r\n{{{ 12 \"")},
		"over-long answer":      {After: 3000, Garbage: []byte(strings.Repeat("* OK so much to say ", 1<<20))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := imaptest.StartProxy(t, d.Port)
			p.Next(f, f)
			errs, took := faultyRun(t, d, p, "INBOX", want)
			t.Logf("%d errors, %v with a time-out of 1s", errs, took.Round(10*time.Millisecond))
		})
	}
}

func TestHalfOpenIdleIsNoticed(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	p := imaptest.StartProxy(t, d.Port)
	a := through(d, p)
	a.Poll, a.Quick = 500*time.Millisecond, -1
	r := newReader(t, a, "INBOX")
	r.all()
	p.Hold()
	d.Deliver("INBOX", letter(1), time.Time{})
	if err := r.f.Wait(t.Context()); err == nil {
		t.Fatal("Wait did not notice")
	}
	p.Release()
	r.all()
	if len(r.got) != 1 {
		t.Errorf("%d mails, want 1", len(r.got))
	}
}

func TestServerRestartWhileWaiting(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	a := account(d)
	a.Poll, a.Quick = time.Hour, -1
	r := newReader(t, a, "INBOX")
	r.all()
	done := make(chan error, 1)
	go func() { done <- r.f.Wait(t.Context()) }()
	d.Stop()
	err := <-done
	if err == nil {
		t.Error("Wait did not notice that the server ended")
	}
	if _, err := r.step(); err == nil || Permanent(err) {
		t.Errorf("Fetch without a server: %v", err)
	}
	d.Deliver("INBOX", letter(1), time.Time{})
	d.Start()
	r.all()
	if len(r.got) != 1 {
		t.Errorf("%d mails, want 1", len(r.got))
	}
}

func TestRefusedForAWhile(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	want := mixed(d, "INBOX", 5)
	d.SetPassword("another")
	r := newReader(t, account(d), "INBOX")
	if _, err := r.step(); !Permanent(err) || !strings.Contains(err.Error(), "login refused by 127.0.0.1") {
		t.Errorf("Fetch: %v", err)
	}
	d.SetPassword(d.Password)
	r.all()
	if lost, twice := r.exact(want); lost+twice > 0 {
		t.Errorf("%d lost, %d twice", lost, twice)
	}
}

func TestUIDValidityChangeReadsAnew(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	want := mixed(d, "INBOX", 30)
	a := account(d)
	a.Batch = 10
	r := newReader(t, a, "INBOX")
	r.step() // in the middle of the first read
	first := r.c.UIDValidity
	d.SetUIDValidity("INBOX", first+1000)
	d.Deliver("INBOX", letter(100), time.Time{})
	r.f.Close() // servers end connections to such a folder; Dovecot at its leisure
	r.all()
	if r.c.UIDValidity != first+1000 {
		t.Errorf("UIDVALIDITY %d, want %d", r.c.UIDValidity, first+1000)
	}
	// The store knows mails by their ID.
	ids := make(map[string]mailbox.Message)
	for _, m := range r.got {
		ids[m.ID] = m
	}
	if len(ids) != len(want)+1 {
		t.Errorf("%d different mails, want %d", len(ids), len(want)+1)
	}
}

func TestExpungedDuringTheSync(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	n := 2000
	for i := range n {
		d.Deliver("INBOX", letter(i), time.Time{})
	}
	a := account(d)
	a.Batch = 100
	r := newReader(t, a, "INBOX")
	for range 3 {
		if _, err := r.step(); err != nil {
			t.Fatal(err)
		}
	}
	d.Expunge("INBOX", "uid 1:1000")
	errs := r.retry(3)
	if len(errs) > 0 {
		t.Error(errs)
	}
	if len(r.got) < 1000 || len(r.got)+r.gone != n {
		t.Errorf("%d mails and %d gone, want %d together", len(r.got), r.gone, n)
	}
	seen := make(map[string]bool)
	for _, m := range r.got {
		if seen[m.ID] || m.Problem != "" {
			t.Errorf("UID %d again, or with a problem: %q", m.UID, m.Problem)
		}
		seen[m.ID] = true
	}
}

func TestAHugeMailIsReadInPart(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	d.Deliver("INBOX", "From: a@example.com\r\nSubject: huge\r\n\r\nThe words come first.\r\n"+strings.Repeat("and then nothing but noise\r\n", 60<<20/28), time.Time{})
	d.Deliver("INBOX", letter(1), time.Time{})
	r := newReader(t, account(d), "INBOX")
	r.all()
	if len(r.got) != 2 || r.got[1].Subject != "huge" || !strings.Contains(r.got[1].Text, "The words come first.") {
		t.Fatalf("%d mails, %q", len(r.got), r.subjects())
	}
	if n := len(r.got[1].Text); n > maxMail {
		t.Errorf("%d bytes of it", n)
	}
	if r.got[1].Size < 60<<20-100 {
		t.Errorf("Size %d is not the server's", r.got[1].Size)
	}
}

func TestTLSWithAnOwnAuthority(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	mixed(d, "INBOX", 5)
	for name, change := range map[string]func(*Account){
		"implicit": func(a *Account) { a.TLS, a.Port = TLS, d.TLSPort },
		"starttls": func(a *Account) { a.TLS, a.Port = STARTTLS, d.Port },
	} {
		a := account(d)
		change(&a)
		if _, err := Check(t.Context(), a, "INBOX"); !Permanent(err) || !strings.Contains(err.Error(), "is not trusted") {
			t.Errorf("%s without the CA: %v", name, err)
		}
		a.CAFile = d.CAFile
		r := newReader(t, a, "INBOX")
		r.all()
		if len(r.got) != 5 {
			t.Errorf("%s: %d mails, want 5", name, len(r.got))
		}
	}
}

func TestMarkWritesWhereAsked(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	d.Create("Login")
	d.Deliver("INBOX", letter(1), time.Time{})
	d.Deliver("INBOX", letter(2), time.Time{})
	r := newReader(t, account(d), "INBOX")
	r.all()
	m := NewMarker(account(d), "INBOX")
	defer m.Close()
	if err := m.Mark(t.Context(), r.c.UIDValidity, 1, "login", "Login"); err != nil {
		t.Fatal(err)
	}
	if out := d.Doveadm("search", "-u", d.Username, "mailbox", "INBOX", "keyword", "login"); strings.Count(out, "\n") != 1 {
		t.Errorf("with the keyword: %q", out)
	}
	if n := len(d.Flags("Login")); n != 1 {
		t.Errorf("%d copies", n)
	}
	if err := m.Mark(t.Context(), r.c.UIDValidity, 99, "login", ""); err != ErrMoved {
		t.Errorf("marking a mail that is gone: %v", err)
	}
	if err := m.Mark(t.Context(), r.c.UIDValidity+1, 1, "login", ""); err != ErrMoved {
		t.Errorf("marking under another UIDVALIDITY: %v", err)
	}
}

func TestListNamesFolders(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	d.Create("Done")
	names, err := List(t.Context(), account(d))
	if err != nil || len(names) != 2 {
		t.Errorf("List: %q, %v", names, err)
	}
	_, err = Check(t.Context(), account(d), "Inbox/Support")
	if err == nil || !strings.Contains(err.(*Error).Advice(), "Done") {
		t.Errorf("Check: %v", err)
	}
}

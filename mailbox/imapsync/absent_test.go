package imapsync

import (
	"context"
	"slices"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/mailbox"
)

// A mail that is moved before it was read, whether the server ever named it or
// not, is counted where it arrived and read where it went.
func TestMailMovedBeforeItWasReadIsFoundOrCounted(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	d.Create("Done")
	d.Deliver("INBOX", letter(1), time.Time{})
	d.Deliver("Done", letter(2), time.Time{})
	inbox := newReader(t, account(d), "INBOX")
	done := newReader(t, account(d), "Done")
	done.f.Filed()
	inbox.all()
	done.all()
	if inbox.c.Left != 0 || done.c.Left != 0 {
		t.Fatalf("after the first read %+v and %+v", inbox.c, done.c)
	}
	for i := 3; i <= 6; i++ {
		d.Deliver("INBOX", letter(i), time.Time{})
	}
	d.Move("INBOX", "Done", "header message-id 3@example.com")
	d.Expunge("INBOX", "header message-id 5@example.com")
	inbox.all()
	done.all()
	if want := []string{"mail 1", "mail 4", "mail 6"}; !slices.Equal(inbox.subjects(), want) {
		t.Errorf("INBOX: %q, want %q", inbox.subjects(), want)
	}
	if want := []string{"mail 2", "mail 3"}; !slices.Equal(done.subjects(), want) {
		t.Errorf("Done: %q, want %q", done.subjects(), want)
	}
	if inbox.c.Left != 2 || inbox.c.Taken != 2 || done.c.Left != 0 || done.c.Taken != 1 {
		t.Errorf("counted %+v and %+v, want 2 left and 2 taken, 0 and 1", inbox.c, done.c)
	}
	// Back again under a new UID: the same mail.
	before := inbox.got[slices.Index(inbox.subjects(), "mail 4")].ID
	d.Move("INBOX", "Done", "header message-id 4@example.com")
	done.all()
	d.Move("Done", "INBOX", "header message-id 4@example.com")
	inbox.all()
	for _, m := range []mailbox.Message{done.got[len(done.got)-1], inbox.got[len(inbox.got)-1]} {
		if m.Subject != "mail 4" || m.ID != before {
			t.Errorf("moved out and back: %q has ID %s, want %s", m.Subject, m.ID, before)
		}
	}
	if inbox.c.Left != 2 {
		t.Errorf("a mail that was read and moved counts as missed: %+v", inbox.c)
	}
}

// A folder that is deleted and made again while it is open is noticed, and read
// anew.
func TestAFolderMadeAgainIsReadAnew(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	d.Doveadm("mailbox", "create", "-u", d.Username, "Queue")
	d.Deliver("Queue", letter(1), time.Time{})
	a := account(d)
	a.Poll = time.Second
	r := newReader(t, a, "Queue")
	r.all()
	first := r.c.UIDValidity
	d.Doveadm("mailbox", "delete", "-u", d.Username, "Queue")
	time.Sleep(1100 * time.Millisecond) // UIDVALIDITY is the second of its making
	d.Doveadm("mailbox", "create", "-u", d.Username, "Queue")
	d.Deliver("Queue", letter(2), time.Time{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !slices.Contains(r.subjects(), "mail 2") && ctx.Err() == nil {
		r.f.examined = time.Time{} // as when the minute is over
		if _, err := r.step(); err == nil {
			r.f.Wait(ctx)
		}
	}
	if r.c.UIDValidity == first || !slices.Contains(r.subjects(), "mail 2") {
		t.Errorf("UIDVALIDITY %d, before %d; read %q", r.c.UIDValidity, first, r.subjects())
	}
}

// What a form sends without Message-ID and Date, in the same words each time, is
// a mail each time; a copy of one is not.
func TestMailsWithNothingToTellThemApart(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	form := "From: form@example.com\r\nSubject: Contact\r\n\r\nI cannot log in.\r\n"
	now := time.Now()
	d.Deliver("INBOX", form, now.Add(-time.Hour))
	d.Deliver("INBOX", form, now.Add(-2*time.Hour))
	d.Deliver("INBOX", "\r\n", now.Add(-time.Hour))
	d.Deliver("INBOX", "From: x\r\n\r\n", now.Add(-time.Hour))
	d.Create("Done")
	d.Doveadm("copy", "-u", d.Username, "Done", "mailbox", "INBOX", "all")
	a := account(d)
	a.Parse = mailbox.Parse
	ids := map[string]int{}
	for _, folder := range []string{"INBOX", "Done"} {
		r := newReader(t, a, folder)
		r.all()
		for _, m := range r.got {
			ids[m.ID]++
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d different mails, want 4: %v", len(ids), ids)
	}
}

// Folders that share a connection are all read. The proxy may see a connection
// begin before it has seen the last one end, but never three.
func TestFoldersTakeTurns(t *testing.T) {
	t.Parallel()
	d := imaptest.StartDovecot(t)
	p := imaptest.StartProxy(t, d.Port)
	a := account(d)
	a.Port, a.Poll = p.Port, 50*time.Millisecond
	turns := NewTurns(1)
	type result struct {
		folder string
		err    error
	}
	results := make(chan result)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	folders := []string{"A", "B", "C"}
	for i, folder := range folders {
		d.Deliver(folder, letter(i), time.Time{})
		go func() {
			r := newReader(t, a, folder)
			r.f.TakeTurns(turns)
			var err error
			for err == nil && len(r.got) < 2 { // a second mail comes later
				var more bool
				if more, err = r.step(); err == nil && !more {
					if len(r.got) == 1 {
						d.Deliver(folder, letter(10+i), time.Time{})
					}
					err = r.f.Wait(ctx)
				}
			}
			r.f.Close()
			results <- result{folder, err}
		}()
	}
	for range folders {
		if r := <-results; r.err != nil {
			t.Errorf("folder %s: %v", r.folder, r.err)
		}
	}
	if n := p.Most(); n > 2 {
		t.Errorf("%d connections at a time", n)
	}
}

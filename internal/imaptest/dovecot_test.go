package imaptest

import (
	"strings"
	"testing"
	"time"
)

func TestDovecotDeliversAndCounts(t *testing.T) {
	d := StartDovecot(t)
	name := d.Deliver("INBOX", "From: a@example.com\r\nSubject: hello\r\n\r\nhello\r\n", time.Time{})
	if flags, ok := d.Flags("INBOX")[name]; !ok || flags != "" {
		t.Errorf("Flags: %q, %v; want none", flags, ok)
	}
	out := d.Doveadm("mailbox", "status", "-u", d.Username, "messages", "INBOX")
	if !strings.Contains(out, "messages=1") {
		t.Errorf("mailbox status: %s", out)
	}
	d.SetUIDValidity("INBOX", 4711)
	out = d.Doveadm("mailbox", "status", "-u", d.Username, "uidvalidity", "INBOX")
	if !strings.Contains(out, "4711") {
		t.Errorf("mailbox status: %s", out)
	}
	d.Restart()
	d.Expunge("INBOX", "all")
	if n := len(d.Flags("INBOX")); n != 0 {
		t.Errorf("%d mails after expunge", n)
	}
}

package digest

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	gomail "github.com/emersion/go-message/mail"

	"tocsin/internal/page"
)

// postOffice takes one mail over SMTP (RFC 5321) and hands it on. What it is
// asked is always answered, so that the client alone decides what it sends.
func postOffice(l net.Listener, got chan<- []byte) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := textproto.NewConn(conn)
	c.PrintfLine("220 localhost ESMTP")
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "EHLO":
			c.PrintfLine("250-localhost")
			c.PrintfLine("250 8BITMIME")
		case "DATA":
			c.PrintfLine("354 go on")
			raw, err := c.ReadDotBytes()
			if err != nil {
				return
			}
			got <- raw
			c.PrintfLine("250 taken")
		case "QUIT":
			c.PrintfLine("221 bye")
			return
		default:
			c.PrintfLine("250 yes")
		}
	}
}

// TestTheDigestArrivesWhole: over SMTP, both parts as they were made, with the
// headline as its subject, and as a mail that a machine wrote.
func TestTheDigestArrivesWhole(t *testing.T) {
	o := filled(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan []byte, 1)
	go postOffice(l, got)
	out := &page.SMTP{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "none", From: "tocsin@example.com", InstallID: o.Store.InstallID()}
	s := &Sender{Options: o, To: []string{"lead@example.com", "team@example.com"}, Send: out.Send, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	w, _ := ParseWeek("2026-W47", o.WeekStart, o.Location)
	if err := s.SendWeek(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	raw := <-got
	m, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	d := build(t, o, "2026-W47")
	if subject, _ := m.Header.Subject(); subject != d.Subject() {
		t.Errorf("subject %q, want %q", subject, d.Subject())
	}
	if id, _ := m.Header.MessageID(); !strings.HasPrefix(id, "digest.2026-W47.") {
		t.Errorf("Message-ID %q does not tell the week", id)
	}
	if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Bcc") != "" {
		t.Errorf("headers %v", m.Header.Map())
	}
	for _, want := range []string{d.Text(), d.HTML()} {
		p, err := m.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(string(body), "\r\n", "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("a part arrived as\n%s\nwant\n%s", got, want)
		}
	}
	for line := range strings.Lines(string(raw)) {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes: RFC 5321 §4.5.3.1.6 allows 1000", len(line))
		}
	}
}

// FuzzParseWeek: what is read is written the same, and holds seven days.
func FuzzParseWeek(f *testing.F) {
	loc := berlin(f)
	for _, s := range []string{"2026-W47", "2026-W53", "2025-W53", "1970-W01", "+026-W-1", "2026-W 1", "2026-W4７"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, s string, day int) {
		start := time.Weekday(((day % 7) + 7) % 7)
		w, err := ParseWeek(s, start, loc)
		if err == nil && (w.String() != s || w.From.Weekday() != start || w.From.AddDate(0, 0, 7) != w.To) {
			t.Errorf("ParseWeek(%q) = %s, %s to %s", s, w, w.From, w.To)
		}
	})
}

// FuzzOneLine: whatever a customer writes is one line without a character that
// steers a terminal or turns the reading direction.
func FuzzOneLine(f *testing.F) {
	f.Add(hostile)
	f.Add("\x1b]0;x\a\u2028\u2066\x80")
	f.Fuzz(func(t *testing.T, s string) {
		if got := oneLine(s); strings.ContainsAny(got, "\r\n\x1b\a\u0085\u2028\u2029\u202e\u2066\x00") {
			t.Errorf("oneLine(%q) = %q", s, got)
		}
		if got := md(s); strings.Contains(strings.ToLower(got), "https:") || strings.Contains(got, "\n") {
			t.Errorf("md(%q) = %q", s, got)
		}
	})
}

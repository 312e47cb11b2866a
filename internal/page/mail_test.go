package page

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tocsin/detect"
	"tocsin/mailbox"
)

// postOffice is a mail server that keeps what it is given and how it was
// signed in to.
type postOffice struct {
	mu      sync.Mutex
	letters []string
	to      []string
	signed  []string
	refuse  error // of a recipient
	host    string
	port    int
	ca      string
}

type counter struct {
	*postOffice
	c *smtp.Conn
}

func (o *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) { return &counter{o, c}, nil }

func (s *counter) AuthMechanisms() []string { return []string{"PLAIN", "XOAUTH2"} }

func (s *counter) Auth(mech string) (sasl.Server, error) {
	_, secure := s.c.TLSConnectionState()
	note := func(what string) {
		s.mu.Lock()
		s.signed = append(s.signed, map[bool]string{true: "TLS ", false: "clear "}[secure]+what)
		s.mu.Unlock()
	}
	if mech == "XOAUTH2" {
		return xoauth2(func(r []byte) { note(strings.ReplaceAll(string(r), "\x01", "|")) }), nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error {
		note("PLAIN " + user + " " + password)
		if password != "secret" {
			return &smtp.SMTPError{Code: 535, Message: "wrong password"}
		}
		return nil
	}), nil
}

// xoauth2 takes whatever token it is given.
type xoauth2 func([]byte)

func (f xoauth2) Next(r []byte) ([]byte, bool, error) {
	if r == nil {
		return []byte{}, false, nil
	}
	f(r)
	return nil, true, nil
}

func (s *counter) Reset()                               {}
func (s *counter) Logout() error                        { return nil }
func (s *counter) Mail(string, *smtp.MailOptions) error { return nil }

func (s *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	s.to = append(s.to, to)
	return nil
}

func (s *counter) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.mu.Lock()
	s.letters = append(s.letters, string(b))
	s.mu.Unlock()
	return err
}

// newPostOffice listens with STARTTLS, or with TLS from the first byte.
func newPostOffice(t *testing.T, implicit bool) *postOffice {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate of 127.0.0.1
	t.Cleanup(web.Close)
	o := &postOffice{host: "127.0.0.1", ca: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(o.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(o)
	s.Domain, s.TLSConfig = "localhost", &tls.Config{Certificates: web.TLS.Certificates}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.port = l.Addr().(*net.TCPAddr).Port
	if implicit {
		l = tls.NewListener(l, s.TLSConfig)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return o
}

func (o *postOffice) client(mode string) *SMTP {
	return &SMTP{Host: o.host, Port: o.port, TLS: mode, CAFile: o.ca, Username: "tocsin@example.com", From: "Tocsin <tocsin@example.com>", InstallID: "install-1",
		Password: func() (string, error) { return "secret", nil }}
}

// TestMailGoesOnlyOverTLSAndSignsInAsAsked.
func TestMailGoesOnlyOverTLSAndSignsInAsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		mode    string
		xoauth2 bool
		want    string
	}{
		"STARTTLS, PLAIN":   {"starttls", false, "TLS PLAIN tocsin@example.com secret"},
		"TLS, PLAIN":        {"implicit", false, "TLS PLAIN tocsin@example.com secret"},
		"STARTTLS, XOAUTH2": {"starttls", true, "TLS user=tocsin@example.com|auth=Bearer secret||"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newPostOffice(t, c.mode == "implicit")
			s := o.client(c.mode)
			s.XOAUTH2 = c.xoauth2
			if err := (&Mail{SMTP: s, To: []string{"oncall@example.com", "lead@example.com"}}).Page(t.Context(), nine()); err != nil {
				t.Fatal(err)
			}
			if len(o.letters) != 1 || strings.Join(o.to, " ") != "oncall@example.com lead@example.com" || strings.Join(o.signed, "; ") != c.want {
				t.Errorf("%d letters to %v, signed in as %q, want %q", len(o.letters), o.to, o.signed, c.want)
			}
			s.CAFile = ""
			if err := s.Check(t.Context()); err == nil {
				t.Error("a server that nobody vouches for was believed")
			}
		})
	}
}

// TestAnIncidentIsOneThread that a machine wrote, and a copy of it in the inbox
// is known as our own.
func TestAnIncidentIsOneThread(t *testing.T) {
	o := newPostOffice(t, false)
	p := &Mail{SMTP: o.client("starttls"), To: []string{"oncall@example.com"}}
	again := nine()
	end := nine().with(detect.DidResolve)
	end.Delivery = 8
	for _, g := range []Page{nine(), again, end} {
		if err := p.Page(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for n, raw := range o.letters {
		m, err := mail.ReadMessage(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.Header.Get("Message-ID"))
		if n == 2 && (m.Header.Get("References") != ids[0] || m.Header.Get("In-Reply-To") != ids[0]) {
			t.Errorf("the end refers to %q, and the page is %q", m.Header.Get("References"), ids[0])
		}
		if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("X-Tocsin-Incident") != again.Incident.ID {
			t.Errorf("headers %v", m.Header)
		}
		read := (&mailbox.Parser{InstallID: "install-1"}).Parse([]byte(raw))
		if read.Automated != mailbox.Own {
			t.Errorf("in the inbox it is taken for %q", read.Automated)
		}
		if n == 0 {
			for _, want := range []string{"9 customers in 6 min", "First complaint: 09:45", "web 2.4.0 at 09:40", "jsonwebtoken 9.0.2 -> 8.5.1", "I can't log in since this morning", again.Link} {
				if !strings.Contains(read.Text, want) {
					t.Errorf("the mail does not say %q:\n%s", want, read.Text)
				}
			}
		}
	}
	if ids[0] != ids[1] || ids[0] == ids[2] {
		t.Errorf("Message-IDs %v: a repeat must carry the same, another page another", ids)
	}
}

// TestHostileTextStaysInItsMail: no header, no recipient more.
func TestHostileTextStaysInItsMail(t *testing.T) {
	o := newPostOffice(t, false)
	if err := (&Mail{SMTP: o.client("starttls"), To: []string{"oncall@example.com"}}).Page(t.Context(), hostilePage()); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(o.letters[0]))
	if err != nil || m.Header.Get("Bcc") != "" || len(o.to) != 1 {
		t.Errorf("recipients %v, Bcc %q, %v", o.to, m.Header.Get("Bcc"), err)
	}
	if len(o.letters[0]) > 40_000 {
		t.Errorf("the mail has %d bytes", len(o.letters[0]))
	}
}

// TestWhichMailErrorsAreFinal: a refused recipient is, a server in trouble or a
// wrong password is not.
func TestWhichMailErrorsAreFinal(t *testing.T) {
	for name, c := range map[string]struct {
		refuse   error
		password string
		final    bool
	}{
		"no such recipient": {&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}, "secret", true},
		"greylisted":        {&smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "come again"}, "secret", false},
		"wrong password":    {nil, "wrong", false},
	} {
		o := newPostOffice(t, false)
		o.refuse = c.refuse
		s := o.client("starttls")
		s.Password = func() (string, error) { return c.password, nil }
		err := s.Send(t.Context(), Letter{To: []string{"oncall@example.com"}, Subject: "x", Text: "y"})
		var e *sendError
		if !errors.As(err, &e) || e.Permanent() != c.final {
			t.Errorf("%s: %v, final %v", name, err, e != nil && e.Permanent())
		}
		if err != nil && strings.Contains(err.Error(), c.password) && c.password == "secret" {
			t.Errorf("%s: the error shows the password", name)
		}
	}
	s := &SMTP{Host: "127.0.0.1", Port: 1, TLS: "none", From: "a@example.com"}
	var e *sendError
	if err := s.Send(t.Context(), Letter{To: []string{"b@example.com"}}); !errors.As(err, &e) || e.Permanent() {
		t.Errorf("nobody there: %v", err)
	}
}

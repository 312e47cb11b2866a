package page

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/wneessen/go-mail"
)

// SMTP sends mail. What it sends says that a machine wrote it (RFC 3834) and
// which installation, so that a copy in the inbox is known and not counted.
type SMTP struct {
	Host      string
	Port      int
	TLS       string // starttls, implicit, none (loopback only)
	CAFile    string
	Username  string
	Password  func() (string, error) // or an access token when XOAUTH2 is set
	XOAUTH2   bool
	From      string
	InstallID string
}

// Letter is a mail to send.
type Letter struct {
	To         []string
	Subject    string
	Text, HTML string
	MessageID  string            // without brackets; empty: made
	References string            // the first mail of its thread
	Headers    map[string]string // further ones
}

// Send delivers a letter to the configured server.
func (s *SMTP) Send(ctx context.Context, l Letter) error {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(s.From); err != nil {
		return &sendError{text: fmt.Sprintf("smtp.from %q: %v", s.From, err), final: true}
	}
	if err := m.To(l.To...); err != nil {
		return &sendError{text: fmt.Sprintf("recipient: %v", err), final: true}
	}
	m.Subject(printable(l.Subject))
	m.SetDate()
	if l.MessageID != "" {
		m.SetMessageIDWithValue(l.MessageID)
	} else {
		m.SetMessageID()
	}
	m.SetGenHeader(mail.Header("Auto-Submitted"), "auto-generated")
	m.SetGenHeader(mail.Header("X-Tocsin"), s.InstallID)
	if l.References != "" && l.References != l.MessageID {
		m.SetGenHeader(mail.HeaderReferences, "<"+l.References+">")
		m.SetGenHeader(mail.HeaderInReplyTo, "<"+l.References+">")
	}
	for k, v := range l.Headers {
		m.SetGenHeader(mail.Header(k), printable(v))
	}
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	return s.explain(c.DialAndSendWithContext(ctx, m))
}

// Check connects and signs in, and sends nothing.
func (s *SMTP) Check(ctx context.Context) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return s.explain(err)
	}
	return c.Close()
}

func (s *SMTP) client() (*mail.Client, error) {
	conf := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, &sendError{text: fmt.Sprintf("smtp.ca_file: %v", err), final: true}
		}
		conf.RootCAs = x509.NewCertPool()
		conf.RootCAs.AppendCertsFromPEM(pem)
	}
	opts := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(20 * time.Second), mail.WithTLSConfig(conf)}
	switch s.TLS {
	case "implicit":
		opts = append(opts, mail.WithSSL())
	case "none":
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.Username != "" && s.Password != nil {
		secret, err := s.Password()
		if err != nil {
			return nil, &sendError{text: err.Error()}
		}
		kind := mail.SMTPAuthAutoDiscover
		if s.XOAUTH2 {
			kind = mail.SMTPAuthXOAUTH2
		}
		opts = append(opts, mail.WithSMTPAuth(kind), mail.WithUsername(s.Username), mail.WithPassword(secret))
	}
	c, err := mail.NewClient(s.Host, opts...)
	if err != nil {
		return nil, &sendError{text: err.Error(), final: true}
	}
	return c, nil
}

// explain classes a failure: a refused address is final, a server that is not
// there is not. A refused login is tried again too: somebody will mend it, and
// the page must not be lost until then.
func (s *SMTP) explain(err error) error {
	if err == nil {
		return nil
	}
	e := &sendError{text: fmt.Sprintf("mail server %s: %s", net.JoinHostPort(s.Host, fmt.Sprint(s.Port)), printable(err.Error()))}
	var send *mail.SendError
	if errors.As(err, &send) && !send.IsTemp() && send.Reason != mail.ErrConnCheck {
		e.final = true
	}
	return e
}

package imapsync

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// session is one connection, signed in. One goroutine at a time uses it, and
// after any error but a server's NO it is good for nothing but close.
type session struct {
	acct   *Account
	guard  *guard
	client *imapclient.Client
	caps   imap.CapSet
	news   chan struct{} // size 1: the server spoke of new mail
	strays strays
}

// dial connects, protects the connection and signs in. A token that is refused
// may have been withdrawn before its time: a new one is tried at once.
func dial(ctx context.Context, a *Account) (*session, error) {
	if err := a.Door.enter(ctx); err != nil {
		return nil, err
	}
	s, err := dialOnce(ctx, a)
	if err != nil && a.Auth.Tokens != nil && isRefusal(err) && Permanent(err) {
		s, err = dialOnce(ctx, a)
	}
	a.Door.leave(err)
	return s, err
}

func dialOnce(ctx context.Context, a *Account) (*session, error) {
	if a.TLS == Plain && !loopback(a.Host) {
		return nil, &Error{Account: a.Name, What: "no TLS to " + a.Host, Final: true,
			Cure: "a connection without TLS is made to this machine only: set tls = \"implicit\" or \"starttls\""}
	}
	conf, err := a.tlsConfig()
	if err != nil {
		return nil, &Error{Account: a.Name, What: "cannot use ca_file", Err: err, Final: true}
	}
	within, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}}
	conn, err := d.DialContext(within, "tcp", a.address())
	if err != nil {
		return nil, orDone(ctx, a.dialError(err))
	}
	if conn, err = a.protect(within, conn, conf); err != nil {
		return nil, orDone(ctx, err)
	}
	s, err := start(ctx, a, conn)
	if err != nil {
		return nil, orDone(ctx, err)
	}
	return s, nil
}

// orDone prefers the caller's wish to end to what came of it.
func orDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// protect makes a connection as safe as the account wants it. It owns conn.
func (a *Account) protect(ctx context.Context, conn net.Conn, conf *tls.Config) (net.Conn, error) {
	if a.TLS == Plain {
		return conn, nil
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if a.TLS == STARTTLS {
		if err := startTLS(conn); err != nil {
			conn.Close()
			var no *noStartTLS
			if errors.As(err, &no) {
				return nil, &Error{Account: a.Name, What: a.Host + " does not offer STARTTLS", Err: err, Final: true,
					Cure: "try tls = \"implicit\" with port 993"}
			}
			return nil, a.silentOr(ctx, err)
		}
	}
	t := tls.Client(conn, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, a.silentOr(ctx, err)
	}
	if a.TLS == STARTTLS {
		// The client of go-imap waits for a greeting, and the server has spent
		// its own before the handshake. Whatever it said then, capabilities
		// included, was said by anybody and is forgotten.
		return &greeted{Conn: t, r: io.MultiReader(strings.NewReader("* OK STARTTLS done\r\n"), t)}, nil
	}
	return t, nil
}

// greeted is a connection with some bytes put in front.
type greeted struct {
	net.Conn
	r io.Reader
}

func (g *greeted) Read(b []byte) (int, error) { return g.r.Read(b) }

// noStartTLS is a server's refusal to begin TLS.
type noStartTLS struct{ line string }

func (e *noStartTLS) Error() string { return "it said " + printable(e.line) }

// startTLS speaks the few plain lines before the handshake (RFC 9051 section
// 6.2.1). It reads byte by byte: what follows the server's OK belongs to TLS,
// and plain commands smuggled in behind it must not be taken for the server's.
func startTLS(conn net.Conn) error {
	r := bufio.NewReaderSize(oneByte{conn}, 16)
	greeting, err := readLine(r)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(strings.ToUpper(greeting), "* OK") {
		return &noStartTLS{greeting} // PREAUTH too: it can no longer be upgraded
	}
	if _, err := io.WriteString(conn, "T0 STARTTLS\r\n"); err != nil {
		return err
	}
	for range 100 {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "* ") {
			continue
		}
		if !strings.HasPrefix(strings.ToUpper(line), "T0 OK") {
			return &noStartTLS{line}
		}
		return nil
	}
	return errTooMuch
}

// oneByte never reads ahead.
type oneByte struct{ io.Reader }

func (o oneByte) Read(b []byte) (int, error) { return o.Reader.Read(b[:min(1, len(b))]) }

func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return strings.TrimRight(string(line), "\r"), nil
		}
		if line = append(line, c); len(line) > 8<<10 {
			return "", errNotIMAP
		}
	}
}

// start makes a session of a connection. It owns conn.
func start(ctx context.Context, a *Account, conn net.Conn) (*session, error) {
	s := &session{acct: a, guard: newGuard(conn), news: make(chan struct{}, 1)}
	s.guard.begin(a.limits(smallAnswer))
	s.client = imapclient.New(s.guard, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(d *imapclient.UnilateralDataMailbox) {
				if d.NumMessages != nil {
					s.notice()
				}
			},
			Fetch: s.strays.take,
		},
	})
	err := s.do(ctx, smallAnswer, s.client.WaitGreeting)
	if err == nil {
		err = s.capabilities(ctx)
	}
	if err != nil {
		s.close()
		return nil, &Error{Account: a.Name, What: a.address() + " does not answer as an IMAP server", Err: err,
			Cure: "check host, port and tls: port 993 is for tls = \"implicit\", port 143 for tls = \"starttls\""}
	}
	if err := s.signIn(ctx); err != nil {
		s.close()
		return nil, err
	}
	// What is offered may differ once it is known to whom.
	if err := s.capabilities(ctx); err != nil {
		s.close()
		return nil, &Error{Account: a.Name, What: "connection to " + a.Host + " broke after the login", Err: err}
	}
	return s, nil
}

// notice remembers that there may be new mail.
func (s *session) notice() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// capabilities asks what the server can do: explicitly, for the client's own
// answer may be from before the login.
func (s *session) capabilities(ctx context.Context) error {
	return s.do(ctx, smallAnswer, func() error {
		caps, err := s.client.Capability().Wait()
		s.caps = caps
		return err
	})
}

// do runs one command under the guard, whose answer has at most n bytes. It
// returns the server's NO or BAD as *imap.Error, and otherwise the first cause.
func (s *session) do(ctx context.Context, n int64, command func() error) error {
	return s.within(ctx, s.acct.limits(n), command)
}

// brief runs a command that any server answers at once: its silence says sooner
// that the connection is half open.
func (s *session) brief(ctx context.Context, command func() error) error {
	l := s.acct.limits(maxLine)
	l.silence /= 2
	return s.within(ctx, l, command)
}

func (s *session) within(ctx context.Context, l limits, command func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.guard.begin(l)
	stop := context.AfterFunc(ctx, func() { s.guard.Close() })
	err := command()
	s.guard.end()
	if !stop() && err != nil {
		return ctx.Err()
	}
	return s.because(err)
}

// because finds the first cause of a command's error.
func (s *session) because(err error) error {
	if err == nil {
		return nil
	}
	var no *imap.Error
	if errors.As(err, &no) {
		return err
	}
	if cause := s.guard.cause(); cause != nil {
		return cause
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return errGone
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	// The client words its errors without keeping them.
	if text := err.Error(); strings.HasSuffix(text, "EOF") || strings.HasSuffix(text, "connection closed before greeting") {
		return errGone
	}
	return err
}

// close ends the connection without a word: it may be past listening.
func (s *session) close() {
	s.guard.Close()
	s.client.Close()
}

// logout ends the connection politely within a short time.
func (s *session) logout() {
	ctx, cancel := context.WithTimeout(context.Background(), min(s.acct.Timeout, 2*time.Second))
	defer cancel()
	s.do(ctx, smallAnswer, func() error { return s.client.Logout().Wait() })
	s.close()
}

// examine opens a folder for reading only.
func (s *session) examine(ctx context.Context, folder string) (*imap.SelectData, error) {
	var d *imap.SelectData
	err := s.do(ctx, smallAnswer, func() (err error) {
		d, err = s.client.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		var no *imap.Error
		if !errors.As(err, &no) {
			return nil, &Error{Account: s.acct.Name, What: fmt.Sprintf("connection broke while opening folder %q", folder), Err: err}
		}
		there, _ := s.list(ctx)
		return nil, s.acct.folderError(folder, err, there)
	}
	if strings.Contains(strings.ToUpper(s.guard.tagged()), "[READ-WRITE]") {
		return nil, &Error{Account: s.acct.Name, What: fmt.Sprintf("%s opened folder %q for writing though asked not to", s.acct.Host, folder), Final: true,
			Cure: "give Tocsin a login that may only read"}
	}
	if d.UIDValidity == 0 {
		return nil, &Error{Account: s.acct.Name, What: fmt.Sprintf("%s gives no UIDVALIDITY for folder %q", s.acct.Host, folder), Final: true,
			Cure: "without it mails cannot be told apart over time: the server must be mended"}
	}
	return d, nil
}

// list names the folders that can be opened.
func (s *session) list(ctx context.Context) ([]string, error) {
	var names []string
	err := s.do(ctx, maxLine, func() error {
		cmd := s.client.List("", "*", nil)
		for d := cmd.Next(); d != nil; d = cmd.Next() {
			if len(names) < maxFolders && !hasAttr(d.Attrs, imap.MailboxAttrNoSelect) && !hasAttr(d.Attrs, imap.MailboxAttrNonExistent) {
				names = append(names, d.Mailbox)
			}
		}
		return cmd.Close()
	})
	return names, err
}

// maxFolders is how many folders are listed at most.
const maxFolders = 10000

func hasAttr(attrs []imap.MailboxAttr, want imap.MailboxAttr) bool {
	for _, a := range attrs {
		if strings.EqualFold(string(a), string(want)) {
			return true
		}
	}
	return false
}

// search returns the UIDs that meet the criteria, ascending.
func (s *session) search(ctx context.Context, c *imap.SearchCriteria) ([]imap.UID, error) {
	var opt *imap.SearchOptions
	if s.caps.Has(imap.CapESearch) || s.caps.Has(imap.CapIMAP4rev2) {
		opt = &imap.SearchOptions{ReturnAll: true} // ranges instead of numbers
	}
	var uids []imap.UID
	err := s.do(ctx, maxLine, func() error {
		d, err := s.client.UIDSearch(c, opt).Wait()
		if err != nil {
			return err
		}
		uids, err = expand(d.All)
		return err
	})
	return uids, err
}

// maxUIDs bounds what one search may name: a range costs a server nothing.
const maxUIDs = 10_000_000

// expand lists the UIDs of a set; go-imap's own AllUIDs has no bound.
func expand(set imap.NumSet) ([]imap.UID, error) {
	if set == nil {
		return nil, nil
	}
	ranges, ok := set.(imap.UIDSet)
	if !ok {
		return nil, errNotIMAP
	}
	var uids []imap.UID
	for _, r := range ranges {
		if r.Start == 0 || r.Stop < r.Start {
			return nil, errNotIMAP
		}
		if int64(r.Stop)-int64(r.Start) >= int64(maxUIDs-len(uids)) {
			return nil, errTooMuch
		}
		for u := r.Start; ; u++ {
			uids = append(uids, u)
			if u == r.Stop {
				break
			}
		}
	}
	return uids, nil
}

// noop lets the server say what it has to say.
func (s *session) noop(ctx context.Context) error {
	return s.brief(ctx, func() error { return s.client.Noop().Wait() })
}

// idle waits until the server speaks of new mail, or for d. It leaves no IDLE
// behind.
func (s *session) idle(ctx context.Context, d time.Duration) error {
	var cmd *imapclient.IdleCommand
	err := s.brief(ctx, func() (err error) {
		cmd, err = s.client.Idle()
		return err
	})
	if err != nil {
		return err
	}
	s.sleep(ctx, d)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.brief(ctx, func() error {
		if err := cmd.Close(); err != nil {
			return err
		}
		return cmd.Wait()
	})
}

// sleep ends with the time, the connection, ctx, or the server's first word.
func (s *session) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.news:
		s.notice()
	case <-t.C:
	case <-s.client.Closed():
	case <-ctx.Done():
	}
}

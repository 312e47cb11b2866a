// Package imapsync is how mail gets here: it reads folders on IMAP servers as
// if nobody did.
//
// Its nouns are Account (a server and who signs in), Folder (one folder of it,
// read batch by batch from a mailbox.Cursor) and Error (what went wrong, in
// words, with advice). It promises that
//
//   - a folder is opened with EXAMINE and read with BODY.PEEK: no flag changes;
//   - every UID the server names is delivered, reported as gone, or delivered
//     as a Message whose Problem says why it could not be read: the cursor never
//     moves over a hole silently;
//   - no answer of a server, however long, deep, slow or late, takes more than a
//     bounded amount of memory and time.
//
// Mails under 64 KB are fetched whole; of larger ones the header, the structure
// and the text parts only, put together again as a smaller mail in which
// attachments are empty and carry their size in the field X-Tocsin-Size.
//
// This is the only package that imports go-imap's client, and the workarounds
// for it (github.com/emersion/go-imap v2.0.0-beta.8) are all here.
package imapsync

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"tocsin/mailbox"
)

// TLSMode says how a connection is protected.
type TLSMode int

// The ways to connect. Implicit TLS is the zero value (RFC 8314).
const (
	TLS      TLSMode = iota // TLS from the first byte, port 993
	STARTTLS                // plain, then upgraded before anything is said, port 143
	Plain                   // no protection: loopback only
)

// Bounds of what is read of one mail, in bytes.
const (
	maxMail      = 5 << 20   // of any mail
	wholeMail    = 64 << 10  // mails smaller than this are fetched whole
	maxHeader    = 256 << 10 // of a large mail's header
	maxPart      = 1 << 20   // of one text part as transported
	maxForwarded = 256 << 10 // of an enclosed message
	maxPartMIME  = 16 << 10  // of one part's header
)

// Account is one mailbox as configured: a server, who signs in, and how. It is
// a value: copies share nothing that changes but Auth and Door.
type Account struct {
	Name     string // of the mailbox in the configuration
	Host     string
	Port     int // 0: 993, or 143 without implicit TLS
	TLS      TLSMode
	CAFile   string // certificates (PEM) to trust beside the system's
	Username string // for OAuth2 the address of the mailbox read
	Auth     Auth
	Door     *Door // of all folders of the account; nil: each signs in for itself

	// Backfill is how much history a folder read for the first time brings;
	// 0 brings none.
	Backfill time.Duration
	// Poll is how often a folder is looked at even if the server says nothing;
	// 0 means a minute.
	Poll time.Duration
	// Quick is how often to ask a server on this machine for news in place of
	// IDLE: Dovecot tells an idling client half a second after the delivery, by
	// a constant of its own, and a question costs it 70 µs. 0 means 60 ms where
	// the host is loopback; negative, or any other host, means IDLE.
	Quick time.Duration
	// NoIdle turns IDLE off.
	NoIdle bool
	// IdleRestart bounds one IDLE; 0 means 5 minutes. Many networks forget a
	// connection that is silent for longer (RFC 2177 itself asks for 29).
	IdleRestart time.Duration
	// Timeout is the longest silence of a server that owes an answer; 0 means a
	// minute.
	Timeout time.Duration
	// MinRate is the least bytes a second of an answer, after Timeout twice
	// over; 0 means 1,024.
	MinRate int64
	// Batch is how many mails one Fetch takes at most; 0 means 200.
	Batch int

	// DayBytes bounds what is read a day while there is history to read; new
	// mail always is. 0 means 1.5 GB where the host is Gmail's, which allows 2.5
	// GB a day to all who read a mailbox, and no bound elsewhere.
	DayBytes int64

	// Parse turns a mail as transported into a Message; it must not keep raw.
	// Several calls run at once.
	Parse func(raw []byte) mailbox.Message
	// Log may be nil; Now may be nil, for time.Now.
	Log *slog.Logger
	Now func() time.Time
}

// withDefaults fills in what was left open.
func (a Account) withDefaults() Account {
	if a.Port == 0 {
		a.Port = 993
		if a.TLS != TLS {
			a.Port = 143
		}
	}
	if a.Poll <= 0 {
		a.Poll = time.Minute
	}
	if a.Quick == 0 {
		a.Quick = 60 * time.Millisecond
	}
	if a.NoIdle || !loopback(a.Host) {
		a.Quick = -1
	}
	if a.IdleRestart <= 0 {
		a.IdleRestart = 5 * time.Minute
	}
	if a.Timeout <= 0 {
		a.Timeout = time.Minute
	}
	if a.MinRate <= 0 {
		a.MinRate = 1024
	}
	if a.Batch <= 0 {
		a.Batch = 200
	}
	if host := strings.ToLower(a.Host); a.DayBytes == 0 && (strings.HasSuffix(host, ".gmail.com") || strings.HasSuffix(host, ".googlemail.com")) {
		a.DayBytes = 1500 << 20
	}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	if a.Now == nil {
		a.Now = time.Now
	}
	return a
}

func (a *Account) address() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// limits of a command whose answer has at most n bytes.
func (a *Account) limits(n int64) limits {
	return limits{silence: a.Timeout, grace: 2 * a.Timeout, rate: a.MinRate, bytes: min(n, maxAnswer)}
}

// tlsConfig trusts the system's certificates and the account's own.
func (a *Account) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{ServerName: a.Host, MinVersion: tls.VersionTLS12, NextProtos: []string{"imap"}}
	if a.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", a.CAFile)
	}
	c.RootCAs = pool
	return c, nil
}

// loopback tells whether the host is this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

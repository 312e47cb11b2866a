package imapsync

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode"

	"github.com/emersion/go-imap/v2"
)

// Error says what went wrong with a mailbox, for the person who set it up.
type Error struct {
	Account string
	What    string // "login refused by imap.example.com"
	Cure    string // what to do about it; may be empty
	Final   bool   // trying again soon will not help
	Folder  string // the folder that cannot be opened, where the sign-in itself worked
	Err     error  // may be nil
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("mailbox %q: %s", e.Account, e.What)
	if e.Err != nil {
		s += ": " + reason(e.Err)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Advice says what to do about it; it may be empty.
func (e *Error) Advice() string { return e.Cure }

// Permanent tells whether a person has to do something first: a refused login,
// a missing folder, a certificate that is not trusted.
func (e *Error) Permanent() bool { return e.Final }

// Permanent tells whether an error of this package waits for a person, so that
// trying again should be rare.
func Permanent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Final
}

// IsFolder tells whether only one folder is wrong, not the account.
func IsFolder(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Folder != ""
}

// reason words a cause without the layers that made it.
func reason(err error) string {
	var no *imap.Error
	if errors.As(err, &no) {
		return statusText(no)
	}
	return printable(err.Error())
}

// statusText is what a server said with NO or BAD.
func statusText(e *imap.Error) string {
	s := strings.TrimSpace(printable(e.Text))
	switch {
	case s == "" && e.Code != "":
		return string(e.Code)
	case s == "":
		return "it said " + string(e.Type)
	case e.Code != "" && !strings.EqualFold(string(e.Code), s):
		return fmt.Sprintf("%s [%s]", s, printable(string(e.Code)))
	}
	return s
}

// printable makes a server's words fit for a line of a terminal: they are as
// hostile as a mail.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + " …"
	}
	return s
}

// dialError words a connection that did not come about.
func (a *Account) dialError(err error) *Error {
	e := &Error{Account: a.Name, What: "cannot reach " + a.address(), Err: err}
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		e.Err = fmt.Errorf("no such host or no name service: %s", dns.Err)
		e.Cure = "check host; can this machine resolve names?"
	case errors.As(err, &unknown):
		e.What, e.Final = "the certificate of "+a.Host+" is not trusted", true
		e.Cure = "if it is your own, put its CA (or itself, when self-signed) into a file and name it with ca_file"
	case errors.As(err, &name):
		e.What, e.Final = "the certificate of "+a.Host+" is for another name", true
		e.Cure = "set host to a name in the certificate"
	case errors.As(err, &invalid):
		e.What, e.Final = "the certificate of "+a.Host+" is not valid", true
		e.Cure = "if it has expired, it must be renewed on the server; else check this machine's clock"
	case errors.As(err, &record):
		e.What, e.Final = a.address()+" does not speak TLS", true
		e.Cure = "port 993 is for tls = \"implicit\"; port 143 needs tls = \"starttls\""
	default:
		e.Cure = "check host and port, and that a firewall lets this machine out"
	}
	return e
}

// silentOr words a connection that was made and came to nothing: two sides of
// which each waits for the other to begin are silent until the time is over.
func (a *Account) silentOr(ctx context.Context, err error) *Error {
	if ctx.Err() == nil {
		return a.dialError(err)
	}
	return &Error{Account: a.Name, What: a.address() + " took the connection and said nothing",
		Cure: "check port and tls: port 993 is for tls = \"implicit\", port 143 for tls = \"starttls\""}
}

// loginError words a refused sign-in.
func (a *Account) loginError(err error) *Error {
	e := &Error{Account: a.Name, What: "login refused by " + a.Host, Err: err, Final: true}
	var no *imap.Error
	if !errors.As(err, &no) {
		e.What, e.Final = "login at "+a.Host+" did not come to an end", false
		return e
	}
	text := strings.ToLower(no.Text)
	switch no.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug:
		e.What, e.Final = a.Host+" cannot take a login at present", false
		e.Cure = "it is tried again; too many connections at once are refused by some servers"
		return e
	case imap.ResponseCodeExpired:
		e.Cure = "the password has expired: set a new one"
		return e
	}
	switch host := strings.ToLower(a.Host); {
	case strings.Contains(text, "application-specific password"), strings.HasSuffix(host, "gmail.com"), strings.HasSuffix(host, "googlemail.com"):
		e.Cure = "Gmail needs an app password (2-step verification must be on) or OAuth2 (README, \"Gmail\")"
	case strings.HasSuffix(host, "office365.com"), strings.HasSuffix(host, "outlook.com"):
		if a.Auth.Tokens == nil {
			e.Cure = "Microsoft 365 takes no passwords for IMAP: use OAuth2 (README, \"Microsoft 365\")"
		} else {
			e.Cure = "the token was good enough to be sent: check that the application has IMAP.AccessAsApp, that New-ServicePrincipal used the object id of the enterprise application, that it has FullAccess to " + a.Username + ", and that IMAP is enabled there"
		}
	case a.Auth.Tokens != nil:
		e.Cure = "check username and the scopes of the token; after a change of password consent anew with tocsin login"
	default:
		e.Cure = "check username and password; Gmail needs an app password or OAuth2 (README, \"Gmail\")"
	}
	return e
}

// folderError words a folder that cannot be opened.
func (a *Account) folderError(folder string, err error, there []string) *Error {
	e := &Error{Account: a.Name, What: fmt.Sprintf("cannot open folder %q", folder), Err: err, Folder: folder}
	var no *imap.Error
	if !errors.As(err, &no) {
		return e
	}
	e.Final = no.Type == imap.StatusResponseTypeNo && no.Code != imap.ResponseCodeUnavailable &&
		no.Code != imap.ResponseCodeInUse && no.Code != imap.ResponseCodeServerBug
	for _, name := range there {
		if name == folder {
			e.Cure = "it is there, but may not be read by " + a.Username
			return e
		}
	}
	if len(there) > 0 {
		e.What, e.Err = fmt.Sprintf("no folder %q on the server", folder), nil
		e.Cure = "folders there: " + printable(strings.Join(there, ", "))
	}
	return e
}

// brokenFetch is a FETCH that failed without bringing any of the mails asked
// for, first of them uid.
type brokenFetch struct {
	err   error
	uid   imap.UID
	count int // mails asked for
}

func (e *brokenFetch) Error() string { return e.err.Error() }
func (e *brokenFetch) Unwrap() error { return e.err }

// isNetwork tells whether a failure may be the network's as well as a mail's.
func isNetwork(err error) bool {
	return errors.Is(err, errSilent) || errors.Is(err, errSlow) || errors.Is(err, errGone) || errors.Is(err, errShort)
}

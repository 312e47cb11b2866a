package imapsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// Auth is how to sign in: a password, or tokens of OAuth2.
type Auth struct {
	// Password reads the password, each time it is needed: a secret file may
	// change while Tocsin runs.
	Password func() (string, error)
	// Tokens gives access tokens; it wins over Password.
	Tokens TokenSource
	// Bearer uses OAUTHBEARER (RFC 7628) where XOAUTH2, which Google and
	// Microsoft speak, is the default.
	Bearer bool
}

// Password is an Auth with a fixed password.
func Password(p string) Auth {
	return Auth{Password: func() (string, error) { return p, nil }}
}

// TokenSource gives access tokens. It is safe for concurrent use.
type TokenSource interface {
	// Token returns a token that is valid for a while yet.
	Token(ctx context.Context) (string, error)
	// Refused says that a token was not accepted, so that the next one is
	// fetched anew.
	Refused(token string)
}

// xoauth2 is Google's mechanism, which Microsoft took over and go-sasl refuses
// to have (developers.google.com/gmail/imap/xoauth2-protocol).
type xoauth2 struct {
	username, token string
	status          string // from the server's explanation of a refusal
}

// Start implements sasl.Client.
func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.username + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next implements sasl.Client. A refusal comes as a challenge with an
// explanation and must be answered with nothing before the NO arrives; an error
// here would leave the exchange open.
func (x *xoauth2) Next(challenge []byte) ([]byte, error) {
	x.status = explain(challenge)
	return []byte{}, nil
}

// bearer is OAUTHBEARER without the error that go-sasl's own client returns in
// the middle of the exchange. The dummy answer is that of RFC 7628 section 3.2.3.
type bearer struct {
	sasl.Client
	status string
}

func (b *bearer) Next(challenge []byte) ([]byte, error) {
	b.status = explain(challenge)
	return []byte{1}, nil
}

// explain reads the JSON with which a server refuses a token.
func explain(challenge []byte) string {
	var v struct {
		Status, Schemes, Scope string
	}
	if json.Unmarshal(challenge, &v) != nil || v.Status == "" {
		return ""
	}
	if v.Scope != "" {
		return fmt.Sprintf("status %s, scope %s", v.Status, v.Scope)
	}
	return "status " + v.Status
}

// signIn authenticates a session. After any refusal the connection must be
// closed: the client may be left in the middle of the exchange.
func (s *session) signIn(ctx context.Context) error {
	a := s.acct
	if s.client.State() == imap.ConnStateAuthenticated {
		return nil // PREAUTH
	}
	if a.Auth.Tokens != nil {
		return s.signInToken(ctx)
	}
	if a.Auth.Password == nil {
		return &Error{Account: a.Name, What: "no password and no OAuth2 configured", Final: true, Cure: "set password_file, password or oauth2"}
	}
	password, err := a.Auth.Password()
	if err != nil {
		return &Error{Account: a.Name, What: "cannot read the password", Err: err, Final: true}
	}
	switch {
	case s.caps.Has(imap.AuthCap("PLAIN")):
		err = s.do(ctx, smallAnswer, func() error {
			return s.client.Authenticate(sasl.NewPlainClient("", a.Username, password))
		})
	case !s.caps.Has(imap.CapLoginDisabled):
		err = s.do(ctx, smallAnswer, func() error { return s.client.Login(a.Username, password).Wait() })
	default:
		return &Error{Account: a.Name, What: a.Host + " takes no password", Final: true,
			Cure: "on port 143 set tls = \"starttls\"; else the server wants OAuth2"}
	}
	if err != nil {
		return a.loginError(err)
	}
	return nil
}

func (s *session) signInToken(ctx context.Context) error {
	a := s.acct
	token, err := a.Auth.Tokens.Token(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return a.tokenError(err)
	}
	x := &xoauth2{username: a.Username, token: token}
	b := &bearer{Client: sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: a.Username, Token: token, Host: a.Host, Port: a.Port})}
	var mech sasl.Client = x
	if a.Auth.Bearer {
		mech = b
	}
	err = s.do(ctx, smallAnswer, func() error { return s.client.Authenticate(mech) })
	if err == nil {
		return nil
	}
	var no *imap.Error
	if errors.As(err, &no) {
		a.Auth.Tokens.Refused(token)
		if status := x.status + b.status; status != "" {
			err = &imap.Error{Type: no.Type, Code: no.Code, Text: no.Text + " (" + status + ")"}
		}
	}
	return a.loginError(err)
}

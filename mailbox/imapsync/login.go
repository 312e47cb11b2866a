package imapsync

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// LoginOnDevice has a person consent on any device: show is called with the
// page to open and the code to enter there (RFC 8628). It waits until the
// person has done so, or the code has expired, and returns the refresh token
// for Refresh. It is for Microsoft and others; Google allows it for no mail.
func LoginOnDevice(ctx context.Context, p Provider, c Client, show func(page, code string)) (string, error) {
	if p.DeviceURL == "" {
		return "", &LoginError{What: "this provider has no sign-in on another device", Cure: "sign in with a browser on this machine"}
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, tokenClient())
	conf := p.config(c)
	code, err := conf.DeviceAuth(ctx)
	if err != nil {
		return "", loginFailed(ctx, err)
	}
	if code.Expiry.IsZero() { // the field is required, and a wait needs an end
		code.Expiry = time.Now().Add(15 * time.Minute)
	}
	show(printable(code.VerificationURI), printable(code.UserCode))
	token, err := conf.DeviceAccessToken(ctx, code)
	if err != nil {
		return "", loginFailed(ctx, err)
	}
	return refreshOf(token)
}

// LoginInBrowser has a person consent in a browser on this machine: show is
// called with the page to open, which leads back to a port of loopback (RFC
// 8252 section 7.3, with PKCE, RFC 7636). It returns the refresh token for
// Refresh. End ctx to stop waiting.
func LoginInBrowser(ctx context.Context, p Provider, c Client, show func(page string)) (string, error) {
	if p.AuthURL == "" {
		return "", &LoginError{What: "auth_url is not set", Cure: "name the provider's authorization endpoint"}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	conf := p.config(c)
	conf.RedirectURL = fmt.Sprintf("http://127.0.0.1:%d/", l.Addr().(*net.TCPAddr).Port)
	state, verifier := randomText(), oauth2.GenerateVerifier()

	answers := make(chan answered, 1)
	srv := &http.Server{Handler: landing(state, answers), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10}
	served := make(chan struct{})
	go func() {
		defer close(served)
		srv.Serve(l)
	}()
	defer func() {
		// The page that says it worked is to reach the browser.
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if srv.Shutdown(within) != nil {
			srv.Close()
		}
		<-served
	}()

	// Google gives a refresh token only with these two.
	show(conf.AuthCodeURL(state, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"), oauth2.S256ChallengeOption(verifier)))
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-answers:
		if a.err != nil {
			return "", a.err
		}
		ctx = context.WithValue(ctx, oauth2.HTTPClient, tokenClient())
		token, err := conf.Exchange(ctx, a.code, oauth2.VerifierOption(verifier))
		if err != nil {
			return "", loginFailed(ctx, err)
		}
		return refreshOf(token)
	}
}

// answered is what the browser brought back.
type answered struct {
	code string
	err  error
}

// landing is the page that the provider sends the browser to. Only an answer
// with the right state counts: any page in the browser could call the port.
func landing(state string, answers chan<- answered) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		q := r.URL.Query()
		if r.URL.Path != "/" || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
			http.Error(w, "This is not the sign-in Tocsin waits for.", http.StatusBadRequest)
			return
		}
		a := answered{code: q.Get("code")}
		if a.code == "" {
			why := q.Get("error_description")
			if why == "" {
				why = q.Get("error")
			}
			a.err = &LoginError{What: "the sign-in was refused", Err: errors.New(printable(why)), Cure: tokenAdvice(q.Get("error"), why)}
			fmt.Fprintln(w, "The sign-in was refused. The terminal says more.")
		} else {
			fmt.Fprintln(w, "Signed in. You may close this page; Tocsin goes on in the terminal.")
		}
		select {
		case answers <- a:
		default:
		}
	})
}

// LoginError says why a person's consent was not had.
type LoginError struct {
	What string
	Cure string
	Err  error // may be nil
}

// Error implements error.
func (e *LoginError) Error() string {
	if e.Err != nil {
		return "login: " + e.What + ": " + reason(e.Err)
	}
	return "login: " + e.What
}

// Unwrap returns the cause.
func (e *LoginError) Unwrap() error { return e.Err }

// Advice says what to do about it; it may be empty.
func (e *LoginError) Advice() string { return e.Cure }

func loginFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := (&Account{}).tokenError(err)
	return &LoginError{What: e.What, Err: e.Err, Cure: e.Cure}
}

func refreshOf(t *oauth2.Token) (string, error) {
	if t.RefreshToken == "" {
		return "", &LoginError{What: "the provider gave no refresh token",
			Cure: "for Microsoft add the scope offline_access; for Google remove the application from the account's list of apps and sign in again"}
	}
	return t.RefreshToken, nil
}

func randomText() string {
	b := make([]byte, 24)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

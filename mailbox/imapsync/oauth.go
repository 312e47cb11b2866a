package imapsync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/oauth2/google"
)

// Provider is where tokens come from.
type Provider struct {
	AuthURL   string // for a person's consent in a browser
	DeviceURL string // for a person's consent on another device
	TokenURL  string
	Scopes    []string
}

// Microsoft is Microsoft 365 for one tenant (directory id), read by an
// application when app is set, else on a person's behalf.
func Microsoft(tenant string, app bool) Provider {
	base := "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/"
	p := Provider{AuthURL: base + "authorize", DeviceURL: base + "devicecode", TokenURL: base + "token"}
	if app {
		p.Scopes = []string{"https://outlook.office365.com/.default"}
	} else {
		p.Scopes = []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"}
	}
	return p
}

// Google is Gmail and Google Workspace on a person's behalf. There is no
// consent on another device: Google allows none for mail.
func Google() Provider {
	return Provider{AuthURL: "https://accounts.google.com/o/oauth2/auth", TokenURL: "https://oauth2.googleapis.com/token",
		Scopes: []string{"https://mail.google.com/"}}
}

// Client is the registered application.
type Client struct {
	ID     string
	Secret string // may be empty for a public client
}

// freshFor is how long a token must be valid yet to be handed out.
const freshFor = 2 * time.Minute

// tokens keeps one token until it is nearly over or refused.
type tokens struct {
	fetch func(context.Context) (*oauth2.Token, error)

	mu    sync.Mutex
	token *oauth2.Token
}

// Token implements TokenSource.
func (t *tokens) Token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != nil && (t.token.Expiry.IsZero() || time.Until(t.token.Expiry) > freshFor) {
		return t.token.AccessToken, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	token, err := t.fetch(context.WithValue(ctx, oauth2.HTTPClient, tokenClient()))
	if err != nil {
		return "", err
	}
	t.token = token
	return token.AccessToken, nil
}

// Refused implements TokenSource.
func (t *tokens) Refused(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != nil && t.token.AccessToken == token {
		t.token = nil
	}
}

// tokenClient asks token endpoints: no redirects, which would carry a secret
// elsewhere.
func tokenClient() *http.Client {
	return &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ClientCredentials are an application's own tokens, with no person and no
// refresh token: Microsoft 365's shared mailboxes.
func ClientCredentials(p Provider, c Client) TokenSource {
	conf := clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: p.TokenURL, Scopes: p.Scopes, AuthStyle: oauth2.AuthStyleInParams}
	return &tokens{fetch: func(ctx context.Context) (*oauth2.Token, error) { return conf.Token(ctx) }}
}

// Refresh gives tokens for a refresh token that tocsin login obtained. Where
// the provider rotates it, save is called with the new one before its access
// token is used; when save fails the token is not handed out, and saving is
// tried again at the next call. A nil save keeps nothing, for a trial.
func Refresh(p Provider, c Client, refresh string, save func(refresh string) error) TokenSource {
	conf := p.config(c)
	saved, current := refresh, refresh
	return &tokens{fetch: func(ctx context.Context) (*oauth2.Token, error) {
		token, err := conf.TokenSource(ctx, &oauth2.Token{RefreshToken: current}).Token()
		if err != nil {
			return nil, err
		}
		if token.RefreshToken != "" {
			current = token.RefreshToken
		}
		if current != saved && save != nil {
			if err := save(current); err != nil {
				return nil, fmt.Errorf("saving the new refresh token: %w", err)
			}
			saved = current
		}
		return token, nil
	}}
}

// ServiceAccount gives tokens for a mailbox of a Google Workspace through a
// service account with domain-wide delegation. key is its JSON key, subject the
// mailbox's address; without scopes gmail.imap_admin is asked for.
func ServiceAccount(key []byte, subject string, scopes ...string) (TokenSource, error) {
	if len(scopes) == 0 {
		scopes = []string{"https://www.googleapis.com/auth/gmail.imap_admin"}
	}
	conf, err := google.JWTConfigFromJSON(key, scopes...)
	if err != nil {
		return nil, fmt.Errorf("service account key: %w", err)
	}
	conf.Subject = subject
	return &tokens{fetch: func(ctx context.Context) (*oauth2.Token, error) { return conf.TokenSource(ctx).Token() }}, nil
}

func (p Provider) config(c Client) *oauth2.Config {
	return &oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Scopes: p.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: p.AuthURL, DeviceAuthURL: p.DeviceURL, TokenURL: p.TokenURL, AuthStyle: oauth2.AuthStyleInParams}}
}

// tokenError words a token that could not be had. The answer's body is left
// out but for the standard fields: it may repeat what was sent.
func (a *Account) tokenError(err error) *Error {
	e := &Error{Account: a.Name, What: "no OAuth2 token", Err: err}
	var r *oauth2.RetrieveError
	if !errors.As(err, &r) {
		e.Cure = "check token_url and that a firewall lets this machine reach it"
		return e
	}
	status := 0
	if r.Response != nil {
		status = r.Response.StatusCode
	}
	e.Final = status >= 400 && status < 500 && status != http.StatusTooManyRequests
	text := r.ErrorDescription
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		text = text[:i] // Microsoft appends a trace of several lines
	}
	e.Err = fmt.Errorf("%s", strings.TrimSpace(fmt.Sprintf("%s %s", r.ErrorCode, text)))
	if r.ErrorCode == "" {
		e.Err = fmt.Errorf("the token endpoint answered %d", status)
	}
	e.Cure = tokenAdvice(r.ErrorCode, r.ErrorDescription)
	return e
}

// tokenAdvice knows the errors people meet. Codes: learn.microsoft.com
// "Microsoft Entra authentication and authorization error codes".
func tokenAdvice(code, text string) string {
	for _, known := range []struct{ sign, advice string }{
		{"AADSTS7000222", "the client secret has expired: create a new one in Entra (Certificates & secrets)"},
		{"AADSTS7000215", "the client secret is wrong: use the secret's value, not its id"},
		{"AADSTS700016", "the application is not known in this tenant: check client_id and tenant"},
		{"AADSTS90002", "there is no such tenant: check tenant (the directory id)"},
		{"AADSTS65001", "consent is missing: an administrator must grant it to the application in Entra"},
		{"AADSTS50076", "the person must confirm with a second factor: run tocsin login again"},
		{"AADSTS53003", "a conditional access policy of the tenant forbids it: ask its administrator"},
		{"AADSTS50173", "the password was changed since: run tocsin login again"},
		{"AADSTS700082", "the consent has expired unused: run tocsin login again"},
		{"AADSTS7000218", "the application is not a public client: set client_secret, or allow public client flows in Entra"},
		{"AADSTS70011", "the scope is wrong for this application"},
	} {
		if strings.Contains(text, known.sign) {
			return known.advice
		}
	}
	switch code {
	case "invalid_grant":
		return "the consent was withdrawn or has expired: run tocsin login again"
	case "invalid_client", "unauthorized_client":
		return "check client_id and client_secret; for Google's service account the administrator must allow its client id and scope (domain-wide delegation)"
	case "invalid_scope":
		return "check scopes"
	case "access_denied":
		return "the person or the administrator said no"
	}
	return ""
}

package imapsync

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"tocsin/internal/imaptest"
)

// endpoint answers token requests with the next of the given bodies.
func endpoint(t *testing.T, answers ...func(form url.Values) (int, string)) (Provider, *atomic.Int32) {
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		i := int(n.Add(1)) - 1
		if i >= len(answers) {
			t.Errorf("token request %d: %v", i+1, r.Form)
			i = len(answers) - 1
		}
		status, body := answers[i](r.Form)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	return Provider{TokenURL: srv.URL + "/token", DeviceURL: srv.URL + "/device", AuthURL: srv.URL + "/auth", Scopes: []string{"mail"}}, &n
}

func gives(token, refresh string) func(url.Values) (int, string) {
	return func(url.Values) (int, string) {
		return 200, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3600,"refresh_token":%q}`, token, refresh)
	}
}

// tokenServer is an IMAP server that takes one token, by either mechanism.
func tokenServer(t *testing.T, good func() string, ir bool) *imaptest.Fake {
	f := imaptest.StartFake(t, letters(2)...)
	f.Caps = "IMAP4rev1 AUTH=XOAUTH2 AUTH=OAUTHBEARER"
	if ir {
		f.Caps += " SASL-IR"
	}
	f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
		rest, ok := strings.CutPrefix(line, "AUTHENTICATE ")
		if !ok {
			return false
		}
		_, initial, ok := strings.Cut(rest, " ")
		if !ok {
			c.Send("+ \r\n")
			initial = c.ReadLine()
		}
		raw, _ := base64.StdEncoding.DecodeString(initial)
		if strings.Contains(string(raw), "\x01auth=Bearer "+good()+"\x01\x01") && strings.Contains(string(raw), "support@example.com") {
			c.Send("%s OK done\r\n", tag)
			return true
		}
		c.Send("+ %s\r\n", base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}`)))
		c.ReadLine()
		c.Send("%s NO AUTHENTICATE failed.\r\n", tag)
		return true
	})
	return f
}

func TestTokensSignIn(t *testing.T) {
	for _, bearer := range []bool{false, true} {
		for _, ir := range []bool{false, true} {
			t.Run(fmt.Sprintf("bearer %v, initial response %v", bearer, ir), func(t *testing.T) {
				f := tokenServer(t, func() string { return "good" }, ir)
				p, _ := endpoint(t, func(form url.Values) (int, string) {
					if form.Get("grant_type") != "client_credentials" || form.Get("client_secret") != "secret" || form.Get("scope") != "mail" {
						t.Errorf("form %v", form)
					}
					return gives("good", "")(form)
				})
				a := fakeAccount(f)
				a.Username = "support@example.com"
				a.Auth = Auth{Tokens: ClientCredentials(p, Client{"id", "secret"}), Bearer: bearer}
				r := newReader(t, a, "INBOX")
				r.all()
				r.wantAll(2)
			})
		}
	}
}

func TestARefusedTokenIsFetchedAnew(t *testing.T) {
	good := "first"
	f := tokenServer(t, func() string { return good }, true)
	p, asked := endpoint(t, gives("first", ""), gives("second", ""))
	a := fakeAccount(f)
	a.Username = "support@example.com"
	a.Auth = Auth{Tokens: ClientCredentials(p, Client{"id", "secret"})}
	r := newReader(t, a, "INBOX")
	r.all()
	r.f.Close()
	r.all()
	if asked.Load() != 1 {
		t.Errorf("asked for %d tokens, want 1", asked.Load())
	}
	good = "second" // the first was withdrawn
	r.f.Close()
	r.all()
	if asked.Load() != 2 {
		t.Errorf("asked for %d tokens, want 2", asked.Load())
	}
}

func TestTokensThatAreAlwaysRefused(t *testing.T) {
	f := tokenServer(t, func() string { return "good" }, true)
	p, _ := endpoint(t, gives("bad", ""), gives("bad", ""))
	a := fakeAccount(f)
	a.Auth = Auth{Tokens: ClientCredentials(p, Client{"id", "secret"})}
	_, err := Check(t.Context(), a, "INBOX")
	if err == nil || !strings.Contains(err.Error(), "AUTHENTICATE failed. (status 401, scope https://mail.google.com/)") || !Permanent(err) {
		t.Errorf("Check: %v", err)
	}
}

func TestARotatedRefreshTokenIsKeptBeforeUse(t *testing.T) {
	p, _ := endpoint(t,
		func(form url.Values) (int, string) {
			if form.Get("refresh_token") != "r1" {
				t.Errorf("first refresh with %q", form.Get("refresh_token"))
			}
			return gives("a1", "r2")(form)
		},
		func(form url.Values) (int, string) {
			if form.Get("refresh_token") != "r2" {
				t.Errorf("second refresh with %q", form.Get("refresh_token"))
			}
			return gives("a2", "r2")(form)
		})
	var kept []string
	full := errors.New("disk full")
	ts := Refresh(p, Client{ID: "id"}, "r1", func(r string) error {
		kept = append(kept, r)
		if len(kept) == 1 {
			return full
		}
		return nil
	})
	if token, err := ts.Token(t.Context()); !errors.Is(err, full) {
		t.Errorf("a token that could not be kept was handed out: %q, %v", token, err)
	}
	token, err := ts.Token(t.Context())
	if err != nil || token != "a2" {
		t.Errorf("Token: %q, %v", token, err)
	}
	if len(kept) != 2 || kept[1] != "r2" {
		t.Errorf("kept %q", kept)
	}
}

func TestTokenErrorsSayWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		status             int
		body, says, advice string
		final              bool
	}{
		{401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"}`, "AADSTS7000215: Invalid client secret provided.", "secret's value", true},
		{400, `{"error":"unauthorized_client","error_description":"AADSTS700016: Application with identifier"}`, "AADSTS700016", "client_id and tenant", true},
		{400, `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`, "expired or revoked", "tocsin login", true},
		{503, `<html>try later</html>`, "answered 503", "", false},
	} {
		p, _ := endpoint(t, func(url.Values) (int, string) { return tc.status, tc.body })
		f := tokenServer(t, func() string { return "x" }, true)
		a := fakeAccount(f)
		a.Auth = Auth{Tokens: ClientCredentials(p, Client{"id", "secret"})}
		_, err := Check(t.Context(), a, "INBOX")
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("Check: %v", err)
		}
		if !strings.Contains(e.Error(), tc.says) || strings.Contains(e.Error(), "Trace") || !strings.Contains(e.Advice(), tc.advice) || e.Permanent() != tc.final {
			t.Errorf("error %q, advice %q, permanent %v", e, e.Advice(), e.Permanent())
		}
	}
}

func TestLoginOnAnotherDevice(t *testing.T) {
	p, _ := endpoint(t,
		func(url.Values) (int, string) {
			return 200, `{"device_code":"d","user_code":"ABCD","verification_uri":"https://login.example.com/device","expires_in":900,"interval":1}`
		},
		func(form url.Values) (int, string) {
			if form.Get("device_code") != "d" {
				t.Errorf("form %v", form)
			}
			return gives("a", "refresh")(form)
		})
	var shown string
	refresh, err := LoginOnDevice(t.Context(), p, Client{ID: "id"}, func(page, code string) { shown = page + " " + code })
	if err != nil || refresh != "refresh" || shown != "https://login.example.com/device ABCD" {
		t.Errorf("LoginOnDevice: %q, %v, shown %q", refresh, err, shown)
	}
	_, err = LoginOnDevice(t.Context(), Google(), Client{ID: "id"}, nil)
	var le *LoginError
	if !errors.As(err, &le) || le.Advice() == "" {
		t.Errorf("LoginOnDevice for Google: %v", err)
	}
}

// visit plays the browser: it comes back from the provider with an answer.
func visit(t *testing.T, page string, answer url.Values) int {
	u, err := url.Parse(page)
	if err != nil {
		t.Error(err)
		return 0
	}
	if answer.Get("state") == "" {
		answer.Set("state", u.Query().Get("state"))
	}
	resp, err := http.Get(u.Query().Get("redirect_uri") + "?" + answer.Encode())
	if err != nil {
		t.Error(err)
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestLoginInABrowser(t *testing.T) {
	var challenge string
	p, _ := endpoint(t, func(form url.Values) (int, string) {
		if form.Get("code") != "c0de" || form.Get("code_verifier") == "" || challenge == "" {
			t.Errorf("form %v", form)
		}
		return gives("a", "refresh")(form)
	})
	refresh, err := LoginInBrowser(t.Context(), p, Client{"id", "secret"}, func(page string) {
		u, _ := url.Parse(page)
		challenge = u.Query().Get("code_challenge")
		go func() {
			if n := visit(t, page, url.Values{"code": {"evil"}, "state": {"guessed"}}); n != http.StatusBadRequest {
				t.Errorf("an answer with another state: status %d", n)
			}
			visit(t, page, url.Values{"code": {"c0de"}})
		}()
	})
	if err != nil || refresh != "refresh" {
		t.Errorf("LoginInBrowser: %q, %v", refresh, err)
	}
	_, err = LoginInBrowser(t.Context(), p, Client{ID: "id"}, func(page string) {
		go visit(t, page, url.Values{"error": {"access_denied"}})
	})
	var le *LoginError
	if !errors.As(err, &le) || !strings.Contains(le.Error(), "access_denied") || le.Advice() == "" {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = LoginInBrowser(ctx, p, Client{ID: "id"}, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended by the caller: %v", err)
	}
}

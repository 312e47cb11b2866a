package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// Client speaks the API: with a running Tocsin over HTTP, or with a Server in
// this process.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient returns a client of the Tocsin at base, such as
// http://127.0.0.1:8086.
func NewClient(base, token string) *Client {
	return &Client{strings.TrimSuffix(base, "/"), token, &http.Client{Timeout: time.Minute}}
}

// NewPinnedClient is NewClient for a Tocsin that serves TLS with a certificate
// that is known byte for byte: it answers on loopback under no name that a
// certificate could carry.
func NewPinnedClient(base, token string, certificate []byte) *Client {
	c := NewClient(base, token)
	c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // checked below, more strictly
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, certificate) {
				return errors.New("the certificate is not the one of the running tocsin")
			}
			return nil
		},
	}}
	return c
}

// Client returns a client that needs no network.
func (s *Server) Client() *Client {
	return &Client{"http://localhost", "", &http.Client{Transport: inProcess{s.mux}}}
}

// inProcess answers requests by a handler.
type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	p.h.ServeHTTP(a, r)
	return &http.Response{StatusCode: a.status, Status: http.StatusText(a.status), Header: a.header, Body: io.NopCloser(&a.body), Request: r}, nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// APIError is what a Tocsin answered instead of doing it.
type APIError struct {
	Status int
	Text   string
	Cure   string
}

func (e *APIError) Error() string { return e.Text }

// Advice is what to do about it.
func (e *APIError) Advice() string { return e.Cure }

// ErrUnreachable is wrapped by errors of a Tocsin that does not answer.
var ErrUnreachable = errors.New("no tocsin answers")

type unreachable struct {
	base string
	err  error
}

func (e unreachable) Error() string        { return fmt.Sprintf("no tocsin answers at %s: %v", e.base, e.err) }
func (e unreachable) Is(target error) bool { return target == ErrUnreachable }
func (e unreachable) Advice() string {
	return "start it with: tocsin run --config FILE; or name another with TOCSIN_URL"
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 256 << 20

func (c *Client) do(ctx context.Context, method, path string, in any) ([]byte, error) {
	var body io.Reader
	if raw, ok := in.([]byte); ok {
		body = bytes.NewReader(raw)
	} else if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, unreachable{c.base, err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return raw, nil
	}
	e := &APIError{Status: resp.StatusCode}
	var a errorAnswer
	if json.Unmarshal(raw, &a) == nil && a.Error != "" {
		e.Text, e.Cure = a.Error, a.Advice
	} else {
		e.Text = fmt.Sprintf("%s answered %s: %s", c.base, resp.Status, firstLine(raw))
		e.Cure = "check that a tocsin listens there"
	}
	return nil, e
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return clip(line, 200)
}

func (c *Client) get(ctx context.Context, path string, q url.Values, out any) error {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	raw, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s: the answer is not of a tocsin: %w", c.base, err)
	}
	return nil
}

func spanValues(from, to time.Time) url.Values {
	q := url.Values{}
	if !from.IsZero() {
		q.Set("from", from.Format(time.RFC3339))
	}
	if !to.IsZero() {
		q.Set("to", to.Format(time.RFC3339))
	}
	return q
}

// Status asks how it is doing.
func (c *Client) Status(ctx context.Context) (st Status, err error) {
	err = c.get(ctx, "/api/v1/status", nil, &st)
	return
}

// Messages lists messages that match, up to q.Limit.
func (c *Client) Messages(ctx context.Context, q store.Query) ([]Message, error) {
	v := spanValues(q.From, q.To)
	for name, s := range map[string]string{"category": q.Category, "sender": q.Sender, "words": q.Words, "automated": q.Automated} {
		if s != "" {
			v.Set(name, s)
		}
	}
	for name, b := range map[string]bool{"unsorted": q.Unsorted, "problem": q.Problem, "complaints": q.Complaints} {
		if b {
			v.Set(name, "1")
		}
	}
	var list []Message
	for len(list) < q.Limit {
		v.Set("limit", strconv.Itoa(min(1000, q.Limit-len(list))))
		var a Messages
		if err := c.get(ctx, "/api/v1/messages", v, &a); err != nil {
			return nil, err
		}
		list = append(list, a.Messages...)
		if a.Next == "" {
			break
		}
		v.Set("before", a.Next)
	}
	return list, nil
}

// Correct sorts a message by hand; "" takes a correction back.
func (c *Client) Correct(ctx context.Context, message, category string) error {
	_, err := c.do(ctx, http.MethodPost, "/api/v1/messages/"+url.PathEscape(message)+"/category", map[string]string{"category": category})
	return err
}

// Incidents lists those that touched a span, newest first.
func (c *Client) Incidents(ctx context.Context, from, to time.Time) (list []detect.Incident, err error) {
	err = c.get(ctx, "/api/v1/incidents", spanValues(from, to), &list)
	return
}

// PostMortem returns the Markdown draft of an incident.
func (c *Client) PostMortem(ctx context.Context, incident string) (string, error) {
	raw, err := c.do(ctx, http.MethodGet, "/api/v1/incidents/"+url.PathEscape(incident)+"/postmortem", nil)
	return string(raw), err
}

// Deployments lists those of a span, newest first.
func (c *Client) Deployments(ctx context.Context, from, to time.Time) (list []detect.Deployment, err error) {
	err = c.get(ctx, "/api/v1/deployments", spanValues(from, to), &list)
	return
}

// Packages lists what every service runs, restricted to packages of these names.
func (c *Client) Packages(ctx context.Context, names []string) (list []Shipped, err error) {
	err = c.get(ctx, "/api/v1/packages", url.Values{"name": names}, &list)
	return list, err
}

// Deploy records a deployment: the body of POST /api/v1/deployments.
func (c *Client) Deploy(ctx context.Context, body []byte) (r Recorded, err error) {
	raw, err := c.do(ctx, http.MethodPost, "/api/v1/deployments", body)
	if err != nil {
		return r, err
	}
	err = json.Unmarshal(raw, &r)
	return
}

// Digest returns a week's digest; "" is the last week that is over.
func (c *Client) Digest(ctx context.Context, week string) (d DigestAnswer, err error) {
	q := url.Values{}
	if week != "" {
		q.Set("week", week)
	}
	err = c.get(ctx, "/api/v1/digest", q, &d)
	return
}

// Backup writes a consistent copy of the data file.
func (c *Client) Backup(ctx context.Context, w io.Writer) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/backup", nil)
	if err != nil {
		return 0, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	slow := *c.http
	slow.Timeout = 0
	resp, err := slow.Do(req)
	if err != nil {
		return 0, unreachable{c.base, err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // what came is enough for a sentence
		return 0, &APIError{Status: resp.StatusCode, Text: "backup: " + firstLine(raw)}
	}
	return io.Copy(w, resp.Body)
}

// Events calls f with every complaint and deployment from a time on, in their
// order: one JSON object each, as "tocsin backtest" reads them.
func (c *Client) Events(ctx context.Context, from time.Time, f func(n int, line []byte) error) error {
	path := "/api/v1/events"
	if q := spanValues(from, time.Time{}).Encode(); q != "" {
		path += "?" + q
	}
	raw, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	n := 0
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		n++
		if len(line) > 0 {
			if err := f(n, line); err != nil {
				return err
			}
		}
		raw = rest
	}
	return nil
}

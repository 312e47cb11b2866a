package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// sendError is a refusal or a failure of a pager.
type sendError struct {
	text  string
	final bool
	after time.Duration
}

func (e *sendError) Error() string             { return e.text }
func (e *sendError) Permanent() bool           { return e.final }
func (e *sendError) RetryAfter() time.Duration { return e.after }

// Version is sent as User-Agent.
var Version = "devel"

// maxAnswer bounds what is read of a pager's answer.
const maxAnswer = 64 << 10

// client follows no redirect: a page carries customers' words and a key, which
// go nowhere but where the configuration says.
func client() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

var shared = client()

// post sends JSON. 2xx is accepted; 429 and 5xx are tried again, after the time
// that the answer asks for; other answers are final.
func post(ctx context.Context, target string, body any, headers map[string]string) error {
	raw, err := encode(body)
	if err != nil {
		return &sendError{text: err.Error(), final: true}
	}
	return postRaw(ctx, target, raw, headers)
}

// encode writes JSON that keeps <, > and & as they are: the receivers are not
// HTML, and Slack's own escapes must arrive as written.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func postRaw(ctx context.Context, target string, raw []byte, headers map[string]string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(raw))
	if err != nil {
		return &sendError{text: "the URL is not valid", final: true} // the error would repeat it, and it is a secret
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tocsin/"+Version)
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := shared.Do(req)
	if err != nil {
		return &sendError{text: withoutURL(err)}
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what arrived is enough for a message
	if resp.StatusCode/100 == 2 {
		return nil
	}
	e := &sendError{text: fmt.Sprintf("%s answered %s: %s", req.URL.Host, resp.Status, clip(printable(string(answer)), 200))}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode >= 500:
		e.after = retryAfter(resp.Header.Get("Retry-After"))
	default:
		e.final = true
	}
	return e
}

// withoutURL words a network error without the URL, which may hold a token.
func withoutURL(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		host := ""
		if parsed, perr := url.Parse(u.URL); perr == nil {
			host = parsed.Host
		}
		return fmt.Sprintf("cannot reach %s: %v", host, u.Err)
	}
	return err.Error()
}

func printable(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return r < 0x20 || r == 0x7f }), " ")
}

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3), at most a day.
func retryAfter(v string) time.Duration {
	var d time.Duration
	if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = time.Until(t)
	}
	return min(max(d, 0), 24*time.Hour)
}

// Package deploy reads what tells of a deployment: the API's own JSON, the
// webhooks of those who deploy, and lockfiles. It records each deployment once,
// compared with the one of the same service before it.
package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/detect"
)

// Request is a deployment with the packages of its lockfile, if one came along.
type Request struct {
	detect.Deployment
	Packages []detect.Package
}

// Bounds of what is taken.
const (
	maxName     = 200
	maxLink     = 2000
	maxPackages = 100_000
	// What happened longer ago than this, or further ahead, has a mistake in its
	// time: the detector would follow it there, and take the mail of today for
	// history. Clocks differ by less.
	maxPast   = 5 * 365 * 24 * time.Hour
	maxFuture = 5 * time.Minute
)

// kinds that a deployment may have; "" is a release.
var kinds = []string{"", "release", "rollback", "config", "flag", "campaign"}

// fieldError is a mistake in a request, with what to write instead.
type fieldError struct{ text, cure string }

func (e fieldError) Error() string  { return e.text }
func (e fieldError) Advice() string { return e.cure }

// body is what POST /api/v1/deployments takes.
type body struct {
	ID          string `json:"id"`
	Service     string `json:"service"`
	Version     string `json:"version"`
	Environment string `json:"environment"`
	Kind        string `json:"kind"`
	Time        string `json:"time"`
	Failed      bool   `json:"failed"`
	Rollback    bool   `json:"rollback"`
	Commit      string `json:"commit"`
	URL         string `json:"url"`
	Actor       string `json:"actor"`
	Source      string `json:"source"`
	Lockfile    *struct {
		Name    string `json:"name"`
		Content string `json:"content"`
	} `json:"lockfile"`
	Packages []detect.Package `json:"packages"`
}

// Parse reads the body of POST /api/v1/deployments. Fields it does not know
// pass; the error names the field and the cure.
func Parse(raw []byte, now time.Time) (Request, error) {
	var b body
	if err := unmarshal(raw, &b); err != nil {
		return Request{}, err
	}
	r := Request{Deployment: detect.Deployment{
		ID: clean(b.ID, maxName), Service: clean(b.Service, maxName), Version: clean(b.Version, maxName),
		Environment: clean(b.Environment, maxName), Kind: b.Kind, Failed: b.Failed, Rollback: b.Rollback,
		Commit: clean(b.Commit, maxName), Link: link(b.URL), Actor: clean(b.Actor, maxName), Source: clean(b.Source, maxName),
	}}
	var err error
	switch {
	case r.Service == "":
		return r, fieldError{"the deployment has no service", `send {"service": "web", "version": "2.4.0"}`}
	case r.Version == "":
		return r, fieldError{"the deployment has no version", `send {"service": "web", "version": "2.4.0"}`}
	case !slices.Contains(kinds, b.Kind):
		return r, fieldError{fmt.Sprintf("kind %q is not known", clean(b.Kind, 40)), "use release, rollback, config, flag or campaign, or leave it out"}
	}
	if r.At, err = at(b.Time, now); err != nil {
		return r, err
	}
	if b.Lockfile != nil {
		if r.Packages, err = ParseLockfile(b.Lockfile.Name, []byte(b.Lockfile.Content)); err != nil {
			return r, fieldError{"lockfile: " + err.Error(), "send the file's name and content, or leave it out"}
		}
		return r, nil
	}
	if len(b.Packages) > maxPackages {
		return r, fieldError{fmt.Sprintf("there are more than %d packages", maxPackages), "send fewer, or none"}
	}
	for _, p := range b.Packages {
		if p.Name != "" {
			r.Packages = append(r.Packages, pkg(p.Name, p.Version, p.Ecosystem, p.Direct, p.Dev))
		}
	}
	return r, nil
}

func pkg(name, version, ecosystem string, direct, dev bool) detect.Package {
	return detect.Package{Name: clean(name, maxName), Version: clean(version, 100), Ecosystem: clean(ecosystem, 40), Direct: direct, Dev: dev}
}

// unmarshal words the mistakes of JSON for whoever sent it.
func unmarshal(raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	var typed *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &typed) && typed.Field != "":
		return fieldError{fmt.Sprintf("field %q is a %s and should be a %s", typed.Field, typed.Value, typed.Type), ""}
	case errors.As(err, &typed):
		return fieldError{fmt.Sprintf("the body is a JSON %s and should be an object", typed.Value), `send {"service": "web", "version": "2.4.0"}`}
	}
	return fieldError{"the body is not valid JSON: " + err.Error(), `send {"service": "web", "version": "2.4.0"}`}
}

// at reads a time; none is now, and so is one that a clock ahead of ours wrote.
func at(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return now, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	switch {
	case err != nil:
		return t, fieldError{fmt.Sprintf("time %q cannot be read", clean(s, 60)), "write it as 2026-11-24T09:40:00Z, or leave it out"}
	case t.Sub(now) > maxFuture:
		return t, fieldError{fmt.Sprintf("time %s lies in the future", t.Format(time.RFC3339)), "check the clock and the zone of whoever sent it"}
	case now.Sub(t) > maxPast:
		return t, fieldError{fmt.Sprintf("time %s is years ago", t.Format(time.RFC3339)), "check the clock of whoever sent it"}
	case t.After(now):
		return now, nil
	}
	return t, nil
}

// clean bounds a name that others chose and drops what no name holds: control
// characters and marks that turn the reading direction.
func clean(s string, most int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "�")
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s))
	for len(s) > most {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// link keeps an address only if it is one that a browser may open.
func link(s string) string {
	s = clean(s, maxLink)
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}

// identity makes the ID of a deployment from what it is and the minute it was
// done in, so that the same one told twice, by whatever sender, is one.
func identity(d *detect.Deployment) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{d.Service, d.Environment, d.Version, d.Commit, d.Kind, d.At.UTC().Format("2006-01-02T15:04")}, "\x00")))
	return "d-" + hex.EncodeToString(sum[:8])
}

// outcomeBody is what POST /api/v1/outcomes takes, alone or in an array.
type outcomeBody struct {
	Time      string `json:"time"`
	Service   string `json:"service"`
	Action    string `json:"action"`
	Succeeded *int   `json:"succeeded"`
	Failed    *int   `json:"failed"`
}

// maxOutcomes bounds one request.
const maxOutcomes = 10_000

// ParseOutcomes reads the body of POST /api/v1/outcomes: one object or an array
// of them, each the attempts of one minute.
func ParseOutcomes(raw []byte, now time.Time) ([]detect.Outcome, error) {
	var list []outcomeBody
	if t := strings.TrimSpace(string(raw[:min(len(raw), 64)])); strings.HasPrefix(t, "[") {
		if err := unmarshal(raw, &list); err != nil {
			return nil, err
		}
	} else {
		var one outcomeBody
		if err := unmarshal(raw, &one); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	if len(list) > maxOutcomes {
		return nil, fieldError{fmt.Sprintf("there are more than %d outcomes", maxOutcomes), "send them in parts"}
	}
	var out []detect.Outcome
	for n, b := range list {
		fail := func(text string) ([]detect.Outcome, error) {
			return nil, fieldError{fmt.Sprintf("outcome %d: %s", n+1, text), `send {"action": "login", "succeeded": 120, "failed": 3}`}
		}
		t, err := at(b.Time, now)
		if err != nil {
			return fail(err.Error())
		}
		action := strings.ToLower(clean(b.Action, maxName))
		switch {
		case action == "":
			return fail("it has no action")
		case b.Succeeded == nil || b.Failed == nil:
			return fail("it says not how many succeeded and how many failed")
		case *b.Succeeded < 0 || *b.Failed < 0 || *b.Succeeded > 1e9 || *b.Failed > 1e9:
			return fail("its numbers are not between 0 and a billion")
		}
		out = append(out, detect.Outcome{At: t.Truncate(time.Minute), Service: clean(b.Service, maxName), Action: action, Succeeded: *b.Succeeded, Failed: *b.Failed})
	}
	return out, nil
}

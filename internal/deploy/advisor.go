package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"

	"tocsin/detect"
)

// Advisor says what is wrong with the core packages of a deployment. It asks
// only those whose address is set; without them it knows what a lockfile and
// time tell.
type Advisor struct {
	Watch    []string      // names of core packages
	OldAfter time.Duration // how long one may keep its version, or lag behind
	NPM      string        // registry (npm's package metadata), "" for none
	GoProxy  string        // Go module proxy (go.dev/ref/mod#goproxy-protocol), "" for none
	OSV      string        // vulnerability database (google.github.io/osv.dev/api), "" for none
	Client   *http.Client  // default: 30 s, no redirect to another host
	Now      func() time.Time
}

// The kinds of findings.
const (
	Outdated   = "outdated"
	Old        = "old"
	Deprecated = "deprecated"
	Downgraded = "downgraded"
	Vulnerable = "vulnerable"
)

// Finding is something a team should know of a core package.
type Finding struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
	Text    string `json:"text"` // without the package's name
}

func (f Finding) String() string { return f.Package + " " + f.Version + " " + f.Text }

// Bounds of what is asked for and read.
const (
	maxMetadata = 64 << 20 // npm's metadata of an old package is large
	maxVersions = 20       // of a core package in one lockfile
	maxDetails  = 5        // advisories of a package that are looked up
	maxPages    = 10
)

// Core are the packages of a list that are watched.
func (a *Advisor) Core(packages []detect.Package) []detect.Package {
	var core []detect.Package
	count := map[string]int{}
	for _, p := range packages {
		if slices.ContainsFunc(a.Watch, func(w string) bool { return strings.EqualFold(w, p.Name) }) && count[p.Name] < maxVersions {
			count[p.Name]++
			core = append(core, p)
		}
	}
	return core
}

// Check says what is wrong with the core packages among those of a deployment.
// since tells when a version was first deployed, zero when that is not known.
// Findings come with an error, too: those that did not need who failed.
func (a *Advisor) Check(ctx context.Context, packages []detect.Package, changes []detect.PackageChange, since func(detect.Package) time.Time) ([]Finding, error) {
	var found []Finding
	var failed []error
	core := a.Core(packages)
	for _, c := range changes {
		if c.Kind == Downgraded && len(a.Core([]detect.Package{{Name: c.Name}})) > 0 {
			found = append(found, Finding{c.Name, strings.Join(c.To, ", "), Downgraded, "was " + strings.Join(c.From, ", ") + " before: it was downgraded"})
		}
	}
	for _, p := range core {
		f, known, err := a.age(ctx, p)
		if err != nil {
			failed = append(failed, err)
		}
		if !known {
			f = a.kept(p, since)
		}
		found = append(found, f...)
	}
	if a.OSV != "" && len(core) > 0 {
		f, err := a.advisories(ctx, core)
		found, failed = append(found, f...), append(failed, err)
	}
	slices.SortStableFunc(found, func(x, y Finding) int { return strings.Compare(x.Package, y.Package) })
	return found, errors.Join(failed...)
}

// kept finds a version that a service has run for long; nobody is asked.
func (a *Advisor) kept(p detect.Package, since func(detect.Package) time.Time) []Finding {
	if since == nil {
		return nil
	}
	at := since(p)
	if at.IsZero() || a.Now().Sub(at) < a.OldAfter {
		return nil
	}
	return []Finding{{p.Name, p.Version, Old, fmt.Sprintf("has not changed since %s", day(at))}}
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// age compares a version with the newest one; known is false when nobody who
// could tell is asked.
func (a *Advisor) age(ctx context.Context, p detect.Package) (found []Finding, known bool, err error) {
	switch {
	case p.Ecosystem == "npm" && a.NPM != "":
		found, err = a.npm(ctx, p)
	case p.Ecosystem == "Go" && a.GoProxy != "" && strings.Contains(p.Name, "."):
		found, err = a.goModule(ctx, p)
	default:
		return nil, false, nil
	}
	return found, err == nil, err
}

// npm asks the registry for a package's metadata.
func (a *Advisor) npm(ctx context.Context, p detect.Package) ([]Finding, error) {
	var m struct {
		Tags     map[string]string    `json:"dist-tags"`
		Time     map[string]time.Time `json:"time"`
		Versions map[string]struct {
			Deprecated any `json:"deprecated"` // a sentence, or true
		} `json:"versions"`
	}
	// A scope's slash is part of the name (docs of the registry's API).
	name := strings.Replace(url.PathEscape(p.Name), "%40", "@", 1)
	if err := a.get(ctx, strings.TrimSuffix(a.NPM, "/")+"/"+name, &m); err != nil {
		return nil, fmt.Errorf("npm registry: %s: %w", p.Name, err)
	}
	var found []Finding
	if why := m.Versions[p.Version].Deprecated; why != nil && why != false && why != "" {
		text, _ := why.(string)
		found = append(found, Finding{p.Name, p.Version, Deprecated, strings.TrimSuffix("is deprecated: "+clean(text, 300), ": ")})
	}
	latest := m.Tags["latest"]
	return append(found, a.lag(p, m.Time[p.Version], latest, m.Time[latest])...), nil
}

// goModule asks a module proxy for the newest version of a module.
func (a *Advisor) goModule(ctx context.Context, p detect.Package) ([]Finding, error) {
	type info struct {
		Version string
		Time    time.Time
	}
	path, err := module.EscapePath(p.Name)
	if err != nil {
		return nil, fmt.Errorf("go proxy: %w", err)
	}
	version, err := module.EscapeVersion(p.Version)
	if err != nil {
		return nil, fmt.Errorf("go proxy: %s: %w", p.Name, err)
	}
	base := strings.TrimSuffix(a.GoProxy, "/") + "/" + path
	var latest, mine info
	if err := a.get(ctx, base+"/@latest", &latest); err != nil {
		return nil, fmt.Errorf("go proxy: %s: %w", p.Name, err)
	}
	if err := a.get(ctx, base+"/@v/"+version+".info", &mine); err != nil {
		return nil, fmt.Errorf("go proxy: %s: %w", p.Name, err)
	}
	return a.lag(p, mine.Time, latest.Version, latest.Time), nil
}

// lag finds a version that is behind a newer one by too long.
func (a *Advisor) lag(p detect.Package, released time.Time, latest string, latestAt time.Time) []Finding {
	if latest == "" || detect.CompareVersions(p.Version, latest) >= 0 || released.IsZero() || a.Now().Sub(released) < a.OldAfter {
		return nil
	}
	text := fmt.Sprintf("is of %s; %s is out", day(released), clean(latest, 100))
	if !latestAt.IsZero() {
		text += " since " + day(latestAt)
	}
	return []Finding{{p.Name, p.Version, Outdated, text}}
}

// osvQuery asks for the advisories of one version.
type osvQuery struct {
	Package struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
	} `json:"package"`
	Version string `json:"version"`
	Token   string `json:"page_token,omitempty"`
}

// advisories asks for those of all core packages at once; long answers come in
// pages.
func (a *Advisor) advisories(ctx context.Context, core []detect.Package) ([]Finding, error) {
	queries := make([]osvQuery, len(core))
	for i, p := range core {
		q := &queries[i]
		q.Package.Name, q.Package.Ecosystem, q.Version = p.Name, p.Ecosystem, p.Version
		if p.Ecosystem == "Go" {
			q.Version = strings.TrimPrefix(p.Version, "v") // OSV's Go versions have none
		}
	}
	ids := make([][]string, len(core))
	at := make([]int, len(core)) // which package a query is about
	for i := range at {
		at[i] = i
	}
	for range maxPages {
		var answer struct {
			Results []struct {
				Vulns []struct{ ID string } `json:"vulns"`
				Next  string                `json:"next_page_token"`
			} `json:"results"`
		}
		if err := a.ask(ctx, strings.TrimSuffix(a.OSV, "/")+"/v1/querybatch", map[string]any{"queries": queries}, &answer); err != nil {
			return nil, fmt.Errorf("osv: %w", err)
		}
		if len(answer.Results) != len(queries) {
			return nil, errors.New("osv: the answer has not one result a query")
		}
		var more []osvQuery
		var moreAt []int
		for i, r := range answer.Results {
			for _, v := range r.Vulns {
				ids[at[i]] = append(ids[at[i]], clean(v.ID, 60))
			}
			if r.Next != "" {
				q := queries[i]
				q.Token = r.Next
				more, moreAt = append(more, q), append(moreAt, at[i])
			}
		}
		if queries, at = more, moreAt; len(queries) == 0 {
			break
		}
	}
	var found []Finding
	for i, p := range core {
		if len(ids[i]) > 0 {
			found = append(found, Finding{p.Name, p.Version, Vulnerable, "has known vulnerabilities: " + a.describe(ctx, ids[i])})
		}
	}
	return found, nil
}

// describe names advisories with what the first of them say. One that cannot
// be looked up is named all the same.
func (a *Advisor) describe(ctx context.Context, ids []string) string {
	slices.Sort(ids)
	var list []string
	for n, id := range slices.Compact(ids) {
		if n == maxDetails {
			list = append(list, fmt.Sprintf("%d more", len(ids)-n))
			break
		}
		var v struct {
			Summary string `json:"summary"`
		}
		text := id
		if err := a.get(ctx, strings.TrimSuffix(a.OSV, "/")+"/v1/vulns/"+url.PathEscape(id), &v); err == nil && v.Summary != "" {
			text += " (" + clean(v.Summary, 160) + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func (a *Advisor) get(ctx context.Context, target string, answer any) error {
	return a.do(ctx, http.MethodGet, target, nil, answer)
}

func (a *Advisor) ask(ctx context.Context, target string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	return a.do(ctx, http.MethodPost, target, body, answer)
}

// do asks for JSON. The size of an answer is bounded, and no redirect is
// followed to another host.
func (a *Advisor) do(ctx context.Context, method, target string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := a.Client
	if client == nil {
		client = registryClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", req.URL.Host, resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxMetadata)).Decode(answer); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", req.URL.Host, err)
	}
	return nil
}

var registryClient = &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, via []*http.Request) error {
	if len(via) > 3 || r.URL.Host != via[0].URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}}

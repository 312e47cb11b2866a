package deploy

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"sync"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// Recorder stores deployments. It is safe for concurrent use.
type Recorder struct {
	Store    *store.Store
	Now      func() time.Time
	Recorded func()                  // called after something was stored; may be nil
	Then     func(detect.Deployment) // the same, with what was stored; may be nil
	Log      *slog.Logger            // may be nil
	// Environments are names or patterns that count as production. A
	// deployment elsewhere is recorded and not suspected.
	Environments []string

	mu sync.Mutex // one at a time, so that each is compared with the one before
}

// Record gives a deployment its ID, compares its packages with those of the
// service's deployment before it, recognises a roll-back, and stores it. added
// is false when it was known already, and then d is the one that is stored.
func (r *Recorder) Record(ctx context.Context, req Request) (d detect.Deployment, added bool, err error) {
	if err := ctx.Err(); err != nil {
		return d, false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d = req.Deployment
	if d.At.IsZero() {
		d.At = r.Now()
	}
	// Arrival times of mail are whole seconds (RFC 9051, INTERNALDATE): a
	// complaint in the second of the deployment must not seem to precede it.
	d.At = d.At.UTC().Truncate(time.Second)
	d.Environment, d.Elsewhere = r.environment(d.Environment)
	if d.ID == "" {
		d.ID = identity(&d)
	}
	if known, ok, err := r.Store.Deployment(d.ID); err != nil || ok {
		return known, false, err
	}
	if d.Kind == "release" {
		d.Kind = ""
	}
	if !d.Rollback {
		if d.Rollback, err = r.isRollback(&d); err != nil {
			return d, false, err
		}
	}
	if d.Kind == "rollback" {
		d.Rollback = true
	}
	if len(req.Packages) > 0 {
		before, err := r.Store.Packages(d.Service, d.Environment, upTo(&d))
		if err != nil {
			return d, false, err
		}
		if before != nil {
			d.Changes = detect.Diff(before, req.Packages)
		}
	}
	if _, added, err = r.Store.AddDeployment(d, req.Packages); err != nil {
		return d, false, fmt.Errorf("deployment %s %s: %w", d.Service, d.Version, err)
	}
	if r.Log != nil {
		r.Log.Info("deployment was recorded", "deployment", d.Service+" "+d.Version, "environment", d.Environment, "source", d.Source, "actor", d.Actor, "packages_changed", len(d.Changes))
	}
	if r.Recorded != nil {
		r.Recorded()
	}
	if r.Then != nil && added {
		r.Then(d)
	}
	return d, added, nil
}

// environment makes a name that counts as production here one that counts as
// production everywhere; elsewhere is true for one that does not.
func (r *Recorder) environment(name string) (_ string, elsewhere bool) {
	lower := strings.ToLower(name)
	for _, pattern := range r.Environments {
		if ok, err := path.Match(strings.ToLower(pattern), lower); err == nil && ok {
			if !strings.HasPrefix(lower, "prod") {
				return "production (" + name + ")", false
			}
			return name, false
		}
	}
	return name, name != "" && len(r.Environments) > 0
}

// How far back a version seen before makes a deployment a roll-back: in time,
// and in deployments, since one that is sent a thousand times a second must not
// make each read all before it.
const (
	recent     = 90 * 24 * time.Hour
	recentMost = 200
)

// upTo is the end of what came before a deployment: times are whole seconds, and
// one recorded earlier in the same second came before it.
func upTo(d *detect.Deployment) time.Time { return d.At.Add(time.Nanosecond) }

// isRollback tells whether the version ran before, with another one after it.
func (r *Recorder) isRollback(d *detect.Deployment) (back bool, err error) {
	if d.Kind != "" || d.Failed {
		return false, nil
	}
	other, seen := false, 0
	err = r.Store.DeploymentsBefore(upTo(d), func(b detect.Deployment) bool {
		if seen++; seen > recentMost || d.At.Sub(b.At) > recent {
			return false
		}
		if b.Service != d.Service || b.Environment != d.Environment || b.Failed || b.Kind != "" {
			return true
		}
		if b.Version == d.Version {
			back = other
			return false
		}
		other = true
		return true
	})
	return back, err
}

package deploy

import (
	"context"
	"log/slog"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// PackageWatch looks at the core packages of each deployment as it is recorded,
// and raises a trouble for each finding, which ends with the deployment that
// mends it. It reads the store's log with a mark of its own, so that a restart
// goes on where it was.
type PackageWatch struct {
	Store    *store.Store
	Advisor  *Advisor
	Log      *slog.Logger
	Recorded func() // called after a trouble was stored
	// Retry is how long to wait when a registry does not answer, and Tries how
	// often to ask; default 30 s and 3.
	Retry time.Duration
	Tries int

	nudge chan struct{}
}

// packageReader is its name in the store's marks.
const packageReader = "packages"

// NewPackageWatch returns a watch that does nothing until Run.
func NewPackageWatch(s *store.Store, a *Advisor, log *slog.Logger, recorded func()) *PackageWatch {
	return &PackageWatch{Store: s, Advisor: a, Log: log, Recorded: recorded, Retry: 30 * time.Second, Tries: 3, nudge: make(chan struct{}, 1)}
}

// Nudge says that a deployment was recorded.
func (w *PackageWatch) Nudge() {
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

// Run works until ctx ends or the store breaks.
func (w *PackageWatch) Run(ctx context.Context) error {
	at, err := w.Store.Mark(packageReader)
	if err != nil {
		return err
	}
	if at == 0 { // asked for only now: what was deployed before is known to the team
		if at, err = w.Store.Last(); err != nil {
			return err
		}
		if err := w.Store.Record(packageReader, at, nil, nil); err != nil && !store.Full(err) {
			return err
		}
	}
	for {
		var deployments []detect.Deployment
		next, err := w.Store.Since(at, 0, func(e store.Event) error {
			if d := e.Deployment; d != nil && !d.Failed && !d.Elsewhere {
				deployments = append(deployments, *d)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, d := range deployments {
			if err := w.look(ctx, d); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		if next != at {
			if err := w.Store.Record(packageReader, next, nil, nil); err != nil && !store.Full(err) {
				return err
			}
			at = next
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.nudge:
		}
	}
}

// look checks one deployment that came with a lockfile.
func (w *PackageWatch) look(ctx context.Context, d detect.Deployment) error {
	packages, err := w.Store.PackagesOf(d.ID)
	if err != nil || len(w.Advisor.Core(packages)) == 0 {
		return err
	}
	var found []Finding
	for try := 1; ; try++ {
		found, err = w.Advisor.Check(ctx, packages, d.Changes, Since(w.Store, d))
		if err == nil || ctx.Err() != nil {
			break
		}
		w.Log.Warn("packages could not be looked up", "deployment", d.Service+" "+d.Version, "attempt", try, "err", err)
		if try >= w.Tries {
			break // what is known without is said
		}
		select {
		case <-ctx.Done():
		case <-time.After(w.Retry):
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return w.raise(d, found, err == nil)
}

// raise tells of what was found, and ends what was found before and is no more;
// whole is false when somebody was not reached.
func (w *PackageWatch) raise(d detect.Deployment, found []Finding, whole bool) error {
	now := w.Advisor.Now()
	open := map[string]bool{}
	for _, f := range found {
		key := troubleKey(&d, f.Package, f.Kind)
		open[key] = true
		w.Log.Warn("core package needs attention", "deployment", d.Service+" "+d.Version, "package", f.Package, "kind", f.Kind)
		if _, err := w.Store.AddTrouble(detect.Trouble{At: now, Kind: "dependency", Key: key, Text: d.Service + " " + d.Version + ": " + f.String()}); err != nil {
			return err
		}
	}
	for _, name := range w.Advisor.Watch {
		for _, kind := range []string{Outdated, Old, Deprecated, Downgraded, Vulnerable} {
			key := troubleKey(&d, name, kind)
			if open[key] || !whole && kind != Downgraded {
				continue
			}
			if known, err := w.isOpen(key); err != nil || !known {
				if err != nil {
					return err
				}
				continue
			}
			if _, err := w.Store.AddTrouble(detect.Trouble{At: now, Kind: "dependency", Key: key, Over: true}); err != nil {
				return err
			}
		}
	}
	if w.Recorded != nil {
		w.Recorded()
	}
	return nil
}

func troubleKey(d *detect.Deployment, name, kind string) string {
	return d.Service + "/" + name + "/" + kind
}

func (w *PackageWatch) isOpen(key string) (bool, error) {
	list, err := w.Store.Incidents(w.Advisor.Now().Add(-time.Minute), time.Time{})
	for _, i := range list {
		if i.Kind == "dependency" && i.Key == key && i.State != detect.Resolved {
			return true, nil
		}
	}
	return false, err
}

// sinceMost is how many deployments are looked at for when a version came.
const sinceMost = 500

// Since tells when a version was first deployed with a service, by what is
// stored: the age of a package where nobody outside is asked.
func Since(s *store.Store, d detect.Deployment) func(detect.Package) time.Time {
	return func(p detect.Package) time.Time {
		since, n := d.At, 0
		// The changes of each deployment tell which of them brought it.
		err := s.DeploymentsBefore(d.At.Add(time.Nanosecond), func(b detect.Deployment) bool {
			if n++; n > sinceMost {
				return false
			}
			if b.Service != d.Service || b.Environment != d.Environment || b.Failed {
				return true
			}
			since = b.At
			for _, c := range b.Changes {
				if c.Name == p.Name && c.Ecosystem == p.Ecosystem {
					return false
				}
			}
			return true
		})
		if err != nil {
			return time.Time{}
		}
		return since
	}
}

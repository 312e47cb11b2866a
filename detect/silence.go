package detect

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// reporter is a service that reports success rates: one that falls silent
// altogether must be noticed, too.
type reporter struct {
	since   time.Time // nobody could be heard before; not repeated by a replay
	last    time.Time // newest minute reported
	longest float64   // minutes between two reports at most, lately
	reports int
	missing string // what is said of its silence; "" while it reports
}

const (
	leastReports = 60               // before a service is expected to go on
	leastSilence = 10 * time.Minute // reports may come in bunches
	mostSilence  = 12 * time.Hour   // that one night teaches
	forgotten    = 24 * time.Hour   // a service that is silent so long has gone
	silenceDecay = 24 * 60          // minutes: half of what the longest silence taught
)

// heard learns a service's own pace from a report.
func (d *Detector) heard(service string, at time.Time) []Change {
	r := d.reporters[service]
	if r == nil {
		r = &reporter{last: at}
		d.reporters[service] = r
	}
	if gap := at.Sub(r.last); gap > 0 {
		m := gap.Minutes()
		r.longest = math.Max(math.Min(m, mostSilence.Minutes()), r.longest*math.Exp2(-m/silenceDecay))
		r.last = at
	}
	r.reports++
	if r.missing == "" || d.now.Sub(at) > leastSilence {
		return nil
	}
	r.missing = ""
	return d.Trouble(Trouble{At: at, Kind: "silence", Key: service, Over: true})
}

// patience is how long a service may be silent: twice as long as it was lately.
func (r *reporter) patience() time.Duration {
	return max(leastSilence, time.Duration(2*r.longest*float64(time.Minute)))
}

// Listening says that nobody could report before at, since Tocsin itself did
// not run: that silence is its own.
func (d *Detector) Listening(at time.Time) {
	for _, r := range d.reporters {
		r.since = at
	}
}

// expectant tells whether any service is expected to report.
func (d *Detector) expectant() bool {
	for _, r := range d.reporters {
		if r.reports >= leastReports {
			return true
		}
	}
	return false
}

// listen warns of services that have fallen silent. Silence has many innocent
// causes and is no page by itself; where customers complain of what the service
// reported it makes one of their warning.
func (d *Detector) listen(at time.Time) (changes []Change) {
	var names []string
	for name := range d.reporters {
		names = append(names, name)
	}
	slices.Sort(names) // a map has no order, and a fold must repeat itself
	for _, name := range names {
		r := d.reporters[name]
		from := r.last.Add(time.Minute) // the minute that was reported is over
		if r.since.After(from) {
			from = r.since
		}
		silent := at.Sub(from)
		switch {
		case silent > forgotten:
			delete(d.reporters, name)
			if r.missing != "" {
				changes = append(changes, d.Trouble(Trouble{At: at, Kind: "silence", Key: name, Over: true})...)
			}
		case r.missing == "" && r.reports >= leastReports && silent >= r.patience():
			of := ""
			if name != "" {
				of = " from " + name
			}
			r.missing = fmt.Sprintf("no reports of success rates%s for %d min", of, int(silent.Minutes()))
			changes = append(changes, d.missed(name, r.missing)...)
			changes = append(changes, d.Trouble(Trouble{At: at, Kind: "silence", Key: name, Text: r.missing})...)
		}
	}
	return changes
}

// missed makes pages of the warnings that a service's silence confirms.
func (d *Detector) missed(service, text string) (changes []Change) {
	var keys []string
	for key, w := range d.outcomes {
		if w.service == service {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if t := d.complained(d.outcomes[key].kind, key); t != nil && t.Level == Warning {
			t.Now.Signal = text
			t.Level, t.DetectedAt, t.Reason, t.told = Paging, d.now, t.Now, t.Now.Customers
			changes = append(changes, Change{Kind: Opened, At: d.now, Incident: t.Incident, Note: text})
		}
	}
	return changes
}

// missing says which service that reports one of these kinds is silent.
func (d *Detector) missing(kinds []string) (text string) {
	d.eachRate(kinds, func(_ string, w *rateWatch) {
		if r := d.reporters[w.service]; r != nil && text == "" {
			text = r.missing
		}
	})
	return text
}

package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// rateWatch learns the normal success rate and number of attempts of one
// action and tells when it drops.
type rateWatch struct {
	service, kind string  // whose it is, and the category that its action is about
	tried, failed float64 // decayed sums, to learn from
	minutes       float64
	lately, span  float64   // attempts and minutes of the last while
	hour          [24]habit // attempts by hour of the day
	recent        []Outcome // of the last quarter of an hour
	last          time.Time
	open          bool
	text          string // what is wrong while open
}

// habit is how many attempts an hour of the day usually sees.
type habit struct{ tried, minutes float64 }

const (
	outcomeWindow = 15 * time.Minute
	outcomeDecay  = 0.9995 // a minute: half in a day
	latelyDecay   = 0.95   // a minute: half in a quarter of an hour
	habitDecay    = 0.998  // a minute of that hour: half in six days
	outcomeSilent = time.Hour
	outcomePast   = time.Hour // what is told later than this rings nobody
	mostOutcomes  = 200
)

// CategoryOf is the kind of complaint that an action is about: applications
// name theirs as they like.
func CategoryOf(action string) string {
	switch strings.ToLower(action) {
	case "signin", "sign-in", "sign_in", "log-in", "auth":
		return "login"
	case "sign-up", "sign_up", "register", "registration":
		return "signup"
	case "checkout", "purchase", "pay", "order":
		return "payment"
	case "reset", "password-reset", "password_reset":
		return "password"
	}
	return strings.ToLower(action)
}

// Outcome folds in the success and failure counts of one minute: the second
// signal. More failures than the learned rate explains, or no attempt where
// many are usual, is an incident of its own; with complaints of the same kind
// it is theirs, and makes a page of their warning.
func (d *Detector) Outcome(x Outcome) []Change {
	changes := d.advance(x.At)
	key := x.Service + "/" + x.Action
	w := d.outcomes[key]
	if x.At.IsZero() || x.Succeeded < 0 || x.Failed < 0 || w == nil && len(d.outcomes) >= mostOutcomes {
		return changes
	}
	if w == nil {
		w = &rateWatch{service: x.Service, kind: CategoryOf(x.Action)}
		d.outcomes[key] = w
	}
	changes = append(changes, d.heard(x.Service, x.At)...)
	if !w.add(x, d.opt.Location) || d.now.Sub(x.At) > outcomePast {
		return changes // what is past teaches and rings nobody
	}
	text := w.trouble(strings.TrimSpace(x.Service+" "+x.Action), d.opt.Location)
	if (text != "") == w.open {
		return changes
	}
	w.open, w.text = text != "", text
	if t := d.complained(w.kind, key); t != nil {
		return append(changes, d.confirm(t, key, text)...)
	}
	return append(changes, d.Trouble(Trouble{At: x.At, Kind: "outcome", Key: key, Text: text, Page: !d.opt.TwoSignals, Over: !w.open})...)
}

// add takes a minute in, in its own place, and teaches those that left the
// window. An incident does not teach. A minute older than the window is not
// taken.
func (w *rateWatch) add(x Outcome, loc *time.Location) (taken bool) {
	if w.last.Sub(x.At) >= outcomeWindow {
		return false
	}
	if x.At.After(w.last) {
		w.last = x.At
	}
	i := len(w.recent)
	for i > 0 && w.recent[i-1].At.After(x.At) {
		i--
	}
	w.recent = slices.Insert(w.recent, i, x)
	for w.last.Sub(w.recent[0].At) >= outcomeWindow {
		o := w.recent[0]
		w.recent = w.recent[1:]
		if w.open {
			continue
		}
		n := float64(o.Succeeded + o.Failed)
		w.tried, w.failed, w.minutes = w.tried*outcomeDecay+n, w.failed*outcomeDecay+float64(o.Failed), w.minutes*outcomeDecay+1
		w.lately, w.span = w.lately*latelyDecay+n, w.span*latelyDecay+1
		h := &w.hour[o.At.In(loc).Hour()]
		h.tried, h.minutes = h.tried*habitDecay+n, h.minutes*habitDecay+1
	}
	return true
}

// usual is how many attempts a minute are normal now: what the last while saw,
// and no more than this hour of the day saw on other days, so that the quiet
// of a night is no outage.
func (w *rateWatch) usual(at time.Time, loc *time.Location) float64 {
	usual := w.lately / math.Max(w.span, 1)
	if h := w.hour[at.In(loc).Hour()]; h.minutes >= 30 {
		usual = math.Min(usual, h.tried/h.minutes)
	}
	return usual
}

// trouble is what is wrong, in a sentence; "" when nothing is.
func (w *rateWatch) trouble(action string, loc *time.Location) string {
	if w.minutes < 60 {
		return "" // still learning
	}
	var tried, failed float64
	idle := 0 // minutes without an attempt until now
	for _, o := range w.recent {
		tried += float64(o.Succeeded + o.Failed)
		failed += float64(o.Failed)
		if idle++; o.Succeeded+o.Failed > 0 {
			idle = 0
		}
	}
	usual := w.usual(w.last, loc)
	if before := len(w.recent) - idle; before > 0 {
		usual = math.Min(usual, tried/float64(before)) // thinning out is no outage
	}
	if due := usual * float64(idle); idle >= 5 && due > 12 {
		return fmt.Sprintf("%s: no attempt in %d min where %.0f are usual", action, idle, due)
	}
	normal := (w.failed + 1) / (w.tried + 20)
	expected := normal * tried
	if failed >= 5 && failed > 2*expected && ratio(failed, expected, 20) > 7 {
		return fmt.Sprintf("%s: %.0f of %.0f attempts failed in %d min, %.1f %% where %.1f %% is normal", action, failed, tried, len(w.recent), 100*failed/math.Max(tried, 1), 100*normal)
	}
	return ""
}

// gone tells whether nobody has reported an action for so long that a drop of
// it is no news any more. Until then a service that failed and then fell silent
// has not recovered.
func (d *Detector) gone(key string, at time.Time) bool {
	w := d.outcomes[key]
	return w == nil || !w.open || at.Sub(w.last) > forgotten
}

// silent tells whether nobody has reported an action for so long that it
// confirms nothing any more.
func (d *Detector) silent(key string, at time.Time) bool {
	w := d.outcomes[key]
	return w == nil || !w.open || at.Sub(w.last) > outcomeSilent
}

// related tells whether two kinds are one trouble.
func (d *Detector) related(a, b string) bool {
	group := d.kind(a).Group
	return a == b || group != "" && group == d.kind(b).Group
}

// eachRate calls f with the success rates that are about one of these kinds.
func (d *Detector) eachRate(kinds []string, f func(key string, w *rateWatch)) {
	var keys []string
	for key, w := range d.outcomes {
		if slices.ContainsFunc(kinds, func(k string) bool { return d.related(k, w.kind) }) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys) // a map has no order, and a fold must repeat itself
	for _, key := range keys {
		f(key, d.outcomes[key])
	}
}

// rated tells whether the success rate of one of these kinds is known.
func (d *Detector) rated(kinds []string) (known bool) {
	d.eachRate(kinds, func(_ string, w *rateWatch) { known = known || w.minutes >= 60 && d.now.Sub(w.last) < outcomeSilent })
	return known
}

// dropped says which success rate of these kinds has dropped, "" when none has.
func (d *Detector) dropped(kinds []string) (text string) {
	d.eachRate(kinds, func(key string, w *rateWatch) {
		if text == "" && !d.silent(key, d.now) {
			text = w.text
		}
	})
	return text
}

// complained finds the open surge that a success rate belongs to: one that it
// joined before, else one of its kind.
func (d *Detector) complained(kind, key string) (found *tracked) {
	for _, t := range d.incidents {
		if t.State == Resolved || t.Kind != "surge" {
			continue
		}
		if t.signals[key] {
			return t
		}
		if found == nil && slices.ContainsFunc(t.Categories, func(k string) bool { return d.related(k, kind) }) {
			found = t
		}
	}
	return found
}

// confirm joins a success rate to the complaints of its kind. A warning becomes
// a page by it.
func (d *Detector) confirm(t *tracked, key, text string) []Change {
	if text == "" {
		if !t.signals[key] {
			return nil
		}
		delete(t.signals, key)
		t.Now.Signal = d.dropped(t.Categories)
		return []Change{{Kind: DidNote, At: d.now, Incident: t.Incident, Note: key + ": the success rate is normal again"}}
	}
	d.witness(t)
	if t.Level == Paging {
		return []Change{{Kind: Grew, At: d.now, Incident: t.Incident, Note: text}}
	}
	t.Level, t.DetectedAt, t.Reason, t.told = Paging, d.now, t.Now, t.Now.Customers
	return []Change{{Kind: Opened, At: d.now, Incident: t.Incident, Note: text}}
}

// witness notes the success rates that have dropped with an incident.
func (d *Detector) witness(t *tracked) {
	d.eachRate(t.Categories, func(key string, w *rateWatch) {
		if d.silent(key, d.now) {
			return
		}
		if t.signals == nil {
			t.signals = map[string]bool{}
		}
		t.signals[key] = true
		t.Now.Signal = w.text
	})
}

// joinDrop makes the open incident of a dropped success rate that of the
// complaints, too: one trouble rings once.
func (d *Detector) joinDrop(v verdict, kinds []string) *tracked {
	for _, t := range d.incidents {
		w := d.outcomes[t.Key]
		if t.Kind != "outcome" || t.State == Resolved || w == nil || !slices.ContainsFunc(kinds, func(k string) bool { return d.related(k, w.kind) }) {
			continue
		}
		t.Kind, t.Categories, t.stream = "surge", nil, v.stream
		d.describe(t, v)
		d.witness(t)
		t.told = t.Now.Customers
		d.accuse(t, v)
		return t
	}
	return nil
}

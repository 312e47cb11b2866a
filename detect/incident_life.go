package detect

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"
)

// How incidents live.
const (
	gridStep   = 5 * time.Minute
	calmWindow = 30 * time.Minute // complaints of this span at least decide whether it is calm
	mostCalm   = 90 * time.Minute // and of this at most
	calmGaps   = 3                // gaps between the complaints of the incident that are no calm
	calmFor    = 30 * time.Minute // it must stay calm so long
	reopenIn   = time.Hour
	// mergeWithin is how soon after the begin of one a further surge begins that
	// is the same trouble, however late it is seen.
	mergeWithin = 3 * time.Hour
	muteFor     = 24 * time.Hour
	mostSamples = 10
	mostHit     = 50_000 // people remembered of an incident
)

// tracked is an incident with what the detector remembers about it.
type tracked struct {
	Incident
	stream    *stream
	calmSince time.Time
	looked    time.Time       // when its numbers were made anew
	told      int             // customers when people were told last
	people    map[string]bool // everybody who wrote, those too who add no evidence
	mails     int
	peak      float64
	limit     float64
	seen      map[string]int // customers by category
	adopted   bool
	signals   map[string]bool // success rates that have dropped with it, by key
}

// mute keeps kinds silent after a person called them a false alarm.
type mute struct {
	categories []string
	group      string
	until      time.Time
	count      int // customers it had: clearly more than that rings again
}

// busy tells whether anything has to be looked at as time passes.
func (d *Detector) busy() bool {
	if d.expectant() {
		return true
	}
	for _, t := range d.incidents {
		if t.State != Resolved || d.now.Sub(t.ResolvedAt) <= reopenIn {
			return true
		}
	}
	for i := len(d.deploys) - 1; i >= 0 && d.now.Sub(d.deploys[i].At) < 2*watchFor; i-- {
		if !d.deploys[i].settled {
			return true
		}
	}
	return false
}

// surging tells whether an incident is open: its evidence is no quiet time.
func (d *Detector) surging() bool {
	for _, t := range d.incidents {
		if t.State != Resolved && t.Kind == "surge" && t.Level == Paging {
			return true
		}
	}
	return false
}

// raise turns evidence into a warning, a page, or growth of what is open.
func (d *Detector) raise(v verdict, c Complaint) []Change {
	open := d.openFor(v, c)
	if open != nil && open.Level == Paging {
		return d.grow(open, v, c)
	}
	need := d.need()
	if v.window.count < leastPeople || v.evidence < need-warnAllowance {
		return nil
	}
	// Of what came in at the time, only the kinds that surge make a trouble.
	var shape tracked
	d.describeAmong(&shape, v)
	customers := shape.Now.Customers
	if customers < leastPeople {
		return nil
	}
	if d.isMuted(shape.Categories, customers) {
		return nil
	}
	paging := v.evidence >= need
	missing := d.missing(shape.Categories)
	switch drop := d.dropped(shape.Categories); {
	case drop != "" || missing != "":
		paging = true // two signals confirm each other
	case d.opt.TwoSignals && d.rated(shape.Categories):
		paging = false
	}
	if open == nil {
		open = d.joinDrop(v, shape.Categories)
		if open != nil && open.Level == Paging {
			return []Change{{Kind: Grew, At: d.now, Incident: open.Incident, Note: "customers complain, too"}}
		}
	}
	if open == nil {
		if t := d.ended(v); t != nil {
			d.reopen(t, v)
			return []Change{{Kind: DidReopen, At: d.now, Incident: t.Incident}}
		}
		open = d.begin(v)
		d.incidents = append(d.incidents, open)
		if !paging {
			open.Level = Warning
			return []Change{{Kind: Warned, At: d.now, Incident: open.Incident}}
		}
	} else if !paging {
		return nil
	}
	if d.Learning() > trialDays {
		d.limit.skip = true // a surge says nothing about the tail of quiet times
	}
	open.Level, open.DetectedAt, open.calmSince = Paging, d.now, time.Time{}
	open.peak, open.limit = v.evidence, need
	d.describeAmong(open, v)
	if d.witness(open); open.Now.Signal == "" {
		open.Now.Signal = missing
	}
	open.Reason = open.Now
	open.told = open.Now.Customers
	d.accuse(open, v)
	return []Change{{Kind: Opened, At: d.now, Incident: open.Incident}}
}

// follow counts who is hit by an open incident. Colleagues beyond a few and
// texts sent word for word add no evidence, but they are customers all the same.
func (d *Detector) follow(c *Complaint) {
	group := d.kind(c.Category).Group
	for _, t := range d.incidents {
		if t.State == Resolved || t.Kind != "surge" || !slices.Contains(t.Categories, c.Category) && (group == "" || group != t.Group) {
			continue
		}
		t.hit(c.Complainant)
		t.mails++
		if c.At.After(t.LastComplaint) {
			t.LastComplaint = c.At
		}
		t.Now.Customers, t.Now.Complaints = max(t.Now.Customers, len(t.people)), max(t.Now.Complaints, t.mails)
	}
}

func (t *tracked) hit(who string) {
	if t.people == nil {
		t.people = map[string]bool{}
	}
	if len(t.people) < mostHit {
		t.people[who] = true
	}
}

// need is the evidence that a page needs now. In the first days, when not even
// the size of the inbox is known, it is more.
func (d *Detector) need() float64 { return d.limit.current + coldExtra*math.Exp(-d.Learning()) }

// coldExtra is what a page needs more when the first complaint ever comes.
const coldExtra = 4

// openFor finds the incident that a surge belongs to: of the same stream or
// group, or begun in the same time. One that was paged comes before a warning:
// else all complaints together make a second page of the warning.
func (d *Detector) openFor(v verdict, c Complaint) (found *tracked) {
	group := d.kind(c.Category).Group
	for _, t := range d.incidents {
		if t.State == Resolved || t.Kind != "surge" {
			continue
		}
		// All together rings for whatever goes on already.
		same := t.stream == v.stream || v.stream == d.all || slices.Contains(t.Categories, c.Category) || group != "" && group == t.Group
		// What merely happens at the same time must be worth a warning itself.
		together := v.window.start.Sub(t.StartedAt) < mergeWithin
		if !same && (!together || v.evidence < d.limit.current-warnAllowance) {
			continue
		}
		if t.Level == Paging {
			return t
		}
		if found == nil {
			found = t
		}
	}
	return found
}

// begin makes an incident. Its ID sorts by time and is made from what it is
// about, so that a replay makes the same one.
func (d *Detector) begin(v verdict) *tracked {
	t := &tracked{stream: v.stream, seen: map[string]int{}}
	t.Kind, t.State, t.Level, t.DetectedAt = "surge", Open, Warning, d.now
	d.describeAmong(t, v)
	t.Reason = t.Now
	t.told = t.Now.Customers
	t.ID = incidentID(d.now, "surge", v.stream.name, t.Now.FirstComplaint.UTC().Format(time.RFC3339Nano), t.Now.FirstMessage)
	d.accuse(t, v)
	return t
}

func incidentID(at time.Time, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return at.UTC().Format("20060102-1504-") + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:6])
}

// describe fills in the numbers of an incident from a window: those of the
// kinds that surge, without what else came in at the time.
func (d *Detector) describe(t *tracked, v verdict) {
	w, s := v.window, v.stream
	if w.first >= len(s.events) {
		return
	}
	events := s.events[w.first:]
	count := map[string]int{}
	for _, e := range events {
		count[e.kind]++
	}
	d.name(t, count, d.now.Sub(events[0].at))
	group := ""
	if s.group && s != d.all {
		group = t.Group
	}
	var r Reason
	known := len(t.people)
	for _, e := range events {
		if !slices.Contains(t.Categories, e.kind) && (group == "" || d.kind(e.kind).Group != group) {
			continue
		}
		if r.Customers == 0 {
			r.FirstComplaint, r.FirstMessage = e.at, e.message
		}
		r.Customers++
		t.hit(e.who)
		if e.at.After(t.LastComplaint) {
			t.LastComplaint = e.at
		}
		if e.message != "" && len(r.Messages) < mostSamples {
			r.Messages = append(r.Messages, e.message)
		}
	}
	if known == 0 {
		t.mails = r.Customers
	}
	r.Customers = max(r.Customers, len(t.people))
	r.Complaints = max(r.Customers, t.mails)
	r.Evidence, r.Threshold = math.Round(100*v.evidence)/100, math.Round(100*d.limit.current)/100
	r.ColdStart = d.Learning() < coldDays
	r.Window = d.now.Sub(r.FirstComplaint)
	r.Expected = math.Round(1000*d.normalIn(t, s, w, r.Window)) / 1000
	r.Categories = slices.Clone(t.Categories)
	r.Signal = t.Now.Signal
	t.Now = r
	if t.StartedAt.IsZero() || r.FirstComplaint.Before(t.StartedAt) && t.StartedAt.Sub(r.FirstComplaint) < 30*time.Minute {
		t.StartedAt = r.FirstComplaint
	}
}

// among is how long a window may be in which other kinds are looked at: the
// rates of the hour say what is normal in it.
const among = 2 * time.Hour

// alsoSurges is the evidence, in nats, with which a further kind is part of a
// trouble: by chance one in a hundred has it.
const alsoSurges = 2.5

// describeAmong is describe for a surge that begins: the stream of one kind does
// not see the others, and what surges at the same time is one trouble.
func (d *Detector) describeAmong(t *tracked, v verdict) {
	d.describe(t, v)
	s, all := v.stream, d.all.events
	if s == d.all || v.window.first >= len(s.events) {
		return
	}
	from := s.events[v.window.first].at
	i := sort.Search(len(all), func(i int) bool { return !all[i].at.Before(from) })
	span := d.now.Sub(from)
	if span > among {
		return
	}
	count := map[string]int{}
	for _, e := range all[i:] {
		count[e.kind]++
	}
	for kind, n := range count {
		k := d.byName["kind "+kind]
		if n < 2 || k == nil || slices.Contains(t.Categories, kind) {
			continue
		}
		lambda := k.base.current * math.Max(span.Hours(), 0.05)
		if ratio(float64(n), lambda, k.base.k(span)) > alsoSurges {
			d.describe(t, verdict{stream: d.all, window: window{start: v.window.start, first: i, count: len(all) - i}, evidence: v.evidence})
			return
		}
	}
}

// normalIn is how many complainants of an incident's kinds are normal in the
// span of a window.
func (d *Detector) normalIn(t *tracked, s *stream, w window, span time.Duration) float64 {
	sum := 0.0
	for _, kind := range t.Categories {
		if k := d.byName["kind "+kind]; k != nil {
			sum += k.base.current * span.Hours()
		}
	}
	if w.expected > 0 && (w.expected < sum || s != d.all) {
		return w.expected
	}
	return sum
}

// name says which kinds surge, the leading one first: those with more than
// chance gives them.
func (d *Detector) name(t *tracked, count map[string]int, span time.Duration) {
	type excess struct {
		kind  string
		score float64
	}
	var list []excess
	for kind, n := range count {
		s := d.byName["kind "+kind]
		if s == nil {
			continue
		}
		lambda := s.base.current * math.Max(span.Hours(), 0.05)
		if e := float64(n) - lambda; n >= 2 && float64(n) > 2*lambda && e > 1 || slices.Contains(t.Categories, kind) {
			list = append(list, excess{kind, e})
		} else if len(count) == 1 {
			list = append(list, excess{kind, e})
		}
	}
	if len(list) == 0 {
		// Too few of each kind to tell: the kinds of the group that has the most
		// are one trouble, and a stray complaint beside them is not part of it.
		groups := map[string]float64{}
		group := func(kind string) string {
			if g := d.kind(kind).Group; g != "" {
				return "group " + g
			}
			return "kind " + kind
		}
		top := ""
		for kind, n := range count {
			groups[group(kind)] += float64(n)
		}
		for g, n := range groups {
			if top == "" || n > groups[top] || n == groups[top] && g < top {
				top = g
			}
		}
		for kind, n := range count {
			if group(kind) == top {
				list = append(list, excess{kind, float64(n)})
			}
		}
	}
	sort.Slice(list, func(a, b int) bool {
		return list[a].score > list[b].score || list[a].score == list[b].score && list[a].kind < list[b].kind
	})
	if len(list) > 0 {
		// A single complaint of the leading kind's group belongs to its trouble.
		leader, n := d.kind(list[0].kind).Group, len(list)
		var rest []excess
		for kind, c := range count {
			s := d.byName["kind "+kind]
			if leader == "" || s == nil || d.kind(kind).Group != leader || slices.ContainsFunc(list[:n], func(e excess) bool { return e.kind == kind }) {
				continue
			}
			if lambda := s.base.current * math.Max(span.Hours(), 0.05); float64(c) > 2*lambda {
				rest = append(rest, excess{kind, float64(c) - lambda})
			}
		}
		sort.Slice(rest, func(a, b int) bool {
			return rest[a].score > rest[b].score || rest[a].score == rest[b].score && rest[a].kind < rest[b].kind
		})
		list = append(list, rest...)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.kind)
	}
	for _, old := range t.Categories {
		if !slices.Contains(names, old) {
			names = append(names, old)
		}
	}
	t.Categories = names
	t.seen = count
	if len(names) > 0 {
		t.Group = d.kind(names[0]).Group
	}
}

// flooded tells whether so many write of an open incident that looking at it
// once a minute is enough: in a flood nothing else would keep up.
func (d *Detector) flooded(category string) bool {
	return slices.ContainsFunc(d.incidents, func(t *tracked) bool {
		return t.State != Resolved && t.Level == Paging && t.Now.Customers > 50 && d.now.Sub(t.looked) < time.Minute && slices.Contains(t.Categories, category)
	})
}

// grow follows an open incident: people are told when it doubles, when a
// further kind joins, and when another deployment is to blame.
func (d *Detector) grow(t *tracked, v verdict, c Complaint) []Change {
	if t.Now.Customers > 50 && d.now.Sub(t.looked) < time.Minute {
		return nil // of another kind, and flooded too
	}
	t.looked = d.now
	var changes []Change
	before := slices.Clone(t.Categories)
	t.peak = math.Max(t.peak, v.evidence)
	// The window of the whole incident, in its own stream.
	s := t.stream
	s.advance(d.now, &d.hours)
	w := window{start: t.StartedAt}
	for w.first = len(s.events); w.first > 0 && !s.events[w.first-1].at.Before(t.StartedAt); w.first-- {
	}
	if v.stream != s && v.stream.group && v.evidence >= d.limit.current && (v.stream == d.all || v.stream.name == "group "+t.Group) {
		t.stream, s = v.stream, v.stream
		for w.first = len(s.events); w.first > 0 && !s.events[w.first-1].at.Before(t.StartedAt); w.first-- {
		}
	}
	if w.first < len(s.events) {
		w.count = len(s.events) - w.first
		w.expected, _ = s.expect(&s.events[w.first], s.events[w.first].tau, d.now.UnixNano(), float64(w.count-1))
		w.evidence = v.window.evidence
		had := t.Now
		d.describe(t, verdict{stream: s, window: w, evidence: v.evidence})
		// The stream looks back on a bounded number.
		t.Now.Customers, t.Now.Complaints = max(t.Now.Customers, had.Customers), max(t.Now.Complaints, had.Complaints)
	}
	if d.now.Sub(t.DetectedAt) < 30*time.Minute && t.State != Resolved {
		was := t.Suspect
		d.accuse(t, v)
		if !sameSuspect(was, t.Suspect) {
			changes = append(changes, Change{Kind: Suspected, At: d.now, Incident: t.Incident})
		}
	}
	switch {
	case len(t.Categories) > len(before):
		t.told = t.Now.Customers
		changes = append(changes, Change{Kind: Grew, At: d.now, Incident: t.Incident, Note: "also " + strings.Join(t.Categories[len(before):], ", ")})
	case t.Now.Customers >= 2*t.told && t.Now.Customers >= t.told+5:
		t.told = t.Now.Customers
		changes = append(changes, Change{Kind: Grew, At: d.now, Incident: t.Incident})
	}
	return changes
}

// reopen takes up an incident that ended within the hour, rather than paging
// anew. That it goes on is likelier than a new one, so what is worth a warning
// is enough: who waits for the evidence of a page finds the hour over.
func (d *Detector) reopen(t *tracked, v verdict) {
	t.State, t.ResolvedAt, t.ResolvedBy = Open, time.Time{}, ""
	t.Reopened++
	t.calmSince = time.Time{}
	d.describe(t, v)
}

// ended finds the incident of the last hour that a surge would take up again.
func (d *Detector) ended(v verdict) *tracked {
	kind := strings.TrimPrefix(v.stream.name, "kind ")
	for _, t := range d.incidents {
		if t.State != Resolved || t.FalseAlarm || t.Kind != "surge" || t.Level != Paging || d.now.Sub(t.ResolvedAt) > reopenIn {
			continue
		}
		// What calmed by itself and what rings so soon after is rarely a second
		// trouble; where a person ended it, only the same kinds are the same.
		if t.ResolvedBy == "" || t.stream == v.stream || v.stream == d.all || t.stream == d.all || slices.Contains(t.Categories, kind) ||
			t.Group != "" && (v.stream.name == "group "+t.Group || d.kind(kind).Group == t.Group) {
			return t
		}
	}
	return nil
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// look is what time alone changes, at an instant of the grid.
func (d *Detector) look(at time.Time) []Change {
	var changes []Change
	kept := d.incidents[:0]
	for _, t := range d.incidents {
		if t.State == Resolved {
			if at.Sub(t.ResolvedAt) <= reopenIn {
				kept = append(kept, t)
			}
			continue
		}
		kept = append(kept, t)
		if t.Kind == "outcome" && d.gone(t.Key, at) {
			d.resolve(t, at, "")
			changes = append(changes, Change{Kind: DidResolve, At: at, Incident: t.Incident, Note: "nobody reports attempts any more"})
		}
		if t.Kind != "surge" {
			continue
		}
		if !d.isCalm(t, at) {
			t.calmSince = time.Time{}
			continue
		}
		if t.calmSince.IsZero() {
			t.calmSince = at
			if t.Level == Paging {
				changes = append(changes, Change{Kind: Calmed, At: at, Incident: t.Incident, Note: t.stopped()})
			}
		}
		if at.Sub(t.calmSince) >= calmFor {
			d.resolve(t, at, "")
			changes = append(changes, Change{Kind: DidResolve, At: at, Incident: t.Incident, Note: t.stopped()})
		}
	}
	d.incidents = kept
	changes = append(changes, d.listen(at)...)
	return append(changes, d.settleDeployments(at)...)
}

// isCalm tells whether the last while was like any other, in the stream and in
// each kind that surged: many others may not drown it.
func (d *Detector) isCalm(t *tracked, at time.Time) bool {
	for key := range t.signals {
		if !d.silent(key, at) {
			return false // complaints may cease because people gave up
		}
	}
	if t.stream == nil {
		return true
	}
	span := t.lull()
	if !t.stream.isCalm(at, span) {
		return false
	}
	for _, kind := range t.Categories {
		if s := d.byName["kind "+kind]; s != nil && !s.isCalm(at, span) {
			return false
		}
	}
	return true
}

// lull is how long nothing may come in until that says anything: where people
// write every twenty minutes, half an hour without a complaint is no calm.
func (t *tracked) lull() time.Duration {
	gap := t.LastComplaint.Sub(t.StartedAt) / time.Duration(max(t.Now.Customers-1, 1))
	return min(max(calmGaps*gap, calmWindow), mostCalm)
}

func (s *stream) isCalm(at time.Time, span time.Duration) bool {
	lambda := s.base.current * span.Hours()
	n := float64(s.recent(at, span))
	return n <= lambda+1.5*math.Sqrt(lambda*(1+lambda/s.base.k(span)))+1
}

// resolve ends an incident: windows may not reach back into it, its hours
// teach nothing, and if it was a marginal one its evidence teaches the
// threshold.
func (d *Detector) resolve(t *tracked, at time.Time, who string) {
	t.State, t.ResolvedAt, t.ResolvedBy = Resolved, at, who
	if t.Kind != "surge" {
		return
	}
	for _, s := range d.streams {
		s.barrier, s.recently = at, recently{at: at, tau: s.tau}
	}
	if t.Level != Paging {
		return
	}
	d.hideIncident(t, at)
	if d.Learning() > coldDays && (t.peak < t.limit+d.limit.marginal() || d.Learning() <= trialDays) {
		d.limit.see(at, t.peak)
		d.limit.skip = false
	}
}

// isMuted tells whether all kinds of a surge were called a false alarm within
// the day, and it has not grown clearly beyond what was dismissed.
func (d *Detector) isMuted(kinds []string, customers int) bool {
	for _, kind := range kinds {
		group := d.kind(kind).Group
		if !slices.ContainsFunc(d.muted, func(m mute) bool {
			return d.now.Before(m.until) && customers < 2*m.count+2 && (slices.Contains(m.categories, kind) || group != "" && group == m.group)
		}) {
			return false
		}
	}
	return len(kinds) > 0
}

// stopped says how soon after a roll-back the complaints ended.
func (t *tracked) stopped() string {
	after, ok := t.AfterRollback()
	switch {
	case !ok:
		return ""
	case after < time.Minute:
		return "complaints stopped with the roll-back"
	}
	return fmt.Sprintf("complaints stopped %d min after the roll-back", int(after.Round(time.Minute).Minutes()))
}

// Decide folds in a person's decision. One that is not allowed in the
// incident's state changes nothing and returns an error that says why.
func (d *Detector) Decide(x Decision) ([]Change, error) {
	changes := d.advance(x.At)
	var t *tracked
	for _, c := range d.incidents {
		if c.ID == x.Incident {
			t = c
		}
	}
	if t == nil {
		if x.Verb == Note {
			return append(changes, Change{Kind: DidNote, At: x.At, Who: x.Who, Note: x.Note, Incident: Incident{ID: x.Incident}}), nil
		}
		return changes, errors.New("the incident is over: it was resolved more than an hour ago")
	}
	at := d.now
	if x.At.After(at) {
		at = x.At
	}
	c := Change{At: at, Who: x.Who, Note: x.Note}
	switch x.Verb {
	case Acknowledge:
		if t.State == Resolved {
			return changes, errors.New("the incident is resolved: there is nothing to acknowledge")
		}
		if t.State == Acknowledged {
			return changes, fmt.Errorf("%s acknowledged it already", orSomebody(t.AcknowledgedBy))
		}
		t.State, t.AcknowledgedAt, t.AcknowledgedBy = Acknowledged, at, x.Who
		c.Kind = DidAcknowledge
	case Resolve:
		if t.State == Resolved {
			return changes, errors.New("the incident is resolved already")
		}
		d.resolve(t, at, x.Who)
		c.Kind = DidResolve
	case Dismiss:
		if t.FalseAlarm {
			return changes, errors.New("the incident was called a false alarm already")
		}
		if t.State != Resolved {
			t.peak = math.Min(t.peak, t.limit+2) // it teaches the threshold
			d.limit.skip = false
			d.resolve(t, at, x.Who)
		}
		t.FalseAlarm = true
		if t.Kind == "surge" {
			d.muted = append(slices.DeleteFunc(d.muted, func(m mute) bool { return !d.now.Before(m.until) }),
				mute{slices.Clone(t.Categories), t.Group, at.Add(muteFor), t.Now.Customers})
		}
		c.Kind = DidDismiss
	case Note:
		c.Kind = DidNote
	default:
		return changes, fmt.Errorf("%q is no decision", x.Verb)
	}
	c.Incident = t.Incident
	return append(changes, c), nil
}

func orSomebody(who string) string {
	if who == "" {
		return "somebody"
	}
	return who
}

// Adopt gives the detector the incidents that the store holds as not resolved,
// after it was fed the stored events again, so that an incident raised by an
// older algorithm is still carried to its end.
func (d *Detector) Adopt(open []Incident) {
	for _, i := range open {
		if slices.ContainsFunc(d.incidents, func(t *tracked) bool { return t.ID == i.ID }) {
			continue
		}
		// A trouble that was recorded while the clock was ahead is fed again at
		// another time, which gives it another ID: the one that was paged stays.
		d.incidents = slices.DeleteFunc(d.incidents, func(t *tracked) bool {
			return i.Key != "" && t.Kind == i.Kind && t.Key == i.Key && t.State != Resolved
		})
		t := &tracked{Incident: i, adopted: true, seen: map[string]int{}, told: i.Now.Customers}
		if i.Kind == "surge" {
			if t.stream = d.byName["group "+i.Group]; t.stream == nil || i.Group == "" {
				t.stream = d.byName["kind "+first(i.Categories)]
			}
			if t.stream == nil {
				t.stream = d.all
			}
		}
		d.incidents = append(d.incidents, t)
	}
}

// Trouble folds in a fault of Tocsin's own: one incident for each kind and key.
func (d *Detector) Trouble(x Trouble) []Change {
	changes := d.advance(x.At)
	at := d.now
	if x.At.After(at) {
		at = x.At
	}
	for _, t := range d.incidents {
		if t.Kind != x.Kind || t.Key != x.Key || t.State == Resolved {
			continue
		}
		if x.Over {
			d.resolve(t, at, "")
			return append(changes, Change{Kind: DidResolve, At: at, Incident: t.Incident})
		}
		return changes
	}
	if x.Over {
		return changes
	}
	t := &tracked{seen: map[string]int{}}
	t.Incident = Incident{ID: incidentID(at, x.Kind, x.Key, at.UTC().Format(time.RFC3339Nano)), Kind: x.Kind, Key: x.Key, State: Open, Level: Warning,
		Categories: []string{x.Kind}, StartedAt: at, DetectedAt: at, Reason: Reason{Text: x.Text}, Now: Reason{Text: x.Text}}
	kind := Warned
	if x.Page {
		t.Level, kind = Paging, Opened
	}
	d.incidents = append(d.incidents, t)
	return append(changes, Change{Kind: kind, At: at, Incident: t.Incident})
}

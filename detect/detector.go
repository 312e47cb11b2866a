package detect

import (
	"math"
	"slices"
	"sort"
	"time"
)

// Rate is a budget of false alarms: Count of them in Per.
type Rate struct {
	Count float64
	Per   time.Duration
}

// Kind is what the detector must know of a category.
type Kind struct {
	Name  string
	Group string // kinds of one group are one trouble
	Page  bool   // a surge may page; otherwise it is counted only
	High  bool   // needs more evidence than the others
}

// Options of a Detector. The zero value of each field has a sensible meaning.
type Options struct {
	FalseAlarms Rate           // default 1 in 30 days, over the whole inbox
	Location    *time.Location // the team's time zone, for hours of the week; default UTC
	// Kinds lists the categories. An unknown category pages like a known one
	// when AllPage is set (a backtest without a taxonomy), else it is only counted.
	Kinds   []Kind
	AllPage bool
	// TwoSignals lets complaints alone, and a success rate alone, raise only a
	// warning where both are known; together they page.
	TwoSignals bool
}

// Bounds of memory.
const (
	mostStreams   = 80
	mostPeople    = 200_000
	countOnce     = 24 * time.Hour // a complainant counts once in a stream and this span
	mostOfOrg     = 2              // colleagues of one business domain that count in the same span: a firm alone is no surge
	lateness      = 10 * time.Minute
	mostDeploys   = 500
	hotAfter      = time.Hour // after a deployment a surge needs less evidence
	leastPeople   = 3
	highExtra     = 2.0
	warnAllowance = 2.3 // a warning may come ten times as often as a page
	mostHidden    = 24  // hours of a week that incidents take out of what teaches
	coldDays      = 14  // of mail until an inbox is known
	trialDays     = 56  // of mail in which whatever rings tells how heavy the tail is
)

// Detector is the fold. It is not safe for concurrent use.
type Detector struct {
	opt     Options
	kinds   map[string]Kind
	hours   calendar
	past    ring
	now     time.Time
	day     int64
	streams []*stream
	byName  map[string]*stream
	all     *stream
	limit   threshold

	lists   map[string][]*stream // that a category belongs to
	people  memory[string]
	orgs    memory[string]
	prints  memory[uint64] // texts
	deploys []*deployed
	bonus   float64 // nats less that a surge after a deployment needs

	lastSeen  time.Time // newest complaint of all
	incidents []*tracked
	muted     []mute
	grid      time.Time
	outcomes  map[string]*rateWatch
	reporters map[string]*reporter // by service
	learned   time.Time            // first complaint ever seen
	unlearned bool                 // history came in since the baseline was learned
	newest    time.Time            // of the history
	begins    []begin              // memory that accuse uses again
}

// New returns a detector that has seen nothing.
func New(opt Options) *Detector {
	if opt.FalseAlarms.Count <= 0 || opt.FalseAlarms.Per <= 0 {
		opt.FalseAlarms = Rate{1, 30 * 24 * time.Hour}
	}
	if opt.Location == nil {
		opt.Location = time.UTC
	}
	d := &Detector{opt: opt, kinds: map[string]Kind{}, byName: map[string]*stream{}, lists: map[string][]*stream{},
		outcomes: map[string]*rateWatch{}, reporters: map[string]*reporter{}}
	d.hours.loc, d.past.loc = opt.Location, opt.Location
	d.limit.budget = opt.FalseAlarms
	for _, k := range opt.Kinds {
		d.kinds[k.Name] = k
	}
	d.all = d.stream("", true)
	d.limit.fit(priorLevel)
	d.deploymentHabit()
	return d
}

// kind is what is known of a category; one never heard of pages only if the
// options say so.
func (d *Detector) kind(name string) Kind {
	if k, ok := d.kinds[name]; ok {
		return k
	}
	return Kind{Name: name, Page: d.opt.AllPage}
}

// stream finds or makes a stream. "" is the stream of all that may page.
func (d *Detector) stream(name string, page bool) *stream {
	if s := d.byName[name]; s != nil {
		return s
	}
	if len(d.streams) >= mostStreams {
		return nil
	}
	s := &stream{name: name, id: len(d.streams), page: page, share: 1, clock: d.now, whole: d.all}
	level := priorLevel
	if name != "" {
		s.share = 0.15
		level *= 0.25
	}
	s.base.flat(level)
	if d.all != nil && d.all.base.seen > 50 {
		// A kind never seen in a known inbox is rare.
		s.base.flat(math.Max(d.all.base.level*0.004, 0.005))
		s.base.profile, s.share = d.all.base.profile, 0.02
		s.base.first, s.base.last = d.all.base.first, d.all.base.last
		s.base.table()
	}
	s.base.rate(d.hours.of(d.now))
	d.byName[name] = s
	d.streams = append(d.streams, s)
	return s
}

// streamsOf are the streams that a complaint belongs to.
func (d *Detector) streamsOf(c *Complaint) []*stream {
	list := d.lists[c.Category]
	if list == nil {
		list = d.streamsOfKind(d.kind(c.Category))
		if d.byName["kind "+c.Category] != nil {
			d.lists[c.Category] = list
		}
	}
	list = list[:len(list):len(list)]
	for _, name := range c.Streams {
		if s := d.stream("words "+name, true); s != nil {
			list = append(list, s)
		}
	}
	return list
}

// streamsOfKind are those that every complaint of a kind belongs to. A kind
// beyond the most that are told apart counts among all together.
func (d *Detector) streamsOfKind(k Kind) (list []*stream) {
	if own := d.stream("kind "+k.Name, k.Page); own != nil {
		if k.High {
			own.extra = highExtra
		}
		list = append(list, own)
	}
	if k.Group != "" {
		if g := d.stream("group "+k.Group, true); g != nil && k.Page {
			g.group = true
			list = append(list, g)
		}
	}
	if k.Page {
		list = append(list, d.all)
	}
	return list
}

// Complaint folds in one complaint. One that comes late is weighed at its own
// time; one older than the longest window teaches the baseline only.
func (d *Detector) Complaint(c Complaint) []Change {
	if c.At.Unix() < 0 || c.FollowUp { // no mail came before 1970
		return nil
	}
	if d.learned.IsZero() || c.At.Before(d.learned) {
		d.learned = c.At
	}
	old := c.History || (!d.now.IsZero() && c.At.Before(d.now.Add(-longestWindow)))
	var changes []Change
	if !old {
		changes = d.advance(c.At)
	}
	if !old {
		d.outage(c.At)
		d.follow(&c)
	}
	list := d.streamsOf(&c)
	counted, known := false, d.recall(&c)
	if !old {
		d.all.advance(d.now, &d.hours)
	}
	for _, s := range list {
		if !old {
			s.advance(d.now, &d.hours)
		}
		if !known.counts(s, c.At) {
			continue
		}
		counted = true
		s.base.count(c.At)
		if old {
			continue
		}
		s.add(event{at: c.At, kind: c.Category, message: c.MessageID, who: c.Complainant})
		if late := d.now.Sub(c.At); late > lateness {
			// It arrived late: it takes its own place in time.
			s.place(c.At)
		}
	}
	if old || !counted {
		if old && counted {
			d.unlearned = true
			if c.At.After(d.newest) {
				d.newest = c.At
			}
		}
		return changes
	}
	d.lastSeen = c.At
	changes = append(changes, d.test(c, list)...)
	return changes
}

// place moves the newest event to where its own time belongs.
func (s *stream) place(at time.Time) {
	i := len(s.events) - 1
	e := s.events[i]
	e.tau -= s.base.current * s.clock.Sub(at).Hours()
	for i > 0 && s.events[i-1].at.After(at) {
		s.events[i] = s.events[i-1]
		i--
	}
	s.events[i] = e
}

// advance moves time forward. Hours pass one by one and open incidents are
// looked at every five minutes of the inbox's time, so that how often time is
// told changes nothing.
func (d *Detector) advance(to time.Time) []Change {
	if d.unlearned {
		// History is read newest first, in any order; what comes after it is
		// tested against all of it.
		if d.now.Before(d.newest) {
			d.now = d.newest
			d.day = d.dayOf(d.now)
		}
		d.learn(d.newest)
	}
	if d.now.IsZero() {
		d.now = to
		d.day = d.dayOf(to)
	}
	if !to.After(d.now) {
		return nil
	}
	if to.Sub(d.now) > longestGap {
		// Months without an event: nothing of before matters to a window.
		d.move(to.Add(-longestGap))
	}
	var changes []Change
	for d.now.Before(to) {
		next := d.now.Truncate(time.Hour).Add(time.Hour)
		if d.busy() {
			if d.grid.IsZero() || d.grid.Before(d.now.Add(-gridStep)) {
				d.grid = d.now.Truncate(gridStep)
			}
			if at := d.grid.Add(gridStep); !at.After(next) {
				if at.After(to) {
					break
				}
				d.grid = at
				d.move(at)
				changes = append(changes, d.look(at)...)
				if at.Equal(next) {
					d.hourly()
				}
				continue
			}
		}
		if next.After(to) {
			break
		}
		d.move(next)
		d.hourly()
	}
	d.move(to)
	return changes
}

// longestGap is how far time is moved hour by hour.
const longestGap = 60 * 24 * time.Hour

// move says that it is later. Streams follow at the end of the hour, or when
// they are asked.
func (d *Detector) move(to time.Time) {
	if to.After(d.now) {
		d.now = to
	}
}

// hourly is what happens at the end of each hour.
func (d *Detector) hourly() {
	for _, s := range d.streams {
		s.advance(d.now, &d.hours)
	}
	d.outage(d.now)
	if d.Learning() > coldDays {
		d.limit.roll(d.now)
	}
	d.daily()
	hour := d.hours.of(d.now)
	for _, s := range d.streams {
		s.base.rate(hour)
	}
}

// outage recognises that the inbox itself was out: no complaint at all where
// many were due. The hours teach nothing, and what comes in a bunch afterwards
// was due before.
func (d *Detector) outage(to time.Time) {
	if d.lastSeen.IsZero() || to.Sub(d.lastSeen) < time.Hour {
		return
	}
	for _, s := range d.streams {
		s.advance(d.now, &d.hours)
	}
	a := d.all
	missed := a.tau
	if n := len(a.events); n > 0 {
		missed = a.tau - a.events[n-1].tau
	}
	if missed < 9 || a.base.seen < 100 || missed*missed/(missed+a.base.k(to.Sub(d.lastSeen))) < 4.5 {
		return
	}
	for _, s := range d.streams {
		due := s.tau
		if n := len(s.events); n > 0 {
			due = s.tau - s.events[n-1].tau
		}
		// Half as much again, since the hours of an outage scatter like others.
		s.backlog = backlog{count: 1.5 * math.Min(due, missed), from: to, until: to.Add(3 * backlogFade), fade: backlogFade}
		s.base.hide(d.lastSeen.Unix()/3600, to.Unix()/3600+1)
	}
}

// backlogFade is the time in which the mail an outage held back thins out: most
// comes at once, some when the servers try again.
const backlogFade = 30 * time.Minute

// daily learns what is normal once a day of the team, from the days before.
func (d *Detector) daily() {
	// As long as little is known, what an hour teaches is known in the next.
	if day := d.dayOf(d.now); day != d.day {
		d.day = day
	} else if d.Learning() >= coldDays {
		return
	}
	// Hours of incidents that are still open do not teach.
	for _, t := range d.incidents {
		if t.State != Resolved && t.Kind == "surge" {
			d.hideIncident(t, d.now)
		}
	}
	d.learn(d.now)
}

func (d *Detector) dayOf(t time.Time) int64 { return d.hours.of(t).day }

// hideIncident takes an incident's hours out of what teaches. Of one that
// lasts, only the first day: what goes on and on is the new normal. In the
// first weeks nothing is hidden, since nothing is known to be unusual: else an
// inbox busier than the prior would be an incident for ever.
func (d *Detector) hideIncident(t *tracked, until time.Time) {
	if d.Learning() < coldDays {
		return
	}
	if end := t.StartedAt.Add(24 * time.Hour); until.After(end) {
		until = end
	}
	// Nor is it unusual what rings day after day: a level that has risen for good
	// would else be hidden, and ring, for ever.
	if d.all.base.hiddenSince(until.Add(-7*24*time.Hour)) >= mostHidden {
		return
	}
	d.hide(t.StartedAt, until)
}

// learn fits every baseline and the threshold to what was seen before now.
func (d *Detector) learn(now time.Time) {
	d.unlearned = false
	d.all.base.learn(now, &d.past, nil, 1)
	for _, s := range d.streams[1:] {
		s.base.learn(now, &d.past, &d.all.base.profile, 0.15)
		s.base.compare(now, &d.past, &d.all.base)
		s.share = math.Min(math.Max(s.base.level/math.Max(d.all.base.level, 1e-6), 0.01), 1)
	}
	d.limit.fit(d.all.base.level)
	d.deploymentHabit()
}

func (d *Detector) hide(from, to time.Time) {
	for _, s := range d.streams {
		s.base.hide(from.Unix()/3600, to.Unix()/3600)
	}
}

// bonus is how much less evidence a rare stream needs: a surge of a kind that
// is a hundredth of the inbox is tested a hundredth as often.
func (s *stream) bonus() float64 { return math.Min(-math.Log(s.share), 3.5) * 0.8 }

// verdict is the strongest hypothesis of a stream.
type verdict struct {
	stream   *stream
	window   window
	evidence float64 // comparable between streams
	deployed *deployed
}

// test looks at the streams that a complaint counted in.
func (d *Detector) test(c Complaint, list []*stream) []Change {
	if d.flooded(c.Category) {
		return nil
	}
	best := verdict{evidence: math.Inf(-1)}
	idle := d.idle()
	for _, s := range list {
		if !s.page || len(s.events) < 2 {
			continue
		}
		if v := d.judge(s, math.Max(idle, best.evidence)); v.evidence > best.evidence {
			best = v
		}
	}
	if best.stream == nil || best.evidence <= 0 {
		return nil
	}
	if !d.surging() && d.Learning() > coldDays {
		d.limit.see(d.now, best.evidence)
	}
	return d.raise(best, c)
}

// idle is evidence that changes nothing, and need not be known exactly: it is
// too little for a warning, no incident is open that it could make grow, and the
// threshold has seen more in these hours.
func (d *Detector) idle() float64 {
	if d.surging() {
		return math.Inf(-1)
	}
	e := d.need() - warnAllowance
	if d.Learning() > coldDays {
		e = math.Min(e, d.limit.seen(d.now))
	}
	return e - rounding
}

// rounding is more than what sums of the same numbers differ by.
const rounding = 1e-9

// judge finds a stream's strongest hypothesis: a surge since one of its
// complaints, or since a recent deployment. It need not find one whose evidence
// is not above a given one.
func (d *Detector) judge(s *stream, above float64) verdict {
	ease := s.bonus() - s.extra
	floor := leastScan
	// Of a kind the others may lower what is expected below its bare rate, which
	// a scan takes for the least: a higher floor would hide more than it says.
	if s.whole == nil {
		floor = math.Max(floor, above-ease-d.hottest(s.events[0].at)-rounding)
	}
	v := verdict{stream: s, window: s.scan(d.now, floor)}
	v.evidence = v.window.evidence
	if after := d.hotNess(v.window.start); after > 0 {
		v.evidence += after
	}
	for i := len(d.deploys) - 1; i >= 0 && d.now.Sub(d.deploys[i].At) < 2*hotAfter; i-- {
		x := d.deploys[i]
		if !x.suspicious() || x.At.Before(s.barrier) {
			continue
		}
		w := s.since(x.At, d.now)
		if e := w.evidence + d.bonus; w.count > 1 && e > v.evidence {
			v.window, v.evidence, v.deployed = w, e, x
		}
	}
	if v.evidence > 0 {
		v.evidence += ease
	}
	return v
}

// Gap takes a span out of what the baseline learns from.
func (d *Detector) Gap(x Gap) []Change {
	if x.To.After(x.From) {
		d.hide(x.From, x.To)
	}
	return nil
}

// Relabel moves a complaint counted before to another category.
func (d *Detector) Relabel(x Relabel) []Change {
	c := x.Complaint
	if c.FollowUp || c.At.IsZero() {
		return nil
	}
	hour := c.At.Unix() / 3600
	if c.Category != "" {
		for _, s := range d.streamsOf(&c) {
			s.base.uncount(hour)
			s.events = slices.DeleteFunc(s.events, func(e event) bool {
				return c.MessageID != "" && e.message == c.MessageID
			})
		}
	}
	if x.To == "" {
		return nil
	}
	c.Category = x.To
	for _, s := range d.streamsOf(&c) {
		s.base.count(c.At)
	}
	return nil
}

// Tick says that it is now. How often it is called changes no decision and no
// time in one.
func (d *Detector) Tick(now time.Time) []Change { return d.advance(now) }

// Incidents returns those not resolved, and those resolved within the hour.
func (d *Detector) Incidents() []Incident {
	var list []Incident
	for _, t := range d.incidents {
		list = append(list, t.Incident)
	}
	sort.SliceStable(list, func(a, b int) bool { return list[a].DetectedAt.Before(list[b].DetectedAt) })
	return list
}

// Learning tells how many days of mail the baseline rests on.
func (d *Detector) Learning() (days float64) {
	if d.learned.IsZero() || d.now.IsZero() {
		return 0
	}
	return d.now.Sub(d.learned).Hours() / 24
}

package detect

import (
	"math"
	"sort"
	"time"
)

// Bounds of what a stream looks back on.
const (
	longestWindow = 6 * time.Hour
	mostWindow    = 1024 // complaints
)

// stream is one series of complaints under test: a kind, a group of kinds, or
// all of them.
type stream struct {
	id     int
	name   string
	group  bool // a group, or all
	page   bool
	extra  float64 // nats more than the others must exceed
	base   baseline
	share  float64 // of all complaints
	clock  time.Time
	tau    float64 // expected complaints since the beginning, at clock
	events []event
	room   []event // the memory that they lie in
	// barrier: windows may not reach behind it, so that an incident already
	// reported does not ring again.
	barrier  time.Time
	backlog  backlog
	recently recently
	whole    *stream // all complaints together; nil for that one
	total    int     // complaints counted since the beginning
}

// recently is what the last hours were like, the newest ones most: numbers that
// are high go on being high for a while, and that is no surge.
type recently struct {
	at              time.Time
	tau             float64
	count, expected float64
}

// recentMemory is the time in which what was seen loses its say.
const recentMemory = 3 * time.Hour

// add takes a complaint in, and says how busy it was before it, compared with
// what is normal, and how far that can be known: 0 to 1.
func (r *recently) add(at time.Time, tau float64, k float64) (heat, known float64) {
	if gone := float64(at.Sub(r.at)) / float64(recentMemory); gone > 0 {
		keep := math.Exp(-gone)
		r.count *= keep
		r.expected = r.expected*keep + (tau-r.tau)*(1-keep)/gone
		r.at, r.tau = at, tau
	}
	known = r.expected / (r.expected + k)
	heat = min(max((r.count+k)/(r.expected+k)-1, 0), 4)
	r.count++
	return heat, known
}

// heat is how busy it is beyond what is normal, as add says it.
func (r *recently) heat(tau float64, at time.Time, k float64) float64 {
	keep, expected := 1.0, r.expected
	if gone := float64(at.Sub(r.at)) / float64(recentMemory); gone > 0 {
		keep = math.Exp(-gone)
		expected = r.expected*keep + (tau-r.tau)*(1-keep)/gone
	}
	return min(max((r.count*keep+k)/(expected+k)-1, 0), 4)
}

// backlog is mail that is due on top of the rate: what an outage of the inbox
// held back, or the answers to a mailing. It belongs to the windows that reach
// into it, however long ago that was: dropped at an instant, all of it would
// ring at that instant.
type backlog struct {
	count       float64
	from, until time.Time     // of when it comes in
	fade        time.Duration // 0: any time until then; else most of it at once
}

// owed is how much of it a window must expect that begins at start.
func (b *backlog) owed(start time.Time) float64 {
	switch {
	case b.count == 0 || !start.Before(b.until):
		return 0
	case b.fade == 0:
		return b.count
	case start.Before(b.from):
		return 0 // the rate of the outage's own hours counts it
	}
	return b.count * math.Exp(-float64(start.Sub(b.from))/float64(b.fade))
}

// event is a complaint that counts in a stream.
type event struct {
	at   time.Time
	nano int64 // at, as a number: windows are compared a million times a second
	tau  float64
	// How busy it was before it, beyond what is normal, and how far that is known.
	heat, known float64
	whole       mark
	kind        string
	message     string
	who         string // complainant
}

// mark is where all complaints together were, just before a complaint.
type mark struct {
	total     int
	tau, heat float64
}

// advance moves the stream's clock: the expected number grows with the rate of
// each hour passed.
func (s *stream) advance(to time.Time, hours *calendar) {
	if s.clock.IsZero() {
		s.clock = to
		return
	}
	if to.Sub(s.clock) > 60*24*time.Hour {
		// A gap of months in the input: nothing of before matters to a window.
		s.clock = to
		s.events = s.events[:0]
		return
	}
	for s.clock.Before(to) {
		next := s.clock.Truncate(time.Hour).Add(time.Hour)
		if next.After(to) {
			next = to
		}
		s.tau += s.base.rate(hours.of(s.clock)) * next.Sub(s.clock).Hours()
		s.clock = next
	}
}

// add puts a complaint in and forgets those behind the longest window.
func (s *stream) add(e event) {
	e.tau, e.nano = s.tau, e.at.UnixNano()
	e.heat, e.known = s.recently.add(e.at, e.tau, 1/s.base.v1)
	if w := s.whole; w != nil {
		e.whole = mark{total: w.total, tau: w.tau, heat: w.recently.heat(w.tau, e.at, 1/w.base.v1)}
	}
	s.total++
	drop := 0
	for drop < len(s.events) && (len(s.events)-drop >= mostWindow || e.at.Sub(s.events[drop].at) > longestWindow) {
		drop++
	}
	s.events = s.events[drop:]
	if len(s.events) == cap(s.events) {
		s.makeRoom()
	}
	s.events = append(s.events, e)
}

// makeRoom moves the events to the beginning of their memory, which is made
// larger when they fill more than half of it.
func (s *stream) makeRoom() {
	if n := len(s.events); 2*n > len(s.room) || n == 0 {
		s.room = make([]event, max(16, 4*n))
	}
	s.events = s.room[:copy(s.room, s.events)]
}

// window is one hypothesis: a surge since start.
type window struct {
	start    time.Time // of the surge
	first    int       // index of its first complaint in events
	count    int       // complainants in it, the first one included
	expected float64
	evidence float64
}

// ratio is the log-likelihood ratio of m complainants where lambda are
// expected, for counts that are negative binomial with relative variance 1/k
// (Höhle and Paul 2008 use the same for counts by the week).
func ratio(m, lambda, k float64) float64 {
	if m <= lambda || m <= 0 {
		return 0
	}
	if lambda < 1e-6 {
		lambda = 1e-6
	}
	return m*math.Log(m/lambda) - (m+k)*math.Log((m+k)/(lambda+k))
}

// leastScan is the evidence below which a window is not worth a look, in nats.
const leastScan = 0.5

// scan looks for the likeliest start of a surge among windows that begin at a
// complaint and end now: a scan statistic (Kulldorff 1997) over a
// window-limited generalised likelihood ratio (Lai 1995). The complaint that
// begins a window does not count in it, or short windows would ring far too
// often. All short windows are tried, and longer ones at growing steps. A window
// whose evidence is not above the floor is none.
func (s *stream) scan(now time.Time, floor float64) (best window) {
	n := len(s.events)
	gap := 1
	barrier, until := s.barrier.UnixNano(), now.UnixNano()
	if s.barrier.IsZero() {
		barrier = math.MinInt64
	}
	for back := 2; back <= n; back += gap {
		if back > 16 {
			gap = 1 + back/12
		}
		i := n - back
		e := &s.events[i]
		if e.nano < barrier {
			break
		}
		m := float64(back - 1)
		// More than the bare rate is expected, so what is little beside that is
		// little in any case.
		if bare := s.tau - e.tau; m <= bare || (m-bare)*(m-bare) <= floor*2*bare {
			continue
		}
		lambda, k := s.expect(e, e.tau, until, m)
		if m <= lambda {
			continue
		}
		// The ratio's second derivative by m is k/(m(m+k)), which is largest at
		// lambda: a parabola bounds it, and spares most of its logarithms.
		if (m-lambda)*(m-lambda) <= floor*2*lambda*(1+lambda/k) {
			continue
		}
		if g := ratio(m, lambda, k); g > floor {
			best = window{start: e.at, first: i, count: back, expected: lambda, evidence: g}
			floor = g
		}
	}
	return best
}

// since is the evidence of a surge that begins at a given instant, such as a
// deployment. There is no start to search for, so every complaint counts.
func (s *stream) since(at, now time.Time) window {
	w := window{start: at}
	from := at.UnixNano()
	if s.barrier.After(at) {
		from = s.barrier.UnixNano()
	}
	i := sort.Search(len(s.events), func(i int) bool { return s.events[i].nano >= from })
	w.first, w.count = i, len(s.events)-i
	if w.count == 0 {
		return w
	}
	// Expected from the instant itself to the first complaint, at today's rate.
	e := &s.events[i]
	lead := s.base.current * e.at.Sub(at).Hours()
	lambda, k := s.expect(e, e.tau-lead, now.UnixNano(), float64(w.count-1))
	w.expected = lambda
	w.evidence = ratio(float64(w.count), lambda, k)
	return w
}

// begin is when a surge may have begun, and how likely.
type begin struct {
	at     time.Time
	gap    time.Duration // between the complaints since
	weight float64
}

// begins are the complaints that may be the first of a surge: each as likely as
// a window from there is evidence. The weights add up to 1. They are appended to
// an empty list.
func (s *stream) begins(now time.Time, list []begin) []begin {
	best := leastScan
	for i := len(s.events) - 2; i >= 0 && !s.events[i].at.Before(s.barrier); i-- {
		e := &s.events[i]
		n := len(s.events) - i - 1
		lambda, k := s.expect(e, e.tau, now.UnixNano(), float64(n))
		g := ratio(float64(n), lambda, k)
		best = max(best, g)
		list = append(list, begin{e.at, now.Sub(e.at) / time.Duration(n), g})
	}
	sum := 0.0
	for i := range list {
		list[i].weight = math.Exp(list[i].weight - best)
		sum += list[i].weight
	}
	for i := range list {
		list[i].weight /= sum
	}
	return list
}

// resolution is the shortest span in which complaints say anything about time:
// people take minutes to write, and servers deliver in bunches.
const resolution = 2 * time.Minute

// expect is how many complainants are normal in a window that begins with a
// complaint, at a point of expected time, and the inverse of their relative
// variance: both given how busy it was before, and when m came what the other
// kinds do.
func (s *stream) expect(e *event, tau float64, until int64, m float64) (lambda, k float64) {
	step := spanStep(time.Duration(until - e.nano))
	goesOn := s.base.fades[step]
	lambda = max(s.tau-tau, s.base.current*(float64(resolution)/float64(time.Hour)))
	lambda *= 1 + e.heat*goesOn
	v := s.base.vTable[step] * (1 - e.known*goesOn*goesOn)
	if s.whole != nil && s.base.shared > 0 {
		factor, rest := s.others(e, s.tau-tau, m, step, goesOn)
		lambda, v = lambda*factor, v*rest
	}
	if s.backlog.count > 0 {
		lambda += s.backlog.owed(e.at)
	}
	return lambda, 1 / (v + s.base.unsure)
}

// leastOthers is how much lower the rate is thought at most when the others are
// few: a quarter would make chance ring.
const leastOthers = 0.7

// others is what the other kinds say of a stream's rate in a window that begins
// with a complaint and in which lambda are expected and m came: the factor by
// which it changes, and the share of the scatter that remains. What moves all
// kinds alike, such as a holiday, a busy hour or growth, is no surge of one.
func (s *stream) others(e *event, lambda, m float64, step uint8, goesOn float64) (factor, rest float64) {
	w := s.whole
	due := (w.tau - e.whole.tau - lambda) * (1 + e.whole.heat*goesOn)
	if due <= 0 || w.backlog.count > 0 && w.backlog.owed(e.at) > 0 {
		return 1, 1
	}
	came := max(float64(w.total-e.whole.total-1)-m, 0)
	// Of what they are above normal, as much is no chance.
	known := 1 / (1 + 1/(w.base.vTable[step]*due))
	return max(1+s.base.shared*known*(came/due-1), leastOthers), 1 - s.base.likeness*known
}

// recent counts the complaints of the last span.
func (s *stream) recent(now time.Time, span time.Duration) int {
	n := 0
	for i := len(s.events) - 1; i >= 0 && now.Sub(s.events[i].at) < span; i-- {
		n++
	}
	return n
}

// calendar knows the hour of the week in the team's time zone, with its
// daylight saving; asking it for the same hour twice costs nothing.
type calendar struct {
	loc  *time.Location
	hour int64
	last weekHour
}

// ring remembers the hours of the week of the last months, which every stream
// asks for each time it learns.
type ring struct {
	calendar
	known [historyHours]int64
	index [historyHours]uint8
}

// fill sees to it that the index of a span's hours is known: each in the place
// of its number modulo historyHours.
func (r *ring) fill(begin, end int64) {
	for hour := begin; hour < end; hour++ {
		if i := hour % historyHours; r.known[i] != hour || hour == 0 {
			r.known[i], r.index[i] = hour, uint8(r.of(time.Unix(hour*3600, 0)).index)
		}
	}
}

// weekHour is an hour of the week: 0 is Monday at midnight.
type weekHour struct {
	index   int // 0 to 167
	weekend bool
	day     int64 // number of the local day, for daily work
}

func (c *calendar) of(t time.Time) weekHour {
	h := t.Unix() / 3600
	if h == c.hour && c.hour != 0 {
		return c.last
	}
	l := t.In(c.loc)
	d := (int(l.Weekday()) + 6) % 7
	_, offset := l.Zone()
	c.hour = h
	c.last = weekHour{index: d*24 + l.Hour(), weekend: d >= 5, day: (t.Unix() + int64(offset)) / 86400}
	return c.last
}

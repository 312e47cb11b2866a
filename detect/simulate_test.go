package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"time"
)

// A simulated inbox, for tests and for the study: hours of the week, noise that
// lasts over neighbouring hours, a trend, holidays, deployments, angry customers
// and firms, and surges of known shape. It knows the truth that the detector
// must find.
type inbox struct {
	rate    float64 // complaints an hour, on average over a week
	noise   float64 // relative variance of the hourly rate
	trend   float64 // growth over the whole time
	weeks   int     // of history, and scored ones
	scored  int
	deploys int // a working day
	surges  bool
	seed    uint64
	shapes  []string
}

// truth is a surge that was put in.
type truth struct {
	shape    string
	start    time.Time
	end      time.Time
	times    []time.Time // of its complaints
	deployed string      // id of the guilty deployment
}

type simulation struct {
	events []any // Complaint or Deployment, in the order of time
	truths []truth
	begin  time.Time
	from   time.Time // of what is scored
	end    time.Time
}

var simKinds = []struct {
	name  string
	share float64
}{
	{"login", .14}, {"password", .10}, {"signup", .05}, {"payment", .09}, {"bug", .22}, {"slow", .05}, {"data", .04}, {"email_delivery", .05}, {"billing", .12}, {"question", .14},
}

var simLoc = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.UTC
	}
	return l
}()

// profileAt is the usual shape of a week: working hours, a dent at noon, quiet
// nights and weekends.
func profileAt(t time.Time) float64 {
	l := t.In(simLoc)
	h := float64(l.Hour()) + float64(l.Minute())/60
	p := 0.12 + 1.9*math.Exp(-(h-10.5)*(h-10.5)/7) + 1.5*math.Exp(-(h-15)*(h-15)/8) + 0.5*math.Exp(-(h-20)*(h-20)/5)
	switch l.Weekday() {
	case time.Saturday:
		p *= 0.4
	case time.Sunday:
		p *= 0.3
	case time.Monday:
		p *= 1.15
	}
	return p / 0.86
}

func gamma(r *rand.Rand, shape float64) float64 {
	// Marsaglia and Tsang 2000.
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(r.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func poisson(r *rand.Rand, mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 60 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, l := 0, math.Exp(-mean)
	for p := r.Float64(); p > l; p *= r.Float64() {
		n++
	}
	return n
}

func (x inbox) simulate() *simulation {
	r := rand.New(rand.NewPCG(x.seed, 42))
	begin := time.Date(2026, 1, 5, 0, 0, 0, 0, simLoc)
	s := &simulation{begin: begin, from: begin.AddDate(0, 0, 7*x.weeks), end: begin.AddDate(0, 0, 7*(x.weeks+x.scored))}
	var complaints []Complaint
	people := 0
	add := func(at time.Time, kind string) {
		people++
		c := Complaint{At: at.Truncate(time.Second), Category: kind, Complainant: fmt.Sprintf("p%d@gmail.com", people)}
		if r.IntN(5) == 0 {
			org := fmt.Sprintf("firm%d.example", r.IntN(200))
			c.Complainant, c.Organisation = fmt.Sprintf("p%d@%s", people, org), org
		}
		complaints = append(complaints, c)
		if r.IntN(12) == 0 { // writes again
			for n := 1 + r.IntN(6); n > 0; n-- {
				d := c
				d.At = c.At.Add(time.Duration(r.ExpFloat64() * float64(40*time.Minute))).Truncate(time.Second)
				complaints = append(complaints, d)
			}
		}
	}
	holidays := map[int]bool{40 + r.IntN(5): true, 88: true, 121: true}
	// Of an autoregression l = a l + (1-a) g the variance is that of g times
	// (1-a)/(1+a); a gamma variate of that shape has the variance 1/shape.
	const keepNoise = 0.75
	shape := (1 - keepNoise) / (1 + keepNoise) / x.noise
	level := 1.0
	hours := int(s.end.Sub(begin).Hours())
	for h := range hours {
		t := begin.Add(time.Duration(h) * time.Hour)
		// Noise moves slowly: a gamma variate mixed with the hour before.
		level = keepNoise*level + (1-keepNoise)*gamma(r, shape)/shape
		mean := x.rate * profileAt(t.Add(30*time.Minute)) * math.Max(level, 0.05) * (1 + x.trend*float64(h)/float64(hours))
		if holidays[h/24] {
			mean *= 0.25
		}
		for range poisson(r, mean) {
			u, kind := r.Float64(), simKinds[len(simKinds)-1].name
			for _, k := range simKinds {
				if u -= k.share; u < 0 {
					kind = k.name
					break
				}
			}
			add(t.Add(time.Duration(r.Float64()*float64(time.Hour))), kind)
		}
	}
	var deploys []Deployment
	for day := 0; day < (x.weeks+x.scored)*7; day++ {
		d := begin.AddDate(0, 0, day)
		if wd := d.Weekday(); wd == time.Saturday || wd == time.Sunday {
			continue
		}
		for n := range x.deploys {
			deploys = append(deploys, Deployment{ID: fmt.Sprintf("d%d-%d", day, n), Service: []string{"web", "api"}[r.IntN(2)], Version: fmt.Sprintf("%d.%d", day, n),
				At: d.Add(9*time.Hour + time.Duration(r.Float64()*8*float64(time.Hour))).Truncate(time.Second)})
		}
	}
	if x.surges {
		x.inject(r, s, &complaints, &deploys, add)
	}
	sort.SliceStable(complaints, func(a, b int) bool { return complaints[a].At.Before(complaints[b].At) })
	sort.SliceStable(deploys, func(a, b int) bool { return deploys[a].At.Before(deploys[b].At) })
	for len(complaints) > 0 || len(deploys) > 0 {
		if len(complaints) == 0 || len(deploys) > 0 && !deploys[0].At.After(complaints[0].At) {
			s.events = append(s.events, deploys[0])
			deploys = deploys[1:]
			continue
		}
		s.events = append(s.events, complaints[0])
		complaints = complaints[1:]
	}
	return s
}

var allShapes = []string{"sharp", "sharp deployed", "ramp", "ramp deployed", "three kinds", "3x medium", "3x deployed"}

// inject puts a surge into every third day or so, in waking hours.
func (x inbox) inject(r *rand.Rand, s *simulation, complaints *[]Complaint, deploys *[]Deployment, add func(time.Time, string)) {
	n := int(x.seed)
	shapes := x.shapes
	if shapes == nil {
		shapes = allShapes
	}
	for day := x.weeks*7 + 1; day < (x.weeks+x.scored)*7-2; day += 3 + r.IntN(2) {
		shape := shapes[n%len(shapes)]
		n++
		start := s.begin.AddDate(0, 0, day).Add(8*time.Hour + time.Duration(r.Float64()*12*float64(time.Hour))).Truncate(time.Second)
		t := truth{shape: shape, start: start}
		usual := x.rate * profileAt(start)
		kinds := []string{"login"}
		if r.IntN(2) == 0 {
			kinds = []string{"payment"}
		}
		var extra func(minute float64) float64 // complaints an hour
		switch {
		case shape[:2] == "sh":
			rate := math.Max(24, 0.7*usual+12)
			extra = func(float64) float64 { return rate }
			t.end = start.Add(2 * time.Hour)
		case shape[:2] == "ra":
			top := math.Max(60, 1.2*usual)
			extra = func(m float64) float64 { return top * math.Min(m/60, 1) }
			t.end = start.Add(2 * time.Hour)
		case shape[:2] == "th":
			rate := math.Max(24, 0.7*usual+12)
			kinds = []string{"login", "signup", "password"}
			extra = func(float64) float64 { return rate }
			t.end = start.Add(2 * time.Hour)
		default:
			// three times what is normal of everything together, in one kind
			rate := 2*usual*0.35 + 5
			extra = func(float64) float64 { return rate }
			t.end = start.Add(3 * time.Hour)
		}
		if len(shape) > 8 && shape[len(shape)-8:] == "deployed" {
			d := Deployment{ID: "guilty " + start.Format(time.RFC3339), Service: "web", Version: "bad", At: start.Add(-time.Duration((1 + r.ExpFloat64()*6) * float64(time.Minute))).Truncate(time.Second)}
			*deploys = append(*deploys, d)
			t.deployed = d.ID
		}
		for at := start; at.Before(t.end); at = at.Add(time.Minute) {
			for range poisson(r, extra(at.Sub(start).Minutes())/60) {
				when := at.Add(time.Duration(r.Float64() * float64(time.Minute))).Truncate(time.Second)
				t.times = append(t.times, when)
				add(when, kinds[r.IntN(len(kinds))])
			}
		}
		sort.Slice(t.times, func(a, b int) bool { return t.times[a].Before(t.times[b]) })
		if len(t.times) > 0 {
			t.start = t.times[0]
			s.truths = append(s.truths, t)
		}
	}
}

// score is what a detector made of a simulation.
type score struct {
	false30  float64 // false pages in 30 days
	found    map[string][]int
	missed   map[string]int
	right    int // guilty deployment named
	guilty   int
	innocent int // deployment named where none was to blame
	free     int // surges without one
	starts   []float64
	twice    int
}

func newScore() *score { return &score{found: map[string][]int{}, missed: map[string]int{}} }

// add scores pages, given as the incidents that paged.
func (sc *score) add(s *simulation, pages []Incident) {
	used := map[int]int{}
	wrong := 0
	for i := range pages {
		p := &pages[i]
		if p.DetectedAt.Before(s.from) {
			continue
		}
		hit := -1
		for n := range s.truths {
			t := &s.truths[n]
			if !p.DetectedAt.Before(t.start) && p.DetectedAt.Before(t.end.Add(90*time.Minute)) {
				hit = n
			}
		}
		if hit < 0 {
			wrong++
			continue
		}
		if used[hit]++; used[hit] > 1 {
			sc.twice++
			continue
		}
		t := &s.truths[hit]
		n := sort.Search(len(t.times), func(k int) bool { return t.times[k].After(p.DetectedAt) })
		sc.found[t.shape] = append(sc.found[t.shape], n)
		sc.starts = append(sc.starts, p.StartedAt.Sub(t.start).Abs().Minutes())
		switch {
		case t.deployed != "":
			sc.guilty++
			if p.Suspect != nil && p.Suspect.Deployment.ID == t.deployed {
				sc.right++
			}
		default:
			sc.free++
			if p.Suspect != nil {
				sc.innocent++
			}
		}
	}
	for n := range s.truths {
		if used[n] == 0 {
			sc.missed[s.truths[n].shape]++
		}
	}
	sc.false30 += float64(wrong) / (s.end.Sub(s.from).Hours() / 720)
}

// replaySim feeds a simulation to a detector, and returns what paged.
func replaySim(s *simulation, opt Options) []Incident {
	d := New(opt)
	byID := map[string]Incident{}
	var order []string
	keep := func(changes []Change) {
		for _, c := range changes {
			if c.Incident.ID == "" || c.Incident.Level != Paging {
				continue
			}
			if _, ok := byID[c.Incident.ID]; !ok {
				order = append(order, c.Incident.ID)
				byID[c.Incident.ID] = c.Incident
				continue
			}
			first := byID[c.Incident.ID]
			first.Suspect, first.StartedAt, first.Now = c.Incident.Suspect, c.Incident.StartedAt, c.Incident.Now
			byID[c.Incident.ID] = first
		}
	}
	for _, e := range s.events {
		switch e := e.(type) {
		case Complaint:
			keep(d.Complaint(e))
		case Deployment:
			keep(d.Deployment(e))
		}
	}
	keep(d.Tick(s.end))
	var list []Incident
	for _, id := range order {
		list = append(list, byID[id])
	}
	return list
}

// backtestOptions are those of "tocsin backtest": every kind pages, login,
// signup and password are one group.
func backtestOptions() Options {
	opt := Options{Location: simLoc, AllPage: true}
	for _, k := range []string{"login", "signup", "password"} {
		opt.Kinds = append(opt.Kinds, Kind{Name: k, Group: "access", Page: true})
	}
	return opt
}

package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"
)

// Scenario is a surge on top of a background, to show a team what would be
// caught. The background comes when people usually write: by day, and on working
// days.
type Scenario struct {
	Background float64       // complaints an hour before the surge, all kinds together, on average over a week
	Surge      float64       // complaints an hour on top, of one kind
	Lasts      time.Duration // how long it surges; default 2 hours
	Weeks      int           // of background to learn from; default 8
	Hour       int           // of a working day at which it begins, in the team's time zone
	Deployed   bool          // a deployment comes five minutes before it
	Runs       int           // default 100
	Seed       uint64        // the same seed gives the same runs
	Told       func(run int) // called after each run, if not nil
}

// Outlook is what became of the runs of a Scenario.
type Outlook struct {
	Runs       int
	Paged      int           // runs in which the surge paged before it was over
	Complaints int           // of the surge until the page, in the median of those
	After      time.Duration // since its first complaint, likewise
	// MostComplaints and MostAfter are these in the slowest of nine of ten.
	MostComplaints int
	MostAfter      time.Duration
	Normal         float64 // complaints an hour that are normal when it begins
	False          float64 // pages in 30 days of background, over all runs
	Quiet          float64 // days of background a run that False rests on; 0: it is not known
}

// Bounds of a Scenario, so that no question takes a machine's memory or a day.
const (
	mostRuns     = 10_000
	mostWeeks    = 52
	mostSimulate = 1_000_000 // complaints in a run
)

// mostUsual is the busiest hour of a usual week, as a multiple of its mean.
var mostUsual = slices.Max(usual[:])

// Simulate plays a scenario again and again with a detector that has learned
// its background. The background comes by chance, as a Poisson process: real inboxes scatter more, so that this is the best to hope for. It
// fails on what nobody can simulate: rates that are no numbers, or too large.
func Simulate(x Scenario, opt Options) (Outlook, error) {
	if x.Lasts == 0 {
		x.Lasts = 2 * time.Hour
	}
	if x.Weeks == 0 {
		x.Weeks = 8
	}
	if x.Runs == 0 {
		x.Runs = 100
	}
	hours := float64(x.Weeks) * 7 * 24
	switch {
	case !(x.Background >= 0) || !(x.Surge > 0):
		return Outlook{}, fmt.Errorf("a background of %v and a surge of %v complaints an hour: the first must not be below zero, the second must be above", x.Background, x.Surge)
	case x.Hour < 0 || x.Hour > 23:
		return Outlook{}, fmt.Errorf("%d is no hour of a day: 0 to 23", x.Hour)
	case x.Runs < 0 || x.Weeks < 0 || x.Lasts < 0:
		return Outlook{}, fmt.Errorf("%d runs, %d weeks and a surge of %v: none can be below zero", x.Runs, x.Weeks, x.Lasts)
	case x.Runs > mostRuns || x.Weeks > mostWeeks || x.Lasts > 24*time.Hour:
		return Outlook{}, fmt.Errorf("at most %d runs, %d weeks and a surge of a day can be simulated", mostRuns, mostWeeks)
	case x.Background*hours+x.Surge*x.Lasts.Hours() > mostSimulate:
		return Outlook{}, fmt.Errorf("more than %d complaints in a run: fewer weeks or a lower rate", mostSimulate)
	}
	opt.AllPage = true
	if opt.Location == nil {
		opt.Location = time.UTC
	}
	o := Outlook{Runs: x.Runs}
	var counts []int
	var delays []time.Duration
	var quiet float64
	for run := range x.Runs {
		n, after, wrong := x.run(rand.New(rand.NewPCG(x.Seed, uint64(run))), opt)
		quiet += float64(wrong)
		if n > 0 {
			counts, delays = append(counts, n), append(delays, after)
		}
		if x.Told != nil {
			x.Told(run + 1)
		}
	}
	// Only the weeks in which the inbox is known are counted.
	if o.Quiet = max(hours/24-coldDays, 0); o.Quiet > 0 {
		o.False = quiet / float64(x.Runs) * 30 / o.Quiet
	}
	o.Normal = x.Background * usual[24+x.Hour]
	if o.Paged = len(counts); o.Paged > 0 {
		slices.Sort(counts)
		slices.Sort(delays)
		o.Complaints, o.After = counts[len(counts)/2], delays[len(delays)/2]
		o.MostComplaints, o.MostAfter = counts[(len(counts)*9-1)/10], delays[(len(delays)*9-1)/10]
	}
	return o, nil
}

// run plays once: how many complaints of the surge there were until it paged
// (0: it did not), how long that took, and how often the background paged.
func (x Scenario) run(r *rand.Rand, opt Options) (n int, after time.Duration, wrong int) {
	begin := time.Date(2026, 1, 5, 0, 0, 0, 0, opt.Location) // a Monday
	start := time.Date(2026, 1, 5+7*x.Weeks+1, x.Hour, 0, 0, 0, opt.Location)
	end := start.Add(x.Lasts)
	hours := calendar{loc: opt.Location}
	list := slices.DeleteFunc(arrivals(r, begin, end, x.Background*mostUsual, "background"), func(c Complaint) bool {
		return r.Float64()*mostUsual > usual[hours.of(c.At).index]
	})
	surge := arrivals(r, start, end, x.Surge, "surge")
	if len(surge) == 0 {
		return 0, 0, 0
	}
	for i := range list {
		list[i].Category = fmt.Sprint("kind ", r.IntN(8)+1)
	}
	for i := range surge {
		surge[i].Category = "kind 1"
	}
	list = append(list, surge...)
	sort.SliceStable(list, func(a, b int) bool { return list[a].At.Before(list[b].At) })
	d, deployed := New(opt), start.Add(-5*time.Minute)
	for _, c := range list {
		if x.Deployed && !c.At.Before(deployed) {
			d.Deployment(Deployment{ID: "simulated", Service: "web", Version: "2", At: deployed})
		}
		for _, change := range d.Complaint(c) {
			// A page of the background still open swallows the surge's own: that
			// one is found when the incident grows by it.
			switch known := change.At.Sub(begin) > coldDays*24*time.Hour; {
			case change.At.Before(surge[0].At):
				if known && change.Kind == Opened {
					wrong++
				}
			case change.Kind == Opened || change.Kind == DidReopen || change.Kind == Grew:
				n = sort.Search(len(surge), func(k int) bool { return surge[k].At.After(change.At) })
				return n, change.At.Sub(surge[0].At), wrong
			}
		}
	}
	return 0, 0, wrong
}

// arrivals are complaints that come by chance at a rate, each of somebody else.
func arrivals(r *rand.Rand, from, to time.Time, rate float64, who string) (list []Complaint) {
	for at := 0.0; rate > 0; {
		at += r.ExpFloat64() / rate
		if at >= math.Min(to.Sub(from).Hours(), 1e6) {
			break
		}
		list = append(list, Complaint{At: from.Add(time.Duration(at * float64(time.Hour))), Complainant: fmt.Sprintf("%s%d@gmail.com", who, len(list))})
	}
	return list
}

package detect

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// deployed is a deployment under watch.
type deployed struct {
	Deployment
	able    bool // it can be to blame
	settled bool // its watch is over, or it was blamed
	blamed  bool
}

// watchFor is how long a deployment is watched before it is called clean.
const watchFor = 2 * time.Hour

// suspicious tells whether a deployment can be to blame for complaints.
func (x *deployed) suspicious() bool { return x.able }

func canBlame(x *Deployment) bool {
	return !x.Failed && !x.Elsewhere && x.Kind != "campaign" && (x.Environment == "" || production(x.Environment))
}

// production is the habit of names; other environments are recorded by whoever
// feeds them and never suspected.
func production(env string) bool {
	env = strings.ToLower(env)
	return strings.HasPrefix(env, "prod") || env == "live" || env == "main" || env == "default"
}

// Deployment folds in a deployment.
func (d *Detector) Deployment(x Deployment) []Change {
	if x.At.IsZero() {
		return nil
	}
	if slices.ContainsFunc(d.deploys, func(o *deployed) bool { return x.ID != "" && o.ID == x.ID }) {
		return nil
	}
	late := !d.now.IsZero() && x.At.Before(d.now.Add(-watchFor))
	changes := d.advance(x.At)
	n := &deployed{Deployment: x, able: canBlame(&x), settled: late || x.Failed}
	i := len(d.deploys)
	for i > 0 && d.deploys[i-1].At.After(x.At) {
		i--
	}
	d.deploys = slices.Insert(d.deploys, i, n)
	if len(d.deploys) > mostDeploys {
		d.deploys = slices.Delete(d.deploys, 0, len(d.deploys)-mostDeploys)
	}
	if x.Kind == "campaign" {
		d.expectMail(x)
		return changes
	}
	if late || !n.suspicious() {
		return changes
	}
	for _, t := range d.incidents {
		if t.State == Resolved || t.Kind != "surge" {
			continue
		}
		c := Change{Kind: Deployed, At: d.now, Incident: t.Incident, Deployment: x.ID, Note: x.Service + " " + x.Version}
		if x.Rollback || x.Kind == "rollback" {
			c.Kind = RolledBack
			t.Rollback = &Rollback{x.Service, x.Version, x.At}
			c.Incident = t.Incident
		}
		changes = append(changes, c)
	}
	return changes
}

// expectMail makes room for the answers to a mailing that a team announced:
// for the next hours as much again as is normal in a day.
func (d *Detector) expectMail(x Deployment) {
	for _, s := range d.streams {
		s.backlog = backlog{count: 24*s.base.level + 5, from: x.At, until: x.At.Add(12 * time.Hour)}
	}
}

// deploymentHabit learns which share of the time lies within an hour after a
// deployment: the rarer deployments are, the more one says.
func (d *Detector) deploymentHabit() {
	var covered time.Duration
	var last time.Time
	from := d.now.Add(-28 * 24 * time.Hour)
	for _, x := range d.deploys {
		if x.At.Before(from) || !x.suspicious() {
			continue
		}
		end := x.At.Add(hotAfter)
		begin := x.At
		if begin.Before(last) {
			begin = last
		}
		covered += end.Sub(begin)
		last = end
	}
	span := d.now.Sub(from)
	if known := d.now.Sub(d.learned); known < span {
		span = known
	}
	d.bonus = deployBonus(math.Min(math.Max(covered.Hours()/math.Max(span.Hours(), 24*7), 0.004), 0.5))
}

// deployBonus is how much less evidence a surge that follows a deployment
// needs, if hours after one are a share of all: the log of how much likelier it
// begins in one of these than at another time, if half of all surges do.
func deployBonus(share float64) float64 {
	return math.Min(math.Max(math.Log((0.5/share)/(0.5/(1-share))), 0), 3)
}

// hotNess is the bonus of a window that begins in the hour after a deployment.
func (d *Detector) hotNess(start time.Time) float64 {
	if start.IsZero() {
		return 0 // no window
	}
	for i := len(d.deploys) - 1; i >= 0; i-- {
		x := d.deploys[i]
		if x.At.After(start) || !x.suspicious() {
			continue
		}
		if start.Sub(x.At) < hotAfter {
			return d.bonus
		}
		return 0
	}
	return 0
}

// hottest is the largest bonus of a window that begins at an instant or later.
func (d *Detector) hottest(at time.Time) float64 {
	for i := len(d.deploys) - 1; i >= 0 && at.Sub(d.deploys[i].At) < hotAfter; i-- {
		if d.deploys[i].suspicious() {
			return d.bonus
		}
	}
	return 0
}

// delay is how likely, a minute, a surge's first complaint comes so long after
// the deployment that caused it, when complaints then come with a gap between
// them: hardly at once, since somebody must meet the fault and write; mostly
// within minutes, later where few write at all; some when a shift begins or a
// session ends.
func delay(lead, gap time.Duration) float64 {
	m := math.Max(lead.Minutes(), 1)
	usual := 3 + gap.Minutes()/2
	return 0.8*m/(usual*usual)*math.Exp(-m/usual) + 0.2*math.Exp(-m/30)/30
}

// named is how probable a deployment must be to be named.
const named = 0.55

// accuse names the deployment held responsible. When the surge began is not
// known: every complaint of the last hours may be its first, as far as a window
// from there is evidence. A candidate is as good as its delays to these are
// likely; against it stands that deployments are so frequent that one precedes
// anything. None is named when none comes close; of several that were made in
// one go, one is, if it was one of them.
func (d *Detector) accuse(t *tracked, v verdict) {
	s := v.stream
	d.begins = s.begins(d.now, d.begins[:0])
	var list []accused
	sum := d.frequency(t.StartedAt)
	for i := len(d.deploys) - 1; i >= 0; i-- {
		x := d.deploys[i]
		if t.StartedAt.Sub(x.At) > 2*time.Hour {
			break
		}
		if !x.suspicious() || x.At.After(d.now) {
			continue
		}
		weight := 0.0
		for _, b := range d.begins {
			if lead := b.at.Sub(x.At); lead >= 0 && lead < hotAfter+15*time.Minute {
				weight += b.weight * delay(lead, b.gap)
			}
		}
		list = append(list, accused{x, weight})
		sum += weight
	}
	list = likeliest(list, t)
	joint := 0.0
	for _, c := range list {
		joint += c.weight
	}
	if len(list) == 0 || joint/sum < named {
		t.Suspect = nil
		return
	}
	top := list[0]
	first := t.Now.FirstComplaint
	if first.Before(top.x.At) {
		first = t.StartedAt
	}
	lead := first.Sub(top.x.At)
	if lead < 0 {
		lead = 0
	}
	why := fmt.Sprintf("the complaints began %d min after it", int(lead.Round(time.Minute).Minutes()))
	top.x.blamed = true
	for _, c := range list[1:] {
		c.x.blamed = true
		why += ", and it may as well be " + strings.TrimSpace(c.x.Service+" "+c.x.Version) + ", deployed at that time, too"
	}
	t.Suspect = &Suspect{Deployment: top.x.Deployment, Probability: math.Round(100*top.weight/sum) / 100, Lead: lead, Why: why}
}

// accused is a deployment and how well it explains when complaints began.
type accused struct {
	x      *deployed
	weight float64
}

// inOneGo is how close services are deployed that one release deploys.
const inOneGo = 3 * time.Minute

// likeliest returns the deployment that explains most and those made in one go
// with it that explain about as much: times cannot tell them apart. The one
// whose packages have to do with the complaint is first, else the one that was
// suspected before.
func likeliest(list []accused, t *tracked) (bunch []accused) {
	if len(list) == 0 {
		return nil
	}
	top := slices.MaxFunc(list, func(a, b accused) int { return cmp.Compare(a.weight, b.weight) })
	for _, c := range list {
		if c.x.At.Sub(top.x.At).Abs() <= inOneGo && c.weight >= top.weight/2 {
			bunch = append(bunch, c)
		}
	}
	first := func(c accused) (score int) {
		if concerns(c.x.Changes, t.Categories) {
			score += 2
		}
		if t.Suspect != nil && t.Suspect.Deployment.ID == c.x.ID {
			score++
		}
		return score
	}
	slices.SortStableFunc(bunch, func(a, b accused) int {
		return cmp.Or(first(b)-first(a), cmp.Compare(b.weight, a.weight))
	})
	return bunch
}

// frequency is how many deployments a minute are usual at a time of day: where
// there is one every two hours, one precedes anything by less than that.
func (d *Detector) frequency(at time.Time) float64 {
	const days, around = 28, 90 * time.Minute
	l := at.In(d.opt.Location)
	weekend := func(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }
	minutes := func(t time.Time) int { return t.Hour()*60 + t.Minute() }
	n, span := 0.5, math.Min(days, math.Max(d.Learning(), 7))
	for i := len(d.deploys) - 1; i >= 0; i-- {
		x := d.deploys[i]
		if at.Sub(x.At) > days*24*time.Hour {
			break
		}
		y := x.At.In(d.opt.Location)
		apart := (minutes(y) - minutes(l) + 1440) % 1440
		if apart > 720 {
			apart = 1440 - apart
		}
		// The deployment in question does not speak against itself.
		if x.suspicious() && weekend(y) == weekend(l) && apart <= int(around.Minutes()) && at.Sub(x.At) > 2*time.Hour {
			n++
		}
	}
	share := 5.0 / 7
	if weekend(l) {
		share = 2.0 / 7
	}
	return n / (span * share * 2 * around.Minutes())
}

func sameSuspect(a, b *Suspect) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Deployment.ID == b.Deployment.ID && a.Deployment.At.Equal(b.Deployment.At)
}

// settleDeployments reports those clean whose watch ended without a surge.
func (d *Detector) settleDeployments(at time.Time) []Change {
	var changes []Change
	for _, x := range d.deploys {
		if x.settled || at.Sub(x.At) < watchFor {
			continue
		}
		x.settled = true
		if !x.blamed && x.suspicious() && x.ID != "" {
			changes = append(changes, Change{Kind: Clean, At: x.At.Add(watchFor), Deployment: x.ID})
		}
	}
	return changes
}

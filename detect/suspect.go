package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// deployed is a deployment under watch.
type deployed struct {
	Deployment
	settled bool // its watch is over, or it was blamed
	blamed  bool
}

// watchFor is how long a deployment is watched before it is called clean.
const watchFor = 2 * time.Hour

// suspicious tells whether a deployment can be to blame for complaints.
func (x *deployed) suspicious() bool {
	return !x.Failed && x.Kind != "campaign" && (x.Environment == "" || production(x.Environment))
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
	n := &deployed{Deployment: x, settled: late || x.Failed}
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
		}
		changes = append(changes, c)
	}
	return changes
}

// expectMail makes room for the answers to a mailing that a team announced:
// for the next hours as much again as is normal in a day.
func (d *Detector) expectMail(x Deployment) {
	for _, s := range d.streams {
		s.backlog = math.Max(s.backlog, 24*s.base.level+5)
		s.backlogUntil = x.At.Add(12 * time.Hour)
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
	d.hot = math.Min(math.Max(covered.Hours()/math.Max(span.Hours(), 24*7), 0.004), 0.5)
}

// deployBonus is how much less evidence a surge that follows a deployment
// needs: the log of how much likelier a surge begins in the hour after one
// than at another time, if half of all surges do.
func (d *Detector) deployBonus() float64 {
	hot := d.hot
	if hot == 0 {
		hot = 0.01
	}
	return math.Min(math.Max(math.Log((0.5/hot)/(0.5/(1-hot))), 0), 3)
}

// hotNess is the bonus of a window that begins in the hour after a deployment.
func (d *Detector) hotNess(start time.Time) float64 {
	for i := len(d.deploys) - 1; i >= 0; i-- {
		x := d.deploys[i]
		if x.At.After(start) || !x.suspicious() {
			continue
		}
		if start.Sub(x.At) < hotAfter {
			return d.deployBonus()
		}
		return 0
	}
	return 0
}

// accuse names the deployment held responsible: for each candidate the
// evidence of a surge since it is compared with that of the likeliest start.
// None is named when none comes close.
func (d *Detector) accuse(t *tracked, v verdict) {
	s := v.stream
	best := s.scan(d.now)
	type candidate struct {
		x      *deployed
		weight float64
	}
	var list []candidate
	none := math.Exp(0.0)
	sum := none
	for i := len(d.deploys) - 1; i >= 0; i-- {
		x := d.deploys[i]
		if t.StartedAt.Sub(x.At) > 2*time.Hour {
			break
		}
		if !x.suspicious() || x.At.After(d.now) {
			continue
		}
		w := s.since(x.At, d.now)
		if w.count == 0 || s.events[w.first].at.Sub(x.At) > hotAfter+15*time.Minute {
			continue
		}
		lead := s.events[w.first].at.Sub(x.At)
		// A surge usually shows within minutes of its cause.
		score := w.evidence - best.evidence + 1.2 - lead.Minutes()/30
		if score < -2.5 {
			continue
		}
		weight := math.Exp(math.Min(score, 3) + 0.8)
		list = append(list, candidate{x, weight})
		sum += weight
	}
	var top *candidate
	for i := range list {
		if top == nil || list[i].weight > top.weight {
			top = &list[i]
		}
	}
	if top == nil || top.weight/sum < 0.4 {
		t.Suspect = nil
		return
	}
	first := t.Now.FirstComplaint
	if first.Before(top.x.At) {
		first = t.StartedAt
	}
	lead := first.Sub(top.x.At)
	if lead < 0 {
		lead = 0
	}
	top.x.blamed = true
	t.Suspect = &Suspect{
		Deployment: top.x.Deployment, Probability: math.Round(100*top.weight/sum) / 100, Lead: lead,
		Why: fmt.Sprintf("the complaints began %d min after it", int(lead.Round(time.Minute).Minutes())),
	}
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

package digest

import (
	"context"
	"fmt"
	"iter"
	"math"
	"sort"
	"strings"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/page"
	"tocsin/store"
)

// Options of a digest. Store, Taxonomy and Location must be set.
type Options struct {
	Store     *store.Store
	Taxonomy  classify.Taxonomy
	Location  *time.Location
	WeekStart time.Weekday
	PublicURL string // of the dashboard; empty: no links
	Source    string // the inbox, as people know it
	Now       func() time.Time
	// Normal says what is normal for a category over a span; nil, or without
	// an answer: the mean of up to eight weeks before.
	Normal func(category string, from, to time.Time, step time.Duration) []detect.Band
}

// Digest is a week in figures.
type Digest struct {
	Week   string    `json:"week"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Made   time.Time `json:"made"`
	Over   bool      `json:"over"` // false: the week still runs
	Source string    `json:"source,omitempty"`

	Mails      int     `json:"mails"`
	Complaints int     `json:"complaints"`
	Before     int     `json:"complaints_week_before"`
	Normal     float64 `json:"complaints_normal"` // negative: not known yet

	Kinds       []Kind          `json:"kinds"`
	Incidents   []Incident      `json:"incidents"`   // at most 30
	Deployments []Deployment    `json:"deployments"` // at most 40, those that hurt among them
	Deployed    int             `json:"deployed"`    // all of the week
	Terms       []classify.Term `json:"terms"`
	Unnamed     []Unnamed       `json:"unnamed"`
	Unsorted    int             `json:"unsorted"`
	Samples     []Sample        `json:"unsorted_samples"`
	Unread      int             `json:"unread"` // mails that could not be read

	Pages       int     `json:"pages"`
	FalseAlarms int     `json:"false_alarms"`
	Warnings    int     `json:"warnings"`
	Minutes     float64 `json:"median_minutes_to_page"` // from the first complaint; negative: no page

	url string
	loc *time.Location
}

// Kind is a category's week.
type Kind struct {
	Category   string  `json:"category"`
	Title      string  `json:"title"`
	Complaints int     `json:"complaints"`
	Before     int     `json:"week_before"`
	Normal     float64 `json:"normal"` // negative: not known yet
}

// Incident is an incident of the week.
type Incident struct {
	ID         string        `json:"id"`
	Headline   string        `json:"headline"`
	Sentence   string        `json:"sentence"`
	Began      time.Time     `json:"began"`
	Paged      time.Time     `json:"paged"`
	ToPage     time.Duration `json:"to_page"` // from the first complaint
	Lasted     time.Duration `json:"lasted"`
	Over       bool          `json:"over"`
	Customers  int           `json:"customers"`
	FalseAlarm bool          `json:"false_alarm,omitempty"`
	Suspect    string        `json:"suspect,omitempty"` // deployment, by service and version
}

// Deployment is a deployment of the week with what followed it.
type Deployment struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"` // service and version
	At       time.Time `json:"time"`
	Failed   bool      `json:"failed,omitempty"`
	Rollback bool      `json:"rollback,omitempty"`
	Before   int       `json:"complaints_hour_before"`
	After    int       `json:"complaints_hour_after"`
	Incident string    `json:"incident,omitempty"` // that it is suspected of
	Watched  bool      `json:"watched,omitempty"`  // the hour after it is not over
}

// Sample is a mail nobody could sort.
type Sample struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
}

// Bounds of a digest, so that it stays a mail that one reads.
const (
	maxIncidents   = 30
	maxDeployments = 40
	maxTerms       = 8
	maxSamples     = 5
	maxTexts       = 600  // read for the words that grew
	maxText        = 4000 // bytes of each
	normalWeeks    = 8
)

// Build makes the digest of a week.
func Build(ctx context.Context, o Options, w Week) (*Digest, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	now := o.Now()
	d := &Digest{Week: w.String(), From: w.From, To: w.To, Made: now, Over: !now.Before(w.To), Source: o.Source,
		Minutes: -1, url: strings.TrimSuffix(o.PublicURL, "/"), loc: o.Location}
	for _, part := range []func(context.Context, *Options, Week) error{d.volume, d.incidents, d.deployments, d.words, d.unnamed, d.unsorted} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := part(ctx, &o, w); err != nil {
			return nil, fmt.Errorf("digest of %s: %w", d.Week, err)
		}
	}
	return d, nil
}

// volume counts complaints by kind, against the week before and normal.
func (d *Digest) volume(_ context.Context, o *Options, w Week) error {
	counts, err := o.Store.Counts(w.From.AddDate(0, 0, -7*normalWeeks), w.To)
	if err != nil {
		return err
	}
	before := w.From.AddDate(0, 0, -7)
	byKind := map[string]*Kind{}
	past := map[string]float64{}
	var oldest time.Time
	kind := func(name string) *Kind {
		k := byKind[name]
		if k == nil {
			k = &Kind{Category: name, Title: name, Normal: -1}
			if c, ok := o.Taxonomy.Find(name); ok {
				k.Title = c.Title
			}
			byKind[name] = k
		}
		return k
	}
	for _, c := range counts {
		if oldest.IsZero() && c.Messages > 0 {
			oldest = c.At
		}
		switch {
		case !c.At.Before(w.From):
			kind(c.Category).Complaints += c.Complaints
			d.Mails += c.Messages
		case !c.At.Before(before):
			kind(c.Category).Before += c.Complaints
			fallthrough
		default:
			past[c.Category] += float64(c.Complaints)
		}
	}
	weeks := math.Min(normalWeeks, w.From.Sub(oldest).Hours()/24/7)
	d.Normal = -1
	for name, k := range byKind {
		k.Normal = normal(o, name, w)
		if k.Normal < 0 && weeks >= 1 && !oldest.IsZero() {
			k.Normal = past[name] / weeks
		}
		d.Complaints += k.Complaints
		d.Before += k.Before
		if k.Normal >= 0 {
			d.Normal = max(d.Normal, 0) + k.Normal
		}
		if k.Complaints > 0 || k.Before > 0 {
			d.Kinds = append(d.Kinds, *k)
		}
	}
	sort.Slice(d.Kinds, func(a, b int) bool {
		x, y := &d.Kinds[a], &d.Kinds[b]
		return x.Complaints > y.Complaints || x.Complaints == y.Complaints && x.Category < y.Category
	})
	return nil
}

func normal(o *Options, category string, w Week) float64 {
	if o.Normal == nil {
		return -1
	}
	// One step, since a week has not always 168 hours.
	bands := o.Normal(category, w.From, w.To, w.To.Sub(w.From))
	if len(bands) == 0 {
		return -1
	}
	sum := 0.0
	for _, b := range bands {
		sum += b.Expected
	}
	return sum
}

func (d *Digest) incidents(_ context.Context, o *Options, w Week) error {
	list, err := o.Store.Incidents(w.From, w.To)
	if err != nil {
		return err
	}
	var minutes []float64
	for n := len(list) - 1; n >= 0; n-- {
		i := &list[n]
		if i.DetectedAt.Before(w.From) || !i.DetectedAt.Before(w.To) {
			continue
		}
		if i.Level == detect.Warning {
			d.Warnings++
			continue
		}
		d.Pages++
		if i.FalseAlarm {
			d.FalseAlarms++
		}
		first := i.Reason.FirstComplaint
		if first.IsZero() {
			first = i.StartedAt
		}
		in := Incident{ID: i.ID, Headline: page.Headline(i), Sentence: page.Sentence(i), Began: i.StartedAt, Paged: i.DetectedAt,
			ToPage: i.DetectedAt.Sub(first), Over: i.State == detect.Resolved, Customers: max(i.Now.Customers, i.Reason.Customers), FalseAlarm: i.FalseAlarm}
		end := i.ResolvedAt
		if end.IsZero() {
			end = d.Made
		}
		in.Lasted = end.Sub(i.StartedAt)
		if i.Suspect != nil {
			in.Suspect = name(&i.Suspect.Deployment)
		}
		if len(d.Incidents) < maxIncidents {
			d.Incidents = append(d.Incidents, in)
		}
		if i.Kind == "surge" && !i.FalseAlarm {
			minutes = append(minutes, in.ToPage.Minutes())
		}
	}
	if len(minutes) > 0 {
		sort.Float64s(minutes)
		d.Minutes = minutes[len(minutes)/2]
		if len(minutes)%2 == 0 {
			d.Minutes = (d.Minutes + minutes[len(minutes)/2-1]) / 2
		}
	}
	return nil
}

func (d *Digest) deployments(_ context.Context, o *Options, w Week) error {
	list, err := o.Store.Deployments(w.From, w.To)
	if err != nil {
		return err
	}
	touched, err := o.Store.Incidents(w.From, time.Time{})
	if err != nil {
		return err
	}
	suspected := map[string]string{}
	for _, i := range touched {
		if i.Suspect != nil && i.Level == detect.Paging && !i.FalseAlarm {
			suspected[i.Suspect.Deployment.ID] = i.ID
		}
	}
	d.Deployed = len(list)
	for n := range pick(list, suspected) {
		x := &list[n]
		dep := Deployment{ID: x.ID, Name: name(x), At: x.At, Failed: x.Failed, Rollback: x.Rollback, Incident: suspected[x.ID],
			Watched: d.Made.Before(x.At.Add(time.Hour))}
		arrivals, err := o.Store.Arrivals(x.At.Add(-time.Hour), x.At.Add(time.Hour), 20_000)
		if err != nil {
			return err
		}
		for _, a := range arrivals {
			switch {
			case !a.Complaint:
			case a.At.Before(x.At):
				dep.Before++
			default:
				dep.After++
			}
		}
		d.Deployments = append(d.Deployments, dep)
	}
	return nil
}

// pick yields the places of the deployments to show, oldest first, of a list
// that is newest first: where there are too many, a suspect, a failure or a
// roll-back goes before the rest, and the newer before the older.
func pick(list []detect.Deployment, suspected map[string]string) iter.Seq[int] {
	chosen := map[int]bool{}
	for _, wanted := range []func(*detect.Deployment) bool{
		func(x *detect.Deployment) bool { return suspected[x.ID] != "" },
		func(x *detect.Deployment) bool { return x.Failed || x.Rollback },
		func(*detect.Deployment) bool { return true },
	} {
		for n := range list {
			if len(chosen) < maxDeployments && wanted(&list[n]) {
				chosen[n] = true
			}
		}
	}
	return func(yield func(int) bool) {
		for n := len(list) - 1; n >= 0; n-- {
			if chosen[n] && !yield(n) {
				return
			}
		}
	}
}

// words are those that the week's complaints said more often than the four
// weeks before.
func (d *Digest) words(_ context.Context, o *Options, w Week) error {
	read := func(from, to time.Time) ([]string, error) {
		p, err := o.Store.Messages(store.Query{From: from, To: to, Automated: "without", Complaints: true, Limit: maxTexts})
		var texts []string
		for i := range p.Entries {
			// Against weeks whose texts are past their retention every word
			// would seem to have grown.
			if e := &p.Entries[i]; !e.TextGone {
				text := e.Subject + "\n" + e.Reply
				texts = append(texts, strings.ToValidUTF8(text[:min(len(text), maxText)], ""))
			}
		}
		return texts, err
	}
	texts, err := read(w.From, w.To)
	if err != nil || len(texts) < 5 {
		return err
	}
	before, err := read(w.From.AddDate(0, 0, -28), w.From)
	if err != nil || len(before) < 5 {
		return err
	}
	for _, t := range classify.Surging(texts, before, maxTerms) {
		if t.Count >= 3 {
			d.Terms = append(d.Terms, t)
		}
	}
	return nil
}

func (d *Digest) unsorted(_ context.Context, o *Options, w Week) error {
	q := store.Query{From: w.From, To: w.To, Unsorted: true, Limit: 1000, Heads: true}
	for range 50 {
		p, err := o.Store.Messages(q)
		if err != nil {
			return err
		}
		for i := range p.Entries {
			d.Unsorted++
			if len(d.Samples) < maxSamples {
				d.Samples = append(d.Samples, Sample{p.Entries[i].ID, p.Entries[i].Subject})
			}
		}
		if q.Before = p.Next; q.Before == "" {
			break
		}
	}
	p, err := o.Store.Messages(store.Query{From: w.From, To: w.To, Problem: true, Limit: 1000, Heads: true})
	d.Unread = len(p.Entries)
	return err
}

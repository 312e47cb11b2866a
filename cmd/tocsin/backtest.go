package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/worker"
	"tocsin/mailbox"
)

var backtestCommand = command{
	name:    "backtest",
	args:    "< events.jsonl",
	summary: "what would have paged on past mail",
	about: `
Replays complaints and deployments through the detector that "tocsin run" uses
and prints the incidents that would have paged, one JSON object a line: what the
page would have said, and when the incident was over.

The input is JSONL in time order:
  {"time":"2026-11-23T09:45:02Z","category":"login","sender":"a@example.com"}
  {"time":"2026-11-23T09:40:00Z","deployment":{"service":"web","version":"2.4.0"}}
With --config the mail that the store already holds is replayed instead.
--compare replays once for each budget and prints a table instead.

example:
  tocsin backtest --false-alarms 1/30d --time-zone Europe/Berlin < quarter.jsonl
  tocsin backtest --compare 1/90d,1/30d,4/30d < quarter.jsonl
  tocsin backtest --svg quarter.svg < quarter.jsonl`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		b := backtest{p: p}
		fs.StringVar(&b.budget, "false-alarms", "", "`BUDGET` of false pages over the whole inbox, as 1/30d; default 1/30d, or the file's")
		fs.StringVar(&b.zone, "time-zone", "", "the team's `ZONE`, as Europe/Berlin; default UTC, or the file's")
		fs.StringVar(&b.config, "config", "", "replay the store of this configuration `FILE`")
		fs.StringVar(&b.compare, "compare", "", "`BUDGETS` with commas between them, as 1/90d,1/30d,4/30d: what each would have paged, in a table")
		fs.StringVar(&b.chart, "svg", "", "draw the rate, what was normal, deployments and incidents into `FILE`")
		fs.BoolVar(&b.warnings, "warnings", false, "print what would only have warned, too")
		return b.run
	},
}

type backtest struct {
	p                    *program
	budget, zone, config string
	compare, chart       string
	warnings             bool
}

// backtestLine is one line of input.
type backtestLine struct {
	Time       string             `json:"time"`
	Category   string             `json:"category"`
	Sender     string             `json:"sender"`
	Deployment *detect.Deployment `json:"deployment"`
	At         time.Time          `json:"-"`
}

// backtestIncident is one line of output.
type backtestIncident struct {
	Category   string              `json:"category"`
	Categories []string            `json:"categories"`
	Level      detect.Level        `json:"level"`
	StartedAt  time.Time           `json:"started_at"`
	DetectedAt time.Time           `json:"detected_at"`
	ResolvedAt *time.Time          `json:"resolved_at"`
	Complaints int                 `json:"complaints"`
	Senders    int                 `json:"senders"`
	Expected   float64             `json:"expected"`
	ColdStart  bool                `json:"cold_start,omitempty"` // too little was known of the inbox
	Deployment *backtestDeployment `json:"deployment"`
}

type backtestDeployment struct {
	Service     string    `json:"service"`
	Version     string    `json:"version"`
	Time        time.Time `json:"time"`
	Probability float64   `json:"probability"`
}

func (b *backtest) run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return usagef("backtest reads its events from standard input: tocsin backtest < %s", args[0])
	}
	opt := detect.Options{AllPage: true, Kinds: allPage(worker.Kinds(classify.DefaultTaxonomy()))}
	budget, zone := "1/30d", "UTC"
	var source func(*replay) error
	if b.config != "" {
		s, err := openRead(ctx, b.config)
		if err != nil {
			return err
		}
		defer s.Close()
		budget, zone = s.cfg.FalseAlarms.String(), s.cfg.TimeZone
		kinds, err := s.kinds()
		if err != nil {
			return err
		}
		opt.AllPage, opt.Kinds = false, kinds
		source = func(r *replay) error { return s.Events(ctx, r.parse) }
	} else {
		source = func(r *replay) error { return eachLine(b.p.In, r.parse) }
	}
	if b.budget != "" {
		budget = b.budget
	}
	if b.zone != "" {
		zone = b.zone
	}
	if b.compare != "" && (b.budget != "" || b.chart != "") {
		return usagef("--compare goes with neither --false-alarms nor --svg: it has budgets of its own and prints a table")
	}
	budgets := []string{budget}
	if b.compare != "" {
		budgets = strings.Split(b.compare, ",")
	}
	var err error
	if opt.Location, err = time.LoadLocation(zone); err != nil {
		return fmt.Errorf("%q is not a time zone: use a name such as Europe/Berlin", zone)
	}
	r := &replay{ctx: ctx, people: map[string]person{}}
	for _, budget := range budgets {
		if opt.FalseAlarms, err = config.ParseRate(budget); err != nil {
			return err
		}
		r.lanes = append(r.lanes, &lane{budget: strings.TrimSpace(budget), detector: detect.New(opt),
			incidents: map[string]detect.Incident{}, paged: map[string]detect.Incident{}})
	}
	if b.chart != "" {
		r.chart = &history{}
	}
	r.progress = b.p.progress("replayed")
	if f, ok := b.p.In.(*os.File); ok && b.config == "" {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			r.size = info.Size()
		}
	}
	err = source(r)
	r.progress.end()
	if err != nil {
		return err
	}
	if b.compare != "" {
		return r.table(b.p.Out)
	}
	if b.chart != "" {
		if err := b.draw(r, opt.Location); err != nil {
			return err
		}
	}
	return r.print(newJSONLines(b.p.Out), b.warnings)
}

// draw writes the chart beside the incidents that are printed.
func (b *backtest) draw(r *replay, zone *time.Location) error {
	f, err := os.Create(b.chart)
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	if err := r.chart.svg(f, r.lanes[0].sorted(r.last, b.warnings), zone); err != nil {
		f.Close()
		return fmt.Errorf("chart: %w", err)
	}
	return f.Close()
}

// allPage lets every kind of a taxonomy page: a backtest over somebody's
// events cannot know which of them wake people.
func allPage(kinds []detect.Kind) []detect.Kind {
	for i := range kinds {
		kinds[i].Page, kinds[i].High = true, false
	}
	return kinds
}

// replay feeds lines to detectors.
type replay struct {
	ctx      context.Context
	lanes    []*lane
	chart    *history // nil: none is drawn
	first    time.Time
	last     time.Time
	people   map[string]person
	n        int
	read     int64 // bytes of the input
	size     int64 // of the input, if it is a file
	progress *progress
}

// lane is a detector with a budget, and its incidents as they come to be.
type lane struct {
	budget    string
	detector  *detect.Detector
	incidents map[string]detect.Incident
	paged     map[string]detect.Incident // as they were then: what came later was not known
}

type person struct{ complainant, organisation string }

func (r *replay) parse(n int, raw []byte) error {
	r.read += int64(len(raw)) + 1
	if n%4096 == 0 && r.progress != nil {
		total := 0
		if r.size > r.read {
			total = int(float64(n) * float64(r.size) / float64(r.read))
		}
		r.progress.step(n, total)
	}
	var l backtestLine
	if !l.plain(raw) {
		l = backtestLine{}
		if err := decodeLine(n, raw, &l); err != nil {
			return err
		}
	}
	if l.Time == "" {
		return fmt.Errorf("line %d has no time", n)
	}
	var err error
	if l.At, err = time.Parse(time.RFC3339, l.Time); err != nil {
		return fmt.Errorf("line %d: time %q is not RFC 3339, as 2026-11-23T09:45:02Z", n, l.Time)
	}
	if l.At.Year() < 1971 || l.At.Year() > 2200 {
		return fmt.Errorf("line %d: time %q is out of range", n, l.Time)
	}
	if l.At.Before(r.last) {
		return fmt.Errorf("line %d is earlier (%s) than the line before it (%s): sort the events by time", n, l.Time, r.last.Format(time.RFC3339))
	}
	switch {
	case l.Deployment != nil && l.Deployment.Service == "":
		return fmt.Errorf("line %d: the deployment has no service", n)
	case l.Deployment == nil && l.Category == "":
		return fmt.Errorf("line %d has neither a category nor a deployment", n)
	case l.Deployment == nil && l.Sender == "":
		return fmt.Errorf("line %d has no sender", n)
	}
	return r.line(l)
}

func (r *replay) line(l backtestLine) error {
	if r.n++; r.n%4096 == 0 && r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if r.first.IsZero() {
		r.first = l.At
	}
	r.last = l.At
	if l.Deployment != nil {
		d := *l.Deployment
		d.At = l.At
		if d.ID == "" {
			d.ID = fmt.Sprintf("%s %s %d", d.Service, d.Version, l.At.UnixNano())
		}
		for _, x := range r.lanes {
			x.keep(x.detector.Deployment(d))
		}
		if r.chart != nil {
			r.chart.deployments = append(r.chart.deployments, deployMark{l.At, d.Service + " " + d.Version})
		}
		return nil
	}
	who, ok := r.people[l.Sender]
	if !ok {
		m := mailbox.Message{From: mailbox.Address{Addr: l.Sender}}
		who = person{m.Complainant(), m.Organisation()}
		if who.complainant == "" {
			who.complainant = l.Sender
		}
		if len(r.people) > 20_000 {
			clear(r.people)
		}
		r.people[l.Sender] = who
	}
	c := detect.Complaint{At: l.At, Category: l.Category, Complainant: who.complainant, Organisation: who.organisation}
	for _, x := range r.lanes {
		x.keep(x.detector.Complaint(c))
	}
	if r.chart != nil {
		r.chart.complaint(l.At, l.Sender, r.lanes[0].detector)
	}
	return nil
}

func (x *lane) keep(changes []detect.Change) {
	for _, c := range changes {
		if c.Incident.ID != "" {
			x.incidents[c.Incident.ID] = c.Incident
			if c.Kind == detect.Opened {
				x.paged[c.Incident.ID] = c.Incident
			}
		}
	}
}

// sorted returns the incidents in the order in which they were raised.
func (x *lane) sorted(end time.Time, warnings bool) []detect.Incident {
	if !end.IsZero() {
		x.keep(x.detector.Tick(end))
	}
	var list []detect.Incident
	for _, i := range x.incidents {
		if i.Level == detect.Paging || warnings {
			list = append(list, i)
		}
	}
	sort.Slice(list, func(a, b int) bool {
		if !list[a].DetectedAt.Equal(list[b].DetectedAt) {
			return list[a].DetectedAt.Before(list[b].DetectedAt)
		}
		return list[a].ID < list[b].ID
	})
	return list
}

func (r *replay) print(out *jsonLines, warnings bool) error {
	for _, i := range r.lanes[0].sorted(r.last, warnings) {
		o := backtestIncident{
			Categories: i.Categories, Level: i.Level,
			StartedAt: i.StartedAt.UTC(), DetectedAt: i.DetectedAt.UTC(),
			Complaints: i.Reason.Complaints, Senders: i.Reason.Customers, Expected: i.Reason.Expected, ColdStart: i.Reason.ColdStart,
		}
		if !i.ResolvedAt.IsZero() {
			at := i.ResolvedAt.UTC()
			o.ResolvedAt = &at
		}
		if p, ok := r.lanes[0].paged[i.ID]; ok {
			i = p
			o.Categories, o.StartedAt = i.Categories, i.StartedAt.UTC()
		}
		if len(i.Categories) > 0 {
			o.Category = i.Categories[0]
		}
		if s := i.Suspect; s != nil {
			o.Deployment = &backtestDeployment{s.Deployment.Service, s.Deployment.Version, s.Deployment.At.UTC(), s.Probability}
		}
		if err := out.write(o); err != nil {
			return err
		}
	}
	return nil
}

// table sets the budgets side by side: how often each would have paged, and
// how early.
func (r *replay) table(out io.Writer) error {
	days := r.last.Sub(r.first).Hours() / 24
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BUDGET\tPAGES\tIN 30 DAYS\tWARNINGS ONLY\tCUSTOMERS UNTIL THE PAGE\tMINUTES\tDEPLOYMENT NAMED")
	for _, x := range r.lanes {
		var customers, minutes []float64
		var warned, named int
		for _, i := range x.sorted(r.last, true) {
			if i.Level != detect.Paging {
				warned++
				continue
			}
			customers = append(customers, float64(i.Reason.Customers))
			minutes = append(minutes, i.DetectedAt.Sub(i.StartedAt).Minutes())
			if i.Suspect != nil {
				named++
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%d\t%s\t%s\t%d\n", x.budget, len(customers), 30*float64(len(customers))/math.Max(days, 1), warned,
			middle(customers), middle(minutes), named)
	}
	return w.Flush()
}

// middle is the median in words; "-" of nothing.
func middle(v []float64) string {
	if len(v) == 0 {
		return "-"
	}
	slices.Sort(v)
	return fmt.Sprintf("%.0f", (v[len(v)/2]+v[(len(v)-1)/2])/2)
}

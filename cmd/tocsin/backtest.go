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

	"golang.org/x/sync/errgroup"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/worker"
)

var backtestCommand = command{
	name:    "backtest",
	atOnce:  true,
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
Nothing is printed before the input ends.
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
		fs.BoolVar(&b.json, "json", false, "with --compare: a JSON object a line instead of the table")
		return b.run
	},
}

type backtest struct {
	p                    *program
	budget, zone, config string
	compare, chart       string
	warnings, json       bool
	chartFile            *os.File
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
	var source func(context.Context, *backtestReader) error
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
		source = func(ctx context.Context, r *backtestReader) error { return s.Events(ctx, r.line) }
	} else {
		source = func(_ context.Context, r *backtestReader) error { return eachLine(b.p.In, r.line) }
	}
	if b.budget != "" {
		budget = b.budget
	}
	if b.zone != "" {
		zone = b.zone
	}
	if b.config == "" {
		b.p.awaiting("events")
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
	r := &replay{}
	for _, budget := range budgets {
		if opt.FalseAlarms, err = config.ParseRate(budget); err != nil {
			return err
		}
		r.lanes = append(r.lanes, &lane{budget: strings.TrimSpace(budget), detector: detect.New(opt),
			incidents: map[string]detect.Incident{}, paged: map[string]detect.Incident{}})
	}
	if b.chart != "" {
		r.chart = &history{}
		f, err := openChart(b.chart)
		if err != nil {
			return err
		}
		defer f.Close()
		b.chartFile = f
	}
	in := &backtestReader{progress: b.p.progress("replayed")}
	if f, ok := b.p.In.(*os.File); ok && b.config == "" {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			in.size = info.Size()
		}
	}
	err = r.feed(ctx, in, source)
	in.progress.end()
	if err != nil {
		b.dropChart()
		return err
	}
	if b.compare != "" {
		if b.json {
			return r.rows(newJSONLines(b.p.Out))
		}
		return r.table(b.p.Out)
	}
	if b.chart != "" {
		if err := b.draw(r, opt.Location); err != nil {
			return err
		}
	}
	return r.print(newJSONLines(b.p.Out), b.warnings)
}

// openChart opens the chart's file before the work begins, and leaves what is in
// it until there is a chart.
func openChart(name string) (*os.File, error) {
	if name == "-" {
		return nil, usagef("--svg needs a file: the incidents go to standard output")
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	return f, nil
}

// dropChart removes the file of a chart that was not drawn, if it is new.
func (b *backtest) dropChart() {
	if b.chartFile == nil {
		return
	}
	if info, err := b.chartFile.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		os.Remove(b.chart)
	}
}

// draw writes the chart beside the incidents that are printed.
func (b *backtest) draw(r *replay, zone *time.Location) error {
	if info, err := b.chartFile.Stat(); err == nil && info.Mode().IsRegular() {
		if err := b.chartFile.Truncate(0); err != nil {
			return fmt.Errorf("chart: %w", err)
		}
	}
	if err := r.chart.svg(b.chartFile, r.lanes[0].sorted(r.last, b.warnings), zone); err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	return b.chartFile.Close()
}

// allPage lets every kind of a taxonomy page: a backtest over somebody's
// events cannot know which of them wake people.
func allPage(kinds []detect.Kind) []detect.Kind {
	for i := range kinds {
		kinds[i].Page, kinds[i].High = true, false
	}
	return kinds
}

// replay feeds events to detectors.
type replay struct {
	lanes []*lane
	chart *history // nil: none is drawn
	first time.Time
	last  time.Time
}

// lane is a detector with a budget, and its incidents as they come to be.
type lane struct {
	budget    string
	detector  *detect.Detector
	incidents map[string]detect.Incident
	paged     map[string]detect.Incident // as they were then: what came later was not known
}

// feed folds in what a source reads. Lines become events on a goroutine of their
// own, which takes a third of the time that the detector does.
func (r *replay) feed(ctx context.Context, in *backtestReader, source func(context.Context, *backtestReader) error) error {
	g, ctx := errgroup.WithContext(ctx)
	in.full, in.empty = make(chan []backtestEvent, batchesAhead), make(chan []backtestEvent, batchesAhead+1)
	in.done = ctx.Done()
	g.Go(func() error {
		defer close(in.full)
		if err := source(ctx, in); err != nil {
			return err
		}
		return in.flush()
	})
	g.Go(func() error {
		for batch := range in.full {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			for i := range batch {
				r.fold(&batch[i])
			}
			select {
			case in.empty <- batch[:0]:
			default:
			}
		}
		return nil
	})
	return g.Wait()
}

func (r *replay) fold(e *backtestEvent) {
	at := e.complaint.At
	if r.first.IsZero() {
		r.first = at
	}
	r.last = at
	if d := e.deployment; d != nil {
		for _, x := range r.lanes {
			x.keep(x.detector.Deployment(*d))
		}
		if r.chart != nil {
			r.chart.deployment(at, d.Service+" "+d.Version, r.lanes[0].detector)
		}
		return
	}
	for _, x := range r.lanes {
		x.keep(x.detector.Complaint(e.complaint))
	}
	if r.chart != nil {
		r.chart.complaint(at, e.complaint.Complainant, r.lanes[0].detector)
	}
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

// comparison is what a budget would have paged: how often, and how early. The
// medians are nil without a page.
type comparison struct {
	Budget    string   `json:"budget"`
	Pages     int      `json:"pages"`
	Monthly   float64  `json:"pages_in_30_days"`
	Warnings  int      `json:"warnings_only"`
	Customers *float64 `json:"customers_until_page"`
	Minutes   *float64 `json:"minutes_until_page"`
	Named     int      `json:"deployments_named"`
}

func (r *replay) compare() (list []comparison) {
	days := math.Max(r.last.Sub(r.first).Hours()/24, 1)
	for _, x := range r.lanes {
		c := comparison{Budget: x.budget}
		var customers, minutes []float64
		for _, i := range x.sorted(r.last, true) {
			if i.Level != detect.Paging {
				c.Warnings++
				continue
			}
			customers = append(customers, float64(i.Reason.Customers))
			minutes = append(minutes, i.DetectedAt.Sub(i.StartedAt).Minutes())
			if i.Suspect != nil {
				c.Named++
			}
		}
		c.Pages, c.Customers, c.Minutes = len(customers), middle(customers), middle(minutes)
		c.Monthly = math.Round(300*float64(c.Pages)/days) / 10
		list = append(list, c)
	}
	return list
}

func (r *replay) rows(out *jsonLines) error {
	for _, c := range r.compare() {
		if err := out.write(c); err != nil {
			return err
		}
	}
	return nil
}

// table sets the budgets side by side.
func (r *replay) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BUDGET\tPAGES\tIN 30 DAYS\tWARNINGS ONLY\tCUSTOMERS UNTIL THE PAGE\tMINUTES\tDEPLOYMENT NAMED")
	for _, c := range r.compare() {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%d\t%s\t%s\t%d\n", c.Budget, c.Pages, c.Monthly, c.Warnings, rounded(c.Customers), rounded(c.Minutes), c.Named)
	}
	return w.Flush()
}

// middle is the median, to a tenth; nil of nothing.
func middle(v []float64) *float64 {
	if len(v) == 0 {
		return nil
	}
	slices.Sort(v)
	m := math.Round(5*(v[len(v)/2]+v[(len(v)-1)/2])) / 10
	return &m
}

// rounded is a number in words; "-" without one.
func rounded(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f", *v)
}

package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/worker"
)

var simulateCommand = command{
	name:    "simulate",
	atOnce:  true,
	summary: "what a surge of a size would do",
	about: `
Makes inboxes with a background of complaints, which comes by day rather than by
night and on working days, lets each surge once, and says how often and how soon
the detector of "tocsin run" would have paged.

example:
  tocsin simulate --background 3 --surge 10 --hour 14
  tocsin simulate --background 3 --surge 10 --hour 3 --deployed --false-alarms 4/30d`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		var (
			x      detect.Scenario
			lasts  = fs.String("lasts", "2h", "how long it surges")
			budget = fs.String("false-alarms", "1/30d", "`BUDGET` of false pages")
			zone   = fs.String("time-zone", "UTC", "the team's `ZONE`")
			asJSON = fs.Bool("json", false, "print one JSON object")
			seed   = fs.Uint64("seed", 1, "the same seed gives the same runs")
		)
		fs.Float64Var(&x.Background, "background", 3, "complaints an hour that are normal, all kinds together, on average over the week")
		fs.Float64Var(&x.Surge, "surge", 10, "complaints an hour on top, of one kind")
		fs.IntVar(&x.Hour, "hour", 14, "of a working day at which it begins")
		fs.BoolVar(&x.Deployed, "deployed", false, "a deployment comes five minutes before it")
		fs.IntVar(&x.Weeks, "weeks", 8, "of background to learn from")
		fs.IntVar(&x.Runs, "runs", 100, "how often")
		return func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("%q was not expected", args[0])
			}
			var err error
			if x.Lasts, err = config.ParseDuration(*lasts); err != nil {
				return usageError{err}
			}
			if x.Lasts <= 0 || x.Weeks <= 0 || x.Runs <= 0 {
				return usagef("--lasts, --weeks and --runs must be above zero")
			}
			x.Seed = *seed
			g := p.progress("simulated runs")
			x.Told = func(run int) { g.step(run, x.Runs) }
			opt := detect.Options{Kinds: allPage(worker.Kinds(classify.DefaultTaxonomy())), AllPage: true}
			if opt.FalseAlarms, err = config.ParseRate(*budget); err != nil {
				return usageError{err}
			}
			if opt.Location, err = time.LoadLocation(*zone); err != nil {
				return usagef("%q is not a time zone: use a name such as Europe/Berlin", *zone)
			}
			o, err := detect.Simulate(x, opt)
			g.end()
			if err != nil {
				return err
			}
			if *asJSON {
				return newJSONLines(p.Out).write(outlookLine(o))
			}
			after := ""
			if x.Deployed {
				after = " five minutes after a deployment"
			}
			fmt.Fprintf(p.Out, "A surge of %g an hour on top of %.2g, which are normal at %d:00%s: paged in %d of %d runs", x.Surge, o.Normal, x.Hour, after, o.Paged, o.Runs)
			if o.Paged > 0 {
				fmt.Fprintf(p.Out, ", after %d complaints and %.0f minutes in the median (nine in ten: at most %d and %.0f)",
					o.Complaints, math.Max(1, o.After.Minutes()), o.MostComplaints, math.Max(1, o.MostAfter.Minutes()))
			}
			fmt.Fprintln(p.Out, ".")
			if o.Quiet > 0 {
				fmt.Fprintf(p.Out, "False pages in 30 days of background: %.2f.", o.False)
			} else {
				fmt.Fprint(p.Out, "How many false pages come in 30 days is only known of more than 2 --weeks.")
			}
			fmt.Fprintln(p.Out, " Real inboxes scatter more: see what yours would do with \"tocsin backtest --config FILE\".")
			return nil
		}
	},
}

// outlookLine is an outlook as JSON; what is not known is null.
func outlookLine(o detect.Outlook) map[string]any {
	minutes := func(d time.Duration) float64 { return math.Round(10*d.Minutes()) / 10 }
	line := map[string]any{"runs": o.Runs, "paged": o.Paged, "normal": math.Round(100*o.Normal) / 100, "complaints": nil, "minutes": nil,
		"complaints_nine_in_ten": nil, "minutes_nine_in_ten": nil, "false_pages_in_30_days": nil}
	if o.Paged > 0 {
		line["complaints"], line["minutes"] = o.Complaints, minutes(o.After)
		line["complaints_nine_in_ten"], line["minutes_nine_in_ten"] = o.MostComplaints, minutes(o.MostAfter)
	}
	if o.Quiet > 0 {
		line["false_pages_in_30_days"] = math.Round(100*o.False) / 100
	}
	return line
}

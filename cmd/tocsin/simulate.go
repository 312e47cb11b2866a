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
Makes inboxes with a steady background of complaints, lets each surge once, and
says how often and how soon the detector of "tocsin run" would have paged.

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
		fs.Float64Var(&x.Background, "background", 3, "complaints an hour that are normal, all kinds together")
		fs.Float64Var(&x.Surge, "surge", 10, "complaints an hour on top, of one kind")
		fs.IntVar(&x.Hour, "hour", 14, "of the day at which it begins")
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
			x.Seed = *seed
			opt := detect.Options{Kinds: allPage(worker.Kinds(classify.DefaultTaxonomy())), AllPage: true}
			if opt.FalseAlarms, err = config.ParseRate(*budget); err != nil {
				return usageError{err}
			}
			if opt.Location, err = time.LoadLocation(*zone); err != nil {
				return usagef("%q is not a time zone: use a name such as Europe/Berlin", *zone)
			}
			o, err := detect.Simulate(x, opt)
			if err != nil {
				return err
			}
			if *asJSON {
				return newJSONLines(p.Out).write(map[string]any{"runs": o.Runs, "paged": o.Paged, "complaints": o.Complaints, "minutes": math.Round(10*o.After.Minutes()) / 10, "false_pages_in_30_days": o.False})
			}
			after := ""
			if x.Deployed {
				after = " five minutes after a deployment"
			}
			fmt.Fprintf(p.Out, "A surge of %g an hour on top of %g an hour at %d:00%s: paged in %d of %d runs", x.Surge, x.Background, x.Hour, after, o.Paged, o.Runs)
			if o.Paged > 0 {
				fmt.Fprintf(p.Out, ", after %d complaints and %.0f minutes in the median", o.Complaints, math.Max(1, o.After.Minutes()))
			}
			fmt.Fprintf(p.Out, ".\nFalse pages in 30 days of background: %.2f. Real inboxes scatter more: see what yours would do with \"tocsin backtest --config FILE\".\n", o.False)
			return nil
		}
	},
}

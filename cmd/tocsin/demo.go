package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/demo"
	"tocsin/internal/deploy"
	"tocsin/internal/page"
	"tocsin/internal/worker"
	"tocsin/mailbox"
	"tocsin/mailbox/imapsync"
	"tocsin/store"
)

var demoCommand = command{
	name:    "demo",
	summary: "see it work, with no set-up",
	about: `
Replays the morning that Tocsin was built for, at high speed: an IMAP server in
this process, four weeks of ordinary mail, a deployment at 9:40, the first
complaint at 9:45 and 150 by 11:10, read by the same worker as "tocsin run".
Prints the story as it happens and serves the dashboard. Needs no network.

With --once it ends after the replay: exit code 0 only if exactly one incident
was opened and it names the deployment.

example:
  tocsin demo`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		d := show{p: p}
		fs.BoolVar(&d.once, "once", false, "end after the replay")
		fs.Float64Var(&d.speed, "speed", 120, "how many times faster than the morning was")
		fs.StringVar(&d.listen, "listen", "127.0.0.1:0", "the dashboard's `ADDRESS`; default a free port")
		fs.BoolVar(&d.verbose, "verbose", false, "print the worker's log too")
		return func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("%q was not expected", args[0])
			}
			if d.speed < 1 || d.speed > 600 {
				return usagef("--speed is a number from 1 to 600")
			}
			return d.run(ctx)
		}
	},
}

// show is one performance of the demo.
type show struct {
	p       *program
	once    bool
	speed   float64
	listen  string
	verbose bool

	story  *demo.Story
	clock  *demo.Clock
	screen *demo.Screen
	server *demo.Server
	system *system

	mu    sync.Mutex
	paged map[string]detect.Incident // by id, as it was first paged
}

func (d *show) run(ctx context.Context) error {
	// Today's morning, or yesterday's, on a working day.
	day := time.Now()
	if day.Hour() < 12 {
		day = day.AddDate(0, 0, -1)
	}
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, -1)
	}
	d.story = demo.New(day)
	d.clock = demo.NewClock(d.story.Begin, d.speed)
	width, tty := terminal(d.p.Out)
	if !tty {
		width = 100
	}
	d.screen = &demo.Screen{W: d.p.Out, TTY: tty, Colour: colour(d.p.Out), Width: width}
	d.paged = map[string]detect.Incident{}

	dir, err := os.MkdirTemp("", "tocsin-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if d.server, err = demo.Listen(); err != nil {
		return err
	}
	defer d.server.Close()
	for _, m := range d.story.Past {
		if err := d.server.Deliver(m.Raw, m.At); err != nil {
			return err
		}
	}
	if err := d.build(dir); err != nil {
		return err
	}
	defer d.system.store.Close()
	defer d.system.close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ending error
	d.system.more = append(d.system.more, func(ctx context.Context) error {
		defer func() {
			if d.once {
				cancel()
			}
		}()
		ending = d.tell(ctx)
		return nil
	})
	if err := d.system.run(ctx); err != nil {
		return err
	}
	return ending
}

// build makes the system from the same parts as "tocsin run".
func (d *show) build(dir string) error {
	cfg := config.Default()
	cfg.Data = filepath.Join(dir, "demo.db")
	cfg.Web.Listen = d.listen
	cfg.Packages.Watch = []string{"jsonwebtoken", "passport", "express-session"}
	cfg.Mailbox = map[string]*config.Mailbox{"support": {Username: demo.Username, Addresses: []string{demo.Username}, Host: "the demo's own server"}}
	cfg.TimeZone = "the machine's"
	out := io.Discard
	if d.verbose {
		out = d.p.Err
	}
	log := logger(out, "info")
	st, err := store.Open(cfg.Data, store.Options{Now: d.clock.Now})
	if err != nil {
		return err
	}
	s := &system{cfg: cfg, log: log, store: st, model: classify.Default(), now: d.clock.Now, demo: true,
		pagers: map[string]page.Pager{"screen": d}, routes: page.Routes{{Pager: "screen"}}}
	s.sources = []worker.Source{imapsync.NewFolder(d.account(st.InstallID(), log), demo.Folder)}
	d.system = s
	if err := s.connect(); err != nil {
		st.Close()
		return err
	}
	return nil
}

func (d *show) account(installID string, log *slog.Logger) imapsync.Account {
	parser := &mailbox.Parser{InstallID: installID, OwnAddresses: []string{demo.Username}}
	return imapsync.Account{
		Name: "support", Host: "127.0.0.1", Port: d.server.Port(), TLS: imapsync.Plain,
		Username: demo.Username, Auth: imapsync.Password(demo.Password),
		Backfill: 90 * 24 * time.Hour, Poll: time.Second, Parse: parser.Parse, Log: log, Now: d.clock.Now,
	}
}

// tell plays the morning and tells it.
func (d *show) tell(ctx context.Context) error {
	s := d.story
	d.screen.Say("Tocsin demo: the morning of %s, at %g times its speed.", s.Begin.Format("Monday, 2 January"), d.speed)
	d.screen.Say("Dashboard: http://%s", d.system.listener.Addr())
	began := time.Now()
	if err := d.record(ctx, s.Before, s.LockBefore); err != nil {
		return err
	}
	if !d.caughtUp(ctx, len(s.Past)) {
		return d.ended(ctx)
	}
	d.screen.Say("Read %d mails of the four weeks before over IMAP in %.1f s; what is normal is known now.\n", len(s.Past), time.Since(began).Seconds())

	d.clock.Start()
	done := make(chan struct{})
	go func() { defer close(done); d.charts(ctx) }()
	defer func() { <-done }()
	next := 0
	for at := s.Begin; at.Before(s.End); {
		// The next thing that happens: a mail, or the deployment.
		deployed := at.Before(s.Deployed) && (next == len(s.Morning) || s.Deployed.Before(s.Morning[next].At))
		switch {
		case deployed:
			at = s.Deployed
			if !d.clock.Until(ctx, at) {
				return d.ended(ctx)
			}
			d.screen.Tell(at, demo.Bold, "deployment web 2.4.0, told by the pipeline with its lockfile")
			if err := d.record(ctx, s.Deployment, s.LockAfter); err != nil {
				return err
			}
		case next < len(s.Morning):
			m := s.Morning[next]
			next++
			if m.At.After(at) {
				at = m.At
			}
			if !d.clock.Until(ctx, m.At) {
				return d.ended(ctx)
			}
			if m.At.Equal(s.First) {
				d.screen.Tell(m.At, demo.Bold, "the first \"can't log in\" arrives")
			}
			if err := d.server.Deliver(m.Raw, m.At); err != nil {
				return err
			}
		default:
			at = s.End
		}
		d.milestones(at)
	}
	if !d.clock.Until(ctx, s.End) || !d.caughtUp(ctx, len(s.Past)+len(s.Morning)) {
		return d.ended(ctx)
	}
	return d.compare(ctx)
}

// ended is what an interruption means: not an error for a person who looked,
// but no success for a script.
func (d *show) ended(ctx context.Context) error {
	if d.once {
		return errors.New("the demo was interrupted")
	}
	return nil
}

// milestones tells what happened without Tocsin.
func (d *show) milestones(at time.Time) {
	for _, m := range []struct {
		at   *time.Time
		text string
	}{
		{&d.story.Found, "(without Tocsin: this is when an engineer reproduced the fault)"},
		{&d.story.Cause, "(without Tocsin: this is when the cause was found, an outdated jsonwebtoken)"},
	} {
		if !m.at.IsZero() && !at.Before(*m.at) {
			d.screen.Tell(*m.at, demo.Plain, "%s", m.text)
			*m.at = time.Time{}
		}
	}
}

func (d *show) record(ctx context.Context, dep detect.Deployment, lock []byte) error {
	packages, err := deploy.ParseLockfile("package-lock.json", lock)
	if err != nil {
		return err
	}
	_, _, err = d.system.recorder.Record(ctx, deploy.Request{Deployment: dep, Packages: packages})
	return err
}

// caughtUp waits until so many mails were read and folded in.
func (d *show) caughtUp(ctx context.Context, mails int) bool {
	changed, end := d.system.worker.Subscribe()
	defer end()
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		st, err := d.system.store.Stats()
		if err == nil && int(st.Messages) >= mails {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		case <-t.C:
		}
	}
}

// chartStep is the width of a bar on the terminal, in the story's time.
const chartStep = 2 * time.Minute

// charts draws the arrivals until the story ends.
func (d *show) charts(ctx context.Context) {
	t := time.NewTicker(250 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := d.clock.Now()
		if now.After(d.story.End) {
			return
		}
		list, err := d.system.store.Arrivals(d.story.Begin, now.Add(time.Hour), 5000)
		if err != nil {
			return
		}
		counts := map[string][]int{}
		n := int(now.Sub(d.story.Begin)/chartStep) + 1
		for _, a := range list {
			if counts[a.Category] == nil {
				counts[a.Category] = make([]int, n)
			}
			if i := int(a.At.Sub(d.story.Begin) / chartStep); i >= 0 && i < n {
				counts[a.Category][i]++
			}
		}
		var rows []demo.Count
		for _, k := range d.system.model.Taxonomy() {
			if steps := counts[k.Name]; steps != nil {
				rows = append(rows, demo.Count{Category: k.Name, Steps: steps})
			}
		}
		d.screen.Chart(now, rows)
	}
}

// Page implements page.Pager: it is the demo's own pager.
func (d *show) Page(_ context.Context, g page.Page) error {
	d.mu.Lock()
	_, known := d.paged[g.Incident.ID]
	if !known && g.Change == detect.Opened {
		d.paged[g.Incident.ID] = g.Incident
	}
	d.mu.Unlock()
	switch g.Change {
	case detect.Opened, detect.DidReopen:
		var b strings.Builder
		fmt.Fprintf(&b, "PAGED  %s\n", oneLine(g.Headline))
		b.WriteString(d.screen.Wrap(oneLine(g.Sentence), 11))
		for _, p := range g.Packages {
			fmt.Fprintf(&b, "\n  %s", oneLine(p))
		}
		for _, q := range g.Quotes {
			fmt.Fprintf(&b, "\n%s", d.screen.Wrap("“"+oneLine(q.Text)+"”", 11))
		}
		d.screen.Tell(g.Incident.DetectedAt, demo.Red, "%s", b.String())
	case detect.Grew:
		d.screen.Tell(g.Due, demo.Plain, "the incident grew: %s", d.screen.Wrap(oneLine(g.Sentence), 11))
	case detect.DidResolve:
		d.screen.Tell(g.Due, demo.Green, "resolved")
	}
	return nil
}

// compare says what Tocsin changed, and whether it did what it is for.
func (d *show) compare(ctx context.Context) error {
	// The pages of the last mails may still be under way.
	sleepFor(ctx, 500*time.Millisecond)
	s := demo.New(d.story.Begin)
	all, err := d.system.web.Client().Incidents(ctx, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	var paged []detect.Incident
	for _, i := range all {
		if i.Level == detect.Paging {
			paged = append(paged, i)
		}
	}
	if len(paged) == 0 {
		return errors.New("no incident was opened")
	}
	i := paged[len(paged)-1]
	d.screen.Say("")
	d.screen.Say("  %-46s %s", "the morning as it was", "with Tocsin")
	rows := [][2]string{
		{"9:40  deployment web 2.4.0", "the same"},
		{"9:45  first \"can't log in\"", "the same"},
		{"", i.DetectedAt.Format("15:04") + " on-call is paged, after " + fmt.Sprint(i.Reason.Customers) + " customers wrote"},
		{"10:05 an engineer reproduces the fault", fmt.Sprintf("%d minutes earlier", int(s.Found.Sub(i.DetectedAt).Minutes()))},
		{"10:45 the cause: an outdated jsonwebtoken", "named in the page"},
		{fmt.Sprintf("11:10 %d complaints", s.Surge), fmt.Sprintf("one page; %d customers counted", i.Now.Customers)},
	}
	for _, r := range rows {
		d.screen.Say("  %-46s %s", r[0], r[1])
	}
	d.screen.Say("")
	if err := d.verdict(ctx, paged, s); err != nil {
		return err
	}
	if !d.once {
		d.screen.Say("The dashboard stays up: http://%s (Ctrl-C ends)", d.system.listener.Addr())
		<-ctx.Done()
	}
	return nil
}

// verdict is the exit code: exactly one incident, naming the deployment.
func (d *show) verdict(ctx context.Context, paged []detect.Incident, s *demo.Story) error {
	i := paged[len(paged)-1]
	switch {
	case len(paged) != 1:
		return fmt.Errorf("%d incidents were opened instead of one", len(paged))
	case i.Suspect == nil:
		return errors.New("the incident names no deployment")
	case i.Suspect.Deployment.Version != s.Deployment.Version:
		return fmt.Errorf("the incident names %s %s instead of %s %s", i.Suspect.Deployment.Service, i.Suspect.Deployment.Version, s.Deployment.Service, s.Deployment.Version)
	case !i.DetectedAt.Before(s.Found):
		return fmt.Errorf("the page came at %s, no earlier than the team found out", i.DetectedAt.Format("15:04"))
	}
	d.screen.Say("One incident, one page, and it named the deployment.")
	return nil
}

func sleepFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

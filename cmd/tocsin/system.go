package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/deploy"
	"tocsin/internal/digest"
	"tocsin/internal/outcome"
	"tocsin/internal/page"
	"tocsin/internal/web"
	"tocsin/internal/worker"
	"tocsin/store"
)

// system is a running Tocsin. "run" and "demo" build it from the same parts.
type system struct {
	cfg     *config.Config
	log     *slog.Logger
	store   *store.Store
	model   *classify.Model
	sources []worker.Source
	smtp    *page.SMTP
	pagers  map[string]page.Pager
	routes  page.Routes
	now     func() time.Time // the inbox's time
	demo    bool

	worker   *worker.Worker
	courier  *page.Courier
	recorder *deploy.Recorder
	web      *web.Server  // nil: no dashboard
	listener net.Listener // of the dashboard
	control  *control     // how the other commands find this one; nil without a dashboard
	cert     *tls.Certificate
	digests  *digest.Sender       // nil: none is wanted
	packages *deploy.PackageWatch // nil: none is watched
	pollers  []*outcome.Poller    // success rates
	beat     *page.Heartbeat      // nil: none is wanted
	metrics  []prometheus.Collector
	more     []func(context.Context) error
}

// connect builds the parts in the order of need. It starts nothing.
func (s *system) connect() error {
	if s.now == nil {
		s.now = time.Now
	}
	taxonomy := s.model.Taxonomy()
	teach, err := teachFor(s.cfg, taxonomy)
	if err != nil {
		return err
	}
	source := sourceName(s.cfg)
	pages, mails := page.NewMetrics(), worker.NewMetrics()
	s.metrics = []prometheus.Collector{pages, mails}
	s.courier = &page.Courier{
		Metrics: pages,
		Store:   s.store, Pagers: s.pagers, Routes: s.routes, Log: s.log, Now: s.now,
		Composer: &page.Composer{Store: s.store, Location: s.cfg.Location(), PublicURL: s.cfg.PublicURL, Source: source,
			Watch: s.cfg.Packages.Watch, Redact: s.cfg.Redact, Now: s.now},
		Refused: s.refused,
	}
	s.worker = worker.New(worker.Options{
		Store: s.store, Sources: s.sources, Model: s.model, Log: s.log, Version: version(), Own: ownAddresses(s.cfg), Teach: teach,
		Detect:     detect.Options{FalseAlarms: detect.Rate(s.cfg.FalseAlarms), Location: s.cfg.Location(), Kinds: worker.Kinds(taxonomy), TwoSignals: s.cfg.OneSignal == "warning"},
		Deliveries: s.routes.Deliveries,
		Nudge:      s.courier.Nudge,
		Pagers:     s.pagerStatuses,
		Metrics:    mails,
		Now:        s.now, Replay: s.demo, BlindAfter: s.cfg.BlindAfter.D(), Retention: s.cfg.Retention.D(),
	})
	s.recorder = &deploy.Recorder{Store: s.store, Now: s.now, Recorded: s.worker.Recorded, Log: s.log, Environments: s.cfg.Deployment.Environments}
	s.recorder.Then = s.announce
	if len(s.cfg.Packages.Watch) > 0 {
		s.packages = deploy.NewPackageWatch(s.store, advisorFor(s.cfg, s.now), s.log, s.worker.Recorded)
		s.more = append(s.more, s.packages.Run)
	}
	if !s.demo { // whose day lasts a minute
		s.more = append(s.more, (&digest.UnnamedWatch{Store: s.store, Log: s.log, Now: s.now, Recorded: s.worker.Recorded}).Run)
	}
	for name, o := range s.cfg.Outcome {
		s.pollers = append(s.pollers, &outcome.Poller{Name: name, URL: o.URL, Token: o.Token.Reveal(), Service: o.Service, Action: o.Action,
			Succeeded: o.Succeeded, Failed: o.Failed, Every: o.Every.D(), Log: s.log, Now: s.now, Record: s.recordOutcomes})
	}
	if s.cfg.Heartbeat.URL != "" {
		s.beat = &page.Heartbeat{URL: s.cfg.Heartbeat.URL, Every: s.cfg.Heartbeat.Every.D(), Healthy: s.healthy, Log: s.log}
	}
	if to := s.cfg.Digest.To; len(to) > 0 && s.smtp != nil {
		s.digests = &digest.Sender{Options: s.digestOptions(), To: to, Send: s.smtp.Send, Log: s.log,
			Schedule: digest.Schedule{Day: time.Weekday(s.cfg.Digest.Day), Hour: s.cfg.Digest.At.Hour, Minute: s.cfg.Digest.At.Minute, Location: s.cfg.Location()}}
	}
	if s.cfg.Web.Listen == "" {
		return nil
	}
	return s.connectWeb()
}

// connectWeb opens the dashboard's address, so that a port in use is said
// before anything starts.
func (s *system) connectWeb() error {
	var err error
	if s.listener, err = web.Listen(s.cfg.Web.Listen); err != nil {
		return err
	}
	access := accessFor(s.cfg)
	if s.cfg.Web.CertFile != "" {
		c, err := tls.LoadX509KeyPair(s.cfg.Web.CertFile, s.cfg.Web.KeyFile)
		if err != nil {
			s.listener.Close()
			return fmt.Errorf("web.cert_file: %w", err)
		}
		s.cert, access.TLS = &c, true
	}
	if !s.demo {
		if s.control, err = newControl(s.cfg.Data, s.listener.Addr(), s.cert); err != nil {
			s.listener.Close()
			return err
		}
		access.Tokens = append(access.Tokens, web.Token{Name: "this machine", Secret: s.control.Token, Scope: web.ScopeAll})
	}
	d := s.cfg.Deployment
	hooks := deploy.Hooks(s.recorder, deploy.Secrets{GitHub: d.GitHub.Secret.Reveal(), GitLab: d.GitLab.Secret.Reveal(), Vercel: d.Vercel.Secret.Reveal(),
		Heroku: d.Heroku.Secret.Reveal(), CDEvents: d.CDEvents.Secret.Reveal(), Generic: d.Generic.Secret.Reveal(), Workflows: d.GitHub.Workflows}, s.log)
	s.web, err = web.New(web.Options{
		Store: s.store, Worker: s.worker, Taxonomy: s.model.Taxonomy(), Location: s.cfg.Location(), Log: s.log, Now: s.now,
		Deployments: s.recorder, Hooks: hooks, Digest: s.digestOptions(), Outcomes: true, Metrics: s.metrics,
		Access: access, Version: version(), Watch: s.cfg.Packages.Watch, Facts: factsOf(s.cfg), Demo: s.demo,
	})
	if err != nil {
		s.listener.Close()
	}
	return err
}

func (s *system) digestOptions() digest.Options {
	return digestOptions(s.cfg, s.store, s.model, s.worker.Normal, s.now)
}

// digestOptions are those of a digest and a post-mortem; normal may be nil.
func digestOptions(cfg *config.Config, s *store.Store, m *classify.Model, normal func(string, time.Time, time.Time, time.Duration) []detect.Band, now func() time.Time) digest.Options {
	return digest.Options{Store: s, Taxonomy: m.Taxonomy(), Location: cfg.Location(), WeekStart: time.Weekday(cfg.Digest.WeekStart),
		PublicURL: cfg.PublicURL, Source: sourceName(cfg), Now: now, Normal: normal}
}

// accessFor says who may use the dashboard and the API.
func accessFor(cfg *config.Config) web.Access {
	a := web.Access{Users: map[string]string{}, Hosts: hostsOf(cfg), TrustedProxy: cfg.Web.TrustedProxy, UserHeader: cfg.Web.UserHeader,
		TLS: strings.HasPrefix(cfg.PublicURL, "https://")}
	for name, u := range cfg.Web.User {
		a.Users[name] = u.Hash
	}
	for name, t := range cfg.Web.Token {
		a.Tokens = append(a.Tokens, web.Token{Name: name, Secret: t.Secret.Reveal(), Scope: web.Scope(t.Scope)})
	}
	return a
}

// run lets every part work until ctx ends or one of them cannot go on.
func (s *system) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	start := func(run func(context.Context) error) { g.Go(func() error { return run(ctx) }) }
	start(s.worker.Run)
	start(s.courier.Run)
	if s.web != nil {
		start(func(ctx context.Context) error { return s.web.Run(ctx, s.listener, s.cert) })
	}
	if s.digests != nil {
		start(s.digests.Run)
	}
	for _, p := range s.pollers {
		start(p.Run)
	}
	if s.beat != nil {
		start(s.beat.Run)
	}
	for _, f := range s.more {
		start(f)
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// close ends what connect opened, in reverse order.
func (s *system) close() {
	if s.control != nil {
		s.control.remove()
	}
	if s.listener != nil {
		s.listener.Close()
	}
}

// refused makes a pager that refuses pages an incident of its own, which the
// other pagers deliver.
func (s *system) refused(pager, text string) {
	t := detect.Trouble{At: s.now(), Kind: "pager", Key: pager, Text: fmt.Sprintf("pager %s does not take pages: %s", pager, text), Page: true, Over: text == ""}
	if _, err := s.store.AddTrouble(t); err != nil {
		s.log.Error("trouble could not be stored", "pager", pager, "err", err)
		return
	}
	s.worker.Recorded()
}

// announce tells those who want to know of a deployment.
func (s *system) announce(d detect.Deployment) {
	if s.packages != nil {
		s.packages.Nudge()
	}
	for name, p := range s.cfg.Pager {
		if p.Type != "pagerduty" && p.Type != "webhook" || !p.Changes {
			continue
		}
		if err := s.store.Enqueue(store.Delivery{Change: detect.Deployed, Subject: d.ID, Pager: name, Due: s.now()}); err != nil {
			s.log.Error("deployment could not be announced", "pager", name, "err", err)
			continue
		}
		s.courier.Nudge()
	}
}

func (s *system) pagerStatuses() []worker.PagerStatus {
	var list []worker.PagerStatus
	for _, p := range s.courier.Statuses() {
		list = append(list, worker.PagerStatus(p))
	}
	return list
}

// healthy tells whether every folder is read, every pager takes pages and there
// is room on the disk.
func (s *system) healthy() bool {
	st := s.worker.Status()
	for _, f := range st.Folders {
		if f.Blind || f.LastRead.IsZero() {
			return false
		}
	}
	for _, p := range st.Pagers {
		if p.Error != "" {
			return false
		}
	}
	return !st.Full
}

func (s *system) recordOutcomes(list []detect.Outcome) error {
	if _, err := s.store.AddOutcomes(list); err != nil {
		return err
	}
	s.worker.Recorded()
	return nil
}

// sourceName is the inbox as people know it: the first mailbox's address.
func sourceName(cfg *config.Config) string {
	own := ownAddresses(cfg)
	for _, m := range cfg.Mailbox {
		if len(cfg.Mailbox) == 1 {
			if len(m.Addresses) > 0 {
				return m.Addresses[0]
			}
			return m.Username
		}
	}
	if len(own) > 0 {
		return own[0]
	}
	return "support inbox"
}

// logger writes to w what the configuration asks for.
func logger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // validated with the configuration
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// openStore opens the data file of a configuration for the one process that
// writes to it.
func openStore(ctx context.Context, cfg *config.Config) (*store.Store, error) {
	s, err := store.Open(cfg.Data, store.Options{Timeout: 3 * time.Second, MaxSize: cfg.MaxSize << 20})
	if errors.Is(err, store.ErrInUse) {
		if c, e := readControl(cfg.Data); e == nil {
			if st, e := c.client().Status(ctx); e == nil {
				return nil, advisedError{fmt.Sprintf("%s is held by the tocsin %s that is running at %s", cfg.Data, st.Version, c.URL),
					"stop that one first, or give this one a data file of its own"}
			}
		}
		return nil, advisedError{fmt.Sprintf("%s is held by another process, and no tocsin answers", cfg.Data),
			"if \"tocsin run\" is starting or stopping, wait for it; else find the holder with: fuser " + cfg.Data}
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, advisedError{err.Error(), "give the user that runs tocsin the right to write the data file and its folder"}
	}
	return s, err
}

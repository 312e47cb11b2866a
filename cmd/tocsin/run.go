package main

import (
	"context"
	"flag"
	"maps"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"tocsin/internal/config"
	"tocsin/internal/worker"
)

var runCommand = command{
	name:    "run",
	args:    "--config FILE",
	summary: "watch the inbox and page",
	about: `
Reads every mailbox of the configuration, first its history and then each new
mail within seconds, opens incidents, pages, mails the digest, and serves the
dashboard and the API. Ends cleanly on SIGINT and SIGTERM; what a crash
interrupts is taken up again at the next start.

example:
  tocsin check --config tocsin.toml
  tocsin run --config tocsin.toml`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		file := fs.String("config", "", "the configuration `FILE`")
		return func(ctx context.Context, args []string) error {
			path, err := configPath(*file, args)
			if err != nil {
				return err
			}
			cfg, err := config.Load(path)
			if err != nil {
				return err
			}
			return p.work(ctx, cfg)
		}
	},
}

// work is "tocsin run".
func (p *program) work(ctx context.Context, cfg *config.Config) error {
	if len(cfg.Mailbox) == 0 {
		return advisedError{"the configuration names no mailbox: there is nothing to read", "add a table [mailbox.support] with host, username and password_file (README, \"Five minutes to your own inbox\")"}
	}
	if os.Getenv("GOGC") == "" {
		// What mails leave behind is collected sooner, for some more work: a first
		// synchronisation stays under 100 MB.
		defer debug.SetGCPercent(debug.SetGCPercent(40))
	}
	log := logger(p.Err, cfg.Log)
	st, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	s := &system{cfg: cfg, log: log, store: st}
	if s.model, err = modelFor(cfg); err != nil {
		return err
	}
	accounts, err := accountsFor(cfg, st, log)
	if err != nil {
		return err
	}
	s.sources = sources(cfg, accounts)
	if s.smtp, err = smtpFor(cfg, st, st.InstallID()); err != nil {
		return err
	}
	if s.pagers, s.routes, err = pagersFor(cfg, s.smtp, p.Out); err != nil {
		return err
	}
	if marks := marksFor(cfg, accounts); len(marks) > 0 {
		s.more = append(s.more, (&worker.Marking{Store: st, Marks: marks, Log: log}).Run)
	}
	if err := s.connect(); err != nil {
		return err
	}
	defer s.close()

	attrs := []any{"version", version(), "data", cfg.Data, "folders", len(s.sources), "pagers", strings.Join(slices.Sorted(maps.Keys(s.pagers)), " ")}
	if s.control != nil {
		attrs = append(attrs, "dashboard", s.control.URL)
	}
	log.Info("tocsin started", attrs...)
	if len(s.pagers) == 0 {
		log.Warn("no pager is configured: incidents show on the dashboard only")
	}
	err = s.run(ctx)
	log.Info("tocsin stopped")
	return err
}

// hostsOf are the names under which the dashboard may be asked for, beside
// localhost and any address.
func hostsOf(cfg *config.Config) []string {
	hosts := []string{"localhost"}
	if u, err := url.Parse(cfg.PublicURL); err == nil && u.Hostname() != "" {
		hosts = append(hosts, strings.ToLower(u.Hostname()))
	}
	for _, h := range cfg.Web.Hosts {
		hosts = append(hosts, strings.ToLower(h))
	}
	return hosts
}

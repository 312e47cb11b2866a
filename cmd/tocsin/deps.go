package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/deploy"
	"tocsin/internal/web"
)

var depsCommand = command{
	name:    "deps",
	args:    "check [--lockfile FILE]",
	summary: "look for outdated or vulnerable core packages",
	about: `
Looks at the core packages ([packages] watch) of what every service runs, as
the lockfiles of its deployments say, or of a lockfile that is named. Nobody is
asked but the registries and the database whose addresses are configured
([packages] npm, go_proxy, osv); without them it knows how long a version has
been deployed. Exit code 0: nothing to say; 1: something is outdated, deprecated
or vulnerable, or somebody could not be asked.

example:
  tocsin deps check --config tocsin.toml
  tocsin deps check --lockfile package-lock.json --watch jsonwebtoken --osv https://api.osv.dev`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		d := deps{p: p}
		fs.StringVar(&d.config, "config", "", "the configuration `FILE`")
		fs.StringVar(&d.lockfile, "lockfile", "", "look at this lockfile `FILE`")
		fs.StringVar(&d.watch, "watch", "", "core packages, separated by commas; default [packages] watch")
		fs.StringVar(&d.npm, "npm", "", "npm registry to ask; default [packages] npm")
		fs.StringVar(&d.proxy, "go-proxy", "", "Go module proxy to ask; default [packages] go_proxy")
		fs.StringVar(&d.osv, "osv", "", "vulnerability database to ask; default [packages] osv")
		fs.BoolVar(&d.json, "json", false, "print one JSON object a line")
		return d.run
	},
}

type deps struct {
	p                                        *program
	config, lockfile, watch, npm, proxy, osv string
	json                                     bool
}

// finding is one line of the result.
type finding struct {
	Service string `json:"service,omitempty"`
	deploy.Finding
}

func (d *deps) run(ctx context.Context, args []string) error {
	if len(args) != 1 || args[0] != "check" {
		return usagef("say what to do: tocsin deps check")
	}
	a, err := d.advisor()
	if err != nil {
		return err
	}
	if len(a.Watch) == 0 {
		return advisedError{"no core package is named", "name them in [packages] watch, or with --watch jsonwebtoken,passport"}
	}
	shipped, err := d.shipped(ctx, a)
	if err != nil {
		return err
	}
	n, core, failed := 0, 0, []error(nil)
	for _, s := range shipped {
		since := map[detect.Package]time.Time{}
		var packages []detect.Package
		for _, p := range s.Packages {
			packages, since[p.Package] = append(packages, p.Package), p.Since
		}
		core += len(a.Core(packages))
		found, err := a.Check(ctx, packages, s.Deployment.Changes, func(p detect.Package) time.Time { return since[p] })
		failed = append(failed, err)
		for _, f := range found {
			n++
			d.say(finding{strings.TrimSpace(s.Deployment.Service + " " + s.Deployment.Version), f})
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if n > 0 {
		return exitError(1)
	}
	if !d.json {
		fmt.Fprintf(d.p.Out, "nothing to say of %d core packages\n", core)
	}
	return nil
}

func (d *deps) say(f finding) {
	if d.json {
		_ = newJSONLines(d.p.Out).write(f) // a broken pipe shows at the end
		return
	}
	if f.Service != "" {
		fmt.Fprintf(d.p.Out, "%s: ", oneLine(f.Service))
	}
	fmt.Fprintln(d.p.Out, oneLine(f.Finding.String()))
}

// advisor is that of the configuration, with what the flags say instead. A
// lockfile can be looked at without one.
func (d *deps) advisor() (*deploy.Advisor, error) {
	cfg := config.Default()
	if path, err := configPath(d.config, nil); err == nil {
		if cfg, err = config.Load(path); err != nil {
			return nil, err
		}
	} else if d.lockfile == "" || d.watch == "" {
		return nil, err
	}
	a := advisorFor(cfg, time.Now)
	if d.watch != "" {
		a.Watch = nil
		for _, w := range strings.Split(d.watch, ",") {
			a.Watch = append(a.Watch, strings.TrimSpace(w))
		}
	}
	for _, o := range []struct {
		to   *string
		flag string
	}{{&a.NPM, d.npm}, {&a.GoProxy, d.proxy}, {&a.OSV, d.osv}} {
		if o.flag != "" {
			*o.to = o.flag
		}
	}
	return a, nil
}

// advisorFor asks whom the configuration allows.
func advisorFor(cfg *config.Config, now func() time.Time) *deploy.Advisor {
	c := cfg.Packages
	return &deploy.Advisor{Watch: c.Watch, OldAfter: c.OldAfter.D(), NPM: c.NPM, GoProxy: c.GoProxy, OSV: c.OSV, Now: now}
}

// shipped is what to look at: a lockfile, or what every service runs.
func (d *deps) shipped(ctx context.Context, a *deploy.Advisor) ([]web.Shipped, error) {
	if d.lockfile == "" {
		r, err := openRead(ctx, d.config)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return r.client.Packages(ctx, a.Watch)
	}
	packages, err := readLockfile(d.lockfile)
	if err != nil {
		return nil, err
	}
	var s web.Shipped
	for _, p := range packages {
		s.Packages = append(s.Packages, web.ShippedPackage{Package: p})
	}
	return []web.Shipped{s}, nil
}

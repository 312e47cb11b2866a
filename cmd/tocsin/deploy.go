package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/deploy"
	"tocsin/internal/web"
)

var deployCommand = command{
	name:    "deploy",
	args:    "--service S --version V",
	summary: "record a deployment",
	about: `
Tells the running worker of a deployment, for a step of your pipeline. With a
lockfile the worker compares its packages with those of the deployment before,
and a page names what changed.

The worker is found by --url and --token or TOCSIN_URL and TOCSIN_TOKEN; on its
own machine by --config. Exit code 0: recorded, or known already; 1: refused or
not reached, so end the step with "|| true" if that must not stop a deployment.

example:
  tocsin deploy --service web --version 2.4.0 --lockfile package-lock.json`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		d := deployment{p: p}
		fs.StringVar(&d.body.Service, "service", "", "what was deployed")
		fs.StringVar(&d.body.Version, "version", "", "its new version")
		fs.StringVar(&d.body.Environment, "environment", "", "where to; default production")
		fs.StringVar(&d.body.Kind, "kind", "", "release, rollback, config, flag or campaign")
		fs.StringVar(&d.body.Commit, "commit", "", "the commit that was deployed")
		fs.StringVar(&d.body.URL, "link", "", "where a person reads more")
		fs.StringVar(&d.body.Actor, "actor", "", "who deployed it")
		fs.StringVar(&d.body.Time, "time", "", "when, as 2026-11-24T09:40:00Z; default now")
		fs.BoolVar(&d.body.Failed, "failed", false, "it failed: recorded, never suspected")
		fs.StringVar(&d.lockfile, "lockfile", "", "the lockfile `FILE` of what was deployed")
		fs.StringVar(&d.url, "url", os.Getenv("TOCSIN_URL"), "of the worker; default TOCSIN_URL")
		token := os.Getenv("TOCSIN_TOKEN")
		fs.StringVar(&d.token, "token", "", "a token of [web.token.NAME]; better in TOCSIN_TOKEN")
		fs.StringVar(&d.config, "config", "", "the configuration `FILE` of the worker on this machine")
		fs.BoolVar(&d.dryRun, "dry-run", false, "print what would be sent, and send nothing")
		fs.BoolVar(&d.json, "json", false, "print the answer as JSON")
		return func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("%q was not expected", args[0])
			}
			if d.token == "" {
				d.token = token
			}
			return d.run(ctx)
		}
	},
}

// deployBody is what POST /api/v1/deployments takes.
type deployBody struct {
	Service     string `json:"service"`
	Version     string `json:"version"`
	Environment string `json:"environment,omitempty"`
	Kind        string `json:"kind,omitempty"`
	Time        string `json:"time,omitempty"`
	Failed      bool   `json:"failed,omitempty"`
	Commit      string `json:"commit,omitempty"`
	URL         string `json:"url,omitempty"`
	Actor       string `json:"actor,omitempty"`
	Source      string `json:"source,omitempty"`
	Lockfile    *struct {
		Name    string `json:"name"`
		Content string `json:"content"`
	} `json:"lockfile,omitempty"`
}

type deployment struct {
	p                            *program
	body                         deployBody
	lockfile, url, token, config string
	dryRun, json                 bool
}

// maxLockfile bounds what is sent.
const maxLockfile = 20 << 20

func (d *deployment) run(ctx context.Context) error {
	if d.body.Service == "" || d.body.Version == "" {
		return usagef("deploy needs --service and --version")
	}
	d.body.Source = "tocsin deploy"
	if d.lockfile != "" {
		if err := d.readLockfile(); err != nil {
			return err
		}
	}
	body, err := json.Marshal(d.body)
	if err != nil {
		return err
	}
	req, err := deploy.Parse(body, time.Now())
	if err != nil {
		return err
	}
	if d.dryRun {
		fmt.Fprintf(d.p.Out, "would record %s %s", oneLine(req.Service), oneLine(req.Version))
		if d.lockfile != "" {
			fmt.Fprintf(d.p.Out, " with %d packages of %s", len(req.Packages), oneLine(d.lockfile))
		}
		fmt.Fprintln(d.p.Out)
		return nil
	}
	c, err := d.client()
	if err != nil {
		return err
	}
	r, err := c.Deploy(ctx, body)
	if err != nil {
		return err
	}
	if d.json {
		return newJSONLines(d.p.Out).write(r)
	}
	what := "recorded"
	if !r.Added {
		what = "was known already:"
	}
	fmt.Fprintf(d.p.Out, "%s %s %s", what, oneLine(r.Deployment.Service), oneLine(r.Deployment.Version))
	if n := len(r.Deployment.Changes); n > 0 {
		fmt.Fprintf(d.p.Out, ": %d packages changed: %s", n, changesIn(r.Deployment.Changes))
	}
	fmt.Fprintln(d.p.Out)
	return nil
}

// lockfileText reads a lockfile whole.
func lockfileText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lockfile: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxLockfile+1))
	if err != nil {
		return nil, fmt.Errorf("lockfile: %w", err)
	}
	if len(raw) > maxLockfile {
		return nil, fmt.Errorf("lockfile %s is larger than %d MB", path, maxLockfile>>20)
	}
	return raw, nil
}

// readLockfile reads the packages of a lockfile.
func readLockfile(path string) ([]detect.Package, error) {
	raw, err := lockfileText(path)
	if err != nil {
		return nil, err
	}
	packages, err := deploy.ParseLockfile(filepath.Base(path), raw)
	if err != nil {
		return nil, fmt.Errorf("lockfile %s: %w", path, err)
	}
	return packages, nil
}

func (d *deployment) readLockfile() error {
	raw, err := lockfileText(d.lockfile)
	if err != nil {
		return err
	}
	name := filepath.Base(d.lockfile)
	if _, err := deploy.ParseLockfile(name, raw); err != nil {
		return fmt.Errorf("lockfile %s: %w", d.lockfile, err)
	}
	d.body.Lockfile = &struct {
		Name    string `json:"name"`
		Content string `json:"content"`
	}{name, string(raw)}
	return nil
}

// client finds the worker: by its URL, else on this machine.
func (d *deployment) client() (*web.Client, error) {
	if d.url != "" {
		if !strings.HasPrefix(d.url, "http://") && !strings.HasPrefix(d.url, "https://") {
			return nil, usagef("--url is the worker's address with its scheme, such as https://tocsin.example.com")
		}
		return web.NewClient(d.url, d.token), nil
	}
	path, err := configPath(d.config, nil)
	if err != nil {
		return nil, advisedError{"it is not known where tocsin runs", "set TOCSIN_URL and TOCSIN_TOKEN, or give --url and --token, or --config on the machine of the worker"}
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	return apiClient(cfg)
}

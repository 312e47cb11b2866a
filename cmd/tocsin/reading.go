package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/web"
	"tocsin/internal/worker"
	"tocsin/store"
)

// reading is access to what is stored: through the running worker, or from the
// data file when none runs. Both answer over the same API.
type reading struct {
	cfg    *config.Config
	client *web.Client
	store  *store.Store // nil where a worker runs
	model  *classify.Model
}

// Close ends it.
func (r *reading) Close() {
	if r.store != nil {
		r.store.Close()
	}
}

// configPath is the configuration that a command line names.
func configPath(flagged string, args []string) (string, error) {
	switch {
	case flagged != "" && len(args) == 0:
		return flagged, nil
	case flagged == "" && len(args) == 1:
		return args[0], nil
	case len(args) > 0:
		return "", usagef("%q was not expected", args[len(args)-1])
	}
	if p := os.Getenv("TOCSIN_CONFIG"); p != "" {
		return p, nil
	}
	if _, err := os.Stat("tocsin.toml"); err == nil {
		return "tocsin.toml", nil
	}
	return "", usagef("no configuration: name one with --config FILE")
}

// openRead loads the configuration and opens the way to what is stored.
func openRead(ctx context.Context, path string) (*reading, error) {
	path, err := configPath(path, nil)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	r := &reading{cfg: cfg}
	if c, err := apiClient(cfg); err == nil {
		tctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err := c.Status(tctx)
		cancel()
		if err == nil {
			r.client = c
			return r, nil
		}
	}
	if _, err := os.Stat(cfg.Data); errors.Is(err, os.ErrNotExist) {
		return nil, advisedError{fmt.Sprintf("there is no data file %s yet", cfg.Data), "start reading mail with: tocsin run --config " + path}
	}
	if r.store, err = store.Open(cfg.Data, store.Options{ReadOnly: true, Timeout: 2 * time.Second}); err != nil {
		if errors.Is(err, store.ErrInUse) {
			return nil, advisedError{fmt.Sprintf("%s is held by another process, and no tocsin answers", cfg.Data),
				"if \"tocsin run\" is starting, wait for it; else find the holder with: fuser " + cfg.Data}
		}
		return nil, err
	}
	if r.model, err = modelFor(cfg); err != nil {
		r.Close()
		return nil, err
	}
	s, err := web.New(web.Options{Store: r.store, Taxonomy: r.model.Taxonomy(), Location: cfg.Location(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Digest: digestOptions(cfg, r.store, r.model, nil, time.Now), Version: version()})
	if err != nil {
		r.Close()
		return nil, err
	}
	r.client = s.Client()
	return r, nil
}

// apiClient speaks to the worker that runs with a configuration. The error says
// that none does.
func apiClient(cfg *config.Config) (*web.Client, error) {
	c, err := readControl(cfg.Data)
	if errors.Is(err, os.ErrNotExist) {
		return nil, advisedError{"no tocsin is running with this configuration", "start it with: tocsin run --config " + cfg.Path()}
	}
	if err != nil {
		return nil, err
	}
	return c.client(), nil
}

// kinds are what the detector must know of the configuration's categories.
func (r *reading) kinds() ([]detect.Kind, error) {
	if r.model == nil {
		var err error
		if r.model, err = modelFor(r.cfg); err != nil {
			return nil, err
		}
	}
	return worker.Kinds(r.model.Taxonomy()), nil
}

// Events calls f with everything stored that the detector counts.
func (r *reading) Events(ctx context.Context, f func(n int, line []byte) error) error {
	return r.client.Events(ctx, time.Time{}, f)
}

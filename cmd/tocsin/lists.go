package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/internal/config"
	"tocsin/internal/page"
	"tocsin/store"
)

// listFlags are those that every list has.
type listFlags struct {
	p      *program
	config string
	json   bool
	since  string
	limit  int
}

func (l *listFlags) declare(p *program, fs *flag.FlagSet, since string) {
	l.p = p
	fs.StringVar(&l.config, "config", "", "the configuration `FILE`")
	fs.BoolVar(&l.json, "json", false, "print one JSON object a line")
	fs.StringVar(&l.since, "since", since, "how far back, as 24h or 30d")
	fs.IntVar(&l.limit, "limit", 100, "at most so many")
}

// open checks the flags and opens the store or the way to the running worker.
func (l *listFlags) open(ctx context.Context, args []string) (*reading, time.Time, error) {
	if len(args) > 0 {
		return nil, time.Time{}, usagef("%q was not expected", args[0])
	}
	r, err := openRead(ctx, l.config)
	if err != nil {
		return nil, time.Time{}, err
	}
	d, err := config.ParseDuration(l.since)
	if err != nil {
		r.Close()
		return nil, time.Time{}, usageError{err}
	}
	return r, time.Now().Add(-d), nil
}

var messagesCommand = command{
	name:    "messages",
	args:    "--config FILE",
	summary: "list the mails that were read",
	about: `
Lists the newest mails with the category each was sorted into, from the running
worker or, when none runs, from the data file.

example:
  tocsin messages --config tocsin.toml --category login --since 24h`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		var l listFlags
		l.declare(p, fs, "30d")
		var q store.Query
		fs.StringVar(&q.Category, "category", "", "only this `CATEGORY`")
		fs.StringVar(&q.Sender, "sender", "", "only senders with this in their address or name")
		fs.StringVar(&q.Words, "words", "", "only mails with these words")
		fs.BoolVar(&q.Unsorted, "unsorted", false, "only what nobody could sort")
		return func(ctx context.Context, args []string) error {
			r, from, err := l.open(ctx, args)
			if err != nil {
				return err
			}
			defer r.Close()
			q.From, q.Limit = from, l.limit
			return l.messages(ctx, r, q)
		}
	},
}

func (l *listFlags) messages(ctx context.Context, r *reading, q store.Query) error {
	list, err := r.client.Messages(ctx, q)
	if err != nil {
		return err
	}
	if l.json {
		return writeAll(l.p, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(l.p.Err, "no mail matches")
		return nil
	}
	now := time.Now()
	var rows [][]string
	for _, m := range list {
		kind := m.Category
		if m.Automated != "" {
			kind += " (" + m.Automated + ")"
		}
		rows = append(rows, []string{oneLine(m.ID), since(now, m.Received), oneLine(kind), oneLine(m.From), oneLine(m.Subject)})
	}
	l.p.table([]string{"ID", "RECEIVED", "CATEGORY", "FROM", "SUBJECT"}, rows)
	return nil
}

var incidentsCommand = command{
	name:    "incidents",
	args:    "--config FILE",
	summary: "list the incidents",
	about: `
Lists incidents, the newest first: their state, since when, how many customers,
and the suspect deployment.

example:
  tocsin incidents --config tocsin.toml --since 90d`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		var l listFlags
		l.declare(p, fs, "365d")
		return func(ctx context.Context, args []string) error {
			r, from, err := l.open(ctx, args)
			if err != nil {
				return err
			}
			defer r.Close()
			list, err := r.client.Incidents(ctx, from, time.Time{})
			if err != nil {
				return err
			}
			if len(list) > l.limit {
				list = list[:l.limit]
			}
			if l.json {
				return writeAll(p, list)
			}
			if len(list) == 0 {
				fmt.Fprintln(p.Err, "no incident")
				return nil
			}
			now := time.Now()
			var rows [][]string
			for _, i := range list {
				rows = append(rows, []string{i.ID, stateOf(&i), since(now, i.DetectedAt), oneLine(page.Sentence(&i))})
			}
			p.table([]string{"ID", "STATE", "DETECTED", "WHAT"}, rows)
			return nil
		}
	},
}

func stateOf(i *detect.Incident) string {
	switch {
	case i.FalseAlarm:
		return "false alarm"
	case i.Level == detect.Warning:
		return string(i.State) + " (warning)"
	}
	return string(i.State)
}

var deploymentsCommand = command{
	name:    "deployments",
	args:    "--config FILE",
	summary: "list the deployments",
	about: `
Lists the recorded deployments, the newest first, with what their lockfiles
changed.

example:
  tocsin deployments --config tocsin.toml`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		var l listFlags
		l.declare(p, fs, "365d")
		return func(ctx context.Context, args []string) error {
			r, from, err := l.open(ctx, args)
			if err != nil {
				return err
			}
			defer r.Close()
			list, err := r.client.Deployments(ctx, from, time.Time{})
			if err != nil {
				return err
			}
			if len(list) > l.limit {
				list = list[:l.limit]
			}
			if l.json {
				return writeAll(p, list)
			}
			if len(list) == 0 {
				fmt.Fprintln(p.Err, "no deployment was recorded: \"tocsin help deploy\" shows how")
				return nil
			}
			now := time.Now()
			var rows [][]string
			for _, d := range list {
				kind := d.Kind
				switch {
				case d.Failed:
					kind = "failed"
				case d.Rollback:
					kind = "rollback"
				case kind == "":
					kind = "release"
				}
				rows = append(rows, []string{since(now, d.At), oneLine(d.Service), oneLine(d.Version), oneLine(d.Environment), oneLine(kind), changesIn(d.Changes)})
			}
			p.table([]string{"WHEN", "SERVICE", "VERSION", "ENVIRONMENT", "KIND", "PACKAGES"}, rows)
			return nil
		}
	},
}

// changesIn names the first package changes and how many more there are.
func changesIn(changes []detect.PackageChange) string {
	changes = detect.RankChanges(changes, []string{"login"}, nil)
	var parts []string
	for i, c := range changes {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("and %d more", len(changes)-3))
			break
		}
		parts = append(parts, oneLine(c.String()))
	}
	return strings.Join(parts, ", ")
}

func writeAll[T any](p *program, list []T) error {
	out := newJSONLines(p.Out)
	for _, v := range list {
		if err := out.write(v); err != nil {
			return err
		}
	}
	return nil
}

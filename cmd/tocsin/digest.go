package main

import (
	"context"
	"flag"
	"fmt"

	"tocsin/internal/page"
)

var digestCommand = command{
	name:    "digest",
	args:    "--config FILE",
	summary: "print or mail the digest of a week",
	about: `
Prints the digest of a week: complaints by kind against the week before and
against normal, incidents, deployments with what followed, words that grew, and
mail nobody could sort. With --send it is mailed to the recipients of [digest].

example:
  tocsin digest --config tocsin.toml --week 2026-W47`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		var (
			file = fs.String("config", "", "the configuration `FILE`")
			week = fs.String("week", "", "the `WEEK`, as 2026-W47; default the last one that is over")
			send = fs.Bool("send", false, "mail it to the recipients of [digest]")
			html = fs.Bool("html", false, "print it as the HTML of the mail")
			asJS = fs.Bool("json", false, "print its figures as JSON")
		)
		return func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("%q was not expected", args[0])
			}
			r, err := openRead(ctx, *file)
			if err != nil {
				return err
			}
			defer r.Close()
			d, err := r.client.Digest(ctx, *week)
			if err != nil {
				return err
			}
			switch {
			case *send:
				to := r.cfg.Digest.To
				if len(to) == 0 || r.cfg.SMTP.Host == "" {
					return advisedError{"there is nobody to send the digest to, or no server to send it with", "set digest.to and [smtp] in " + r.cfg.Path()}
				}
				smtp, err := smtpFor(r.cfg, r.store, "")
				if err != nil {
					return err
				}
				if err := smtp.Send(ctx, page.Letter{To: to, Subject: d.Subject, Text: d.Text, HTML: d.HTML}); err != nil {
					return err
				}
				fmt.Fprintf(p.Err, "the digest of %s was sent to %d recipients\n", d.Week, len(to))
			case *html:
				fmt.Fprint(p.Out, d.HTML)
			case *asJS:
				return newJSONLines(p.Out).write(d.Figures)
			default:
				fmt.Fprint(p.Out, escape(d.Text))
			}
			return nil
		}
	},
}

var postmortemCommand = command{
	name:    "postmortem",
	args:    "ID --config FILE",
	summary: "print the draft of a post-mortem",
	about: `
Prints a Markdown draft: summary, impact, timeline, the suspect deployment and
what it changed, customers' own words; root cause and measures are left to be
written. "tocsin incidents" lists the IDs.

example:
  tocsin postmortem access-20261117-0945 --config tocsin.toml > postmortem.md`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		file := fs.String("config", "", "the configuration `FILE`")
		return func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("postmortem wants one incident's ID: \"tocsin incidents\" lists them")
			}
			r, err := openRead(ctx, *file)
			if err != nil {
				return err
			}
			defer r.Close()
			text, err := r.client.PostMortem(ctx, args[0])
			if err != nil {
				return err
			}
			fmt.Fprint(p.Out, escape(text))
			return nil
		}
	},
}

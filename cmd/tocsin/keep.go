package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"tocsin/internal/config"
	"tocsin/mailbox/imapsync"
	"tocsin/store"
)

// openOwn loads a configuration and opens its data file for writing, which
// works only while no worker runs.
func openOwn(ctx context.Context, path string) (*config.Config, *store.Store, error) {
	path, err := configPath(path, nil)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, nil, err
	}
	s, err := openStore(ctx, cfg)
	return cfg, s, err
}

var correctCommand = command{
	name:    "correct",
	args:    "MESSAGE CATEGORY",
	summary: "sort a mail by hand",
	about: `
Says that a mail belongs to another category. The running worker counts it
there, and the classifier learns it in the background. An empty category takes a
correction back. "tocsin messages" lists the mails with their IDs.

example:
  tocsin correct --config tocsin.toml a5kjuhn7szahgldnz2nma login`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		file := fs.String("config", "", "the configuration `FILE`")
		return func(ctx context.Context, args []string) error {
			if len(args) != 2 || strings.TrimSpace(args[0]) == "" {
				return usagef("correct wants a message's ID and a category")
			}
			r, err := openRead(ctx, *file)
			if err != nil {
				return err
			}
			defer r.Close()
			return r.client.Correct(ctx, args[0], args[1])
		}
	},
}

var loginCommand = command{
	name:    "login",
	args:    "mailbox.NAME",
	summary: "consent to a sign-in by OAuth2",
	about: `
Lets a person consent to the sign-in of a mailbox (or of "smtp") where no client
secret does it alone. The refresh token is kept in the data file; the worker must
not run meanwhile.

example:
  tocsin login --config tocsin.toml mailbox.support
  tocsin login --config tocsin.toml --device mailbox.support`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		file := fs.String("config", "", "the configuration `FILE`")
		device := fs.Bool("device", false, "consent on another device, by a code")
		return func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("login wants what to sign in to: mailbox.NAME or smtp")
			}
			cfg, s, err := openOwn(ctx, *file)
			if err != nil {
				return err
			}
			defer s.Close()
			o := cfg.SMTP.OAuth2
			if name, ok := cutPrefix(args[0], "mailbox."); ok {
				m := cfg.Mailbox[name]
				if m == nil {
					return usagef("the configuration has no mailbox %q", name)
				}
				o = m.OAuth2
			} else if args[0] != "smtp" {
				return usagef("%q is neither mailbox.NAME nor smtp", args[0])
			}
			if o == nil {
				return fmt.Errorf("%s signs in with a password: there is nothing to consent to", args[0])
			}
			provider, client := providerOf(o), imapsync.Client{ID: o.ClientID, Secret: o.ClientSecret.Reveal()}
			var refresh string
			if *device {
				refresh, err = imapsync.LoginOnDevice(ctx, provider, client, func(page, code string) {
					fmt.Fprintf(p.Err, "Open %s on any device and enter the code %s\n", escape(page), escape(code))
				})
			} else {
				refresh, err = imapsync.LoginInBrowser(ctx, provider, client, func(page string) {
					fmt.Fprintf(p.Err, "Open this page in a browser on this machine and consent:\n  %s\n", escape(page))
				})
			}
			if err != nil {
				return err
			}
			if err := s.SetValue(refreshBucket, args[0], []byte(refresh)); err != nil {
				return err
			}
			fmt.Fprintln(p.Err, "Signed in; try it with: tocsin check --config "+cfg.Path())
			return nil
		}
	},
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return s, false
}

var forgetCommand = command{
	name:    "forget",
	args:    "ADDRESS",
	summary: "remove a person",
	about: `
Removes the texts of every mail from or about an address, and the address and
the name from its record; counts stay. The data file is then written anew, so
that nothing of it can be read from free pages. The worker must not run meanwhile.

example:
  tocsin forget --config tocsin.toml anna@example.com`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		file := fs.String("config", "", "the configuration `FILE`")
		return func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("forget wants one mail address")
			}
			cfg, s, err := openOwn(ctx, *file)
			if err != nil {
				return err
			}
			n, err := s.Forget(ctx, args[0])
			if err := errors.Join(err, s.Close()); err != nil {
				return err
			}
			if err := store.Compact(ctx, cfg.Data); err != nil {
				return err
			}
			fmt.Fprintf(p.Out, "%d mails of %s were emptied\n", n, oneLine(args[0]))
			return nil
		}
	},
}

var backupCommand = command{
	name:    "backup",
	args:    "FILE",
	summary: "copy the data file, also while the worker runs",
	about: `
Writes a consistent copy of the data file. To restore it, stop the worker and put
the copy in the data file's place.

example:
  tocsin backup --config tocsin.toml /backup/tocsin.db`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		file := fs.String("config", "", "the configuration `FILE`")
		return func(ctx context.Context, args []string) (err error) {
			if len(args) != 1 {
				return usagef("backup wants the file to write")
			}
			r, err := openRead(ctx, *file)
			if err != nil {
				return err
			}
			defer r.Close()
			out, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("backup: %w", err)
			}
			n, err := r.client.Backup(ctx, out)
			if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
				os.Remove(args[0])
				return err
			}
			fmt.Fprintf(p.Out, "%s: %.1f MB\n", args[0], float64(n)/(1<<20))
			return nil
		}
	},
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/internal/config"
	"tocsin/mailbox/imapsync"
	"tocsin/store"
)

var checkCommand = command{
	name:    "check",
	args:    "--config FILE",
	summary: "try everything the configuration names",
	about: `
Signs in to every mailbox, opens its folders, loads the model, opens the data
file, reaches the mail server, and says for each what is right or how to mend
it. Nothing is changed and nobody is rung, unless --page-test asks for it.

example:
  tocsin check --config tocsin.toml
  tocsin check --config tocsin.toml --page-test`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		c := check{p: p}
		fs.StringVar(&c.config, "config", "", "the configuration `FILE`")
		fs.BoolVar(&c.pageTest, "page-test", false, "ring each pager once, marked as a test")
		fs.BoolVar(&c.json, "json", false, "print one JSON object a line")
		return c.run
	},
}

type check struct {
	p        *program
	config   string
	pageTest bool
	json     bool

	cfg    *config.Config
	failed bool
}

// checked is one line of the result.
type checked struct {
	OK     bool   `json:"ok"`
	What   string `json:"what"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
}

// tryFor bounds one trial.
const tryFor = 30 * time.Second

func (c *check) run(ctx context.Context, args []string) error {
	path, err := configPath(c.config, args)
	if err != nil {
		return err
	}
	if c.cfg, err = config.Load(path); err != nil {
		return err
	}
	c.ok("config", path+" is valid")
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Mailbox)) {
		c.mailbox(ctx, name)
	}
	c.model()
	c.data(ctx)
	c.web()
	c.mail(ctx)
	c.pagers(ctx)
	if c.failed {
		return exitError(1)
	}
	return nil
}

func (c *check) ok(what, text string) { c.say(checked{OK: true, What: what, Text: text}) }

// fail reports what is wrong, the line of the file that asked for it, and what
// to do.
func (c *check) fail(what, key string, err error) {
	c.failed = true
	r := checked{What: what, Text: err.Error()}
	if n := c.cfg.Line(key); n > 0 && key != "" {
		r.Text = fmt.Sprintf("%s:%d: %s: %s", filepath.Base(c.cfg.Path()), n, key, strings.TrimPrefix(r.Text, what+": "))
	}
	var a interface{ Advice() string }
	if errors.As(err, &a) {
		r.Advice = a.Advice()
	}
	c.say(r)
}

func (c *check) say(r checked) {
	if c.json {
		_ = newJSONLines(c.p.Out).write(r) // a broken pipe shows at the end
		return
	}
	mark, style := "ok  ", "32"
	if !r.OK {
		mark, style = "FAIL", "1;31"
	}
	if colour(c.p.Out) {
		mark = "\x1b[" + style + "m" + mark + "\x1b[0m"
	}
	fmt.Fprintf(c.p.Out, "%s  %-18s %s\n", mark, r.What, escape(r.Text))
	if r.Advice != "" {
		fmt.Fprintf(c.p.Out, "%24s  %s\n", "", escape(strings.ReplaceAll(r.Advice, "\n", " ")))
	}
}

func (c *check) mailbox(ctx context.Context, name string) {
	m := c.cfg.Mailbox[name]
	what := "mailbox " + name
	var st *store.Store
	if m.OAuth2 != nil && needsConsent(m.OAuth2) {
		var err error
		if st, err = c.consents(); errors.Is(err, store.ErrInUse) {
			c.asRunning(ctx, name)
			return
		} else if err != nil {
			c.fail(what, "mailbox."+name, err)
			return
		}
		if st != nil {
			defer st.Close()
		}
	}
	acct, err := accountFor(c.cfg, name, st, nil)
	if err != nil {
		c.fail(what, "mailbox."+name, err)
		return
	}
	if acct.Timeout <= 0 || acct.Timeout > tryFor/2 {
		acct.Timeout = tryFor / 2 // so that silence is told from a slow trial
	}
	for i, folder := range m.Folders() {
		key := "mailbox." + name + ".folder"
		if i > len(m.Also) {
			key = "mailbox." + name + ".teach"
		} else if i > 0 {
			key = "mailbox." + name + ".also"
		}
		tctx, cancel := context.WithTimeout(ctx, tryFor)
		found, err := imapsync.Check(tctx, acct, folder)
		cancel()
		if err != nil {
			if !imapsync.IsFolder(err) {
				key = "mailbox." + name
			}
			c.fail(what, key, err)
			if !imapsync.IsFolder(err) {
				return // the account itself fails: its other folders would say the same
			}
			continue
		}
		c.ok(what, fmt.Sprintf("%s on %s", folder, found))
	}
}

// consents opens the data file for the refresh token in it, which the provider
// may change when it is used; nil if there is no file yet.
func (c *check) consents() (*store.Store, error) {
	if _, err := os.Stat(c.cfg.Data); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return store.Open(c.cfg.Data, store.Options{Timeout: time.Second})
}

// asRunning says how the running tocsin fares with a mailbox whose refresh
// token it alone may use.
func (c *check) asRunning(ctx context.Context, name string) {
	what := "mailbox " + name
	client, err := apiClient(c.cfg)
	if err != nil {
		c.fail(what, "mailbox."+name, err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	st, err := client.Status(ctx)
	if err != nil {
		c.fail(what, "mailbox."+name, err)
		return
	}
	for _, f := range st.Folders {
		switch {
		case f.Mailbox != name:
		case f.Error != "":
			c.fail(what, "mailbox."+name, errors.New("the running tocsin says: "+f.Error))
		case f.LastRead.IsZero():
			c.ok(what, fmt.Sprintf("the running tocsin is %s folder %s", f.State, f.Folder))
		default:
			c.ok(what, fmt.Sprintf("the running tocsin read folder %s %s", f.Folder, since(st.Now, f.LastRead)))
		}
	}
}

func (c *check) model() {
	m, err := modelFor(c.cfg)
	if err != nil {
		c.fail("model", "model", err)
		return
	}
	if _, err := teachFor(c.cfg, m.Taxonomy()); err != nil {
		c.fail("model", "mailbox", err)
		return
	}
	c.ok("model", fmt.Sprintf("%s, %d categories", m.Name(), len(m.Taxonomy())))
}

// data opens the file as run would, without leaving one behind that was not
// there.
func (c *check) data(ctx context.Context) {
	path := c.cfg.Data
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		dir := filepath.Dir(path)
		f, err := os.CreateTemp(dir, ".tocsin-check-*")
		if err != nil {
			c.fail("data", "data", fmt.Errorf("the folder of the data file cannot be written: %w", err))
			return
		}
		f.Close()
		os.Remove(f.Name())
		c.ok("data", path+" will be made at the first run")
		return
	}
	s, err := store.Open(path, store.Options{ReadOnly: true, Timeout: time.Second})
	if errors.Is(err, store.ErrInUse) {
		if err := c.running(ctx); err == nil {
			c.ok("data", path+" is held by the running tocsin at "+c.cfg.Web.Listen)
			return
		}
	}
	if err != nil {
		c.fail("data", "data", err)
		return
	}
	defer s.Close()
	st, err := s.Stats()
	if err != nil {
		c.fail("data", "data", err)
		return
	}
	c.ok("data", fmt.Sprintf("%s: %d messages, %d MB", path, st.Messages, st.Size>>20))
}

func (c *check) running(ctx context.Context) error {
	client, err := apiClient(c.cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err = client.Status(ctx)
	return err
}

// web tells whether the dashboard's address is free, or held by a running
// tocsin.
func (c *check) web() {
	addr := c.cfg.Web.Listen
	if addr == "" {
		return
	}
	ln, err := net.Listen("tcp", addr)
	if err == nil {
		ln.Close()
		c.ok("dashboard", addr+" is free")
		return
	}
	if c.running(context.Background()) == nil {
		c.ok("dashboard", "tocsin is running at "+addr)
		return
	}
	c.fail("dashboard", "web.listen", fmt.Errorf("cannot listen on %s: %w", addr, err))
}

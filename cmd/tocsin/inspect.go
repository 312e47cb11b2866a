package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"tocsin/classify"
	"tocsin/internal/config"
	"tocsin/mailbox"
)

var inspectCommand = command{
	name:    "inspect",
	atOnce:  true,
	args:    "FILE… | -",
	summary: "what Tocsin sees in a mail, and why it is sorted so",
	about: `
Reads mails from files, mbox files, Maildirs or folders ("-": standard input)
and prints one JSON object a mail, in order. With one mail and a terminal it
prints a readable view instead; --json asks for JSON there too.

example:
  tocsin inspect complaint.eml
  tocsin inspect archive.mbox | jq -r .category | sort | uniq -c`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		in := inspect{p: p}
		fs.StringVar(&in.model, "model", "", "classify with the model in `FILE` instead of the built-in one")
		fs.StringVar(&in.config, "config", "", "use the team's addresses, categories and model from this `FILE`")
		fs.BoolVar(&in.json, "json", false, "JSON on a terminal too")
		return in.run
	},
}

type inspect struct {
	p             *program
	model, config string
	json          bool

	parser   *mailbox.Parser
	judge    *classify.Model
	out      *jsonLines
	readable bool
}

// inspected is one line of output (DESIGN: inspect).
type inspected struct {
	File          string       `json:"file,omitempty"`
	MessageID     string       `json:"message_id"`
	Date          string       `json:"date"`
	From          string       `json:"from"`
	Subject       string       `json:"subject"`
	Text          string       `json:"text"`
	Reply         string       `json:"reply"`
	Automated     string       `json:"automated"`
	Language      string       `json:"language"`
	Category      string       `json:"category"`
	Confidence    float64      `json:"confidence"`
	Complaint     bool         `json:"complaint"`
	Evidence      []string     `json:"evidence"`
	Weights       []float64    `json:"evidence_weights,omitempty"`
	Name          string       `json:"name,omitempty"`
	Via           string       `json:"via,omitempty"`
	Complainant   string       `json:"complainant,omitempty"`
	Organisation  string       `json:"organisation,omitempty"`
	Sign          string       `json:"sign,omitempty"`
	Recipient     string       `json:"failed_recipient,omitempty"`
	Authenticated string       `json:"authenticated,omitempty"`
	InReplyTo     []string     `json:"in_reply_to,omitempty"`
	Attachments   []attachment `json:"attachments,omitempty"`
	Defects       []string     `json:"defects,omitempty"`
	Problem       string       `json:"problem,omitempty"`
}

type attachment struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type"`
	Size int64  `json:"size,omitempty"`
}

func (in *inspect) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("inspect needs a file, a folder, or - for standard input")
	}
	in.parser, in.judge = &mailbox.Parser{}, nil
	var err error
	if in.config != "" {
		cfg, err := config.Load(in.config)
		if err != nil {
			return err
		}
		if in.model != "" {
			cfg.Model = in.model
		}
		in.parser = parserFor(cfg, "", "")
		if in.judge, err = modelFor(cfg); err != nil {
			return err
		}
	}
	if in.judge == nil {
		if in.judge, err = loadModel(in.model); err != nil {
			return err
		}
	}
	in.out = newJSONLines(in.p.Out)
	if _, tty := terminal(in.p.Out); tty && !in.json && len(args) == 1 {
		info, err := os.Stat(args[0])
		in.readable = args[0] == "-" || (err == nil && !info.IsDir())
	}
	failed := false
	for _, arg := range args {
		if err := in.path(ctx, arg); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			in.p.complain(err)
			failed = true
		}
	}
	if failed {
		return exitError(1)
	}
	return nil
}

// path inspects a file, or everything below a folder in the order of names.
func (in *inspect) path(ctx context.Context, path string) error {
	if path == "-" {
		return in.stream(ctx, "-", in.p.In)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return in.file(ctx, path)
	}
	var files []string
	err = filepath.WalkDir(path, func(f string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			in.p.complain(err)
		case d.IsDir() && d.Name() == "tmp" && isMaildir(filepath.Dir(f)):
			return filepath.SkipDir // mails that are still being delivered
		case d.Type().IsRegular() && !strings.HasPrefix(d.Name(), ".") && !isMaildir(filepath.Dir(f)): // a server's notes stand beside new and cur
			files = append(files, f)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	sort.Strings(files)
	for _, f := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := in.file(ctx, f); err != nil {
			in.p.complain(err)
		}
	}
	return nil
}

func isMaildir(dir string) bool {
	for _, sub := range []string{"new", "cur"} {
		if info, err := os.Stat(filepath.Join(dir, sub)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

func (in *inspect) file(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return in.stream(ctx, path, f)
}

func (in *inspect) stream(ctx context.Context, name string, r io.Reader) error {
	return eachMail(ctx, r, func(raw mailbox.Raw) error {
		return in.mail(name, raw.Bytes)
	})
}

// mail inspects one mail. The worst mail still gives a line.
func (in *inspect) mail(file string, raw []byte) error {
	m := in.parser.Parse(raw)
	v := in.verdict(&m)
	if in.readable {
		return in.view(&m, &v)
	}
	o := inspected{
		MessageID: m.MessageID, From: m.From.Addr, Name: m.From.Name, Via: m.Via.Addr, Subject: m.Subject,
		Text: m.Text, Reply: m.Reply, Automated: string(m.Automated), Sign: m.Sign, Recipient: m.FailedRecipient,
		Authenticated: string(m.Authenticated), InReplyTo: m.InReplyTo,
		Language: v.Language, Category: v.Category, Confidence: v.Confidence, Complaint: v.Complaint,
		Complainant: m.Complainant(), Organisation: m.Organisation(),
		Evidence: []string{}, Defects: m.Defects, Problem: m.Problem,
	}
	if file != "-" {
		o.File = file
	}
	if !m.Date.IsZero() {
		o.Date = m.Date.UTC().Format(time.RFC3339)
	}
	for _, e := range v.Evidence {
		o.Evidence = append(o.Evidence, e.Phrase)
		o.Weights = append(o.Weights, e.Weight)
	}
	for _, a := range m.Attachments {
		o.Attachments = append(o.Attachments, attachment{a.Name, a.Type, a.Size})
	}
	return in.out.write(o)
}

// verdict classifies a mail; what goes wrong there is said of that mail, and
// the next goes on.
func (in *inspect) verdict(m *mailbox.Message) (v classify.Verdict) {
	defer func() {
		if e := recover(); e != nil {
			m.Problem = fmt.Sprintf("the mail could not be classified: %v", e)
		}
	}()
	return in.judge.Classify(classify.Text{Subject: m.Subject, Body: m.Reply, Automated: string(m.Automated)})
}

// view shows one mail to a person: what was kept, what was cut, and why.
func (in *inspect) view(m *mailbox.Message, v *classify.Verdict) error {
	var b bytes.Buffer
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s %s\n", name, oneLine(value))
		}
	}
	from := m.From.Addr
	if m.From.Name != "" {
		from = m.From.Name + " <" + from + ">"
	}
	row("from", from)
	row("sent through", m.Via.Addr)
	row("counts as", m.Complainant())
	if !m.Date.IsZero() {
		row("date", m.Date.UTC().Format(time.RFC3339))
	}
	row("subject", m.Subject)
	verdict := fmt.Sprintf("%s (%.0f %% sure)", v.Category, 100*v.Confidence)
	if v.Complaint {
		verdict += ", a complaint"
	} else {
		verdict += ", no complaint"
	}
	row("category", verdict)
	for _, e := range v.Evidence {
		row("  because of", fmt.Sprintf("%q (%.0f %%)", e.Phrase, 100*e.Weight))
	}
	if m.Automated != mailbox.Human {
		row("automated", string(m.Automated)+": "+m.Sign)
	}
	for _, a := range m.Attachments {
		row("attachment", fmt.Sprintf("%s %s, %d bytes", a.Name, a.Type, a.Size))
	}
	for _, d := range m.Defects {
		row("defect", d)
	}
	row("problem", m.Problem)
	fmt.Fprintf(&b, "\n--- what the sender wrote this time\n%s\n", escape(strings.TrimSpace(m.Reply)))
	for _, c := range cuts(m.Text, m.Reply) {
		fmt.Fprintf(&b, "\n--- cut: %s\n%s\n", c.why, escape(strings.Join(c.lines, "\n")))
	}
	_, err := in.p.Out.Write(b.Bytes())
	return err
}

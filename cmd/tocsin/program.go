package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/term"
)

// program is the whole command, as a value: a test runs it with buffers.
type program struct {
	In  io.Reader
	Out io.Writer // results
	Err io.Writer // messages
}

// command is one entry of the command line.
type command struct {
	name    string
	args    string // what follows the flags
	summary string
	about   string // what a person should know, with an example
	// atOnce ends it there and then when it is interrupted: it only reads and
	// prints, and its input may be long in coming.
	atOnce bool
	// setup declares the flags and returns what runs once they are parsed.
	setup func(p *program, fs *flag.FlagSet) func(ctx context.Context, args []string) error
}

// commands in the order in which a new user meets them.
var commands = []command{
	demoCommand, runCommand, checkCommand,
	messagesCommand, incidentsCommand, deploymentsCommand,
	correctCommand, deployCommand, depsCommand, digestCommand, postmortemCommand,
	inspectCommand, classifyCommand, trainCommand, evalCommand, backtestCommand, simulateCommand,
	importCommand, forgetCommand, backupCommand, loginCommand, passwdCommand,
}

// usageError is a mistake on the command line: exit code 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitError ends with a code and no message: everything was already said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Run carries out a command line and returns the exit code: 0, 1 when the work
// could not be done, 2 when the command line was wrong.
func (p *program) Run(ctx context.Context, args []string) int {
	err := p.dispatch(ctx, args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var exit exitError
	if errors.As(err, &exit) {
		return int(exit)
	}
	p.complain(err)
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// complain prints an error as one sentence, and the advice that came with it
// on a line of its own.
func (p *program) complain(err error) {
	fmt.Fprintf(p.Err, "tocsin: %s\n", escape(err.Error()))
	var a interface{ Advice() string }
	if errors.As(err, &a) && a.Advice() != "" {
		fmt.Fprintf(p.Err, "  %s\n", escape(a.Advice()))
	}
}

func (p *program) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		p.overview(p.Err)
		return exitError(2)
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(rest) == 0 {
			p.overview(p.Out)
			return nil
		}
		name, rest = rest[0], []string{"--help"}
	case "version", "-version", "--version":
		fmt.Fprintln(p.Out, "tocsin", version())
		return nil
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		return usagef("there is no command %q: \"tocsin help\" lists them", name)
	}
	c := commands[i]
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	run := c.setup(p, fs)
	operands, err := parseFlags(fs, rest)
	if errors.Is(err, flag.ErrHelp) {
		p.help(c, fs)
		return nil
	}
	if err != nil {
		return usagef("%s: %w; \"tocsin help %s\" shows how", name, err, name)
	}
	if c.atOnce {
		return p.untilInterrupted(ctx, func() error { return run(ctx, operands) })
	}
	return run(ctx, operands)
}

// untilInterrupted does not wait for work that an interruption ended: a read
// from a pipe or a terminal cannot be called off.
func (p *program) untilInterrupted(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		if err == nil || !errors.Is(err, context.Canceled) {
			return err
		}
	case <-ctx.Done():
	}
	if _, tty := terminal(p.Err); tty {
		fmt.Fprint(p.Err, "\r\x1b[K") // of the progress
	}
	return errors.New("interrupted before the end")
}

// parseFlags lets flags and operands stand in any order, as people type them.
func parseFlags(fs *flag.FlagSet, args []string) ([]string, error) {
	var operands []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		rest := fs.Args()
		if len(rest) == 0 {
			return operands, nil
		}
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			return append(operands, rest...), nil
		}
		operands = append(operands, rest[0])
		args = rest[1:]
	}
}

func (p *program) overview(w io.Writer) {
	fmt.Fprint(w, "Tocsin rings when complaints in a support inbox surge.\n\nusage: tocsin COMMAND [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprintf(w, "  %-12s %s\n", "version", "print the version")
	fmt.Fprint(w, "\n\"tocsin help COMMAND\" explains one, with an example. Start with: tocsin demo\n")
}

func (p *program) help(c command, fs *flag.FlagSet) {
	line := "tocsin " + c.name
	any := false
	fs.VisitAll(func(*flag.Flag) { any = true })
	if any {
		line += " [flags]"
	}
	if c.args != "" {
		line += " " + c.args
	}
	fmt.Fprintf(p.Out, "usage: %s\n\n%s\n", line, strings.TrimSpace(c.about))
	if any {
		fmt.Fprint(p.Out, "\nflags:\n")
		fs.VisitAll(func(f *flag.Flag) {
			value, text := flag.UnquoteUsage(f)
			if value != "" {
				value = " " + value
			}
			fmt.Fprintf(p.Out, "  --%-22s %s", f.Name+value, text)
			if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
				fmt.Fprintf(p.Out, " (default %s)", f.DefValue)
			}
			fmt.Fprintln(p.Out)
		})
	}
}

// version is set when a release is built; otherwise the module's own.
var buildVersion string

func version() string {
	if buildVersion != "" {
		return buildVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// terminal returns the width of the terminal behind w; ok is false when w is
// none.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	return width, true
}

// awaiting tells a person who named no input that the terminal is read.
func (p *program) awaiting(what string) {
	if f, ok := p.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(p.Err, "reading %s from the terminal, a JSON object a line; Ctrl-D ends them\n", what)
	}
}

// colour tells whether to use colours on w (https://no-color.org).
func colour(w io.Writer) bool {
	_, ok := terminal(w)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

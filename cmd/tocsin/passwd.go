package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"tocsin/internal/web"
)

var passwdCommand = command{
	name:    "passwd",
	summary: "hash a password for the dashboard",
	about: `
Asks for a password (or reads one line of standard input) and prints the hash
to put into the configuration:

  [web.user.anna]
  password_hash = "$argon2id$…"

example:
  tocsin passwd`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		return func(context.Context, []string) error {
			password, err := p.askPassword()
			if err != nil {
				return err
			}
			if len(password) < 8 {
				return fmt.Errorf("the password is shorter than 8 characters")
			}
			hash, err := web.HashPassword(password)
			if err != nil {
				return err
			}
			fmt.Fprintln(p.Out, hash)
			return nil
		}
	},
}

func (p *program) askPassword() (string, error) {
	f, ok := p.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(p.In, 4096)).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(p.Err, prompt)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(p.Err)
		return string(b), err
	}
	first, err := ask("password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", fmt.Errorf("the two passwords differ")
	}
	return first, nil
}

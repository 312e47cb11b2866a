package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/classify"
	"tocsin/internal/config"
	"tocsin/internal/worker"
	"tocsin/mailbox"
	"tocsin/mailbox/imapsync"
	"tocsin/store"
)

// ownAddresses are the team's addresses, lower case: the accounts' own and the
// ones named in the configuration.
func ownAddresses(cfg *config.Config) []string {
	own := map[string]bool{}
	for _, m := range cfg.Mailbox {
		for _, a := range append([]string{m.Username}, m.Addresses...) {
			if strings.Contains(a, "@") {
				own[strings.ToLower(a)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(own))
}

// parserFor reads mail of a mailbox ("" for a mail from a file).
func parserFor(cfg *config.Config, name, installID string) *mailbox.Parser {
	p := &mailbox.Parser{InstallID: installID, OwnAddresses: ownAddresses(cfg)}
	if m := cfg.Mailbox[name]; m != nil {
		p.AuthservID = m.AuthservID
	}
	return p
}

// accountFor makes of a mailbox's configuration what signs in to it. The store
// keeps a refresh token that the provider rotates; it may be nil for a trial.
func accountFor(cfg *config.Config, name string, s *store.Store, log *slog.Logger) (imapsync.Account, error) {
	m := cfg.Mailbox[name]
	a := imapsync.Account{
		Name: name, Host: m.Host, Port: m.Port, CAFile: m.CAFile, Username: m.Username,
		Backfill: cfg.Backfill.D(), Poll: m.Poll.D(), Timeout: m.Timeout.D(), NoIdle: m.Idle != nil && !*m.Idle,
		Door: imapsync.NewDoor(), Log: log,
	}
	switch m.TLS {
	case "starttls":
		a.TLS = imapsync.STARTTLS
	case "none":
		a.TLS = imapsync.Plain
	}
	id := ""
	if s != nil {
		id = s.InstallID()
	}
	a.Parse = parserFor(cfg, name, id).Parse
	if m.OAuth2 == nil {
		a.Auth = imapsync.Password(m.Password.Reveal())
		if m.PassFile != "" { // which may change while Tocsin runs
			a.Auth.Password = func() (string, error) {
				p, err := config.ReadSecret(m.PassFile)
				return p.Reveal(), err
			}
		}
		return a, nil
	}
	tokens, err := tokenSource(m.OAuth2, m.Username, "mailbox."+name, s)
	if err != nil {
		return a, fmt.Errorf("mailbox %q: %w", name, err)
	}
	a.Auth = imapsync.Auth{Tokens: tokens, Bearer: m.OAuth2.Mechanism == "oauthbearer"}
	return a, nil
}

// accountsFor makes the account of each mailbox, once: two sources of tokens
// for the same mailbox would each use up the refresh token of the other.
func accountsFor(cfg *config.Config, s *store.Store, log *slog.Logger) (map[string]imapsync.Account, error) {
	accounts := map[string]imapsync.Account{}
	for name := range cfg.Mailbox {
		a, err := accountFor(cfg, name, s, log)
		if err != nil {
			return nil, err
		}
		accounts[name] = a
	}
	return accounts, nil
}

// sources are the folders of every mailbox. Of many folders the last ones share
// a connection.
func sources(cfg *config.Config, accounts map[string]imapsync.Account) []worker.Source {
	var list []worker.Source
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		m := cfg.Mailbox[name]
		most := m.Connections
		if m.Mark != "" || m.CopyTo != "" {
			most = max(1, most-1) // marking has one of its own
		}
		turns := imapsync.NewTurns(1)
		folders := m.Folders()
		for i, folder := range folders {
			f := imapsync.NewFolder(accounts[name], folder)
			if i > 0 {
				f.Filed()
			}
			if len(folders) > most && i >= most-1 {
				f.TakeTurns(turns)
			}
			list = append(list, f)
		}
	}
	return list
}

// teachFor is the category that each folder teaches. A category that the model
// does not know is a mistake in the configuration.
func teachFor(cfg *config.Config, t classify.Taxonomy) (map[worker.Folder]string, error) {
	teach := map[worker.Folder]string{}
	var known []string
	for _, c := range t {
		known = append(known, c.Name)
	}
	for name, m := range cfg.Mailbox {
		for category, folder := range m.Teach {
			if _, ok := t.Find(category); !ok {
				return nil, advisedError{fmt.Sprintf("mailbox.%s.teach: there is no category %q", name, category), "categories: " + strings.Join(known, ", ")}
			}
			teach[worker.Folder{Mailbox: name, Name: folder}] = category
		}
	}
	return teach, nil
}

// marksFor is what the mailboxes' owners asked to be written to their mails.
func marksFor(cfg *config.Config, accounts map[string]imapsync.Account) map[string]worker.Marks {
	marks := map[string]worker.Marks{}
	for name, m := range cfg.Mailbox {
		if m.Mark == "" && m.CopyTo == "" {
			continue
		}
		marks[name] = worker.Marks{Keyword: m.Mark, CopyTo: m.CopyTo, Marker: func(folder string) worker.Marker {
			return marker{imapsync.NewMarker(accounts[name], folder)}
		}}
	}
	return marks
}

// marker leaves a mail alone that a person has moved in the meantime.
type marker struct{ *imapsync.Marker }

func (m marker) Mark(ctx context.Context, uidValidity, uid uint32, keyword, copyTo string) error {
	err := m.Marker.Mark(ctx, uidValidity, uid, keyword, copyTo)
	if errors.Is(err, imapsync.ErrMoved) {
		return nil
	}
	return err
}

// eachMail calls f with every mail in a file: one, or the many of an mbox.
func eachMail(ctx context.Context, r io.Reader, f func(mailbox.Raw) error) error {
	for raw, err := range mailbox.Split(r) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := f(raw); err != nil {
			return err
		}
	}
	return nil
}

// since is how long ago something was, for a table.
func since(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case d < 0:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

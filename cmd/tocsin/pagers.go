package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"tocsin/internal/config"
	"tocsin/internal/page"
	"tocsin/mailbox/imapsync"
	"tocsin/store"
)

// pagerFor makes a configured pager. Pages of type "log" are written to out.
func pagerFor(cfg *config.Config, name string, smtp *page.SMTP, out io.Writer) (page.Pager, error) {
	p := cfg.Pager[name]
	key := p.Key.Reveal()
	switch p.Type {
	case "log":
		return &page.Log{W: out}, nil
	case "webhook":
		return &page.Webhook{URL: p.URL, Secret: key}, nil
	case "pagerduty":
		return &page.PagerDuty{URL: p.URL, Key: key, Changes: p.Changes}, nil
	case "jsm":
		return &page.JSM{URL: p.URL, Key: key, Team: p.Team}, nil
	case "alertmanager":
		return &page.Alertmanager{URL: p.URL}, nil
	case "slack":
		return &page.Slack{URL: p.URL}, nil
	case "teams":
		return &page.Teams{URL: p.URL}, nil
	case "ntfy":
		return &page.Ntfy{URL: p.URL, Topic: p.Topic, Token: key}, nil
	case "mail":
		return &page.Mail{SMTP: smtp, To: p.To}, nil
	}
	return nil, fmt.Errorf("pager %q: there is no type %q", name, p.Type)
}

// pagersFor makes all of them, and says what each is rung for.
func pagersFor(cfg *config.Config, smtp *page.SMTP, out io.Writer) (map[string]page.Pager, page.Routes, error) {
	pagers := map[string]page.Pager{}
	var routes page.Routes
	for _, name := range slices.Sorted(maps.Keys(cfg.Pager)) {
		pager, err := pagerFor(cfg, name, smtp, out)
		if err != nil {
			return nil, nil, err
		}
		p := cfg.Pager[name]
		pagers[name] = pager
		routes = append(routes, page.Route{Pager: name, Warnings: p.Level == "warning", OnlyBack: p.Level == "fallback", Categories: p.Categories, Fallback: p.Fallback})
	}
	return pagers, routes, nil
}

// smtpFor is how mail is sent; nil where no server is configured. The store
// keeps a rotated refresh token; it may be nil for a trial.
func smtpFor(cfg *config.Config, s *store.Store, installID string) (*page.SMTP, error) {
	c := cfg.SMTP
	if c.Host == "" {
		return nil, nil
	}
	m := &page.SMTP{Host: c.Host, Port: c.Port, TLS: c.TLS, CAFile: c.CAFile, Username: c.Username, From: c.From, InstallID: installID,
		Password: func() (string, error) { return c.Password.Reveal(), nil }}
	if c.OAuth2 == nil {
		return m, nil
	}
	tokens, err := tokenSource(c.OAuth2, c.Username, "smtp", s)
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	m.XOAUTH2 = true
	m.Password = func() (string, error) { return accessToken(tokens) }
	return m, nil
}

func accessToken(tokens imapsync.TokenSource) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return tokens.Token(ctx)
}

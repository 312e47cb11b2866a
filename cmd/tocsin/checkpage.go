package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"time"

	"tocsin/internal/page"
)

// mail tries the server that sends the digest and pages by mail.
func (c *check) mail(ctx context.Context) {
	if c.cfg.SMTP.Host == "" {
		if len(c.cfg.Digest.To) > 0 {
			c.fail("smtp", "digest.to", advisedError{"the digest has recipients and no server to send it with", "add [smtp] with host and from"})
		}
		return
	}
	m, err := smtpFor(c.cfg, nil, "")
	if err != nil {
		c.fail("smtp", "smtp", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	if err := m.Check(ctx); err != nil {
		c.fail("smtp", "smtp", err)
		return
	}
	c.ok("smtp", fmt.Sprintf("%s:%d takes mail from %s", m.Host, m.Port, m.From))
}

// pagers says whether each pager can be reached; with --page-test it rings it.
func (c *check) pagers(ctx context.Context) {
	if len(c.cfg.Pager) == 0 {
		c.fail("pager", "", advisedError{"no pager is configured: incidents would show on the dashboard only", "add a table [pager.NAME] with type = \"log\" for a start (README, \"Pagers\")"})
		return
	}
	smtp, _ := smtpFor(c.cfg, nil, "") // what is wrong with it was said above
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Pager)) {
		what, key := "pager "+name, "pager."+name
		if c.cfg.Pager[name].Type == "mail" && smtp == nil {
			c.fail(what, key, advisedError{"it pages by mail, and there is no server to send it with", "add [smtp] with host and from"})
			continue
		}
		p, err := pagerFor(c.cfg, name, smtp, c.p.Out)
		if err != nil {
			c.fail(what, key, err)
			continue
		}
		if !c.pageTest {
			c.reach(ctx, name)
			continue
		}
		said, err := ring(ctx, p, sourceName(c.cfg))
		if err != nil {
			c.fail(what, key, err)
			continue
		}
		c.ok(what, said)
	}
	c.warnings()
}

// ring sends a test page, and ends it where it would stay open.
func ring(ctx context.Context, p page.Pager, source string) (said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	test := page.TestPage(time.Now(), source)
	if err := p.Page(ctx, test); err != nil {
		return "", err
	}
	if !page.StaysOpen(p) {
		return "took the test page", nil
	}
	if err := p.Page(ctx, test.Over()); err != nil {
		return "", fmt.Errorf("it took the test page and not its end, so resolve it by hand: %w", err)
	}
	return "took the test page and its end", nil
}

// warnings says that nobody hears them: outdated packages, services that fall
// silent and small surges are no pages.
func (c *check) warnings() {
	for _, p := range c.cfg.Pager {
		if p.Level == "warning" {
			return
		}
	}
	text := "no pager takes warnings: they show on the dashboard only"
	if len(c.cfg.Packages.Watch) > 0 {
		text += ", and so do those about core packages"
	}
	c.say(checked{OK: true, What: "warnings", Text: text, Advice: "give one of them, such as a chat, level = \"warning\""})
}

// reach connects to a pager's server and sends it nothing.
func (c *check) reach(ctx context.Context, name string) {
	p := c.cfg.Pager[name]
	what, key := "pager "+name, "pager."+name
	raw := p.URL
	if raw == "" {
		raw = map[string]string{"pagerduty": "https://events.pagerduty.com", "jsm": "https://api.atlassian.com"}[p.Type]
	}
	u, err := url.Parse(raw)
	if raw == "" || err != nil || u.Host == "" {
		c.ok(what, p.Type+"; --page-test rings it")
		return
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), map[bool]string{true: "80", false: "443"}[u.Scheme == "http"])
	}
	d := net.Dialer{Timeout: 10 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		c.fail(what, key, advisedError{fmt.Sprintf("%s cannot be reached: %v", u.Hostname(), err), "check the address, and whether a firewall or proxy stands between"})
		return
	}
	conn.Close()
	c.ok(what, fmt.Sprintf("%s, %s answers; --page-test rings it", p.Type, u.Hostname()))
}

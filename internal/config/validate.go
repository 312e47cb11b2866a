package config

import (
	"fmt"
	"maps"
	"net"
	"net/mail"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Validate returns everything wrong with the values, each with its cure. It
// touches no file and no network: that is what "tocsin check" does beside it.
func (c *Config) Validate() Problems {
	v := &validator{c: c}
	v.general()
	if len(c.Mailbox) == 0 {
		v.add("mailbox", "no mailbox to read", "add a table [mailbox.support] with host, username and password_file")
	}
	for name, m := range c.Mailbox {
		v.mailbox("mailbox."+name, m)
	}
	v.web()
	v.smtp()
	for name, p := range c.Pager {
		v.pager("pager."+name, name, p)
	}
	for name, cat := range c.Category {
		v.oneOf("category."+name+".rings", cat.Rings, "", "page", "high", "digest", "never")
	}
	for name, o := range c.Outcome {
		key := "outcome." + name
		v.url(key+".url", o.URL, true)
		if o.Action == "" || o.Succeeded == "" || o.Failed == "" {
			v.add(key, "action, succeeded and failed are needed", "name the action (login, signup, payment) and the two queries")
		}
	}
	if c.Heartbeat.URLFile == "" {
		v.url("heartbeat.url", c.Heartbeat.URL, false)
	}
	slices.SortStableFunc(v.ps, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Key, b.Key)
	})
	return v.ps
}

type validator struct {
	c  *Config
	ps Problems
}

func (v *validator) add(key, text, cure string) {
	v.ps = append(v.ps, v.c.problem(key, text, cure))
}

func (v *validator) oneOf(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	named := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	v.add(key, fmt.Sprintf("%q is not known", value), "use one of: "+strings.Join(named, ", "))
}

func (v *validator) atLeast(key string, d Duration, least time.Duration) {
	if d.D() < least {
		v.add(key, fmt.Sprintf("%v is too short", d.D()), fmt.Sprintf("use at least %v", least))
	}
}

func (v *validator) general() {
	c := v.c
	walkStrings(reflect.ValueOf(c).Elem(), "", func(key string, s reflect.Value) {
		if m := variable.FindString(s.String()); m != "" {
			v.add(key, fmt.Sprintf("the environment variable %s is not set", m[2:len(m)-1]), "set it, or put the value into a file and name that in "+key+"_file")
		}
	})
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		v.add("time_zone", fmt.Sprintf("%q is not a time zone", c.TimeZone), "use a name such as Europe/Berlin or America/New_York")
	}
	v.oneOf("log", c.Log, "debug", "info", "warn", "error")
	v.oneOf("one_signal", c.OneSignal, "page", "warning")
	v.atLeast("blind_after", c.BlindAfter, time.Minute)
	v.atLeast("packages.old_after", c.Packages.OldAfter, 24*time.Hour)
	v.url("packages.npm", c.Packages.NPM, false)
	v.url("packages.go_proxy", c.Packages.GoProxy, false)
	v.url("packages.osv", c.Packages.OSV, false)
	v.atLeast("retention", c.Retention, 24*time.Hour)
	if c.Data == "" {
		v.add("data", "is empty", "name the data file, such as /var/lib/tocsin/tocsin.db")
	}
	if c.MaxSize < 0 {
		v.add("max_size_mb", "is negative", "use 0 for no limit")
	}
	for _, r := range c.Redact {
		v.oneOf("redact", r, "email", "number", "name")
	}
	v.url("public_url", c.PublicURL, false)
	if len(c.Digest.To) > 0 && c.SMTP.Host == "" {
		v.add("digest.to", "a digest needs a mail server", "add a table [smtp] with host and from")
	}
	for _, to := range c.Digest.To {
		v.address("digest.to", to)
	}
}

func (v *validator) mailbox(key string, m *Mailbox) {
	if m.Host == "" {
		v.add(key+".host", "no IMAP server is named", "such as imap.gmail.com or outlook.office365.com")
	} else if strings.ContainsAny(m.Host, "/: ") && net.ParseIP(m.Host) == nil {
		v.add(key+".host", fmt.Sprintf("%q is not a host name", m.Host), "write the name alone; the port goes into port")
	}
	v.tls(key, m.Host, m.TLS)
	if m.Port < 1 || m.Port > 65535 {
		v.add(key+".port", fmt.Sprintf("%d is no port", m.Port), "993 for implicit TLS, 143 for STARTTLS")
	}
	if m.Username == "" {
		v.add(key+".username", "nobody to sign in as", "the mailbox's address, on most servers")
	}
	v.signIn(key, m.Password, m.PassFile, m.OAuth2)
	if m.Password == "" && m.PassFile == "" && m.OAuth2 == nil {
		v.add(key, "no way to sign in", "add password_file, or a table ["+key+".oauth2]")
	}
	v.atLeast(key+".poll", m.Poll, time.Second)
	v.atLeast(key+".timeout", m.Timeout, time.Second)
	if m.Connections < 1 {
		v.add(key+".connections", "at least one connection is needed", "leave it out for 5")
	}
	for i, folder := range m.Also {
		if folder == m.Folder || slices.Contains(m.Also[:i], folder) {
			v.add(key+".also", fmt.Sprintf("folder %q is named twice", folder), "name each folder once")
		}
	}
	v.teach(key, m)
	if strings.ContainsAny(m.Mark, " (){%*\"\\") && m.Mark != "{category}" && !strings.Contains(m.Mark, "{category}") {
		v.add(key+".mark", "is no IMAP keyword", "letters, digits, $ and _ only")
	}
	for _, a := range m.Addresses {
		v.address(key+".addresses", a)
	}
}

// teach wants a folder for each category, and none that would teach Tocsin what
// it said itself.
func (v *validator) teach(key string, m *Mailbox) {
	before, after, all := strings.Cut(m.CopyTo, "{category}")
	taken := append([]string{m.Folder}, m.Also...)
	for _, category := range slices.Sorted(maps.Keys(m.Teach)) {
		folder := m.Teach[category]
		key := key + ".teach." + category
		switch {
		case folder == "":
			v.add(key, "names no folder", `such as login = "Support/Login"`)
		case slices.Contains(taken, folder):
			v.add(key, fmt.Sprintf("folder %q is named twice", folder), "a folder that teaches holds mail of one category only")
		case m.CopyTo != "" && (folder == m.CopyTo || all && strings.HasPrefix(folder, before) && strings.HasSuffix(folder, after)):
			v.add(key, fmt.Sprintf("folder %q is filled by copy_to", folder), "let people move mail to another one: Tocsin learns nothing from its own verdicts")
		}
		taken = append(taken, folder)
	}
}

// tls guards the rule that a password never crosses a network in clear.
func (v *validator) tls(key, host, mode string) {
	v.oneOf(key+".tls", mode, "implicit", "starttls", "none")
	if mode == "none" && !Loopback(host) {
		v.add(key+".tls", "without TLS only this machine can be reached", `use "implicit" or "starttls"`)
	}
}

func (v *validator) signIn(key string, password Secret, file string, o *OAuth2) {
	if password != "" && file != "" {
		v.add(key+".password", "password and password_file are both set", "keep password_file")
	}
	if o == nil {
		return
	}
	key += ".oauth2"
	if password != "" || file != "" {
		v.add(key, "a password and OAuth2 are both set", "keep one of them")
	}
	v.oneOf(key+".provider", o.Provider, "microsoft", "google", "generic")
	v.oneOf(key+".mechanism", o.Mechanism, "", "xoauth2", "oauthbearer")
	v.private(key+".token_url", o.TokenURL)
	v.private(key+".auth_url", o.AuthURL)
	v.private(key+".device_url", o.DeviceURL)
	switch o.Provider {
	case "microsoft":
		if o.Tenant == "" || o.ClientID == "" {
			v.add(key, "tenant and client_id are needed", "both stand on the overview page of the app registration in Microsoft Entra")
		}
	case "google":
		if o.KeyFile == "" && o.ClientID == "" {
			v.add(key, "key_file or client_id is needed", "the key of a service account with domain-wide delegation, or the client of tocsin login")
		}
	case "generic":
		if o.ClientID == "" || o.TokenURL == "" {
			v.add(key, "client_id and token_url are needed", "")
		}
	}
}

// private guards the rule that tokens never cross a network in clear.
func (v *validator) private(key, address string) {
	if address == "" {
		return
	}
	v.url(key, address, false)
	if u, err := url.Parse(address); err == nil && u.Scheme == "http" && !Loopback(u.Hostname()) {
		v.add(key, "tokens would cross the network in clear", "write it with https:// in front")
	}
}

func (v *validator) web() {
	w := &v.c.Web
	if w.Listen == "" {
		return
	}
	host, _, err := net.SplitHostPort(w.Listen)
	if err != nil {
		v.add("web.listen", fmt.Sprintf("%q is no address", w.Listen), `write it as "127.0.0.1:8086"`)
		return
	}
	if (w.CertFile == "") != (w.KeyFile == "") {
		v.add("web.cert_file", "certificate and key go together", "set both cert_file and key_file")
	}
	if len(w.TrustedProxy) > 0 && w.UserHeader == "" {
		v.add("web.trusted_proxy", "the header with the person's name is missing", "set web.user_header")
	}
	for _, p := range w.TrustedProxy {
		if _, _, err := net.ParseCIDR(p); err != nil && net.ParseIP(p) == nil {
			v.add("web.trusted_proxy", fmt.Sprintf("%q is no address", p), "an IP address or a network such as 10.0.0.0/8")
		}
	}
	if !Loopback(host) && len(w.User) == 0 && len(w.TrustedProxy) == 0 {
		v.add("web.listen", "other machines could read customers' mail without signing in",
			`listen on 127.0.0.1, or add people: [web.user.anna] with a password_hash made by "tocsin passwd"`)
	}
	for name, u := range w.User {
		if !strings.HasPrefix(u.Hash, "$argon2id$") {
			v.add("web.user."+name+".password_hash", "is no argon2id hash", `make one with "tocsin passwd"`)
		}
	}
	for name, t := range w.Token {
		key := "web.token." + name
		v.oneOf(key+".scope", t.Scope, "deployments", "read", "all")
		if t.SecretFile == "" && len(t.Secret) < 16 {
			v.add(key+".secret", "is shorter than 16 characters", "make one with: openssl rand -hex 24")
		}
	}
}

func (v *validator) smtp() {
	s := &v.c.SMTP
	if s.Host == "" {
		return
	}
	v.tls("smtp", s.Host, s.TLS)
	v.signIn("smtp", s.Password, s.PassFile, s.OAuth2)
	if s.From == "" {
		v.add("smtp.from", "no sender is named", "such as tocsin@example.com")
	} else {
		v.address("smtp.from", s.From)
	}
}

func (v *validator) pager(key, name string, p *Pager) {
	v.oneOf(key+".type", p.Type, "pagerduty", "jsm", "alertmanager", "slack", "teams", "ntfy", "mail", "webhook", "log")
	v.oneOf(key+".level", p.Level, "page", "warning", "fallback")
	switch p.Type {
	case "slack", "teams", "alertmanager", "webhook", "ntfy":
		if p.URLFile == "" {
			v.url(key+".url", p.URL, true)
		}
	case "pagerduty", "jsm":
		v.url(key+".url", p.URL, false)
		if p.Key == "" && p.KeyFile == "" {
			v.add(key+".key", "no key is set", "name the file with it in key_file")
		}
	case "mail":
		if len(p.To) == 0 {
			v.add(key+".to", "nobody to mail", "name the recipients")
		}
		if v.c.SMTP.Host == "" {
			v.add(key, "a page by mail needs a mail server", "add a table [smtp] with host and from")
		}
		for _, a := range p.To {
			v.address(key+".to", a)
		}
	}
	if p.Type == "ntfy" && p.Topic == "" {
		v.add(key+".topic", "no topic is set", "")
	}
	if p.Key != "" && p.KeyFile != "" {
		v.add(key+".key", "key and key_file are both set", "keep key_file")
	}
	if p.Fallback != "" && (v.c.Pager[p.Fallback] == nil || p.Fallback == name) {
		v.add(key+".fallback", fmt.Sprintf("there is no other pager %q", p.Fallback), "")
	}
}

func (v *validator) address(key, a string) {
	if _, err := mail.ParseAddress(a); err != nil {
		v.add(key, fmt.Sprintf("%q is no mail address", a), "")
	}
}

// url checks an address that a person configured. Plain HTTP is for this
// machine only: pages carry customers' words.
func (v *validator) url(key, s string, needed bool) {
	if s == "" {
		if needed {
			v.add(key, "no URL is set", "")
		}
		return
	}
	if strings.Contains(s, "${") {
		return // reported as an unset variable
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		v.add(key, "is not a URL", "write it with https:// in front")
	case net.ParseIP(u.Hostname()) != nil && net.ParseIP(u.Hostname()).IsLinkLocalUnicast():
		v.add(key, "is a link-local address, which nothing of yours listens on", "")
	}
}

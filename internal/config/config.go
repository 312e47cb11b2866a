// Package config reads the one TOML file that Tocsin is set up with.
//
// Load refuses what it does not know (a mistyped key is an error with its
// line), fills in defaults and secrets, and reports every problem at once, each
// with its line and its cure. Only package main imports this one: the other
// rooms are given the values they need.
package config

import (
	"maps"
	"slices"
	"time"

	"tocsin/detect"
)

// Config is the whole file.
type Config struct {
	Data        string   `toml:"data" doc:"the data file"`
	TimeZone    string   `toml:"time_zone" doc:"the team's time zone, as Europe/Berlin: hours of the week, digest, times in pages"`
	FalseAlarms Rate     `toml:"false_alarms" doc:"how many false pages you are willing to bear, over the whole inbox"`
	OneSignal   string   `toml:"one_signal" doc:"what complaints alone, or a success rate alone, may do where both are known: page or warning; together they page"`
	BlindAfter  Duration `toml:"blind_after" doc:"how long a folder may be unreadable before Tocsin pages about itself"`
	Backfill    Duration `toml:"backfill" doc:"how much history the first start reads"`
	Retention   Duration `toml:"retention" doc:"how long the texts of mails are kept; counts are kept for ever"`
	MaxSize     int64    `toml:"max_size_mb" doc:"the largest size of the data file in MB; 0 means no limit"`
	PublicURL   string   `toml:"public_url" doc:"where people reach the dashboard: links in pages and digests"`
	Model       string   `toml:"model" doc:"a model made by tocsin train, instead of the built-in one"`
	Redact      []string `toml:"redact" doc:"what is blotted out of customers' words in pages: email, number, name"`
	Log         string   `toml:"log" doc:"debug, info, warn or error"`

	Mailbox    map[string]*Mailbox  `toml:"mailbox" doc:"a shared inbox each"`
	Web        Web                  `toml:"web" doc:"dashboard and API"`
	SMTP       SMTP                 `toml:"smtp" doc:"how mail is sent: the digest and pages by mail"`
	Digest     Digest               `toml:"digest" doc:"the weekly digest"`
	Pager      map[string]*Pager    `toml:"pager" doc:"whom to ring, one table each"`
	Category   map[string]*Category `toml:"category" doc:"changes to a shipped category, or one of your own"`
	Deployment Deployment           `toml:"deployment" doc:"deployments and their webhooks"`
	Packages   Packages             `toml:"packages" doc:"dependencies worth watching"`
	Outcome    map[string]*Outcome  `toml:"outcome" doc:"a success rate read from Prometheus, one table each"`
	Heartbeat  Heartbeat            `toml:"heartbeat" doc:"tells somebody else each minute that all is well"`

	path  string
	lines map[string]int
	loc   *time.Location
}

// Mailbox is one shared inbox: an account and its folders.
type Mailbox struct {
	Host        string            `toml:"host" doc:"the IMAP server"`
	Port        int               `toml:"port" doc:"default 993, or 143 with STARTTLS or without TLS"`
	TLS         string            `toml:"tls" doc:"implicit (default), starttls, or none (loopback only)"`
	CAFile      string            `toml:"ca_file" doc:"certificates to trust beside the system's"`
	Username    string            `toml:"username" doc:"who signs in; for OAuth2 the mailbox's address"`
	Password    Secret            `toml:"password" doc:"better in password_file, or as ${NAME} from the environment"`
	PassFile    string            `toml:"password_file" doc:"a file with the password, mode 0600"`
	OAuth2      *OAuth2           `toml:"oauth2" doc:"sign in without a password"`
	Folder      string            `toml:"folder" doc:"the folder that mail arrives in; default INBOX"`
	Also        []string          `toml:"also" doc:"folders that people move mail to before Tocsin may have seen it"`
	Teach       map[string]string `toml:"teach" doc:"folders that teach, by category: {login = \"Support/Login\"}. A mail that people move there is an example of it"`
	Poll        Duration          `toml:"poll" doc:"how often to look, beside IDLE; default 30s"`
	Timeout     Duration          `toml:"timeout" doc:"the longest silence of a server that owes an answer; default 1m"`
	Connections int               `toml:"connections" doc:"how many connections at most; default 5. Of more folders the last ones take turns"`
	Idle        *bool             `toml:"idle" doc:"whether to be told of new mail at once where the server can"`
	Addresses   []string          `toml:"addresses" doc:"the team's own addresses: their mail is no complaint"`
	AuthservID  string            `toml:"authserv_id" doc:"the server whose Authentication-Results header is believed"`
	Mark        string            `toml:"mark" doc:"off by default: a keyword to set on each mail read, {category} is replaced"`
	CopyTo      string            `toml:"copy_to" doc:"off by default: a folder to copy each mail to, {category} is replaced"`
}

// Folders are all that are read: first the one that mail arrives in.
func (m *Mailbox) Folders() []string {
	list := append([]string{m.Folder}, m.Also...)
	for _, category := range slices.Sorted(maps.Keys(m.Teach)) {
		list = append(list, m.Teach[category])
	}
	return list
}

// OAuth2 is how to get a token.
type OAuth2 struct {
	Provider     string   `toml:"provider" doc:"microsoft, google or generic"`
	Mechanism    string   `toml:"mechanism" doc:"xoauth2 or oauthbearer"`
	Tenant       string   `toml:"tenant" doc:"Microsoft's directory id"`
	ClientID     string   `toml:"client_id" doc:"of the registered application"`
	ClientSecret Secret   `toml:"client_secret" doc:"with it: client credentials, no person needed; without: tocsin login"`
	SecretFile   string   `toml:"client_secret_file" doc:"a file with the client secret"`
	KeyFile      string   `toml:"key_file" doc:"Google's service account key (JSON)"`
	TokenURL     string   `toml:"token_url" doc:"of a generic provider"`
	AuthURL      string   `toml:"auth_url" doc:"of a generic provider, for tocsin login"`
	DeviceURL    string   `toml:"device_url" doc:"of a generic provider, for tocsin login without a browser"`
	Scopes       []string `toml:"scopes" doc:"asked for; each provider has its own default"`
}

// Web is the dashboard and the API.
type Web struct {
	Listen       string               `toml:"listen" doc:"address and port; empty: no dashboard"`
	Hosts        []string             `toml:"hosts" doc:"names under which it is reached, beside localhost and public_url"`
	CertFile     string               `toml:"cert_file" doc:"serve TLS with this certificate"`
	KeyFile      string               `toml:"key_file" doc:"and this key"`
	TrustedProxy []string             `toml:"trusted_proxy" doc:"addresses of proxies whose user_header is believed"`
	UserHeader   string               `toml:"user_header" doc:"the header in which such a proxy names the person"`
	User         map[string]*WebUser  `toml:"user" doc:"people who may sign in"`
	Token        map[string]*WebToken `toml:"token" doc:"programs that may call the API"`
}

// WebUser may sign in to the dashboard.
type WebUser struct {
	Hash string `toml:"password_hash" doc:"made by tocsin passwd"`
}

// WebToken lets a program call the API.
type WebToken struct {
	Secret     Secret `toml:"secret" doc:"the token itself"`
	SecretFile string `toml:"secret_file" doc:"a file with it"`
	Scope      string `toml:"scope" doc:"deployments, read or all"`
}

// SMTP is how mail is sent.
type SMTP struct {
	Host     string  `toml:"host" doc:"the outgoing mail server"`
	Port     int     `toml:"port" doc:"587 with STARTTLS, 465 with implicit TLS"`
	TLS      string  `toml:"tls" doc:"starttls, implicit, or none (loopback only)"`
	CAFile   string  `toml:"ca_file" doc:"certificates to trust beside the system's"`
	Username string  `toml:"username" doc:"empty: no sign-in"`
	Password Secret  `toml:"password" doc:"better in password_file"`
	PassFile string  `toml:"password_file" doc:"a file with the password"`
	OAuth2   *OAuth2 `toml:"oauth2" doc:"sign in without a password (XOAUTH2)"`
	From     string  `toml:"from" doc:"the sender of what Tocsin mails"`
}

// Digest is the weekly mail.
type Digest struct {
	To        []string  `toml:"to" doc:"who gets it; empty: nobody"`
	Day       Weekday   `toml:"day" doc:"when, in the team's time zone"`
	At        TimeOfDay `toml:"at" doc:"when, in the team's time zone"`
	WeekStart Weekday   `toml:"week_start" doc:"the first day of a week"`
}

// Pager is somebody to ring.
type Pager struct {
	Type       string   `toml:"type" doc:"pagerduty, jsm, alertmanager, slack, teams, ntfy, mail, webhook or log"`
	URL        string   `toml:"url" doc:"of the service or the webhook"`
	URLFile    string   `toml:"url_file" doc:"a file with it, since a webhook's URL is a secret"`
	Key        Secret   `toml:"key" doc:"routing key, API key, token or signing secret"`
	KeyFile    string   `toml:"key_file" doc:"a file with it"`
	Level      string   `toml:"level" doc:"page: only pages; warning: warnings too; fallback: only when another pager that names it fails"`
	Categories []string `toml:"categories" doc:"only these; empty: all"`
	Fallback   string   `toml:"fallback" doc:"the pager to ring when this one refuses"`
	To         []string `toml:"to" doc:"recipients of a page by mail"`
	Topic      string   `toml:"topic" doc:"of ntfy"`
	Team       string   `toml:"team" doc:"responder team of Jira Service Management"`
	Changes    bool     `toml:"deployments" doc:"send deployments too: PagerDuty as change events, webhook as deployment.recorded"`
}

// Category changes a shipped category or adds one.
type Category struct {
	Title   string   `toml:"title" doc:"in a sentence: can't log in"`
	About   string   `toml:"about" doc:"when a mail belongs here"`
	Group   string   `toml:"group" doc:"categories of one group are one trouble"`
	Rings   string   `toml:"rings" doc:"page, high, digest or never"`
	Into    string   `toml:"merge_into" doc:"count it as this category"`
	Off     bool     `toml:"off" doc:"do not use it"`
	Phrases []string `toml:"phrases" doc:"a mail with one of these belongs here"`
}

// Deployment says which deployments count and how they are told.
type Deployment struct {
	Environments []string `toml:"environments" doc:"names or patterns that count as production"`
	GitHub       Hook     `toml:"github" doc:"/hooks/github"`
	GitLab       Hook     `toml:"gitlab" doc:"/hooks/gitlab"`
	Vercel       Hook     `toml:"vercel" doc:"/hooks/vercel"`
	Heroku       Hook     `toml:"heroku" doc:"/hooks/heroku"`
	CDEvents     Hook     `toml:"cdevents" doc:"/hooks/cdevents"`
	Generic      Hook     `toml:"generic" doc:"/hooks/generic"`
}

// Hook is a webhook's secret.
type Hook struct {
	Secret     Secret   `toml:"secret" doc:"shared with the sender"`
	SecretFile string   `toml:"secret_file" doc:"a file with it"`
	Workflows  []string `toml:"workflows" doc:"GitHub workflows that deploy, for teams without deployment events"`
}

// Packages says which dependencies matter.
type Packages struct {
	Watch    []string `toml:"watch" doc:"core packages: named first in a page when a deployment changed them, and alerted when one is outdated, downgraded or known to be vulnerable"`
	OldAfter Duration `toml:"old_after" doc:"how long a core package may keep its version, or lag behind its newest one"`
	NPM      string   `toml:"npm" doc:"npm registry asked for newer versions, such as https://registry.npmjs.org; empty: nobody is asked"`
	GoProxy  string   `toml:"go_proxy" doc:"Go module proxy asked for newer versions, such as https://proxy.golang.org; empty: nobody is asked"`
	OSV      string   `toml:"osv" doc:"vulnerability database asked for advisories, such as https://api.osv.dev; empty: nobody is asked"`
}

// Outcome is a success rate read from Prometheus.
type Outcome struct {
	URL       string   `toml:"url" doc:"of the Prometheus server"`
	Service   string   `toml:"service" doc:"whose it is"`
	Action    string   `toml:"action" doc:"login, signup, payment"`
	Succeeded string   `toml:"succeeded" doc:"query: how many succeeded in the last minute"`
	Failed    string   `toml:"failed" doc:"query: how many failed in the last minute"`
	Token     Secret   `toml:"token" doc:"bearer token"`
	TokenFile string   `toml:"token_file" doc:"a file with it"`
	Every     Duration `toml:"every" doc:"how often to ask"`
}

// Heartbeat is a dead man's switch.
type Heartbeat struct {
	URL     string   `toml:"url" doc:"called while mailboxes, store and pagers work"`
	URLFile string   `toml:"url_file" doc:"a file with it"`
	Every   Duration `toml:"every" doc:"how often"`
}

// Default is the configuration before the file is read.
func Default() *Config {
	day := 24 * time.Hour
	return &Config{
		Data:        "tocsin.db",
		TimeZone:    "UTC",
		FalseAlarms: Rate(detect.Rate{Count: 1, Per: 30 * day}),
		OneSignal:   "page",
		BlindAfter:  Duration(10 * time.Minute),
		Backfill:    Duration(90 * day),
		Retention:   Duration(90 * day),
		Log:         "info",
		Redact:      []string{"email", "number"},
		Web:         Web{Listen: "127.0.0.1:8086"},
		Digest:      Digest{Day: Weekday(time.Monday), At: TimeOfDay{8, 0}, WeekStart: Weekday(time.Monday)},
		Deployment:  Deployment{Environments: []string{"production", "prod", "prod-*", "live"}},
		Packages:    Packages{OldAfter: Duration(365 * day)},
		Heartbeat:   Heartbeat{Every: Duration(time.Minute)},
		loc:         time.UTC,
	}
}

// Location is the team's time zone.
func (c *Config) Location() *time.Location { return c.loc }

// Path is the file it was read from.
func (c *Config) Path() string { return c.path }

// Line returns where a key such as "mailbox.support.folder" stands in the
// file: its own line, else its table's, else 0.
func (c *Config) Line(key string) int {
	for key != "" {
		if n := c.lines[key]; n > 0 {
			return n
		}
		i := len(key) - 1
		for i >= 0 && key[i] != '.' {
			i--
		}
		if i < 0 {
			return 0
		}
		key = key[:i]
	}
	return 0
}

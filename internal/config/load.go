package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Problem is one thing wrong in the file.
type Problem struct {
	File string
	Line int
	Key  string
	Text string
	Cure string
}

// Error is the problem with its place, and its cure on a line of its own.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Text)
	if p.Cure != "" {
		b.WriteString("\n  " + p.Cure)
	}
	return b.String()
}

// Problems is everything wrong in the file.
type Problems []Problem

// Error lists them, one to a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// maxFile bounds the configuration file.
const maxFile = 4 << 20

// Load reads, completes and validates a file. Relative paths in it are meant
// from its own folder. The error is a Problems unless the file itself could
// not be read.
func Load(path string) (*Config, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, Problems{{File: path, Text: "there is no such file", Cure: "begin with a copy of the sample, tocsin.toml, which is explained line by line"}}
	}
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	if info.IsDir() || info.Size() > maxFile {
		return nil, fmt.Errorf("config file %s: not a TOML file", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	c, err := Parse(path, raw)
	if err != nil {
		return nil, err
	}
	if ps := c.loadSecrets(); len(ps) > 0 {
		return nil, ps
	}
	return c, nil
}

// Parse reads a configuration from memory and validates it, without touching
// the files that it names.
func Parse(path string, raw []byte) (*Config, error) {
	c, ps := decode(path, raw)
	if c == nil {
		return nil, ps
	}
	c.path = path
	c.lines = keyLines(raw)
	c.complete()
	c.expand()
	for _, p := range c.Validate() {
		if !c.follows(p, ps) {
			ps = append(ps, p)
		}
	}
	if len(ps) > 0 {
		slices.SortStableFunc(ps, func(a, b Problem) int { return a.Line - b.Line })
		return nil, ps
	}
	return c, nil
}

// nearest names the key that was probably meant, or those that there are.
func nearest(key []string) string {
	if len(key) == 0 {
		return ""
	}
	// The first part that is not known is the mistake; what follows it is not.
	var known []string
	var last string
	for i := range key {
		known, last = keysAt(reflect.TypeFor[Config](), key[:i]), key[i]
		if len(known) > 0 && !slices.Contains(known, last) {
			break
		}
	}
	if len(known) == 0 {
		return ""
	}
	best, dist := "", 1+len(last)/3
	for _, k := range known {
		if d := distance(last, k); d <= dist {
			best, dist = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	slices.Sort(known)
	return "known here: " + strings.Join(known, ", ")
}

// keysAt lists the keys of the table at a path of the configuration's type.
func keysAt(t reflect.Type, path []string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Map && len(path) > 0:
		return keysAt(t.Elem(), path[1:])
	case t.Kind() != reflect.Struct:
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("toml")
		if name == "" {
			continue
		}
		if len(path) == 0 {
			keys = append(keys, name)
		} else if name == path[0] {
			return keysAt(t.Field(i).Type, path[1:])
		}
	}
	return keys
}

// distance is the number of letters to change, insert or remove (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}

// keyLines finds the line of every table and key, for messages about values.
func keyLines(raw []byte) map[string]int {
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset(raw)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for it := e.Key(); it.Next(); {
			n := it.Node()
			parts = append(parts, string(n.Data))
			if line == 0 {
				line = 1 + bytes.Count(raw[:min(int(n.Raw.Offset), len(raw))], []byte("\n"))
			}
		}
		key := strings.Join(parts, ".")
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = key
		case unstable.KeyValue:
			if table != "" {
				key = table + "." + key
			}
		default:
			continue
		}
		if _, seen := lines[key]; !seen {
			lines[key] = line
		}
	}
	return lines
}

// complete fills in what depends on other values.
func (c *Config) complete() {
	if loc, err := time.LoadLocation(c.TimeZone); err == nil {
		c.loc = loc
	}
	for _, m := range c.Mailbox {
		if m.TLS == "" {
			m.TLS = "implicit"
		}
		if m.Port == 0 {
			m.Port = 993
			if m.TLS != "implicit" {
				m.Port = 143
			}
		}
		if m.Folder == "" {
			m.Folder = "INBOX"
		}
		if m.Timeout == 0 {
			m.Timeout = Duration(time.Minute)
		}
		if m.Connections == 0 {
			m.Connections = 5
		}
		if m.Poll == 0 {
			m.Poll = Duration(30 * time.Second)
		}
	}
	if c.SMTP.TLS == "" {
		c.SMTP.TLS = "starttls"
	}
	if c.SMTP.Port == 0 {
		c.SMTP.Port = 587
		if c.SMTP.TLS == "implicit" {
			c.SMTP.Port = 465
		}
	}
	for _, p := range c.Pager {
		if p.Level == "" {
			p.Level = "page"
		}
	}
	for _, o := range c.Outcome {
		if o.Every == 0 {
			o.Every = Duration(time.Minute)
		}
	}
	for _, t := range c.Web.Token {
		if t.Scope == "" {
			t.Scope = "deployments"
		}
	}
	dir := filepath.Dir(c.path)
	for _, f := range c.files() {
		if *f.path != "" && !strings.HasPrefix(*f.path, "${") && !filepath.IsAbs(*f.path) {
			*f.path = filepath.Join(dir, *f.path)
		}
	}
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand puts environment variables into every string of the file. One that is
// not set is left as it stands, and Validate complains of it.
func (c *Config) expand() {
	walkStrings(reflect.ValueOf(c).Elem(), "", func(_ string, v reflect.Value) {
		s := variable.ReplaceAllStringFunc(v.String(), func(m string) string {
			if val, ok := os.LookupEnv(m[2 : len(m)-1]); ok {
				return val
			}
			return m
		})
		v.SetString(s)
	})
}

// walkStrings calls f with every string value below v and its key.
func walkStrings(v reflect.Value, key string, f func(key string, v reflect.Value)) {
	join := func(name string) string {
		if key == "" {
			return name
		}
		return key + "." + name
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walkStrings(v.Elem(), key, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("toml"); name != "" {
				walkStrings(v.Field(i), join(name), f)
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			x := v.MapIndex(k)
			if x.Kind() == reflect.String { // which could not be set where it is
				x = reflect.New(x.Type()).Elem()
				x.Set(v.MapIndex(k))
			}
			walkStrings(x, join(k.String()), f)
			v.SetMapIndex(k, x)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkStrings(v.Index(i), key, f)
		}
	case reflect.String:
		f(key, v)
	}
}

type file struct {
	key    string
	path   *string
	secret *Secret // nil: not a secret, only a path
	text   *string // a secret kept as a plain string (a webhook's URL)
}

// files lists every path in the configuration, and the secret each stands for.
func (c *Config) files() []file {
	fs := []file{
		{"data", &c.Data, nil, nil},
		{"model", &c.Model, nil, nil},
		{"web.cert_file", &c.Web.CertFile, nil, nil},
		{"web.key_file", &c.Web.KeyFile, nil, nil},
		{"smtp.ca_file", &c.SMTP.CAFile, nil, nil},
		{"smtp.password_file", &c.SMTP.PassFile, &c.SMTP.Password, nil},
		{"heartbeat.url_file", &c.Heartbeat.URLFile, nil, &c.Heartbeat.URL},
		{"deployment.github.secret_file", &c.Deployment.GitHub.SecretFile, &c.Deployment.GitHub.Secret, nil},
		{"deployment.gitlab.secret_file", &c.Deployment.GitLab.SecretFile, &c.Deployment.GitLab.Secret, nil},
		{"deployment.vercel.secret_file", &c.Deployment.Vercel.SecretFile, &c.Deployment.Vercel.Secret, nil},
		{"deployment.heroku.secret_file", &c.Deployment.Heroku.SecretFile, &c.Deployment.Heroku.Secret, nil},
		{"deployment.cdevents.secret_file", &c.Deployment.CDEvents.SecretFile, &c.Deployment.CDEvents.Secret, nil},
		{"deployment.generic.secret_file", &c.Deployment.Generic.SecretFile, &c.Deployment.Generic.Secret, nil},
	}
	oauth := func(key string, o *OAuth2) {
		if o != nil {
			fs = append(fs, file{key + ".client_secret_file", &o.SecretFile, &o.ClientSecret, nil},
				file{key + ".key_file", &o.KeyFile, nil, nil})
		}
	}
	oauth("smtp.oauth2", c.SMTP.OAuth2)
	for name, m := range c.Mailbox {
		key := "mailbox." + name
		fs = append(fs, file{key + ".ca_file", &m.CAFile, nil, nil}, file{key + ".password_file", &m.PassFile, &m.Password, nil})
		oauth(key+".oauth2", m.OAuth2)
	}
	for name, p := range c.Pager {
		fs = append(fs, file{"pager." + name + ".url_file", &p.URLFile, nil, &p.URL},
			file{"pager." + name + ".key_file", &p.KeyFile, &p.Key, nil})
	}
	for name, t := range c.Web.Token {
		fs = append(fs, file{"web.token." + name + ".secret_file", &t.SecretFile, &t.Secret, nil})
	}
	for name, o := range c.Outcome {
		fs = append(fs, file{"outcome." + name + ".token_file", &o.TokenFile, &o.Token, nil})
	}
	return fs
}

// loadSecrets reads the secrets that are kept in files of their own.
func (c *Config) loadSecrets() Problems {
	var ps Problems
	for _, f := range c.files() {
		if *f.path == "" || (f.secret == nil && f.text == nil) {
			continue
		}
		s, err := ReadSecret(*f.path)
		if errors.Is(err, os.ErrNotExist) {
			ps = append(ps, c.problem(f.key, "there is no file "+*f.path, "write the secret into it, with mode 0600"))
			continue
		}
		if err != nil {
			ps = append(ps, c.problem(f.key, err.Error(), ""))
			continue
		}
		if f.secret != nil {
			*f.secret = s
		} else {
			*f.text = s.Reveal()
		}
	}
	return ps
}

func (c *Config) problem(key, text, cure string) Problem {
	return Problem{filepath.Base(c.path), c.Line(key), key, text, cure}
}

// Loopback tells whether a host can only be this machine.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

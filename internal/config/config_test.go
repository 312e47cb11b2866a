package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const good = `
data = "t.db"
time_zone = "Europe/Berlin"
false_alarms = "2 per week"

[mailbox.support]
host = "imap.example.com"
username = "support@example.com"
password = "${TOCSIN_TEST_PASSWORD}"
`

func TestLoadFillsInWhatIsNotSaid(t *testing.T) {
	t.Setenv("TOCSIN_TEST_PASSWORD", "secret")
	c, err := Parse("/etc/tocsin/t.toml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Mailbox["support"]
	if m.Port != 993 || m.TLS != "implicit" || m.Folder != "INBOX" || m.Poll.D() != 30*time.Second {
		t.Errorf("mailbox defaults: %+v", m)
	}
	if m.Password.Reveal() != "secret" {
		t.Errorf("password from the environment = %q, want secret", m.Password.Reveal())
	}
	if c.Data != "/etc/tocsin/t.db" {
		t.Errorf("data = %q, want it beside the file", c.Data)
	}
	if c.FalseAlarms.Count != 2 || c.FalseAlarms.Per != 7*24*time.Hour {
		t.Errorf("false_alarms = %v", c.FalseAlarms)
	}
	if c.Location().String() != "Europe/Berlin" {
		t.Errorf("location = %v", c.Location())
	}
}

func TestMistakesAreNamedWithLineAndCure(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // parts of the message
	}{
		{"mistyped key", good + "pasword_file = \"x\"\n", []string{"t.toml:10: mailbox.support.pasword_file", `did you mean "password_file"?`}},
		{"mistyped top-level key", "time_zome = \"UTC\"\n" + good, []string{"t.toml:1: time_zome", `did you mean "time_zone"?`}},
		{"unknown table", good + "[pagers.x]\ntype = \"log\"\n", []string{"t.toml:10: pagers", `did you mean "pager"?`}},
		{"bad span", strings.Replace(good, "data =", "retention = \"90 dogs\"\ndata =", 1), []string{"t.toml:2", `"90 dogs" is no span of time`, "90d"}},
		{"bad budget", strings.Replace(good, "2 per week", "seldom", 1), []string{"t.toml:4", `"seldom" is no budget`, "1 per 30 days"}},
		{"bad zone", strings.Replace(good, "Europe/Berlin", "Berlin", 1), []string{"t.toml:3: time_zone", `"Berlin" is not a time zone`, "Europe/Berlin"}},
		{"broken TOML", "data = \n" + good, []string{"t.toml:1"}},
		{"password in clear", good + "tls = \"none\"\n", []string{"t.toml:10: mailbox.support.tls", "only this machine"}},
		{"no mailbox", "data = \"x\"\n", []string{"mailbox: no mailbox to read", "[mailbox.support]"}},
		{"open dashboard", good + "[web]\nlisten = \"0.0.0.0:8086\"\n", []string{"t.toml:11: web.listen", "tocsin passwd"}},
		{"unset variable", strings.Replace(good, "TOCSIN_TEST_PASSWORD", "TOCSIN_TEST_UNSET", 1), []string{"t.toml:9: mailbox.support.password", "TOCSIN_TEST_UNSET is not set"}},
		{"token in clear", strings.Replace(good, `password = "${TOCSIN_TEST_PASSWORD}"`, "oauth2 = {provider = \"generic\", client_id = \"x\", token_url = \"http://idp.example.com/token\"}", 1),
			[]string{"mailbox.support.oauth2.token_url", "in clear"}},
		{"a folder that teaches twice", good + "teach = {login = \"INBOX\"}\n", []string{"mailbox.support.teach.login", "named twice"}},
		{"Tocsin as its own teacher", good + "copy_to = \"Tocsin/{category}\"\nteach = {login = \"Tocsin/login\"}\n", []string{"mailbox.support.teach.login", "filled by copy_to"}},
		{"a folder twice", good + "also = [\"Done\", \"INBOX\"]\n", []string{"t.toml:10: mailbox.support.also", "named twice"}},
		{"pager without key", good + "[pager.a]\ntype = \"pagerduty\"\n[pager.b]\ntype = \"slak\"\n", []string{"pager.a.key: no key", "pager.b.type", "slack"}},
		{"all at once", good + "timeout = \"-1s\"\nfoldr = \"x\"\nport = \"five\"\n[pager.a]\ntype = \"slak\"\n[web]\nlisten = 5\n", []string{
			"t.toml:10: mailbox.support.timeout", "t.toml:11: mailbox.support.foldr: there is no such key\n  did you mean \"folder\"?",
			"t.toml:12: mailbox.support.port: this is of the type string: write a whole number", "t.toml:14: pager.a.type", "t.toml:16: web.listen: this is of the type integer: write text in quotes"}},
		{"a key twice, and another mistake", good + "folder = \"A\"\nfolder = \"B\"\npol = \"1m\"\n", []string{"t.toml:11: folder: key folder is already defined", "t.toml:12: mailbox.support.pol"}},
		{"a mailbox without a name", "[mailbox]\nhost = \"a\"\n", []string{"t.toml:2: mailbox.host: this is of the type string: write a table with a name, as [mailbox.support]"}},
		{"no TOML", "[mailbox\nhost = 5\n", []string{"t.toml:1: expected ']'"}},
		{"fallback to nobody", good + "[pager.a]\ntype = \"log\"\nfallback = \"zz\"\n", []string{`t.toml:12: pager.a.fallback: there is no other pager "zz"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TOCSIN_TEST_PASSWORD", "secret")
			_, err := Parse("t.toml", []byte(tt.text))
			if err == nil {
				t.Fatal("Parse found nothing wrong")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Parse says:\n%v\nwant %q in it", err, part)
				}
			}
		})
	}
}

// What lacks because a key was misspelt is not a second mistake.
func TestAMistakeIsNamedOnce(t *testing.T) {
	for _, text := range []string{
		"[mailbox.support]\nhst = \"imap.example.com\"\nusername = \"a\"\npassword = \"b\"\n",
		"[mailbox.support]\nhost = 5\nusername = \"a\"\npassword = \"b\"\n",
		"[mailbox.support]\nhost = \"imap.example.com\"\nusername = \"a\"\npasswrd = \"b\"\n",
	} {
		_, err := Parse("t.toml", []byte(text))
		var ps Problems
		if !errors.As(err, &ps) || len(ps) != 1 {
			t.Errorf("of\n%s\nParse says:\n%v\nwant one problem", text, err)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Setenv("TOCSIN_TEST_PASSWORD", "hunter2")
	c, err := Parse("t.toml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Mailbox["support"]
	for _, s := range []string{m.Password.String(), sprint("%v", m), sprint("%+v", m), sprint("%#v", m.Password)} {
		if strings.Contains(s, "hunter2") {
			t.Errorf("the password is in %q", s)
		}
	}
}

func TestSecretFileMustBePrivate(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "pw")
	cfg := filepath.Join(dir, "t.toml")
	text := strings.Replace(good, `password = "${TOCSIN_TEST_PASSWORD}"`, `password_file = "pw"`, 1)
	write(t, cfg, text, 0o600)
	write(t, secret, "hunter2\n", 0o644)
	_, err := Load(cfg)
	if err == nil || !strings.Contains(err.Error(), "chmod 600") || !strings.Contains(err.Error(), "t.toml:9: mailbox.support.password_file") {
		t.Fatalf("Load with a secret others can read: %v", err)
	}
	write(t, secret, "hunter2\n", 0o600)
	c, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Mailbox["support"].Password.Reveal(); got != "hunter2" {
		t.Errorf("password = %q, want the file's line without its end", got)
	}
}

func TestParseRate(t *testing.T) {
	day := 24 * time.Hour
	tests := []struct {
		in    string
		count float64
		per   time.Duration
	}{
		{"1/30d", 1, 30 * day}, {"1 per 30 days", 1, 30 * day}, {"4/30d", 4, 30 * day}, {"2 per week", 2, 7 * day},
		{"1 per month", 1, 30 * day}, {"0.5/30d", 0.5, 30 * day}, {"1/720h", 1, 30 * day},
	}
	for _, tt := range tests {
		r, err := ParseRate(tt.in)
		if err != nil || r.Count != tt.count || r.Per != tt.per {
			t.Errorf("ParseRate(%q) = %v, %v; want %v in %v", tt.in, r, err, tt.count, tt.per)
		}
	}
	for _, bad := range []string{"", "1", "never", "0/30d", "-1/30d", "1/0d", "NaN/30d", "Inf/30d", "1/30", "100/1h", "1/200y"} {
		if r, err := ParseRate(bad); err == nil {
			t.Errorf("ParseRate(%q) = %v, want an error", bad, r)
		}
	}
}

// The table of keys in README is held to these tags by a test of the command.
func TestEveryKeyIsExplained(t *testing.T) {
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, key string) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if name := f.Tag.Get("toml"); name != "" {
				if f.Tag.Get("doc") == "" {
					t.Errorf("%s.%s has no explanation", key, name)
				}
				walk(f.Type, key+"."+name)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("[mailbox.x]\nhost=1")
	f.Add("mailbox = 3")
	f.Add("[pager.a]\n[pager.a.b]")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse("t.toml", []byte(s))
		if (c == nil) == (err == nil) {
			t.Fatalf("Parse(%q) = %v, %v", s, c, err)
		}
		if err != nil && err.Error() == "" {
			t.Fatalf("Parse(%q): an error without words", s)
		}
	})
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func sprint(format string, v any) string { return fmt.Sprintf(format, v) }

// What is not there is named, with what to do about it.
func TestAFileThatIsNotThereIsSaidInWords(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none.toml")
	if _, err := Load(missing); err == nil || !strings.Contains(err.Error(), "there is no such file\n  begin with") {
		t.Errorf("Load of a file that is not there: %v", err)
	}
	file := filepath.Join(dir, "t.toml")
	if err := os.WriteFile(file, []byte("[mailbox.support]\nhost = \"imap.example.com\"\nusername = \"u\"\npassword_file = \"pw\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "t.toml:4: mailbox.support.password_file: there is no file " + filepath.Join(dir, "pw") + "\n  write the secret into it"
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Load without the password: %v, want %q", err, want)
	}
}

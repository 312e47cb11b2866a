package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/config"
)

// TestTheConfigurationIsShownWithoutSecrets: whatever is set is told, and no
// secret in it.
func TestTheConfigurationIsShownWithoutSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tocsin.toml")
	hash := "$argon2id$v=19$m=65536,t=3,p=4$SEKRETSALTSEKRETSALTAA$SEKRETSEKRETSEKRETSEKRETSEKRETSEKRETSEKRETA"
	text := fmt.Sprintf(`time_zone = "Europe/Berlin"
[mailbox.support]
host = "imap.example.com"
username = "support@example.com"
password = "SEKRET-imap"
also = ["Done", "Spam"]
[web.user.anna]
password_hash = %q
[web.token.ci]
secret = "SEKRET-token-0123456789"
scope = "deployments"
[smtp]
host = "smtp.example.com"
from = "tocsin@example.com"
password = "SEKRET-smtp"
username = "tocsin"
[digest]
to = ["lead@example.com"]
[pager.chat]
type = "slack"
url = "https://hooks.slack.example/services/SEKRET/path"
[pager.hook]
type = "webhook"
url = "https://user:SEKRET@pager.example/in?key=SEKRET"
key = "whsec_SEKRETSEKRETSEKRETSEKRETSEKRETSE"
[deployment.github]
secret = "SEKRET-github"
[packages]
osv = "https://user:SEKRET@osv.example/"
[heartbeat]
url = "https://beat.example/SEKRET"
`, hash)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range factsOf(cfg) {
		fmt.Fprintf(&all, "%s = %s\n", f[0], f[1])
	}
	if strings.Contains(all.String(), "SEKRET") {
		t.Errorf("a secret is shown:\n%s", &all)
	}
	for _, want := range []string{"configuration = " + file, "time_zone = Europe/Berlin", "mailbox.support.host = imap.example.com", "mailbox.support.password = set, not shown", "mailbox.support.also = Done, Spam",
		"web.user.anna.password_hash = set, not shown", "web.token.ci.scope = deployments", "pager.chat.url = https://hooks.slack.example …", "pager.hook.url = https://pager.example …",
		"digest.to = lead@example.com", "digest.day = monday", "digest.at = 08:00", "retention = 90 days", "mailbox.support.poll = 30s", "false_alarms = 1 per 30 days", "deployment.github.secret = set, not shown"} {
		if !strings.Contains(all.String(), want+"\n") {
			t.Errorf("%q is not told:\n%s", want, &all)
		}
	}
}

package mailbox

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is seen into the golden files")

// golden reads the mails of the golden files: as a team's server would, with
// addresses, an install id and a mail server of its own.
var golden = Parser{InstallID: "install-1", OwnAddresses: []string{"support@acme.example"}, AuthservID: "mx.acme.example"}

// TestGolden reads every mail in testdata/TOPIC-*.txtar and compares what is
// seen in it with the JSON that follows it. A mail is a section NAME.eml, its
// bytes as they are, or NAME.escaped, where \r, \x00, \u202e and the other
// escapes of a Go string stand for what a text file cannot hold or show, and a
// backslash at the end of a line joins it with the next. What is seen is
// NAME.json, with the names that "tocsin inspect" uses; reply is left out where
// it is the text. "go test ./mailbox -run Golden -update" rewrites the JSON,
// which is then read by a person.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*-*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { goldenFile(t, file) })
	}
}

func goldenFile(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	for _, f := range a.Files {
		if name, ok := strings.CutSuffix(f.Name, ".json"); ok {
			want[name] = f.Data
		}
	}
	out := txtar.Archive{Comment: a.Comment}
	seen := map[string]bool{}
	for _, f := range a.Files {
		name, ext, _ := strings.Cut(f.Name, ".")
		if ext == "json" {
			continue
		}
		if seen[name] {
			t.Fatalf("%s: two mails are called %s", file, name)
		}
		seen[name] = true
		raw := f.Data
		switch ext {
		case "eml":
		case "escaped":
			if raw, err = unescape(raw); err != nil {
				t.Fatalf("%s: %s: %v", file, f.Name, err)
			}
		default:
			t.Fatalf("%s: section %s is no mail", file, f.Name)
		}
		got := goldenJSON(golden.Parse(raw))
		out.Files = append(out.Files, f, txtar.File{Name: name + ".json", Data: got})
		if *update {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if !bytes.Equal(got, want[name]) {
				t.Errorf("Parse(%s: %s) sees\n%s\nwant\n%s", file, f.Name, got, want[name])
			}
		})
	}
	for name := range want {
		if !seen[name] && !*update {
			t.Errorf("%s: %s.json belongs to no mail", file, name)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(&out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// unescape makes bytes of text with the escapes of a Go string.
func unescape(b []byte) ([]byte, error) {
	s := strings.ReplaceAll(strings.TrimSuffix(string(b), "\n"), "\\\n", "")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\n", `\n`), `"`, `\"`)
	s, err := strconv.Unquote(`"` + s + `"`)
	return []byte(s), err
}

// goldenJSON is what is seen in a mail, with inspect's names and without what
// is empty.
func goldenJSON(m Message) []byte {
	type attachment struct {
		Name string `json:"name,omitempty"`
		Type string `json:"type"`
		Size int64  `json:"size"`
	}
	o := struct {
		MessageID     string       `json:"message_id,omitempty"`
		Date          string       `json:"date,omitempty"`
		Received      string       `json:"received,omitempty"` // where it is not the date
		From          string       `json:"from"`
		Name          string       `json:"name,omitempty"`
		Via           string       `json:"via,omitempty"`
		To            []string     `json:"to,omitempty"`
		Subject       string       `json:"subject"`
		Text          string       `json:"text"`
		Reply         *string      `json:"reply,omitempty"` // where it is not the text
		Automated     string       `json:"automated,omitempty"`
		Sign          string       `json:"sign,omitempty"`
		Recipient     string       `json:"failed_recipient,omitempty"`
		Authenticated string       `json:"authenticated,omitempty"`
		InReplyTo     []string     `json:"in_reply_to,omitempty"`
		References    []string     `json:"references,omitempty"`
		Attachments   []attachment `json:"attachments,omitempty"`
		Defects       []string     `json:"defects,omitempty"`
		Problem       string       `json:"problem,omitempty"`
	}{
		MessageID: m.MessageID, From: m.From.Addr, Name: m.From.Name, Via: m.Via.Addr, Subject: m.Subject, Text: m.Text,
		Automated: string(m.Automated), Sign: m.Sign, Recipient: m.FailedRecipient, Authenticated: string(m.Authenticated),
		InReplyTo: m.InReplyTo, References: m.References, Defects: m.Defects, Problem: m.Problem,
	}
	if !m.Date.IsZero() {
		o.Date = m.Date.UTC().Format(time.RFC3339)
	}
	if !m.Received.Equal(m.Date) {
		o.Received = m.Received.UTC().Format(time.RFC3339)
	}
	if m.Reply != m.Text {
		o.Reply = &m.Reply
	}
	for _, a := range m.To {
		o.To = append(o.To, strings.TrimSpace(a.Name+" <"+a.Addr+">"))
	}
	for _, a := range m.Attachments {
		o.Attachments = append(o.Attachments, attachment(a))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(o); err != nil {
		panic(err)
	}
	return b.Bytes()
}

package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImportsPointDown holds the arrows between the rooms: the three rooms that
// think import nothing of ours, the room that remembers imports only those, and
// the plumbing never imports the commands.
func TestImportsPointDown(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "tocsin/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	thinkers := []string{"tocsin/mailbox", "tocsin/classify", "tocsin/detect"}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		for _, imp := range p.Imports {
			ours := strings.HasPrefix(imp, "tocsin/")
			switch {
			case slices.Contains(thinkers, p.ImportPath) && ours && !strings.HasPrefix(imp, p.ImportPath+"/"):
				t.Errorf("%s imports %s: a room that thinks imports nothing of ours", p.ImportPath, imp)
			case p.ImportPath == "tocsin/detect" && slices.Contains([]string{"net", "net/http", "os", "go.etcd.io/bbolt"}, imp):
				t.Errorf("detect imports %s: it does no I/O", imp)
			case p.ImportPath == "tocsin/store" && ours && !slices.Contains(thinkers, imp):
				t.Errorf("store imports %s: it keeps the nouns of the rooms below and nothing else", imp)
			case strings.HasPrefix(p.ImportPath, "tocsin/internal/") && strings.HasPrefix(imp, "tocsin/cmd/"):
				t.Errorf("%s imports %s", p.ImportPath, imp)
			case imp == "tocsin/internal/config" && p.ImportPath != "tocsin/cmd/tocsin":
				t.Errorf("%s imports internal/config: rooms are given values, not the file", p.ImportPath)
			case imp == "go.etcd.io/bbolt" && p.ImportPath != "tocsin/store":
				t.Errorf("%s imports bbolt: no bbolt type leaves store", p.ImportPath)
			case imp == "github.com/emersion/go-imap/v2/imapclient" && p.ImportPath != "tocsin/mailbox/imapsync":
				t.Errorf("%s imports go-imap's client: only mailbox/imapsync does", p.ImportPath)
			}
		}
	}
	if seen < 8 {
		t.Fatalf("go list named only %d packages", seen)
	}
}

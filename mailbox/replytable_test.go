package mailbox

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// share counts how many replies were found right.
type share struct{ right, all int }

func (s share) String() string {
	if s.all == 0 {
		return "."
	}
	return fmt.Sprintf("%d/%d", s.right, s.all)
}

// TestRepliesAreFoundByClientAndLanguage shows (with -v) how many of the golden
// replies, whose names end in their language, are found right, and asks for 97
// of 100 overall and for all of those of which no word may be lost.
func TestRepliesAreFoundByClientAndLanguage(t *testing.T) {
	files, err := filepath.Glob("testdata/reply-*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden replies (%v)", err)
	}
	table := map[string]map[string]share{}
	languages := map[string]bool{}
	total := share{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var mail []byte
		for _, f := range a.Files {
			name, isWant := strings.CutSuffix(f.Name, ".json")
			if !isWant {
				mail = f.Data
				continue
			}
			var want struct {
				Text  string
				Reply *string
			}
			if err := json.Unmarshal(f.Data, &want); err != nil {
				t.Fatalf("%s: %s: %v", file, f.Name, err)
			}
			if want.Reply == nil {
				want.Reply = &want.Text
			}
			got := golden.Parse(mail).Reply
			client, language := name, "must"
			if !strings.HasPrefix(name, "must-") {
				i := strings.LastIndexByte(name, '-')
				client, language = name[:i], name[i+1:]
			} else {
				client = "(no word lost)"
			}
			if table[client] == nil {
				table[client] = map[string]share{}
			}
			s := table[client][language]
			s.all++
			total.all++
			if got == *want.Reply {
				s.right++
				total.right++
			} else if language == "must" {
				t.Errorf("%s: reply %q, want %q", name, got, *want.Reply)
			}
			table[client][language] = s
			languages[language] = true
		}
	}
	if total.right*100 < total.all*97 {
		t.Errorf("%v replies are right, want 97 of 100", total)
	}
	t.Log("\n" + shareTable(table, languages) + fmt.Sprintf("together %v", total))
}

func shareTable(table map[string]map[string]share, languages map[string]bool) string {
	var b strings.Builder
	columns := sortedKeys(languages)
	fmt.Fprintf(&b, "%-24s", "client")
	for _, l := range columns {
		fmt.Fprintf(&b, " %5s", l)
	}
	for _, client := range sortedKeys(table) {
		fmt.Fprintf(&b, "\n%-24s", client)
		for _, l := range columns {
			fmt.Fprintf(&b, " %5v", table[client][l])
		}
	}
	return b.String() + "\n"
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

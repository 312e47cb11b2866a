package classify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// seedTexts are mails of a kind from the seeds.
func seedTexts(t testing.TB, names ...string) (texts []string) {
	t.Helper()
	for _, name := range names {
		f, err := os.Open("seeds/" + name + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			var e struct{ Text string }
			if err := json.Unmarshal(s.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, e.Text)
		}
	}
	return texts
}

var exports = []string{
	"The CSV export ends after ten rows.",
	"Exporting to csv gives me an empty file, can you look?",
	"hi, our accountant needs the numbers but export csv does nothing at all",
	"When I click on export as CSV I get a file I cannot open",
	"csv exports are garbled since the weekend",
	"Export of the orders as CSV: umlauts are all wrong",
	"is the csv export known to be cut off?",
	"I exported a CSV and half of the columns are not there",
}

// Eight people write about the same thing, each in their own words, among mail
// about everything else.
func TestAlikeComplaintsAreOneGroup(t *testing.T) {
	usual := seedTexts(t, "en-bug", "en-other")
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(usual), func(i, j int) { usual[i], usual[j] = usual[j], usual[i] })
	texts := slices.Concat(usual[:25], exports, usual[25:40])
	groups := Groups(texts, usual[40:340], 5)
	if len(groups) != 1 || groups[0].Phrase != "csv export" && groups[0].Phrase != "export csv" {
		t.Fatalf("groups %+v, want one about csv exports", groups)
	}
	found := 0
	for _, i := range groups[0].Texts {
		if i >= 25 && i < 25+len(exports) {
			found++
		} else {
			t.Errorf("%q is in the group", texts[i])
		}
	}
	if found != len(exports) {
		t.Errorf("%d of the %d mails are in the group", found, len(exports))
	}
	if again := Groups(texts, usual[40:340], 5); fmt.Sprint(again) != fmt.Sprint(groups) {
		t.Errorf("the same texts give %v, then %v", groups, again)
	}
	often := slices.Concat(usual[40:340], exports, exports, exports, exports, exports)
	if g := Groups(texts, often, 5); len(g) != 0 {
		t.Errorf("what is written every week is a group: %v", g)
	}
}

// Mail about everything gives no group: of 40 weeks without a common cause few
// name one.
func TestMailAboutEverythingIsNoGroup(t *testing.T) {
	usual := seedTexts(t, "en-bug", "en-other")
	r := rand.New(rand.NewPCG(3, 4))
	named := 0
	for range 40 {
		r.Shuffle(len(usual), func(i, j int) { usual[i], usual[j] = usual[j], usual[i] })
		if g := Groups(usual[:50], usual[50:350], 5); len(g) > 0 {
			t.Log(g)
			named++
		}
	}
	if named > 2 {
		t.Errorf("%d of 40 ordinary weeks have a group", named)
	}
}

// Whatever is in a mail, no more than its beginning is looked at.
func TestGroupsOfHostileTexts(t *testing.T) {
	texts := []string{"", strings.Repeat("a", 1<<20), strings.Repeat("ab cd ", 1<<20), "\xff\xfe Ⱥs", strings.Repeat(")", 1<<20)}
	texts = slices.Concat(texts, texts, texts, texts)
	for _, g := range Groups(texts, texts, 5) {
		if len(g.Phrase) > 2*maxToken+1 {
			t.Errorf("a phrase of %d bytes", len(g.Phrase))
		}
	}
	if g := Groups(nil, nil, 5); len(g) != 0 {
		t.Errorf("groups of nothing: %v", g)
	}
}

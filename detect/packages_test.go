package detect

import (
	"fmt"
	"testing"
)

func TestDiffNamesWhatChanged(t *testing.T) {
	before := []Package{{Name: "jsonwebtoken", Version: "9.0.2", Direct: true}, {Name: "express", Version: "4.18.2"}, {Name: "left-pad", Version: "1.0.0"}, {Name: "eslint", Version: "8.50.0", Dev: true}, {Name: "ms", Version: "2.0.0"}, {Name: "ms", Version: "2.1.3"}}
	after := []Package{{Name: "jsonwebtoken", Version: "8.5.1", Direct: true}, {Name: "express", Version: "5.0.0"}, {Name: "zod", Version: "3.0.0"}, {Name: "eslint", Version: "8.57.0", Dev: true}, {Name: "ms", Version: "2.1.3"}, {Name: "ms", Version: "2.0.0"}}
	changes := RankChanges(Diff(before, after), []string{"login"}, nil)
	var got []string
	for _, c := range changes {
		got = append(got, c.String())
	}
	want := "[jsonwebtoken 9.0.2 -> 8.5.1 (downgraded) express 4.18.2 -> 5.0.0 (new major version) left-pad 1.0.0 (removed) zod 3.0.0 (added) eslint 8.50.0 -> 8.57.0 (upgraded)]"
	if fmt.Sprint(got) != want {
		t.Errorf("changes = %v\nwant %v", got, want)
	}
	if got := RankChanges(Diff(before, after), []string{"payment"}, []string{"zod"})[0].Name; got != "zod" {
		t.Errorf("first = %s, want the watched package", got)
	}
}

func TestVersionsAreOrderedByTheirNumbers(t *testing.T) {
	list := []string{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "v1.2.0", "1.10.0", "2.0"}
	for i := 1; i < len(list); i++ {
		if CompareVersions(list[i-1], list[i]) >= 0 || CompareVersions(list[i], list[i-1]) <= 0 {
			t.Errorf("%s should be before %s", list[i-1], list[i])
		}
	}
	if CompareVersions("1.0", "1.0.0") != 0 || CompareVersions("1.0.0+a", "1.0.0+b") != 0 {
		t.Error("equal versions differ")
	}
}

func BenchmarkDiff30000(b *testing.B) {
	var before, after []Package
	for i := range 30000 {
		before = append(before, Package{Name: fmt.Sprint("p", i), Version: "1.0.0"})
		after = append(after, Package{Name: fmt.Sprint("p", i), Version: fmt.Sprint("1.0.", i%3)})
	}
	for b.Loop() {
		Diff(before, after)
	}
}

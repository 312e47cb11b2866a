package classify

import (
	"math"
	"strings"
	"testing"
)

// A category that may page is named only where that is sure; in doubt the best
// one that does not page is.
func TestACategoryThatPagesIsNamedOnlyWhenSure(t *testing.T) {
	tests := []struct {
		name string
		p    map[string]float64 // the rest is nowhere
		want string
	}{
		{"sure", map[string]float64{"login": 0.9, "question": 0.1}, "login"},
		{"in doubt", map[string]float64{"login": 0.7, "question": 0.2, "praise": 0.1}, "question"},
		{"sure of access, not which", map[string]float64{"login": 0.35, "password": 0.4, "signup": 0.15, "question": 0.1}, "password"},
		{"sure of trouble, not of access", map[string]float64{"login": 0.45, "outage": 0.4, "question": 0.15}, "outage"},
		{"not trouble", map[string]float64{"billing": 0.4, "payment": 0.35, "login": 0.25}, "billing"},
		{"other trouble in doubt", map[string]float64{"bug": 0.6, "feature": 0.3, "question": 0.1}, "feature"},
	}
	m := Default()
	for _, tt := range tests {
		if got := named(m, tt.p); got != tt.want {
			t.Errorf("%s: named %s, want %s", tt.name, got, tt.want)
		}
	}
}

// named is the category for a text of these probabilities.
func named(m *Model, p map[string]float64) string {
	scores := make([]float32, len(m.labels))
	for c, l := range m.labels {
		scores[c] = float32(math.Log(p[l] + 1e-9))
	}
	return m.labels[decide(m.stand, scores, make([]float32, len(scores)), -1)]
}

func TestATeamSaysWhatNeedsNoDoubt(t *testing.T) {
	m, err := Default().With(Custom{"bug": {Rings: RingsDigest}, "signup": {MergeInto: "login"}, "question": {Rings: RingsPage}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		p    map[string]float64
		want string
	}{
		{map[string]float64{"bug": 0.6, "feature": 0.4}, "bug"},                          // does not page any more
		{map[string]float64{"signup": 0.6, "login": 0.3, "praise": 0.1}, "signup"},       // merged, and of the group still
		{map[string]float64{"question": 0.7, "praise": 0.3}, "praise"},                   // pages now
		{map[string]float64{"login": 0.45, "question": 0.4, "praise": 0.15}, "question"}, // sure of trouble, not of access
	} {
		if got := named(m, tt.p); got != tt.want {
			t.Errorf("%v: named %s, want %s", tt.p, got, tt.want)
		}
	}
}

// What a team's own categories are is theirs to say: the most probable is named
// and counts, however it stands with the others.
func TestATeamsOwnCategoriesAreNamedWithoutDoubt(t *testing.T) {
	var ex []Example
	for _, place := range strings.Fields("hall kitchen cellar garden office attic porch bath yard shop") {
		ex = append(ex, Example{Text: place + ": the red lamp is broken", Category: "red"},
			Example{Text: place + ": how do I read my chart", Category: "question"})
	}
	m, _, err := Train(t.Context(), ex, TrainOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := named(m, map[string]float64{"red": 0.6, "question": 0.4}); got != "red" {
		t.Errorf("named %s", got)
	}
	if v := m.Classify(Text{Body: "a red lamp is broken"}); v.Category != "red" || !v.Complaint {
		t.Errorf("verdict %+v", v)
	}
}

// The report of a training counts what verdicts would have said: in doubt no
// category that pages.
func TestATrainingReportsWhatVerdictsSay(t *testing.T) {
	// Half of the mails about the lamp are login complaints: no model can tell.
	var ex []Example
	for i, place := range strings.Fields("hall kitchen cellar garden office attic porch bath yard shop barn gate dock lift roof wing ward tent desk hut") {
		ex = append(ex, Example{Text: place + ": the red lamp is broken", Category: []string{"login", "question"}[i%2]},
			Example{Text: place + ": I was charged twice", Category: "billing"})
	}
	m, r, err := Train(t.Context(), ex, TrainOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if v := m.Classify(Text{Body: "the red lamp is broken"}); v.Category != "question" {
		t.Errorf("verdict in doubt: %+v", v)
	}
	for _, c := range r.Classes {
		if c.Category == "login" && c.given > 2 {
			t.Errorf("the report counts %d verdicts of login, of which a model cannot be sure", c.given)
		}
	}
}

func TestWhereNoCategoryIsSureNoPhraseSpeaksForOne(t *testing.T) {
	for _, s := range []string{"Jag kan inte logga in", "Я не могу войти", "ログインできません", "zzqx vvqq"} {
		if v := Default().Classify(Text{Body: s}); v.Category != Other || v.Confidence > 0.2 || len(v.Evidence) > 0 {
			t.Errorf("%q = %+v, want other, unsure, without evidence", s, v)
		}
	}
}

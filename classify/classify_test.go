package classify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestTheBuiltInModelSortsWhatCustomersWrite(t *testing.T) {
	tests := []struct{ subject, body, want string }{
		{"", "I can't log in since this morning", "login"},
		{"", "cnat loggin to my acount", "login"},
		{"", "the new design is great but now I can't log in", "login"},
		{"", "login works again, thanks", "praise"},
		{"", "Ich kann mich nicht mehr anmelden.", "login"},
		{"", "Je n'arrive plus à me connecter.", "login"},
		{"", "No puedo iniciar sesión.", "login"},
		{"", "Não consigo entrar na minha conta.", "login"},
		{"", "Non riesco ad accedere al mio account.", "login"},
		{"", "Ik kan niet inloggen.", "login"},
		{"", "Nie mogę się zalogować.", "login"},
		{"", "l\u200bogin f\u0430ils", "login"},
		{"", "Iogin does not work, the l0gin page loops", "login"},
		{"", "I can't reset my passw0rd, the link never arrives", "password"},
		{"", "I cannot create an account, the form ends with an error.", "signup"},
		{"", "I forgot my password", "password"},
		{"", "my card keeps being declined", "payment"},
		{"", "Please send me the invoice for October.", "billing"},
		{"", "Your whole site is down, we get a 502.", "outage"},
		{"", "everything is terribly slow today", "slow"},
		{"", "How do I change the e-mail address I log in with?", "question"},
		{"", "It would be great if you offered login by fingerprint.", "feature"},
		{"", "Please cancel our subscription.", "cancel"},
		{"", "Two folders have disappeared from our workspace.", "data"},
		{"Can't log in", "", "login"},
		{"", "", "other"},
	}
	for _, tt := range tests {
		v := Default().Classify(Text{Subject: tt.subject, Body: tt.body})
		if v.Category != tt.want {
			t.Errorf("Classify(%q, %q) = %s %v, want %s", tt.subject, tt.body, v.Category, v.Evidence, tt.want)
		}
	}
}

func TestEvidenceIsTheSendersOwnWords(t *testing.T) {
	v := Default().Classify(Text{Body: "Hello, the new design is great but now I can't log in. Regards"})
	if len(v.Evidence) == 0 || !strings.Contains(v.Evidence[0].Phrase, "can't log in") {
		t.Errorf("evidence = %+v", v.Evidence)
	}
	if strings.Contains(v.Evidence[0].Phrase, "great") {
		t.Errorf("evidence %q is of two clauses", v.Evidence[0].Phrase)
	}
	if !v.Complaint || v.Language != "en" {
		t.Errorf("verdict = %+v", v)
	}
}

// None of the seeds is in these languages: the model must not guess.
func TestAMailInALanguageTheModelDoesNotKnowIsOther(t *testing.T) {
	for _, text := range []string{"Giriş yapamıyorum", "ログインできません", "Не могу войти в аккаунт", "我无法登录"} {
		if v := Default().Classify(Text{Body: text}); v.Category != Other || v.Confidence > 0.3 {
			t.Errorf("%q = %s, confidence %.2f", text, v.Category, v.Confidence)
		}
	}
}

func TestAMachinesMailIsNoComplaint(t *testing.T) {
	v := Default().Classify(Text{Body: "I can't log in", Automated: "auto-reply"})
	if v.Complaint || v.Category != Other {
		t.Errorf("verdict = %+v", v)
	}
}

var colours = func() (ex []Example) {
	for i := range 12 {
		ex = append(ex, Example{Text: fmt.Sprintf("the red lamp number %d is broken", i), Category: "red"},
			Example{Text: fmt.Sprintf("my blue chart %d is empty", i), Category: "blue"})
	}
	return ex
}()

func TestATrainedModelIsTheSameAfterSaveAndLoad(t *testing.T) {
	m, r, err := Train(t.Context(), colours, TrainOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Accuracy < 0.95 {
		t.Errorf("accuracy %.2f on a child's task", r.Accuracy)
	}
	var a, b bytes.Buffer
	if err := m.Save(&a); err != nil {
		t.Fatal(err)
	}
	again, _, err := Train(t.Context(), colours, TrainOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Save(&b); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("training twice gave two models (%v)", err)
	}
	loaded, err := Load(&a)
	if err != nil {
		t.Fatal(err)
	}
	text := Text{Body: "a red lamp"}
	if x, y := m.Classify(text), loaded.Classify(text); x.Category != "red" || x.Category != y.Category || x.Confidence != y.Confidence {
		t.Errorf("before %+v, after %+v", x, y)
	}
}

// Texts that differ in a number are alike to the cross-validation; where all of
// a category are, it must not take that for a category it cannot tell.
func TestACategoryOfOnePatternIsLearned(t *testing.T) {
	var ex []Example
	for i := range 12 {
		ex = append(ex, Example{Text: fmt.Sprintf("the red lamp number %d is broken", i), Category: "red"},
			Example{Text: fmt.Sprintf("my blue chart %d is empty", i), Category: "question"})
	}
	m, r, err := Train(t.Context(), ex, TrainOptions{Seed: 1})
	if err != nil || r.Accuracy < 0.95 {
		t.Fatalf("report %+v, %v", r, err)
	}
	if v := m.Classify(Text{Body: "the red lamp is broken"}); v.Category != "red" || v.Confidence < 0.7 {
		t.Errorf("verdict %+v", v)
	}
}

func TestWhatCannotBeLearnedFromIsSaid(t *testing.T) {
	tests := []struct {
		name string
		ex   []Example
		want string
	}{
		{"nothing", nil, "nothing to train on"},
		{"one class", []Example{{Text: "a", Category: "x"}, {Text: "b", Category: "x"}}, "one category"},
		{"one text", []Example{{Text: "a", Category: "x"}, {Text: "b", Category: "x"}, {Text: "c", Category: "y"}}, "at least 2 texts"},
		{"empty text", []Example{{Text: " ", Category: "x"}}, "text 1 is empty"},
	}
	for _, tt := range tests {
		if _, _, err := Train(t.Context(), tt.ex, TrainOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	for _, b := range []string{"", "hello", "tocsin model\n", "tocsin model\nxx"} {
		if _, err := Load(strings.NewReader(b)); err == nil {
			t.Errorf("Load(%q) succeeded", b)
		}
	}
}

func TestACorrectionTeachesMailsLikeIt(t *testing.T) {
	m, _, err := Default().Learn(t.Context(), []Example{{Text: "the flux capacitor of our tenant shows purple lights", Category: "cancel"}})
	if err != nil {
		t.Fatal(err)
	}
	if v := m.Classify(Text{Body: "our flux capacitor shows purple lights again"}); v.Category != "cancel" {
		t.Errorf("a mail like the corrected one = %+v", v)
	}
	if v := m.Classify(Text{Body: "I can't log in"}); v.Category != "login" {
		t.Errorf("another mail = %+v", v)
	}
	if v := Default().Classify(Text{Body: "our flux capacitor shows purple lights again"}); v.Category == "cancel" {
		t.Error("the model taught from was changed")
	}
}

func TestCorrectionsThatContradictEachOtherAreNotLearned(t *testing.T) {
	var said []Example
	for i := range 10 {
		said = append(said, Example{Text: fmt.Sprintf("I can't log in since %d o'clock", i), Category: "login"})
	}
	if _, r, err := Default().Learn(t.Context(), said); err != nil || r.Accuracy < 1 {
		t.Errorf("corrections that agree: %v", err)
	}
	// Whoever sorts the even ones so leaves the odd ones, held back with them, wrong.
	for i := range said {
		if i%folds != 0 {
			said[i].Category = []string{"cancel", "praise", "slow", "data"}[i%4]
		}
	}
	said = append(said, Example{Text: "I can't log in", Category: "login"}, Example{Text: "can't log in at all", Category: "login"})
	if _, _, err := Default().Learn(t.Context(), said); err == nil || !strings.Contains(err.Error(), "worse") {
		t.Errorf("corrections that contradict: %v", err)
	}
}

func TestCorrectionsToACategoryThatIsGoneTeachNothing(t *testing.T) {
	said := []Example{{Text: "the flux capacitor shows purple lights", Category: "flux"}}
	for _, c := range []struct {
		custom Custom
		learns bool
	}{{Custom{"flux": {Rings: RingsDigest}}, true}, {nil, false}} {
		base, err := Default().With(c.custom)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := base.Learn(t.Context(), said)
		if err != nil {
			t.Fatal(err)
		}
		if v := m.Classify(Text{Body: said[0].Text}); (v.Category == "flux") != c.learns {
			t.Errorf("with %v: %+v", c.custom, v)
		}
	}
}

func TestATeamChangesTheTaxonomy(t *testing.T) {
	m, err := Default().With(Custom{
		"signup": {MergeInto: "login"}, "praise": {Off: true}, "printer": {Phrases: []string{"won't print"}, Rings: RingsDigest}, "login": {Title: "locked out"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"I can't register": "login", "thank you, that solved it": "other", "the label printer won't print": "printer"} {
		if v := m.Classify(Text{Body: text}); v.Category != want {
			t.Errorf("%q = %s, want %s", text, v.Category, want)
		}
	}
}

func TestChangesThatContradictEachOtherAreRefused(t *testing.T) {
	for want, custom := range map[string]Custom{
		`no other category "nowhere"`: {"login": {MergeInto: "nowhere"}},
		`no other category "login"`:   {"login": {MergeInto: "login"}},
		"in a circle":                 {"login": {MergeInto: "signup"}, "signup": {MergeInto: "password"}, "password": {MergeInto: "login"}},
		`"bug" is switched off`:       {"login": {MergeInto: "bug"}, "bug": {Off: true}},
		"only one of them":            {"login": {MergeInto: "bug", Off: true}},
		"cannot be switched off":      {"other": {Off: true}},
		"or merged":                   {"other": {MergeInto: "question"}},
		"no such category":            {"vpn": {Off: true}},
		`no word in "???"`:            {"vpn": {Phrases: []string{"vpn", "???"}}},
		"no name":                     {"v\x1b[31m": {Phrases: []string{"vpn"}}},
	} {
		if _, err := Default().With(custom); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", custom, err, want)
		}
	}
}

func TestAPhraseIsFoundHoweverAMailIsWritten(t *testing.T) {
	m, err := Default().With(Custom{
		"vpn":    {Phrases: []string{"the VPN can't connect", "works but slowly", "无法登录", "café closed"}},
		"signup": {MergeInto: "access", Phrases: []string{"joining link"}}, "access": {Group: "access"}, "praise": {Off: true, Phrases: []string{"lovely"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Evidence{
		"Hello,\nsince today the 'VPN'\ncannot connect, sorry": {"the 'VPN' cannot connect", 1},
		"It works, but slowly today":                           {"works, but slowly", 1},
		"我今天无法登录我的账户":                                          {"无法登录", 1},
		"CAFE\u0301 closed?":                                   {"CAFE\u0301 closed", 1},
	} {
		if v := m.Classify(Text{Body: text}); v.Category != "vpn" || len(v.Evidence) != 1 || v.Evidence[0] != want {
			t.Errorf("%q = %+v, want vpn for %q", text, v, want.Phrase)
		}
	}
	if v := m.Classify(Text{Subject: "Joining link", Body: "nope"}); v.Category != "access" || v.Evidence[0].Phrase != "Joining link" {
		t.Errorf("a phrase of a merged category = %+v, want access", v)
	}
	if v := m.Classify(Text{Body: "a lovely question: how do I export?"}); v.Category != "question" {
		t.Errorf("a phrase of a category that is off = %+v", v)
	}
}

func TestSurgingTermsAreThoseOfTheSurge(t *testing.T) {
	var now, usual []string
	for i := range 10 {
		now = append(now, fmt.Sprintf("I get jwt malformed when I open project %d", i))
	}
	for i := range 60 {
		usual = append(usual, fmt.Sprintf("how do I open project %d please", i))
	}
	terms := Surging(now, usual, 3)
	if len(terms) == 0 || !strings.Contains(terms[0].Term, "jwt") && !strings.Contains(terms[0].Term, "malformed") {
		t.Errorf("Surging = %+v", terms)
	}
}

func BenchmarkClassifyShort(b *testing.B) {
	for b.Loop() {
		Default().Classify(Text{Body: "I can't log in since this morning"})
	}
}

func BenchmarkClassifyMail(b *testing.B) {
	text := strings.Repeat("Hello, since this morning none of us can log in to the portal. We have tried three browsers. ", 6)
	for b.Loop() {
		Default().Classify(Text{Subject: "Login problem", Body: text})
	}
}

func BenchmarkTrained(b *testing.B) {
	m, _, err := Train(b.Context(), colours, TrainOptions{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m.Classify(Text{Body: "the red lamp number 3 is broken"})
	}
}

func TestALongMailOfWordsThatSplitIsJudged(t *testing.T) {
	// One run of letters between spaces can be several words, and a mail can
	// reach the bound of words in the middle of it.
	for n := maxWords - 50; n < maxWords+50; n++ {
		m := Default()
		if v := m.Classify(Text{Body: strings.Repeat("no ", n) + strings.Repeat("log/in/out/now ", 60)}); v.Category == "" {
			t.Fatalf("no category after %d words", n)
		}
	}
}

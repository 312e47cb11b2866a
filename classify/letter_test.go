package classify

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// paragraphs are those of a file of testdata/letters.
func paragraphs(t testing.TB, name string) []string {
	b, err := os.ReadFile("testdata/letters/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n\n")
}

// letterWriter makes long mails of small talk, which are the same each time.
type letterWriter struct {
	rng  *rand.Rand
	talk map[string][]string
}

func newLetterWriter(t testing.TB, folder string) *letterWriter {
	w := &letterWriter{rand.New(rand.NewPCG(3, 4)), map[string][]string{}}
	for _, language := range []string{"en", "de", "fr", "es"} {
		w.talk[language] = paragraphs(t, folder+language+".txt")
	}
	return w
}

// small is talk of about so many words.
func (w *letterWriter) small(language string, words int) string {
	var b strings.Builder
	n := 0
	for _, i := range w.rng.Perm(len(w.talk[language])) {
		if n > words-15 {
			break
		}
		p := w.talk[language][i]
		n += len(strings.Fields(p))
		b.WriteString(p + []string{"\n\n", " ", "\n"}[w.rng.IntN(3)])
	}
	return strings.TrimSpace(b.String())
}

// around puts a text before, after, or into the middle of small talk of so many words.
func (w *letterWriter) around(text, language string, words int) string {
	glue := []string{"\n\n", " "}[w.rng.IntN(2)]
	switch w.rng.IntN(3) {
	case 0:
		return text + glue + w.small(language, words)
	case 1:
		return w.small(language, words) + glue + text
	}
	return w.small(language, words/2) + glue + text + glue + w.small(language, words/2)
}

// languageOf is that of a paragraph, by the stop words it has.
func languageOf(text string) string {
	var r reading
	r.speak(Text{Body: text})
	if r.language == "" {
		return "en"
	}
	return r.language
}

// letterFolders are those of testdata/letters: the paragraphs that the numbers of
// letter.go were chosen on, and some that were written after.
var letterFolders = []string{"", "later/"}

func TestAComplaintInALongLetterCounts(t *testing.T) {
	for _, folder := range letterFolders {
		w := newLetterWriter(t, folder)
		found, all := 0, 0
		var missed []string
		for _, complaint := range strings.Split(paragraphs(t, folder+"trouble.txt")[0], "\n") {
			for range 8 {
				v := Default().Classify(Text{Body: w.around(complaint, languageOf(complaint), 60+w.rng.IntN(340))})
				all++
				if slices.Contains(access, v.Category) && v.Complaint {
					found++
				} else {
					missed = append(missed, fmt.Sprintf("%s: %s", v.Category, complaint))
				}
			}
		}
		t.Logf("%d of %d", found, all)
		if found*100 < 80*all {
			t.Errorf("%sfound %d of %d; not:\n%s", folder, found, all, strings.Join(missed, "\n"))
		}
	}
}

func TestALongLetterWithoutAComplaintDoesNotPage(t *testing.T) {
	for _, folder := range letterFolders {
		w := newLetterWriter(t, folder)
		var texts, paged []string
		for _, q := range paragraphs(t, folder+"quiet.txt") {
			texts = append(texts, q, w.around(q, languageOf(q), 60+w.rng.IntN(340)), w.around(q, languageOf(q), 60+w.rng.IntN(340)))
		}
		for _, language := range []string{"en", "de", "fr", "es"} {
			for range 40 {
				texts = append(texts, w.small(language, 60+w.rng.IntN(340)))
			}
		}
		for _, text := range texts {
			if v := Default().Classify(Text{Body: text}); Default().pages(v) {
				paged = append(paged, fmt.Sprintf("%s %.2f %v", v.Category, v.Confidence, v.Evidence))
			}
		}
		t.Logf("%d of %d", len(paged), len(texts))
		if len(paged)*100 > 3*len(texts) {
			t.Errorf("%s%d of %d would page:\n%s", folder, len(paged), len(texts), strings.Join(paged, "\n"))
		}
	}
}

// What customers tell before, after and around what they want.
func TestWhatALongLetterIsAbout(t *testing.T) {
	talk := paragraphs(t, "en.txt")
	before, after := strings.Join(talk[:5], "\n\n"), strings.Join(talk[5:9], "\n\n")
	rest := strings.Join(talk[9:], "\n\n") // a thousand words
	german := strings.Join(paragraphs(t, "de.txt")[:6], "\n\n")
	tests := []struct{ name, subject, body, want, evidence string }{
		{"at the end", "", before + "\n\nAnd since this morning I cannot log in.", "login", "cannot log in"},
		{"at the beginning", "", "I cannot log in since this morning.\n\n" + after, "login", "cannot log in"},
		{"in the middle", "", before + " Since Monday I cannot log in any more. " + after, "login", "cannot log in"},
		{"in the subject", "I cannot log in", before + "\n\n" + after, "login", "cannot log in"},
		{"beyond the first page", "", rest + "\n\nI cannot log in since this morning.", "login", "cannot log in"},
		{"in German", "", german + "\n\nSeit heute kann ich mich nicht mehr einloggen.", "login", "nicht mehr einloggen"},
		{"another trouble", "", before + "\n\nThe whole site is down, we only get error 502.", "outage", "site is down"},
		{"solved", "", before + "\n\nLogin works again since yesterday, thank you very much for your quick help.", "", ""},
		{"a wish", "", before + "\n\nIt would be great if you offered login by fingerprint.", "", ""},
		{"a question", "", before + "\n\nHow do I change the e-mail address I log in with?", "", ""},
		{"nothing", "", before + "\n\n" + after, "", ""},
	}
	for _, tt := range tests {
		v := Default().Classify(Text{Subject: tt.subject, Body: tt.body})
		if tt.want == "" {
			if Default().pages(v) {
				t.Errorf("%s: %+v would page", tt.name, v)
			}
			continue
		}
		if v.Category != tt.want || len(v.Evidence) == 0 || !strings.Contains(v.Evidence[0].Phrase, tt.evidence) {
			t.Errorf("%s: %s %v, want %s by %q", tt.name, v.Category, v.Evidence, tt.want, tt.evidence)
		}
	}
}

func TestALogIsNoLetter(t *testing.T) {
	// Its lines are no sentences: one that looks like a complaint is none.
	lines := strings.Repeat("GET /report 200 ok\n", 100)
	want := Default().Classify(Text{Body: lines})
	if v := Default().Classify(Text{Body: lines + "login failed cannot log in\n" + lines}); v.Category != want.Category {
		t.Errorf("%+v, without that line %+v", v, want)
	}
}

func TestSentencesEndWhereTheSenderEndsThem(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 50))
	tests := []struct {
		text string
		want []string
	}{
		{"One. Two! Three? \"Four.\" Five", []string{"One.", "Two!", "Three?", "\"Four.\"", "Five"}},
		{"version 2.4.0 fails… Why?", []string{"version 2.4.0 fails…", "Why?"}},
		{"Hello\n\nI cannot\nlog in", []string{"Hello", "I cannot", "log in"}},
		{"this line is as long as a mail program makes its lines\nand goes on here. End", []string{"this line is as long as a mail program makes its lines\nand goes on here.", "End"}},
		{"this line is as long as a mail program makes its lines\n\nEnd", []string{"this line is as long as a mail program makes its lines", "End"}},
		{long, []string{long[:5*40-1], long[5*20:]}},
		{" \n ", nil},
	}
	for _, tt := range tests {
		var got []string
		list, words := sentences(tt.text, nil)
		for _, s := range list {
			got = append(got, strings.TrimSpace(tt.text[s.from:s.to]))
		}
		if !slices.Equal(got, tt.want) || words != len(strings.Fields(tt.text)) {
			t.Errorf("sentences(%q) = %q, %d words; want %q", tt.text, got, words, tt.want)
		}
	}
}

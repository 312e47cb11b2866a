package classify

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile are texts that a broken charset or an attacker sends.
var hostile = []string{
	"", " ", "\n\n", "ȺȺȺȺ's", "\xff'll", "'", "n't", strings.Repeat("'", 5000), strings.Repeat(")", 20_000),
	strings.Repeat("a", 1<<20), strings.Repeat("word ", 2<<20), strings.Repeat("\u200b", 10_000), strings.Repeat("e\u0301", 3000),
	"\x00\x01\x1b[31mlogin\x07", "l\u043egin не работает ログイン できない", strings.Repeat("can't ", 2000), strings.Repeat("ab'c", 3000), "\xf0\x9f\x98",
	strings.Repeat("?", 3000) + strings.Repeat(".\n", 3000),
}

// sane fails the test where a verdict is none that may be stored and shown.
func sane(t *testing.T, m *Model, text Text) {
	v := m.Classify(text)
	if v.Category == "" || !(v.Confidence >= 0 && v.Confidence <= 1) {
		t.Fatalf("verdict = %+v", v)
	}
	for _, e := range v.Evidence {
		if !utf8.ValidString(e.Phrase) || len(e.Phrase) > 4*maxPhrase+10 || !(e.Weight >= 0 && e.Weight <= 1) {
			t.Fatalf("evidence %q %v", e.Phrase, e.Weight)
		}
	}
}

func TestHostileTextsAreJudgedLikeOthers(t *testing.T) {
	own, err := Default().With(Custom{"vpn": {Phrases: []string{"VPN's down", "无法登录", "?!a"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range hostile {
		sane(t, Default(), Text{Body: s})
		sane(t, own, Text{Subject: s, Body: s + " vpn"})
		sane(t, Default(), Text{Subject: s, Body: "I can't log in"})
	}
	examples := append([]Example{}, colours...)
	for _, s := range hostile {
		if strings.TrimSpace(s) != "" {
			examples = append(examples, Example{Text: s, Category: "red"})
		}
	}
	m, _, err := Train(t.Context(), examples, TrainOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range hostile {
		sane(t, m, Text{Body: s})
	}
}

func FuzzClassify(f *testing.F) {
	f.Add("subject", "I can't log in")
	for _, s := range hostile {
		if len(s) < 50_000 {
			f.Add("", s)
		}
	}
	f.Fuzz(func(t *testing.T, subject, body string) {
		sane(t, Default(), Text{Subject: subject, Body: body})
	})
}

// FuzzSplit holds the wrapper of prose's tokenizer to what it promises: no
// panic, and no letter that was not there.
func FuzzSplit(f *testing.F) {
	for _, s := range hostile {
		if len(s) < 50_000 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, w := range Default().vocab.book.split(bound(s), nil) {
			for _, part := range split(w.folded) {
				if !strings.Contains(w.folded, part) {
					t.Fatalf("split(%q) gave %q", w.folded, part)
				}
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	m, _, err := Train(f.Context(), colours, TrainOptions{Seed: 1})
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(modelMagic))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Load(bytes.NewReader(file))
		if err != nil {
			return
		}
		sane(t, m, Text{Body: "the red lamp is broken, I can't log in"})
	})
}

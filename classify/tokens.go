package classify

import (
	"strings"
	"unicode"

	"github.com/jdkato/prose/v2"
	"golang.org/x/text/unicode/norm"
)

// Bounds of what is judged.
const (
	maxJudged = 2000 // bytes of a text: who complains does so on the first page
	maxToken  = 40   // bytes of a word
	maxRun    = 3    // equal signs in a row
)

// foldWord is fold for one word, in which signs that look like the letters
// around them are made them: "l0gin", "passw0rd", "Iogin", "1ogin". It works in
// room.
func foldWord(room []byte, s string) []byte {
	b, signs := append(room, s...), byte(0)
	for _, c := range b {
		signs |= signOf[c]
	}
	if signs&(foreign|other) == 0 {
		return b
	}
	if signs&alike != 0 && signs&lower != 0 {
		lookalikes(b)
	}
	if signs&foreign != 0 {
		return append(b[:0], fold(string(b))...)
	}
	return foldASCII(b)
}

// lookalikes takes a zero between letters for an o, and a one or capital i
// between small letters, or before "o", for an l.
func lookalikes(b []byte) {
	low := func(i int) bool { return i >= 0 && i < len(b) && b[i] >= 'a' && b[i] <= 'z' }
	for i, c := range b {
		switch {
		case c == '0' && low(i-1) && low(i+1):
			b[i] = 'o'
		case (c == '1' || c == 'I') && low(i-1) && low(i+1),
			(c == '1' || c == 'I') && i == 0 && len(b) > 3 && b[1] == 'o' && low(2) && low(3):
			b[i] = 'l'
		}
	}
}

// foldASCII is fold in place, for a word without control characters.
func foldASCII(b []byte) []byte {
	folded := b[:0]
	var last byte
	run := 0
	for _, c := range b {
		letter := true
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == '`':
			c, letter = '\'', false
		default:
			letter = c >= 'a' && c <= 'z'
		}
		if c != last {
			last, run = c, 0
		}
		if run++; run < maxRun || letter && run == maxRun {
			folded = append(folded, c)
		}
	}
	return folded
}

// fold makes a text comparable: NFKC, lower case, invisible letters dropped,
// look-alike letters of other scripts inside Latin words made Latin, runs of a
// sign cut short. The sender's own text is kept elsewhere for showing.
func fold(s string) string {
	if len(s) > maxJudged {
		s = s[:maxJudged]
	}
	s = norm.NFKC.String(strings.ToValidUTF8(s, " "))
	latin, other := 0, 0
	for _, r := range s {
		switch {
		case r < 0x250 && unicode.IsLetter(r):
			latin++
		case unicode.IsLetter(r):
			other++
		}
	}
	mix := latin > other // a few foreign letters in a Latin text are a disguise
	var b strings.Builder
	b.Grow(len(s))
	var last rune
	run := 0
	for _, r := range s {
		if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r) && r >= 0xfe00 {
			continue
		}
		if mix {
			if f, ok := disguises[r]; ok {
				r = f
			}
		}
		r = unicode.ToLower(r)
		switch r {
		case '’', '‘', '´', '`', 'ʼ':
			r = '\''
		}
		if unicode.IsControl(r) && r != '\n' {
			r = ' '
		}
		if r == last {
			run++
			if limit := maxRun; !unicode.IsLetter(r) && run >= limit || run >= 4 {
				continue
			}
		} else {
			last, run = r, 1
		}
		b.WriteRune(r)
	}
	return b.String()
}

var disguises = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ѕ': 's', 'ј': 'j', 'к': 'k', 'т': 't', 'в': 'b', 'м': 'm', 'н': 'h',
	'А': 'a', 'Е': 'e', 'О': 'o', 'Р': 'p', 'С': 'c', 'Х': 'x', 'І': 'i', 'ο': 'o', 'α': 'a', 'ι': 'i', 'ν': 'v', 'ε': 'e', 'ł': 'l', 'ı': 'i',
}

// words splits a folded text into words with prose's tokenizer, which takes
// "can't" apart into "ca" and "n't". prose panics on some mails and is
// quadratic on long ones: the text was bounded by fold, words are bounded here,
// and a panic gives the words between white space.
//
// prose looks at each word between white space for itself. A plain word with
// punctuation around it comes back as it is, and unify drops the punctuation:
// only the others are given to it, which saves three quarters of the time.
func words(folded string) (tokens []string) {
	fields := strings.Fields(folded)
	tokens = make([]string, 0, len(fields)+4)
	for _, f := range fields {
		if len(f) > maxToken {
			f = strings.ToValidUTF8(f[:maxToken], "")
		}
		w := strings.Trim(f, ".,:;!?\"()")
		if plain(w) {
			tokens = append(tokens, w)
			continue
		}
		if w == "" || w == "'" {
			continue
		}
		tokens = append(tokens, split(f)...)
	}
	return tokens
}

// plain tells that a word is nothing but letters or digits.
func plain(w string) bool {
	for i := range len(w) {
		if c := w[i]; c < 0x80 && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return w != ""
}

// split takes a word apart by prose.
func split(field string) (tokens []string) {
	fields := []string{field}
	defer func() {
		if recover() != nil {
			tokens = fields
		}
	}()
	doc, err := prose.NewDocument(field, prose.WithTagging(false), prose.WithExtraction(false),
		prose.WithSegmentation(false), prose.UsingModel(&prose.Model{}))
	if err != nil {
		return fields
	}
	for _, t := range doc.Tokens() {
		tokens = append(tokens, t.Text)
	}
	return tokens
}

var turning = set("but however although though yet aber jedoch allerdings doch mais cependant pero sin mas porém però ma tuttavia maar echter ale jednak")

// unify adds the tokens of a word to those of the words before it, and writes the
// many forms of "not" and of "cannot" in one way, so that a phrase is needed once:
// "ca n't", "cannot", "cant", "unable to", "not able to" become "can not".
func unify(out, tokens []string) []string {
	for i := 0; i < len(tokens); i++ {
		t := strings.Trim(tokens[i], ".,:;!?\"()[]<>*_~-–—«»„“”‚‘…#")
		next := ""
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		switch t {
		case "":
			continue
		case "n't", "nt", "n`t":
			out = append(out, "not")
		case "ca", "wo", "sha":
			if next == "n't" || next == "nt" {
				out = append(out, map[string]string{"ca": "can", "wo": "will", "sha": "will"}[t])
			} else {
				out = append(out, t)
			}
		case "cannot", "cant", "canot", "cnat", "cnt", "cann't", "can't", "couldnt", "couldn't", "cudnt", "kant", "cantt":
			out = append(out, "can", "not")
		case "wont", "won't", "wount":
			out = append(out, "will", "not")
		case "doesnt", "doesn't", "dosent", "doesent", "dont", "don't", "didnt", "didn't", "isnt", "isn't", "arent", "wasnt", "havent", "hasnt", "aint", "wouldnt", "doenst", "dosnt":
			out = append(out, "does", "not")
		case "could", "couldn":
			out = append(out, "can")
		case "unable", "impossible", "impossibile", "imposible", "impossível", "unmöglich":
			out = append(out, "can", "not")
		case "able":
			if n := len(out); n > 0 && (out[n-1] == "not" || n > 1 && out[n-2] == "not") {
				out = append(out, "can", "not")
			} else {
				out = append(out, t)
			}
		case "never", "no", "none", "nobody", "nothing", "without":
			out = append(out, t)
		default:
			out = append(out, strings.FieldsFunc(t, func(r rune) bool { return r == '\'' })...)
		}
	}
	return out
}

func set(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

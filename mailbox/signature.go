package mailbox

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// signature drops what is not said to us from a sender's own lines: a warning
// of their mail server above, and below a signature, a mobile program's line, a
// closing formula with a name, a disclaimer, a virus scanner's line. In doubt a
// line stays: a kept signature costs less than a lost complaint.
func signature(lines []string, name string) []string {
	names := strings.Fields(strings.ToLower(strings.ReplaceAll(name, ",", " ")))
	lines = dropBanner(lines)
	end := len(lines)
	first := nextText(lines, 0)
	if first < 0 {
		return lines
	}
	// What stands far above the end is no signature.
	far := max(0, end-longestSignature)
	own := append(make([]string, 0, len(lines)), lines[:far]...)
	said := hasWords(own)
	told := said // more than a greeting
	fenced, fences := false, countFences(lines[far:])
	for i := far; i < end; i++ {
		t := strings.TrimSpace(lines[i])
		if strings.HasPrefix(t, "```") {
			fenced = !fenced && fences > 1
			fences--
		}
		if t == "" || fenced {
			own = append(own, lines[i])
			said, told = said || fenced, told || fenced
			continue
		}
		if mobile(t) || scanned(t) {
			continue // only the line: words below it are words
		}
		if i > first && said && (told && (disclaimer(lines[i:]) || unsubscribe.MatchString(t)) || signed(lines, i, names)) {
			if ps := postscript(lines[i+1:]); ps >= 0 {
				own = append(own, lines[i+1+ps:]...)
			}
			return trimLines(own)
		}
		own = append(own, lines[i])
		said = said || lineHasWords(t)
		told = told || lineHasWords(t) && !greets(t)
	}
	return trimLines(own)
}

// longestSignature is how many lines from the end a signature is looked for,
// with the disclaimers below it.
const longestSignature = 300

func trimLines(lines []string) []string {
	for len(lines) > 0 {
		l := strings.TrimSpace(lines[len(lines)-1])
		if l != "" && !(len(l) < 100 && strings.Trim(l, "-_=*~#— ") == "") {
			break
		}
		lines = lines[:len(lines)-1]
	}
	return lines
}

// signed tells whether a signature begins at a line: by its mark, a closing
// formula, or the sender's name, of which the words are given in lower case.
func signed(lines []string, i int, names []string) bool {
	t := strings.TrimSpace(lines[i])
	small := t // in lower case, of a line that is not too long
	if len(t) <= longestSignOff {
		small = strings.ToLower(t)
	}
	rest := lines[i+1:]
	switch {
	case t == "--" || t == "—" || t == "–" || t == "__" || t == "--=":
		return !goesOnBelow(rest) && (signs(rest, 14, 0) || signs(rest, 14, slogans))
	case isRule(t) && len(t) < 100:
		return hasWords(rest) && !underlines(lines, i) && !tells(rest) && (signs(rest, 8, 0) && detached(lines, i) || signs(rest, 3, 0))
	case closes(t, small):
		return signs(rest, 14, 0)
	case len(t) <= longestSignOff && containsAny(small, names) && (!strings.HasPrefix(t, "-") && !labelled(lines, i) && ownName(t, names) || closesWithName(t, names)):
		return signs(rest, 8, 0)
	}
	return dashName(lines, i)
}

// underlines tells whether a rule stands directly under a short line and above
// another, as under a heading.
func underlines(lines []string, i int) bool {
	heading := func(j int) bool { return j >= 0 && j < len(lines) && strings.TrimSpace(lines[j]) != "" }
	return heading(i-1) && heading(i+1) && (utf8.RuneCountInString(lines[i-1]) < 40 && !endsSentence(lines[i-1]))
}

// tells tells whether lines have a sentence of three words or more: below a
// mere rule they may be the next thing that the writer says.
func tells(lines []string) bool {
	for _, l := range lines {
		if t := strings.TrimSpace(l); endsSentence(t) && len(strings.Fields(t)) >= 3 {
			return true
		}
	}
	return false
}

// labelled tells whether the line before the last empty ones ends in a colon.
func labelled(lines []string, i int) bool {
	for i--; i >= 0; i-- {
		if t := strings.TrimSpace(lines[i]); t != "" {
			return strings.HasSuffix(t, ":") || strings.HasSuffix(t, "：")
		}
	}
	return false
}

// detached tells whether an empty or short line stands before a line.
func detached(lines []string, i int) bool {
	return i > 0 && utf8.RuneCountInString(strings.TrimSpace(lines[i-1])) < 25
}

// slogans lets signs take a few sentences for a signature's.
const slogans = 6

// signs tells whether lines read as a signature: a name, a position, an
// address, at most most short lines of them, and no sentence. Where sentences
// is not 0, as many lines may be any but a question.
func signs(lines []string, most, sentences int) bool {
	n := 0
	for i, l := range lines {
		t := strings.TrimSpace(l)
		if t == "" {
			continue
		}
		if n > 0 && (disclaimer(lines[i:]) || unsubscribe.MatchString(t)) || postscripted.MatchString(t) {
			return true
		}
		if mobile(t) || scanned(t) {
			continue
		}
		n++
		if sentences > 0 {
			if n > sentences || strings.HasSuffix(t, "?") || utf8.RuneCountInString(t) > 120 {
				return false
			}
		} else if n > most || sentence(t) {
			return false
		}
	}
	return true
}

// goesOnBelow tells whether lines go on with what was said above: no signature
// begins with a sentence in lower case.
func goesOnBelow(lines []string) bool {
	next := nextText(lines, 0)
	if next < 0 {
		return false
	}
	t := strings.TrimSpace(lines[next])
	r, _ := utf8.DecodeRuneInString(t)
	return unicode.IsLower(r) && len(strings.Fields(t)) >= 5 && !strings.Contains(t, "@") && !strings.Contains(t, "://") && !mobile(t) && !scanned(t)
}

// sentence tells whether a line is one, and so no part of a signature.
func sentence(t string) bool {
	if strings.HasSuffix(t, "?") || strings.HasSuffix(t, "？") {
		return true
	}
	if strings.Contains(t, "://") || strings.Contains(t, "@") || strings.Contains(t, "www.") {
		return utf8.RuneCountInString(t) > 200
	}
	if utf8.RuneCountInString(t) > 100 {
		return true
	}
	words := strings.Fields(t)
	lower := 0
	for _, w := range words {
		if r, _ := utf8.DecodeRuneInString(w); unicode.IsLower(r) {
			lower++
		}
	}
	if endsSentence(t) {
		return len(words) >= 5 && lower >= 3
	}
	return len(words) >= 8 && lower >= 5
}

func endsSentence(t string) bool {
	return strings.HasSuffix(t, ".") || strings.HasSuffix(t, "!") || strings.HasSuffix(t, "。")
}

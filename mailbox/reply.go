package mailbox

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the work on one mail's text: its lines, and how many of them, that
// end or begin like one, are looked at for an attribution.
const (
	maxReplyLines = 20000
	maxLooks      = 1000
)

// Reply returns what the sender of a plain text wrote this time: without
// quoted history, signature and disclaimer.
func Reply(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return newest(Clean(text, maxText), "", false)
}

// reply is what the sender wrote this time. Where the HTML form of the words
// shows history that the plain form does not, the HTML's structure decides;
// else the rules of text do, which are the same for both.
//
// A mail whose subject says that it is a forward keeps what it forwards:
// Outlook writes the same above a mail that it forwards as above one that it
// answers.
func (b *content) reply(m *Message) string {
	forwards := forwarded.MatchString(m.Subject)
	var out []string
	structured := false
	for _, p := range b.pieces {
		words, source := withoutArmour(p.plain), p.html
		if source == nil && p.rich != nil && p.rich.marksHistory() && !hasHistory(words) {
			source = p.rich
		}
		if source != nil {
			structured, words = true, source.text(!forwards)
		}
		out = append(out, words)
	}
	s := newest(Clean(strings.Join(out, "\n\n"), maxText), m.From.Name, forwards)
	if s == "" && (structured || len(out) == 0) {
		s = newest(m.Text, m.From.Name, forwards)
	}
	return s
}

// newest finds the newest words: what the sender wrote without what they
// answer to, and from that the signature. It is never empty for a mail in which
// its sender wrote a word: where everything looks like a signature, it stays.
func newest(text, name string, forwards bool) string {
	lines := strings.Split(text, "\n")
	if len(lines) > maxReplyLines {
		lines = lines[:maxReplyLines]
	}
	for i := range lines {
		lines[i] = trimEnd(lines[i])
	}
	own, forwarded := ownLines(lines, forwards)
	if forwarded {
		return strings.TrimSpace(strings.Join(own, "\n"))
	}
	s := signature(own, name)
	if !hasWords(s) {
		s = own
	}
	return tidy(strings.Join(s, "\n"))
}

// trimEnd drops the blanks at a line's end.
func trimEnd(l string) string {
	if n := len(l); n == 0 || l[n-1] != ' ' && l[n-1] != '\t' && l[n-1] < utf8.RuneSelf {
		return l
	}
	return strings.TrimRight(l, " \t\u3000")
}

// hasHistory tells whether the rules of text find somebody else's words.
func hasHistory(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if isQuote(line) {
			return true
		}
	}
	lines := strings.Split(text, "\n")
	own, forwarded := ownLines(lines[:min(len(lines), maxReplyLines)], false)
	return forwarded || len(own) < len(lines)
}

// ownLines are the lines of the sender's own words. The first line that begins
// history ends them where something was written above it. Where nothing was,
// the answer stands below or between the quoted lines, or the mail is a
// forward, which is what was sent and is kept whole (forwarded), as is the head
// of a mail in one that says that it forwards.
func ownLines(lines []string, forwards bool) (own []string, forwarded bool) {
	names := quotingNames(lines)
	fences := countFences(lines)
	words, attributed, fenced, introduced := false, false, false, false
	looks, ahead := maxLooks, lookout{lines: lines}
	own = make([]string, 0, len(lines))
	var quotes []string
	for i := 0; i < len(lines); i++ {
		l := strings.TrimSpace(lines[i])
		if strings.HasPrefix(l, "```") && (fenced || fences > 1) {
			fenced = !fenced
			fences--
		}
		if l == "" || fenced {
			own = append(own, lines[i])
			words = words || fenced
			continue
		}
		if words && strings.HasPrefix(l, ">>> ") && groupwise.MatchString(l) {
			return own, false
		}
		if isQuote(lines[i]) || names != nil && names[quotingName(lines[i])] {
			if introduced && lines[i] != quoteMark {
				own = append(own, lines[i])
			} else if lines[i] != quoteMark {
				quotes = append(quotes, lines[i])
			}
			continue
		}
		if continues(lines, i) {
			continue
		}
		told := introduced
		introduced = false
		may := looks > 0 && ahead.may(i)
		if may {
			looks--
			if before, n := attributedWithin(lines[i:]); n > 0 {
				own = append(own, before)
				words, attributed = true, true
				i += n - 1
				continue
			}
		}
		kind, n := mark(lines[i:], may && looks > 0)
		switch kind {
		case marksForward:
			return append(own, lines[i:]...), true
		case marksAbove, marksAboveSaid:
			if words {
				return own, false
			}
			if kind == marksAbove {
				attributed = true
				continue
			}
		case marksQuoted:
			if told && !isSeparator(l) && !isRule(l) {
				own = append(own, lines[i:i+n]...)
				i += n - 1
				continue // the writer shows the head of a mail
			}
			if words && !forwards {
				return own, false
			}
			if forwards && words || !quoteFollows(lines[i+n:]) {
				if l == historyMark {
					i++
				}
				return append(own, lines[i:]...), true
			}
			attributed = true
			i += n - 1
			continue
		case marksAttribution:
			if words && !quoteFollows(lines[i+n:]) {
				return own, false
			}
			attributed = true
			i += n - 1
			continue
		}
		own = append(own, lines[i])
		words = words || lineHasWords(l)
		introduced = words && introduces(l)
	}
	if !hasWords(own) && !attributed {
		return quotes, false // quoting without saying whom is how some forward
	}
	return own, false
}

type marking int

const (
	marksNothing     marking = iota
	marksAttribution         // says who wrote the quoted words that follow
	marksQuoted              // begins history that is not quoted line by line
	marksForward             // begins a forwarded mail
	marksAbove               // the answer was to be typed above it
	marksAboveSaid           // the same, in words that a person may say
)

// mark tells what the first of some lines begins, and over how many lines. An
// attribution is looked for where asked.
func mark(lines []string, attributions bool) (marking, int) {
	l := strings.TrimSpace(lines[0])
	if above, decorated := typeAbove(l); decorated && above {
		return marksAbove, 1
	} else if above {
		return marksAboveSaid, 1
	}
	if isForward(l) {
		return marksForward, 1
	}
	if isSeparator(l) {
		n := 1
		if next := nextText(lines, 1); next >= 0 {
			n = next + headerBlock(lines[next:], true)
		}
		return marksQuoted, max(n, 1)
	}
	if isRule(l) {
		if next := nextText(lines, 1); next >= 0 && next < 4 {
			if n := headerBlock(lines[next:], true); n > 0 {
				return marksQuoted, next + n
			}
		}
	}
	if n := headerBlock(lines, false); n > 0 {
		return marksQuoted, n
	}
	if attributions {
		if n := attribution(lines); n > 0 {
			return marksAttribution, n
		}
	}
	return marksNothing, 0
}

func nextText(lines []string, i int) int {
	for ; i < len(lines) && i < 200; i++ {
		if strings.TrimSpace(lines[i]) != "" {
			return i
		}
	}
	return -1
}

func hasWords(lines []string) bool {
	for _, l := range lines {
		if lineHasWords(l) {
			return true
		}
	}
	return false
}

// lineHasWords tells whether a line says something: a letter, a digit or a
// symbol such as an emoji.
func lineHasWords(l string) bool {
	for _, r := range l {
		if r < 0x80 {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return true
			}
		} else if unicode.IsLetter(r) || unicode.IsDigit(r) || r > 0x2090 && unicode.IsSymbol(r) {
			return true
		}
	}
	return false
}

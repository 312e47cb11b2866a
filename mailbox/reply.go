package mailbox

import (
	"regexp"
	"strings"
	"unicode"
)

// maxReplyLines bounds the work on one mail's text.
const maxReplyLines = 20000

// Reply returns what the sender of a plain text wrote this time: without
// quoted history, signature and disclaimer.
func Reply(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return newest(Clean(text, maxText), "")
}

// reply is what the sender wrote this time. Where the HTML form of the words
// shows history that the plain form does not, the HTML's structure decides;
// else the rules of text do, which are the same for both.
func (b *content) reply(m *Message) string {
	var out []string
	structured := false
	for _, p := range b.pieces {
		words, source := withoutArmour(p.plain), p.html
		if source == "" && p.rich != "" && marksHistory(p.rich) && !hasHistory(words) {
			source = p.rich
		}
		if source != "" {
			structured, words = true, htmlText(source, true)
		}
		out = append(out, words)
	}
	s := newest(Clean(strings.Join(out, "\n\n"), maxText), m.From.Name)
	if s == "" && (structured || len(out) == 0) {
		s = newest(m.Text, m.From.Name)
	}
	return s
}

// newest finds the newest words: what the sender wrote without what they
// answer to, and from that the signature. It is never empty for a mail in which
// its sender wrote a word: where everything looks like a signature, it stays.
func newest(text, name string) string {
	lines := strings.Split(text, "\n")
	if len(lines) > maxReplyLines {
		lines = lines[:maxReplyLines]
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\u3000")
	}
	own, forwarded := ownLines(lines)
	if forwarded {
		return strings.TrimSpace(strings.Join(own, "\n"))
	}
	s := signature(own, name)
	if !hasWords(s) {
		s = own
	}
	return tidy(strings.Join(s, "\n"))
}

// hasHistory tells whether the rules of text find somebody else's words.
func hasHistory(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if isQuote(line) {
			return true
		}
	}
	lines := strings.Split(text, "\n")
	own, forwarded := ownLines(lines[:min(len(lines), maxReplyLines)])
	return forwarded || len(own) < len(lines)
}

// ownLines are the lines of the sender's own words. The first line that begins
// history ends them where something was written above it. Where nothing was,
// the answer stands below or between the quoted lines, or the mail is a
// forward, which is what was sent and is kept whole (forwarded).
func ownLines(lines []string) (own []string, forwarded bool) {
	names := quotingNames(lines)
	fences := countFences(lines)
	words, attributed, fenced, introduced := false, false, false, false
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
		if words && groupwise.MatchString(l) {
			return own, false
		}
		if isQuote(lines[i]) || names != nil && names[quotingName(lines[i])] {
			if introduced {
				own = append(own, lines[i])
			} else {
				quotes = append(quotes, lines[i])
			}
			continue
		}
		if continues(lines, i) {
			continue
		}
		introduced = false
		if before, n := attributedWithin(lines[i:]); n > 0 {
			own = append(own, before)
			words, attributed = true, true
			i += n - 1
			continue
		}
		kind, n := mark(lines[i:])
		switch kind {
		case marksForward:
			return append(own, lines[i:]...), true
		case marksAbove:
			if words {
				return own, false
			}
			attributed = true
			continue
		case marksQuoted:
			if words {
				return own, false
			}
			if !quoteFollows(lines[i+n:]) {
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
)

// mark tells what the first of some lines begins, and over how many lines.
func mark(lines []string) (marking, int) {
	l := strings.TrimSpace(lines[0])
	if typeAbove(l) {
		return marksAbove, 1
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
	if n := attribution(lines); n > 0 {
		return marksAttribution, n
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

func quoteFollows(lines []string) bool {
	next := nextText(lines, 0)
	return next >= 0 && isQuote(lines[next])
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

// continues tells whether a line between quoted ones is the rest of a link in
// them that was broken over two lines.
func continues(lines []string, i int) bool {
	if i == 0 || i+1 >= len(lines) || !isQuote(lines[i-1]) || !isQuote(lines[i+1]) {
		return false
	}
	before, l := lines[i-1], strings.TrimSpace(lines[i])
	for _, open := range []string{"(http", "<http"} {
		if at := strings.LastIndex(before, open); at >= 0 && !strings.ContainsAny(before[at:], ")>") && !strings.Contains(l, " ") {
			return true
		}
	}
	return strings.HasPrefix(l, "(http") && strings.HasSuffix(l, " >")
}

// introduces tells whether a line announces the writer's own quotation, as in
// "this is what I see:", and is no attribution in a language unknown to us.
func introduces(l string) bool {
	return (strings.HasSuffix(l, ":") || strings.HasSuffix(l, "：")) && !strings.Contains(l, "@") && !dated.MatchString(l) && !wrote(l)
}

// isQuote tells whether a line is quoted by ">" or "|". A line that ends like
// ">>> news <<<" is decorated.
func isQuote(l string) bool {
	for n := 0; n < 3 && l != "" && (l[0] == ' ' || l[0] == '\t'); n++ {
		l = l[1:]
	}
	switch {
	case l == "":
		return false
	case l[0] == '>':
		return !strings.HasSuffix(l, "<<")
	case l[0] == '|':
		return len(l) > 1 && l[1] == ' ' && !strings.HasSuffix(l, "|")
	}
	return false
}

// quotingName is the name or initials that some programs put before a quoted
// line: "AB" of "AB> words".
func quotingName(l string) string {
	l = strings.TrimLeft(l, " \t")
	if l == "" || l[0] < 'A' || l[0] > 'Z' {
		return ""
	}
	for i := 1; i < len(l) && i <= 11; i++ {
		switch c := l[i]; {
		case c == '>':
			if i+1 == len(l) || l[i+1] == ' ' || l[i+1] == '>' {
				return l[:i]
			}
			return ""
		case c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
		default:
			return ""
		}
	}
	return ""
}

// quotingNames are the names before more than one line: "Settings> Account" is
// where a person clicked, once.
func quotingNames(lines []string) map[string]bool {
	var seen, names map[string]bool
	for _, l := range lines {
		n := quotingName(l)
		if n == "" {
			continue
		}
		if seen[n] {
			if names == nil {
				names = map[string]bool{}
			}
			names[n] = true
		}
		if seen == nil {
			seen = map[string]bool{}
		}
		seen[n] = true
	}
	return names
}

func countFences(lines []string) int {
	n := 0
	for _, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			n++
		}
	}
	return n
}

// groupwise is an attribution of Novell's program, which has no other marks.
var groupwise = regexp.MustCompile(`^>>> [^>]*\p{Nd}[^>]* >>>$|^>>> [^<>]*<[^<>]+> .*\p{Nd}.* >>>$`)

// longestLine is as long as a line may be to be looked at for an attribution
// behind words.
const longestLine = 2000

// within is an attribution that shares its line with the end of the reply.
var within = regexp.MustCompile(`^(.*?\S)(?:\s*-{2,}\s*|\s+)((?:On|Am|Le|El|Op|Den|Il|Em) .*\p{Nd}.*)$`)

// attributedWithin finds an attribution behind words on the same line, before
// quoted lines. It returns the words and over how many lines it goes.
func attributedWithin(lines []string) (before string, n int) {
	if !strings.ContainsAny(lines[0], "0123456789") || !mayAttribute(lines) || beginsDated.MatchString(lines[0]) {
		return "", 0
	}
	if len(lines[0]) > longestLine {
		return "", 0
	}
	m := within.FindStringSubmatch(lines[0])
	if m == nil {
		return "", 0
	}
	rest := append([]string{m[2]}, lines[1:min(len(lines), 8)]...)
	if n = attribution(rest); n == 0 || !quoteFollows(lines[n:]) {
		return "", 0
	}
	return strings.TrimRight(m[1], " -"), n
}

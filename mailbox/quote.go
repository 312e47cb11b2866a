package mailbox

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func quoteFollows(lines []string) bool {
	next := nextText(lines, 0)
	return next >= 0 && isQuote(lines[next])
}

// continues tells whether a line between quoted ones is the rest of a link in
// them that was broken over two lines, or of a long line that goes on in the
// middle of its sentence.
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
	if strings.HasPrefix(l, "(http") && strings.HasSuffix(l, " >") {
		return true
	}
	first, _ := utf8.DecodeRuneInString(l)
	last, _ := utf8.DecodeLastRuneInString(before)
	return len(before) >= wrapped && unicode.IsLower(first) && (unicode.IsLetter(last) || last == ',')
}

// wrapped is how long a quoted line is, in bytes, that some program broke.
const wrapped = 65

// introduces tells whether a line announces the writer's own quotation, as in
// "this is what I see:", and is no attribution in a language unknown to us.
func introduces(l string) bool {
	if !strings.HasSuffix(l, ":") && !strings.HasSuffix(l, "：") || strings.Contains(l, "@") || wrote(l) && !selfWrote.MatchString(l) {
		return false
	}
	return !dated.MatchString(l) || !beginsDated.MatchString(l) && len(dated.FindAllString(l, 2)) < 2
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

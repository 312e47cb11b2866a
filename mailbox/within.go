package mailbox

import (
	"regexp"
	"strings"
)

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

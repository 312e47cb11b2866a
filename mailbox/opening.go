package mailbox

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// opening is a pattern for the first words of a line, of which it knows how they
// begin: almost no line begins so, and a long pattern takes a hundred times as
// long to say so.
type opening struct {
	re      *regexp.Regexp
	starts  map[string]bool // in lower case, at most startLength runes
	lengths [startLength + 1]bool
	triples [4096]bool // by stemHash: the first three letters of a start, all of ASCII
}

const (
	startLength  = 8
	openingMarks = 4 // marks and blanks that may stand before the first word
)

// opens makes an opening of the alternatives for a line's first words, whatever
// their case.
func opens(alternatives string) *opening {
	return newOpening(`(?i)^[\s\W]{0,4}(?:`+alternatives+`)`, alternatives)
}

// newOpening makes an opening of a pattern that begins with at most openingMarks
// marks and one of the alternatives.
func newOpening(pattern, alternatives string) *opening {
	re := regexp.MustCompile(pattern)
	tree, err := syntax.Parse("(?i:"+alternatives+")", syntax.Perl)
	if err != nil {
		panic(err) // it compiled a line above
	}
	o := &opening{re: re, starts: map[string]bool{}}
	for start := range starts(tree) {
		start = strings.TrimSuffix(start, more)
		o.starts[start] = true
		o.lengths[utf8.RuneCountInString(start)] = true
		if start != "" {
			o.begin([]byte(start[:min(len(start), shortestStem)]))
		}
	}
	return o
}

// begin notes the first letters of a start, with all that may follow fewer than
// three.
func (o *opening) begin(start []byte) {
	if len(start) == shortestStem {
		o.triples[stemHash(start[0], start[1], start[2])] = true
		return
	}
	for c := range byte(utf8.RuneSelf) {
		o.begin(append(start, c))
	}
}

// MatchString tells whether a line begins so.
func (o *opening) MatchString(line string) bool {
	return o.mayMatch(line) && o.re.MatchString(line)
}

// mayMatch is a cheap look at a line's first letters.
func (o *opening) mayMatch(line string) bool {
	rest := line
	for range openingMarks + 1 {
		if o.mayStart(rest) {
			return true
		}
		r, n := utf8.DecodeRuneInString(rest)
		if n == 0 || r < utf8.RuneSelf && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return false
		}
		rest = rest[n:]
	}
	return false
}

// mayStart tells whether a line begins with one of the starts.
func (o *opening) mayStart(line string) bool {
	if o.starts[""] {
		return true
	}
	if len(line) >= shortestStem && asciiOnly(line[:shortestStem]) && !o.triples[stemHash(lower[line[0]], lower[line[1]], lower[line[2]])] {
		return false
	}
	var b [startLength * utf8.UTFMax]byte
	start, runes := b[:0], 0
	for _, r := range line {
		if runes++; runes > startLength {
			return false
		}
		if start = utf8.AppendRune(start, folded(r)); o.lengths[runes] && o.starts[string(start)] {
			return true
		}
	}
	return false
}

func asciiLower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// folded is the same rune for all that a pattern takes for each other whatever
// their case: the long s for s, the Kelvin sign for k.
func folded(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(lower[r])
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return unicode.ToLower(least)
}

// more ends a start that may go on: it is not yet startLength long.
const more = "\x00"

// starts are the first runes of what a pattern matches, those that may go on
// ended by more. A pattern that may begin with anything has the start "".
func starts(re *syntax.Regexp) map[string]bool {
	switch re.Op {
	case syntax.OpLiteral:
		var b strings.Builder
		for i, r := range re.Rune {
			if i == startLength {
				return map[string]bool{b.String(): true}
			}
			b.WriteRune(folded(r))
		}
		return map[string]bool{b.String() + more: true}
	case syntax.OpCharClass:
		set := map[string]bool{}
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if set[string(folded(r))+more] = true; len(set) > 20 {
					return map[string]bool{"": true}
				}
			}
		}
		return set
	case syntax.OpCapture:
		return starts(re.Sub[0])
	case syntax.OpQuest:
		set := starts(re.Sub[0])
		set[more] = true
		return set
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEndText, syntax.OpEndLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return map[string]bool{more: true}
	case syntax.OpAlternate:
		set := map[string]bool{}
		for _, sub := range re.Sub {
			for s := range starts(sub) {
				set[s] = true
			}
		}
		return set
	case syntax.OpConcat:
		set := map[string]bool{more: true}
		for _, sub := range re.Sub {
			set = follow(set, sub)
		}
		return set
	}
	return map[string]bool{"": true} // a repetition, any character: it may be anything
}

// follow continues the starts that may go on with those of what comes next.
func follow(set map[string]bool, next *syntax.Regexp) map[string]bool {
	out, then := map[string]bool{}, map[string]bool(nil)
	for s := range set {
		open, goesOn := strings.CutSuffix(s, more)
		if !goesOn {
			out[s] = true
			continue
		}
		if then == nil {
			then = starts(next)
		}
		for t := range then {
			tail, more2 := strings.CutSuffix(t, more)
			switch whole := []rune(open + tail); {
			case len(whole) >= startLength:
				out[string(whole[:startLength])] = true
			case more2:
				out[string(whole)+more] = true
			default:
				out[string(whole)] = true
			}
		}
	}
	return out
}

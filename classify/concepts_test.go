package classify

import (
	"strings"
	"testing"
)

// An expression takes all words from its first to its last, whether its gap has
// words in it or none: what it took stands for nothing else.
func TestAnExpressionWithAGapTakesAllItsWords(t *testing.T) {
	for _, text := range []string{"set up account", "set up your account", "set up your new account"} {
		var r reading
		r.split(Text{Body: text})
		if len(r.said) == 0 || int(r.said[0].last) != len(strings.Fields(text))-1 {
			t.Errorf("%q: %+v", text, r.said)
		}
		for _, m := range r.said[min(1, len(r.said)):] {
			if m.first > 0 {
				t.Errorf("%q: a word of the expression was taken again: %+v", text, r.said)
			}
		}
	}
}

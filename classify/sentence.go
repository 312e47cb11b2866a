package classify

import "unicode/utf8"

// Bounds of sentences.
const (
	fullLine       = 50   // bytes from which a line may go on in the next one
	mostSentence   = 40   // words; a longer one is taken in parts, which overlap by half
	maxLetter      = 1500 // words of a mail
	maxLetterBytes = 10 * maxLetter
)

// span is a part of a text, in bytes.
type span struct{ from, to int }

// sentences cuts a text at the ends of sentences and paragraphs, and tells how
// many words it has. A long line may go on in the next one, for many programs
// break lines where they are full. At most maxLetter words are looked at.
func sentences(text string, list []span) (_ []span, words int) {
	start, line, own, half := 0, 0, 0, 0
	end := func(at, next int) {
		if own > 0 {
			list = append(list, span{start, at})
		}
		start, own = next, 0
	}
	for i := 0; i < len(text) && words < maxLetter; i++ {
		if asciiSpace(text[i]) {
			if text[i] == '\n' {
				if i-line < fullLine || i+1 == len(text) || asciiSpace(text[i+1]) {
					end(i, i+1)
				}
				line = i + 1
			}
			continue
		}
		if own == mostSentence/2 {
			half = i
		}
		for i+1 < len(text) && !asciiSpace(text[i+1]) {
			i++
		}
		words++
		if own++; endsSentence(text, i) {
			end(i+1, i+1)
		} else if own == mostSentence {
			end(i+1, half)
			own = mostSentence / 2
			half = i + 1
		}
	}
	if own > 0 && (own != mostSentence/2 || half != len(text)) {
		end(len(text), len(text))
	}
	return list, words
}

// endsSentence tells whether a sentence ends with the word whose last byte is at i.
func endsSentence(text string, i int) bool {
	for ; i > 0 && (text[i] == '"' || text[i] == ')' || text[i] == '\''); i-- {
	}
	c := text[i]
	return c == '.' || c == '!' || c == '?' || c >= utf8.RuneSelf && i >= 2 && foreignEnds[text[i-2:i+1]]
}

// foreignEnds are ends of sentences of three bytes: the dots of one sign, and
// those of scripts without spaces.
var foreignEnds = set("… 。 ！ ？")

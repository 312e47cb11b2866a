package classify

import (
	"bytes"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// word is a word of a text: what is known of it, and where the sender wrote it.
type word struct {
	*lemma
	from, to int32
	clause   int16
	kind     int16 // its number among the different words of the text
	spots    int32 // where those of the terms it ends end
	asks     bool  // a question mark follows
}

// lemma is what is known of a word in whatever text it stands. It never changes.
type lemma struct {
	folded string
	hash   uint64
	turns  bool    // it turns the meaning, as "but" does
	tongue tongue  // the languages it is a stop word of
	parts  []part  // what the lexicon matches: itself, or "ca" and "n't"
	whole  [1]part // room for one

	id      int32   // its number in the vocabulary, -1 for none
	letters []int32 // the numbers of its runs of letters
}

// wordbook remembers the lemmas of words met before: the words of mails are much
// the same, and to know one costs a microsecond. It has two places for a word and
// no other, so no mail makes it grow or slow; a word that comes takes the place
// of one that was there. It is safe for concurrent use.
type wordbook struct {
	vocab *vocabulary // nil where there is none yet
	known [commonWords / 2][2]atomic.Pointer[lemma]
}

const commonWords = 1 << 12

// place is a number below commonWords for a word.
func place(hash uint64) int { return int((hash ^ hash>>31) % commonWords) }

// look returns what is known of a folded word with this hash.
func look[T string | []byte](b *wordbook, w T, h uint64) *lemma {
	at := &b.known[place(h)/2]
	newer, older := at[0].Load(), at[1].Load()
	if newer != nil && newer.hash == h && newer.folded == string(w) {
		return newer
	}
	l := older
	if l == nil || l.hash != h || l.folded != string(w) {
		l = b.learn(string(w), h)
	}
	at[0].Store(l)
	at[1].Store(newer)
	return l
}

// learn finds out what is to be known of a word. It keeps a copy: a part of a
// mail would keep the whole mail.
func (b *wordbook) learn(w string, h uint64) *lemma {
	w = strings.Clone(w)
	l := &lemma{folded: w, hash: h, turns: turning[w], tongue: spokenBy[w], id: -1}
	l.parts = shipped.parts(w, l.whole[:0])
	if b.vocab == nil {
		return l
	}
	l.id = b.vocab.find(wordHash(h))
	var runs [maxToken * maxRunes]term
	var room [maxToken * maxRunes]int32
	ids := room[:0]
	for _, t := range letters(w, 0, runs[:0]) {
		if id := b.vocab.find(t.hash); id >= 0 {
			ids = append(ids, id)
		}
	}
	l.letters = slices.Clone(ids)
	return l
}

// split cuts a text into words, each with its place in the text.
func (b *wordbook) split(text string, list []word) []word {
	var room [256]byte
	pos, clause := 0, int16(0)
	for pos < len(text) && len(list) < maxWords {
		start := pos
		for start < len(text) && asciiSpace(text[start]) {
			if text[start] == '\n' {
				clause++
			}
			start++
		}
		end, signs, hash := start, byte(0), uint64(hashStart)
		for end < len(text) && !asciiSpace(text[end]) {
			signs |= signOf[text[end]]
			hash = (hash ^ uint64(text[end])) * hashPrime
			end++
		}
		if signs&foreign != 0 {
			end = start + oneWord(text[start:end])
		}
		pos = end
		if start == end {
			continue
		}
		if own := text[start:end]; signs == lower|inWord && len(own) <= maxToken {
			list, clause = put(list, look(b, own, hash), start, end, clause)
			continue
		}
		folded := foldWord(room[:0], text[start:min(end, start+4*maxToken)])
		for len(folded) > 0 && len(list) < maxWords {
			var w []byte
			if w, folded = nextWord(folded); len(w) > 0 {
				list, clause = put(list, look(b, w, hashWord(w)), start, end, clause)
			}
		}
		switch last, _ := utf8.DecodeLastRuneInString(text[start:end]); last {
		case '?', '？':
			if n := len(list); n > 0 {
				list[n-1].asks = true
			}
			clause++
		case '.', '!', ';', ':', '。', '！', '；':
			clause++
		}
	}
	return list
}

// oneWord is how much of what stands between white space is one word: all of it,
// but where a script is written without spaces, one sign of it. Signs that stand
// beside each other are pairs of words to what counts them.
func oneWord(field string) int {
	for i, r := range field {
		if r < '\u0e00' || !unicode.In(r, unspaced...) {
			continue
		}
		if i > 0 {
			return i
		}
		n := utf8.RuneLen(r)
		for n < len(field) {
			mark, size := utf8.DecodeRuneInString(field[n:])
			if !unicode.Is(unicode.M, mark) {
				break
			}
			n += size
		}
		return n
	}
	return len(field)
}

// unspaced are the scripts that are written without spaces between words.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// put appends a word, which begins a clause where it turns the meaning.
func put(list []word, l *lemma, from, to int, clause int16) ([]word, int16) {
	if l.turns {
		clause++
	}
	return append(list, word{lemma: l, from: int32(from), to: int32(to), clause: clause}), clause
}

// nextWord takes the first word off a folded text; it may be empty.
func nextWord(s []byte) (w, rest []byte) {
	end := 0
	for end < len(s) {
		if c := s[end]; c < utf8.RuneSelf {
			if signOf[c]&inWord == 0 {
				break
			}
			end++
			continue
		}
		r, size := utf8.DecodeRune(s[end:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) {
			break
		}
		end += size
	}
	w, rest = s[:end], s[end:]
	if len(rest) > 0 {
		_, size := utf8.DecodeRune(rest)
		rest = rest[size:]
	}
	if w = bytes.Trim(w, "'"); len(w) > maxToken {
		w = bytes.ToValidUTF8(w[:maxToken], nil)
	}
	return w, rest
}

func asciiSpace(c byte) bool { return c <= ' ' || c == 0x7f }

// What the bytes of a text are.
const (
	lower   = 1 << iota // a to z
	foreign             // no ASCII
	alike               // may look like a letter beside small ones
	other               // all else
	inWord              // may stand in a folded word
)

var signOf = func() (of [256]byte) {
	for c := range of {
		switch {
		case c >= 'a' && c <= 'z':
			of[c] = lower | inWord
		case c >= utf8.RuneSelf:
			of[c] = foreign
		case c == '0' || c == '1' || c == 'I':
			of[c] = other | alike
		default:
			of[c] = other
		}
		if c >= '0' && c <= '9' || c == '\'' {
			of[c] |= inWord
		}
	}
	return of
}()

package mailbox

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// stems is a list of parts of words, in lower case, of which a text is searched
// for any. Hardly a line has one of a hundred: a single walk over it, with three
// bytes at a time, says so.
type stems struct {
	begins [4096]uint8 // by stemHash of the first bytes: a place in lists, or 0
	lists  [][]string
}

const shortestStem = 3 // bytes

// newStems makes the search for parts, which are parted by "|".
func newStems(parts string) *stems {
	s := &stems{lists: [][]string{nil}}
	for p := range strings.SplitSeq(parts, "|") {
		h := stemHash(p[0], p[1], p[2])
		if s.begins[h] == 0 {
			s.begins[h] = uint8(len(s.lists)) // fewer than 256 parts
			s.lists = append(s.lists, nil)
		}
		n := s.begins[h]
		s.lists[n] = append(s.lists[n], p)
	}
	if len(s.lists) > 256 {
		panic("mailbox: too many stems")
	}
	return s
}

func stemHash(a, b, c byte) uint16 {
	return (uint16(a) ^ uint16(b)<<3 ^ uint16(c)<<5) & 4095
}

// in tells whether a text has one of the parts, whatever its case.
func (s *stems) in(text string) bool {
	if !asciiOnly(text) {
		text = strings.ToLower(text)
	}
	if len(text) < shortestStem {
		return false
	}
	a, b := lower[text[0]], lower[text[1]]
	for i := shortestStem - 1; i < len(text); i++ {
		c := lower[text[i]]
		if n := s.begins[stemHash(a, b, c)]; n != 0 {
			for _, p := range s.lists[n] {
				if beginsWith(text[i+1-shortestStem:], p) {
					return true
				}
			}
		}
		a, b = b, c
	}
	return false
}

// lower are the bytes with the letters of ASCII in lower case.
var lower = func() (table [256]byte) {
	for i := range table {
		table[i] = asciiLower(byte(i))
	}
	return table
}()

// beginsWith tells whether a text begins with a prefix in lower case.
func beginsWith(text, prefix string) bool {
	if len(text) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower[text[i]] != prefix[i] {
			return false
		}
	}
	return true
}

func asciiOnly(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// guarded is a pattern of which every match in ASCII has one of the stems: no
// text without one is shown to it.
type guarded struct {
	*regexp.Regexp
	stems *stems
}

func guard(stems, pattern string) *guarded {
	return &guarded{regexp.MustCompile(pattern), newStems(stems)}
}

func (g *guarded) MatchString(s string) bool {
	return (!asciiOnly(s) || g.stems.in(s)) && g.Regexp.MatchString(s)
}

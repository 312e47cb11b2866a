package mailbox

import "strings"

// stems is a list of parts of words of which a text is searched for any. Hardly
// a line has one of a hundred: a single walk over it, with three bytes at a
// time, says so.
type stems struct {
	begins [4096]uint8 // by stemHash of the first bytes: a place in lists, or 0
	lists  [][]string
}

const shortestStem = 3 // bytes

// newStems makes the search for parts, which are parted by "|".
func newStems(parts string) *stems {
	s := &stems{lists: [][]string{nil}}
	for p := range strings.SplitSeq(parts, "|") {
		h := stemHash(p[:shortestStem])
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

func stemHash(s string) uint16 {
	return (uint16(s[0]) ^ uint16(s[1])<<3 ^ uint16(s[2])<<5) & 4095
}

// in tells whether a text has one of the parts.
func (s *stems) in(text string) bool {
	for i := 0; i+shortestStem <= len(text); i++ {
		n := s.begins[stemHash(text[i:i+shortestStem])]
		if n == 0 {
			continue
		}
		for _, p := range s.lists[n] {
			if strings.HasPrefix(text[i:], p) {
				return true
			}
		}
	}
	return false
}

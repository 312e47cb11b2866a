package classify

import "strings"

// phrases is a set of word sequences. In a phrase "_" stands for up to three
// words of any kind, and a word that ends in "*" for all words that begin so.
type phrases struct {
	exact  map[string][][]string  // by first word
	prefix map[[2]byte][][]string // first word ends in *, by its first two bytes
	short  [][]string             // the same, of a stem shorter than that
}

func compile(lists ...string) *phrases {
	p := &phrases{exact: map[string][][]string{}, prefix: map[[2]byte][][]string{}}
	for _, list := range lists {
		for _, line := range strings.FieldsFunc(list, func(r rune) bool { return r == '\n' || r == '|' }) {
			ws := strings.Fields(line)
			if len(ws) == 0 {
				continue
			}
			if stem, ok := strings.CutSuffix(ws[0], "*"); ok && len(stem) < 2 {
				p.short = append(p.short, ws)
			} else if ok {
				key := [2]byte{stem[0], stem[1]}
				p.prefix[key] = append(p.prefix[key], ws)
			} else {
				p.exact[ws[0]] = append(p.exact[ws[0]], ws)
			}
		}
	}
	return p
}

// find returns where the first match stands; ok is false without one.
func (p *phrases) find(words []string) (from, to int, ok bool) {
	return p.findFrom(words, 0)
}

func (p *phrases) findFrom(words []string, start int) (from, to int, ok bool) {
	for i := start; i < len(words); i++ {
		best := -1
		w := words[i]
		try := func(list [][]string) {
			for _, ph := range list {
				if wordMatches(ph[0], w) {
					if n := match(ph[1:], words[i+1:]); n >= 0 && i+1+n > best {
						best = i + 1 + n
					}
				}
			}
		}
		try(p.exact[w])
		if len(w) >= 2 && len(p.prefix) > 0 {
			try(p.prefix[[2]byte{w[0], w[1]}])
		}
		try(p.short)
		if best >= 0 {
			return i, best, true
		}
	}
	return 0, 0, false
}

// match returns how many words the rest of a phrase takes, or -1.
func match(phrase, words []string) int {
	n := 0
	for k := 0; k < len(phrase); k++ {
		if phrase[k] == "_" {
			if k+1 == len(phrase) {
				return n
			}
			for gap := 0; gap <= 3 && n+gap < len(words); gap++ {
				if m := match(phrase[k+1:], words[n+gap:]); m >= 0 {
					return n + gap + m
				}
			}
			return -1
		}
		if n >= len(words) || !wordMatches(phrase[k], words[n]) {
			return -1
		}
		n++
	}
	return n
}

func wordMatches(pattern, word string) bool {
	if p, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(word, p)
	}
	return pattern == word
}

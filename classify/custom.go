package classify

import (
	"fmt"
	"slices"
	"strings"
)

// Change is what a team wants different about one category, or a category of
// their own.
type Change struct {
	Title, About, Group string
	Rings               Rings
	MergeInto           string
	Off                 bool
	Phrases             []string
}

// Custom is a team's changes by category.
type Custom map[string]Change

// With returns a model whose taxonomy has the changes.
func (m *Model) With(custom Custom) (*Model, error) {
	n := *m
	n.custom = custom
	n.taxonomy = slices.Clone(m.taxonomy)
	n.own = map[string]*phrases{}
	names := make([]string, 0, len(custom))
	for name := range custom {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c := custom[name]
		i := slices.IndexFunc(n.taxonomy, func(x Category) bool { return x.Name == name })
		if i < 0 {
			if c.Off || c.MergeInto != "" {
				return nil, fmt.Errorf("category %q: there is no such category to change", name)
			}
			n.taxonomy = append(n.taxonomy, Category{Name: name, Title: name, Rings: RingsPage})
			i = len(n.taxonomy) - 1
		}
		x := &n.taxonomy[i]
		for to, from := range map[*string]string{&x.Title: c.Title, &x.About: c.About, &x.Group: c.Group} {
			if from != "" {
				*to = from
			}
		}
		if c.Rings != "" {
			x.Rings = c.Rings
		}
		if len(c.Phrases) > 0 {
			var list []string
			for _, p := range c.Phrases {
				if ws := unify(words(fold(p))); len(ws) > 0 {
					list = append(list, joinWords(ws))
				}
			}
			n.own[name] = compile(list...)
		}
	}
	for _, name := range names {
		to := custom[name].MergeInto
		if to == "" {
			continue
		}
		if _, ok := n.taxonomy.Find(to); !ok || to == name {
			return nil, fmt.Errorf("category %q: merge_into: there is no other category %q", name, to)
		}
	}
	n.taxonomy = slices.DeleteFunc(n.taxonomy, func(x Category) bool {
		return x.Name != Other && (custom[x.Name].Off || custom[x.Name].MergeInto != "")
	})
	return n.settled(), nil
}

func joinWords(ws []string) string {
	s := ""
	for i, w := range ws {
		if i > 0 {
			s += " "
		}
		s += w
	}
	return s
}

// ownPhrases gives a mail with one of a category's phrases to that category,
// and tells whether there was one.
func (m *Model) ownPhrases(t Text, v *Verdict) bool {
	if len(m.own) == 0 {
		return false
	}
	cs := append(clauses(t.Subject), clauses(t.Body)...)
	for _, c := range m.taxonomy {
		p := m.own[c.Name]
		if p == nil {
			continue
		}
		for _, cl := range cs {
			if from, to, ok := p.find(cl.words); ok {
				v.Category, v.Confidence = c.Name, 0.95
				v.Evidence = []Evidence{{Phrase: quote(cl, from, to), Weight: 1}}
				return true
			}
		}
	}
	return false
}

// rename follows merges; a category that is switched off is other.
func (m *Model) rename(v *Verdict) {
	for range len(m.custom) {
		c, ok := m.custom[v.Category]
		switch {
		case ok && c.MergeInto != "":
			v.Category = c.MergeInto
			continue
		case ok && c.Off:
			v.Category = Other
		}
		return
	}
}

// quote finds the deciding words in the sender's own spelling: the clause
// itself when it is short, else a window of it.
func quote(c clause, first, last int) string {
	own := strings.Fields(c.text)
	if s := strings.Join(own, " "); len([]rune(s)) <= maxPhrase {
		return strings.TrimRight(s, " .,;:!?")
	}
	// Words were added and split on the way, so the place is scaled.
	scale := float64(len(own)) / float64(max(1, len(c.words)))
	from := max(0, int(float64(first)*scale)-2)
	to := min(len(own), int(float64(last)*scale)+3)
	return strings.TrimRight(cutRunes(strings.Join(own[min(from, to):to], " "), maxPhrase), " .,;:!?")
}

package classify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
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

// With returns a model whose taxonomy has the changes. Where they contradict
// each other an error says which.
func (m *Model) With(custom Custom) (*Model, error) {
	n := *m
	n.custom = custom
	n.taxonomy = slices.Clone(m.taxonomy)
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		c := custom[name]
		if _, ok := n.taxonomy.Find(name); !ok {
			if c.Off || c.MergeInto != "" {
				return nil, fmt.Errorf("category %q: there is no such category to change; there are %s", name, n.taxonomy.names())
			}
			if strings.TrimSpace(name) == "" || strings.ContainsFunc(name, unicode.IsControl) {
				return nil, fmt.Errorf("category %q: that is no name for a category", name)
			}
			n.taxonomy = append(n.taxonomy, Category{Name: name, Title: name, Rings: RingsPage})
		}
		n.taxonomy.change(name, c)
	}
	if err := n.ownWords(); err != nil {
		return nil, err
	}
	for _, c := range n.taxonomy {
		if err := n.merges(c.Name); err != nil {
			return nil, err
		}
	}
	n.taxonomy = slices.DeleteFunc(n.taxonomy, func(x Category) bool { return custom[x.Name].Off || custom[x.Name].MergeInto != "" })
	return n.settled(), nil
}

// change makes one category what a team wants it to be.
func (t Taxonomy) change(name string, c Change) {
	x := &t[slices.IndexFunc(t, func(x Category) bool { return x.Name == name })]
	for to, from := range map[*string]string{&x.Title: c.Title, &x.About: c.About, &x.Group: c.Group} {
		if from != "" {
			*to = from
		}
	}
	if c.Rings != "" {
		x.Rings = c.Rings
	}
}

// ownWords takes the phrases of the team's categories, those of the more urgent
// ones first.
func (m *Model) ownWords() error {
	m.own = nil
	for _, c := range m.taxonomy {
		for _, p := range m.custom[c.Name].Phrases {
			ws := listen(p).words
			if len(ws) == 0 {
				return fmt.Errorf("category %q: phrases: there is no word in %q", c.Name, p)
			}
			m.own = append(m.own, phrase{c.Name, ws})
		}
	}
	return nil
}

// merges follows a category to the one it counts as.
func (m *Model) merges(name string) error {
	if c := m.custom[name]; name == Other && (c.Off || c.MergeInto != "") {
		return fmt.Errorf("category %q: it is what no other category claims, and cannot be switched off or merged", name)
	}
	at := name
	for range m.taxonomy {
		c := m.custom[at]
		_, known := m.taxonomy.Find(c.MergeInto)
		switch {
		case c.MergeInto == "":
			return nil
		case c.Off:
			return fmt.Errorf("category %q: off and merge_into: only one of them can be", at)
		case !known || c.MergeInto == at:
			return fmt.Errorf("category %q: merge_into: there is no other category %q; there are %s", at, c.MergeInto, m.taxonomy.names())
		case m.custom[c.MergeInto].Off:
			return fmt.Errorf("category %q: merge_into: category %q is switched off", at, c.MergeInto)
		}
		at = c.MergeInto
	}
	return fmt.Errorf("category %q: merge_into: the categories are merged in a circle", name)
}

// names lists the categories for a person.
func (t Taxonomy) names() string {
	var list []string
	for _, c := range t {
		list = append(list, c.Name)
	}
	return strings.Join(list, ", ")
}

// ownPhrases gives a mail with one of a category's phrases to that category.
func (m *Model) ownPhrases(t Text, v *Verdict) {
	if len(m.own) == 0 {
		return
	}
	subject, body := listen(t.Subject), listen(t.Body)
	for _, p := range m.own {
		for _, s := range []heard{subject, body} {
			if quote, ok := s.find(p.words); ok && !m.custom[p.category].Off {
				v.Category, v.Confidence = p.category, 0.95
				v.Evidence = []Evidence{{Phrase: quote, Weight: 1}}
				return
			}
		}
	}
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

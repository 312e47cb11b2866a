package mailbox

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Bounds of the work on a tree of HTML, counted in open elements gone through.
const (
	fewTags   = 1000     // fewer cannot cost much
	maxCost   = 20 << 20 // a fifth of a second
	deepest   = 512      // x/net/html gives up there
	copyCost  = 80       // of an element that is made once more
	mostAlike = 3        // of one tag are made once more
)

// costly tells whether a tree would take too long to make. At most tags the
// parser goes through all elements that are open, and in each block it makes
// those for formatting once more that were left open before it (HTML standard,
// section 13.2.4.3): 24 KB can become 800,000 nodes.
//
// It is an estimate, and never too low by much: a formatting element counts as
// closed only where its end stands in its place, as the parser may ignore the
// end or keep a copy of the element elsewhere.
func costly(source string) bool {
	if strings.Count(source, "<") < fewTags {
		return false
	}
	var open openElements
	z := html.NewTokenizer(strings.NewReader(source))
	for cost := 0; cost < maxCost; cost += min(len(open.elements), deepest) + copyCost*open.copies {
		kind := z.Next()
		z.NextIsNotRawText() // whether it is depends on the tree
		switch kind {
		case html.ErrorToken:
			return false
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := string(z.Raw())
			name, _ := z.TagName()
			open.start(string(name), tag)
		case html.EndTagToken:
			name, _ := z.TagName()
			open.end(string(name))
		}
	}
	return true
}

// openElements are those of a text of HTML up to a place.
type openElements struct {
	elements []openElement
	left     map[string]int // formatting elements that are open or were left so, by their tags
	copies   int            // how many of them are made once more in the next block
}

type openElement struct{ name, tag string }

func (o *openElements) start(name, tag string) {
	switch name {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr":
		return // they hold nothing
	}
	for ended := endedBy(name); len(o.elements) > 0 && slices.Contains(ended, o.elements[len(o.elements)-1].name); {
		o.elements = o.elements[:len(o.elements)-1]
	}
	o.elements = append(o.elements, openElement{name, tag})
	if formats(name) {
		if o.left == nil {
			o.left = map[string]int{}
		}
		if o.left[tag]++; o.left[tag] <= mostAlike {
			o.copies++
		}
	}
}

func (o *openElements) end(name string) {
	last := len(o.elements) - 1
	if last < 0 {
		return
	}
	if e := o.elements[last]; e.name == name {
		o.elements = o.elements[:last]
		if formats(name) {
			if o.left[e.tag]--; o.left[e.tag] < mostAlike {
				o.copies--
			}
		}
		return
	}
	if formats(name) {
		return
	}
	for i := last; i >= max(0, last-deepest); i-- {
		if o.elements[i].name == name {
			o.elements = o.elements[:i]
			return
		}
	}
}

// endedBy are the elements before a start that need no end of their own.
func endedBy(start string) []string {
	switch start {
	case "p", "div", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "center", "pre":
		return []string{"p"}
	case "li":
		return []string{"p", "li"}
	case "dt", "dd":
		return []string{"p", "dt", "dd"}
	case "td", "th":
		return []string{"p", "td", "th"}
	case "tr":
		return []string{"p", "td", "th", "tr"}
	case "tbody", "thead", "tfoot":
		return []string{"p", "td", "th", "tr", "tbody", "thead", "tfoot"}
	case "option", "a":
		return []string{start}
	}
	return nil
}

// formats tells whether an element is one for formatting. A link is none here:
// of links only one is open.
func formats(name string) bool {
	switch name {
	case "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u":
		return true
	}
	return false
}

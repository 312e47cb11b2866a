package mailbox

import (
	"strings"

	"golang.org/x/net/html"
)

// looks is what a style says about being seen.
type looks struct {
	gone          bool // not shown at all
	flat, clipped bool // no height or width; what does not fit is not shown
	sized, size0  bool // the letters have a size, and it is none
}

// hidden tells whether a person never sees an element. Letters of no size are
// another matter: an element inside may give them one again, as newsletters do
// to close the gaps of their tables.
func (s looks) hidden() bool { return s.gone || s.flat && s.clipped }

// looksOf reads what an element's attributes say.
func looksOf(n *html.Node) (s looks) {
	for _, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return looks{gone: true}
		case "class":
			if strings.Contains(strings.ToLower(cut(a.Val, 2000)), "preheader") {
				return looks{gone: true}
			}
		case "style":
			s = styled(cut(a.Val, 4096))
		}
	}
	return s
}

// styled reads the declarations of a style attribute.
func styled(style string) (s looks) {
	for d := range strings.SplitSeq(strings.ToLower(style), ";") {
		name, value, _ := strings.Cut(d, ":")
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		switch strings.TrimSpace(name) {
		case "display":
			s.gone = s.gone || value == "none"
		case "visibility":
			s.gone = s.gone || value == "hidden" || value == "collapse"
		case "mso-hide":
			s.gone = s.gone || value == "all"
		case "color":
			s.gone = s.gone || value == "transparent"
		case "opacity":
			s.gone = s.gone || zero(value)
		case "max-height":
			s.gone = s.gone || zero(value)
		case "height", "width", "max-width":
			s.flat = s.flat || zero(value)
		case "overflow":
			s.clipped = s.clipped || value == "hidden"
		case "font-size":
			s.sized, s.size0 = true, zero(value)
		}
	}
	return s
}

// zero tells whether a length is none: 0, 0px, 0.0em.
func zero(value string) bool {
	number := strings.TrimRight(value, "abcdefghijklmnopqrstuvwxyz% ")
	return number != "" && strings.Trim(number, "0.") == "" && strings.Contains(number, "0")
}

// tracking tells whether a picture is there to be loaded, not to be seen.
func tracking(n *html.Node) bool {
	for _, a := range n.Attr {
		if (a.Key == "width" || a.Key == "height") && (a.Val == "0" || a.Val == "1" || a.Val == "1px" || a.Val == "0px") {
			return true
		}
	}
	return false
}

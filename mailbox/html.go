package mailbox

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText turns HTML into readable text: paragraphs, lists, tables as lines,
// links with their address where the words do not say it; what is hidden
// (preheaders, tracking pixels, styles, scripts) is dropped. With newest set,
// quoted history that mail programs mark in the structure is dropped too.
//
// x/net/html gives up above 512 open elements, and then the tokenizer's words
// are better than nothing.
func htmlText(source string, newest bool) string {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return tokens(source)
	}
	w := &htmlWriter{newest: newest}
	w.walk(doc)
	return tidy(w.b.String())
}

// htmlWriter walks a tree without recursion: its depth is the sender's choice.
type htmlWriter struct {
	b      strings.Builder
	newest bool
	pre    int
	marked bool // history began
	cut    bool // and all that follows is left out
}

func (w *htmlWriter) walk(root *html.Node) {
	for n := root; n != nil && w.b.Len() < 2*maxText && !w.cut; {
		if w.enter(n) {
			if n.FirstChild != nil {
				n = n.FirstChild
				continue
			}
			w.leave(n)
		}
		for n != root && n.NextSibling == nil {
			n = n.Parent
			w.leave(n)
		}
		if n == root {
			return
		}
		n = n.NextSibling
	}
}

// enter writes what stands before an element's content; false skips it.
func (w *htmlWriter) enter(n *html.Node) bool {
	switch n.Type {
	case html.TextNode:
		w.words(n.Data)
		return false
	case html.DocumentNode:
		return true
	case html.ElementNode:
	default:
		return false
	}
	if hidden(n) {
		return false
	}
	if w.newest {
		switch w.quoted(n) {
		case dropIt:
			w.line()
			return false
		case quoteIt:
			w.line()
			w.b.WriteString("> …\n")
			return false
		case historyIt:
			if w.history(); w.cut {
				return false
			}
		}
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Noscript, atom.Template, atom.Svg, atom.Object, atom.Iframe:
		return false
	case atom.Br:
		w.b.WriteByte('\n')
		return false
	case atom.Hr:
		w.line()
		w.b.WriteString("________________________________\n")
		return false
	case atom.Img:
		if alt := strings.TrimSpace(attr(n, "alt")); alt != "" && !tracking(n) {
			w.words(" [" + alt + "] ")
		}
		return false
	case atom.Li:
		w.line()
		w.b.WriteString("- ")
	case atom.Td, atom.Th:
		if !w.atLineStart() {
			w.b.WriteByte(' ')
		}
	case atom.Blockquote:
		w.line()
		if !w.newest {
			w.b.WriteByte('\n')
		}
	case atom.Pre:
		w.line()
		w.pre++
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol:
		w.paragraph()
	default:
		if block(n.DataAtom) {
			w.line()
		}
	}
	return true
}

func (w *htmlWriter) leave(n *html.Node) {
	if n.Type != html.ElementNode {
		return
	}
	switch n.DataAtom {
	case atom.A:
		href := strings.TrimSpace(attr(n, "href"))
		if strings.HasPrefix(href, "http") && len(href) < 300 && !strings.Contains(w.tail(len(href)+40), strings.TrimPrefix(strings.TrimPrefix(href, "https://"), "http://")) {
			w.b.WriteString(" <" + href + ">")
		}
	case atom.Pre:
		w.pre--
		w.line()
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Blockquote, atom.Table:
		w.paragraph()
	default:
		if block(n.DataAtom) {
			w.line()
		}
	}
}

func (w *htmlWriter) tail(n int) string {
	s := w.b.String()
	return s[max(0, len(s)-n):]
}

func (w *htmlWriter) atLineStart() bool {
	return w.b.Len() == 0 || strings.HasSuffix(w.b.String(), "\n")
}

func (w *htmlWriter) line() {
	if !w.atLineStart() {
		w.b.WriteByte('\n')
	}
}

func (w *htmlWriter) paragraph() {
	w.line()
	if w.b.Len() > 0 && !strings.HasSuffix(w.b.String(), "\n\n") {
		w.b.WriteByte('\n')
	}
}

// words writes text with its white space folded, as a browser shows it.
func (w *htmlWriter) words(s string) {
	if w.pre > 0 {
		w.b.WriteString(s)
		return
	}
	start := w.atLineStart()
	space := false
	for _, r := range s {
		switch r {
		case ' ', '\n', '\t', '\r', '\f':
			space = true
			continue
		}
		if space && !start && !strings.HasSuffix(w.b.String(), " ") {
			w.b.WriteByte(' ')
		}
		space, start = false, false
		w.b.WriteRune(r)
	}
	if space && !start {
		w.b.WriteByte(' ')
	}
}

func block(a atom.Atom) bool {
	switch a {
	case atom.Div, atom.Tr, atom.Table, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Address, atom.Dl, atom.Dt, atom.Dd,
		atom.Form, atom.Fieldset, atom.Center, atom.Li, atom.Tbody, atom.Figure, atom.Caption, atom.Nav, atom.Aside, atom.Body:
		return true
	}
	return false
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

var hiddenStyle = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(px|pt|em|;|$|\s)|max-height\s*:\s*0(px|;|$|\s)|opacity\s*:\s*0(;|$|\s)`)

func hidden(n *html.Node) bool {
	if style := attr(n, "style"); style != "" && hiddenStyle.MatchString(cut(style, 4096)) {
		return true
	}
	for _, a := range n.Attr {
		if a.Key == "hidden" {
			return true
		}
	}
	return strings.Contains(strings.ToLower(attr(n, "class")), "preheader")
}

func tracking(n *html.Node) bool {
	return attr(n, "width") == "1" || attr(n, "height") == "1" || attr(n, "width") == "0"
}

// tokens is the text of HTML that is too deep for a tree.
func tokens(source string) string {
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(1 << 20)
	var b strings.Builder
	skip := 0
	for b.Len() < maxText {
		switch z.Next() {
		case html.ErrorToken:
			return tidy(b.String())
		case html.TextToken:
			if skip == 0 {
				b.WriteString(strings.Join(strings.Fields(string(z.Text())), " "))
				b.WriteByte(' ')
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script, atom.Style:
				skip++
			case atom.Br, atom.P, atom.Div, atom.Tr, atom.Li:
				b.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if a := atom.Lookup(name); (a == atom.Script || a == atom.Style) && skip > 0 {
				skip--
			}
		}
	}
	return tidy(b.String())
}

// tidy drops spaces at line ends and more than one empty line.
func tidy(s string) string {
	var out []string
	empty := 0
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimRight(strings.ReplaceAll(line, "\u00a0", " "), " \t")
		if line == "" {
			empty++
			if empty > 1 {
				continue
			}
		} else {
			empty = 0
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

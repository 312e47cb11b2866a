package mailbox

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// markup is the HTML of a part. It is parsed when it is first asked for.
type markup struct {
	source string
	parsed bool
	doc    *html.Node // nil where there is no tree
	words  string     // what is read instead of it
}

// text turns HTML into readable text: paragraphs, lists, tables as lines, links
// with their address where the words do not say it; what is hidden (preheaders,
// tracking pixels, styles, scripts) is dropped. With newest set, quoted history
// that mail programs mark in the structure is dropped too.
//
// x/net/html gives up above 512 open elements, and then the tokenizer's words
// are better than nothing; so they are where a tree would cost too much.
func (m *markup) text(newest bool) string {
	if !m.parsed {
		m.parsed = true
		if !costly(m.source) {
			m.doc, _ = html.Parse(strings.NewReader(m.source))
		}
		if m.doc == nil {
			m.words = tokens(m.source)
		}
	}
	if m.doc == nil {
		return m.words
	}
	w := &htmlWriter{newest: newest}
	w.walk(m.doc)
	return tidy(w.b.String())
}

// htmlWriter walks a tree without recursion: its depth is the sender's choice.
type htmlWriter struct {
	b      strings.Builder
	newest bool
	marked bool // history began
	asked  int  // blockquotes looked at for an attribution
	said   bool // words were written, of the first seen bytes
	seen   int
	cut    bool // and all that follows is left out

	ends  int  // line ends to write before the next words, 2 for a paragraph
	space bool // a space to write before the next words
	fresh bool // a bullet or a cell was begun: its first block is on its line
	row   int  // where the row of a table begins
	pre   int
	lists []list
	tiny  []tinyText
}

// list is an open list; next is the number of its next item, or 0.
type list struct {
	node *html.Node
	next int
}

// tinyText is an element that sets the size of its letters, to none or to some.
type tinyText struct {
	node *html.Node
	none bool
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
		if len(w.tiny) == 0 || !w.tiny[len(w.tiny)-1].none {
			w.words(n.Data)
		}
		return false
	case html.DocumentNode:
		return true
	case html.ElementNode:
	default:
		return false
	}
	look := looksOf(n)
	if look.hidden() || w.newest && w.pastWords(n) {
		return false
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Noscript, atom.Template, atom.Svg, atom.Object, atom.Iframe, atom.Select, atom.Datalist, atom.Audio, atom.Video:
		return false
	case atom.Br:
		w.ends = min(w.ends+1, 2)
		w.fresh = false
		return false
	case atom.Hr:
		w.line()
		w.put("________________________________")
		w.line()
		return false
	case atom.Img:
		if alt := strings.TrimSpace(attr(n, "alt")); alt != "" && !tracking(n) {
			w.words(" [" + alt + "] ")
		}
		return false
	case atom.Ul, atom.Ol:
		w.openList(n)
	case atom.Li:
		w.item(n)
	case atom.Tr:
		w.line()
		w.row = w.b.Len()
	case atom.Td, atom.Th:
		w.cell()
	case atom.Blockquote:
		if w.newest {
			w.line()
		} else {
			w.paragraph()
		}
	case atom.Pre:
		w.line()
		w.pre++
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.paragraph()
	case 0:
		if strings.Contains(n.Data, "@") { // <anna@x.example>, not escaped
			w.words(" <" + n.Data + "> ")
		}
	default:
		if block(n.DataAtom) {
			w.line()
		}
	}
	if look.sized {
		w.tiny = append(w.tiny, tinyText{n, look.size0})
	}
	return true
}

// pastWords leaves out or marks what mail programs mark as history.
func (w *htmlWriter) pastWords(n *html.Node) (skip bool) {
	switch w.quoted(n) {
	case dropIt:
		w.line()
		return true
	case quoteIt:
		w.line()
		w.put(quoteMark)
		w.line()
		return true
	case historyIt:
		w.history()
		return w.cut
	}
	return false
}

func (w *htmlWriter) leave(n *html.Node) {
	if n.Type != html.ElementNode {
		return
	}
	if k := len(w.tiny) - 1; k >= 0 && w.tiny[k].node == n {
		w.tiny = w.tiny[:k]
	}
	switch n.DataAtom {
	case atom.A:
		w.link(strings.TrimSpace(attr(n, "href")))
	case atom.Pre:
		w.pre--
		w.line()
	case atom.Ul, atom.Ol:
		if k := len(w.lists) - 1; k >= 0 && w.lists[k].node == n {
			w.lists = w.lists[:k]
		}
		if len(w.lists) > 0 {
			w.line()
		} else {
			w.paragraph()
		}
	case atom.Li:
		w.fresh = false
		w.ends = 1
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Table:
		w.paragraph()
	case atom.Button, atom.Option:
		w.space = true
	default:
		if block(n.DataAtom) {
			w.line()
		}
	}
}

// link writes where a link leads if its words do not say so.
func (w *htmlWriter) link(href string) {
	if !strings.HasPrefix(href, "http") || len(href) >= 300 || strings.ContainsAny(href, " \t\n<>") {
		return
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(href, "https://"), "http://"), "/")
	if !strings.Contains(w.tail(len(href)+40), bare) {
		w.space = true
		w.put("<" + href + ">")
	}
}

func (w *htmlWriter) openList(n *html.Node) {
	if len(w.lists) > 0 {
		w.line()
	} else {
		w.paragraph()
	}
	l := list{node: n}
	if n.DataAtom == atom.Ol {
		l.next = 1
		if start, err := strconv.Atoi(attr(n, "start")); err == nil && start > 0 && start < 1e6 {
			l.next = start
		}
	}
	w.lists = append(w.lists, l)
}

// item begins a line with a bullet or a number, further in for inner lists.
func (w *htmlWriter) item(n *html.Node) {
	w.line()
	bullet := "-"
	if k := len(w.lists) - 1; k >= 0 {
		bullet = strings.Repeat("  ", min(k, 8)) + bullet
		if l := &w.lists[k]; l.next > 0 && l.node == n.Parent {
			bullet = strings.Repeat("  ", min(k, 8)) + strconv.Itoa(l.next) + "."
			l.next++
		}
	}
	w.put(bullet)
	w.space, w.fresh = true, true
}

// cell goes on in the row's line if something stands there.
func (w *htmlWriter) cell() {
	if w.b.Len() > w.row {
		w.ends = 0
		w.space = true
	}
	w.fresh = true
}

func (w *htmlWriter) tail(n int) string {
	s := w.b.String()
	return s[max(0, len(s)-n):]
}

// line ends the line before the next words, paragraph leaves an empty one too.
func (w *htmlWriter) line() { w.breakLines(1) }

func (w *htmlWriter) paragraph() { w.breakLines(2) }

func (w *htmlWriter) breakLines(n int) {
	if !w.fresh {
		w.ends = max(w.ends, n)
	}
}

// put writes s after the line ends and the space that are due.
func (w *htmlWriter) put(s string) {
	switch {
	case w.b.Len() == 0:
	case w.ends > 0:
		w.b.WriteString("\n\n"[:w.ends])
	case w.space && !strings.HasSuffix(w.tail(1), " "):
		w.b.WriteByte(' ')
	}
	w.ends, w.space, w.fresh = 0, false, false
	w.b.WriteString(s)
}

// words writes text with its white space folded, as a browser shows it.
func (w *htmlWriter) words(s string) {
	if w.pre > 0 {
		if s != "" {
			w.put(strings.TrimPrefix(s, "\n"))
		}
		return
	}
	for s != "" {
		i := strings.IndexAny(s, " \n\t\r\f")
		switch {
		case i < 0:
			w.put(s)
			return
		case i > 0:
			w.put(s[:i])
		}
		w.space = true
		s = strings.TrimLeft(s[i:], " \n\t\r\f")
	}
}

func block(a atom.Atom) bool {
	switch a {
	case atom.Div, atom.Tr, atom.Table, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Address, atom.Dl, atom.Dt, atom.Dd,
		atom.Form, atom.Fieldset, atom.Center, atom.Li, atom.Tbody, atom.Figure, atom.Caption, atom.Nav, atom.Aside, atom.Body, atom.Details, atom.Summary, atom.Figcaption:
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
	if s = strings.TrimSpace(s); isTidy(s) {
		return s
	}
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

// isTidy tells whether tidy has nothing to do about a text that begins and ends
// with words.
func isTidy(s string) bool {
	return !strings.Contains(s, "\u00a0") && !strings.Contains(s, " \n") && !strings.Contains(s, "\t\n") && !strings.Contains(s, "\n\n\n")
}

package mailbox

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// structure is what an element of a mail's HTML says of the words in it.
type structure int

const (
	ownIt     structure = iota
	dropIt              // a signature
	quoteIt             // somebody else's words, quoted
	historyIt           // here and after it is history
)

// marks are the classes, ids and other names by which mail programs mark what
// they put round history and signatures, lower case. A container holds only
// what is quoted; a start has history after it; the names of Outlook on the web
// are prefixed with x_ at each turn of a conversation.
var marks = map[string]structure{
	// Outlook: on the web, on phones, for Mac; Hotmail and Windows Mail
	"divrplyfwdmsg": historyIt, "appendonsend": historyIt, "stopspelling": historyIt, "olk_src_body_section": historyIt, "outlookmessageheader": historyIt,
	"mail-editor-reference-message-container": historyIt, "ms-outlook-mobile-reference-message": historyIt, "mailcontainerbody_quote": historyIt,
	"signature": dropIt, "ms-outlook-mobile-signature": dropIt, "ms-outlook-ios-signature": dropIt, "_mailendcompose": ownIt,
	// Gmail
	"gmail_signature": dropIt, "gmail_signature_prefix": dropIt,
	// Apple Mail, Thunderbird, Evolution, Roundcube, Zimbra
	"applemailsignature": dropIt, "moz-signature": dropIt, "-x-evo-signature": dropIt, "__quoted_text__": quoteIt, "__headers__": historyIt, "zwchr": historyIt,
	// Yahoo, AOL
	"yahoo_quoted": quoteIt, "yahooquoted": quoteIt, "ymail_android_signature": dropIt, "ymail_ios_signature": dropIt, "aolreplacedbody": ownIt,
	// Proton, Tuta, Fastmail
	"protonmail_quote": quoteIt, "protonmail_signature_block": dropIt, "tutanota_quote": quoteIt, "tutanota_signature": dropIt,
	// mail.ru, Yandex, GMX and web.de, Zoho
	"mail-quote-collapse": quoteIt, "mail-app-auto-quote": quoteIt, "mail-app-auto-default-signature": dropIt, "name:quote": quoteIt,
	"zmail_extra": quoteIt, "zmail_signature": dropIt, "zmail_signature_below": dropIt,
	// Samsung, Spark, Airmail, Superhuman, Front, Missive, HEY, Mailbird
	"composer_signature": dropIt, "name:messagereplysection": quoteIt, "name:messagesignaturesection": dropIt, "airmail_signature": dropIt,
	"sh-quoted-content": quoteIt, "sh-signature": dropIt, "front-blockquote": quoteIt, "front-signature": dropIt, "missive_quote": quoteIt, "missive_signature": dropIt, "edo-signature": dropIt, "edo-original": quoteIt,
	// help desks
	"freshdesk_quote": quoteIt, "quotedreply": quoteIt, "helpscout_quote": quoteIt, "intercom-quoted": quoteIt, "zd-quote": quoteIt,
}

// marksHistory is a cheap look at HTML: may its structure mark history?
func (m *markup) marksHistory() bool { return historyMarks.in(m.source) }

var historyMarks = newStems("quote|divrplyfwdmsg|appendonsend|border-top:solid|border-top: solid|olk_src_body_section|reference-message|stopspelling|zwchr|zmail_extra|__headers__|messagereplysection")

// quoted tells what an element is by its marks. Without any, a blockquote is
// the sender's own unless an attribution stands before it or in it.
func (w *htmlWriter) quoted(n *html.Node) structure {
	s := marked(n)
	switch {
	case n.DataAtom == atom.Blockquote:
		if s == quoteIt || s == dropIt {
			return w.unlessForwarded(n)
		}
		if attr(n, "type") == "cite" || hasClass(n, "gmail_quote") && insideQuote(n) || w.attributed() || attributedInside(n) {
			return w.unlessForwarded(n)
		}
		return ownIt
	case hasClass(n, "gmail_quote"), hasClass(n, "gmail_extra"):
		// A container with the attribution, the quote and, where the answer is
		// given between the lines, the answer.
		if hasChild(n, atom.Blockquote) || hasClass(n, "gmail_extra") || isForwarded(n) {
			return ownIt
		}
		return quoteIt
	case s == quoteIt:
		return w.unlessForwarded(n)
	case s == historyIt && attr(n, "id") == "" && !w.wrote():
		return ownIt
	case s == ownIt && n.DataAtom == atom.Div && bordered(n):
		return historyIt
	}
	return s
}

// marked is what an element's own names say.
func marked(n *html.Node) structure {
	for _, a := range n.Attr {
		switch a.Key {
		case "class":
			for f := range strings.FieldsSeq(strings.ToLower(cut(a.Val, 2000))) {
				if s := markOf(f); s != ownIt {
					return s
				}
			}
		case "id", "data-marker":
			if s := markOf(strings.ToLower(cut(a.Val, 200))); s != ownIt {
				return s
			}
		case "name":
			if s := marks["name:"+strings.ToLower(cut(a.Val, 200))]; s != ownIt {
				return s
			}
		}
	}
	return ownIt
}

func markOf(name string) structure {
	if s, ok := marks[name]; ok {
		return s
	}
	for strings.HasPrefix(name, "x_") {
		name = name[2:]
	}
	// Yahoo begins its names with "ydp" and a number for each mail.
	if strings.HasPrefix(name, "ydp") {
		if strings.HasSuffix(name, "yahoo_quoted") {
			return quoteIt
		}
		if strings.HasSuffix(name, "signature") {
			return dropIt
		}
	}
	return marks[name]
}

func hasClass(n *html.Node, name string) bool {
	for f := range strings.FieldsSeq(attr(n, "class")) {
		if f == name || strings.TrimPrefix(f, "x_") == name {
			return true
		}
	}
	return false
}

func hasChild(n *html.Node, a atom.Atom) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == a {
			return true
		}
		for d := c.FirstChild; d != nil; d = d.NextSibling {
			if d.DataAtom == a {
				return true
			}
		}
	}
	return false
}

// insideQuote tells whether an element stands in Gmail's container of history.
func insideQuote(n *html.Node) bool {
	for p, i := n.Parent, 0; p != nil && i < 4; p, i = p.Parent, i+1 {
		if hasClass(p, "gmail_quote") || hasClass(p, "gmail_extra") {
			return true
		}
	}
	return false
}

// unlessForwarded is quoteIt, but for a forwarded mail, which is what was sent.
func (w *htmlWriter) unlessForwarded(n *html.Node) structure {
	if isForwarded(n) {
		return ownIt
	}
	for _, l := range w.lastLines(2) {
		if l = strings.TrimSpace(l); l != "" && isForward(l) {
			return ownIt
		}
	}
	return quoteIt
}

func isForwarded(n *html.Node) bool {
	for l := range strings.SplitSeq(firstWords(n, 300), "\n") {
		l = strings.TrimSpace(l)
		if i := strings.LastIndex(l, "--"); i > 0 {
			l = l[:i+2]
		}
		if l != "" {
			return isForward(l)
		}
	}
	return false
}

// mostAttributions bounds how often a mail's blockquotes are looked at.
const mostAttributions = 300

// attributed tells whether the words just written are an attribution.
func (w *htmlWriter) attributed() bool {
	if w.asked++; w.asked > mostAttributions {
		return false
	}
	lines := w.lastLines(4)
	for i := range lines {
		if n := attribution(append(lines[i:len(lines):len(lines)], quoteMark)); n > 0 && i+n == len(lines) {
			return true
		}
	}
	return false
}

// lastLines are at most n lines with words that were written last.
func (w *htmlWriter) lastLines(n int) []string {
	all := strings.Split(strings.TrimRight(w.tail(800), "\n \t"), "\n")
	var lines []string
	for i := len(all) - 1; i >= 0 && len(lines) < n; i-- {
		if l := strings.TrimSpace(strings.ReplaceAll(all[i], "\u00a0", " ")); l != "" {
			lines = append([]string{l}, lines...)
		} else if len(lines) > 1 {
			break
		}
	}
	return lines
}

// attributedInside tells whether a blockquote begins with an attribution or the
// header fields of a mail, as some programs put it.
func attributedInside(n *html.Node) bool {
	words := strings.Join(strings.Fields(strings.ReplaceAll(firstWords(n, 400), "\u00a0", " ")), " ")
	if i := strings.Index(words, ": "); i > 0 && i < 250 && len(words) > i+2 {
		return attribution([]string{words[:i+1], quoteMark}) > 0 && dated.MatchString(words[:i+1])
	}
	return false
}

// history marks once that history begins here, and ends the walk where words
// stand above it.
func (w *htmlWriter) history() {
	if w.marked {
		return
	}
	w.marked, w.cut = true, w.wrote()
	w.line()
	w.put(historyMark)
	w.line()
}

// wrote tells whether words were written so far. It looks at each of them once.
func (w *htmlWriter) wrote() bool {
	if !w.said {
		text := w.b.String()
		w.said = lineHasWords(text[min(w.seen, len(text)):])
		w.seen = len(text)
	}
	return w.said
}

// outlookBorder is the line that Outlook draws above the fields of a quoted
// mail's header.
var outlookBorder = regexp.MustCompile(`(?i)border-top\s*:\s*(?:solid|[\d.]+p[tx] solid|#\w+|rgb\([^)]*\)) |border-top-style\s*:\s*solid`)

func bordered(n *html.Node) bool {
	style := attr(n, "style")
	if style == "" || len(style) > 2000 || !outlookBorder.MatchString(style+" ") {
		return false
	}
	words := strings.TrimSpace(firstWords(n, 400))
	name, _ := fieldOf(words)
	return name == fieldFrom || name == fieldDate && headerBlock(strings.Split(words, "\n"), true) > 0
}

// firstWords is the beginning of a node's text, a line for each element.
func firstWords(n *html.Node, max int) string {
	var b strings.Builder
	steps := 0
	for c := n; c != nil && b.Len() < max && steps < 300; steps++ {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
		if c.DataAtom == atom.Br || block(c.DataAtom) || c.DataAtom == atom.P {
			b.WriteByte('\n')
		}
		if c.FirstChild != nil {
			c = c.FirstChild
			continue
		}
		for c != nil && c != n && c.NextSibling == nil {
			c = c.Parent
		}
		if c == nil || c == n {
			break
		}
		c = c.NextSibling
	}
	return strings.TrimLeft(b.String(), "\n ")
}

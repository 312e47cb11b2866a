package mailbox

import (
	"fmt"
	"strings"
	"testing"
)

func distinct(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestHTMLThatWouldGrowIsReadByItsWords has a few KB of HTML of which a browser
// makes millions of elements, with ends that hide it from a simple count.
func TestHTMLThatWouldGrowIsReadByItsWords(t *testing.T) {
	bold, blocks := distinct("<b id=%d>", 400), strings.Repeat("<div>words</div>", 5000)
	tests := map[string]string{
		"left open":                 "<div>" + bold + "</div>" + blocks,
		"ended in another cell":     bold + "<table><tr><td>" + strings.Repeat("</b>", 400) + "</table>" + blocks,
		"ended with blocks between": strings.Repeat(bold[:90]+"<div><div><div><div><div><div><div><div><div></b></b></b></b></b></b></b></b></b></b>", 40) + strings.Repeat("</div>", 400) + blocks,
		"behind what is no text":    "<div>" + bold + "</div><svg><style><p>words</p>" + blocks,
		"deep":                      strings.Repeat("<b><i>", 200) + strings.Repeat("<p>words</p>", 30000),
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			if !costly(source) {
				t.Errorf("costly = false for %d bytes", len(source))
			}
			m := Parse([]byte("From: Anna <a@x.example>\nContent-Type: text/html\n\n" + source))
			if m.Problem != "" || name != "behind what is no text" && !strings.Contains(m.Reply, "words") {
				t.Errorf("Parse: problem %q, reply %.100q", m.Problem, m.Reply)
			}
		})
	}
}

func TestLongHTMLOfUsualProgramsKeepsItsStructure(t *testing.T) {
	tests := map[string]string{
		"table without ends":      "<table>" + strings.Repeat("<tr><td>1<td>2<td>words", 30000),
		"paragraphs without ends": strings.Repeat("<p>words", 30000),
		"list without ends":       "<ul>" + strings.Repeat("<li><p>words", 30000) + "</ul>",
		"links":                   distinct("<a href=https://x.example/%d>words</a> ", 20000),
		"letters of all sizes":    distinct("<p><font size=%d>words</font></p>", 15000),
		"sizes left open":         strings.Repeat("<p><font size=2>words</p>", 15000),
		"a conversation":          strings.Repeat("<div><blockquote><div>", 80) + strings.Repeat("<p class=MsoNormal><span><b>words</b></span><br></p>", 8000),
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			if costly(source) {
				t.Errorf("costly = true for %d bytes", len(source))
			}
		})
	}
}

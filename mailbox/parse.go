package mailbox

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of what is read of a mail.
const (
	maxMail    = 5 << 20 // bytes
	maxDepth   = 20      // of nested parts
	maxParts   = 200
	maxHTML    = 1 << 20 // bytes
	maxDefects = 20
)

// Parser understands mails. The zero value is ready; it is safe for concurrent
// use.
type Parser struct {
	InstallID    string   // mail that carries it in X-Tocsin is our own
	OwnAddresses []string // the team's, lower case
	AuthservID   string   // whose Authentication-Results are believed; empty: nobody's
}

// Parse understands a mail with the zero Parser.
func Parse(raw []byte) Message {
	var p Parser
	return p.Parse(raw)
}

// Parse understands a mail. It never fails: what could not be read is named in
// Defects, and a mail of which nothing could be read has a Problem.
func (p *Parser) Parse(raw []byte) (m Message) {
	r := &reading{m: &m}
	size := int64(len(raw))
	defer func() {
		if e := recover(); e != nil {
			// A broken promise of ours or of a library: the mail is kept with
			// what was read of it so far.
			m.Problem = fmt.Sprintf("the mail could not be read: %v", e)
		}
		m.Size = size
		m.ID = identity(&m, r.dateHeader)
	}()
	p.parse(raw, r)
	return m
}

// reading is the state of one mail while it is read.
type reading struct {
	m          *Message
	parts      int
	htmlBytes  int
	dateHeader string
	report     report
	// returned is what a report sends back of the mail that it is about: not
	// the writer's words, and read only if there are no others. spare are the
	// words of parts that were sent as files, for the same case.
	returned, spare content
	// files are the mails that were attached as files. They are no part of the
	// text, but what a person says by attaching one is what it says.
	files content
}

func (r *reading) defect(text string) {
	if len(r.m.Defects) < maxDefects && !slices.Contains(r.m.Defects, text) {
		r.m.Defects = append(r.m.Defects, text)
	}
}

func (p *Parser) parse(raw []byte, r *reading) {
	m := r.m
	if len(raw) > maxMail {
		raw = raw[:maxMail]
		r.defect("only the first 5 MB were read")
	}
	raw = tolerate(raw, r.defect)
	if len(bytes.Trim(raw, " \t\r\n\x00")) == 0 {
		m.Problem = "the mail is empty"
		return
	}
	h, body := readHeader(raw, maxHeaderBytes, r.defect)
	if !utf8.Valid(raw[:len(raw)-len(body)]) {
		r.defect("letters in the header had no charset; it was guessed")
	}
	p.head(&h, r)
	if len(body) == len(raw) && binary(body) {
		m.Problem = "this is no mail but a file of another kind"
		return
	}
	var b content
	r.walk(&h, body, place{kind: "text/plain"}, &b)
	m.Text = readableText(&b)
	for _, other := range []*content{&r.files, &r.spare, &r.returned} {
		if m.Text == "" && len(other.pieces) > 0 {
			b = *other
			m.Text = readableText(&b)
			*other = content{}
		}
	}
	p.fromForm(m)
	p.automated(&h, r)
	if own := b.own(); m.Automated == Bounce && len(own.pieces) < len(b.pieces) {
		if text := readableText(own); text != "" { // without the mail that came back
			m.Text, b = text, *own
		}
	}
	m.Reply = strings.TrimSpace(Clean(b.reply(m), maxText))
	if m.Automated == Human && len(r.files.pieces) > 0 {
		m.Reply = strings.TrimSpace(cut(m.Reply+"\n\n"+readableText(&r.files), maxText))
	}
	switch {
	case m.Automated != Human && m.Via.Addr != "":
		m.From, m.Via = m.Via, Address{} // a machine writes for nobody
	case m.Automated == Human && m.From.Addr == "":
		noFrom(&h, r)
	}
	if m.From.Addr == "" && m.Subject == "" && m.Text == "" && m.Automated == Human {
		m.Problem = "no sender, subject or text could be read"
	}
}

// binary tells whether bytes are no text at all: those of a picture, a program,
// a document.
func binary(b []byte) bool {
	if bytes.HasPrefix(b, []byte("%PDF-")) {
		return true
	}
	b = b[:min(len(b), 4096)]
	controls := 0
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\t' && c != '\f' && c != 0x1b {
			controls++
		}
	}
	return controls*50 > len(b)
}

package imapsync

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// Bounds of a structure worth following; a mail beyond them is read as its
// first bytes.
const (
	maxNesting = 20
	maxLeaves  = 200
)

// plan is which sections of a large mail to fetch, and how they go together.
type plan struct {
	root     *node
	sections []*imap.FetchItemBodySection
	bytes    int64 // estimate of what the sections bring
	leaves   int
}

// node is one part of a mail.
type node struct {
	path     []int
	multi    *imap.BodyStructureMultiPart // else a leaf
	children []*node
	leaf     *imap.BodyStructureSinglePart
	body     *imap.FetchItemBodySection // nil: not fetched
	mime     *imap.FetchItemBodySection // nil at the root
}

// planOf decides what to fetch; nil if the structure cannot be used.
func planOf(bs imap.BodyStructure) *plan {
	p := &plan{}
	p.root = p.add(bs, nil, 0)
	if p.root == nil {
		return nil
	}
	return p
}

func (p *plan) add(bs imap.BodyStructure, path []int, depth int) *node {
	if depth > maxNesting {
		return nil
	}
	n := &node{path: path}
	switch bs := bs.(type) {
	case *imap.BodyStructureMultiPart:
		n.multi = bs
		for i, child := range bs.Children {
			if p.leaves >= maxLeaves {
				break
			}
			c := p.add(child, append(slices.Clip(path), i+1), depth+1)
			if c == nil {
				return nil
			}
			n.children = append(n.children, c)
		}
	case *imap.BodyStructureSinglePart:
		n.leaf = bs
		p.addLeaf(n)
	default:
		return nil
	}
	return n
}

func (p *plan) addLeaf(n *node) {
	first := p.leaves == 0
	p.leaves++
	if len(n.path) > 0 {
		n.mime = section(n.path, imap.PartSpecifierMIME, maxPartMIME)
		p.sections = append(p.sections, n.mime)
		p.bytes += 512
	}
	most := min(wanted(n.leaf, first), maxMail-p.bytes)
	if most <= 0 {
		return
	}
	spec := imap.PartSpecifierNone
	if len(n.path) == 0 {
		spec = imap.PartSpecifierText
	}
	n.body = section(n.path, spec, most)
	p.sections = append(p.sections, n.body)
	if size := int64(n.leaf.Size); size > 0 {
		most = min(most, size)
	}
	p.bytes += most
}

// wanted is how many bytes of a part are read: text, and the machine's words in
// a bounce; nothing of an attachment.
func wanted(leaf *imap.BodyStructureSinglePart, first bool) int64 {
	attached := false
	if d := leaf.Disposition(); d != nil {
		attached = strings.EqualFold(d.Value, "attachment")
	}
	switch typ := strings.ToLower(leaf.Type); {
	case typ == "message":
		return wholeMail
	case typ != "text" || (attached && !first):
		return 0
	case leaf.MediaType() == "text/plain", leaf.MediaType() == "text/html":
		return maxPart
	}
	return wholeMail
}

// key is equal for plans that ask for the same sections.
func (p *plan) key() string {
	var b strings.Builder
	for _, s := range p.sections {
		fmt.Fprintf(&b, "%s<%d> ", sectionName(s), s.Partial.Size)
	}
	return b.String()
}

// complete tells whether an answer holds all that the plan needs.
func (p *plan) complete(a *answer) bool {
	return a.sections[string(imap.PartSpecifierHeader)] != nil && p.root.complete(a)
}

func (n *node) complete(a *answer) bool {
	if n.mime != nil {
		if _, ok := a.sections[sectionName(n.mime)]; !ok {
			return false
		}
	}
	if n.body != nil {
		data, ok := a.sections[sectionName(n.body)]
		// A part that the structure gives a size and that comes empty means
		// that the structure, or its numbering, is wrong.
		if !ok || (len(data) == 0 && n.leaf.Size > 0) {
			return false
		}
	}
	for _, c := range n.children {
		if !c.complete(a) {
			return false
		}
	}
	return true
}

// rebuild makes a smaller mail of the sections: the header as it is but for
// the fields that describe the body, text parts as they are, attachments empty
// with their size in X-Tocsin-Size.
func (p *plan) rebuild(a *answer) []byte {
	var b bytes.Buffer
	header := wholeLines(a.sections[string(imap.PartSpecifierHeader)], maxHeader)
	if p.root.multi != nil {
		writeWithout(&b, header, "Content-Type", "Content-Transfer-Encoding", "X-Tocsin-Size")
	} else {
		writeWithout(&b, header, "X-Tocsin-Size")
	}
	p.root.write(&b, a, boundary(a))
	return b.Bytes()
}

// write adds a part to a mail in which its own header was begun.
func (n *node) write(b *bytes.Buffer, a *answer, bound string) {
	if n.multi == nil {
		if n.body == nil {
			fmt.Fprintf(b, "X-Tocsin-Size: %d\r\n\r\n", n.leaf.Size)
			return
		}
		b.WriteString("\r\n")
		b.Write(a.sections[sectionName(n.body)])
		return
	}
	own := bound
	for _, i := range n.path {
		own += fmt.Sprintf(".%d", i)
	}
	fmt.Fprintf(b, "Content-Type: multipart/%s; boundary=%q%s\r\n\r\n", token(n.multi.Subtype, "mixed"), own, multiParams(n.multi))
	for _, c := range n.children {
		fmt.Fprintf(b, "--%s\r\n", own)
		if c.multi == nil {
			c.writeHeader(b, a)
		}
		c.write(b, a, bound)
		b.WriteString("\r\n")
	}
	fmt.Fprintf(b, "--%s--\r\n", own)
}

// writeHeader adds a part's own header, or one made of the structure where the
// server sent none.
func (n *node) writeHeader(b *bytes.Buffer, a *answer) {
	h := wholeLines(a.sections[sectionName(n.mime)], maxPartMIME)
	if len(bytes.TrimSpace(h)) > 0 {
		writeWithout(b, h, "X-Tocsin-Size")
		return
	}
	fmt.Fprintf(b, "Content-Type: %s/%s", token(n.leaf.Type, "application"), token(n.leaf.Subtype, "octet-stream"))
	for _, name := range []string{"charset", "name"} {
		if v := n.leaf.Params[name]; v != "" {
			fmt.Fprintf(b, "; %s=%s", name, quoted(v))
		}
	}
	fmt.Fprintf(b, "\r\nContent-Transfer-Encoding: %s\r\n", token(n.leaf.Encoding, "7bit"))
	if d := n.leaf.Disposition(); d != nil {
		fmt.Fprintf(b, "Content-Disposition: %s", token(d.Value, "attachment"))
		if v := d.Params["filename"]; v != "" {
			fmt.Fprintf(b, "; filename=%s", quoted(v))
		}
		b.WriteString("\r\n")
	}
}

// multiParams repeats the parameters of a multipart that say what it is.
func multiParams(m *imap.BodyStructureMultiPart) string {
	if m.Extended == nil {
		return ""
	}
	var b strings.Builder
	for _, name := range []string{"report-type", "protocol", "type"} {
		if v := m.Extended.Params[name]; v != "" {
			fmt.Fprintf(&b, "; %s=%s", name, quoted(v))
		}
	}
	return b.String()
}

// boundary is a line that no fetched section holds.
func boundary(a *answer) string {
	sum := sha256.Sum256(a.sections[string(imap.PartSpecifierHeader)])
	for i := 0; ; i++ {
		bound := fmt.Sprintf("tocsin-%s-%d", hex.EncodeToString(sum[:8]), i)
		used := false
		for _, data := range a.sections {
			used = used || bytes.Contains(data, []byte(bound))
		}
		if !used {
			return bound
		}
	}
}

// wholeLines drops the blank line that ends a header, and a last line that was
// cut at most bytes.
func wholeLines(h []byte, most int) []byte {
	if len(h) >= most {
		if i := bytes.LastIndexByte(h, '\n'); i >= 0 {
			h = h[:i+1]
		}
	}
	return bytes.TrimRight(h, "\r\n")
}

// writeWithout copies a header, each line ended, without some of its fields.
func writeWithout(b *bytes.Buffer, h []byte, names ...string) {
	skip := false
	for line := range bytes.Lines(h) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			skip = false
			for _, n := range names {
				skip = skip || strings.EqualFold(string(bytes.TrimSpace(name)), n)
			}
		}
		line = bytes.TrimRight(line, "\r\n")
		if !skip && len(line) > 0 {
			b.Write(line)
			b.WriteString("\r\n")
		}
	}
}

// token keeps of a media type's part what may stand there (RFC 2045 section 5.1).
func token(s, otherwise string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?=`, r) {
			return -1
		}
		return r
	}, s)
	if s == "" || len(s) > 100 {
		return otherwise
	}
	return strings.ToLower(s)
}

func quoted(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, s)
	return `"` + s[:min(len(s), 500)] + `"`
}

// mailDigest stands for a mail whose parser failed.
func mailDigest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

package mailbox

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what is read of a mail.
const (
	maxMail    = 5 << 20 // bytes
	maxDepth   = 20      // of nested parts
	maxParts   = 200
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
	forwarded  strings.Builder // of an enclosed message, when there is no text
	dateHeader string
	report     report
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
	if len(bytes.TrimSpace(raw)) == 0 {
		m.Problem = "the mail is empty"
		return
	}
	h, body := readHeader(raw, maxHeaderBytes, r.defect)
	p.head(&h, r)
	var b content
	r.walk(&h, body, 0, &b)
	m.Text = Clean(b.text(), maxText)
	if m.Text == "" && r.forwarded.Len() > 0 {
		m.Text = Clean(r.forwarded.String(), maxText)
	}
	m.Text = strings.TrimSpace(m.Text)
	m.Reply = strings.TrimSpace(Clean(b.reply(m), maxText))
	p.automated(&h, r)
	if m.From.Addr == "" && m.Subject == "" && m.Text == "" && m.Automated == Human {
		m.Problem = "no sender, subject or text could be read"
	}
}

// tolerate repairs what comes before a mail and its line ends: an mbox line
// (go-message issue 198), a byte order mark, CR alone or CR CR LF.
func tolerate(b []byte, defect func(string)) []byte {
	if bom := []byte("\xef\xbb\xbf"); bytes.HasPrefix(b, bom) {
		b = b[3:]
		defect("a byte order mark stood before the mail")
	}
	b = bytes.TrimLeft(b, "\r\n")
	if bytes.HasPrefix(b, []byte("From ")) || bytes.HasPrefix(b, []byte(">From ")) {
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
			defect("an mbox line stood before the mail")
		}
	}
	if bytes.IndexByte(b, '\r') >= 0 {
		if bytes.Contains(b, []byte("\r\r\n")) {
			b = bytes.ReplaceAll(b, []byte("\r\r\n"), []byte("\n"))
			defect("line ends were doubled")
		}
		if !bytes.Contains(b, []byte("\n")) {
			defect("lines ended in CR alone")
		}
		b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
		b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	}
	if bytes.IndexByte(b, 0) >= 0 {
		b = bytes.ReplaceAll(b, []byte{0}, nil)
		defect("NUL bytes were dropped")
	}
	return b
}

// head reads the fields that say who, when, and what about.
func (p *Parser) head(h *header, r *reading) {
	m := r.m
	m.MessageID = messageID(h.get("Message-Id"))
	m.InReplyTo = ids(h.get("In-Reply-To"), 10)
	m.References = ids(h.get("References"), 100)
	m.Subject = cleanLine(decodeHeader(h.get("Subject")), maxSubject)
	r.dateHeader = strings.Join(strings.Fields(h.get("Date")), " ")
	m.Date = parseDate(h.get("Date"))
	if m.Date.IsZero() && r.dateHeader != "" {
		r.defect("the date could not be read")
	}
	m.Received = received(h)
	if m.Received.IsZero() {
		m.Received = m.Date
	}
	m.From = firstAddress(h.get("From"))
	if m.From.Addr == "" {
		for _, name := range []string{"Sender", "Reply-To", "Return-Path", "X-Envelope-From", "X-Sender"} {
			if a := firstAddress(h.get(name)); a.Addr != "" {
				if m.From.Name != "" {
					a.Name = m.From.Name
				}
				m.From = a
				r.defect("the sender was taken from " + name)
				break
			}
		}
	}
	m.To = append(parseAddresses(h.get("To"), 50), parseAddresses(h.get("Cc"), 50)...)
	p.onBehalf(h, m)
	m.Authenticated = p.authentication(h)
}

// onBehalf finds the person behind a web form, which sends from an address of
// its own and names the person in Reply-To.
func (p *Parser) onBehalf(h *header, m *Message) {
	reply := firstAddress(h.get("Reply-To"))
	if reply.Addr == "" || strings.EqualFold(reply.Addr, m.From.Addr) {
		return
	}
	from := strings.ToLower(m.From.Addr)
	local, _, _ := strings.Cut(from, "@")
	form := slices.Contains(p.OwnAddresses, from)
	for _, word := range []string{"noreply", "no-reply", "donotreply", "do-not-reply", "form", "forms", "contact", "webform", "website", "wordpress", "mailer", "www-data", "web"} {
		form = form || local == word || strings.HasPrefix(local, word+"-") || strings.HasPrefix(local, word+"+")
	}
	if !form || slices.Contains(p.OwnAddresses, strings.ToLower(reply.Addr)) || h.get("List-Id") != "" {
		return
	}
	if l, _, _ := strings.Cut(strings.ToLower(reply.Addr), "@"); strings.HasPrefix(l, "noreply") || strings.HasPrefix(l, "no-reply") {
		return
	}
	m.Via, m.From = m.From, reply
	if m.From.Name == "" {
		m.From.Name = m.Via.Name
	}
}

// received is the newest Received header's time.
func received(h *header) time.Time {
	for _, v := range h.all("Received") {
		if i := strings.LastIndexByte(v, ';'); i >= 0 {
			if t := parseDate(v[i+1:]); !t.IsZero() {
				return t
			}
		}
	}
	return time.Time{}
}

// authentication reads what the configured server found (RFC 8601). The
// server adds its field on top; fields of other names may be forged.
func (p *Parser) authentication(h *header) Authentication {
	if p.AuthservID == "" {
		return AuthUnknown
	}
	for _, v := range h.all("Authentication-Results") {
		id, rest, _ := strings.Cut(v, ";")
		if !strings.EqualFold(strings.TrimSpace(strings.Fields(id + " x")[0]), p.AuthservID) {
			continue
		}
		rest = strings.ToLower(strings.Join(strings.Fields(rest), " "))
		switch {
		case strings.Contains(rest, "dmarc=pass"):
			return AuthPass
		case strings.Contains(rest, "dmarc=fail"):
			return AuthFail
		case strings.Contains(rest, "dkim=pass"), strings.Contains(rest, "spf=pass"):
			return AuthPass
		case strings.Contains(rest, "dkim=fail"), strings.Contains(rest, "spf=fail"), strings.Contains(rest, "spf=softfail"):
			return AuthFail
		}
		return AuthUnknown
	}
	return AuthUnknown
}

// content gathers the readable parts of a mail in their order.
type content struct {
	pieces []piece
}

type piece struct {
	plain string
	html  string // set instead of plain for HTML
}

func (b *content) text() string {
	var out []string
	for _, p := range b.pieces {
		if p.html != "" {
			out = append(out, htmlText(p.html, false))
		} else {
			out = append(out, p.plain)
		}
	}
	return strings.Join(out, "\n\n")
}

// reply is what the sender wrote this time: from the HTML's structure where
// the mail is HTML, then by the rules of text.
func (b *content) reply(m *Message) string {
	var out []string
	for _, p := range b.pieces {
		if p.html != "" {
			out = append(out, htmlText(p.html, true))
		} else {
			out = append(out, p.plain)
		}
	}
	text := strings.Join(out, "\n\n")
	if strings.TrimSpace(text) == "" {
		text = m.Text
	}
	return newest(text, m.From.Name)
}

// walk reads an entity. A part that cannot be read never ends the walk.
func (r *reading) walk(h *header, body []byte, depth int, b *content) {
	r.parts++
	if r.parts > maxParts || depth > maxDepth {
		r.defect("parts beyond the bounds were not read")
		return
	}
	kind, params := mediaType(h.get("Content-Type"))
	if kind == "" || !strings.Contains(kind, "/") {
		if kind != "" {
			r.defect("the content type could not be read")
		}
		kind = "text/plain"
	}
	disposition, dparams := mediaType(h.get("Content-Disposition"))
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		r.multipart(kind, params, body, depth, b)
	case kind == "message/delivery-status" || kind == "message/disposition-notification":
		r.report.read(decodeTransfer(body, h.get("Content-Transfer-Encoding")), kind)
	case kind == "message/rfc822" || kind == "message/global":
		r.enclosed(h, body, depth)
	case strings.HasPrefix(kind, "text/") && !attached(kind, disposition):
		r.textPart(kind, params, h.get("Content-Transfer-Encoding"), body, b)
	default:
		r.attachment(kind, params, dparams, h, body)
	}
}

func attached(kind, disposition string) bool {
	switch kind {
	case "text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown":
		return disposition == "attachment"
	case "text/rfc822-headers", "text/calendar", "text/vcard", "text/x-vcard", "text/csv", "text/css", "text/javascript", "text/xml":
		return true
	}
	return disposition == "attachment"
}

func (r *reading) textPart(kind string, params map[string]string, transfer string, body []byte, b *content) {
	decoded := decodeTransfer(body, transfer)
	s, ok := toUTF8(decoded, params["charset"])
	if !ok {
		r.defect("a charset was guessed")
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	looksHTML := kind == "text/html" || kind == "text/enriched" && strings.Contains(s, "<")
	if kind == "text/plain" {
		start := strings.ToLower(strings.TrimSpace(s[:min(len(s), 200)]))
		looksHTML = strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
	}
	if looksHTML {
		b.pieces = append(b.pieces, piece{html: cut(s, 4*maxText)})
		return
	}
	if strings.EqualFold(params["format"], "flowed") {
		s = unflow(s, strings.EqualFold(params["delsp"], "yes"))
	}
	if strings.TrimSpace(s) != "" {
		b.pieces = append(b.pieces, piece{plain: cut(s, 2*maxText)})
	}
}

// unflow joins the lines of format=flowed (RFC 3676 section 4).
func unflow(s string, delSp bool) string {
	var out strings.Builder
	depth := -1 // quote depth of a paragraph that goes on
	for line := range strings.SplitSeq(s, "\n") {
		d := 0
		for d < len(line) && line[d] == '>' {
			d++
		}
		text := strings.TrimPrefix(line[d:], " ")
		flowed := strings.HasSuffix(text, " ") && text != "-- "
		if depth != d || depth < 0 || text == "-- " {
			if out.Len() > 0 {
				out.WriteByte('\n')
			}
			if d > 0 {
				out.WriteString(strings.Repeat(">", d) + " ")
			}
		}
		if flowed && delSp {
			text = text[:len(text)-1]
		}
		out.WriteString(text)
		depth = -1
		if flowed {
			depth = d
		}
	}
	return out.String()
}

// multipart reads the parts: of alternatives the plain one if it says
// something, else the HTML; of the others all.
func (r *reading) multipart(kind string, params map[string]string, body []byte, depth int, b *content) {
	parts := r.split(body, params["boundary"])
	if len(parts) == 0 {
		r.defect("a multipart had no parts; it was read as text")
		r.textPart("text/plain", map[string]string{}, "", body, b)
		return
	}
	var alternatives []content
	for _, raw := range parts {
		if r.parts > maxParts {
			r.defect("parts beyond the bounds were not read")
			break
		}
		h, inside := readHeader(raw, maxPartHeader, func(string) {})
		var sub content
		r.walk(&h, inside, depth+1, &sub)
		if kind == "multipart/alternative" {
			alternatives = append(alternatives, sub)
		} else {
			b.pieces = append(b.pieces, sub.pieces...)
		}
	}
	if kind == "multipart/alternative" {
		b.pieces = append(b.pieces, choose(alternatives)...)
	}
}

// choose picks one of several forms of the same words.
func choose(forms []content) []piece {
	var plain, rich []piece
	for _, f := range forms {
		for _, p := range f.pieces {
			if p.html != "" {
				rich = append(rich, p)
			} else if strings.TrimSpace(p.plain) != "" {
				plain = append(plain, p)
			}
		}
	}
	if len(plain) > 0 && !placeholder(plain, rich) {
		return plain
	}
	if len(rich) > 0 {
		return rich
	}
	return plain
}

// placeholder tells whether the plain form only says that there is HTML.
func placeholder(plain, rich []piece) bool {
	if len(rich) == 0 {
		return false
	}
	s := strings.ToLower(strings.TrimSpace(plain[0].plain))
	return len(s) < 300 && (strings.Contains(s, "html") && (strings.Contains(s, "view") || strings.Contains(s, "display") || strings.Contains(s, "support")))
}

// split cuts a multipart body at its boundary. A missing final boundary is no
// loss; a boundary that is not told is taken from the first line that looks
// like one.
func (r *reading) split(body []byte, boundary string) [][]byte {
	marker := []byte("--" + boundary)
	if boundary == "" || !bytes.Contains(body, marker) {
		marker = nil
		for line := range bytes.Lines(body[:min(len(body), 64<<10)]) {
			line = bytes.TrimRight(line, " \t\n")
			if len(line) > 4 && len(line) < 200 && bytes.HasPrefix(line, []byte("--")) && !bytes.ContainsAny(line, " \t") && len(bytes.Trim(line, "-")) > 0 {
				marker = bytes.Clone(line)
				break
			}
		}
		if marker == nil {
			return nil
		}
		r.defect("the boundary of a multipart was found by its look")
	}
	var parts [][]byte
	start := -1
	ended := false
	for at := 0; at < len(body) && len(parts) <= maxParts; {
		i := bytes.Index(body[at:], marker)
		if i < 0 {
			break
		}
		i += at
		after := i + len(marker)
		at = after
		if i > 0 && body[i-1] != '\n' {
			continue
		}
		rest := body[after:]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			end = len(rest)
		}
		tail := bytes.TrimRight(rest[:end], " \t")
		if len(tail) > 0 && !bytes.Equal(tail, []byte("--")) {
			continue // a longer boundary that begins like this one
		}
		if start >= 0 {
			parts = append(parts, trimEnd(body[start:i]))
		}
		start = min(len(body), after+end+1)
		if bytes.Equal(tail, []byte("--")) {
			ended = true
			break
		}
	}
	if !ended && start >= 0 {
		if start < len(body) {
			parts = append(parts, body[start:])
		}
		r.defect("a multipart did not end")
	}
	return parts
}

func trimEnd(b []byte) []byte { return bytes.TrimSuffix(b, []byte("\n")) }

// enclosed notes a mail inside the mail: a forward, or what a bounce returns.
func (r *reading) enclosed(h *header, body []byte, depth int) {
	body = decodeTransfer(body, h.get("Content-Transfer-Encoding"))
	inner, inside := readHeader(body, maxPartHeader, func(string) {})
	subject := cleanLine(decodeHeader(inner.get("Subject")), maxSubject)
	from := firstAddress(inner.get("From"))
	r.m.Attachments = append(r.m.Attachments, Attachment{Name: subject, Type: "message/rfc822", Size: int64(len(body))})
	var b content
	r.walk(&inner, inside, depth+1, &b)
	if r.forwarded.Len() < maxText {
		fmt.Fprintf(&r.forwarded, "From: %s <%s>\nSubject: %s\n\n%s\n", from.Name, from.Addr, subject, b.text())
	}
}

func (r *reading) attachment(kind string, params, dparams map[string]string, h *header, body []byte) {
	if len(r.m.Attachments) >= maxParts {
		return
	}
	name := dparams["filename"]
	if name == "" {
		name = params["name"]
	}
	size := int64(len(body))
	if n, err := strconv.ParseInt(h.get("X-Tocsin-Size"), 10, 64); err == nil && n >= 0 {
		size = n
	}
	a := Attachment{Name: cleanLine(decodeHeader(name), 200), Type: cleanLine(kind, 100), Size: size}
	switch kind {
	case "application/ms-tnef", "application/vnd.ms-tnef":
		r.defect("text may be hidden in winmail.dat (TNEF), which is not read")
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		r.defect("the mail is encrypted or enclosed by S/MIME and is not read")
	case "application/pgp-encrypted":
		r.defect("the mail is encrypted by PGP and is not read")
	}
	r.m.Attachments = append(r.m.Attachments, a)
}

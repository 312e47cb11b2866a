package mailbox

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// content gathers the readable parts of a mail in their order.
type content struct {
	pieces []piece
}

type piece struct {
	plain    string
	html     *markup // set instead of plain for HTML
	rich     *markup // the HTML form of plain, where both were sent
	enclosed bool    // of a mail inside the mail
}

// own is the content without the mails that are enclosed.
func (b *content) own() *content {
	own := &content{}
	for _, p := range b.pieces {
		if !p.enclosed {
			own.pieces = append(own.pieces, p)
		}
	}
	return own
}

// readableText is the text of all pieces, cleaned.
func readableText(b *content) string { return strings.TrimSpace(Clean(b.text(), maxText)) }

func (b *content) text() string {
	var out []string
	for _, p := range b.pieces {
		if p.html != nil {
			out = append(out, p.html.text(false))
		} else {
			out = append(out, p.plain)
		}
	}
	return strings.Join(out, "\n\n")
}

// place is where in a mail a part stands.
type place struct {
	kind   string // what a part is that does not say
	depth  int
	report bool // inside a report about a mail (RFC 6522)
	inside bool // inside a mail that is enclosed
}

// walk reads an entity. A part that cannot be read never ends the walk.
func (r *reading) walk(h *header, body []byte, at place, b *content) {
	r.parts++
	if r.parts > maxParts || at.depth > maxDepth {
		r.defect("parts beyond the bounds were not read")
		return
	}
	kind, params := r.kindOf(h, at)
	disposition, dparams := mediaType(h.get("Content-Disposition"))
	transfer := h.get("Content-Transfer-Encoding")
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		at.report = at.report || kind == "multipart/report"
		r.multipart(kind, params, transfer, body, at, b)
	case kind == "message/delivery-status" || kind == "message/disposition-notification" || kind == "message/global-delivery-status":
		if !at.inside { // else a person sends us a report that they got
			r.report.read(decodeTransfer(body, transfer), kind)
		}
	case kind == "message/rfc822" || kind == "message/global" || kind == "message/news":
		at.inside = true
		switch {
		case at.report:
			b = &r.returned
		case disposition == "attachment":
			b = &r.files
		}
		r.enclosed(decodeTransfer(body, transfer), at, b)
	case kind == "text/rfc822-headers" || kind == "message/rfc822-headers":
		r.attachment(kind, params, dparams, h, body)
		r.textPart("text/plain", params, transfer, body, &r.returned)
	case kind == "text/calendar" || kind == "application/ics":
		r.attachment(kind, params, dparams, h, body)
		s, _ := toUTF8(decodeTransfer(body, transfer), params["charset"])
		if !at.inside {
			r.report.readCalendar([]byte(s), params)
		}
		r.spare.pieces = append(r.spare.pieces, piece{plain: invitation(s)})
	case signedKind(kind, params) && r.signed(body, transfer, at, b):
		r.attachment(kind, params, dparams, h, body)
	case readable(kind) && disposition != "attachment":
		r.textPart(kind, params, transfer, body, b)
	case strings.HasPrefix(kind, "text/"):
		r.attachment(kind, params, dparams, h, body)
		if !unreadable(kind) {
			r.textPart(kind, params, transfer, body, &r.spare)
		}
	default:
		r.attachment(kind, params, dparams, h, body)
	}
}

// kindOf is the media type of a part. One that cannot be read is text, as RFC
// 2045 section 5.2 says.
func (r *reading) kindOf(h *header, at place) (kind string, params map[string]string) {
	kind, params = h.contentType()
	switch {
	case h.get("Content-Type") == "":
		return at.kind, params
	case kind == "multipart" && params["boundary"] != "":
		kind = "multipart/mixed"
	case strings.Count(kind, "/") != 1 || strings.HasPrefix(kind, "/") || strings.HasSuffix(kind, "/"):
		if kind != "text" { // RFC 1049
			r.defect("the content type could not be read")
		}
		kind = "text/plain"
	}
	return kind, params
}

// readable tells whether a part's kind is the text of a mail.
func readable(kind string) bool {
	switch kind {
	case "text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown", "text/x-markdown", "application/xhtml+xml":
		return true
	}
	return false
}

// unreadable tells whether a kind of text is none for people.
func unreadable(kind string) bool {
	switch kind {
	case "text/css", "text/javascript", "text/vcard", "text/x-vcard", "text/directory", "text/x-amp-html", "text/watch-html", "text/xml":
		return true
	}
	return false
}

// enclosed reads a mail inside the mail, and writes it as mail programs write a
// forward. It belongs to the text unless it is attached as a file, which belongs
// to what the sender said, or comes back in a report.
func (r *reading) enclosed(raw []byte, at place, b *content) {
	h, body := readHeader(raw, maxPartHeader, r.partDefect)
	subject := cleanLine(decodeHeader(h.get("Subject")), maxSubject)
	r.m.Attachments = append(r.m.Attachments, Attachment{Name: cut(subject, 200), Type: "message/rfc822", Size: int64(len(raw))})
	var sub content
	at.depth++
	at.kind = "text/plain"
	r.walk(&h, body, at, &sub)
	var top strings.Builder
	row := func(name, value string) {
		if value == "" {
			return
		}
		if top.Len() == 0 {
			top.WriteString("---------- Forwarded message ----------\n")
		}
		fmt.Fprintf(&top, "%s: %s\n", name, value)
	}
	from := firstAddress(h.get("From"))
	if from.Addr != "" && from.Name != "" {
		from.Addr = "<" + from.Addr + ">"
	}
	row("From", strings.TrimSpace(from.Name+" "+from.Addr))
	row("Date", cleanLine(h.get("Date"), 100))
	row("Subject", subject)
	row("To", cleanLine(decodeHeader(h.get("To")), maxName))
	if top.Len() > 0 {
		b.pieces = append(b.pieces, piece{plain: strings.TrimSpace(top.String()), enclosed: true})
	}
	for _, p := range sub.pieces {
		p.enclosed = true
		b.pieces = append(b.pieces, p)
	}
}

// partDefect notes what is wrong in a part's own header; that it has none is
// no defect.
func (r *reading) partDefect(text string) {
	if text != "there is no header" {
		r.defect("in a part: " + text)
	}
}

// attachment notes a part that is not read.
func (r *reading) attachment(kind string, params, dparams map[string]string, h *header, body []byte) {
	if len(r.m.Attachments) >= maxParts {
		return
	}
	size := int64(len(body))
	if n, err := strconv.ParseInt(h.get("X-Tocsin-Size"), 10, 64); err == nil && n >= 0 {
		size = n
	}
	name := cmp.Or(dparams["filename"], params["name"])
	a := Attachment{Name: cleanLine(decodeHeader(name), 200), Type: cleanLine(kind, 100), Size: size}
	switch {
	case kind == "application/ms-tnef", kind == "application/vnd.ms-tnef", strings.EqualFold(a.Name, "winmail.dat"):
		r.defect("text may be hidden in winmail.dat (TNEF), which is not read")
	case kind == "application/pgp-encrypted":
		r.defect("the mail is encrypted by PGP and is not read")
	}
	r.m.Attachments = append(r.m.Attachments, a)
}

package mailbox

import (
	"strings"
	"time"
)

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
	m.To = append(parseAddresses(h.get("To"), 50), parseAddresses(h.get("Cc"), 50)...)
	m.Authenticated = p.authentication(h, m.From.Addr)
	p.onBehalf(h, m)
}

// noFrom looks for who handed the mail over where From names nobody: it counts
// for that address, and From stays what the mail says.
func noFrom(h *header, r *reading) {
	for _, name := range []string{"Sender", "Reply-To", "Return-Path", "X-Envelope-From", "X-Sender"} {
		if a := firstAddress(h.get(name)); a.Addr != "" {
			r.m.Via = a
			r.defect("there is no sender; it counts for the address in " + name)
			return
		}
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

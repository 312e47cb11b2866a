package mailbox

import (
	"slices"
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
	p.onBehalf(h, m)
	m.Authenticated = p.authentication(h)
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

// forms are how the addresses begin that web forms send from.
var forms = []string{"noreply", "no-reply", "donotreply", "do-not-reply", "form", "forms", "contact", "webform", "website", "wordpress", "mailer", "www-data", "web"}

// onBehalf finds the person behind a web form, which sends from an address of
// its own and names the person in Reply-To.
func (p *Parser) onBehalf(h *header, m *Message) {
	reply := firstAddress(h.get("Reply-To"))
	if reply.Addr == "" || strings.EqualFold(reply.Addr, m.From.Addr) || h.get("List-Id") != "" {
		return
	}
	from := strings.ToLower(m.From.Addr)
	if !slices.Contains(p.OwnAddresses, from) && !startsWith(from, forms) {
		return
	}
	to := strings.ToLower(reply.Addr)
	if slices.Contains(p.OwnAddresses, to) || strings.HasPrefix(to, "noreply") || strings.HasPrefix(to, "no-reply") {
		return
	}
	m.Via, m.From = m.From, reply
	if m.From.Name == "" {
		m.From.Name = m.Via.Name
	}
}

// startsWith tells whether an address's local part is one of the words, or begins
// with it and a dash or plus.
func startsWith(addr string, words []string) bool {
	local, _, _ := strings.Cut(addr, "@")
	return slices.ContainsFunc(words, func(w string) bool {
		return local == w || strings.HasPrefix(local, w+"-") || strings.HasPrefix(local, w+"+")
	})
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

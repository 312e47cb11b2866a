package mailbox

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// report is what the parts of a mail that programs read say of it: a delivery
// status (RFC 3464), a receipt (RFC 8098), a calendar object (RFC 5546).
type report struct {
	status    bool   // a delivery status was there
	receipt   bool   // a receipt was there
	recipient string // the failed one, as the report names it
	original  string // the one that the mail was sent to
	calendar  string // the method of a calendar object
}

func (r *report) read(b []byte, kind string) {
	if kind == "message/disposition-notification" {
		r.receipt = true
		return
	}
	r.status = true
	for line := range bytes.Lines(b[:min(len(b), 64<<10)]) {
		key, value, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if !ok {
			continue
		}
		_, addr, typed := strings.Cut(value, ";")
		if !typed {
			addr = value
		}
		addr = cleanLine(strings.Trim(addr, " <>"), maxName)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "final-recipient":
			if r.recipient == "" {
				r.recipient = addr
			}
		case "original-recipient":
			if r.original == "" {
				r.original = addr
			}
		}
	}
}

// readCalendar notes what a calendar object is for.
func (r *report) readCalendar(b []byte, params map[string]string) {
	r.calendar = params["method"]
	for line := range bytes.Lines(b[:min(len(b), 4<<10)]) {
		if key, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(strings.TrimSpace(key), "method") {
			r.calendar = strings.TrimSpace(value)
		}
	}
}

// failedRecipient is whom a bounce is about: as its report names them, or a
// header, or the first address in its words that is neither ours nor the mail
// system's.
func (p *Parser) failedRecipient(h *header, r *reading) string {
	for _, addr := range []string{r.report.recipient, r.report.original} {
		if strings.Contains(addr, "@") {
			return addr
		}
	}
	if v := h.get("X-Failed-Recipients"); v != "" {
		return cleanLine(strings.Split(v, ",")[0], maxName)
	}
	for _, addr := range bounced.FindAllString(cut(r.m.Text, 8<<10), 20) {
		addr = strings.Trim(addr, ".'*")
		if lower := strings.ToLower(addr); !slices.Contains(p.OwnAddresses, lower) && !strings.EqualFold(addr, r.m.From.Addr) && !daemonName.MatchString(addr) {
			return cleanLine(addr, maxName)
		}
	}
	return r.report.recipient
}

var bounced = regexp.MustCompile(`[A-Za-z0-9._%+'=&~!#$*?-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}`)

package mailbox

import (
	"regexp"
	"slices"
	"strings"
)

// forms are how the addresses begin that web forms and help desks send from.
var forms = []string{"noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "form", "forms", "contact", "contactform", "contact-form", "kontakt", "kontaktformular", "webform", "website", "web", "wordpress", "mailer", "www-data", "apache", "nobody", "helpdesk", "notifications", "notification", "formular", "formulaire", "formulario", "webmaster"}

// viaName is how a service names itself in From beside the person for whom it
// sends: "Kim Lee via Acme Forms".
var viaName = guard(` via | durch | par | tramite | przez | on behalf of `, `(?i)\S (?:via|über|durch|par|tramite|através de|przez|för|on behalf of) \S`)

// onBehalf finds the person for whom a web form, a help desk or a group of the
// team's own sends a mail from its own address. They are named in Reply-To, or
// where the team's own group rewrites From, in X-Original-From.
func (p *Parser) onBehalf(h *header, m *Message) {
	from := strings.ToLower(m.From.Addr)
	own := slices.Contains(p.OwnAddresses, from)
	ownList := h.get("List-Id") != "" && p.ownList(h)
	if h.get("List-Id") != "" && !own && !ownList {
		return
	}
	fields := []string{"Reply-To"}
	switch {
	case own || ownList && viaName.MatchString(m.From.Name):
		fields = []string{"X-Original-From", "Reply-To", "X-Original-Sender"}
	case startsWith(from, forms), viaName.MatchString(m.From.Name):
	default:
		return
	}
	for _, name := range fields {
		if a := firstAddress(h.get(name)); p.aPerson(a.Addr) && !strings.EqualFold(a.Addr, m.From.Addr) {
			p.writtenBy(m, a, own)
			return
		}
	}
}

// aPerson tells whether an address may be one: neither the team's nor one that
// takes no reply.
func (p *Parser) aPerson(addr string) bool {
	return strings.Contains(addr, "@") && !slices.Contains(p.OwnAddresses, strings.ToLower(addr)) && !noReply.MatchString(localPart(addr))
}

// writtenBy makes a the writer of a mail. What was authenticated is the address
// that handed it over, and that says something of the writer only where it is
// the team's own.
func (p *Parser) writtenBy(m *Message, a Address, own bool) {
	if a.Name == "" {
		a.Name = strings.Trim(viaEnd.ReplaceAllString(m.From.Name, ""), `'" `)
	}
	m.Via, m.From = m.From, a
	if !own {
		m.Authenticated = AuthUnknown
	}
}

var viaEnd = regexp.MustCompile(`(?i) (?:via|über) .*$`)

// fromForm finds the writer in the words of a mail that a web form sends from
// an address of its own, without a Reply-To.
func (p *Parser) fromForm(m *Message) {
	from := strings.ToLower(m.From.Addr)
	own := slices.Contains(p.OwnAddresses, from)
	if m.Via.Addr != "" || !own && !startsWith(from, forms) || !formFields(m.Text) {
		return
	}
	if found := formMail.FindStringSubmatch(cut(m.Text, 16<<10)); found != nil && p.aPerson(found[1]) {
		p.writtenBy(m, Address{Addr: cleanLine(found[1], maxName), Name: formName(m.Text)}, own)
	}
}

var formNamed = regexp.MustCompile(`(?im)^\W{0,4}(?:your |ihr |votre |full )?(?:name|nom|nombre|nome|naam|namn|navn|nimi|imię|jméno|név|nume|имя|ad|お名前|姓名|이름)\W{0,3}[:=]\s*(\S.{0,80})$`)

func formName(text string) string {
	if found := formNamed.FindStringSubmatch(cut(text, 16<<10)); found != nil {
		return cleanLine(found[1], maxName)
	}
	return ""
}

// startsWith tells whether an address's local part is one of the words, or begins
// with it and a dash or plus.
func startsWith(addr string, words []string) bool {
	local := localPart(addr)
	return slices.ContainsFunc(words, func(w string) bool {
		rest, ok := strings.CutPrefix(local, w)
		return ok && (rest == "" || rest[0] == '-' || rest[0] == '+')
	})
}

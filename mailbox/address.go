package mailbox

import (
	"cmp"
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Complainant is who the mail counts for: the sender's address without what
// the provider ignores in it, so that one person is one complainant. Without a
// From it is the address that handed the mail over.
func (m *Message) Complainant() string {
	addr := strings.ToLower(strings.TrimSpace(cmp.Or(m.From.Addr, m.Via.Addr)))
	local, domain := localPart(addr), domainOf(addr)
	if domain == "" || local == "" {
		return addr
	}
	if same, ok := sameMailbox[domain]; ok {
		domain = same
	}
	if user, ok := strings.CutSuffix(domain, ".fastmail.com"); ok {
		local, domain = user, "fastmail.com" // anything@user.fastmail.com
	}
	sign := byte('+')
	switch {
	case yahoo(domain):
		sign = '-'
	case !plus[domain]:
		return joined(addr, local, domain)
	}
	if i := strings.IndexByte(local, sign); i > 0 {
		local = local[:i]
	}
	switch domain {
	case "gmail.com":
		local = strings.ReplaceAll(local, ".", "")
	case "proton.me":
		local = strings.NewReplacer(".", "", "_", "", "-", "").Replace(local)
	case "yandex.ru":
		local = strings.ReplaceAll(local, ".", "-")
	}
	return joined(addr, local, domain)
}

// joined is the address of two parts, in the memory of the one they come from
// where they are all of it, as they mostly are.
func joined(addr, local, domain string) string {
	if rest, ok := strings.CutPrefix(addr, local); ok && len(rest) > 0 && rest[0] == '@' && rest[1:] == domain {
		return addr
	}
	return local + "@" + domain
}

// sameMailbox are domains of one provider under which a name is one mailbox.
var sameMailbox = map[string]string{
	"googlemail.com": "gmail.com", "protonmail.com": "proton.me", "protonmail.ch": "proton.me", "pm.me": "proton.me",
	"yandex.com": "yandex.ru", "ya.ru": "yandex.ru", "yandex.by": "yandex.ru", "yandex.kz": "yandex.ru", "me.com": "icloud.com", "mac.com": "icloud.com",
}

// plus are the providers that deliver "name+anything" to "name". Elsewhere the
// sign may be part of a name.
var plus = func() map[string]bool {
	set := map[string]bool{}
	for domain := range strings.FieldsSeq("gmail.com outlook.com hotmail.com live.com msn.com outlook.de outlook.fr outlook.es outlook.it outlook.jp hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es live.co.uk live.de live.fr live.nl live.it " +
		"icloud.com proton.me fastmail.com fastmail.fm fastmail.net yandex.ru zoho.com zohomail.com mailbox.org posteo.de posteo.net hey.com runbox.com mail.ru inbox.ru list.ru bk.ru tutamail.com disroot.org riseup.net migadu.com pobox.com rambler.ru seznam.cz") {
		set[domain] = true
	}
	return set
}()

// yahoo tells whether a domain is one under which "name-anything" is "name".
func yahoo(domain string) bool {
	return strings.HasPrefix(domain, "yahoo.") || domain == "ymail.com" || domain == "rocketmail.com"
}

// domainOf is an address's domain in ASCII (IDNA 2008), lower case.
func domainOf(addr string) string {
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return ""
	}
	domain := strings.ToLower(strings.Trim(strings.TrimSpace(addr[i+1:]), ".>"))
	if isPlain(domain) {
		return domain
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}

// isPlain tells whether a domain is of lower-case letters, digits, hyphens and
// dots alone, and so the same in ASCII: nearly all are, and the tables of IDNA
// take twenty times as long to say so.
func isPlain(domain string) bool {
	for i := range len(domain) {
		c := domain[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return !strings.Contains(domain, "xn--")
}

// Organisation is the registrable domain behind the sender, by the public
// suffix list, and "" for an address of a mail provider for everybody.
func (m *Message) Organisation() string {
	domain, free := domainOf(m.From.Addr), freemail()
	if free[domain] {
		return ""
	}
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || free[org] {
		return ""
	}
	return org
}

//go:embed freemail.txt
var freemailList string

// freemail are the domains under which anybody gets an address: the list of the
// npm package free-email-domains, whose licence stands in freemail.LICENSE.
var freemail = sync.OnceValue(func() map[string]bool {
	free := map[string]bool{}
	for line := range strings.Lines(freemailList) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			free[line] = true
		}
	}
	return free
})

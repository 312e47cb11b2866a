package mailbox

import (
	"cmp"
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// Complainant is who the mail counts for: the sender's address without what
// the provider ignores in it, so that one person is one complainant. Without a
// From it is the address that handed the mail over.
func (m *Message) Complainant() string {
	addr := strings.ToLower(strings.TrimSpace(cmp.Or(m.From.Addr, m.Via.Addr)))
	i := strings.LastIndexByte(addr, '@')
	if i <= 0 {
		return addr
	}
	local, domain := addr[:i], addr[i+1:]
	if j := strings.IndexByte(local, '+'); j > 0 {
		local = local[:j]
	}
	switch domain {
	case "gmail.com", "googlemail.com":
		local, domain = strings.ReplaceAll(local, ".", ""), "gmail.com"
	case "protonmail.com", "proton.me", "pm.me":
		local, domain = strings.NewReplacer(".", "", "_", "", "-", "").Replace(local), "proton.me"
	case "yandex.ru", "yandex.com", "ya.ru":
		local, domain = strings.ReplaceAll(local, ".", "-"), "yandex.ru"
	case "yahoo.com":
		if j := strings.IndexByte(local, '-'); j > 0 {
			local = local[:j]
		}
	}
	return local + "@" + domain
}

// Organisation is the registrable domain behind the sender, by the public
// suffix list, and "" for an address of a mail provider for everybody.
func (m *Message) Organisation() string {
	addr := strings.ToLower(m.From.Addr)
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return ""
	}
	domain := strings.Trim(addr[i+1:], ".")
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	if free := freemail(); free[org] || free[domain] {
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

package mailbox

import (
	_ "embed"
	"net/mail"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// addressLike finds the first thing in a header that looks like an address,
// where its syntax is broken.
var addressLike = regexp.MustCompile(`[A-Za-z0-9._%+'/=&~^!#$*?{}|-]{1,64}@[A-Za-z0-9À-ɏ.-]{1,253}`)

// parseAddresses reads a header with addresses; what cannot be read properly is
// salvaged.
func parseAddresses(value string, most int) []Address {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	if len(value) > 64<<10 {
		value = value[:64<<10]
	}
	parser := mail.AddressParser{WordDecoder: wordDecoder}
	if list, err := parser.ParseList(value); err == nil {
		var as []Address
		for _, a := range list {
			if len(as) == most {
				break
			}
			as = append(as, Address{Name: cleanLine(a.Name, maxName), Addr: cleanLine(a.Address, maxName)})
		}
		return as
	}
	decoded := decodeHeader(value)
	loc := addressLike.FindStringIndex(decoded)
	if loc == nil {
		return []Address{{Name: cleanLine(strings.Trim(decoded, `"<> `), maxName)}}
	}
	name := strings.Trim(decoded[:loc[0]], " \t\r\n\"<>(),;:'")
	if i := strings.LastIndexAny(name, ",;"); i >= 0 && strings.Contains(name[:i], "@") {
		name = name[i+1:]
	}
	return []Address{{Name: cleanLine(name, maxName), Addr: cleanLine(strings.Trim(decoded[loc[0]:loc[1]], ".'"), maxName)}}
}

func firstAddress(value string) Address {
	if as := parseAddresses(value, 1); len(as) > 0 {
		return as[0]
	}
	return Address{}
}

// Complainant is who the mail counts for: the sender's address without what
// the provider ignores in it, so that one person is one complainant.
func (m *Message) Complainant() string {
	addr := strings.ToLower(strings.TrimSpace(m.From.Addr))
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

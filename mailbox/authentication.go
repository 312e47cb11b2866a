package mailbox

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// authentication reads what the configured server found of the address in From
// (RFC 8601): its own field is the topmost that bears its name, since a sender
// can forge only what stands below. DMARC's verdict counts; without one, a DKIM
// or SPF pass for the domain in From (RFC 7489 section 3.1, relaxed).
func (p *Parser) authentication(h *header, from string) Authentication {
	if p.AuthservID == "" {
		return AuthUnknown
	}
	for _, v := range h.all("Authentication-Results") {
		results := authResults(cut(v, 16<<10))
		if len(results) == 0 || !strings.EqualFold(results[0].method, p.AuthservID) {
			continue
		}
		return judge(results[1:], domainOf(from))
	}
	return AuthUnknown
}

func judge(results []authResult, domain string) Authentication {
	verdict := AuthUnknown
	for _, r := range results {
		switch {
		case r.method == "dmarc" && r.result == "pass":
			return AuthPass
		case r.method == "dmarc" && r.result == "fail":
			return AuthFail
		case r.method == "dkim" && r.result == "pass" && aligned(domain, r.property["header.d"], r.property["header.i"]),
			r.method == "spf" && r.result == "pass" && aligned(domain, r.property["smtp.mailfrom"], r.property["smtp.mail"]):
			verdict = AuthPass
		case verdict == AuthUnknown && (r.method == "dkim" || r.method == "spf") && (r.result == "fail" || r.result == "softfail"):
			verdict = AuthFail
		}
	}
	return verdict
}

// aligned tells whether one of the domains that were authenticated is of the
// same organisation as the domain in From. A server that names none says all it
// found.
func aligned(domain string, authenticated ...string) bool {
	named := false
	for _, a := range authenticated {
		if a == "" {
			continue
		}
		named = true
		if d := domainOf("@" + strings.TrimPrefix(a[strings.LastIndexByte(a, '@')+1:], "@")); d != "" && organisation(d) == organisation(domain) {
			return true
		}
	}
	return !named
}

// organisation is the registrable domain, or the domain itself where there is
// none.
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// authResult is one result of RFC 8601 section 2.2; the first of a field is the
// server's name, as method.
type authResult struct {
	method, result string
	property       map[string]string
}

// authResults reads an Authentication-Results field. Comments and what is
// quoted are told from results: a sender chooses what stands in them.
func authResults(v string) []authResult {
	var out []authResult
	for i, part := range authParts(v) {
		words := part
		if len(words) == 0 {
			if i == 0 {
				return nil
			}
			continue
		}
		if i == 0 {
			out = append(out, authResult{method: words[0]})
			continue
		}
		method, result, _ := strings.Cut(strings.ToLower(words[0]), "=")
		method, _, _ = strings.Cut(method, "/")
		r := authResult{method: method, result: result, property: map[string]string{}}
		for _, w := range words[1:] {
			if key, value, ok := strings.Cut(w, "="); ok {
				r.property[strings.ToLower(key)] = strings.ToLower(strings.Trim(value, `"`))
			}
		}
		out = append(out, r)
	}
	return out
}

// authParts splits at semicolons, and each part at spaces, outside of quotes
// and without comments. Spaces round "=" belong to the word.
func authParts(v string) [][]string {
	parts := [][]string{nil}
	var word strings.Builder
	depth, quoted := 0, false
	end := func() {
		if word.Len() > 0 {
			last := len(parts) - 1
			parts[last] = append(parts[last], word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '\\' && (quoted || depth > 0) && i+1 < len(v):
			i++
			if quoted && depth == 0 {
				word.WriteByte(v[i])
			}
		case depth == 0 && c == '"':
			quoted = !quoted
		case quoted:
			word.WriteByte(c)
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == ';':
			end()
			parts = append(parts, nil)
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if rest := strings.TrimLeft(v[i:], " \t\r\n"); !strings.HasPrefix(rest, "=") && !strings.HasSuffix(word.String(), "=") {
				end()
			}
		default:
			word.WriteByte(c)
		}
	}
	end()
	return parts
}

package mailbox

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// addressLike finds the first thing in a text that looks like an address.
var addressLike = regexp.MustCompile(`[A-Za-z0-9._%+'/=&~^!#$*?{}|-]{1,64}@[A-Za-z0-9À-ɏ.-]{1,253}`)

// parseAddresses reads a header with addresses (RFC 5322 section 3.4) and takes
// what programs make of it: names with commas and without quotes, quotes and
// brackets without an end, comments, groups, addresses inside encoded words.
func parseAddresses(value string, most int) []Address {
	value = cut(strings.TrimSpace(value), maxFieldBytes)
	if value == "" {
		return nil
	}
	if !utf8.ValidString(value) || strings.Contains(value, "\x1b$") {
		value, _ = toUTF8([]byte(value), "")
	}
	var list []Address
	pending := "" // a name that a comma cut off
	for s := (addressScanner{rest: value}); len(list) < most; {
		e, ok := s.next()
		if !ok {
			break
		}
		a := e.address()
		switch {
		case a.Addr == "" && a.Name != "":
			if pending != "" {
				pending += ", "
			}
			pending += a.Name
			continue
		case a.Addr == "":
			continue
		case pending != "" && e.bracketed:
			a.Name = strings.TrimSuffix(pending+", "+a.Name, ", ")
		}
		pending = ""
		list = append(list, a.clean())
	}
	if len(list) > 0 {
		return list
	}
	// Nowhere an address as it should be: the first thing that looks like one.
	decoded := decodeHeader(value)
	if loc := addressLike.FindStringIndex(decoded); loc != nil {
		name := strings.Trim(decoded[:loc[0]], " \t\r\n\"<>(),;:'")
		return []Address{Address{name, strings.Trim(decoded[loc[0]:loc[1]], ".'")}.clean()}
	}
	return []Address{Address{Name: decodeHeader(pending)}.clean()}
}

func (a Address) clean() Address {
	return Address{Name: cleanLine(decodeHeader(a.Name), maxName), Addr: cleanLine(a.Addr, maxName)}
}

func firstAddress(value string) Address {
	if as := parseAddresses(value, 1); len(as) > 0 {
		return as[0]
	}
	return Address{}
}

// maxLookahead is how far the end of a quoted string or a comment may be: a
// header of nothing but their beginnings must not cost its square.
const maxLookahead = 1000

// addressScanner cuts a header into its entries.
type addressScanner struct{ rest string }

// addressEntry is one entry of a header with addresses, in its parts.
type addressEntry struct {
	phrase, comment, angle strings.Builder
	bracketed              bool
	nameAfter              bool // the name stands behind the address
}

// next reads up to a comma or semicolon. The name of a group, before a colon,
// is dropped: its members are what counts.
func (s *addressScanner) next() (*addressEntry, bool) {
	if strings.Trim(s.rest, ",; \t\r\n") == "" {
		return nil, false
	}
	e := &addressEntry{}
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; c {
		case ',', ';':
			s.rest = s.rest[i+1:]
			return e, true
		case ':':
			if e.bracketed || strings.Contains(e.phrase.String(), "@") {
				continue
			}
			e.phrase.Reset()
		case '"':
			i += e.quoted(s.rest[i:]) - 1
		case '(':
			i += e.inParentheses(s.rest[i:]) - 1
		case '<':
			i += e.brackets(s.rest[i:]) - 1
		case '>':
		default:
			if e.bracketed && !e.nameAfter {
				continue
			}
			if c == '=' && strings.HasPrefix(s.rest[i:], "=?") {
				if _, n := encodedWord(s.rest[i:]); n > 0 { // whatever stands in it
					e.phrase.WriteString(s.rest[i : i+n])
					i += n - 1
					continue
				}
			}
			e.phrase.WriteByte(c)
		}
	}
	s.rest = ""
	return e, true
}

// quoted reads a quoted string and returns its length. Quotes are kept where
// they belong to an address ("a b"@x.example).
func (e *addressEntry) quoted(s string) int {
	var b strings.Builder
	s = s[:min(len(s), maxLookahead)]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			if i+1 < len(s) && s[i+1] == '@' {
				e.phrase.WriteString(s[:i+1])
			} else {
				e.phrase.WriteString(b.String())
			}
			return i + 1
		default:
			b.WriteByte(s[i])
		}
	}
	return 1 // no end: a character like any other
}

func (e *addressEntry) inParentheses(s string) int {
	depth := 0
	for i := range min(len(s), maxLookahead) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				if e.comment.Len() == 0 {
					e.comment.WriteString(s[1:i])
				}
				return i + 1
			}
		}
	}
	return 1
}

// brackets reads an address in angle brackets; a route before it (RFC 5322
// section 4.4) and comments in it are dropped. The first one with an @ counts.
func (e *addressEntry) brackets(s string) int {
	end := strings.IndexByte(s, '>')
	if end < 0 {
		if end = strings.IndexAny(s, ",;"); end < 0 {
			end = len(s)
		}
		end--
	}
	inside := strings.TrimLeft(withoutComments(s[1:end+1]), "<")
	inside = strings.TrimSpace(strings.TrimSuffix(inside, ">"))
	if strings.HasPrefix(inside, "@") && strings.Contains(inside, ":") {
		_, inside, _ = strings.Cut(inside, ":")
	}
	if len(inside) > 7 && strings.EqualFold(inside[:7], "mailto:") {
		inside = inside[7:]
	}
	if !strings.Contains(e.angle.String(), "@") && inside != "" {
		e.angle.Reset()
		e.angle.WriteString(inside)
	}
	e.nameAfter = e.nameAfter || !e.bracketed && strings.TrimSpace(e.phrase.String()) == ""
	e.bracketed = true
	return end + 1
}

// address makes an address of an entry's parts.
func (e *addressEntry) address() Address {
	phrase := strings.Join(strings.Fields(e.phrase.String()), " ")
	comment := strings.Join(strings.Fields(e.comment.String()), " ")
	if addr := e.angle.String(); addr != "" {
		if !strings.HasPrefix(addr, `"`) {
			addr = strings.Join(strings.Fields(addr), "")
		}
		if strings.Contains(addr, "=?") {
			addr = decodeHeader(addr)
		}
		if phrase == "" {
			phrase = comment
		}
		return Address{Name: phrase, Addr: addr}
	}
	if quote := strings.Index(phrase, `"@`); strings.HasPrefix(phrase, `"`) && quote > 0 {
		return Address{Name: comment, Addr: phrase}
	}
	var name []string
	addr := ""
	for w := range strings.FieldsSeq(phrase) {
		if addr == "" && strings.Contains(w, "@") && !strings.HasPrefix(w, "=?") {
			addr = strings.Trim(w, `'":>`)
			continue
		}
		name = append(name, w)
	}
	if len(name) == 0 && comment != "" {
		name = []string{comment}
	}
	return Address{Name: strings.Join(name, " "), Addr: addr}
}

package mailbox

import (
	"bytes"
	"regexp"
	"strings"
)

// textPart reads a part that is text into b.
func (r *reading) textPart(kind string, params map[string]string, transfer string, body []byte, b *content) {
	decoded := decodeTransfer(body, transfer)
	charset := params["charset"]
	if charset == "" && kind == "text/html" {
		charset = metaCharset(decoded)
	}
	s, ok := toUTF8(decoded, charset)
	if !ok {
		r.defect("a charset was guessed")
	}
	if strings.IndexByte(s, 0) >= 0 {
		r.defect("NUL bytes were dropped")
		s = strings.ReplaceAll(s, "\x00", "")
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	switch {
	case kind == "text/enriched" || kind == "text/richtext":
		s = enriched(s)
	case kind == "text/html" || kind == "application/xhtml+xml" || startsHTML(s):
		r.html(s, b)
		return
	case strings.EqualFold(params["format"], "flowed"):
		s = unflow(cut(s, 4*maxText), strings.EqualFold(params["delsp"], "yes"))
	}
	s = r.withoutUU(s)
	if strings.TrimSpace(s) != "" {
		b.pieces = append(b.pieces, piece{plain: cut(s, 2*maxText)})
	}
}

// html adds HTML, of all parts together no more than is worth the time.
func (r *reading) html(s string, b *content) {
	if len(s) > maxHTML-r.htmlBytes {
		r.defect("only the first MB of HTML was read")
		s = cut(s, maxHTML-r.htmlBytes)
	}
	if strings.TrimSpace(s) != "" {
		r.htmlBytes += len(s)
		b.pieces = append(b.pieces, piece{html: &markup{source: s}})
	}
}

var metaTag = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?([a-z0-9_:.-]{1,40})`)

// metaCharset is what HTML says itself, where its part says nothing.
func metaCharset(b []byte) string {
	if m := metaTag.FindSubmatch(b[:min(len(b), 1024)]); m != nil {
		return string(m[1])
	}
	return ""
}

// startsHTML tells whether what is labelled as plain text is HTML.
func startsHTML(s string) bool {
	start := strings.ToLower(strings.TrimSpace(cut(s, 200)))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// enriched reads text/enriched (RFC 1896): single line ends are spaces, marks
// stand in angle brackets, << is one, and a parameter is no text.
func enriched(s string) string {
	s = cut(s, 4*maxText)
	var b strings.Builder
	parameter := false
	for s != "" {
		i := strings.IndexAny(s, "<\n")
		if i < 0 {
			i = len(s)
		}
		if !parameter {
			b.WriteString(s[:i])
		}
		switch s = s[i:]; {
		case s == "":
		case strings.HasPrefix(s, "<<"):
			b.WriteByte('<')
			s = s[2:]
		case s[0] == '<':
			mark, rest, ok := strings.Cut(s[1:min(len(s), 64)], ">")
			if !ok {
				b.WriteByte('<')
				s = s[1:]
				break
			}
			switch strings.ToLower(mark) {
			case "param":
				parameter = true
			case "/param":
				parameter = false
			case "nl", "/paragraph":
				b.WriteByte('\n')
			}
			s = s[len(s[1:min(len(s), 64)])-len(rest)+1:]
		default:
			rest := strings.TrimLeft(s, "\n")
			if n := len(s) - len(rest); n == 1 {
				b.WriteByte(' ')
			} else {
				b.WriteString(strings.Repeat("\n", min(n-1, 2)))
			}
			s = rest
		}
	}
	return b.String()
}

// withoutUU takes files in uuencode out of a text and notes them as
// attachments, as mail programs did before MIME.
func (r *reading) withoutUU(s string) string {
	if !strings.Contains(s, "\nend") || !strings.Contains(s, "begin ") {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		line, after, _ := strings.Cut(rest, "\n")
		name, ok := uuBegin(line)
		end := -1
		if ok {
			end = uuEnd(after)
		}
		if end < 0 {
			b.WriteString(rest[:len(rest)-len(after)])
			rest = after
			continue
		}
		if len(r.m.Attachments) < maxParts {
			size := int64(len(line) + 1 + end)
			r.m.Attachments = append(r.m.Attachments, Attachment{Name: cleanLine(name, 200), Type: "application/octet-stream", Size: size})
		}
		rest = strings.TrimPrefix(after[end:], "\n")
	}
	return b.String()
}

// uuBegin reads "begin 644 report.txt".
func uuBegin(line string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "begin ")
	if !ok {
		return "", false
	}
	mode, name, _ := strings.Cut(rest, " ")
	return name, len(mode) >= 3 && len(mode) <= 4 && strings.Trim(mode, "01234567") == ""
}

// uuEnd is where the lines of a file in uuencode end; -1 if they are none.
func uuEnd(s string) int {
	for at := 0; at < len(s); {
		line, _, _ := strings.Cut(s[at:], "\n")
		next := min(len(s), at+len(line)+1)
		t := strings.TrimRight(line, " ")
		switch {
		case t == "end":
			return next
		case t == "" || t == "`":
		default:
			n := (int(t[0]-' ')&0x3f + 2) / 3 * 4
			if t[0] < ' ' || t[0] > '`' || len(t) > n+2 {
				return -1
			}
		}
		at = next
	}
	return -1
}

// invitation is what a calendar entry (RFC 5545) says to a person.
func invitation(s string) string {
	s = strings.NewReplacer("\r\n", "\n").Replace(cut(s, maxText))
	s = strings.NewReplacer("\n ", "", "\n\t", "").Replace(s)
	unescape := strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`)
	said := map[string]string{}
	inside := false
	for line := range strings.SplitSeq(s, "\n") {
		name, value, _ := strings.Cut(line, ":")
		name, _, _ = strings.Cut(strings.ToUpper(name), ";")
		switch {
		case name == "BEGIN":
			inside = strings.EqualFold(strings.TrimSpace(value), "VEVENT")
		case name == "END":
			inside = false
		case inside && said[name] == "":
			said[name] = unescape.Replace(strings.TrimSpace(value))
		}
	}
	var out []string
	for _, name := range []string{"SUMMARY", "DTSTART", "LOCATION", "DESCRIPTION"} {
		if v := said[name]; v != "" {
			out = append(out, v)
		}
	}
	return strings.Join(out, "\n")
}

// withoutArmour drops what PGP puts around a signed text (RFC 9580 section 7).
func withoutArmour(s string) string {
	const begin, signature, end = "-----BEGIN PGP SIGNED MESSAGE-----\n", "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
	before, rest, ok := strings.Cut(s, begin)
	if !ok {
		return s
	}
	if _, text, ok := strings.Cut(rest, "\n\n"); ok { // after its headers
		rest = text
	}
	text, after, _ := strings.Cut(rest, signature)
	if _, behind, ok := strings.Cut(after, end); ok {
		after = behind
	}
	text = strings.ReplaceAll("\n"+text, "\n- ", "\n")[1:]
	return before + text + after
}

// signedKind tells whether a part is an S/MIME object that may hold the text.
func signedKind(kind string, params map[string]string) bool {
	return (kind == "application/pkcs7-mime" || kind == "application/x-pkcs7-mime") && !strings.EqualFold(params["smime-type"], "certs-only")
}

// signed reads the mail inside an opaque S/MIME signature (RFC 8551 section
// 3.5.2). What is encrypted is not read.
func (r *reading) signed(body []byte, transfer string, at place, b *content) bool {
	inner := signedData(decodeTransfer(body, transfer))
	if inner == nil {
		r.defect("the mail is encrypted by S/MIME and is not read")
		return true
	}
	h, inside := readHeader(bytes.ReplaceAll(inner, []byte("\r\n"), []byte("\n")), maxPartHeader, r.partDefect)
	at.depth++
	at.kind = "text/plain"
	r.walk(&h, inside, at, b)
	return true
}

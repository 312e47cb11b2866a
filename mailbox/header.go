package mailbox

import (
	"bytes"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
)

// Bounds of headers.
const (
	maxHeaderFields = 2000
	maxHeaderBytes  = 1 << 20
	maxPartHeader   = 64 << 10
	maxFieldBytes   = 64 << 10
)

// header is a mail's or a part's header as go-message knows it, filled by our
// own tolerant reader: go-message gives up the whole mail at the first line
// that is no header line (emersion/go-message issues 130, 144 and 198).
type header struct {
	message.Header
}

func (h *header) get(name string) string { return h.Get(name) }

// all returns every value of a field, the topmost first.
func (h *header) all(name string) []string {
	var vs []string
	for f := h.FieldsByKey(name); f.Next(); {
		vs = append(vs, f.Value())
	}
	return vs
}

// readHeader reads header lines until an empty line, keeping what is a field
// and dropping what is none. It returns the body that follows.
func readHeader(b []byte, max int, defect func(string)) (h header, body []byte) {
	var fields [][2]string // go-message adds on top, so they are added backwards
	var name string
	var value []byte
	flush := func() {
		if name != "" && len(fields) < maxHeaderFields {
			fields = append(fields, [2]string{name, string(bytes.TrimSpace(value))})
		}
		name, value = "", nil
	}
	used, bad := 0, false
	for len(b) > 0 {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		used += len(line) + 1
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			break
		}
		if used > max {
			defect("a header too long was cut")
			if i := endOfHeader(b); i >= 0 {
				b = b[i:]
			} else {
				b = nil
			}
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if name != "" && len(value) < maxFieldBytes {
				value = append(append(value, ' '), bytes.TrimSpace(line)...)
			}
			continue
		}
		i := bytes.IndexByte(line, ':')
		key := bytes.TrimRight(line[:max0(i)], " \t")
		if i <= 0 || !fieldName(key) {
			bad = true
			// A line of prose before any field: there is no header at all.
			if len(fields) == 0 && name == "" && !looksLikeHeader(b) {
				defect("there is no header")
				return h, append(append(bytes.Clone(line), '\n'), b...)
			}
			continue
		}
		flush()
		name, value = string(key), bytes.Clone(line[i+1:min(len(line), i+1+maxFieldBytes)])
	}
	flush()
	if bad {
		defect("lines in a header that are no header lines were dropped")
	}
	for i := len(fields) - 1; i >= 0; i-- {
		h.Add(fields[i][0], fields[i][1])
	}
	return h, b
}

func max0(i int) int { return max(i, 0) }

// fieldName tells whether a name can be one (RFC 5322 section 2.2).
func fieldName(b []byte) bool {
	if len(b) == 0 || len(b) > 200 {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return true
}

// looksLikeHeader tells whether one of the next lines is a usual field.
func looksLikeHeader(b []byte) bool {
	for range 20 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		if len(bytes.TrimSpace(line)) == 0 {
			return false
		}
		key, _, ok := bytes.Cut(line, []byte(":"))
		if ok {
			switch strings.ToLower(string(bytes.TrimSpace(key))) {
			case "from", "to", "subject", "date", "received", "message-id", "mime-version", "content-type", "return-path", "delivered-to", "reply-to", "x-mailer":
				return true
			}
		}
		b = rest
	}
	return false
}

func endOfHeader(b []byte) int {
	if i := bytes.Index(b, []byte("\n\r\n")); i >= 0 {
		return i + 3
	}
	if i := bytes.Index(b, []byte("\n\n")); i >= 0 {
		return i + 2
	}
	return -1
}

var (
	encodedWord = regexp.MustCompile(`=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=`)
	betweenWord = regexp.MustCompile(`(\?=)\s+(=\?)`)
)

// decodeHeader decodes a header's value: encoded words with their usual
// mistakes (spaces inside, letters split between words, unknown charsets), and
// raw 8-bit text.
func decodeHeader(s string) string {
	if !utf8.ValidString(s) {
		s, _ = toUTF8([]byte(s), "")
	}
	if !strings.Contains(s, "=?") {
		return s
	}
	s = betweenWord.ReplaceAllString(s, "$1$2")
	// Neighbouring words of one charset are joined before they are decoded:
	// many programs split a letter between them (RFC 2047 section 5 forbids it).
	var out strings.Builder
	var pending []byte
	var charset string
	flush := func() {
		if len(pending) > 0 {
			t, _ := toUTF8(pending, charset)
			out.WriteString(t)
			pending = nil
		}
	}
	last := 0
	for _, m := range encodedWord.FindAllStringSubmatchIndex(s, 1000) {
		if m[0] > last {
			flush()
			out.WriteString(s[last:m[0]])
		}
		label, text := s[m[2]:m[3]], s[m[6]:m[7]]
		if !strings.EqualFold(label, charset) {
			flush()
		}
		charset = label
		if c := s[m[4]]; c == 'b' || c == 'B' {
			pending = append(pending, decodeBase64([]byte(text))...)
		} else {
			pending = append(pending, decodeQ(text)...)
		}
		last = m[1]
	}
	flush()
	out.WriteString(s[last:])
	return out.String()
}

// decodeQ reads the Q encoding (RFC 2047 section 4.2).
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

var parameter = regexp.MustCompile(`(?i);\s*([a-z0-9*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;\s]*))`)

// mediaType reads a Content-Type or Content-Disposition; broken parameters are
// read as far as they go.
func mediaType(value string) (kind string, params map[string]string) {
	kind, params, err := mime.ParseMediaType(value)
	if err == nil {
		return kind, params
	}
	kind, _, _ = strings.Cut(value, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if i := strings.IndexAny(kind, " \t"); i > 0 {
		kind = kind[:i]
	}
	params = map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(value, 50) {
		key, v := strings.ToLower(m[1]), m[2]
		if v == "" {
			v = m[3]
		}
		if _, ok := params[key]; !ok {
			params[key] = v
		}
	}
	return kind, params
}

// ids reads message ids, in angle brackets or bare.
func ids(value string, most int) []string {
	var list []string
	for _, f := range strings.FieldsFunc(value, func(r rune) bool {
		return r == '<' || r == '>' || r == ' ' || r == '\t' || r == ',' || r == '\n' || r == '\r'
	}) {
		if len(list) == most {
			break
		}
		if id := cleanLine(f, maxMessageID); id != "" {
			list = append(list, id)
		}
	}
	return list
}

// messageID reads the mail's own id, whatever it looks like.
func messageID(value string) string {
	v := strings.TrimSpace(value)
	if i := strings.IndexByte(v, '<'); i >= 0 {
		if j := strings.IndexByte(v[i:], '>'); j > 0 {
			v = v[i+1 : i+j]
		}
	}
	return cleanLine(strings.Trim(v, "<>"), maxMessageID)
}

var (
	comment   = regexp.MustCompile(`\([^()]*\)`)
	dateForms = []string{
		"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05 MST",
		"Mon, 2 Jan 2006 15:04 -0700", "2 Jan 2006 15:04 -0700", "Mon, 2 Jan 06 15:04:05 -0700", "Mon, 2 Jan 06 15:04:05 MST",
		"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04:05 -0700 2006",
		"Mon, 02-Jan-2006 15:04:05 -0700", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "Mon, Jan 2 2006 15:04:05 -0700",
		"Mon, 2 January 2006 15:04:05 -0700", "Monday, 2 January 2006 15:04:05 -0700", "02 Jan 2006 15:04:05 -07:00", "Mon, 2 Jan 2006 15:04:05 -07:00",
		"Mon, 2 Jan 2006 15.04.05 -0700", "1/2/2006 3:04:05 PM", "Mon, 2 Jan 2006 3:04:05 PM -0700",
	}
	zones = map[string]int{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "BST": 1, "EET": 2, "EEST": 3, "JST": 9, "MSK": 3, "IST": 5}
)

// parseDate reads a Date header with its usual mistakes. Zero: unreadable.
func parseDate(value string) time.Time {
	value = strings.Join(strings.Fields(value), " ")
	if value == "" || len(value) > 200 {
		return time.Time{}
	}
	if t, err := mail.ParseDate(value); err == nil {
		return zoned(t)
	}
	value = strings.Join(strings.Fields(comment.ReplaceAllString(value, " ")), " ")
	value = strings.NewReplacer("Sept ", "Sep ", " ,", ",", "GMT+", "+", "GMT-", "-", " UT", " +0000").Replace(value)
	for _, form := range dateForms {
		if t, err := time.Parse(form, value); err == nil {
			return zoned(t)
		}
	}
	// A wrong day of the week or a zone nobody knows must not lose the date.
	if _, rest, ok := strings.Cut(value, ", "); ok {
		for _, form := range dateForms {
			if t, err := time.Parse(form, rest); err == nil {
				return zoned(t)
			}
		}
	}
	if i := strings.LastIndexByte(value, ' '); i > 10 {
		for _, form := range []string{"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon, 2 Jan 2006 15:04"} {
			if t, err := time.Parse(form, value[:i]); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// zoned gives the names of zones their offset: package time takes an unknown
// name as UTC (RFC 5322 section 4.3 knows the American ones).
func zoned(t time.Time) time.Time {
	name, offset := t.Zone()
	if hours, ok := zones[name]; ok && offset == 0 {
		t = t.Add(-time.Duration(hours) * time.Hour)
	}
	if t.Year() < 1970 || t.Year() > 2200 {
		return time.Time{}
	}
	return t.UTC()
}

package mailbox

import (
	"bytes"
	"slices"
	"strings"

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

	typed  bool // Content-Type was read
	kind   string
	params map[string]string
}

type headerField struct{ name, value string }

// get returns the topmost value of a field; "" where there is none.
func (h *header) get(name string) string { return h.Get(name) }

// all returns every value of a field, the topmost first.
func (h *header) all(name string) []string { return h.Values(name) }

// contentType is what a part says of its kind, read once.
func (h *header) contentType() (kind string, params map[string]string) {
	if !h.typed {
		h.kind, h.params = mediaType(h.get("Content-Type"))
		h.typed = true
	}
	return h.kind, h.params
}

// readHeader reads header lines until an empty line, keeping what is a field
// and dropping what is none. It returns the body that follows. Where no line is
// a field of mail, or no empty line ends the header, words are never taken for
// one: all that is no field is body.
func readHeader(b []byte, max int, defect func(string)) (h header, body []byte) {
	r := headerReader{rest: b, max: max}
	r.read()
	switch {
	case !r.known && len(bytes.TrimSpace(b)) > 0 && (len(r.fields) > 0 || r.bad != nil):
		defect("there is no header")
		return header{}, b
	case r.cut:
		defect("a header too long was cut")
	case !r.ended && r.bad != nil:
		defect("no empty line stood between the header and the text")
		r.rest = r.bad
	case r.bad != nil:
		defect("lines in a header that are no header lines were dropped")
	}
	if len(r.fields) == maxHeaderFields {
		defect("only the first header fields were read")
	}
	for _, f := range slices.Backward(r.fields) { // go-message adds on top
		h.Add(f.name, f.value)
	}
	return h, r.rest
}

// headerReader reads a header line by line.
type headerReader struct {
	rest   []byte
	max    int // bytes of header to read
	fields []headerField
	name   string
	value  []byte
	known  bool   // a field was one that mails have
	bad    []byte // from the first line that is no header line
	ended  bool   // by an empty line
	cut    bool
}

func (r *headerReader) read() {
	used := 0
	for len(r.rest) > 0 && !r.ended {
		before := r.rest
		line, rest, _ := bytes.Cut(r.rest, []byte("\n"))
		r.rest = rest
		used += len(line) + 1
		if used > r.max {
			r.cut, r.ended = true, true
			_, r.rest, _ = bytes.Cut(before, []byte("\n\n"))
			break
		}
		r.line(line, before)
	}
	r.flush()
}

// line takes one line; before is what begins with it.
func (r *headerReader) line(line, before []byte) {
	space := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
	text := bytes.TrimSpace(line)
	switch {
	case len(line) == 0:
		r.ended = true
	case len(text) == 0:
		// Spaces alone: a slip where a field follows, else the end.
		next, _, _ := bytes.Cut(r.rest, []byte("\n"))
		name, _ := splitField(next)
		r.ended = name == "" && (len(next) == 0 || next[0] != ' ' && next[0] != '\t')
	case space && r.name != "":
		if len(r.value) < maxFieldBytes {
			r.value = append(append(r.value, ' '), text...)
		}
	default:
		name, value := splitField(text)
		if name == "" && fieldName(text) {
			// The colon of a folded field may stand on its next line.
			next, rest, _ := bytes.Cut(r.rest, []byte("\n"))
			if t := bytes.TrimLeft(next, " \t"); len(t) < len(next) && bytes.HasPrefix(t, []byte(":")) {
				name, value, r.rest = string(text), t[1:], rest
			}
		}
		if name == "" {
			if r.bad == nil {
				r.bad = before
			}
			return
		}
		r.flush()
		r.known = r.known || knownField(name)
		n := min(len(value), maxFieldBytes)
		r.name, r.value = name, value[:n:n] // the mail's own bytes: what is added goes elsewhere
	}
}

func (r *headerReader) flush() {
	if r.name != "" && len(r.fields) < maxHeaderFields {
		r.fields = append(r.fields, headerField{r.name, string(bytes.TrimSpace(r.value))})
	}
	r.name, r.value = "", nil
}

// splitField cuts a line at its colon; the name is empty if it is no field.
func splitField(line []byte) (name string, value []byte) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 {
		return "", nil
	}
	key := bytes.TrimRight(line[:i], " \t")
	if !fieldName(key) {
		return "", nil
	}
	return string(key), line[i+1:]
}

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

// knownField tells whether mails have a field of that name.
func knownField(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "from", "to", "cc", "bcc", "subject", "date", "received", "message-id", "mime-version", "return-path", "delivered-to", "reply-to", "sender",
		"in-reply-to", "references", "errors-to", "dkim-signature", "authentication-results", "auto-submitted", "precedence", "organization", "user-agent", "envelope-to", "status":
		return true
	}
	for _, prefix := range []string{"content-", "x-", "list-", "resent-", "arc-", "received-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// ids reads message ids: those in angle brackets, or, where there are none,
// bare ones.
func ids(value string, most int) []string {
	var list []string
	bare := strings.IndexByte(value, '<') < 0
	if bare {
		value = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '>' }), "><") + ">"
		value = "<" + value
	}
	for len(list) < most {
		_, rest, ok := strings.Cut(value, "<")
		if !ok {
			break
		}
		id, after, _ := strings.Cut(rest, ">")
		if id = cleanLine(id, maxMessageID); id != "" && (!bare || strings.Contains(id, "@")) {
			list = append(list, id)
		}
		value = after
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

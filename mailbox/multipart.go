package mailbox

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// multipart reads the parts: of alternatives the plain one if it says
// something, else the HTML; of the others all.
func (r *reading) multipart(kind string, params map[string]string, transfer string, body []byte, at place, b *content) {
	boundary := strings.TrimRight(params["boundary"], " \t")
	parts := r.split(body, boundary)
	if len(parts) == 0 && transfer != "" {
		// Encoded as a whole, which RFC 2045 section 6.4 forbids.
		if parts = r.split(decodeTransfer(body, transfer), boundary); len(parts) > 0 {
			r.defect("a multipart was encoded as a whole")
		}
	}
	if len(parts) == 0 {
		r.defect("a multipart had no parts; it was read as text")
		r.textPart("text/plain", map[string]string{}, transfer, body, b)
		return
	}
	at.depth++
	var forms []content
	for _, raw := range parts {
		if r.parts >= maxParts {
			r.defect("parts beyond the bounds were not read")
			break
		}
		at.kind = "text/plain"
		if kind == "multipart/digest" { // RFC 2046 section 5.1.5
			at.kind = "message/rfc822"
		}
		h, inside := readHeader(raw, maxPartHeader, r.partDefect)
		if inner, p := h.contentType(); p["boundary"] == boundary && boundary != "" && strings.HasPrefix(inner, "multipart/") {
			// A multipart inside that has the same boundary: its parts are the
			// ones that follow here.
			r.defect("two multiparts have one boundary")
			kind = inner
			continue
		}
		var form content
		r.walk(&h, inside, at, &form)
		forms = append(forms, form)
	}
	if kind == "multipart/alternative" {
		b.pieces = append(b.pieces, choose(forms)...)
		return
	}
	for _, form := range forms {
		b.pieces = append(b.pieces, form.pieces...)
	}
}

// choose picks one of several forms of the same words.
func choose(forms []content) []piece {
	var plain, rich []piece
	for _, f := range forms {
		for _, p := range f.pieces {
			if p.html != nil {
				rich = append(rich, p)
			} else if strings.TrimSpace(p.plain) != "" {
				plain = append(plain, p)
			}
		}
	}
	if len(plain) > 0 && !placeholder(plain, rich) {
		if len(plain) == 1 && len(rich) == 1 {
			plain[0].rich = rich[0].html
		}
		return plain
	}
	if len(rich) > 0 {
		return rich
	}
	return plain
}

// placeholder tells whether the plain form only says that there is HTML.
func placeholder(plain, rich []piece) bool {
	if len(rich) == 0 {
		return false
	}
	s := strings.TrimSpace(plain[0].plain)
	if len(s) >= 300*utf8.UTFMax {
		return false
	}
	s = strings.ToLower(s)
	return len(s) < 300 && (strings.Contains(s, "html") && (strings.Contains(s, "view") || strings.Contains(s, "display") || strings.Contains(s, "support")))
}

// split cuts a multipart body at its boundary. A boundary that is not told, or
// that no line has, is taken from the first line that looks like one.
func (r *reading) split(body []byte, boundary string) [][]byte {
	if boundary != "" {
		if parts := r.cutAt(body, []byte("--"+boundary)); len(parts) > 0 {
			return parts
		}
	}
	for line := range bytes.Lines(body[:min(len(body), 64<<10)]) {
		line = bytes.TrimRight(line, " \t\n")
		if len(line) > 4 && len(line) < 200 && bytes.HasPrefix(line, []byte("--")) && !bytes.ContainsAny(line, " \t") && len(bytes.Trim(line, "-")) > 0 {
			parts := r.cutAt(body, line)
			if len(parts) > 0 {
				r.defect("the boundary of a multipart was found by its look")
			}
			return parts
		}
	}
	return nil
}

// cutAt cuts a body at the lines that are the marker, alone or closed by two
// dashes. A missing end is no loss; what stands behind the end is none of the
// parts (RFC 2046 section 5.1.1).
func (r *reading) cutAt(body, marker []byte) [][]byte {
	var parts [][]byte
	start, ended := -1, false
	for at := 0; len(parts) <= maxParts; {
		i := bytes.Index(body[at:], marker)
		if i < 0 {
			break
		}
		i += at
		at = i + len(marker)
		tail, _, _ := bytes.Cut(body[at:], []byte("\n"))
		next := min(len(body), at+len(tail)+1)
		tail = bytes.TrimRight(tail, " \t")
		closing := bytes.Equal(tail, []byte("--"))
		if i > 0 && body[i-1] != '\n' || len(tail) > 0 && !closing {
			continue // in mid-line, or a longer boundary that begins like this one
		}
		if start >= 0 {
			parts = append(parts, bytes.TrimSuffix(body[start:i], []byte("\n")))
		}
		start, at = next, next
		if ended = closing; ended {
			break
		}
	}
	if !ended && start >= 0 {
		if start < len(body) {
			parts = append(parts, body[start:])
		}
		r.defect("a multipart did not end")
	}
	return parts
}

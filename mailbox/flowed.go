package mailbox

import "strings"

// unflow joins the lines of format=flowed (RFC 3676 section 4).
func unflow(s string, delSp bool) string {
	var out strings.Builder
	depth := -1 // quote depth of a paragraph that goes on
	for line := range strings.SplitSeq(s, "\n") {
		d := 0
		for d < len(line) && line[d] == '>' {
			d++
		}
		text := strings.TrimPrefix(line[d:], " ")
		flowed := strings.HasSuffix(text, " ") && text != "-- "
		if depth != d || depth < 0 || text == "-- " {
			if out.Len() > 0 {
				out.WriteByte('\n')
			}
			if d > 0 {
				out.WriteString(strings.Repeat(">", d) + " ")
			}
		}
		if flowed && delSp {
			text = text[:len(text)-1]
		}
		out.WriteString(text)
		depth = -1
		if flowed {
			depth = d
		}
	}
	return out.String()
}

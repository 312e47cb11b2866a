package main

import (
	"strings"
)

// cutLines are lines of a mail's text that are not in its reply.
type cutLines struct {
	lines []string
	why   string
}

// cuts finds what of a text is not in the reply, and says by its look why it
// was cut.
func cuts(text, reply string) []cutLines {
	kept := strings.Split(squeeze(reply), "\n")
	var list []cutLines
	for line := range strings.SplitSeq(text, "\n") {
		words := squeeze(line)
		// Quoted lines are cut even where the answer repeats them; of others the
		// next one that is kept is found again, whatever empty lines are between.
		for len(kept) > 0 && kept[0] == "" {
			kept = kept[1:]
		}
		switch {
		case words == "":
			if n := len(list); n > 0 && list[n-1].why == "" {
				list[n-1].lines = append(list[n-1].lines, "")
			}
		case len(kept) > 0 && kept[0] == words:
			kept = kept[1:]
			if n := len(list); n > 0 && list[n-1].why == "" {
				list[n-1].why = whyCut(list[n-1].lines)
			}
		default:
			if n := len(list); n == 0 || list[n-1].why != "" {
				list = append(list, cutLines{})
			}
			last := &list[len(list)-1]
			last.lines = append(last.lines, line)
		}
	}
	for i := range list {
		list[i].why = whyCut(list[i].lines)
		list[i].lines = strings.Split(strings.TrimRight(strings.Join(list[i].lines, "\n"), "\n"), "\n")
	}
	return list
}

// squeeze makes lines equal that differ in their spaces only.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ")
	}
	return strings.Join(lines, "\n")
}

// whyCut names what lines are, by the first of them.
func whyCut(lines []string) string {
	first := ""
	quoted := 0
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if first == "" {
			first = l
		}
		if strings.HasPrefix(l, ">") || strings.HasPrefix(l, "|") {
			quoted++
		}
	}
	switch {
	case strings.HasPrefix(first, "-----BEGIN PGP"):
		return "the marks of a signature by PGP"
	case strings.Trim(first, "-_—– ") == "" && quoted == 0:
		return "a signature, or history below a rule"
	case quoted > 0:
		return "history: quoted lines and who wrote them"
	case strings.HasSuffix(first, ":") || strings.HasPrefix(first, "--") || strings.Contains(first, ": "):
		return "history: an older mail and its fields"
	}
	return "a closing formula, signature or disclaimer, or history that is marked in HTML"
}

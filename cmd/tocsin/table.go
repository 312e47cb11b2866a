package main

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// table writes rows in columns. On a terminal it fits the width: the widest
// columns give way first, and what does not fit ends in an ellipsis. Elsewhere
// nothing is cut.
func (p *program) table(head []string, rows [][]string) {
	all := append([][]string{head}, rows...)
	widths := make([]int, len(head))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	if room, tty := terminal(p.Out); tty {
		room -= gap * (len(widths) - 1)
		if head[0] == "ID" { // it is there to be copied into the next command
			fit(widths[1:], room-widths[0])
		} else {
			fit(widths, room)
		}
	}
	bold := colour(p.Out)
	for n, row := range all {
		var b strings.Builder
		for i, cell := range row {
			cell = clip(cell, widths[i])
			b.WriteString(cell + strings.Repeat(" ", max(0, widths[i]-columns(cell))+gap))
		}
		line := strings.TrimRight(b.String(), " ")
		if n == 0 && bold {
			line = "\x1b[1m" + line + "\x1b[0m"
		}
		fmt.Fprintln(p.Out, line)
	}
}

// gap is the space between two columns, narrowest what a column shrinks to.
const (
	gap       = 2
	narrowest = 4
)

// fit takes from the widest column until all fit into room.
func fit(widths []int, room int) {
	for {
		sum, widest := 0, 0
		for i, w := range widths {
			sum += w
			if w >= widths[widest] { // the last of equals, which is the least needed
				widest = i
			}
		}
		if sum <= room || widths[widest] <= narrowest {
			return
		}
		widths[widest]--
	}
}

// columns is how many columns of a terminal a text takes: a letter of East Asia
// two, a mark above another letter none (Unicode Standard Annex 11).
func columns(s string) (n int) {
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// clip shortens a text to so many columns.
func clip(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	used := 1 // the ellipsis
	for i, r := range s {
		if used += runeColumns(r); used > n {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

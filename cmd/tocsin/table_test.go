package main

import (
	"strconv"
	"strings"
	"testing"
)

// TestColumnsGiveWayToTheWidth: however wide the cells are, a line fits, and
// the narrow columns stay whole.
func TestColumnsGiveWayToTheWidth(t *testing.T) {
	for _, c := range []struct {
		widths []int
		room   int
		want   string
	}{
		{[]int{4, 10, 20}, 80, "4 10 20"},
		{[]int{4, 10, 200}, 60, "4 10 46"},
		{[]int{16, 9, 300, 500}, 74, "16 9 25 24"},
		{[]int{30, 30, 30}, 5, "4 4 4"},
	} {
		got := append([]int{}, c.widths...)
		fit(got, c.room)
		var words []string
		for _, w := range got {
			words = append(words, strconv.Itoa(w))
		}
		if s := strings.Join(words, " "); s != c.want {
			t.Errorf("fit(%v, %d) = %s, want %s", c.widths, c.room, s, c.want)
		}
	}
}

func TestClipCountsWhatATerminalShows(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"short", 10, "short"}, {"longer than ten", 10, "longer th…"}, {"ログインできません", 9, "ログイン…"}, {"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
	} {
		if got := clip(c.s, c.n); got != c.want {
			t.Errorf("clip(%q, %d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

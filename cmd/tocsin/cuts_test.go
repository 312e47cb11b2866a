package main

import (
	"strings"
	"testing"
)

func TestAPersonSeesWhatWasCutAndWhy(t *testing.T) {
	tests := []struct{ name, text, reply, want string }{
		{"nothing", "I can't log in.", "I can't log in.", ""},
		{"quoted", "It  fails.\n\nOn Monday Kim wrote:\n> Try again\n> please", "It fails.", "history: quoted lines and who wrote them|On Monday Kim wrote:/> Try again/> please"},
		{"signature", "It fails.\n-- \nAnna", "It fails.", "a signature, or history below a rule|-- /Anna"},
		{"between", "> one\nyes\n> two\nno", "yes\n\nno", "history: quoted lines and who wrote them|> one\nhistory: quoted lines and who wrote them|> two"},
		{"header block", "Done.\n\nFrom: Kim\nSubject: x\n\nold words", "Done.", "history: an older mail and its fields|From: Kim/Subject: x//old words"},
		{"formula", "Done.\nKind regards\nAnna", "Done.", "a closing formula, signature or disclaimer, or history that is marked in HTML|Kind regards/Anna"},
		{"all", "Kim wrote:\n> x", "", "history: quoted lines and who wrote them|Kim wrote:/> x"},
	}
	for _, tt := range tests {
		var got []string
		for _, c := range cuts(tt.text, tt.reply) {
			got = append(got, c.why+"|"+strings.Join(c.lines, "/"))
		}
		if s := strings.Join(got, "\n"); s != tt.want {
			t.Errorf("%s: cuts = %q, want %q", tt.name, s, tt.want)
		}
	}
}

package mailbox

import (
	"testing"
	"time"
)

func TestDatesAreReadAsProgramsWriteThem(t *testing.T) {
	want := time.Date(2026, 11, 2, 15, 12, 7, 0, time.UTC)
	for _, s := range []string{
		"Mon, 2 Nov 2026 16:12:07 +0100",
		"2 Nov 2026 16:12:07 +0100",
		"Mon,2 Nov 2026 16:12:07 +0100",
		"Mon, 02 Nov 26 16:12:07 +0100",
		"Mon, 02 Nov 126 16:12:07 +0100",
		"Mon, 2 Nov 2026 16:12:07 +0100 (CET)",
		"Mon, 2 Nov 2026 16:12:07 (so they say (really)) +0100",
		"Mon, 2 Nov 2026 16:12:07 +01:00",
		"Mon, 2 Nov 2026 16:12:07 +1",
		"Mon, 2 Nov 2026 16:12:07 CET",
		"Mon, 2 Nov 2026 15:12:07",
		"Mon, 2 Nov 2026 15:12:07 -0000",
		"Mon, 2 Nov 2026 15:12:07 UT",
		"Mon, 2 Nov 2026 15:12:07 Z",
		"Mon, 2 Nov 2026 15:12:07 XYZT",
		"Mon, 2 Nov 2026 10:12:07 EST",
		"Mon, 2 Nov 2026 11:12:07 EDT",
		"Mon, 2 Nov 2026 07:12:07 PST (Pacific)",
		"Mon, 2 Nov 2026 16:12:07 GMT+0100",
		"Mon, 2 Nov 2026 16:12:07 GMT+01:00",
		"Mon Nov 2 15:12:07 2026",
		"Mon Nov  2 16:12:07 CET 2026",
		"Mon Nov 2 16:12:07 +0100 2026",
		"Monday, November 02, 2026 3:12:07 PM",
		"Mon 2 Nov 2026 10:12:07 AM EST",
		"Monday, 2 November 2026 16:12:07 +0100",
		"Mon, 02-Nov-2026 16:12:07 +0100",
		"02-Nov-26 16:12:07 +0100",
		"2026-11-02 16:12:07 +0100",
		"2026-11-02T16:12:07+01:00",
		"2026-11-02T15:12:07.531Z",
		"11/2/2026 3:12:07 PM",
		"Mon, 2 Nov 2026 16.12.07 +0100",
		"Mo, 2 Nov 2026 16:12:07 +0100",
		"Tue, 2 Nov 2026 16:12:07 +0100", // it was a Monday
		"Mon, 2 Nov 2026 16:12:07 +0100 and more",
		"Mon, 2nd Nov 2026 16:12:07 +0100",
		" Mon,\t2 Nov 2026\t16:12:07 +0100 ",
		"2 Nov 2026 16:12:07+0100",
	} {
		if got := parseDate(s); !got.Equal(want) {
			t.Errorf("parseDate(%q) = %v, want %v", s, got, want)
		}
	}
	for _, s := range []string{"", "yesterday", "Mon, 2 Nov", "16:12:07", "2 Nov 0000 16:12:07", "99 Nov 2026 16:12:07", "2 Foo 2026 16:12:07", "Mon, 2 Nov 2026 99:12:07", "2 Nov 99999 16:12:07 +0100"} {
		if got := parseDate(s); !got.IsZero() {
			t.Errorf("parseDate(%q) = %v, want none", s, got)
		}
	}
	for s, want := range map[string]string{
		"Mon, 2 Nov 2026":                       "2026-11-02T00:00:00Z",
		"Thu, 31 Dec 98 23:59:60 GMT":           "1999-01-01T00:00:00Z",
		"Wednesday, April 03, 2002 5:56 AM":     "2002-04-03T05:56:00Z",
		"Wed 29 May 2019 06:09:22 PM EDT":       "2019-05-29T22:09:22Z",
		"01 Jan 2001 00:01+0000":                "2001-01-01T00:01:00Z",
		"Tue, 30 Nov 1999 23:56:33 -3000 (CST)": "1999-12-02T05:56:33Z",
		"Mon,  2 Apr 101 04:20:10 CST":          "2001-04-02T10:20:10Z",
		"Sat, 31 Feb 2026 10:00:00 +0000":       "2026-03-03T10:00:00Z",
		"13/11/2026 10:00":                      "2026-11-13T10:00:00Z",
		"12:30 AM 4 Jul 2026":                   "2026-07-04T00:30:00Z",
	} {
		if got := parseDate(s).Format(time.RFC3339); got != want {
			t.Errorf("parseDate(%q) = %s, want %s", s, got, want)
		}
	}
}

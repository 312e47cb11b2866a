package mailbox

import (
	"strconv"
	"strings"
	"time"
)

// zones are the names of zones that mails carry, in minutes east of UTC: those
// of RFC 5322 section 4.3, and those that programs write though nobody defined
// them. A name that is not here is taken as UTC, as that section says.
var zones = map[string]int{
	"est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "ast": -240, "adt": -180, "hst": -600,
	"akst": -540, "akdt": -480, "nst": -210, "ndt": -150, "brt": -180, "bst": 60, "wet": 0, "west": 60, "cet": 60, "cest": 120, "met": 60, "mest": 120, "mez": 60,
	"mesz": 120, "eet": 120, "eest": 180, "msk": 180, "msd": 240, "ist": 330, "sast": 120, "sgt": 480, "hkt": 480, "jst": 540, "kst": 540,
	"aest": 600, "aedt": 660, "acst": 570, "awst": 480, "nzst": 720, "nzdt": 780,
}

var months = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
	"mär": 3, "mai": 5, "okt": 10, "dez": 12, // what German programs write
}

// parseDate reads a Date header, in the order and with the junk that programs
// write: it looks at each word for what it can be, where a list of layouts
// always lacks one. Zero: unreadable, or a year that no mail can have.
func parseDate(value string) time.Time {
	if len(value) > 200 {
		value = value[:200]
	}
	d := dateReading{day: -1, year: -1, hour: -1}
	for _, word := range strings.FieldsFunc(withoutComments(value), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '\r' || r == '\n' }) {
		d.word(strings.ToLower(word))
	}
	return d.time()
}

// withoutComments drops what stands in parentheses.
func withoutComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '(':
			depth++
			b.WriteByte(' ')
		case c == ')':
			depth = max(0, depth-1)
		case depth == 0:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

type dateReading struct {
	day, year         int
	month             time.Month
	hour, minute, sec int
	zone              int // minutes east of UTC
	zoned, pm, am     bool
}

// word takes one word for what it can be.
func (d *dateReading) word(w string) {
	switch {
	case w[0] == '+' || w[0] == '-':
		if d.hour >= 0 && !d.numericZone(w) && d.year < 0 {
			d.number(strings.Trim(w, "+-"))
		}
	case w[0] >= '0' && w[0] <= '9' && strings.Contains(w, ":"):
		d.clock(w)
	case w[0] >= '0' && w[0] <= '9':
		d.number(w)
	default:
		d.name(w)
	}
}

// clock reads 16:12, 16:12:07.5, 4:12pm, 16:12+0100 and, after a date and a T,
// the same (RFC 3339).
func (d *dateReading) clock(w string) {
	if day, rest, ok := strings.Cut(w, "t"); ok && strings.Count(day, "-") == 2 {
		d.number(day)
		w = rest
	}
	if d.hour >= 0 || w == "" || w[0] < '0' || w[0] > '9' {
		return
	}
	end := strings.IndexFunc(w, func(r rune) bool { return r != ':' && r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		end = len(w)
	}
	var part [3]int
	for i, s := range strings.SplitN(w[:end], ":", 3) {
		s, _, _ = strings.Cut(s, ".")
		n, err := strconv.Atoi(s)
		if err != nil || n > 60 {
			d.hour = 99 // no time there is, so no date either
			return
		}
		part[i] = n
	}
	d.hour, d.minute, d.sec = part[0], part[1], part[2]
	if rest := w[end:]; rest != "" {
		d.word(rest)
	}
}

// number reads a day, a year, a date of numbers, or a date with dashes.
func (d *dateReading) number(w string) {
	if i := strings.IndexAny(w, "-/."); i > 0 && i < len(w)-1 {
		d.dashed(strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '/' || r == '.' }))
		return
	}
	digits := strings.TrimRight(w, "abcdefghijklmnopqrstuvwxyz.") // 2nd, 2.
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil:
	case d.day < 0 && n >= 1 && n <= 31 && len(digits) <= 2:
		d.day = n
	case d.year < 0:
		d.year = fullYear(n, len(digits))
	}
}

// dashed reads 2026-11-02, 02-Nov-26, 11/02/2026 (American, unless it cannot
// be) and 02.11.2026; with dots it may be a time, 16.12.07.
func (d *dateReading) dashed(f []string) {
	if d.day >= 0 && d.month > 0 && d.year >= 0 {
		d.clock(strings.Join(f, ":"))
		return
	}
	if len(f) != 3 || d.day >= 0 {
		return
	}
	a, errA := strconv.Atoi(f[0])
	b, errB := strconv.Atoi(f[1])
	c, errC := strconv.Atoi(f[2])
	switch {
	case errA == nil && errB != nil && errC == nil:
		d.day, d.year = a, fullYear(c, len(f[2]))
		d.name(f[1])
	case errA != nil || errB != nil || errC != nil:
	case len(f[0]) == 4:
		d.year, d.month, d.day = a, time.Month(b), c
	case a > 12:
		d.day, d.month, d.year = a, time.Month(b), fullYear(c, len(f[2]))
	default:
		d.month, d.day, d.year = time.Month(a), b, fullYear(c, len(f[2]))
	}
}

// fullYear mends years of two and three digits (RFC 5322 section 4.3).
func fullYear(n, digits int) int {
	switch {
	case digits <= 2 && n < 50:
		return n + 2000
	case digits <= 3 && n < 200:
		return n + 1900
	}
	return n
}

// name reads a month, a zone, or half of the day; a day of the week says
// nothing that the date does not.
func (d *dateReading) name(w string) {
	if i := strings.IndexAny(w, "+-"); i > 0 { // GMT+0100
		if d.numericZone(w[i:]) {
			return
		}
		w = w[:i]
	}
	w = strings.Trim(w, `."'`)
	switch w {
	case "am", "a.m":
		d.am = true
		return
	case "pm", "p.m":
		d.pm = true
		return
	}
	if zone, ok := zones[w]; ok && d.hour >= 0 && !d.zoned {
		d.zone, d.zoned = zone, true
		return
	}
	if d.month == 0 && len(w) >= 3 {
		short := w[:3]
		if strings.HasPrefix(w, "mär") {
			short = "mär"
		}
		d.month = months[short]
	}
}

// numericZone reads +0100, -5, +05:30 and the like.
func (d *dateReading) numericZone(w string) bool {
	digits := strings.ReplaceAll(w[1:], ":", "")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || len(digits) > 4 || d.zoned {
		return false
	}
	if len(digits) > 2 {
		n = n/100*60 + n%100
	} else {
		n *= 60
	}
	if w[0] == '-' {
		n = -n
	}
	d.zone, d.zoned = n, true
	return true
}

func (d *dateReading) time() time.Time {
	if d.day < 1 || d.day > 31 || d.month < 1 || d.month > 12 || d.year < 1800 || d.year > 2200 {
		return time.Time{}
	}
	switch {
	case d.hour < 0:
		d.hour = 0
	case d.pm && d.hour < 12:
		d.hour += 12
	case d.am && d.hour == 12:
		d.hour = 0
	case d.hour > 24 || d.minute > 59:
		return time.Time{}
	}
	return time.Date(d.year, d.month, d.day, d.hour, d.minute, d.sec, 0, time.UTC).Add(-time.Duration(d.zone) * time.Minute)
}

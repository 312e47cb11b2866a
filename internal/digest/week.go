// Package digest looks back: the weekly digest that the support lead reads on
// Monday, the schedule that sends it once, and the draft of a post-mortem.
package digest

import (
	"fmt"
	"time"
)

// Week is seven days from the team's first day of the week, half open. Days
// are the team's, so that a week with a change to summer time has 167 hours.
type Week struct {
	From, To time.Time
}

// String names it by the ISO 8601 number of the week that holds its fourth day,
// whichever day the team's week begins with.
func (w Week) String() string {
	y, n := w.From.AddDate(0, 0, 3).ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, n)
}

// WeekOf is the week that holds t.
func WeekOf(t time.Time, start time.Weekday, loc *time.Location) Week {
	t = t.In(loc)
	back := (int(t.Weekday()) - int(start) + 7) % 7
	from := time.Date(t.Year(), t.Month(), t.Day()-back, 0, 0, 0, 0, loc)
	return Week{from, from.AddDate(0, 0, 7)}
}

// ParseWeek reads "2026-W47".
func ParseWeek(s string, start time.Weekday, loc *time.Location) (Week, error) {
	var y, n int
	if _, err := fmt.Sscanf(s, "%4d-W%2d", &y, &n); err != nil || len(s) != 8 || y < 1970 || y > 9000 {
		return Week{}, weekError{s}
	}
	// 4 January is always in week 1; the middle of the week asked for is n-1
	// weeks after the Thursday of that one.
	first := time.Date(y, 1, 4, 12, 0, 0, 0, loc)
	thursday := first.AddDate(0, 0, 4-isoDay(first)+7*(n-1))
	for from := -6; from <= 0; from++ {
		w := WeekOf(thursday.AddDate(0, 0, from+3), start, loc)
		if w.String() == s {
			return w, nil
		}
	}
	return Week{}, weekError{s}
}

func isoDay(t time.Time) int {
	if d := int(t.Weekday()); d != 0 {
		return d
	}
	return 7
}

type weekError struct{ s string }

func (e weekError) Error() string  { return fmt.Sprintf("%q is no week", e.s) }
func (e weekError) Advice() string { return "write it as 2026-W47" }

// Schedule is when the digest is sent, in the team's time.
type Schedule struct {
	Day          time.Weekday
	Hour, Minute int
	Location     *time.Location
}

// Last is the latest scheduled instant not after now. Where the clock skips the
// scheduled hour it is the hour after.
func (s Schedule) Last(now time.Time) time.Time {
	now = now.In(s.Location)
	back := (int(now.Weekday()) - int(s.Day) + 7) % 7
	at := time.Date(now.Year(), now.Month(), now.Day()-back, s.Hour, s.Minute, 0, 0, s.Location)
	if at.After(now) {
		at = time.Date(now.Year(), now.Month(), now.Day()-back-7, s.Hour, s.Minute, 0, 0, s.Location)
	}
	return at
}

// Next is the first scheduled instant after now.
func (s Schedule) Next(now time.Time) time.Time {
	last := s.Last(now)
	return time.Date(last.Year(), last.Month(), last.Day()+7, s.Hour, s.Minute, 0, 0, s.Location)
}

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tocsin/detect"
)

// Duration is a span with its unit in the value: "30s", "10m", "90d", "2w", or
// several together, "1d12h".
type Duration time.Duration

// D is the standard library's duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// units of a span in words, as people write a budget.
var units = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour,
	"month": 30 * 24 * time.Hour, "quarter": 91 * 24 * time.Hour, "year": 365 * 24 * time.Hour,
}

// ParseDuration reads "90d", "1d12h", "30 days", "2 weeks", "500ms".
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no span of time: write a number with a unit, such as 30s, 10m, 24h or 90d", s)
	rest := strings.ToLower(strings.TrimSpace(s))
	if d, err := time.ParseDuration(rest); err == nil {
		if d < 0 {
			return 0, bad
		}
		return d, nil
	}
	if rest == "" {
		return 0, bad
	}
	var total float64
	for rest != "" {
		i := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if i <= 0 {
			return 0, bad
		}
		n, err := strconv.ParseFloat(rest[:i], 64)
		if err != nil {
			return 0, bad
		}
		rest = strings.TrimSpace(rest[i:])
		j := strings.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
		if j < 0 {
			j = len(rest)
		}
		unit, ok := units[rest[:j]]
		if !ok {
			unit, ok = units[strings.TrimSuffix(rest[:j], "s")]
		}
		if !ok {
			return 0, bad
		}
		total += n * float64(unit)
		rest = strings.TrimSpace(rest[j:])
	}
	if total > float64(200*365*24*time.Hour) {
		return 0, bad
	}
	return time.Duration(total), nil
}

// Rate is a budget of false alarms as a person writes it: "1 per 30 days",
// "2 per week", "1/30d".
type Rate detect.Rate

// UnmarshalText reads a budget.
func (r *Rate) UnmarshalText(b []byte) error {
	v, err := ParseRate(string(b))
	*r = Rate(v)
	return err
}

// String writes the budget as it may be read again.
func (r Rate) String() string {
	n := strconv.FormatFloat(r.Count, 'g', 4, 64)
	if days := r.Per.Hours() / 24; days >= 1 && days == float64(int(days)) {
		if days == 1 {
			return n + " per day"
		}
		return fmt.Sprintf("%s per %d days", n, int(days))
	}
	return n + " per " + r.Per.String()
}

// ParseRate reads a budget of false alarms.
func ParseRate(s string) (detect.Rate, error) {
	bad := fmt.Errorf("%q is no budget of false alarms: write how many in how long, such as \"1 per 30 days\" or 1/30d", s)
	count, per, ok := strings.Cut(s, "/")
	if !ok {
		count, per, ok = strings.Cut(s, " per ")
	}
	if !ok {
		return detect.Rate{}, bad
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(count), 64)
	if err != nil || !(n > 0) || n > 1e4 {
		return detect.Rate{}, bad
	}
	per = strings.TrimSpace(per)
	if per != "" && (per[0] < '0' || per[0] > '9') {
		per = "1 " + per
	}
	d, err := ParseDuration(per)
	if err != nil || d < time.Hour {
		return detect.Rate{}, bad
	}
	// A budget outside these bounds is a slip of the pen: more than ten false
	// pages a day is no alarm, fewer than one in ten years finds nothing.
	if perDay := n / (d.Hours() / 24); perDay > 10 || perDay < 1.0/3650 {
		return detect.Rate{}, fmt.Errorf("a budget of %s is out of range: between 10 a day and 1 in 10 years", s)
	}
	return detect.Rate{Count: n, Per: d}, nil
}

// TimeOfDay is "08:00".
type TimeOfDay struct{ Hour, Minute int }

// UnmarshalText reads a time of day.
func (t *TimeOfDay) UnmarshalText(b []byte) error {
	v, err := time.Parse("15:04", string(b))
	if err != nil {
		return fmt.Errorf("%q is no time of day: write it as 08:00", b)
	}
	t.Hour, t.Minute = v.Hour(), v.Minute()
	return nil
}

// Weekday is "monday".
type Weekday time.Weekday

// UnmarshalText reads a weekday in English, three letters are enough.
func (w *Weekday) UnmarshalText(b []byte) error {
	s := strings.ToLower(string(b))
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		if s == name || (len(s) >= 3 && strings.HasPrefix(name, s)) {
			*w = Weekday(d)
			return nil
		}
	}
	return fmt.Errorf("%q is no day of the week: write monday, tuesday, …", b)
}

// Secret is a value that is never printed.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides it from %#v too.
func (s Secret) GoString() string { return s.String() }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// MarshalText keeps it out of JSON and TOML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ReadSecret reads a secret from a file that nobody else can read. Directories
// in which a service manager or container runtime puts secrets are believed to
// be guarded by it.
func ReadSecret(path string) (Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s is a folder", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && !guarded(path) {
		return "", fmt.Errorf("%s can be read by others (mode %04o): chmod 600 %s", path, mode, path)
	}
	if info.Size() > 64<<10 {
		return "", fmt.Errorf("%s is too large for a secret (%d bytes)", path, info.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return Secret(s), nil
}

func guarded(path string) bool {
	for _, dir := range []string{os.Getenv("CREDENTIALS_DIRECTORY"), "/run/secrets", "/var/run/secrets"} {
		if dir == "" {
			continue
		}
		if rel, err := filepath.Rel(dir, path); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			return true
		}
	}
	return false
}

// SpanText writes a span as a person says it: "90 days", "10 min".
func SpanText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "none"
	case d%day == 0 && d >= day:
		if d == day {
			return "1 day"
		}
		return strconv.Itoa(int(d/day)) + " days"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	}
	return d.String()
}

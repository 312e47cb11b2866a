package page

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/detect"
)

// Kinds says which kinds of complaint an incident is about: "login and signup".
func Kinds(i *detect.Incident) string { return join(i.Categories) }

func join(categories []string) string {
	names := make([]string, len(categories))
	for n, c := range categories {
		names[n] = strings.ReplaceAll(c, "_", " ")
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("%d more", len(categories)-3))
	}
	switch len(names) {
	case 0:
		return "all"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Headline is the incident in a few words.
func Headline(i *detect.Incident) string {
	switch i.Kind {
	case "surge":
		if i.State == detect.Resolved {
			return capital(Kinds(i)) + " complaints surged"
		}
		return capital(Kinds(i)) + " complaints are surging"
	case "outcome":
		return "A success rate has dropped"
	case "silence":
		return "A service reports no success rates"
	case "blind":
		return "Tocsin is blind"
	case "unnamed":
		return "Trouble without a category"
	case "dependency":
		return "A core package needs attention"
	}
	return capital(i.Kind) + " trouble"
}

// subjectOf is what an incident is about, after what became of it.
func subjectOf(i *detect.Incident) string {
	if i.Kind == "surge" {
		return Kinds(i) + " complaints"
	}
	return Headline(i)
}

// Sentence is why, in a line: how many customers in how long, what is normal,
// after which deployment.
func Sentence(i *detect.Incident) string { return sentence(i, &i.Reason) }

// SentenceNow is the same with the numbers as they have grown.
func SentenceNow(i *detect.Incident) string { return sentence(i, &i.Now) }

func sentence(i *detect.Incident, r *detect.Reason) string {
	if r.Text != "" {
		return r.Text
	}
	kinds := Kinds(i)
	if len(r.Categories) > 0 {
		kinds = join(r.Categories)
	}
	mails := ""
	if r.Complaints > r.Customers {
		mails = fmt.Sprintf(" (%d mails)", r.Complaints)
	}
	s := fmt.Sprintf("%s complaints: %s%s in %s (normal %s)", kinds, plural(r.Customers, "customer"), mails, Span(r.Window), Number(r.Expected))
	if d := i.Suspect; d != nil {
		s += fmt.Sprintf(", %s after deployment %s", Span(d.Lead), strings.TrimSpace(d.Deployment.Service+" "+d.Deployment.Version))
	}
	if r.Signal != "" {
		s += "; " + r.Signal
	}
	return s
}

// ended says how an incident ended, where something is known of it.
func ended(i *detect.Incident) string {
	after, ok := i.AfterRollback()
	switch {
	case !ok:
		return ""
	case after < time.Minute:
		return "; complaints stopped with the roll-back to " + i.Rollback.Version
	}
	return fmt.Sprintf("; complaints stopped %s after the roll-back to %s", Span(after), i.Rollback.Version)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + s[n:]
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Number is an expected count as people read it: 0.3, 2.4, 18.
func Number(f float64) string {
	switch {
	case f < 0.05:
		return "0"
	case f < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
	}
	return fmt.Sprintf("%.0f", f)
}

// Span is a length of time as people say it.
func Span(d time.Duration) string {
	m := d.Minutes()
	switch {
	case m < 0.75:
		return "less than a minute"
	case m < 90:
		return fmt.Sprintf("%.0f min", math.Max(1, m))
	case m < 48*60:
		return fmt.Sprintf("%.1f h", m/60)
	}
	return fmt.Sprintf("%.0f days", m/60/24)
}

package digest

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/page"
)

// Subject is the week's headline.
func (d *Digest) Subject() string {
	_, n, _ := strings.Cut(d.Week, "-W")
	s := "Week " + strings.TrimPrefix(n, "0") + ": "
	switch {
	case d.Mails == 0:
		return s + "no mail arrived"
	case d.Pages == d.FalseAlarms && d.Pages > 0:
		s += plural(d.Pages, "false alarm") + ", "
	case d.Pages == d.FalseAlarms:
		s += "no incident, "
	default:
		s += plural(d.Pages-d.FalseAlarms, "incident")
		if dep := d.blamed(); dep != "" {
			s += " after " + clip(oneLine(dep), 60)
		}
		s += ", "
	}
	s += plural(d.Complaints, "complaint")
	if c := change(d.Complaints, d.Before); c != "" {
		s += " (" + c + ")"
	}
	return oneLine(s)
}

// blamed is the deployment that all true incidents of the week are put down to.
func (d *Digest) blamed() string {
	dep := ""
	for _, i := range d.Incidents {
		switch {
		case i.FalseAlarm:
		case i.Suspect == "" || dep != "" && i.Suspect != dep:
			return ""
		default:
			dep = i.Suspect
		}
	}
	return dep
}

// change is how much more or less than before, in percent.
func change(now, before int) string {
	if before == 0 {
		return ""
	}
	p := math.Round(100 * float64(now-before) / float64(before))
	switch {
	case p == 0:
		return "as before"
	case p > 0:
		return fmt.Sprintf("+%.0f %%", p)
	}
	return fmt.Sprintf("−%.0f %%", -p)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// oneLine makes hostile text one harmless line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimRight(string(r[:n-1]), " ") + "…"
}

func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}

func (d *Digest) day(format string) string {
	return d.From.In(d.loc).Format(format) + " to " + d.To.In(d.loc).AddDate(0, 0, -1).Format("Monday 2 January 2006")
}

func (d *Digest) link(path string) string {
	if d.url == "" {
		return ""
	}
	return d.url + path
}

// Days restricts a link to the mail of the week.
func (d *Digest) Days() template.URL {
	return template.URL("from=" + d.From.In(d.loc).Format(time.DateOnly) + "&to=" + d.To.In(d.loc).AddDate(0, 0, -1).Format(time.DateOnly))
}

// Lead is the week in two or three sentences.
func (d *Digest) Lead() string {
	if d.Mails == 0 {
		return "No mail arrived in this week."
	}
	s := fmt.Sprintf("%s arrived; %s.", plural(d.Mails, "mail"), complaints(d.Complaints))
	var against []string
	if d.Before > 0 {
		against = append(against, fmt.Sprintf("the week before had %d", d.Before))
	}
	if d.Normal >= 0 {
		against = append(against, "normal is "+page.Number(d.Normal))
	}
	if len(against) > 0 {
		line := strings.Join(against, "; ")
		s += " " + strings.ToUpper(line[:1]) + line[1:] + "."
	}
	if !d.Over {
		s += " The week is not over yet."
	}
	return s
}

func complaints(n int) string {
	switch n {
	case 0:
		return "none was a complaint"
	case 1:
		return "one was a complaint"
	}
	return fmt.Sprintf("%d were complaints", n)
}

// Record is the detector's own week in a sentence or two: whom it woke, how
// soon, and whether it was right to.
func (d *Digest) Record() string {
	var s string
	switch d.Pages {
	case 0:
		s = "Nobody was paged"
	case 1:
		s = "On-call was paged once"
	case 2:
		s = "On-call was paged twice"
	default:
		s = fmt.Sprintf("On-call was paged %d times", d.Pages)
	}
	if d.Minutes >= 0 {
		s += fmt.Sprintf(", %s after the first complaint", minutes(d.Minutes))
		if d.Pages > 1 {
			s += " (median)"
		}
	}
	switch {
	case d.Pages == 0:
		s += "."
	case d.FalseAlarms == 0:
		s += "; no page was called a false alarm."
	case d.Pages == 1:
		s += "; it was a false alarm."
	case d.FalseAlarms == 1:
		s += "; one of the pages was a false alarm."
	default:
		s += fmt.Sprintf("; %d of the pages were false alarms.", d.FalseAlarms)
	}
	if d.Warnings > 0 {
		s += " " + plural(d.Warnings, "warning") + " stayed on the dashboard."
	}
	return s
}

func minutes(m float64) string {
	if m < 0.75 {
		return "less than a minute"
	}
	return fmt.Sprintf("%.0f min", math.Round(m))
}

// Text is the digest for a mail's text part and for a terminal.
func (d *Digest) Text() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("%s", wrap(d.Subject(), 72))
	p("%s", wrap(d.day("Monday 2 January")+map[bool]string{true: ", " + oneLine(d.Source)}[d.Source != ""], 72))
	p("")
	p("%s", wrap(d.Lead(), 72))
	if len(d.Kinds) > 0 {
		p("\nCOMPLAINTS")
		p("  %-23s %6s %12s %8s", "", "week", "week before", "normal")
		for _, k := range d.Kinds {
			n := "?"
			if k.Normal >= 0 {
				n = page.Number(k.Normal)
			}
			mark := ""
			if k.Grown() {
				mark = "  more than normal"
			}
			p("  %s %6d %12d %8s%s", pad(clip(oneLine(k.Title), 23), 23), k.Complaints, k.Before, n, mark)
		}
	}
	p("\nINCIDENTS")
	if len(d.Incidents) == 0 {
		p("  none")
	}
	for _, i := range d.Incidents {
		head := oneLine(i.Headline) + map[bool]string{true: " (false alarm)"}[i.FalseAlarm]
		p("  %s  %s", i.Paged.In(d.loc).Format("Mon 15:04"), strings.TrimLeft(indent(wrap(head, 59), "             "), " "))
		p("%s", indent(wrap(clip(oneLine(i.Sentence), maxSentence), 59), "             "))
		p("%s", indent(wrap(i.tail(), 59), "             "))
		if l := d.link("/incidents/" + url.PathEscape(i.ID)); l != "" {
			p("             %s", l)
		}
	}
	if n := d.Pages - len(d.Incidents); n > 0 {
		p("  and %d more", n)
	}
	p("\nTHE DETECTOR'S OWN RECORD")
	p("%s", indent(wrap(d.Record(), 70), "  "))
	if len(d.Deployments) > 0 {
		p("\nDEPLOYMENTS (complaints in the hour before, and after)")
		for _, x := range d.Deployments {
			p("  %s  %s %4d %4d  %s", x.At.In(d.loc).Format("Mon 15:04"), pad(clip(oneLine(x.Name), 32), 32), x.Before, x.After, x.tail())
			if l := d.link("/deployments/" + url.PathEscape(x.ID)); l != "" {
				p("             %s", l)
			}
		}
		if n := d.Deployed - len(d.Deployments); n > 0 {
			p("  and %d more", n)
		}
	}
	if len(d.Terms) > 0 {
		p("\nWORDS THAT GREW")
		for _, t := range d.Terms {
			p("  %s (%s)", clip(oneLine(t.Term), 40), plural(t.Count, "mail"))
		}
	}
	if len(d.Unnamed) > 0 {
		p("\nTROUBLE WITHOUT A CATEGORY")
		for _, u := range d.Unnamed {
			p("  %s", u.Line())
			for _, s := range u.Samples[:min(len(u.Samples), 2)] {
				p("    %s", clip(subject(s.Subject), 68))
				if l := d.link("/messages/" + url.PathEscape(s.ID)); l != "" {
					p("      %s", l)
				}
			}
		}
	}
	if d.Unsorted > 0 {
		p("\nMAIL NOBODY COULD SORT: %d", d.Unsorted)
		for _, s := range d.Samples {
			p("  %s", clip(subject(s.Subject), 70))
			if l := d.link("/messages/" + url.PathEscape(s.ID)); l != "" {
				p("    %s", l)
			}
		}
		if l := d.link("/messages?unsorted=1&" + string(d.Days())); l != "" {
			p("  all of it, to be sorted:\n    %s", l)
		}
	}
	if d.Unread > 0 {
		p("\n%s could not be read; the status page lists them.", plural(d.Unread, "mail"))
	}
	p("\nTocsin reads the inbox and changes nothing in it.")
	return b.String()
}

func subject(s string) string {
	if s = oneLine(s); s == "" {
		return "(no subject)"
	}
	return s
}

// maxSentence bounds what was paged: a trouble's sentence holds what a server
// answered.
const maxSentence = 400

// Grown tells whether a kind was clearly above its normal.
func (k Kind) Grown() bool {
	return k.Normal >= 0 && float64(k.Complaints) >= 5 && float64(k.Complaints) > k.Normal+3*math.Sqrt(max(k.Normal, 1))
}

func (i Incident) tail() string {
	s := ""
	if i.Customers > 0 {
		s = fmt.Sprintf("paged %s after the first complaint, %s hit, ", minutes(i.ToPage.Minutes()), plural(i.Customers, "customer"))
	}
	if i.Over {
		return s + "lasted " + page.Span(i.Lasted)
	}
	return s + "still open"
}

func (x Deployment) tail() string {
	switch {
	case x.Incident != "":
		return "suspect"
	case x.Failed:
		return "failed"
	case x.Rollback:
		return "roll-back"
	case x.Watched:
		return "watched"
	}
	return "clean"
}

func wrap(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, w := range strings.Fields(s) {
		l := utf8.RuneCountInString(w)
		if n > 0 && n+1+l > width {
			b.WriteByte('\n')
			n = 0
		} else if n > 0 {
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += l
	}
	return b.String()
}

func indent(s, by string) string { return by + strings.ReplaceAll(s, "\n", "\n"+by) }

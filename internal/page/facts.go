package page

import (
	"fmt"
	"strings"
	"time"

	"tocsin/detect"
)

// Fact is a line of what a page says, the same for every pager. Value may hold
// several lines.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// The names of facts.
const (
	customersFact  = "Customers"
	firstFact      = "First complaint"
	deploymentFact = "Deployment"
	packagesFact   = "Packages"
	signalFact     = "Success rate"
	wordsFact      = "Words"
	rollbackFact   = "Roll-back"
)

// reason is why, as it was paged or, in a later page, as it has grown.
func (p *Page) reason() *detect.Reason {
	if p.Change == detect.Opened || p.Change == detect.Warned {
		return &p.Incident.Reason
	}
	return &p.Incident.Now
}

// facts are what is known of an incident, the most important first. Times are
// the team's.
func facts(p *Page, loc *time.Location) []Fact {
	var list []Fact
	add := func(name, value string) {
		if value != "" {
			list = append(list, Fact{name, value})
		}
	}
	clock := func(t time.Time) string { return t.In(loc).Format("15:04 MST") }
	i, r := &p.Incident, p.reason()
	if r.Customers > 0 {
		add(customersFact, fmt.Sprintf("%d in %s, %s (normal %s)", r.Customers, Span(r.Window), plural(r.Complaints, "mail"), Number(r.Expected)))
		add(firstFact, clock(r.FirstComplaint))
	}
	if s := i.Suspect; s != nil {
		add(deploymentFact, fmt.Sprintf("%s at %s, %s before the first complaint", strings.TrimSpace(s.Deployment.Service+" "+s.Deployment.Version), clock(s.Deployment.At), Span(s.Lead)))
	}
	add(packagesFact, strings.Join(p.Packages, "\n"))
	add(signalFact, r.Signal)
	add(wordsFact, strings.Join(p.Terms, ", "))
	if b := i.Rollback; b != nil {
		add(rollbackFact, fmt.Sprintf("%s at %s", strings.TrimSpace(b.Service+" "+b.Version), clock(b.At))+afterRollback(i))
	}
	return list
}

// afterRollback says whether going back helped, once it is over.
func afterRollback(i *detect.Incident) string {
	after, ok := i.AfterRollback()
	switch {
	case !ok || i.State != detect.Resolved:
		return ""
	case after < time.Minute:
		return "; complaints stopped with it"
	}
	return fmt.Sprintf("; complaints stopped %s after it", Span(after))
}

// text is the page in plain lines: for mail, phones and alert texts.
func (p *Page) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", capital(p.Sentence))
	if len(p.Facts) > 0 {
		b.WriteByte('\n')
	}
	for _, f := range p.Facts {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, strings.ReplaceAll(f.Value, "\n", "\n  "))
	}
	for _, q := range p.Quotes {
		fmt.Fprintf(&b, "\n%s: “%s”\n", q.From, q.Text)
	}
	if p.Link != "" {
		fmt.Fprintf(&b, "\n%s\n", p.Link)
	}
	return b.String()
}

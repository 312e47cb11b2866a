package digest

import (
	"bytes"
	_ "embed"
	"html/template"
	"sync"
	"time"

	"tocsin/internal/page"
)

//go:embed digest.html
var markup string

// mail is the HTML part: tables and inline style only, since mail clients drop
// style sheets, SVG and scripts.
// It claims no dark form of its own (color-scheme): a client that darkens mail
// would leave it as it is. Without, all of it is darkened alike.
//
// Parsed at the first use, which most commands never come to.
var mail = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("digest").Funcs(template.FuncMap{
		"number":  page.Number,
		"one":     oneLine,
		"subject": subject,
		"clip":    func(n int, s string) string { return clip(oneLine(s), n) },
		"plural":  plural,
		"width": func(k Kind, most int) int {
			return max(1, 100*k.Complaints/max(1, most))
		},
		"minus":    func(a, b int) int { return a - b },
		"sentence": func(s string) string { return clip(oneLine(s), maxSentence) },
	}).Parse(markup))
})

type mailData struct {
	*Digest
	Most  int
	Links bool
}

// Day and Link are for the template.
func (m mailData) Day(t time.Time) string    { return t.In(m.loc).Format("Mon 15:04") }
func (m mailData) Span() string              { return m.day("Monday 2 January") }
func (m mailData) Link(path string) string   { return m.link(path) }
func (m mailData) Tail(i Incident) string    { return i.tail() }
func (m mailData) After(d Deployment) string { return d.tail() }

// HTML is the digest for a mail's HTML part.
func (d *Digest) HTML() string {
	m := mailData{Digest: d, Links: d.url != ""}
	for _, k := range d.Kinds {
		m.Most = max(m.Most, k.Complaints)
	}
	var b bytes.Buffer
	if err := mail().Execute(&b, m); err != nil {
		panic("digest: the template does not fit its data: " + err.Error())
	}
	return b.String()
}

package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/detect"
	"tocsin/internal/page"
	"tocsin/store"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticRoot embed.FS

func staticFiles() http.Handler {
	sub, _ := fs.Sub(staticRoot, "static")
	files := http.StripPrefix("/static/", http.FileServerFS(sub))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r) // else the server would list what there is
			return
		}
		w.Header().Set("Cache-Control", "max-age=300")
		files.ServeHTTP(w, r)
	})
}

// frame is what every page has around it.
type frame struct {
	Title   string
	Tab     string
	Who     string
	Open    bool // nobody has to sign in
	Demo    bool
	Running bool
	Now     time.Time
	Notice  string // of the worker
	Said    string // what the last form did
	Alarm   int    // open incidents that page
	Page    any
}

// said are the sentences after a form, so that no text comes from a URL.
var said = map[string]string{
	"acknowledge": "Acknowledged.",
	"resolve":     "Resolved.",
	"false-alarm": "Dismissed as a false alarm. This kind stays quiet for a day unless it grows clearly.",
	"note":        "The note was added.",
	"corrected":   "Sorted. The classifier learns it in the background.",
}

// render writes a page.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) error {
	f := frame{Title: title, Tab: name, Who: who(r.Context()), Open: s.guard.open(), Demo: s.opt.Demo, Now: s.opt.Now(),
		Running: s.opt.Worker != nil, Said: said[r.URL.Query().Get("said")], Page: data}
	if s.opt.Worker != nil {
		f.Notice = s.opt.Worker.Status().Notice
	}
	var b bytes.Buffer
	t, err := s.templates(f.Now)
	if err != nil {
		return err
	}
	if err := t.ExecuteTemplate(&b, name+".html", f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(b.Bytes())
	return err
}

// page runs a handler whose answers are for a person.
func (s *Server) page(h handler) http.Handler {
	each := s.rendered(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.Header.Get("X-Live") != "" {
			s.same.serve(w, r, each)
			return
		}
		each.ServeHTTP(w, r)
	})
}

// rendered runs a handler and words its error.
func (s *Server) rendered(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil || r.Context().Err() != nil {
			return
		}
		status, text, advice := s.explain(r, err)
		if err := s.render(w, r, status, "error", errorTitle(status), errorData{status, upper(strings.TrimSuffix(text, ".")) + ".", upper(advice)}); err != nil {
			s.opt.Log.Error("page failed", "path", clip(r.URL.Path, 100), "err", err)
		}
	})
}

type errorData struct {
	Status       int
	Text, Advice string
}

func errorTitle(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "Not here"
	case status == http.StatusConflict:
		return "That is no longer possible"
	case status == http.StatusServiceUnavailable:
		return "Not just now"
	case status >= 500:
		return "Something went wrong"
	}
	return "That cannot be done"
}

// parsed at the first use, which most commands never come to.
var parsed = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(funcs(nil, time.UTC)).ParseFS(templateFiles, "templates/*.html"))
})

// templates are bound to the inbox's time, which the demo replays.
func (s *Server) templates(now time.Time) (*template.Template, error) {
	t, err := parsed().Clone()
	if err != nil {
		return nil, err
	}
	return t.Funcs(funcs(&now, s.opt.Location)), nil
}

func funcs(now *time.Time, loc *time.Location) template.FuncMap {
	at := func() time.Time {
		if now == nil {
			return time.Time{}
		}
		return *now
	}
	return template.FuncMap{
		"ago":       func(t time.Time) string { return ago(at(), t) },
		"clock":     func(t time.Time) string { return t.In(loc).Format("15:04") },
		"clocks":    func(t time.Time) string { return t.In(loc).Format("15:04:05") },
		"day":       func(t time.Time) string { return t.In(loc).Format("Mon 2 Jan 15:04") },
		"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"when":      func(t time.Time) string { return when(at(), t, loc) },
		"kinds":     func(i detect.Incident) string { return page.Kinds(&i) },
		"headline":  func(i detect.Incident) string { return page.Headline(&i) },
		"sentence":  func(i detect.Incident) string { return page.Sentence(&i) },
		"now":       func(i detect.Incident) string { return page.SentenceNow(&i) },
		"number":    page.Number,
		"lasted":    func(i detect.Incident) string { return lasted(at(), &i) },
		"figures":   func(i detect.Incident) []figure { return figures(at(), loc, i) },
		"date":      func(t time.Time) string { return dateText(at(), t, loc) },
		"upper":     upper,
		"counted":   counted,
		"weblink":   weblink,
		"mb":        func(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) },
		"percent":   func(f float64) string { return fmt.Sprintf("%.0f %%", 100*f) },
		"highlight": highlight,
		"step":      stepText,
		"plural":    plural,
		"clip":      func(n int, s string) string { return clipRunes(s, n) },
		"list":      func(s ...string) []string { return s },
	}
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// dateText is a day as a heading.
func dateText(now, t time.Time, loc *time.Location) string {
	t, now = t.In(loc), now.In(loc)
	text := t.Format("Monday 2 January 2006")
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "Today, " + text
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday, " + text
	}
	return text
}

// counted tells whether a step's numbers say something new: what people did
// comes with the same ones.
func counted(st store.Step) bool {
	switch st.Kind {
	case detect.Warned, detect.Opened, detect.Grew, detect.DidReopen, detect.DidResolve:
		return st.Reason != nil && st.Reason.Customers > 0
	}
	return false
}

// weblink keeps an address of the web, and nothing else that a deployment may
// have brought.
func weblink(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func clipRunes(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	switch {
	case d < 2*time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// when is the time of day today, with the date before.
func when(now, t time.Time, loc *time.Location) string {
	t, now = t.In(loc), now.In(loc)
	switch {
	case t.IsZero():
		return ""
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006 15:04")
}

func lasted(now time.Time, i *detect.Incident) string {
	end := i.ResolvedAt
	if end.IsZero() {
		end = now
	}
	return page.Span(end.Sub(i.StartedAt))
}

// highlight marks phrases in a text. Everything is escaped; the marks are the
// only markup.
func highlight(text string, phrases []string) template.HTML {
	type part struct{ from, to int }
	lower := strings.ToLower(text)
	var parts []part
	if len(lower) == len(text) { // else folding moved the places
		for _, p := range phrases {
			p = strings.ToLower(strings.TrimSpace(p))
			if len(p) < 3 {
				continue
			}
			for from := 0; len(parts) < 50; {
				i := strings.Index(lower[from:], p)
				if i < 0 {
					break
				}
				parts = append(parts, part{from + i, from + i + len(p)})
				from += i + len(p)
			}
		}
	}
	sort.Slice(parts, func(a, b int) bool { return parts[a].from < parts[b].from })
	var b strings.Builder
	done := 0
	for _, p := range parts {
		if p.from < done {
			continue
		}
		b.WriteString(template.HTMLEscapeString(text[done:p.from]))
		b.WriteString("<mark>" + template.HTMLEscapeString(text[p.from:p.to]) + "</mark>")
		done = p.to
	}
	b.WriteString(template.HTMLEscapeString(text[done:]))
	return template.HTML(b.String())
}

// stepText says what happened, for a timeline.
func stepText(kind detect.ChangeKind) string {
	switch kind {
	case detect.Warned:
		return "Warning"
	case firstComplaint:
		return "First complaint"
	case detect.Opened:
		return "Paged"
	case detect.Grew:
		return "Grew"
	case detect.Suspected:
		return "Suspect changed"
	case detect.DidAcknowledge:
		return "Acknowledged"
	case detect.DidResolve:
		return "Resolved"
	case detect.DidReopen:
		return "Flared again"
	case detect.DidDismiss:
		return "False alarm"
	case detect.DidNote:
		return "Note"
	case detect.Deployed:
		return "Deployment"
	case detect.RolledBack:
		return "Roll-back"
	case detect.Calmed:
		return "Complaints stopped"
	case "page-accepted":
		return "Page accepted"
	case "page-failed":
		return "Page refused"
	}
	return string(kind)
}

var errNoForm = errors.New("the form could not be read")

package web

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tocsin/classify"
	"tocsin/internal/digest"
	"tocsin/store"
)

type messagesData struct {
	Q        store.Query
	From, To string // as they stand in the form
	Days     []dayOfMail
	Next     string // the query of the next page
	Reached  time.Time
	Taxonomy classify.Taxonomy
	Back     string
	Recent   []recent
	Unnamed  []digest.Unnamed // on the first page of unsorted mail
}

// dayOfMail is the mail of one of the team's days.
type dayOfMail struct {
	Day  time.Time
	List []store.Entry
}

// recent is a link to the mail since some day.
type recent struct{ Name, Link string }

func (s *Server) messagesPage(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q, err := s.messageQuery(v)
	if err != nil {
		return err
	}
	q.Limit, q.Heads = 50, true
	p, err := s.opt.Store.Messages(q)
	if err != nil {
		return err
	}
	d := messagesData{Q: q, From: clip(v.Get("from"), 10), To: clip(v.Get("to"), 10), Days: byDay(p.Entries, s.opt.Location),
		Taxonomy: s.opt.Taxonomy, Back: r.URL.RequestURI(), Recent: s.recent(v)}
	if q.Unsorted && q.Before == "" {
		if d.Unnamed, err = s.unnamed.find(s.opt.Store, s.opt.Now()); err != nil {
			return err
		}
	}
	if p.Next != "" {
		v.Set("before", p.Next)
		v.Del("said")
		d.Next = "/messages?" + v.Encode()
		if len(p.Entries) < q.Limit {
			d.Reached = p.Reached
		}
	}
	title := "Messages"
	if q.Unsorted {
		title = "Unsorted mail"
	}
	return s.render(w, r, http.StatusOK, "messages", title, d)
}

// unnamedSpan is how far back mail is grouped for the page of unsorted mail, and
// unnamedFor how long the groups are kept: to make them reads every text of the
// span, which a page that is loaded again should not wait for.
const (
	unnamedSpan = 3 * 24 * time.Hour
	unnamedFor  = time.Minute
)

// grouped keeps the groups of unsorted mail for a while.
type grouped struct {
	mu   sync.Mutex
	made time.Time
	list []digest.Unnamed
}

func (g *grouped) find(st *store.Store, now time.Time) ([]digest.Unnamed, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if age := now.Sub(g.made); !g.made.IsZero() && age >= 0 && age < unnamedFor {
		return g.list, nil
	}
	list, err := digest.FindUnnamed(st, now.Add(-unnamedSpan), now.Add(time.Minute))
	if err != nil {
		return nil, err
	}
	g.made, g.list = now, list
	return list, nil
}

func byDay(list []store.Entry, loc *time.Location) (days []dayOfMail) {
	for _, e := range list {
		y, m, n := e.Received.In(loc).Date()
		day := time.Date(y, m, n, 0, 0, 0, 0, loc)
		if len(days) == 0 || !days[len(days)-1].Day.Equal(day) {
			days = append(days, dayOfMail{Day: day})
		}
		last := &days[len(days)-1]
		last.List = append(last.List, e)
	}
	return days
}

// recent are the same filters from some day on.
func (s *Server) recent(v url.Values) []recent {
	today := s.opt.Now().In(s.opt.Location)
	link := func(from string) string {
		c := url.Values{}
		for k := range v {
			if k != "before" && k != "said" && k != "to" && v.Get(k) != "" {
				c.Set(k, v.Get(k))
			}
		}
		c.Del("from")
		if from != "" {
			c.Set("from", from)
		}
		return "/messages?" + c.Encode()
	}
	day := func(back int) string { return today.AddDate(0, 0, -back).Format(time.DateOnly) }
	return []recent{{"Today", link(day(0))}, {"7 days", link(day(6))}, {"30 days", link(day(29))}, {"All time", link("")}}
}

type messageData struct {
	E        *store.Entry
	Phrases  []string
	Taxonomy classify.Taxonomy
	Counts   bool          // as a complaint
	Again    []store.Place // where else it is, for which it counts once
}

func (s *Server) messagePage(w http.ResponseWriter, r *http.Request) error {
	e, ok, err := s.opt.Store.Message(r.PathValue("id"))
	if err != nil {
		return err
	}
	if !ok {
		return notFound("there is no message %q", clip(r.PathValue("id"), 80))
	}
	again, err := s.opt.Store.Places(e.ID)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "message", "Message", messageData{E: &e, Phrases: evidenceOf(&e), Taxonomy: s.opt.Taxonomy, Counts: s.counts(&e), Again: again})
}

// counts tells whether a mail is a complaint: as the classifier says, or as the
// category does that a person gave it.
func (s *Server) counts(e *store.Entry) bool {
	if e.Corrected == "" {
		return e.Verdict.Complaint
	}
	k, ok := s.opt.Taxonomy.Find(e.Corrected)
	return ok && k.Rings != classify.RingsNever && e.Automated == ""
}

func (s *Server) correctForm(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	if err := s.correct(r, r.PathValue("id"), r.PostFormValue("category")); err != nil {
		return err
	}
	back := "/messages/" + url.PathEscape(r.PathValue("id"))
	if b := local(r.PostFormValue("back")); b == "/messages" || strings.HasPrefix(b, "/messages?") {
		back = b
	}
	u, err := url.Parse(back)
	if err != nil {
		return badRequest(errNoForm)
	}
	v := u.Query()
	v.Set("said", "corrected")
	u.RawQuery = v.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
	return nil
}

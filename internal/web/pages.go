package web

import (
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/digest"
	"tocsin/store"
)

type nowData struct {
	Open     []detect.Incident
	Warnings []detect.Incident
	Last     *detect.Incident // the newest resolved one, where nothing is open
	Main     Chart
	Small    []Chart
	Quiet    []string // kinds without a complaint in the span
	Span     string
	Spans    []string
	Status   Status
	Marks    []Mark
	Newest   []store.Entry
}

func (s *Server) nowPage(w http.ResponseWriter, r *http.Request) error {
	d := nowData{Span: r.URL.Query().Get("span")}
	choice := 2
	if s.opt.Demo {
		choice = 0
	}
	for i, c := range spans {
		d.Spans = append(d.Spans, c.Name)
		if c.Name == d.Span {
			choice = i
		}
	}
	d.Span = spans[choice].Name
	now := s.opt.Now()
	step := spans[choice].Step
	to := now.Truncate(step).Add(step)
	from := to.Add(-spans[choice].Span)

	touched, err := s.opt.Store.Incidents(from, time.Time{})
	if err != nil {
		return err
	}
	for i := range touched {
		if err := s.fresh(&touched[i]); err != nil {
			return err
		}
		switch {
		case touched[i].State == detect.Resolved:
			if d.Last == nil && touched[i].Level == detect.Paging {
				d.Last = &touched[i]
			}
		case touched[i].Level == detect.Paging:
			d.Open = append(d.Open, touched[i])
		default:
			d.Warnings = append(d.Warnings, touched[i])
		}
	}
	if d.Marks, err = s.marks(from, to, touched); err != nil {
		return err
	}
	counts, err := s.volume(from, to, step)
	if err != nil {
		return err
	}
	outcomes, err := s.opt.Store.Outcomes(from, to)
	if err != nil {
		return err
	}
	every := spans[choice].Every
	all := make([]int, len(counts[""]))
	for _, k := range s.opt.Taxonomy {
		if k.Rings == classify.RingsPage || k.Rings == classify.RingsHigh {
			for n, v := range counts[k.Name] {
				all[n] += v
			}
		}
	}
	d.Main = s.chart("Complaints that can page", "", from, to, step, every, all, d.Marks)
	d.Main.Big, d.Main.Incidents, d.Main.Alarmed = true, surges(touched, ""), len(d.Open) > 0
	for _, k := range s.opt.Taxonomy {
		if k.Rings == classify.RingsNever {
			continue
		}
		c := s.chart(k.Title, k.Name, from, to, step, every*2, counts[k.Name], d.Marks)
		if c.Counts == nil {
			c.Counts = make([]int, len(counts[""]))
		}
		c.addSuccess(outcomes)
		c.Incidents = surges(touched, k.Name)
		c.Alarmed = slices.ContainsFunc(d.Open, func(i detect.Incident) bool { return slices.Contains(i.Categories, k.Name) })
		if c.Total == 0 && c.SuccessPct == nil && len(c.Incidents) == 0 {
			d.Quiet = append(d.Quiet, k.Title)
			continue
		}
		d.Small = append(d.Small, c)
	}
	sort.SliceStable(d.Small, func(a, b int) bool { return excess(&d.Small[a]) > excess(&d.Small[b]) })
	if d.Status, err = s.status(); err != nil {
		return err
	}
	p, err := s.opt.Store.Messages(store.Query{Limit: 8, Automated: "without", Heads: true})
	if err != nil {
		return err
	}
	d.Newest = p.Entries
	slices.Reverse(d.Marks)
	d.Marks = d.Marks[:min(6, len(d.Marks))]
	return s.render(w, r, http.StatusOK, "now", "Now", d)
}

// excess orders charts: the most unusual first.
func excess(c *Chart) float64 {
	if c.Alarmed {
		return 1e9 + float64(c.Total)
	}
	return float64(c.Total) - max(0, c.Expected)
}

// surges are the incidents of a category ("" for all), for shading.
func surges(list []detect.Incident, category string) []detect.Incident {
	var out []detect.Incident
	for _, i := range list {
		if i.Kind == "surge" && !i.FalseAlarm && i.Level == detect.Paging && (category == "" || slices.Contains(i.Categories, category)) {
			out = append(out, i)
		}
	}
	return out
}

type incidentsData struct{ List []detect.Incident }

func (s *Server) incidentsPage(w http.ResponseWriter, r *http.Request) error {
	list, err := s.opt.Store.Incidents(time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "incidents", "Incidents", incidentsData{list[:min(200, len(list))]})
}

type incidentData struct {
	I         detect.Incident
	Chart     Chart
	Steps     []store.Step
	Mails     []store.Entry
	Phrases   map[string][]string
	Customers []Customer
	More      int // customers beyond those shown
	Changes   []detect.PackageChange
	Rest      int // changes beyond those shown
	Terms     []string
}

func (s *Server) incidentPage(w http.ResponseWriter, r *http.Request) error {
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	if err := s.fresh(&i); err != nil {
		return err
	}
	d := incidentData{I: i, Phrases: map[string][]string{}}
	if d.Steps, err = s.opt.Store.Timeline(i.ID); err != nil {
		return err
	}
	if i.Kind == "surge" || i.Kind == "outcome" {
		if err := s.surgeParts(&d); err != nil {
			return err
		}
	}
	if i.Suspect != nil {
		full, ok, err := s.opt.Store.Deployment(i.Suspect.Deployment.ID)
		if err != nil {
			return err
		}
		if ok {
			d.I.Suspect.Deployment = full
			d.Changes = detect.RankChanges(full.Changes, i.Categories, s.opt.Watch)
			d.Rest = max(0, len(d.Changes)-12)
			d.Changes = d.Changes[:min(12, len(d.Changes))]
		}
	}
	return s.render(w, r, http.StatusOK, "incident", "Incident", d)
}

// surgeParts fills in what only a surge has: chart, mails, customers, words.
func (s *Server) surgeParts(d *incidentData) error {
	i := &d.I
	end := i.ResolvedAt
	if end.IsZero() {
		end = s.opt.Now()
	}
	before := min(max(time.Hour, end.Sub(i.StartedAt)), 24*time.Hour)
	from, to := i.StartedAt.Add(-before), end.Add(30*time.Minute)
	if now := s.opt.Now(); to.After(now) {
		to = now
	}
	step := niceStep(to.Sub(from))
	from, to = from.Truncate(step), to.Truncate(step).Add(step)
	marks, err := s.marks(from, to, []detect.Incident{*i})
	if err != nil {
		return err
	}
	counts, err := s.volume(from, to, step)
	if err != nil {
		return err
	}
	sum := make([]int, len(counts[""]))
	for _, k := range i.Categories {
		for n, v := range counts[k] {
			sum[n] += v
		}
	}
	category := ""
	if len(i.Categories) == 1 {
		category = i.Categories[0]
	}
	d.Chart = s.chart("Complaints of this kind", category, from, to, step, max(step*15, to.Sub(from)/4), sum, marks)
	d.Chart.Big, d.Chart.Alarmed = true, true
	d.Chart.Incidents = []detect.Incident{*i}
	if len(i.Categories) > 1 {
		d.Chart.Band = s.sumBands(i.Categories, from, to, step)
	}
	if d.Mails, err = s.mails(i, false, 20); err != nil {
		return err
	}
	var texts []string
	for n := range d.Mails {
		d.Phrases[d.Mails[n].ID] = evidenceOf(&d.Mails[n])
		texts = append(texts, d.Mails[n].Subject+"\n"+d.Mails[n].Reply)
	}
	if d.Customers, err = s.customers(i); err != nil {
		return err
	}
	d.More = max(0, len(d.Customers)-12)
	if len(texts) < 3 {
		return nil
	}
	usual, err := s.opt.Store.Messages(store.Query{From: i.StartedAt.Add(-14 * 24 * time.Hour), To: i.StartedAt, Automated: "without", Limit: 300})
	if err != nil {
		return err
	}
	var background []string
	for n := range usual.Entries {
		background = append(background, usual.Entries[n].Subject+"\n"+usual.Entries[n].Reply)
	}
	for _, t := range classify.Surging(texts, background, 8) {
		d.Terms = append(d.Terms, t.Term)
	}
	return nil
}

// sumBands adds the normal of several kinds. Their highs do not simply add up,
// but for a chart the sum of the rates with the larger spread is close.
func (s *Server) sumBands(kinds []string, from, to time.Time, step time.Duration) []detect.Band {
	var sum []detect.Band
	if s.opt.Worker == nil {
		return nil
	}
	for _, k := range kinds {
		for n, b := range s.opt.Worker.Normal(k, from, to, step) {
			if n == len(sum) {
				sum = append(sum, b)
				continue
			}
			high := max(sum[n].High-sum[n].Expected, b.High-b.Expected)
			sum[n].Expected += b.Expected
			sum[n].High = sum[n].Expected + high
			sum[n].Low += b.Low
		}
	}
	return sum
}

func niceStep(span time.Duration) time.Duration {
	for _, s := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour} {
		if span/s <= 100 {
			return s
		}
	}
	return span / 100
}

func (s *Server) decideForm(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	verb := r.PostFormValue("verb")
	i, err := s.decide(r, verb, r.PostFormValue("note"))
	if err != nil {
		return err
	}
	back := "/incidents/" + url.PathEscape(i.ID)
	if r.PostFormValue("back") == "now" {
		back = "/"
	}
	http.Redirect(w, r, back+"?said="+url.QueryEscape(verb), http.StatusSeeOther)
	return nil
}

func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return badRequest(errNoForm)
	}
	return nil
}

type messagesData struct {
	Q        store.Query
	Filter   url.Values
	List     []store.Entry
	Next     string // the query of the next page
	Reached  time.Time
	Taxonomy classify.Taxonomy
	Back     string
}

func (s *Server) messagesPage(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q, err := messageQuery(v)
	if err != nil {
		return err
	}
	q.Limit, q.Heads = 50, true
	p, err := s.opt.Store.Messages(q)
	if err != nil {
		return err
	}
	d := messagesData{Q: q, Filter: v, List: p.Entries, Taxonomy: s.opt.Taxonomy, Back: r.URL.RequestURI()}
	if p.Next != "" {
		v.Set("before", p.Next)
		d.Next = "/messages?" + v.Encode()
		if len(p.Entries) < q.Limit {
			d.Reached = p.Reached
		}
	}
	return s.render(w, r, http.StatusOK, "messages", "Messages", d)
}

type messageData struct {
	E        *store.Entry
	Phrases  []string
	Taxonomy classify.Taxonomy
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
	return s.render(w, r, http.StatusOK, "message", "Message", messageData{&e, evidenceOf(&e), s.opt.Taxonomy, again})
}

func (s *Server) correctForm(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	if err := s.correct(r, r.PathValue("id"), r.PostFormValue("category")); err != nil {
		return err
	}
	back := "/messages/" + url.PathEscape(r.PathValue("id"))
	if b := r.PostFormValue("back"); strings.HasPrefix(b, "/messages") {
		back = b
	}
	sep := "?"
	if strings.Contains(back, "?") {
		sep = "&"
	}
	http.Redirect(w, r, back+sep+"said=corrected", http.StatusSeeOther)
	return nil
}

type followed struct {
	D             detect.Deployment
	Before, After int // complaints in the hour before and after
	Over          bool
	Incident      *detect.Incident
}

type deploymentsData struct{ List []followed }

func (s *Server) deploymentsPage(w http.ResponseWriter, r *http.Request) error {
	list, err := s.opt.Store.Deployments(time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	list = list[:min(50, len(list))]
	d := deploymentsData{}
	if len(list) > 0 {
		touched, err := s.opt.Store.Incidents(list[len(list)-1].At, time.Time{})
		if err != nil {
			return err
		}
		for i := range list {
			f, err := s.follow(list[i], touched)
			if err != nil {
				return err
			}
			d.List = append(d.List, f)
		}
	}
	return s.render(w, r, http.StatusOK, "deployments", "Deployments", d)
}

// follow says what came after a deployment.
func (s *Server) follow(d detect.Deployment, touched []detect.Incident) (followed, error) {
	f := followed{D: d, Over: s.opt.Now().Sub(d.At) >= time.Hour}
	for i := range touched {
		if sus := touched[i].Suspect; sus != nil && sus.Deployment.ID == d.ID {
			f.Incident = &touched[i]
		}
	}
	arrivals, err := s.opt.Store.Arrivals(d.At.Add(-time.Hour), d.At.Add(time.Hour), maxArrivals)
	for _, a := range arrivals {
		if !a.Complaint {
			continue
		}
		if a.At.Before(d.At) {
			f.Before++
		} else {
			f.After++
		}
	}
	return f, err
}

type deploymentData struct {
	followed
	Changes []detect.PackageChange
	Rest    int
	Chart   Chart
}

func (s *Server) deploymentPage(w http.ResponseWriter, r *http.Request) error {
	dep, err := s.deployment(r)
	if err != nil {
		return err
	}
	touched, err := s.opt.Store.Incidents(dep.At.Add(-time.Hour), time.Time{})
	if err != nil {
		return err
	}
	var d deploymentData
	if d.followed, err = s.follow(dep, touched); err != nil {
		return err
	}
	var kinds []string
	if d.Incident != nil {
		kinds = d.Incident.Categories
	}
	d.Changes = detect.RankChanges(dep.Changes, kinds, s.opt.Watch)
	d.Rest = max(0, len(d.Changes)-200)
	d.Changes = d.Changes[:min(200, len(d.Changes))]
	step := 5 * time.Minute
	from, to := dep.At.Add(-2*time.Hour).Truncate(step), dep.At.Add(2*time.Hour).Truncate(step)
	marks, err := s.marks(from, to, touched)
	if err != nil {
		return err
	}
	counts, err := s.volume(from, to, step)
	if err != nil {
		return err
	}
	d.Chart = s.chart("All complaints around it", "", from, to, step, time.Hour, counts[""], marks)
	d.Chart.Big = true
	d.Chart.Incidents = surges(touched, "")
	return s.render(w, r, http.StatusOK, "deployment", "Deployment", d)
}

type digestsData struct {
	Weeks []digest.Week
	This  string // the week that is not over
}

func (s *Server) digestsPage(w http.ResponseWriter, r *http.Request) error {
	o := s.opt.Digest
	st, err := s.opt.Store.Stats()
	if err != nil {
		return err
	}
	var d digestsData
	this := digest.WeekOf(s.opt.Now(), o.WeekStart, o.Location)
	d.This = this.String()
	for w := this; len(d.Weeks) < 53; w = digest.WeekOf(w.From.AddDate(0, 0, -3), o.WeekStart, o.Location) {
		if st.Oldest.IsZero() || !w.To.After(st.Oldest) {
			break
		}
		d.Weeks = append(d.Weeks, w)
	}
	return s.render(w, r, http.StatusOK, "digests", "Digests", d)
}

func (s *Server) digestPage(w http.ResponseWriter, r *http.Request) error {
	week, err := s.week(r.PathValue("week"))
	if err != nil {
		return err
	}
	form := r.URL.Query().Get("form")
	if form == "" {
		return s.render(w, r, http.StatusOK, "digest", "Digest", week)
	}
	d, err := digest.Build(r.Context(), s.opt.Digest, week)
	if err != nil {
		return err
	}
	if form == "text" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err = w.Write([]byte(d.Text()))
		return err
	}
	// A mail's markup has its style inline; it is shown in a frame of its own,
	// which runs no script.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(d.HTML()))
	return err
}

type statusData struct {
	Status     Status
	Facts      [][2]string
	Deliveries []store.Delivery
	Model      string
	Unread     []store.Entry
}

func (s *Server) statusPage(w http.ResponseWriter, r *http.Request) error {
	var d statusData
	var err error
	if d.Status, err = s.status(); err != nil {
		return err
	}
	d.Facts = s.opt.Facts
	if d.Deliveries, err = s.opt.Store.Deliveries(20); err != nil {
		return err
	}
	p, err := s.opt.Store.Messages(store.Query{Problem: true, Limit: 10, Heads: true, From: s.opt.Now().AddDate(0, 0, -14)})
	if err != nil {
		return err
	}
	d.Unread = p.Entries
	if s.opt.Worker != nil {
		d.Model = s.opt.Worker.Model().Name()
	}
	return s.render(w, r, http.StatusOK, "status", "Status", d)
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/page"
	"tocsin/store"
)

type incidentsData struct{ List []detect.Incident }

func (s *Server) incidentsPage(w http.ResponseWriter, r *http.Request) error {
	list, err := s.opt.Store.Incidents(time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	list = list[:min(200, len(list))]
	for n := range list {
		if err := s.fresh(&list[n]); err != nil {
			return err
		}
	}
	return s.render(w, r, http.StatusOK, "incidents", "Incidents", incidentsData{list})
}

type incidentData struct {
	I         detect.Incident
	Chart     Chart
	Steps     []store.Step
	Names     map[string]string // of the deployments in the timeline, by id
	Mails     []store.Entry
	Unshown   int // mails beyond those shown
	Phrases   map[string][]string
	Customers []Customer
	More      int // customers beyond those shown
	Changes   []detect.PackageChange
	Rest      int // changes beyond those shown
	Terms     []string
}

// How much of an incident its page shows at first, and when asked for all.
const (
	firstMails     = 10
	mostMails      = 500
	firstCustomers = 12
	firstChanges   = 12
)

func (s *Server) incidentPage(w http.ResponseWriter, r *http.Request) error {
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	if err := s.fresh(&i); err != nil {
		return err
	}
	d := incidentData{I: i, Phrases: map[string][]string{}}
	if err := d.timeline(s); err != nil {
		return err
	}
	if i.Kind == "surge" || i.Kind == "outcome" {
		if err := s.incidentChart(&d); err != nil {
			return err
		}
		mails := firstMails
		if r.URL.Query().Get("mails") == "all" {
			mails = mostMails
		}
		if err := s.customersWords(&d, mails); err != nil {
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
			d.Rest = max(0, len(d.Changes)-firstChanges)
			d.Changes = d.Changes[:min(firstChanges, len(d.Changes))]
		}
	}
	return s.render(w, r, http.StatusOK, "incident", "Incident", d)
}

func (d *incidentData) timeline(s *Server) (err error) {
	if d.Steps, err = s.opt.Store.Timeline(d.I.ID); err != nil {
		return err
	}
	d.Steps = story(&d.I, d.Steps)
	d.Names = map[string]string{}
	for _, st := range d.Steps {
		if st.Deployment == "" || d.Names[st.Deployment] != "" {
			continue
		}
		x, ok, err := s.opt.Store.Deployment(st.Deployment)
		if err != nil {
			return err
		}
		if ok {
			d.Names[st.Deployment] = x.Service + " " + x.Version
		}
	}
	return nil
}

// incidentChart draws the complaints of its kinds from an hour or so before it
// to its end.
func (s *Server) incidentChart(d *incidentData) error {
	shown := d.I
	if shown.Kind == "outcome" { // the rate that dropped, with the complaints of its kind
		shown.Categories = []string{detect.CategoryOf(shown.Key[strings.LastIndexByte(shown.Key, '/')+1:])}
	}
	i := &shown
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
	d.Chart = s.chart(page.Kinds(i)+" complaints", category, from, to, step, sum, marks)
	if len(i.Categories) > 1 {
		d.Chart.band(s.sumBands(i.Categories, from, to, step))
	}
	outcomes, err := s.opt.Store.Outcomes(from, to)
	if err != nil {
		return err
	}
	d.Chart.addSuccess(outcomes, i.Categories...)
	d.Chart.large()
	d.Chart.Alarmed = i.State != detect.Resolved
	d.Chart.Incidents = []detect.Incident{*i}
	return nil
}

// customersWords reads the mails, whom they are from, and the words that surge
// in them.
func (s *Server) customersWords(d *incidentData, most int) (err error) {
	i := &d.I
	if d.Mails, err = s.mails(i, false, max(most, 20)); err != nil {
		return err
	}
	var texts []string
	for n := range d.Mails {
		d.Phrases[d.Mails[n].ID] = evidenceOf(&d.Mails[n])
		texts = append(texts, d.Mails[n].Subject+"\n"+d.Mails[n].Reply)
	}
	d.Mails = d.Mails[:min(most, len(d.Mails))]
	if d.Customers, err = s.customers(i); err != nil {
		return err
	}
	for _, c := range d.Customers {
		d.Unshown += c.Mails
	}
	d.Unshown = max(0, d.Unshown-len(d.Mails))
	d.More = max(0, len(d.Customers)-firstCustomers)
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

// firstComplaint is the kind of a timeline's line that no change stands for.
const firstComplaint detect.ChangeKind = "first-complaint"

// story is a timeline with what came before there was an incident: the
// deployment that is suspected, and the first complaint.
func story(i *detect.Incident, steps []store.Step) []store.Step {
	var before []store.Step
	if s := i.Suspect; s != nil {
		before = append(before, store.Step{At: s.Deployment.At, Kind: detect.Deployed, Deployment: s.Deployment.ID, Note: s.Why})
	}
	if at := i.Reason.FirstComplaint; !at.IsZero() {
		before = append(before, store.Step{At: at, Kind: firstComplaint})
	}
	steps = append(before, steps...)
	slices.SortStableFunc(steps, func(a, b store.Step) int { return a.At.Compare(b.At) })
	return steps
}

// figure is a number at the head of an incident.
type figure struct{ Label, Value, Note string }

// figures are what a person wants to know of an incident in the first seconds.
func figures(now time.Time, loc *time.Location, i detect.Incident) []figure {
	var list []figure
	if i.Kind == "surge" {
		r := &i.Now
		list = append(list,
			figure{"Customers", fmt.Sprint(r.Customers), "normal " + page.Number(r.Expected)},
			figure{"Mails", fmt.Sprint(r.Complaints), "in " + page.Span(r.Window)})
	}
	list = append(list, figure{"Began", when(now, i.StartedAt, loc), ""})
	told := figure{"Paged", when(now, i.DetectedAt, loc), ""}
	if i.Level == detect.Warning {
		told.Label = "Noticed"
	}
	if first := i.Reason.FirstComplaint; !first.IsZero() {
		told.Note = page.Span(i.DetectedAt.Sub(first)) + " after the first"
	}
	list = append(list, told)
	if i.ResolvedAt.IsZero() {
		return append(list, figure{"So far", lasted(now, &i), ""})
	}
	return append(list, figure{"Lasted", lasted(now, &i), ""})
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

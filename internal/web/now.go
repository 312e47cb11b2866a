package web

import (
	"net/http"
	"slices"
	"sort"
	"time"

	"tocsin/classify"
	"tocsin/detect"
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
	From     string // where the span begins, for links to its mails
	Status   Status
	Blind    bool // nothing can be said: a folder cannot be read
	Reading  bool // nothing can be said yet: a folder was not read to its end
	Marks    []Mark
	Newest   []store.Entry
}

func (s *Server) nowPage(w http.ResponseWriter, r *http.Request) error {
	d := nowData{}
	span := s.span(r.URL.Query().Get("span"))
	d.Span = span.Name
	for _, c := range spans {
		d.Spans = append(d.Spans, c.Name)
	}
	now := s.opt.Now()
	to := now.Truncate(span.Step).Add(span.Step)
	from := to.Add(-span.Span)
	d.From = from.In(s.opt.Location).Format(time.DateOnly)

	touched, err := s.opt.Store.Incidents(from, time.Time{})
	if err != nil {
		return err
	}
	if err := d.sort(s, touched); err != nil {
		return err
	}
	if d.Marks, err = s.marks(from, to, touched); err != nil {
		return err
	}
	if err := d.charts(s, from, to, span.Step, touched); err != nil {
		return err
	}
	if d.Status, err = s.status(); err != nil {
		return err
	}
	d.sight()
	p, err := s.opt.Store.Messages(store.Query{Limit: 8, Automated: "without", Heads: true})
	if err != nil {
		return err
	}
	d.Newest = p.Entries
	slices.Reverse(d.Marks)
	d.Marks = d.Marks[:min(6, len(d.Marks))]
	return s.render(w, r, http.StatusOK, "now", "Now", d)
}

// span is the choice of that name, else the usual one.
func (s *Server) span(name string) chartSpan {
	usual := spans[2]
	if s.opt.Demo {
		usual = spans[0]
	}
	for _, c := range spans {
		if c.Name == name {
			return c
		}
	}
	return usual
}

// sort puts the incidents of a span where the page shows them.
func (d *nowData) sort(s *Server, touched []detect.Incident) error {
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
	return nil
}

// sight tells whether a quiet page may say that all is well.
func (d *nowData) sight() {
	for _, f := range d.Status.Folders {
		d.Blind = d.Blind || f.Blind
		d.Reading = d.Reading || f.LastRead.IsZero() || f.Total > 0
	}
}

// charts draws all that can page together, and each kind.
func (d *nowData) charts(s *Server, from, to time.Time, step time.Duration, touched []detect.Incident) error {
	counts, err := s.volume(from, to, step)
	if err != nil {
		return err
	}
	outcomes, err := s.opt.Store.Outcomes(from, to)
	if err != nil {
		return err
	}
	all := make([]int, len(counts[""]))
	for _, k := range s.opt.Taxonomy {
		if k.Rings == classify.RingsPage || k.Rings == classify.RingsHigh {
			for n, v := range counts[k.Name] {
				all[n] += v
			}
		}
	}
	d.Main = s.chart("Complaints that can page", "", from, to, step, all, d.Marks)
	d.Main.large()
	d.Main.Incidents = surges(touched, "")
	d.Main.Alarmed = slices.ContainsFunc(d.Open, func(i detect.Incident) bool { return i.Kind == "surge" })
	for _, k := range s.opt.Taxonomy {
		if k.Rings == classify.RingsNever {
			continue
		}
		c := s.chart(k.Title, k.Name, from, to, step, counts[k.Name], d.Marks)
		if c.Counts == nil {
			c.Counts = make([]int, len(counts[""]))
		}
		c.addSuccess(outcomes, k.Name)
		c.Incidents = surges(touched, k.Name)
		c.Alarmed = slices.ContainsFunc(d.Open, func(i detect.Incident) bool { return slices.Contains(i.Categories, k.Name) })
		if c.Total == 0 && c.SuccessPct == nil && len(c.Incidents) == 0 {
			d.Quiet = append(d.Quiet, k.Title)
			continue
		}
		d.Small = append(d.Small, c)
	}
	sort.SliceStable(d.Small, func(a, b int) bool { return excess(&d.Small[a]) > excess(&d.Small[b]) })
	return nil
}

// Legend is what the charts of the page draw.
func (d nowData) Legend() Legend {
	l := Legend{Band: d.Main.Band != nil}
	for _, c := range d.Small {
		l.Success = l.Success || c.SuccessPct != nil
	}
	return l
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

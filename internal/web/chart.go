package web

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// Chart is complaints over a span beside what is normal. The plot is an SVG
// that stretches to its box; over it lies a second one that does not, with the
// words, so that they stay readable on a phone.
type Chart struct {
	Title      string
	Category   string // "" for all
	From, To   time.Time
	Step       time.Duration
	Counts     []int
	Band       []detect.Band
	Marks      []Mark
	Incidents  []detect.Incident
	Total      int
	Expected   float64 // in the whole span; negative when unknown
	Ticks      []tick
	Top        int // the value at the top
	Alarmed    bool
	Big        bool
	Loc        *time.Location
	SuccessPct []float64 // success rate per step, -1 where none; nil: no second signal
}

// tick is a label below a chart.
type tick struct {
	Pct  float64 // from the left edge
	Text string
}

// Mark is a deployment on a chart.
type Mark struct {
	At      time.Time
	ID      string
	Name    string // service and version
	Text    string // what it is, and its name
	Suspect bool
	Back    bool // a roll-back
}

// chartSpan is a choice of how much a chart shows.
type chartSpan struct {
	Name string
	Span time.Duration
	Step time.Duration
}

var spans = []chartSpan{
	{"3h", 3 * time.Hour, 2 * time.Minute},
	{"12h", 12 * time.Hour, 10 * time.Minute},
	{"24h", 24 * time.Hour, 15 * time.Minute},
	{"7d", 7 * 24 * time.Hour, 2 * time.Hour},
	{"30d", 30 * 24 * time.Hour, 8 * time.Hour},
	{"1y", 365 * 24 * time.Hour, 4 * 24 * time.Hour},
}

// maxArrivals bounds what a fine chart reads; beyond it the chart is drawn from
// the counts by hour.
const maxArrivals = 50_000

// volume counts complaints by category and step. A complainant counts once in
// a step.
func (s *Server) volume(from, to time.Time, step time.Duration) (map[string][]int, error) {
	n := int(to.Sub(from)/step) + 1
	if to.Sub(from)%step == 0 {
		n--
	}
	out := map[string][]int{"": make([]int, n)}
	add := func(at time.Time, category string, count int) {
		i := int(at.Sub(from) / step)
		if i < 0 || i >= n {
			return
		}
		if out[category] == nil {
			out[category] = make([]int, n)
		}
		out[category][i] += count
		out[""][i] += count
	}
	if step < time.Hour {
		arrivals, err := s.opt.Store.Arrivals(from, to, maxArrivals)
		if err != nil {
			return nil, err
		}
		if len(arrivals) < maxArrivals {
			type once struct {
				step             int
				category, sender string
			}
			seen := map[once]bool{}
			for _, a := range arrivals {
				key := once{int(a.At.Sub(from) / step), a.Category, a.Sender}
				if a.Complaint && !seen[key] {
					seen[key] = true
					add(a.At, a.Category, 1)
				}
			}
			return out, nil
		}
	}
	counts, err := s.opt.Store.Counts(from, to)
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		at := c.At
		if at.Before(from) {
			at = from
		}
		add(at, c.Category, c.Complaints)
	}
	return out, nil
}

// chart puts one together.
func (s *Server) chart(title, category string, from, to time.Time, step time.Duration, counts []int, marks []Mark) Chart {
	c := Chart{Title: title, Category: category, From: from, To: to, Step: step, Counts: counts, Marks: marks, Expected: -1, Loc: s.opt.Location}
	for _, v := range counts {
		c.Total += v
	}
	var normal []detect.Band
	if s.opt.Worker != nil {
		normal = s.opt.Worker.Normal(category, from, to, step)
	}
	c.band(normal)
	c.Ticks = ticks(from, to, s.opt.Location, 4)
	return c
}

// band sets what is normal, and the scale.
func (c *Chart) band(normal []detect.Band) {
	high := 3.0
	if c.Band = normal; len(normal) > 0 {
		c.Expected = 0
	}
	for _, b := range normal {
		c.Expected += b.Expected
		high = max(high, math.Ceil(b.High))
	}
	for _, v := range c.Counts {
		high = max(high, float64(v))
	}
	c.Top = niceTop(high)
}

// large makes it the chart of a page.
func (c *Chart) large() {
	c.Big = true
	c.Ticks = ticks(c.From, c.To, c.Loc, 8)
}

func niceTop(v float64) int {
	if v <= 5 {
		return int(math.Ceil(v))
	}
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8, 10} {
		if m*p >= v {
			return int(math.Ceil(m * p))
		}
	}
	return int(v)
}

// ticks are at most n labels at round times of the team's clock.
func ticks(from, to time.Time, loc *time.Location, n int) (list []tick) {
	add := func(at time.Time, format string) {
		if !at.Before(from) && at.Before(to) {
			list = append(list, tick{100 * float64(at.Sub(from)) / float64(to.Sub(from)), at.In(loc).Format(format)})
		}
	}
	y, m, d := from.In(loc).Date()
	for _, minutes := range []int{5, 10, 15, 30, 60, 120, 180, 240, 360, 720} {
		if to.Sub(from) > time.Duration(n*minutes)*time.Minute {
			continue
		}
		for k := 0; k*minutes <= 49*60; k++ { // by the clock, since a day has not always 24 hours
			add(time.Date(y, m, d, 0, k*minutes, 0, 0, loc), "15:04")
		}
		return list
	}
	days := int(to.Sub(from).Hours()/24) + 1
	if every := (days + n - 1) / n; every < 28 {
		for k := 0; k <= days+1; k += every {
			add(time.Date(y, m, d+k, 0, 0, 0, 0, loc), "2 Jan")
		}
		return list
	}
	for k := 0; k <= days/28+1; k += (days/28 + n - 1) / n {
		add(time.Date(y, m+time.Month(k), 1, 0, 0, 0, 0, loc), "Jan 2006")
	}
	return list
}

// Label is the chart in words, for those who do not see it.
func (c Chart) Label() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d from %s to %s", c.Title, c.Total, c.From.In(c.Loc).Format("2 Jan 15:04"), c.To.In(c.Loc).Format("2 Jan 15:04"))
	if c.Expected >= 0 {
		fmt.Fprintf(&b, ", normal %.1f", c.Expected)
	}
	if p := c.Succeeds(); p >= 0 {
		fmt.Fprintf(&b, ", %d %% succeed now", p)
	}
	for _, m := range c.Marks {
		fmt.Fprintf(&b, "; %s at %s", m.Text, m.At.In(c.Loc).Format("2 Jan 15:04"))
	}
	return b.String()
}

// Succeeds is the newest success rate in percent, negative when there is none.
func (c Chart) Succeeds() int {
	for n := len(c.SuccessPct) - 1; n >= 0; n-- {
		if c.SuccessPct[n] >= 0 {
			return int(math.Round(c.SuccessPct[n]))
		}
	}
	return -1
}

// Legend says what lines and colours mean.
type Legend struct{ Band, Success bool }

// Legend is what it draws.
func (c Chart) Legend() Legend { return Legend{c.Band != nil, c.SuccessPct != nil} }

// Row is a line of the table that holds a chart's figures.
type Row struct {
	At       time.Time
	Count    int
	Expected float64 // negative: unknown
	Succeed  int     // percent; negative: unknown
}

// Rows are the steps in which there was something, for those who read figures
// rather than bars.
func (c Chart) Rows() (rows []Row) {
	for i, v := range c.Counts {
		if v == 0 {
			continue
		}
		r := Row{At: c.From.Add(time.Duration(i) * c.Step), Count: v, Expected: -1, Succeed: -1}
		if i < len(c.Band) {
			r.Expected = c.Band[i].Expected
		}
		if i < len(c.SuccessPct) {
			r.Succeed = int(math.Round(c.SuccessPct[i]))
		}
		rows = append(rows, r)
	}
	return rows
}

// Words draws what is written over and under the plot: places are shares of
// its width, so that letters are not stretched with it.
func (c Chart) Words() template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="words" aria-hidden="true" focusable="false">`)
	for n, t := range c.Ticks {
		anchor, class := "middle", "tick"
		switch {
		case t.Pct < 4:
			anchor = "start"
		case t.Pct > 96:
			anchor = "end"
		}
		if n%2 == 1 && len(c.Ticks) > 3 {
			class += " minor"
		}
		fmt.Fprintf(&b, `<text class="%s" x="%.2f%%" y="100%%" dy="-3" text-anchor="%s">%s</text>`, class, t.Pct, anchor, template.HTMLEscapeString(t.Text))
	}
	if c.Big {
		c.flags(&b)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// flags names the suspect deployments and the roll-backs beside their lines.
func (c *Chart) flags(b *strings.Builder) {
	last := -100.0
	for _, m := range c.Marks {
		x := 100 * c.x(m.At) / chartW
		if !m.Suspect && !m.Back || x-last < 20 {
			continue
		}
		last = x
		anchor, dx := "start", 5
		if x > 70 {
			anchor, dx = "end", -5
		}
		fmt.Fprintf(b, `<text class="flagtext" x="%.2f%%" y="13" dx="%d" text-anchor="%s">%s</text>`, x, dx, anchor, template.HTMLEscapeString(clipRunes(m.Name, 28)))
	}
}

// Size of the drawing before it is stretched.
const chartW, chartH = 1000, 200

func (c *Chart) x(t time.Time) float64 {
	return min(1, max(0, float64(t.Sub(c.From))/float64(c.To.Sub(c.From)))) * chartW
}

func (c *Chart) y(v float64) float64 {
	return chartH - min(1, v/float64(c.Top))*chartH*0.94
}

// SVG draws it. Every string in it is escaped; there are few, and none of a
// customer's.
func (c Chart) SVG() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="plot" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="%s"><title>%s</title>`, chartW, chartH, template.HTMLEscapeString(c.Label()), template.HTMLEscapeString(c.Title))
	for _, i := range c.Incidents {
		end := i.ResolvedAt
		if end.IsZero() || end.After(c.To) {
			end = c.To
		}
		x, x2 := c.x(i.StartedAt), c.x(end)
		fmt.Fprintf(&b, `<rect class="incident" x="%.1f" y="0" width="%.1f" height="%d"/>`, x, max(1, x2-x), chartH)
	}
	for _, f := range []float64{0.5, 1} {
		fmt.Fprintf(&b, `<line class="grid" x1="0" x2="%d" y1="%.1f" y2="%.1f"/>`, chartW, c.y(f*float64(c.Top)), c.y(f*float64(c.Top)))
	}
	c.drawBand(&b)
	w := float64(c.Step) / float64(c.To.Sub(c.From)) * chartW
	for i, v := range c.Counts {
		if v == 0 {
			continue
		}
		x := float64(i) * w
		class := "bar"
		// One or two mails in a narrow step are chance, whatever the band says.
		begin := c.From.Add(time.Duration(i) * c.Step)
		if i < len(c.Band) && float64(v) > c.Band[i].High && (v >= 3 || c.within(begin)) {
			class = "bar high"
		}
		at := begin.In(c.Loc).Format("2 Jan 15:04")
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s: %d</title></rect>`,
			class, x+w*0.08, c.y(float64(v)), min(w*0.84, chartW-x), chartH-c.y(float64(v)), at, v)
	}
	c.success(&b, w)
	for _, m := range c.Marks {
		class := "deploy"
		if m.Suspect {
			class = "deploy suspect"
		} else if m.Back {
			class = "deploy back"
		}
		x := c.x(m.At)
		fmt.Fprintf(&b, `<line class="%s" x1="%.1f" x2="%.1f" y1="0" y2="%d"><title>%s</title></line>`, class, x, x, chartH, template.HTMLEscapeString(m.Text))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// within tells whether a step lies in an incident.
func (c *Chart) within(at time.Time) bool {
	for i := range c.Incidents {
		x := &c.Incidents[i]
		if at.Add(c.Step).After(x.StartedAt) && (x.ResolvedAt.IsZero() || at.Before(x.ResolvedAt)) {
			return true
		}
	}
	return false
}

func (c *Chart) drawBand(b *strings.Builder) {
	if len(c.Band) == 0 {
		return
	}
	var up, down, mid strings.Builder
	for i, v := range c.Band {
		x := c.x(v.From.Add(c.Step / 2))
		if i == 0 {
			x = 0
		} else if i == len(c.Band)-1 {
			x = chartW
		}
		fmt.Fprintf(&up, "L%.1f %.1f", x, c.y(v.High))
		down2 := fmt.Sprintf("L%.1f %.1f", x, c.y(v.Low))
		rest := down.String()
		down.Reset()
		down.WriteString(down2 + rest)
		cmd := "L"
		if i == 0 {
			cmd = "M"
		}
		fmt.Fprintf(&mid, "%s%.1f %.1f", cmd, x, c.y(v.Expected))
	}
	fmt.Fprintf(b, `<path class="band" d="M%s%sZ"/><path class="normal" d="%s"/>`, strings.TrimPrefix(up.String(), "L"), down.String(), mid.String())
}

// success draws the second signal: the share of attempts that succeeded, full
// height at 100 %.
func (c *Chart) success(b *strings.Builder, w float64) {
	var d strings.Builder
	pen := "M"
	for i, p := range c.SuccessPct {
		if p < 0 {
			pen = "M"
			continue
		}
		fmt.Fprintf(&d, "%s%.1f %.1f", pen, (float64(i)+0.5)*w, chartH-p/100*chartH*0.94)
		pen = "L"
	}
	if d.Len() > 0 {
		fmt.Fprintf(b, `<path class="success" d="%s"/>`, d.String())
	}
}

// addSuccess fills in the second signal of categories, if there is one.
func (c *Chart) addSuccess(all []detect.Outcome, categories ...string) {
	type sum struct{ ok, all int }
	sums := make([]sum, len(c.Counts))
	any := false
	for _, o := range all {
		if !slices.Contains(categories, detect.CategoryOf(o.Action)) {
			continue
		}
		i := int(o.At.Sub(c.From) / c.Step)
		if i < 0 || i >= len(sums) {
			continue
		}
		sums[i].ok += o.Succeeded
		sums[i].all += o.Succeeded + o.Failed
		any = true
	}
	if !any {
		return
	}
	c.SuccessPct = make([]float64, len(sums))
	for i, s := range sums {
		c.SuccessPct[i] = -1
		if s.all > 0 {
			c.SuccessPct[i] = 100 * float64(s.ok) / float64(s.all)
		}
	}
}

// marks are the deployments of a span, oldest first.
func (s *Server) marks(from, to time.Time, incidents []detect.Incident) ([]Mark, error) {
	list, err := s.opt.Store.Deployments(from, to)
	if err != nil {
		return nil, err
	}
	var marks []Mark
	for n := len(list) - 1; n >= 0; n-- {
		d := &list[n]
		m := Mark{At: d.At, ID: d.ID, Name: d.Service + " " + d.Version, Text: "deployment " + d.Service + " " + d.Version, Back: d.Rollback || d.Kind == "rollback"}
		if m.Back {
			m.Text = "roll-back to " + d.Service + " " + d.Version
		}
		for i := range incidents {
			if sus := incidents[i].Suspect; sus != nil && sus.Deployment.ID == d.ID && !incidents[i].FalseAlarm {
				m.Suspect = true
			}
		}
		marks = append(marks, m)
	}
	if len(marks) > 100 {
		marks = marks[len(marks)-100:]
	}
	return marks, nil
}

// evidenceOf are the phrases that decided, to be marked in a text.
func evidenceOf(e *store.Entry) []string {
	var list []string
	for _, v := range e.Verdict.Evidence {
		if len(v.Phrase) >= 3 {
			list = append(list, v.Phrase)
		}
	}
	return list
}

// niceStep divides a span into at most a hundred round steps.
func niceStep(span time.Duration) time.Duration {
	for _, s := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour} {
		if span/s <= 100 {
			return s
		}
	}
	return span / 100
}

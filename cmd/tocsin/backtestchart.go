package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"tocsin/detect"
)

// history is what a backtest's chart is drawn from: how many customers wrote in
// each five minutes, and what was normal in each hour, as it was known then.
type history struct {
	first       time.Time
	counts      []int
	normal      []detect.Band // by hour; the zero Band: not known
	deployments []deployMark
	written     map[string]bool // senders of this day
	day         int64
}

type deployMark struct {
	at   time.Time
	name string
}

const (
	countStep = 5 * time.Minute
	mostHours = 10 * 365 * 24 // hours that are drawn
)

// complaint counts one.
func (h *history) complaint(at time.Time, sender string, d *detect.Detector) {
	if !h.reach(at, d) {
		return
	}
	if day := at.Unix() / 86400; day != h.day || h.written == nil {
		h.day, h.written = day, map[string]bool{}
	}
	if !h.written[sender] {
		h.written[sender] = true
		h.counts[len(h.counts)-1]++
	}
}

// deployment marks one.
func (h *history) deployment(at time.Time, name string, d *detect.Detector) {
	if h.reach(at, d) {
		h.deployments = append(h.deployments, deployMark{at, name})
	}
}

// reach draws on to an instant, and asks the detector what is normal when a new
// hour begins. It tells whether the instant is drawn.
func (h *history) reach(at time.Time, d *detect.Detector) bool {
	if h.first.IsZero() {
		h.first = at.Truncate(time.Hour)
	}
	hour := int(at.Sub(h.first) / time.Hour)
	if hour >= mostHours {
		return false
	}
	for i := int(at.Sub(h.first) / countStep); len(h.counts) <= i; {
		h.counts = append(h.counts, 0)
	}
	if from := len(h.normal); hour >= from {
		h.normal = append(h.normal, make([]detect.Band, hour-from+1)...)
		begin := h.first.Add(time.Duration(from) * time.Hour)
		copy(h.normal[from:], d.Normal("", begin, h.first.Add(time.Duration(hour+1)*time.Hour), time.Hour))
	}
	return true
}

// chartBin is one step of the drawing.
type chartBin struct {
	count, expected, low, high float64
}

// bins sums up so that a few hundred are left.
func (h *history) bins() (list []chartBin, step time.Duration) {
	step = countStep
	for _, s := range []time.Duration{15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		if time.Duration(len(h.counts))*countStep/step > 700 {
			step = s
		}
	}
	per := int(step / countStep)
	for i := 0; i < len(h.counts); i += per {
		var b chartBin
		spread := 0.0
		for k := i; k < min(i+per, len(h.counts)); k++ {
			b.count += float64(h.counts[k])
			n := h.normal[min(k/12, len(h.normal)-1)]
			b.expected += n.Expected / 12
			spread += math.Max(n.High-n.Expected, 0) / 12
		}
		// A part of an hour scatters more than its share of the hour does. Hours
		// together scatter less than if they moved as one, and more than if each
		// moved by itself.
		if hours := step.Hours(); hours < 1 {
			spread *= math.Sqrt(1 / hours)
		} else {
			spread *= math.Pow(hours, -0.25)
		}
		b.low, b.high = math.Max(0, b.expected-spread), b.expected+spread
		list = append(list, b)
	}
	return list, step
}

// svg draws the customers who wrote, the band in which nine of ten normal steps
// lie, the deployments, and the incidents.
func (h *history) svg(out io.Writer, incidents []detect.Incident, zone *time.Location) error {
	const width, height, left, top, bottom = 1200.0, 360.0, 50.0, 30.0, 40.0
	bins, step := h.bins()
	most := 1.0
	for _, b := range bins {
		most = math.Max(most, math.Max(b.count, b.high))
	}
	span := float64(max(len(bins), 1)) * step.Seconds()
	x := func(at time.Time) float64 {
		return left + (width-left-10)*math.Min(math.Max(at.Sub(h.first).Seconds()/span, 0), 1)
	}
	y := func(v float64) float64 { return height - bottom - (height-top-bottom)*v/most }
	at := func(i int) time.Time { return h.first.Add(time.Duration(i) * step) }
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12" role="img">`+"\n", width, height)
	fmt.Fprintf(&s, "<title>Customers who wrote, in steps of %s; what is normal; deployments and incidents</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", stepName(step))
	var upper, lower, line, usual strings.Builder
	for i, b := range bins {
		x0, x1 := x(at(i)), x(at(i+1))
		fmt.Fprintf(&upper, "%.1f,%.1f %.1f,%.1f ", x0, y(b.high), x1, y(b.high))
		fmt.Fprintf(&line, "%.1f,%.1f %.1f,%.1f ", x0, y(b.count), x1, y(b.count))
		fmt.Fprintf(&usual, "%.1f,%.1f %.1f,%.1f ", x0, y(b.expected), x1, y(b.expected))
		j := len(bins) - 1 - i
		fmt.Fprintf(&lower, "%.1f,%.1f %.1f,%.1f ", x(at(j+1)), y(bins[j].low), x(at(j)), y(bins[j].low))
	}
	fmt.Fprintf(&s, "<polygon class=\"normal\" points=\"%s%s\" fill=\"#dbe9f6\"/>\n", upper.String(), lower.String())
	fmt.Fprintf(&s, "<polyline points=\"%s\" fill=\"none\" stroke=\"#8fb8de\"/>\n", usual.String())
	for _, i := range incidents {
		end := h.first.Add(time.Duration(len(bins)) * step)
		if !i.ResolvedAt.IsZero() {
			end = i.ResolvedAt
		}
		colour := "#c0392b"
		if i.Level != detect.Paging {
			colour = "#d68910"
		}
		fmt.Fprintf(&s, "<rect class=\"incident\" x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"%g\" fill=\"%s\" fill-opacity=\"0.35\"><title>%s</title></rect>\n",
			x(i.StartedAt), top, math.Max(x(end)-x(i.StartedAt), 2), height-top-bottom, colour,
			escapeXML(fmt.Sprintf("%s: %s, %d customers where %.1f are normal", i.DetectedAt.In(zone).Format("2006-01-02 15:04"), strings.Join(i.Categories, ", "), i.Reason.Customers, i.Reason.Expected)))
		fmt.Fprintf(&s, "<line class=\"rang\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\" stroke=\"%s\"/>\n", x(i.DetectedAt), x(i.DetectedAt), top, height-bottom, colour)
	}
	fmt.Fprintf(&s, "<polyline class=\"rate\" points=\"%s\" fill=\"none\" stroke=\"#1b2631\"/>\n", line.String())
	drawn := math.Inf(-1)
	for _, d := range h.deployments {
		if x(d.at)-drawn < 0.2 {
			continue // hidden by the one before it; 200,000 made a picture of 26 MB
		}
		drawn = x(d.at)
		fmt.Fprintf(&s, "<line class=\"deployment\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\" stroke=\"#6c3483\"><title>%s</title></line>\n",
			x(d.at), x(d.at), height-bottom, height-bottom+8, escapeXML(d.at.In(zone).Format("2006-01-02 15:04")+" "+d.name))
	}
	fmt.Fprintf(&s, "<text x=\"4\" y=\"%g\">%.0f</text><text x=\"4\" y=\"%g\">0</text>\n", top+4, most, height-bottom)
	if len(bins) == 0 {
		fmt.Fprintf(&s, "<text x=\"%g\" y=\"%g\">no events</text>\n", left+10, height/2)
	} else {
		const labels = 6
		for n := range labels {
			when := h.first.Add(time.Duration(n) * time.Duration(len(bins)) * step / labels)
			fmt.Fprintf(&s, "<text x=\"%.1f\" y=\"%g\">%s</text>\n", x(when), height-14, when.In(zone).Format("2006-01-02 15:04"))
		}
	}
	fmt.Fprintf(&s, "<text x=\"%g\" y=\"18\">customers in %s (black), normal (blue), incidents (red, with a line where it rang), deployments (ticks)</text>\n</svg>\n", left, stepName(step))
	_, err := io.WriteString(out, s.String())
	return err
}

func stepName(step time.Duration) string {
	n, unit := step.Minutes(), "minute"
	switch {
	case step >= 24*time.Hour:
		n, unit = step.Hours()/24, "day"
	case step >= time.Hour:
		n, unit = step.Hours(), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%.0f %s", n, unit)
}

func escapeXML(s string) string {
	var b strings.Builder
	if xml.EscapeText(&b, []byte(s)) != nil {
		return ""
	}
	return b.String()
}

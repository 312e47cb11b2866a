package detect

import (
	"math"
	"time"
)

// Band is what is normal for a stream in one span: for a chart.
type Band struct {
	From, To  time.Time
	Expected  float64 // complainants
	Low, High float64 // 5 % and 95 % of normal spans lie outside
}

// Normal returns the band of a category ("" for all) in steps over a span.
func (d *Detector) Normal(category string, from, to time.Time, step time.Duration) []Band {
	name := ""
	if category != "" {
		name = "kind " + category
	}
	s := d.byName[name]
	if s == nil || step <= 0 {
		return nil
	}
	hours := calendar{loc: d.opt.Location}
	current, unsure := s.base.current, s.base.unsure
	var bands []Band
	for at := from; at.Before(to) && len(bands) < 2000; at = at.Add(step) {
		b := Band{From: at, To: at.Add(step)}
		for h := at; h.Before(b.To); {
			next := h.Truncate(time.Hour).Add(time.Hour)
			if next.After(b.To) {
				next = b.To
			}
			b.Expected += s.base.rate(hours.of(h)) * next.Sub(h).Hours()
			h = next
		}
		sd := math.Sqrt(b.Expected * (1 + b.Expected/s.base.k(step)))
		b.Low, b.High = math.Max(0, b.Expected-1.64*sd), b.Expected+1.64*sd+0.5
		bands = append(bands, b)
	}
	s.base.current, s.base.unsure = current, unsure
	return bands
}

package detect

import (
	"fmt"
	"math"
	"time"
)

// rateWatch learns the normal success rate and number of attempts of one
// action and tells when it drops.
type rateWatch struct {
	tried, failed float64 // decayed sums, to learn from
	minutes       float64
	recent        []Outcome // of the last quarter of an hour
	open          bool
}

const (
	outcomeWindow = 15 * time.Minute
	outcomeDecay  = 0.9995 // a minute: half in a day
)

// Outcome folds in the success and failure counts of one minute: the second
// signal. More failures than the learned rate explains, or no attempt where
// many are usual, is an incident of its own.
func (d *Detector) Outcome(x Outcome) []Change {
	changes := d.advance(x.At)
	if x.At.IsZero() || x.Succeeded < 0 || x.Failed < 0 || len(d.outcomes) > 200 {
		return changes
	}
	key := x.Service + "/" + x.Action
	w := d.outcomes[key]
	if w == nil {
		w = &rateWatch{}
		d.outcomes[key] = w
	}
	w.recent = append(w.recent, x)
	for len(w.recent) > 0 && x.At.Sub(w.recent[0].At) > outcomeWindow {
		o := w.recent[0]
		w.recent = w.recent[1:]
		if w.open {
			continue // an incident does not teach
		}
		w.tried = w.tried*outcomeDecay + float64(o.Succeeded+o.Failed)
		w.failed = w.failed*outcomeDecay + float64(o.Failed)
		w.minutes = w.minutes*outcomeDecay + 1
	}
	text := w.trouble(x.Action)
	if (text != "") == w.open {
		return changes
	}
	w.open = text != ""
	return append(changes, d.Trouble(Trouble{At: x.At, Kind: "outcome", Key: key, Text: text, Page: d.surging() || d.kind(x.Action).Page, Over: !w.open})...)
}

// trouble is what is wrong, in a sentence; "" when nothing is.
func (w *rateWatch) trouble(action string) string {
	if w.minutes < 60 {
		return "" // still learning
	}
	var tried, failed float64
	for _, o := range w.recent {
		tried += float64(o.Succeeded + o.Failed)
		failed += float64(o.Failed)
	}
	normal := (w.failed + 1) / (w.tried + 20)
	usual := w.tried / w.minutes * float64(len(w.recent))
	if tried == 0 && usual > 12 && len(w.recent) >= 5 {
		return fmt.Sprintf("%s: no attempt in %d min where %.0f are usual", action, len(w.recent), usual)
	}
	expected := normal * tried
	if failed >= 5 && failed > 2*expected && ratio(failed, expected, 20) > 7 {
		return fmt.Sprintf("%s: %.0f of %.0f attempts failed in %d min, %.1f %% where %.1f %% is normal", action, failed, tried, len(w.recent), 100*failed/math.Max(tried, 1), 100*normal)
	}
	return ""
}

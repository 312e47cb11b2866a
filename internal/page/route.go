package page

import (
	"slices"

	"tocsin/detect"
	"tocsin/store"
)

// Route says what a pager is rung for.
type Route struct {
	Pager      string
	Warnings   bool     // warnings too, not only pages
	Categories []string // only these; empty: all
	Fallback   string   // rung when this one refuses
	OnlyBack   bool     // rung only as the fallback of another
}

// Routes are those of all pagers.
type Routes []Route

// Deliveries says which pages follow from changes. Each pager hears of an
// incident from its first page to its end; what one pager need not know (a
// note, a deployment seen) goes to none.
func (rs Routes) Deliveries(changes []detect.Change) []store.Delivery {
	var out []store.Delivery
	for _, c := range changes {
		if c.Incident.ID == "" || !told(c.Kind) {
			continue
		}
		for _, r := range rs {
			if r.takes(&c.Incident) {
				out = append(out, store.Delivery{Incident: c.Incident.ID, Change: c.Kind, Pager: r.Pager, Due: c.At, State: store.Pending})
			}
		}
	}
	return out
}

// told are the changes that people outside are told of.
func told(k detect.ChangeKind) bool {
	switch k {
	case detect.Warned, detect.Opened, detect.Grew, detect.Suspected, detect.DidAcknowledge, detect.DidResolve, detect.DidReopen, detect.DidDismiss:
		return true
	}
	return false
}

func (r *Route) takes(i *detect.Incident) bool {
	if r.OnlyBack || i.Level == detect.Warning && !r.Warnings {
		return false
	}
	return len(r.Categories) == 0 || i.Kind != "surge" || slices.ContainsFunc(i.Categories, func(c string) bool { return slices.Contains(r.Categories, c) })
}

// fallback is the same delivery to the pager that is rung when its own fails.
func (rs Routes) fallback(d store.Delivery) []store.Delivery {
	for _, r := range rs {
		if r.Pager == d.Pager && r.Fallback != "" && !d.Fallback {
			return []store.Delivery{{Incident: d.Incident, Change: d.Change, Subject: d.Subject, Pager: r.Fallback, Fallback: true, Due: d.Due, State: store.Pending}}
		}
	}
	return nil
}

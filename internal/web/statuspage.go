package web

import (
	"net/http"
	"sort"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

type statusData struct {
	Status     Status
	Facts      [][2]string
	Deliveries []store.Delivery
	Model      string
	Unread     []store.Entry
	Acts       []act
}

// act is something that a person or a program did.
type act struct {
	At         time.Time
	Who        string
	What       string
	Link, Text string
}

// What the page shows of the past.
const (
	shownActs     = 25
	lookedEvents  = 20_000 // of the log, for corrections
	lookedThrough = 40     // incidents, for decisions
)

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
	if d.Acts, err = s.acts(); err != nil {
		return err
	}
	if s.opt.Worker != nil {
		d.Model = s.opt.Worker.Model().Name()
	}
	return s.render(w, r, http.StatusOK, "status", "Status", d)
}

// acts are who did what lately: decisions on incidents, corrections of mails,
// and deployments told of.
func (s *Server) acts() ([]act, error) {
	var list []act
	incidents, err := s.opt.Store.Incidents(time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	for n := range incidents[:min(lookedThrough, len(incidents))] {
		i := &incidents[n]
		steps, err := s.opt.Store.Timeline(i.ID)
		if err != nil {
			return nil, err
		}
		for _, st := range steps {
			if st.Who != "" {
				list = append(list, act{st.At, st.Who, stepText(st.Kind), "/incidents/" + i.ID, clipRunes(st.Note, 120)})
			}
		}
	}
	found := 0
	err = s.opt.Store.Lately(lookedEvents, func(e store.Event) bool {
		switch {
		case e.Relabel != nil:
			what := "Sorted as " + e.Relabel.To
			if e.Relabel.To == "" {
				what = "Took a correction back"
			}
			list = append(list, act{At: e.Relabel.At, Who: e.Relabel.Who, What: what, Link: "/messages/" + e.Relabel.Message.ID})
		case e.Deployment != nil && e.Deployment.Actor != "":
			list = append(list, act{e.Deployment.At, e.Deployment.Actor, stepText(detect.Deployed), "/deployments/" + e.Deployment.ID, e.Deployment.Service + " " + e.Deployment.Version})
		default:
			return true
		}
		found++
		return found < shownActs
	})
	sort.SliceStable(list, func(a, b int) bool { return list[a].At.After(list[b].At) })
	return list[:min(shownActs, len(list))], err
}

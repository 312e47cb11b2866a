package web

import (
	"slices"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// Customer is somebody who was hit by an incident.
type Customer struct {
	Addr, Name string
	First      time.Time
	Mails      int
	Category   string
	Subject    string
}

// maxIncidentMails bounds what is read of one incident.
const maxIncidentMails = 5000

// mails are the complaints of an incident: those of its kinds from its
// beginning to its end, oldest first.
func (s *Server) mails(i *detect.Incident, heads bool, limit int) ([]store.Entry, error) {
	if i.Kind != "surge" {
		return nil, nil
	}
	until := i.ResolvedAt
	if until.IsZero() {
		until = s.opt.Now()
	}
	var list []store.Entry
	q := store.Query{From: i.StartedAt, To: until.Add(time.Nanosecond), Oldest: true, Automated: "without", Complaints: true, Heads: heads, Limit: 500}
	for looked := 0; looked < maxIncidentMails; {
		p, err := s.opt.Store.Messages(q)
		if err != nil {
			return nil, err
		}
		for _, e := range p.Entries {
			looked++
			if slices.Contains(i.Categories, e.Category()) {
				list = append(list, e)
				if len(list) == limit {
					return list, nil
				}
			}
		}
		if q.Before = p.Next; q.Before == "" {
			break
		}
	}
	return list, nil
}

// fresh brings the numbers of an open surge up to date: the stored ones are
// those of its last change.
func (s *Server) fresh(i *detect.Incident) error {
	if i.Kind != "surge" || i.State == detect.Resolved {
		return nil
	}
	mails, err := s.mails(i, true, maxIncidentMails)
	if err != nil || len(mails) == 0 {
		return err
	}
	people := map[string]bool{}
	for n := range mails {
		people[mails[n].Complainant()] = true
	}
	first, last := mails[0].Received, mails[len(mails)-1].Received
	i.Now.Customers, i.Now.Complaints = max(i.Now.Customers, len(people)), max(i.Now.Complaints, len(mails))
	i.Now.Window = max(i.Now.Window, last.Sub(first))
	if s.opt.Worker == nil {
		return nil
	}
	expected := 0.0
	for _, k := range i.Categories {
		for _, b := range s.opt.Worker.Normal(k, first, last, max(time.Minute, last.Sub(first))) {
			expected += b.Expected
		}
	}
	if expected > 0 {
		i.Now.Expected = expected
	}
	return nil
}

// customers are the people behind the mails of an incident, first come first.
func (s *Server) customers(i *detect.Incident) ([]Customer, error) {
	mails, err := s.mails(i, true, maxIncidentMails)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var list []Customer
	for n := range mails {
		e := &mails[n]
		key := e.Complainant()
		if k, ok := at[key]; ok {
			list[k].Mails++
			continue
		}
		at[key] = len(list)
		list = append(list, Customer{Addr: e.From.Addr, Name: e.From.Name, First: e.Received, Mails: 1, Category: e.Category(), Subject: e.Subject})
	}
	return list, nil
}

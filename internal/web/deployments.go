package web

import (
	"net/http"
	"time"

	"tocsin/detect"
)

// followed is a deployment with what came after it.
type followed struct {
	D             detect.Deployment
	Before, After int // complaints in the hour before and after
	Over          bool
	Incident      *detect.Incident // that it is suspected of
}

type deploymentsData struct {
	List  []followed
	Older string // where the next part begins
}

const shownDeployments = 50

func (s *Server) deploymentsPage(w http.ResponseWriter, r *http.Request) error {
	var before time.Time
	if v := r.URL.Query().Get("before"); v != "" {
		var err error
		if before, err = time.Parse(time.RFC3339Nano, v); err != nil {
			return mistake{http.StatusBadRequest, "before is no time", "write it as 2026-11-24T09:40:00Z"}
		}
	}
	list, err := s.opt.Store.Deployments(time.Time{}, before)
	if err != nil {
		return err
	}
	d := deploymentsData{}
	if len(list) > shownDeployments {
		list = list[:shownDeployments]
		d.Older = list[shownDeployments-1].At.UTC().Format(time.RFC3339Nano)
	}
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
		if sus := touched[i].Suspect; sus != nil && sus.Deployment.ID == d.ID && !touched[i].FalseAlarm {
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

const mostChanges = 200

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
		if err := s.fresh(d.Incident); err != nil {
			return err
		}
	}
	d.Changes = detect.RankChanges(dep.Changes, kinds, s.opt.Watch)
	d.Rest = max(0, len(d.Changes)-mostChanges)
	d.Changes = d.Changes[:min(mostChanges, len(d.Changes))]
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
	d.Chart = s.chart("All complaints around it", "", from, to, step, counts[""], marks)
	d.Chart.large()
	d.Chart.Incidents = surges(touched, "")
	return s.render(w, r, http.StatusOK, "deployment", "Deployment "+clip(dep.Service+" "+dep.Version, 100), d)
}

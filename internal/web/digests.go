package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"tocsin/detect"
	"tocsin/internal/digest"
)

// pastWeek is a line of the list of digests.
type pastWeek struct {
	digest.Week
	Running    bool
	Mails      int
	Complaints int
	Incidents  int
	False      int
}

type digestsData struct{ Weeks []pastWeek }

// mostWeeks is how far the list of digests goes back.
const mostWeeks = 53

func (s *Server) digestsPage(w http.ResponseWriter, r *http.Request) error {
	st, err := s.opt.Store.Stats()
	if err != nil {
		return err
	}
	var d digestsData
	o := s.opt.Digest
	this := digest.WeekOf(s.opt.Now(), o.WeekStart, o.Location)
	for week := this; len(d.Weeks) < mostWeeks; week = weekBefore(week, o) {
		if st.Oldest.IsZero() || !week.To.After(st.Oldest) {
			break
		}
		d.Weeks = append(d.Weeks, pastWeek{Week: week, Running: week == this})
	}
	if len(d.Weeks) > 0 {
		if err := s.count(d.Weeks); err != nil {
			return err
		}
	}
	return s.render(w, r, http.StatusOK, "digests", "Digests", d)
}

func weekBefore(w digest.Week, o digest.Options) digest.Week {
	return digest.WeekOf(w.From.AddDate(0, 0, -3), o.WeekStart, o.Location)
}

// count fills in the figures of weeks, which are newest first and without gap.
func (s *Server) count(weeks []pastWeek) error {
	from, to := weeks[len(weeks)-1].From, weeks[0].To
	of := func(t time.Time) *pastWeek {
		for n := range weeks {
			if !t.Before(weeks[n].From) && t.Before(weeks[n].To) {
				return &weeks[n]
			}
		}
		return nil
	}
	counts, err := s.opt.Store.Counts(from, to)
	if err != nil {
		return err
	}
	var last *pastWeek // counts are in the order of time
	for _, c := range counts {
		if last == nil || c.At.Before(last.From) || !c.At.Before(last.To) {
			if last = of(c.At); last == nil {
				continue
			}
		}
		last.Mails += c.Messages
		last.Complaints += c.Complaints
	}
	incidents, err := s.opt.Store.Incidents(from, to)
	for n := range incidents {
		i := &incidents[n]
		if w := of(i.DetectedAt); w != nil && i.Level == detect.Paging {
			if i.FalseAlarm {
				w.False++
			} else {
				w.Incidents++
			}
		}
	}
	return err
}

// recently keeps the digests that were asked for lately: one takes a tenth of a
// second to make, since it reads a thousand mails.
type recently struct {
	mu   sync.Mutex
	kept map[string]*digest.Digest
}

// Bounds of what is kept.
const (
	digestFor   = time.Minute
	mostDigests = 8
)

func (s *Server) digest(ctx context.Context, w digest.Week) (*digest.Digest, error) {
	s.weeks.mu.Lock()
	defer s.weeks.mu.Unlock()
	if d := s.weeks.kept[w.String()]; d != nil {
		if age := s.opt.Now().Sub(d.Made); age >= 0 && age < digestFor {
			return d, nil
		}
	}
	d, err := digest.Build(ctx, s.opt.Digest, w)
	if err != nil {
		return nil, err
	}
	if s.weeks.kept == nil || len(s.weeks.kept) >= mostDigests {
		s.weeks.kept = map[string]*digest.Digest{}
	}
	s.weeks.kept[w.String()] = d
	return d, nil
}

type digestData struct {
	Week         digest.Week
	Running      bool
	Before, Next string // the weeks beside it; "" where there is none
}

func (s *Server) digestPage(w http.ResponseWriter, r *http.Request) error {
	week, err := s.week(r.PathValue("week"))
	if err != nil {
		return err
	}
	form := r.URL.Query().Get("form")
	if form == "" {
		o := s.opt.Digest
		d := digestData{Week: week, Running: s.opt.Now().Before(week.To), Before: weekBefore(week, o).String()}
		if !d.Running {
			d.Next = digest.WeekOf(week.To.AddDate(0, 0, 3), o.WeekStart, o.Location).String()
		}
		return s.render(w, r, http.StatusOK, "digest", "Digest of "+week.String(), d)
	}
	d, err := s.digest(r.Context(), week)
	if err != nil {
		return err
	}
	if form == "text" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err = w.Write([]byte(d.Text()))
		return err
	}
	// A mail's markup has its style inline; it is shown in a frame of its own,
	// which runs no script. It is of this origin so that the page around it may
	// measure how tall it is.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(d.HTML()))
	return err
}

package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tocsin/detect"
)

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "ok")
}

// readyz says whether every folder is being read and no pager refuses: what a
// person would call working.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if text := s.unwell(); text != "" {
		http.Error(w, text, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// unseenFor is two polls of the default length.
const unseenFor = time.Minute

// unwell says what keeps Tocsin from doing its work, "" when nothing does. It
// names no mailbox, since anybody may ask.
func (s *Server) unwell() string {
	if s.opt.Worker == nil {
		return "no worker runs"
	}
	st := s.opt.Worker.Status()
	for _, f := range st.Folders {
		switch {
		case f.Blind:
			return "blind: a folder cannot be read"
		case f.LastRead.IsZero():
			return "a folder was not yet read to its end"
		case f.Error != "" && st.Now.Sub(f.ErrorSince) > unseenFor:
			return "a folder could not be read for a while"
		}
	}
	if st.Full {
		return "the disk is nearly full"
	}
	for _, p := range st.Pagers {
		if p.Error != "" && p.Pending > 0 {
			return "a pager refuses pages"
		}
	}
	return ""
}

// metrics writes the figures for Prometheus; their names are a promise.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{s})
	reg.MustRegister(s.opt.Metrics...)
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return nil
}

type collector struct{ s *Server }

var (
	descUp       = desc("up", "1 while every folder is read and no pager refuses")
	descMessages = desc("store_messages", "Messages in the data file")
	descMissed   = desc("missed_messages", "Messages gone before they could be read")
	descAgain    = desc("messages_again", "Messages that came again and count once", "reason")
	descBytes    = desc("store_bytes", "Size of the data file")
	descOpen     = desc("incidents_open", "Incidents that are not resolved", "category", "level")
	descLastRead = desc("mailbox_last_success_timestamp_seconds", "When a folder was last known to be read to its end", "mailbox", "folder")
	descBlind    = desc("folder_blind", "1 while a folder cannot be read", "mailbox", "folder")
	descPending  = desc("pages_pending", "Pages waiting to be delivered", "pager")
	descRefused  = desc("pager_failing", "1 while a pager refuses pages", "pager")
	descArrived  = desc("complaints_last_hour", "Complaints that arrived in the last 60 minutes", "category")
	descBuild    = desc("build_info", "Version of this tocsin", "version")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tocsin_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descUp, descMessages, descMissed, descAgain, descBytes, descOpen, descLastRead, descBlind, descPending, descRefused, descArrived, descBuild} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	gauge(descUp, flag(c.s.unwell() == ""))
	gauge(descBuild, 1, c.s.opt.Version)
	if st, err := c.s.opt.Store.Stats(); err == nil {
		gauge(descMessages, float64(st.Messages))
		gauge(descMissed, float64(st.Missed))
		for reason, n := range st.Again {
			gauge(descAgain, float64(n), string(reason))
		}
		gauge(descBytes, float64(st.Size))
	}
	now := c.s.opt.Now()
	if list, err := c.s.opt.Store.Incidents(now.Add(-time.Hour), time.Time{}); err == nil {
		type key struct{ category, level string }
		open := map[key]float64{}
		for _, i := range list {
			if i.State != detect.Resolved {
				open[key{leading(&i), string(i.Level)}]++
			}
		}
		for k, n := range open {
			gauge(descOpen, n, k.category, k.level)
		}
	}
	counts := map[string]float64{}
	for _, k := range c.s.opt.Taxonomy {
		counts[k.Name] = 0
	}
	if list, err := c.s.opt.Store.Arrivals(now.Add(-time.Hour), now.Add(time.Nanosecond), maxArrivals); err == nil {
		for _, a := range list {
			if _, known := counts[a.Category]; known && a.Complaint {
				counts[a.Category]++
			}
		}
		for k, n := range counts {
			gauge(descArrived, n, k)
		}
	}
	if c.s.opt.Worker == nil {
		return
	}
	st := c.s.opt.Worker.Status()
	for _, f := range st.Folders {
		if !f.LastRead.IsZero() {
			gauge(descLastRead, float64(f.LastRead.Unix()), f.Mailbox, f.Folder)
		}
		gauge(descBlind, flag(f.Blind), f.Mailbox, f.Folder)
	}
	for _, p := range st.Pagers {
		gauge(descPending, float64(p.Pending), p.Pager)
		gauge(descRefused, flag(p.Error != ""), p.Pager)
	}
}

// leading is what an incident is mostly about.
func leading(i *detect.Incident) string {
	if len(i.Categories) > 0 {
		return i.Categories[0]
	}
	return i.Kind
}

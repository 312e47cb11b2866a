package worker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/store"
)

// Metrics count mail for Prometheus since the process began. A nil one keeps
// nothing.
type Metrics struct {
	messages *prometheus.CounterVec
	polls    prometheus.Histogram
}

// NewMetrics returns metrics at zero.
func NewMetrics() *Metrics {
	return &Metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_messages_total", Help: "Messages read and stored"}, []string{"mailbox", "category", "automated"}),
		polls: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "tocsin_poll_duration_seconds", Help: "How long it took to read a folder to its end",
			Buckets: []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60}}),
	}
}

// count notes the entries of a batch that were new.
func (m *Metrics) count(entries []store.Entry, a store.Appended) {
	if m == nil {
		return
	}
	for i := range entries {
		if a.IsNew[i] {
			e := &entries[i]
			m.messages.WithLabelValues(e.Account, e.Category(), string(e.Automated)).Inc()
		}
	}
}

func (m *Metrics) poll(d time.Duration) {
	if m != nil {
		m.polls.Observe(d.Seconds())
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.messages.Describe(ch)
	m.polls.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.messages.Collect(ch)
	m.polls.Collect(ch)
}

package page

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count pages for Prometheus since the process began. A nil one keeps
// nothing.
type Metrics struct {
	pages *prometheus.CounterVec
	late  prometheus.Histogram
}

// NewMetrics returns metrics at zero.
func NewMetrics() *Metrics {
	return &Metrics{
		pages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_pages_total", Help: "Attempts to deliver a page: accepted, retried, or refused for good"}, []string{"pager", "outcome"}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "tocsin_page_latency_seconds", Help: "From the arrival of the mail that decided to the page that a pager accepted",
			Buckets: []float64{0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200}}),
	}
}

func (m *Metrics) page(pager, outcome string) {
	if m != nil {
		m.pages.WithLabelValues(pager, outcome).Inc()
	}
}

func (m *Metrics) latency(d time.Duration) {
	if m != nil {
		m.late.Observe(max(0, d.Seconds()))
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.pages.Describe(ch)
	m.late.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.pages.Collect(ch)
	m.late.Collect(ch)
}

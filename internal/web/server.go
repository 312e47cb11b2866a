// Package web serves the dashboard and the API under /api/v1, and holds the
// API's client.
//
// Pages are rendered here, without outside resources and without inline script
// or style; a small script of our own swaps in what changed when the worker
// says so (server-sent events). Everything from a mail is escaped by
// html/template. Reading asks the store; what changes something goes through
// the worker, so that there is one truth.
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/internal/deploy"
	"tocsin/internal/digest"
	"tocsin/internal/worker"
	"tocsin/store"
)

// Worker is what the pages and the API ask of a running worker.
type Worker interface {
	Status() worker.Status
	Model() *classify.Model
	Normal(category string, from, to time.Time, step time.Duration) []detect.Band
	Decide(ctx context.Context, d detect.Decision) (detect.Incident, error)
	Correct(ctx context.Context, message, category, who string) error
	Recorded()
	Subscribe() (<-chan struct{}, func())
}

// Options of a Server. Store, Taxonomy, Location and Log must be set.
type Options struct {
	Store    *store.Store
	Worker   Worker // nil: nothing runs, the store is only read
	Taxonomy classify.Taxonomy
	Location *time.Location
	Log      *slog.Logger
	Now      func() time.Time // the inbox's time; default time.Now

	Deployments *deploy.Recorder // nil: deployments are not taken
	Hooks       http.Handler     // answers /hooks/; nil: none
	Digest      digest.Options
	Metrics     []prometheus.Collector // beside its own
	Outcomes    bool                   // take POST /api/v1/outcomes

	Access  Access
	Version string
	Watch   []string    // packages named first
	Facts   [][2]string // of the configuration in force, without secrets
	Demo    bool        // say on every page that the mails are made up
}

// Server is the dashboard and the API.
type Server struct {
	opt     Options
	guard   *guard
	live    *live
	same    shared
	weeks   recently
	unnamed grouped
	mux     *http.ServeMux
}

// New returns a server; nothing runs until Run or Handler is used.
func New(opt Options) (*Server, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Location == nil {
		opt.Location = time.UTC
	}
	if opt.Version == "" {
		opt.Version = "devel"
	}
	g, err := newGuard(opt.Access, opt.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, guard: g, live: newLive(opt.Worker)}
	s.routes()
	return s, nil
}

// Limits of a request.
const (
	maxBody    = 256 << 10
	maxLock    = 32 << 20 // a deployment with its lockfile
	headerTime = 10 * time.Second
	bodyTime   = 60 * time.Second
)

// routes is the whole map of the house. Each line says who may.
func (s *Server) routes() {
	m := http.NewServeMux()
	s.mux = m
	page := func(pattern string, h handler) { m.Handle(pattern, s.guard.person(s.page(h))) }
	page("GET /{$}", s.nowPage)
	page("GET /incidents", s.incidentsPage)
	page("GET /incidents/{id}", s.incidentPage)
	page("GET /incidents/{id}/customers.csv", s.customersCSV)
	page("GET /incidents/{id}/postmortem.md", s.postMortem)
	page("POST /incidents/{id}", s.decideForm)
	page("GET /messages", s.messagesPage)
	page("GET /messages/{id}", s.messagePage)
	page("POST /messages/{id}", s.correctForm)
	page("GET /deployments", s.deploymentsPage)
	page("GET /deployments/{id}", s.deploymentPage)
	page("GET /digests", s.digestsPage)
	page("GET /digests/{week}", s.digestPage)
	page("GET /status", s.statusPage)
	m.Handle("GET /live", s.guard.person(http.HandlerFunc(s.live.serve)))
	m.HandleFunc("GET /login", s.loginPage)
	m.HandleFunc("POST /login", s.login)
	m.HandleFunc("POST /logout", s.logout)
	m.Handle("GET /static/", staticFiles())
	page("GET /", func(http.ResponseWriter, *http.Request) error { return notFound("there is no such page") })

	api := func(scope Scope, pattern string, h handler) { m.Handle(pattern, s.guard.program(scope, s.api(h))) }
	api(ScopeRead, "GET /api/v1/status", s.apiStatus)
	api(ScopeRead, "GET /api/v1/messages", s.apiMessages)
	api(ScopeRead, "GET /api/v1/messages/{id}", s.apiMessage)
	api(ScopeAll, "POST /api/v1/messages/{id}/category", s.apiCorrect)
	api(ScopeRead, "GET /api/v1/counts", s.apiCounts)
	api(ScopeRead, "GET /api/v1/incidents", s.apiIncidents)
	api(ScopeRead, "GET /api/v1/incidents/{id}", s.apiIncident)
	api(ScopeRead, "GET /api/v1/incidents/{id}/timeline", s.apiTimeline)
	api(ScopeRead, "GET /api/v1/incidents/{id}/postmortem", s.postMortem)
	api(ScopeRead, "GET /api/v1/incidents/{id}/customers.csv", s.customersCSV)
	api(ScopeAll, "POST /api/v1/incidents/{id}/{verb}", s.apiDecide)
	api(ScopeRead, "GET /api/v1/deployments", s.apiDeployments)
	api(ScopeRead, "GET /api/v1/deployments/{id}", s.apiDeployment)
	api(ScopeDeployments, "POST /api/v1/deployments", s.apiDeploy)
	api(ScopeDeployments, "POST /api/v1/outcomes", s.apiOutcomes)
	api(ScopeRead, "GET /api/v1/packages", s.apiPackages)
	api(ScopeRead, "GET /api/v1/digest", s.apiDigest)
	api(ScopeRead, "GET /api/v1/events", s.apiEvents)
	api(ScopeAll, "GET /api/v1/backup", s.apiBackup)
	api(ScopeRead, "GET /metrics", s.metrics)
	api(ScopeRead, "GET /api/", func(http.ResponseWriter, *http.Request) error { return notFound("the API has nothing there") })
	if s.opt.Hooks != nil {
		m.Handle("POST /hooks/", s.opt.Hooks) // each checks its own signature
		m.Handle("GET /hooks/", s.opt.Hooks)
	}
	m.HandleFunc("GET /healthz", s.healthz)
	m.HandleFunc("GET /readyz", s.readyz)
}

// Handler answers requests.
func (s *Server) Handler() http.Handler {
	return secured(s.guard.host(s.guard.crossOrigin(s.mux)))
}

// Listen opens the address to serve on; the error says what to do.
func Listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, listenError{addr, err}
	}
	return ln, nil
}

type listenError struct {
	addr string
	err  error
}

func (e listenError) Error() string {
	return fmt.Sprintf("dashboard: cannot listen on %s: %v", e.addr, e.err)
}
func (e listenError) Unwrap() error { return e.err }
func (e listenError) Advice() string {
	return "another program holds the port: choose another in web.listen, or \"\" for no dashboard"
}

// Run serves on ln until ctx ends, with TLS if cert is not nil. Requests under
// way have five seconds to end.
func (s *Server) Run(ctx context.Context, ln net.Listener, cert *tls.Certificate) error {
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		WriteTimeout:      bodyTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.opt.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	if cert != nil {
		ln = tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*cert}, NextProtos: []string{"h2", "http/1.1"}})
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	stop := s.live.run(ctx)
	defer stop()
	select {
	case err := <-done:
		return fmt.Errorf("dashboard: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if srv.Shutdown(end) != nil {
		srv.Close()
	}
	if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// secured sets the headers that every answer has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

package web

import (
	"net/http"
	"sync"
	"time"
)

// shared gives the viewers of a page one rendering for all: when a mail arrives
// every open page asks anew, and what it swaps in is the same for everybody.
// Only the script of an open page asks for it (X-Live), so that what a person
// loads after a click is always fresh.
type shared struct {
	mu    sync.Mutex
	pages map[string]*rendering
}

type rendering struct {
	mu   sync.Mutex
	at   time.Time
	page answer
}

// Bounds of what is shared.
const (
	sharedFor   = time.Second
	mostShared  = 200
	maxSharedAt = 300 // bytes of an address
)

func (s *shared) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	key := r.URL.RequestURI()
	if len(key) > maxSharedAt {
		next.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	if s.pages == nil || len(s.pages) >= mostShared && s.pages[key] == nil {
		s.pages = map[string]*rendering{}
	}
	p := s.pages[key]
	if p == nil {
		p = &rendering{}
		s.pages[key] = p
	}
	s.mu.Unlock()

	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) >= sharedFor {
		p.page = answer{header: http.Header{}, status: http.StatusOK}
		next.ServeHTTP(&p.page, as(r, "")) // nobody's name is in what all are given
		p.at = time.Now()
	}
	for k, v := range p.page.header {
		w.Header()[k] = v
	}
	w.WriteHeader(p.page.status)
	w.Write(p.page.body.Bytes())
}

package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// live tells the open pages that something changed. One goroutine listens to
// the worker and wakes every viewer at most once in a while, however fast mail
// comes in.
type live struct {
	worker Worker

	mu      sync.Mutex
	viewers map[chan struct{}]struct{}
	ended   chan struct{}
}

const (
	maxViewers = 1000
	liveEvery  = time.Second      // at most one change a viewer in this time
	liveStill  = 15 * time.Second // a sign of life where nothing changes
)

func newLive(w Worker) *live {
	return &live{worker: w, viewers: map[chan struct{}]struct{}{}, ended: make(chan struct{})}
}

// run passes changes on until ctx ends; the function returned waits for it.
func (l *live) run(ctx context.Context) (stop func()) {
	if l.worker == nil {
		return func() { close(l.ended) }
	}
	changed, unsubscribe := l.worker.Subscribe()
	go func() {
		defer close(l.ended)
		defer unsubscribe()
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			l.mu.Lock()
			for ch := range l.viewers {
				select {
				case ch <- struct{}{}:
				default:
				}
			}
			l.mu.Unlock()
			select {
			case <-ctx.Done():
				return
			case <-time.After(liveEvery):
			}
		}
	}()
	return func() { <-l.ended }
}

// serve keeps a viewer informed (server-sent events).
func (l *live) serve(w http.ResponseWriter, r *http.Request) {
	ch := make(chan struct{}, 1)
	l.mu.Lock()
	if len(l.viewers) >= maxViewers {
		l.mu.Unlock()
		http.Error(w, "too many viewers", http.StatusServiceUnavailable)
		return
	}
	l.viewers[ch] = struct{}{}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.viewers, ch)
		l.mu.Unlock()
	}()

	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	write := func(s string) bool {
		rc.SetWriteDeadline(time.Now().Add(liveStill))
		if _, err := fmt.Fprint(w, s); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	if !write("retry: 3000\n\n") {
		return
	}
	still := time.NewTicker(liveStill)
	defer still.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-ch:
			text = "event: change\ndata: \n\n"
		case <-still.C:
		}
		if !write(text) {
			return
		}
	}
}

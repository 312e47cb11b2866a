package demo

import (
	"context"
	"sync"
	"time"
)

// Clock is the inbox's time of a replay: it stands still until Start and then
// runs faster than the machine's.
type Clock struct {
	begin time.Time
	speed float64

	mu      sync.Mutex
	started time.Time // machine time; zero while it stands
}

// NewClock returns a clock that stands at begin.
func NewClock(begin time.Time, speed float64) *Clock {
	return &Clock{begin: begin, speed: speed}
}

// Start lets it run.
func (c *Clock) Start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started.IsZero() {
		c.started = time.Now()
	}
}

// Now is the time in the story.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started.IsZero() {
		return c.begin
	}
	return c.begin.Add(time.Duration(float64(time.Since(c.started)) * c.speed))
}

// Until waits for a time in the story; false when ctx ended first.
func (c *Clock) Until(ctx context.Context, at time.Time) bool {
	wait := time.Duration(float64(at.Sub(c.Now())) / c.speed)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

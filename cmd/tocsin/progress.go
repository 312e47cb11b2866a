package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells a person how far long work has come: a line that is written
// over on a terminal, one line every ten seconds elsewhere, nothing for work
// that takes less than a second.
type progress struct {
	w     io.Writer
	tty   bool
	what  string
	begun time.Time

	mu    sync.Mutex
	told  time.Time
	shown bool
}

func (p *program) progress(what string) *progress {
	_, tty := terminal(p.Err)
	now := time.Now()
	return &progress{w: p.Err, tty: tty, what: what, begun: now, told: now}
}

// step reports done of total; total 0 is unknown.
func (g *progress) step(done, total int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	every := 10 * time.Second
	if g.tty {
		every = 200 * time.Millisecond
	}
	if now.Sub(g.told) < every || now.Sub(g.begun) < time.Second {
		return
	}
	g.told = now
	text := fmt.Sprintf("%s: %d", g.what, done)
	if total > 0 {
		text += fmt.Sprintf(" of %d (%d %%)", total, 100*done/total)
	}
	if elapsed := now.Sub(g.begun).Seconds(); done > 0 && elapsed > 0 {
		rate := float64(done) / elapsed
		if rate >= 10 {
			text += fmt.Sprintf(", %.0f a second", rate)
		}
		if total > done {
			text += fmt.Sprintf(", %v left", (time.Duration(float64(total-done)/rate) * time.Second).Round(time.Second))
		}
	}
	if g.tty {
		fmt.Fprintf(g.w, "\r\x1b[K%s", text)
		g.shown = true
	} else {
		fmt.Fprintln(g.w, text)
	}
}

// end removes the line.
func (g *progress) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shown {
		fmt.Fprint(g.w, "\r\x1b[K")
	}
}

package imapsync

import (
	"context"
	"sync/atomic"
	"time"
)

// Turns bounds the connections of folders that share it. A folder that takes
// turns keeps its connection only while it has something to read, is looked at
// every Poll, and has no IDLE.
type Turns struct {
	free    chan struct{} // holds what is free
	waiting atomic.Int32
}

// NewTurns makes turns for n connections.
func NewTurns(n int) *Turns {
	t := &Turns{free: make(chan struct{}, n)}
	for range n {
		t.free <- struct{}{}
	}
	return t
}

// longTurn is how long a folder with much to read may keep others waiting.
const longTurn = 20 * time.Second

// TakeTurns makes the folder share its connections with all others that were
// given t.
func (f *Folder) TakeTurns(t *Turns) *Folder {
	f.turns = t
	return f
}

// turn waits for the right to connect. It is nothing without Turns.
func (f *Folder) turn(ctx context.Context) error {
	if f.turns == nil || f.hasTurn {
		return ctx.Err()
	}
	f.turns.waiting.Add(1)
	defer f.turns.waiting.Add(-1)
	select {
	case <-f.turns.free:
		f.hasTurn, f.turnBegan = true, time.Now()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// endTurn lets the next folder connect; the connection is closed.
func (f *Folder) endTurn() {
	if f.hasTurn {
		f.hasTurn = false
		f.turns.free <- struct{}{}
	}
}

// yield ends a long turn while others wait for theirs.
func (f *Folder) yield() {
	if f.hasTurn && f.turns.waiting.Load() > 0 && time.Since(f.turnBegan) > longTurn {
		f.Close()
	}
}

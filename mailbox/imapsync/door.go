package imapsync

import (
	"context"
	"sync"
	"time"
)

// Door is shared by all who sign in as one account. Servers lock accounts after
// about ten refused logins: while it is not known whether they may enter, one
// tries for all, and after a refusal nobody does for a while. A nil Door is
// open.
type Door struct {
	turn chan struct{} // of size 1: whoever tries for all holds it

	mu      sync.Mutex
	open    bool // the last try was not refused
	refused error
	tries   int       // refused in a row
	next    time.Time // of trying again
}

// NewDoor makes a door of which nothing is known yet.
func NewDoor() *Door { return &Door{turn: make(chan struct{}, 1)} }

// How long nobody tries after a refusal, doubled from the first to the last.
// Whoever comes alone and waits a quarter of a minute, doubled and shortened by
// up to half, finds it passed: eight tries in the first ten minutes.
const (
	firstShut = 7 * time.Second
	lastShut  = 140 * time.Second
)

// enter waits for the right to try. It returns the last refusal where it is too
// soon. Whoever entered calls leave.
func (d *Door) enter(ctx context.Context) error {
	if d == nil {
		return ctx.Err()
	}
	if free, err := d.state(); free || err != nil {
		return err
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	free, err := d.state() // as whoever had the turn left it
	if free || err != nil {
		<-d.turn
	}
	return err
}

func (d *Door) state() (open bool, refused error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused != nil && time.Now().Before(d.next) {
		return false, d.refused
	}
	return d.open, nil
}

// leave notes what came of a try.
func (d *Door) leave(err error) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if Permanent(err) {
		shut := lastShut
		if d.tries < 5 {
			shut = min(lastShut, firstShut<<d.tries)
		}
		d.tries++
		d.open, d.refused, d.next = false, err, time.Now().Add(shut)
	} else {
		d.open, d.refused, d.tries = true, nil, 0
	}
	select {
	case <-d.turn:
	default: // it was open
	}
}

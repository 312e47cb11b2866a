package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/detect"
	"tocsin/store"
)

// Back-off between tries of a page, and when a page is given up.
const (
	firstTry = 2 * time.Second
	lastTry  = 30 * time.Second // a pager that is back is noticed within this
	giveUp   = 24 * time.Hour
	tryFor   = 30 * time.Second
)

// Courier delivers the outbox: at least once, in order for each pager. One
// goroutine a pager, so that one that hangs delays no other.
type Courier struct {
	Store    *store.Store
	Pagers   map[string]Pager
	Routes   Routes
	Composer *Composer
	Log      *slog.Logger
	Now      func() time.Time // the inbox's time, for what is due
	Metrics  *Metrics         // nil: none are kept
	// Refused is told when a pager begins to refuse, and with an empty text when
	// it takes pages again; nil: nobody.
	Refused func(pager, text string)

	mu     sync.Mutex
	wake   map[string]chan struct{}
	status map[string]*Status
}

// Status is how a pager is doing.
type Status struct {
	Pager         string
	Pending       int
	LastDelivered time.Time
	Error         string
	ErrorSince    time.Time
}

func (c *Courier) init() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wake != nil {
		return
	}
	c.wake, c.status = map[string]chan struct{}{}, map[string]*Status{}
	for name := range c.Pagers {
		c.wake[name] = make(chan struct{}, 1)
		c.status[name] = &Status{Pager: name}
	}
}

// Nudge says that something was put into the outbox.
func (c *Courier) Nudge() {
	c.init()
	for _, ch := range c.wake {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Statuses is how every pager is doing.
func (c *Courier) Statuses() []Status {
	c.init()
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Status
	for _, s := range c.status {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(a.Pager, b.Pager) })
	return list
}

// Run delivers until ctx ends or the store breaks.
func (c *Courier) Run(ctx context.Context) error {
	c.init()
	g, ctx := errgroup.WithContext(ctx)
	for name, p := range c.Pagers {
		g.Go(func() error { return c.lane(ctx, &lane{name: name, pager: p}) })
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// lane is one pager's way out.
type lane struct {
	name  string
	pager Pager
	hold  time.Time // the pager asked for quiet until then
	sent  time.Time // when open incidents were repeated last
}

// lane delivers one pager's pages in order. A page that has to wait holds back
// only later pages of its own incident.
func (c *Courier) lane(ctx context.Context, l *lane) error {
	for {
		wait, err := c.round(ctx, l)
		if store.Full(err) {
			c.Log.Error("what became of a page cannot be stored, for want of room: it is tried again", "pager", l.name, "err", err)
			wait, err = 30*time.Second, nil
		}
		if err != nil {
			return fmt.Errorf("pager %q: %w", l.name, err)
		}
		if _, ok := l.pager.(*Alertmanager); ok {
			if time.Since(l.sent) >= repeat {
				l.sent = time.Now()
				c.repeat(ctx, l)
			}
			wait = min(wait, repeat)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-c.wake[l.name]:
		case <-t.C:
		}
		t.Stop()
	}
}

// round tries everything that may be tried now and returns how long to wait
// for the next. Pages go first: of many deployments to be announced it tells
// for a second, and then looks whether somebody has to be rung.
func (c *Courier) round(ctx context.Context, l *lane) (time.Duration, error) {
	box, err := c.Store.Outbox(l.name)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(box, func(a, b store.Delivery) int { return cmp.Compare(rank(a), rank(b)) })
	wait, began := time.Minute, time.Now()
	held := map[string]bool{}
	pending := len(box)
	for _, d := range box {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if rank(d) > 0 && time.Since(began) > announceFor {
			wait = 0
			break
		}
		c.note(l.name, func(s *Status) { s.Pending = pending })
		if held[d.Incident] {
			if err := c.overtake(d); err != nil {
				return 0, err
			}
			continue
		}
		if left := max(time.Until(d.NotBefore), time.Until(l.hold)); left > 0 {
			held[d.Incident] = true
			wait = min(wait, left)
			continue
		}
		done, next, err := c.try(ctx, d, l)
		if err != nil {
			return 0, err
		}
		if done {
			pending--
			continue
		}
		held[d.Incident] = true
		wait = min(wait, next)
	}
	c.note(l.name, func(s *Status) { s.Pending = pending })
	return max(wait, 10*time.Millisecond), nil
}

// announceFor is how long deployments are announced before pages are looked for.
const announceFor = time.Second

// rank puts the announcement of a deployment behind every page.
func rank(d store.Delivery) int {
	if d.Incident == "" {
		return 1
	}
	return 0
}

func (c *Courier) note(name string, f func(*Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.status[name])
}

// repeat sends open incidents again to a pager that lets alerts end by
// themselves.
func (c *Courier) repeat(ctx context.Context, l *lane) {
	list, err := c.Store.Incidents(c.Now().Add(-7*24*time.Hour), time.Time{})
	if err != nil {
		return
	}
	for _, i := range list {
		if i.State == detect.Resolved {
			continue
		}
		for _, r := range c.Routes {
			if r.Pager == l.name && r.takes(&i) {
				g, err := c.Composer.Compose(store.Delivery{Incident: i.ID, Change: detect.Grew, Pager: l.name, Due: c.Now()})
				if err == nil {
					_ = l.pager.Page(ctx, g) // the next repeat is a minute away
				}
			}
		}
	}
}

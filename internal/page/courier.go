package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
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
	lastTry  = 5 * time.Minute
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
	// Accepted is told of every page that a pager took; nil: nobody.
	Accepted func(store.Delivery, Page)
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
		g.Go(func() error { return c.lane(ctx, name, p) })
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// lane delivers one pager's pages in order. A page that has to wait holds back
// only later pages of its own incident.
func (c *Courier) lane(ctx context.Context, name string, p Pager) error {
	for {
		wait, err := c.round(ctx, name, p)
		if store.Full(err) {
			c.Log.Error("what became of a page cannot be stored, for want of room: it is tried again", "pager", name, "err", err)
			wait, err = 30*time.Second, nil
		}
		if err != nil {
			return fmt.Errorf("pager %q: %w", name, err)
		}
		if _, ok := p.(*Alertmanager); ok {
			c.repeat(ctx, name, p)
			wait = min(wait, repeat)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-c.wake[name]:
		case <-t.C:
		}
		t.Stop()
	}
}

// round tries everything that may be tried now and returns how long to wait
// for the next.
func (c *Courier) round(ctx context.Context, name string, p Pager) (time.Duration, error) {
	box, err := c.Store.Outbox(name)
	if err != nil {
		return 0, err
	}
	wait := time.Minute
	held := map[string]bool{}
	pending := len(box)
	for _, d := range box {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		c.note(name, func(s *Status) { s.Pending = pending })
		if held[d.Incident] {
			continue
		}
		if left := time.Until(d.NotBefore); left > 0 {
			held[d.Incident] = true
			wait = min(wait, left)
			continue
		}
		done, next, err := c.try(ctx, d, p)
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
	c.note(name, func(s *Status) { s.Pending = pending })
	return max(wait, 10*time.Millisecond), nil
}

func (c *Courier) note(name string, f func(*Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.status[name])
}

// try makes one attempt and stores its outcome. The error is the store's.
func (c *Courier) try(ctx context.Context, d store.Delivery, p Pager) (done bool, next time.Duration, err error) {
	g, err := c.Composer.Compose(d)
	if err != nil && !errors.Is(err, errGone) {
		return false, 0, err
	}
	d.Attempts++
	serr := err
	if serr == nil {
		sctx, cancel := context.WithTimeout(ctx, tryFor)
		serr = p.Page(sctx, g)
		cancel()
	}
	if ctx.Err() != nil && serr != nil {
		return false, 0, ctx.Err() // the attempt was cut short by us
	}
	log := c.Log.With("pager", d.Pager, "incident", d.Incident, "change", d.Change, "attempt", d.Attempts)
	if serr == nil {
		d.State, d.Error, d.DoneAt = store.Delivered, "", c.Now()
		if err := c.Store.Settle(d); err != nil {
			return false, 0, err
		}
		log.Info("page was accepted")
		was := ""
		c.note(d.Pager, func(s *Status) {
			was = s.Error
			s.LastDelivered, s.Error, s.ErrorSince = d.DoneAt, "", time.Time{}
		})
		if was != "" && c.Refused != nil {
			c.Refused(d.Pager, "")
		}
		if c.Accepted != nil {
			c.Accepted(d, g)
		}
		return true, 0, nil
	}
	d.Error = clip(printable(serr.Error()), 500)
	final := c.Now().Sub(d.Due) > giveUp
	var perm interface{ Permanent() bool }
	if errors.As(serr, &perm) && perm.Permanent() {
		final = true
	}
	fresh := false
	c.note(d.Pager, func(s *Status) {
		fresh = s.Error == ""
		s.Error = d.Error
		if s.ErrorSince.IsZero() {
			s.ErrorSince = c.Now()
		}
	})
	if final {
		d.State, d.DoneAt = store.Failed, c.Now()
		further := c.Routes.fallback(d, c.Now())
		if err := c.Store.Settle(d, further...); err != nil {
			return false, 0, err
		}
		log.Error("page was refused for good", "err", d.Error, "fallbacks", len(further))
		if c.Refused != nil {
			c.Refused(d.Pager, d.Error)
		}
		if len(further) > 0 {
			c.Nudge()
		}
		return true, 0, nil
	}
	next = backOff(d.Attempts)
	var after interface{ RetryAfter() time.Duration }
	if errors.As(serr, &after) && after.RetryAfter() > 0 {
		next = after.RetryAfter()
	}
	d.NotBefore = time.Now().Add(next)
	if err := c.Store.Settle(d); err != nil {
		return false, 0, err
	}
	if fresh {
		log.Warn("page was not accepted, it will be tried again", "err", d.Error, "in", next.Round(time.Second).String())
	}
	// A pager that has failed for minutes while something burns: the next one
	// is rung too, once.
	if d.Attempts == fallbackAfter && !d.Fallback && d.Change == detect.Opened {
		if further := c.Routes.fallback(d, c.Now()); len(further) > 0 {
			if err := c.Store.Enqueue(further...); err != nil {
				return false, 0, err
			}
			c.Nudge()
		}
		if c.Refused != nil {
			c.Refused(d.Pager, d.Error)
		}
	}
	return false, next, nil
}

// fallbackAfter is how many failed tries (some two minutes) make the courier
// ring the fallback as well.
const fallbackAfter = 6

func backOff(attempts int) time.Duration {
	d := lastTry
	if attempts < 10 {
		d = min(lastTry, firstTry<<(attempts-1))
	}
	return d - rand.N(d/4+1)
}

// repeat sends open incidents again to a pager that lets alerts end by
// themselves.
func (c *Courier) repeat(ctx context.Context, name string, p Pager) {
	list, err := c.Store.Incidents(c.Now().Add(-7*24*time.Hour), time.Time{})
	if err != nil {
		return
	}
	for _, i := range list {
		if i.State == detect.Resolved {
			continue
		}
		for _, r := range c.Routes {
			if r.Pager == name && r.takes(&i) {
				g, err := c.Composer.Compose(store.Delivery{Incident: i.ID, Change: detect.Grew, Pager: name, Due: c.Now()})
				if err == nil {
					_ = p.Page(ctx, g) // the next repeat is a minute away
				}
			}
		}
	}
}

// Heartbeat calls a URL while all is well, so that somebody else notices when
// it is not (a dead man's switch).
type Heartbeat struct {
	URL     string
	Every   time.Duration
	Healthy func() bool
	Log     *slog.Logger
}

// Run calls until ctx ends.
func (h *Heartbeat) Run(ctx context.Context) error {
	t := time.NewTicker(h.Every)
	defer t.Stop()
	failing := false
	for {
		if h.Healthy() {
			err := post(ctx, h.URL, map[string]string{"status": "ok"}, nil)
			if err != nil && !failing && ctx.Err() == nil {
				h.Log.Warn("heartbeat was not taken", "err", err)
			}
			failing = err != nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

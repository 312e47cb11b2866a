package page

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// try makes one attempt and stores its outcome. The error is the store's.
func (c *Courier) try(ctx context.Context, d store.Delivery, l *lane) (done bool, next time.Duration, err error) {
	asked := d
	if d.Change == detect.Grew || d.Change == detect.Suspected {
		// A pager for other kinds first hears of an incident when it comes to
		// them: for that one it begins here.
		if !c.told(d.Pager, d.Incident) {
			asked.Change = detect.Opened
		}
	}
	g, err := c.Composer.Compose(asked)
	if err != nil && !errors.Is(err, errGone) {
		return false, 0, err
	}
	d.Attempts++
	serr := err
	if serr == nil {
		sctx, cancel := context.WithTimeout(ctx, tryFor)
		serr = l.pager.Page(sctx, g)
		cancel()
	}
	if ctx.Err() != nil && serr != nil {
		return false, 0, ctx.Err() // the attempt was cut short by us
	}
	log := c.Log.With("pager", d.Pager, "incident", d.Incident, "change", d.Change, "attempt", d.Attempts)
	if serr == nil {
		return true, 0, c.accepted(d, log)
	}
	fresh := c.failed(&d, serr)
	if c.final(d, serr) {
		return true, 0, c.giveUp(d, log)
	}
	next = backOff(d.Attempts)
	var after interface{ RetryAfter() time.Duration }
	if errors.As(serr, &after) && after.RetryAfter() > 0 {
		next = after.RetryAfter()
		l.hold = time.Now().Add(next) // it is the pager that is asked too much, not this page
	}
	d.NotBefore = time.Now().Add(next)
	// A pager that has failed for a while as something burns: the next one is
	// rung too, once.
	var further []store.Delivery
	if d.Attempts >= fallbackAfter {
		further = c.copied(&d)
	}
	if err := c.Store.Settle(d, further...); err != nil {
		return false, 0, err
	}
	c.Metrics.page(d.Pager, "retried")
	if fresh {
		log.Warn("page was not accepted, it will be tried again", "err", d.Error, "in", next.Round(time.Second).String())
	}
	if d.Attempts == fallbackAfter && c.Refused != nil {
		c.Refused(d.Pager, d.Error)
	}
	c.nudgeFor(further)
	return false, next, nil
}

// accepted notes that a pager took a page, and tells its fallback of what
// follows if that was rung in its stead.
func (c *Courier) accepted(d store.Delivery, log *slog.Logger) error {
	d.State, d.Error, d.DoneAt = store.Delivered, "", c.Now()
	var further []store.Delivery
	if !begins(d.Change) {
		further = c.copied(&d)
	}
	if err := c.Store.Settle(d, further...); err != nil {
		return err
	}
	log.Info("page was accepted")
	c.Metrics.page(d.Pager, "accepted")
	if d.Change == detect.Opened {
		c.Metrics.latency(d.DoneAt.Sub(d.Due))
	}
	was := ""
	c.note(d.Pager, func(s *Status) {
		was = s.Error
		s.LastDelivered, s.Error, s.ErrorSince = d.DoneAt, "", time.Time{}
	})
	if was != "" && c.Refused != nil {
		c.Refused(d.Pager, "")
	}
	c.nudgeFor(further)
	return nil
}

// failed notes why an attempt failed; fresh is whether that is news.
func (c *Courier) failed(d *store.Delivery, err error) (fresh bool) {
	d.Error = clip(printable(err.Error()), 500)
	c.note(d.Pager, func(s *Status) {
		fresh = s.Error == ""
		s.Error = d.Error
		if s.ErrorSince.IsZero() {
			s.ErrorSince = c.Now()
		}
	})
	return fresh
}

// final tells whether a page is given up: refused for good, or a day over.
func (c *Courier) final(d store.Delivery, err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent() || c.Now().Sub(d.Due) > giveUp
}

// giveUp notes that a pager will never take a page; its fallback is rung.
func (c *Courier) giveUp(d store.Delivery, log *slog.Logger) error {
	d.State, d.DoneAt = store.Failed, c.Now()
	further := c.copied(&d)
	if err := c.Store.Settle(d, further...); err != nil {
		return err
	}
	log.Error("page was refused for good", "err", d.Error, "fallbacks", len(further))
	c.Metrics.page(d.Pager, "refused")
	if c.Refused != nil {
		c.Refused(d.Pager, d.Error)
	}
	c.nudgeFor(further)
	return nil
}

// begins tells whether a change is where a pager first hears of an incident.
func begins(k detect.ChangeKind) bool { return k == detect.Opened || k == detect.Warned }

// copied is what the fallback is told of a delivery, once: what begins an
// incident, and of one that it was rung for, all that follows.
func (c *Courier) copied(d *store.Delivery) []store.Delivery {
	if d.Copied || d.Fallback || d.Incident == "" {
		return nil
	}
	list := c.Routes.fallback(*d)
	if len(list) == 0 || !begins(d.Change) && d.State != store.Failed && !c.knows(list[0].Pager, d.Incident) {
		return nil
	}
	d.Copied = true
	return list
}

// knows tells whether a fallback was rung for an incident before.
func (c *Courier) knows(pager, incident string) bool {
	box, err := c.Store.Outbox(pager)
	if err == nil && slices.ContainsFunc(box, func(d store.Delivery) bool { return d.Incident == incident && d.Fallback }) {
		return true
	}
	return c.told(pager, incident)
}

// told tells whether a pager took a page of an incident before.
func (c *Courier) told(pager, incident string) bool {
	steps, err := c.Store.Timeline(incident)
	return err == nil && slices.ContainsFunc(steps, func(s store.Step) bool { return s.Pager == pager && s.Kind == "page-accepted" })
}

// overtake hands the fallback what waits behind a page that a pager does not
// take: the end of an incident must not wait for a pager that is down.
func (c *Courier) overtake(d store.Delivery) error {
	if c.Now().Sub(d.Due) < lateAfter {
		return nil
	}
	further := c.copied(&d)
	if len(further) == 0 {
		return nil
	}
	if err := c.Store.Settle(d, further...); err != nil {
		return err
	}
	c.nudgeFor(further)
	return nil
}

func (c *Courier) nudgeFor(further []store.Delivery) {
	if len(further) > 0 {
		c.Nudge()
	}
}

// fallbackAfter is how many failed tries (about a minute) make the courier
// ring the fallback as well.
const fallbackAfter = 6

func backOff(attempts int) time.Duration {
	d := lastTry
	if attempts < 10 {
		d = min(lastTry, firstTry<<(attempts-1))
	}
	return d - rand.N(d/4+1)
}

package worker

import (
	"context"
	"fmt"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
	"tocsin/store"
)

// reader is the detection goroutine's name in the store's marks.
const reader = "detector"

// batchSize is how many events of the log are folded in and recorded together.
const batchSize = 2000

// rebuild feeds the detector what the store holds up to its mark and drops the
// changes, since they were recorded when they first happened. The same events
// in the same order give the same incidents, so a restart is an ordinary day.
func (w *Worker) rebuild(ctx context.Context) error {
	began, now := time.Now(), w.opt.Now()
	d := detect.New(w.opt.Detect)
	mark, err := w.opt.Store.Mark(reader)
	if err != nil {
		return err
	}
	var seq store.SeqNo
	var n int
	var newest time.Time
	for seq < mark && ctx.Err() == nil {
		seq, err = w.opt.Store.Since(seq, min(batchSize, int(mark-seq)), func(e store.Event) error {
			for _, c := range w.apply(d, notAfter(e, now), nil) {
				if c.At.After(newest) {
					newest = c.At
				}
			}
			n++
			return nil
		})
		if err != nil {
			return err
		}
	}
	all, err := w.opt.Store.Incidents(time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	// What time alone had changed before the restart was recorded too.
	if last, err := w.lastChange(all); err != nil {
		return err
	} else if last.After(now) {
		d.Tick(now) // recorded while the clock was ahead
	} else if !last.IsZero() {
		d.Tick(last)
	}
	var open []detect.Incident
	for _, i := range all {
		if i.State != detect.Resolved {
			open = append(open, i)
		}
	}
	d.Adopt(open)
	d.Listening(now)
	w.detector, w.marked = d, mark
	w.opt.Log.Info("detector is ready", "events", n, "incidents_open", len(open), "took", time.Since(began).Round(time.Millisecond).String())
	return nil
}

// notAfter takes an event of the future for one of now: it was stored while the
// clock was ahead, or a sender's clock or a mail moved in from elsewhere says
// so. The detector would follow it there, and take what comes until then for
// history.
func notAfter(e store.Event, now time.Time) store.Event {
	if at := timeOf(e); at != nil && at.After(now) {
		*at = now
	}
	return e
}

func timeOf(e store.Event) *time.Time {
	switch {
	case e.Message != nil:
		return &e.Message.Received
	case e.Deployment != nil:
		return &e.Deployment.At
	case e.Decision != nil:
		return &e.Decision.At
	case e.Outcome != nil:
		return &e.Outcome.At
	case e.Trouble != nil:
		return &e.Trouble.At
	}
	return nil
}

// lastChange is the time of the newest change that was recorded.
func (w *Worker) lastChange(all []detect.Incident) (time.Time, error) {
	var last time.Time
	for n, i := range all {
		if n >= 50 && i.State == detect.Resolved {
			continue // newest first: an old resolved one has no newer change
		}
		steps, err := w.opt.Store.Timeline(i.ID)
		if err != nil {
			return last, err
		}
		for _, s := range steps {
			if s.Pager == "" && s.At.After(last) {
				last = s.At
			}
		}
	}
	return last, nil
}

// detection is the only goroutine that changes an incident.
func (w *Worker) detection(ctx context.Context) error {
	tick := time.NewTicker(w.opt.TickEvery)
	defer tick.Stop()
	for {
		if err := w.foldIn(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.nudge:
		case <-tick.C:
		}
	}
}

// foldIn gives the detector what is new in the log and then the time, and
// records what came of it.
func (w *Worker) foldIn(ctx context.Context) error {
	w.fold.Lock()
	defer w.fold.Unlock()
	now := w.opt.Now()
	if now.Before(w.ticked.Add(-clockJump)) {
		// The detector does not go back in time: to one that was told of
		// tomorrow, the mail of today is history.
		w.opt.Log.Warn("the clock went back: the detector begins anew", "by", w.ticked.Sub(now).Round(time.Second).String())
		if err := w.rebuild(ctx); err != nil {
			return err
		}
	}
	w.ticked = now
	for ctx.Err() == nil {
		var changes []detect.Change
		answers := map[store.SeqNo]answer{}
		from := w.marked
		next, err := w.opt.Store.Since(from, batchSize, func(e store.Event) error {
			changes = append(changes, w.apply(w.detector, notAfter(e, w.opt.Now()), answers)...)
			return nil
		})
		if err != nil {
			return fmt.Errorf("detector: %w", err)
		}
		last := next == from
		if last {
			changes = append(changes, w.detector.Tick(w.opt.Now())...)
		}
		if !last || len(changes) > 0 {
			if err := w.record(ctx, next, changes); err != nil {
				return err
			}
		}
		w.settleAnswers(next, answers)
		if last {
			return nil
		}
	}
	return ctx.Err()
}

// record stores changes with the pages that follow from them.
func (w *Worker) record(ctx context.Context, mark store.SeqNo, changes []detect.Change) error {
	var due []store.Delivery
	if w.opt.Deliveries != nil && len(changes) > 0 {
		due = w.opt.Deliveries(changes)
	}
	if err := w.keep(ctx, func() error { return w.opt.Store.Record(reader, mark, changes, due) }); err != nil {
		return fmt.Errorf("detector: %w", err)
	}
	w.mu.Lock()
	w.marked = mark
	w.mu.Unlock()
	for _, c := range changes {
		w.logChange(c)
	}
	if len(due) > 0 && w.opt.Nudge != nil {
		w.opt.Nudge()
	}
	w.publish()
	return nil
}

// keep repeats a write until there is room for it. The detector has folded the
// events in already: it cannot take them again. Meanwhile charts may ask it.
func (w *Worker) keep(ctx context.Context, write func() error) error {
	for tries := 1; ; tries++ {
		err := write()
		if !store.Full(err) {
			return err
		}
		if tries == 1 {
			w.opt.Log.Error("incidents cannot be stored, for want of room: it is tried again", "err", err)
		}
		w.fold.Unlock()
		more := sleep(ctx, min(time.Duration(tries)*time.Second, 15*time.Second))
		w.fold.Lock()
		if !more {
			return ctx.Err()
		}
	}
}

func (w *Worker) logChange(c detect.Change) {
	if c.Incident.ID == "" {
		w.opt.Log.Info("deployment stayed clean", "deployment", c.Deployment)
		return
	}
	attrs := []any{"incident", c.Incident.ID, "change", c.Kind, "level", c.Incident.Level, "category", c.Incident.Categories,
		"customers", c.Incident.Now.Customers}
	if s := c.Incident.Suspect; s != nil {
		attrs = append(attrs, "deployment", s.Deployment.Service+" "+s.Deployment.Version)
	}
	if c.Who != "" {
		attrs = append(attrs, "who", c.Who)
	}
	w.opt.Log.Info("incident changed", attrs...)
}

// apply folds one event of the log into a detector.
func (w *Worker) apply(d *detect.Detector, e store.Event, answers map[store.SeqNo]answer) []detect.Change {
	switch {
	case e.Message != nil:
		if c, ok := w.complaint(e.Message); ok {
			return d.Complaint(c)
		}
	case e.Deployment != nil:
		return d.Deployment(*e.Deployment)
	case e.Decision != nil:
		changes, err := d.Decide(*e.Decision)
		if answers != nil {
			a := answer{err: err}
			if len(changes) > 0 {
				a.incident = changes[len(changes)-1].Incident
			}
			answers[e.Seq] = a
		}
		return changes
	case e.Relabel != nil:
		return w.relabel(d, e.Relabel)
	case e.Gap != nil:
		return d.Gap(*e.Gap)
	case e.Outcome != nil:
		return d.Outcome(*e.Outcome)
	case e.Trouble != nil:
		return d.Trouble(*e.Trouble)
	}
	return nil
}

// complaint makes of a stored message what the detector counts; ok is false
// for mail that is none.
func (w *Worker) complaint(e *store.Entry) (detect.Complaint, bool) {
	if e.Automated != mailbox.Human || w.own(e.From.Addr) {
		return detect.Complaint{}, false
	}
	if e.Corrected == "" && !e.Verdict.Complaint {
		return detect.Complaint{}, false
	}
	if !w.rings(e.Category()) {
		return detect.Complaint{}, false
	}
	return detect.Complaint{
		At:              e.Received,
		Category:        e.Category(),
		Complainant:     e.Complainant(),
		Organisation:    e.Organisation(),
		MessageID:       e.ID,
		Print:           e.Print,
		FollowUp:        e.FollowUp,
		History:         e.History,
		Unauthenticated: e.Authenticated == mailbox.AuthFail,
		Streams:         e.Streams,
	}, true
}

// rings tells whether a category is counted as a complaint at all.
func (w *Worker) rings(category string) bool {
	c, ok := w.base.Taxonomy().Find(category)
	return !ok || c.Rings != classify.RingsNever
}

// relabel tells the detector of a correction.
func (w *Worker) relabel(d *detect.Detector, r *store.Relabel) []detect.Change {
	before, was := w.complaint(&r.Message)
	after := r.Message
	after.Corrected = r.To
	now, is := w.complaint(&after)
	if !was && !is {
		return nil
	}
	x := detect.Relabel{Complaint: before, At: r.At}
	if !was {
		x.Complaint = now
		x.Complaint.Category = ""
	}
	if is {
		x.To = now.Category
	}
	return d.Relabel(x)
}

// Kinds says what the detector must know of a taxonomy.
func Kinds(t classify.Taxonomy) []detect.Kind {
	var kinds []detect.Kind
	for _, c := range t {
		kinds = append(kinds, detect.Kind{
			Name:  c.Name,
			Group: c.Group,
			Page:  c.Rings == classify.RingsPage || c.Rings == classify.RingsHigh,
			High:  c.Rings == classify.RingsHigh,
		})
	}
	return kinds
}

package worker

import (
	"context"
	"fmt"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// Decide stores what a person decided and waits until it was folded in. The
// error says why a decision is not allowed in the incident's state.
func (w *Worker) Decide(ctx context.Context, d detect.Decision) (detect.Incident, error) {
	if d.At.IsZero() {
		d.At = w.opt.Now()
	}
	if _, ok, err := w.opt.Store.Incident(d.Incident); err != nil {
		return detect.Incident{}, err
	} else if !ok {
		return detect.Incident{}, fmt.Errorf("there is no incident %q", d.Incident)
	}
	// The waiter must be known before the detection goroutine can come to the
	// event, so the two are done under one lock.
	w.mu.Lock()
	seq, err := w.opt.Store.AddDecision(d)
	if err != nil {
		w.mu.Unlock()
		return detect.Incident{}, err
	}
	ch := make(chan answer, 1)
	w.waiting[seq] = ch
	w.mu.Unlock()
	w.poke()
	defer func() {
		w.mu.Lock()
		delete(w.waiting, seq)
		w.mu.Unlock()
	}()
	select {
	case a := <-ch:
		if a.err != nil {
			return detect.Incident{}, a.err
		}
		if a.incident.ID != "" {
			return a.incident, nil
		}
		i, _, err := w.opt.Store.Incident(d.Incident)
		return i, err
	case <-ctx.Done():
		return detect.Incident{}, ctx.Err()
	}
}

// settleAnswers wakes those whose decisions were folded in.
func (w *Worker) settleAnswers(mark store.SeqNo, answers map[store.SeqNo]answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for seq, ch := range w.waiting {
		if seq <= mark {
			ch <- answers[seq]
			delete(w.waiting, seq)
		}
	}
}

// Record says that an event was stored through another door (a deployment, an
// outcome, a trouble), so that it is folded in at once.
func (w *Worker) Recorded() { w.poke() }

// Correct stores that a message belongs to another category, lets the detector
// know, and teaches the classifier in the background.
func (w *Worker) Correct(ctx context.Context, message, category, who string) error {
	if category != "" {
		if _, ok := w.Model().Taxonomy().Find(category); !ok {
			return fmt.Errorf("there is no category %q", category)
		}
	}
	if _, err := w.opt.Store.Correct(message, category, who, w.opt.Now()); err != nil {
		return err
	}
	w.opt.Log.Info("message was sorted by hand", "message", message, "category", category, "who", who)
	w.poke()
	w.teach()
	w.publish()
	return nil
}

// Normal returns what is normal for a category ("" for all) over a span.
func (w *Worker) Normal(category string, from, to time.Time, step time.Duration) []detect.Band {
	w.fold.Lock()
	defer w.fold.Unlock()
	if w.detector == nil {
		return nil
	}
	return w.detector.Normal(category, from, to, step)
}

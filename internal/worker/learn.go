package worker

import (
	"context"
	"time"

	"tocsin/classify"
	"tocsin/store"
)

// settleTime lets a person make several corrections before the model is made
// anew once for all of them.
const settleTime = 2 * time.Second

// learning makes a new model whenever somebody corrected a category, and once
// at the start if there are corrections from before.
func (w *Worker) learning(ctx context.Context) error {
	w.learn(ctx)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.retrain:
		}
		if !sleep(ctx, settleTime) {
			return ctx.Err()
		}
		w.learn(ctx)
	}
}

// teach says that there is a new correction.
func (w *Worker) teach() {
	select {
	case w.retrain <- struct{}{}:
	default:
	}
}

func (w *Worker) learn(ctx context.Context) {
	var examples []classify.Example
	err := w.opt.Store.Corrections(func(e store.Entry) error {
		examples = append(examples, classify.Example{Subject: e.Subject, Text: e.Reply, Category: e.Corrected})
		return nil
	})
	if err != nil {
		w.opt.Log.Error("corrections could not be read", "err", err)
		return
	}
	if len(examples) == 0 {
		w.model.Store(w.base)
		w.learned(nil)
		return
	}
	began := time.Now()
	m, _, err := w.base.Learn(ctx, examples)
	if err != nil {
		if ctx.Err() == nil {
			w.learned(err)
			w.opt.Log.Warn("corrections were not learned: the model in force stays", "err", err, "corrections", len(examples))
		}
		return
	}
	w.model.Store(m)
	w.learned(nil)
	w.opt.Log.Info("corrections were learned", "corrections", len(examples), "took", time.Since(began).Round(time.Millisecond).String())
}

// learned keeps for the status page why corrections were not learned, nil if
// they were.
func (w *Worker) learned(err error) {
	why := ""
	if err != nil {
		why = err.Error()
	}
	w.mu.Lock()
	w.unlearned = why
	w.mu.Unlock()
	w.publish()
}

package digest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/store"
)

// UnnamedWatch warns of trouble without a category while it happens. It finds
// it in the store and writes it there as an event, from which the detector
// makes an incident, so that a restart finds the same. It warns and never
// pages: of what it looks for no rate is known, and the budget of false alarms
// is for the streams whose rates are.
type UnnamedWatch struct {
	Store    *store.Store
	Log      *slog.Logger
	Now      func() time.Time
	Every    time.Duration // in machine time; default 1 min
	Recorded func()        // wakes the detector
}

// The warning is of the last day's mail, from so many customers on.
const (
	unnamedKind   = "unnamed"
	unnamedSpan   = 24 * time.Hour
	leastUnnamed  = 5
	dismissedSpan = usualDays * 24 * time.Hour // for which a false alarm is believed
)

// Run looks until ctx ends. An error of the store is logged: the mail is worth
// more than this.
func (w *UnnamedWatch) Run(ctx context.Context) error {
	if w.Every <= 0 {
		w.Every = time.Minute
	}
	t := time.NewTicker(w.Every)
	defer t.Stop()
	var last store.SeqNo
	for {
		// Without anything new the day's mail only grows less.
		now, err := w.Store.Last()
		if err == nil && (now != last || w.Now().Minute() == 0) {
			last = now
			err = w.Look()
		}
		if err != nil {
			w.Log.Warn("mail without a category could not be looked at", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

// Look compares the groups of the last day with the warnings there are.
func (w *UnnamedWatch) Look() error {
	now := w.Now()
	_, groups, texts, err := groupUnnamed(w.Store, now.Add(-unnamedSpan), now)
	if err != nil {
		return err
	}
	known, err := w.Store.Incidents(now.Add(-dismissedSpan), time.Time{})
	if err != nil {
		return err
	}
	about := func(i *detect.Incident, g classify.Group) bool {
		n := 0
		for _, t := range g.Texts {
			if classify.Says(texts[t], i.Key) {
				n++
			}
		}
		return i.Kind == unnamedKind && 2*n >= len(g.Texts)
	}
	told := make([]bool, len(groups))
	for n := range known {
		i := &known[n]
		goesOn := false
		for k, g := range groups {
			if about(i, g) {
				goesOn = true
				told[k] = told[k] || i.State != detect.Resolved || i.FalseAlarm || now.Sub(i.ResolvedAt) < unnamedSpan
			}
		}
		if i.Kind == unnamedKind && i.State != detect.Resolved && !goesOn {
			if err := w.tell(detect.Trouble{Kind: unnamedKind, Key: i.Key, At: now, Over: true}); err != nil {
				return err
			}
		}
	}
	for k, g := range groups {
		if told[k] || len(g.Texts) < leastUnnamed {
			continue
		}
		u := Unnamed{Phrase: g.Phrase, Mails: len(g.Texts)}
		w.Log.Warn("trouble without a category", "phrase", g.Phrase, "customers", len(g.Texts))
		if err := w.tell(detect.Trouble{Kind: unnamedKind, Key: g.Key, At: now, Text: u.Line() + fmt.Sprintf(" in %d h, for which there is no category", int(unnamedSpan.Hours()))}); err != nil {
			return err
		}
	}
	return nil
}

func (w *UnnamedWatch) tell(t detect.Trouble) error {
	if _, err := w.Store.AddTrouble(t); err != nil {
		return err
	}
	if w.Recorded != nil {
		w.Recorded()
	}
	return nil
}

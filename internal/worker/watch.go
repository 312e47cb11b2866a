package worker

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"tocsin/detect"
)

// watch looks after Tocsin itself: whether it is blind, whether the disk fills,
// whether the clock jumps, and how long texts are kept.
func (w *Worker) watch(ctx context.Context) error {
	// In machine time, but never slower than a tenth of the span in which
	// blindness is to be noticed.
	every := min(15*time.Second, max(time.Second, w.opt.BlindAfter/20))
	t := time.NewTicker(every)
	defer t.Stop()
	var retained time.Time
	last, lastMachine := w.opt.Now(), time.Now()
	var lost missing
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		now, machine := w.opt.Now(), time.Now()
		w.clock(now, now.Round(0).Sub(last.Round(0)), machine.Sub(lastMachine), machine)
		last, lastMachine = now, machine
		w.blindness(now, machine)
		w.disk()
		if st, err := w.opt.Store.Stats(); err == nil {
			if n := lost.look(st.Missed, machine); n > 0 {
				w.opt.Log.Warn("mail was moved or deleted before it was read, and is in no folder that is read", "mails", n, "in_all", st.Missed)
			}
		}
		if w.opt.Retention > 0 && now.Sub(retained) > 24*time.Hour {
			retained = now
			n, err := w.opt.Store.Retain(ctx, now.Add(-w.opt.Retention))
			if err != nil && ctx.Err() == nil {
				w.opt.Log.Error("texts past their retention could not be removed", "err", err)
			} else if n > 0 {
				w.opt.Log.Info("texts past their retention were removed", "mails", n)
			}
		}
	}
}

// missing tells of mails that left a folder unread and were found in no other.
// What was moved is found a moment later, where its new folder is read.
type missing struct {
	told, last int64
	since      time.Time // since when it is last
}

// foundWithin is how long a mail that was moved may take to turn up: a folder
// that takes turns is looked at at each poll only.
const foundWithin = 2 * time.Minute

// look returns how many more are missing than were told of, once that number
// has been the same for a while.
func (m *missing) look(missed int64, machine time.Time) (more int64) {
	switch {
	case m.since.IsZero(): // as it was at the start
		m.told, m.last, m.since = missed, missed, machine
	case missed != m.last:
		m.last, m.since = missed, machine
	case machine.Sub(m.since) >= foundWithin:
		more, m.told = missed-m.told, missed
	}
	return max(0, more)
}

// How far a clock may move without being said, and how long it must be steady
// before the incident ends.
const (
	clockJump   = 2 * time.Minute
	clockSteady = 10 * time.Minute
)

// clock raises a trouble when the wall clock jumps: which hour is normal, when
// a mail came and when a page was due, all rest on it. The monotonic reading of
// the machine's time does not jump with it: the difference of the two is the
// jump.
func (w *Worker) clock(now time.Time, wall, monotonic time.Duration, machine time.Time) {
	if jump := wall - monotonic; !w.opt.Replay && jump.Abs() > clockJump {
		w.jumped = machine
		// Of the two times the earlier: one ahead would take the detector there.
		if jump > 0 {
			now = now.Add(-jump)
		}
		w.trouble(detect.Trouble{Kind: "clock", Key: "clock", At: now, Page: true,
			Text: fmt.Sprintf("the clock of this machine jumped by %v: times in pages and what is normal at this hour may be wrong", jump.Round(time.Second))})
	} else if !w.jumped.IsZero() && machine.Sub(w.jumped) > clockSteady {
		w.jumped = time.Time{}
		w.trouble(detect.Trouble{Kind: "clock", Key: "clock", At: now, Over: true})
	}
}

// resume takes up the troubles that were open when the process ended: what has
// mended meanwhile must end its incident.
func (w *Worker) resume() error {
	list, err := w.opt.Store.Incidents(time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	for _, i := range list {
		if i.State == detect.Resolved {
			continue
		}
		over := false
		switch i.Kind {
		case "disk":
			w.diskFull = true
		case "blind":
			over = true
			w.mu.Lock()
			for at, f := range w.folders {
				if at.account+"/"+at.folder == i.Key {
					f.Blind, f.ErrorSince, over = true, i.StartedAt, false
				}
			}
			w.mu.Unlock()
		case "clock", "pager": // the next jump or page will tell
			over = true
		}
		if over {
			w.trouble(detect.Trouble{Kind: i.Kind, Key: i.Key, At: w.opt.Now(), Over: true})
		}
	}
	return nil
}

// blindness raises a trouble for each folder that could not be read for too
// long, in machine time: a clock that jumps is no time in which nothing was read.
func (w *Worker) blindness(now, machine time.Time) {
	type blind struct {
		key, text string
	}
	var found []blind
	w.mu.Lock()
	for at, f := range w.folders {
		since := f.readAt
		if since.IsZero() {
			since = w.begun
		}
		if f.Blind || f.State == "catching up" || machine.Sub(since) < w.opt.BlindAfter {
			continue
		}
		f.Blind = true
		why := "it does not answer"
		if f.Error != "" {
			why = firstLine(f.Error)
		}
		found = append(found, blind{at.account + "/" + at.folder,
			fmt.Sprintf("Tocsin is blind: folder %s of mailbox %s was not read for %d min: %s", at.folder, at.account, int(machine.Sub(since).Minutes()), why)})
	}
	w.mu.Unlock()
	for _, b := range found {
		w.trouble(detect.Trouble{Kind: "blind", Key: b.key, At: now, Text: b.text, Page: true})
	}
}

// sighted ends a blindness and takes its span out of what is normal.
func (w *Worker) sighted(at place, from, to time.Time) {
	w.update(at, func(f *FolderStatus) { f.Blind = false })
	w.trouble(detect.Trouble{Kind: "blind", Key: at.account + "/" + at.folder, At: to, Over: true})
	if _, err := w.opt.Store.AddGap(detect.Gap{From: from, To: to}); err != nil {
		w.opt.Log.Error("gap could not be stored", "err", err)
	}
	w.poke()
}

// trouble stores a fault of Tocsin's own.
func (w *Worker) trouble(t detect.Trouble) {
	if !t.Over {
		w.opt.Log.Warn("trouble", "kind", t.Kind, "key", t.Key, "text", t.Text)
	}
	if _, err := w.opt.Store.AddTrouble(t); err != nil {
		w.opt.Log.Error("trouble could not be stored", "kind", t.Kind, "err", err)
		return
	}
	w.poke()
}

// disk raises a trouble while the data file's disk is nearly full.
func (w *Worker) disk() {
	s, err := w.opt.Store.Stats()
	if err != nil {
		return
	}
	free, ok := freeSpace(filepath.Dir(s.Path))
	if !ok {
		return
	}
	full := free < w.opt.MinDisk
	w.mu.Lock()
	was := w.diskFull
	w.diskFull = full
	w.mu.Unlock()
	if full == was {
		return
	}
	w.trouble(detect.Trouble{Kind: "disk", Key: "disk", At: w.opt.Now(), Page: true, Over: !full,
		Text: fmt.Sprintf("the disk with the data file has only %d MB left", free>>20)})
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

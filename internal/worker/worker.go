package worker

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/store"
)

// Options of a Worker. Store, Model and Log must be set.
type Options struct {
	Store   *store.Store
	Sources []Source
	Model   *classify.Model
	Detect  detect.Options
	Log     *slog.Logger
	Version string

	// Own are the team's own addresses, lower case: what they write is no
	// complaint.
	Own []string

	// Teach names the category of each folder where people's moving a mail to
	// is a correction.
	Teach map[Folder]string

	// Deliveries says which pages follow from changes; nil: none.
	Deliveries func([]detect.Change) []store.Delivery
	// Nudge wakes the courier after deliveries were stored.
	Nudge func()
	// Pagers reports how the pagers are doing.
	Pagers  func() []PagerStatus
	Metrics *Metrics // nil: none are kept

	// Now is the inbox's time; default time.Now. The demo replays a morning
	// by it. Deadlines and back-off use the machine's time.
	Now func() time.Time
	// Replay says that Now runs as it likes, so that a jump is no fault.
	Replay bool
	// TickEvery is how often, in machine time, the detector is told what time
	// it is; default 2 s. It changes no decision, only when one is noticed.
	TickEvery  time.Duration
	BlindAfter time.Duration // default 10 min
	Retention  time.Duration // of texts; 0: keep them
	MinDisk    int64         // bytes that should stay free beside the data file; default 200 MB
}

// Worker is the pipeline. Its exported methods are safe for concurrent use
// while Run runs.
type Worker struct {
	opt     Options
	model   atomic.Pointer[classify.Model]
	base    *classify.Model // without corrections
	started time.Time
	begun   time.Time // the same in machine time
	crashed bool      // the last process did not end by itself

	nudge   chan struct{} // something new in the log
	retrain chan struct{} // a correction was made

	mu       sync.Mutex
	folders  map[place]*FolderStatus
	subs     map[chan struct{}]struct{}
	waiting  map[store.SeqNo]chan answer
	marked   store.SeqNo // the log was folded in up to here
	detector *detect.Detector
	notice   string
	diskFull bool
	jumped   time.Time // when the clock did so last, in machine time

	unlearned string // why corrections were not learned

	// fold guards the detector: the detection goroutine changes it, charts ask it.
	fold   sync.Mutex
	ticked time.Time // the time it was told last; guarded by fold
}

type place struct{ account, folder string }

// Folder is a folder of a mailbox, by the mailbox's name in the configuration.
type Folder struct{ Mailbox, Name string }

// answer is what became of a decision.
type answer struct {
	incident detect.Incident
	err      error
}

// New returns a worker; nothing runs until Run.
func New(opt Options) *Worker {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.TickEvery <= 0 {
		opt.TickEvery = 2 * time.Second
	}
	if opt.BlindAfter <= 0 {
		opt.BlindAfter = 10 * time.Minute
	}
	if opt.MinDisk == 0 {
		opt.MinDisk = 200 << 20
	}
	w := &Worker{
		opt:     opt,
		base:    opt.Model,
		started: opt.Now(),
		begun:   time.Now(),
		nudge:   make(chan struct{}, 1),
		retrain: make(chan struct{}, 1),
		folders: map[place]*FolderStatus{},
		subs:    map[chan struct{}]struct{}{},
		waiting: map[store.SeqNo]chan answer{},
	}
	w.model.Store(opt.Model)
	for _, s := range opt.Sources {
		account, folder := s.Place()
		w.folders[place{account, folder}] = &FolderStatus{Mailbox: account, Folder: folder, State: "connecting"}
	}
	return w
}

// Run works until ctx ends or the store breaks. It rebuilds the detector from
// the store first. Every goroutine it starts has ended when it returns.
func (w *Worker) Run(ctx context.Context) error {
	var err error
	if w.crashed, err = w.opened(); err != nil {
		return err
	}
	if err := w.rebuild(ctx); err != nil {
		return err
	}
	if err := w.resume(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.detection(ctx) })
	g.Go(func() error { return w.watch(ctx) })
	g.Go(func() error { return w.learning(ctx) })
	for _, s := range w.opt.Sources {
		g.Go(func() error { return w.folder(ctx, s) })
	}
	if err = g.Wait(); errors.Is(err, context.Canceled) {
		err = nil
	}
	if err == nil {
		err = w.closed()
	}
	return err
}

// Poke says that there is something new in the log.
func (w *Worker) poke() {
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

// Subscribe returns a channel that is nudged whenever something changed that
// people look at, and a function to end it.
func (w *Worker) Subscribe() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	w.subs[ch] = struct{}{}
	w.mu.Unlock()
	return ch, func() {
		w.mu.Lock()
		delete(w.subs, ch)
		w.mu.Unlock()
	}
}

func (w *Worker) publish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.subs {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Status is how everything is doing.
func (w *Worker) Status() Status {
	s := Status{Version: w.opt.Version, Now: w.opt.Now(), Started: w.started}
	w.mu.Lock()
	for _, src := range w.opt.Sources {
		account, folder := src.Place()
		s.Folders = append(s.Folders, *w.folders[place{account, folder}])
	}
	s.Notice, s.Full, s.Unlearned = w.notice, w.diskFull, w.unlearned
	w.mu.Unlock()
	if w.opt.Pagers != nil {
		s.Pagers = w.opt.Pagers()
	}
	return s
}

// update changes a folder's status under the lock.
func (w *Worker) update(p place, f func(*FolderStatus)) {
	w.mu.Lock()
	f(w.folders[p])
	w.mu.Unlock()
}

// Model is the classifier in force, with what was learned from corrections.
func (w *Worker) Model() *classify.Model { return w.model.Load() }

// cores is how many mails are judged at a time.
func cores() int { return max(1, runtime.GOMAXPROCS(0)) }

// sleep waits in machine time and tells whether it was not cut short.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

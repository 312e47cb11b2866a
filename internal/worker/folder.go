package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/classify"
	"tocsin/mailbox"
	"tocsin/store"
)

// Back-off between tries of a folder that fails: doubled from the first to the
// last, each time shortened by up to half so that many folders do not come
// back together. A refused login is tried less often, seven times in the first
// ten minutes: servers lock accounts after about ten.
const (
	firstRetry   = time.Second
	lastRetry    = 2 * time.Minute
	refusedRetry = 15 * time.Second
	lastRefused  = 5 * time.Minute
)

// folder reads one folder until ctx ends: catch up, wait, catch up. Only a
// broken store ends it with an error.
func (w *Worker) folder(ctx context.Context, s Source) error {
	account, name := s.Place()
	at := place{account, name}
	log := w.opt.Log.With("mailbox", account, "folder", name)
	defer s.Close()
	care := w.careOf(s, at)
	tries, refused, mails, read := 0, false, 0, false
	started := time.Now()
	for ctx.Err() == nil {
		began := time.Now()
		n, err := w.catchUp(ctx, s, at, care)
		mails += n
		if err == nil {
			w.opt.Metrics.poll(time.Since(began))
			if !read {
				read = true
				log.Info("folder was read and is watched", "mails", mails, "took", time.Since(started).Round(time.Millisecond).String())
			}
			if tries > 0 {
				log.Info("folder is read again", "after_tries", tries)
			}
			tries = 0
			w.seen(at)
			err = s.Wait(ctx)
			if err == nil || ctx.Err() != nil {
				continue
			}
		}
		if ctx.Err() != nil {
			break
		}
		var broken storeError
		if errors.As(err, &broken) {
			return fmt.Errorf("mailbox %q: folder %q: %w", account, name, broken.error)
		}
		if isRefused := permanent(err); isRefused != refused { // another fault than before
			tries, refused = 0, isRefused
		}
		tries++
		w.failed(at, err)
		if tries == 1 {
			log.Warn("folder could not be read", "err", err)
		} else {
			log.Debug("folder could not be read", "err", err, "attempt", tries)
		}
		sleep(ctx, backOff(err, tries))
	}
	return nil
}

// permanent tells whether an error waits for a person.
func permanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

func backOff(err error, tries int) time.Duration {
	first, last := firstRetry, lastRetry
	if permanent(err) {
		first, last = refusedRetry, lastRefused
	}
	d := last
	if tries < 12 {
		d = min(last, first<<(tries-1))
	}
	return d - rand.N(d/2+1)
}

// storeError marks an error of the store, after which nothing can go on.
type storeError struct{ error }

func (e storeError) Unwrap() error { return e.error }

// notStored words an error of the store. Want of room ends by itself or by a
// person's hand: the cursor has not moved, and the mail is fetched again.
func notStored(err error) error {
	if store.Full(err) {
		return fmt.Errorf("mail cannot be stored, for want of room: %w", err)
	}
	return storeError{err}
}

// catchUp fetches and stores batches until nothing is left. While one batch is
// stored and another is judged, the next one is fetched, unless one mail at a
// time is to be in hand. It returns how many mails it took.
func (w *Worker) catchUp(ctx context.Context, s Source, at place, care *careful) (mails int, err error) {
	c, known, err := w.opt.Store.Cursor(at.account, at.folder)
	if err != nil {
		return 0, storeError{err}
	}
	if !known {
		c = mailbox.Cursor{Account: at.account, Folder: at.folder}
	}
	var p progress
	q := newQueue()
	defer func() {
		if e := q.wait(); e != nil {
			err = notStored(e)
		}
	}()
	for {
		b, err := s.Fetch(ctx, c)
		if err != nil {
			if e := care.failed(); e != nil {
				return mails, notStored(e)
			}
			return mails, err
		}
		if len(b.Messages) == 0 && len(b.Gone) == 0 && b.Next == c {
			return mails, nil
		}
		mails += len(b.Messages)
		if known && c.UIDValidity != b.Next.UIDValidity {
			if err := w.newAfter(&b.Next); err != nil {
				return mails, storeError{err}
			}
		}
		if b.Total > 0 {
			w.progress(at, b, &p)
		}
		before, first := c, !known
		judged := make(chan []store.Entry, 1)
		go func() { judged <- w.judge(b.Messages) }()
		if !q.add(func() error {
			defer w.poke()
			return w.append(b, <-judged, before, !first)
		}) {
			return mails, nil // for the queue's own error
		}
		if care.src != nil {
			err := q.wait()
			q = newQueue()
			if err == nil {
				err = care.done(b)
			}
			if err != nil {
				return mails, notStored(err)
			}
		}
		if ctx.Err() != nil {
			return mails, ctx.Err()
		}
		c, known = b.Next, true
	}
}

// queue does one thing after the other while the next is made ready; one more
// may wait in it. After the first error nothing is done any more.
type queue struct {
	jobs chan func() error
	done chan struct{}
	err  error // the first, once done is closed
}

func newQueue() *queue {
	q := &queue{jobs: make(chan func() error, 1), done: make(chan struct{})}
	go func() {
		defer close(q.done)
		for job := range q.jobs {
			if q.err = job(); q.err != nil {
				return
			}
		}
	}()
	return q
}

// add queues a job, and tells whether it may still be done.
func (q *queue) add(job func() error) bool {
	select {
	case q.jobs <- job:
		return true
	case <-q.done:
		return false
	}
}

// wait ends the queue once all its jobs are done, and returns the first error.
func (q *queue) wait() error {
	close(q.jobs)
	<-q.done
	return q.err
}

// append stores a batch as it was judged.
func (w *Worker) append(b mailbox.Batch, entries []store.Entry, before mailbox.Cursor, known bool) error {
	at := place{b.Next.Account, b.Next.Folder}
	for i := range entries {
		e := &entries[i]
		e.Filed = b.Filed
		e.Teaches = w.opt.Teach[Folder{at.account, at.folder}]
		e.History = isHistory(&e.Message, before, b.Next, known)
	}
	if n := b.Next.Left - before.Left; n > 0 {
		w.opt.Log.Debug("mail was moved or deleted before it was read", "mailbox", at.account, "folder", at.folder, "mails", n)
	}
	done, err := w.opt.Store.Append(entries, b.Next)
	if err != nil {
		return err
	}
	w.opt.Metrics.count(entries, done)
	if done.Taught > 0 {
		w.opt.Log.Info("mail was sorted by the folder it was moved to", "mailbox", at.account, "folder", at.folder, "mails", done.Taught)
		w.teach()
	}
	for reason, n := range done.Again {
		w.opt.Log.Debug("mail was known already", "mailbox", at.account, "folder", at.folder, "why", reason, "mails", n)
	}
	w.update(at, func(f *FolderStatus) {
		for i := range entries {
			if at := entries[i].Received; at.After(f.LastMail) {
				f.LastMail = at
			}
		}
	})
	return nil
}

// isHistory tells whether a mail was there before anybody wanted to be told of
// it: before the first start, or before a folder that had to be begun anew was
// last read.
func isHistory(m *mailbox.Message, before, next mailbox.Cursor, known bool) bool {
	switch {
	case !known || before.UIDValidity == 0:
		return true
	case before.UIDValidity != m.UIDValidity:
		return m.Received.Unix() <= next.NewAfter
	case m.UID > before.UID:
		return false
	}
	return before.NewAfter == 0 || m.Received.Unix() <= before.NewAfter
}

// newAfter notes how far a folder was read that must be begun anew. Other
// folders may have been read further, by the time that one poll takes; what is
// known is recognised anyhow.
func (w *Worker) newAfter(c *mailbox.Cursor) error {
	st, err := w.opt.Store.Stats()
	if err != nil || st.Newest.IsZero() {
		return err
	}
	c.NewAfter = st.Newest.Add(-time.Hour).Unix()
	return nil
}

// judge classifies mails, several at a time, in their order.
func (w *Worker) judge(ms []mailbox.Message) []store.Entry {
	model := w.Model()
	entries := make([]store.Entry, len(ms))
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(cores(), len(ms)) {
		wg.Go(func() {
			for i := range next {
				entries[i] = w.judgeOne(model, ms[i])
			}
		})
	}
	for i := range ms {
		next <- i
	}
	close(next)
	wg.Wait()
	return entries
}

// judgeOne is where a mail that breaks the classifier stops: it is kept, marked
// unreadable, and the queue goes on.
func (w *Worker) judgeOne(model *classify.Model, m mailbox.Message) (e store.Entry) {
	e.Message = m
	defer func() {
		if p := recover(); p != nil {
			w.opt.Log.Error("mail could not be judged", "mailbox", m.Account, "folder", m.Folder, "uid", m.UID, "err", fmt.Sprint(p))
			e.Verdict = classify.Verdict{Category: classify.Other}
			e.Problem = "could not be judged"
		}
	}()
	e.Verdict = model.Classify(classify.Text{Subject: m.Subject, Body: m.Reply, Automated: string(m.Automated)})
	e.Print = mailbox.Print(m.Reply)
	if w.own(m.From.Addr) {
		e.Verdict.Complaint = false
	}
	return e
}

// own tells whether an address is the team's.
func (w *Worker) own(addr string) bool {
	return slices.Contains(w.opt.Own, strings.ToLower(addr))
}

// progress of a first synchronisation, in machine time.
type progress struct {
	begun, told time.Time
	start       int
}

// progress shows how far a long read has come, and logs it now and then.
func (w *Worker) progress(at place, b mailbox.Batch, p *progress) {
	now := time.Now()
	if p.begun.IsZero() {
		p.begun, p.start = now, b.Done
	}
	var rate float64
	if d := now.Sub(p.begun).Seconds(); d > 0 {
		rate = float64(b.Done-p.start) / d
	}
	var remaining time.Duration
	w.update(at, func(f *FolderStatus) {
		f.State, f.Done, f.Total, f.Rate = "catching up", b.Done, b.Total, rate
		remaining = f.Remaining()
	})
	w.publish()
	if now.Sub(p.told) < 5*time.Second {
		return
	}
	p.told = now
	attrs := []any{"mailbox", at.account, "folder", at.folder, "done", b.Done, "total", b.Total, "per_second", int(rate)}
	if remaining > 0 {
		attrs = append(attrs, "remaining", remaining.String())
	}
	w.opt.Log.Info("reading history", attrs...)
}

// seen notes that a folder was read to its end.
func (w *Worker) seen(at place) {
	now := w.opt.Now()
	var gap time.Time
	w.update(at, func(f *FolderStatus) {
		switch {
		case f.Blind && f.readAt.IsZero():
			gap = f.ErrorSince
		case f.Blind:
			gap = now.Add(-time.Since(f.readAt))
		}
		f.State, f.LastRead, f.readAt, f.Error, f.ErrorSince = "watching", now, time.Now(), "", time.Time{}
		f.Done, f.Total, f.Rate = 0, 0, 0
	})
	if !gap.IsZero() {
		w.sighted(at, gap, now)
	}
	w.publish()
}

// failed notes that a folder cannot be read.
func (w *Worker) failed(at place, err error) {
	now := w.opt.Now()
	w.update(at, func(f *FolderStatus) {
		f.State, f.Error = "failing", err.Error()
		if f.ErrorSince.IsZero() {
			f.ErrorSince = now
		}
	})
	w.publish()
}

package worker

import (
	"encoding/json"
	"slices"

	"tocsin/mailbox"
)

// How a folder is read after a crash: the mail that was to blame, if one was, is
// among those of three batches, one of which was being stored and one judged
// while the next was fetched. They are read a few at a time. A few among which
// the process ends again are read one by one.
const (
	carefulFor = 1000
	carefulFew = 25
)

// carefulSource is a Source that can read mails so; mailbox/imapsync's Folder
// says what begin is for.
type carefulSource interface {
	Careful(begin func(uidValidity uint32, uids []uint32) (take, crashes int, err error))
}

// Values of the store that outlive a crash.
const (
	carefulBucket = "careful" // by folder: the mail in hand
	runBucket     = "run"
	runOpen       = "open" // set while a worker runs
)

// inHand is the few mails that were being read, and how often the process ended
// while one of them was read alone.
type inHand struct {
	UIDValidity uint32
	Few         []uint32
	One         uint32
	Times       int
}

// opened notes that a worker runs, and tells whether the last one did not end
// by itself: it was killed, or a mail crashed it.
func (w *Worker) opened() (crashed bool, err error) {
	v, err := w.opt.Store.Value(runBucket, runOpen)
	if err != nil {
		return false, err
	}
	return v != nil, w.opt.Store.SetValue(runBucket, runOpen, []byte{1})
}

// closed notes that the worker ended by itself.
func (w *Worker) closed() error { return w.opt.Store.SetValue(runBucket, runOpen, nil) }

// careful is the care taken of one folder after a crash.
type careful struct {
	w    *Worker
	src  carefulSource // nil: none is needed, or no longer
	key  string
	left int
}

// careOf makes a source read mails one by one if the last process crashed.
func (w *Worker) careOf(s Source, at place) *careful {
	c := &careful{w: w, key: at.account + "\x00" + at.folder, left: carefulFor}
	if src, ok := s.(carefulSource); ok && w.crashed {
		c.src = src
		src.Careful(c.begin)
	}
	return c
}

// begin writes down which mails are about to be read.
func (c *careful) begin(uidValidity uint32, uids []uint32) (take, crashes int, err error) {
	var h inHand
	v, err := c.w.opt.Store.Value(carefulBucket, c.key)
	if err != nil {
		return 0, 0, err
	}
	if v != nil && json.Unmarshal(v, &h) != nil {
		h = inHand{}
	}
	if h.UIDValidity == uidValidity && slices.Contains(h.Few, uids[0]) {
		if take = 1; h.One != uids[0] {
			h.One, h.Times = uids[0], 0
		}
		crashes = h.Times
		h.Times++
	} else {
		take = min(carefulFew, len(uids))
		h = inHand{UIDValidity: uidValidity, Few: uids[:take]}
	}
	if v, err = json.Marshal(h); err != nil {
		return 0, 0, err
	}
	return take, crashes, c.w.opt.Store.SetValue(carefulBucket, c.key, v)
}

// done counts what was stored; after three batches' worth the folder is read as
// usual again.
func (c *careful) done(b mailbox.Batch) error {
	if c.src == nil {
		return nil
	}
	if c.left -= len(b.Messages) + len(b.Gone); c.left > 0 {
		return nil // the mails in hand are behind the cursor now
	}
	c.src.Careful(nil)
	c.src = nil
	return c.forget()
}

// failed forgets the mail in hand when the process lives on.
func (c *careful) failed() error {
	if c.src == nil {
		return nil
	}
	return c.forget()
}

func (c *careful) forget() error { return c.w.opt.Store.SetValue(carefulBucket, c.key, nil) }

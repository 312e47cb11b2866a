package worker

import (
	"encoding/json"

	"tocsin/mailbox"
)

// carefulFor is how many mails of a folder are read one by one after a crash:
// as many as a batch can hold, so that the mail that was to blame, if one was,
// is among them.
const carefulFor = 500

// carefulSource is a Source that can read mails one by one; mailbox/imapsync's
// Folder says what begin is for.
type carefulSource interface {
	Careful(begin func(uidValidity, uid uint32) (crashes int, err error))
}

// Values of the store that outlive a crash.
const (
	carefulBucket = "careful" // by folder: the mail in hand
	runBucket     = "run"
	runOpen       = "open" // set while a worker runs
)

// inHand is the mail that was being read, and how often the process ended then.
type inHand struct {
	UIDValidity, UID uint32
	Times            int
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

// begin writes down which mail is about to be read. It returns how often the
// process ended while that mail was in hand.
func (c *careful) begin(uidValidity, uid uint32) (int, error) {
	h := inHand{}
	v, err := c.w.opt.Store.Value(carefulBucket, c.key)
	if err != nil {
		return 0, err
	}
	if v != nil && json.Unmarshal(v, &h) != nil {
		h = inHand{}
	}
	if h.UIDValidity != uidValidity || h.UID != uid {
		h = inHand{UIDValidity: uidValidity, UID: uid}
	}
	before := h.Times
	h.Times++
	if v, err = json.Marshal(h); err != nil {
		return 0, err
	}
	return before, c.w.opt.Store.SetValue(carefulBucket, c.key, v)
}

// done counts what was stored; after a batch's worth the folder is read as
// usual again.
func (c *careful) done(b mailbox.Batch) error {
	if c.src == nil {
		return nil
	}
	if c.left -= len(b.Messages) + len(b.Gone); c.left > 0 {
		return nil // the mail in hand is behind the cursor now
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

package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"tocsin/detect"
)

func logEvent(tx *bbolt.Tx, kind byte, payload []byte) (SeqNo, error) {
	b := tx.Bucket(bLog)
	n, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	return SeqNo(n), b.Put(key8(n), append([]byte{kind}, payload...))
}

func (s *Store) addEvent(kind byte, v any) (seq SeqNo, err error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		seq, err = logEvent(tx, kind, raw)
		return err
	})
	return seq, err
}

// AddDecision stores an event.
func (s *Store) AddDecision(d detect.Decision) (SeqNo, error) { return s.addEvent('d', d) }

// AddGap stores an event.
func (s *Store) AddGap(g detect.Gap) (SeqNo, error) { return s.addEvent('g', g) }

// AddTrouble stores an event.
func (s *Store) AddTrouble(t detect.Trouble) (SeqNo, error) { return s.addEvent('t', t) }

// AddOutcomes stores events, idempotent by service, action and minute.
func (s *Store) AddOutcomes(o []detect.Outcome) (seq SeqNo, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		for _, x := range o {
			x.At = x.At.Truncate(time.Minute)
			key := append(timeKey(x.At), short(x.Service+"\x00"+x.Action)...)
			if tx.Bucket(bOutcomes).Get(key) != nil {
				continue
			}
			if err := put(tx.Bucket(bOutcomes), key, x); err != nil {
				return err
			}
			raw, err := json.Marshal(x)
			if err != nil {
				return err
			}
			if seq, err = logEvent(tx, 'o', raw); err != nil {
				return err
			}
		}
		return nil
	})
	return seq, err
}

// Since calls f with the events after seq.
func (s *Store) Since(seq SeqNo, limit int, f func(Event) error) (SeqNo, error) {
	left := limit
	var events []Event
	for {
		n := 1000
		if limit > 0 {
			n = min(n, left)
		}
		clear(events)
		events = slices.Grow(events[:0], n)
		err := s.db.View(func(tx *bbolt.Tx) error {
			c, messages := tx.Bucket(bLog).Cursor(), newInOrder(tx.Bucket(bMessages))
			for k, v := c.Seek(key8(uint64(seq) + 1)); k != nil && len(events) < n; k, v = c.Next() {
				e, err := loadEvent(messages, SeqNo(binary.BigEndian.Uint64(k)), v)
				if err != nil {
					return err
				}
				events = append(events, e)
			}
			return nil
		})
		if err != nil {
			return seq, err
		}
		for _, e := range events {
			if err := f(e); err != nil {
				return seq, err
			}
			seq = e.Seq
		}
		left -= len(events)
		if len(events) < n || (limit > 0 && left <= 0) {
			return seq, nil
		}
	}
}

// inOrder looks up keys that are mostly asked for in their order, as the log
// does with the messages: then the next one is at hand, without a search from
// the root.
type inOrder struct {
	c          *bbolt.Cursor
	key, value []byte // where it stands; nil before the first and after the last
}

func newInOrder(b *bbolt.Bucket) *inOrder { return &inOrder{c: b.Cursor()} }

// get returns the value of a key; nil where there is none.
func (o *inOrder) get(key []byte) []byte {
	if o.key != nil && bytes.Compare(o.key, key) < 0 {
		o.key, o.value = o.c.Next()
	}
	if o.key == nil || !bytes.Equal(o.key, key) {
		o.key, o.value = o.c.Seek(key)
	}
	if !bytes.Equal(o.key, key) {
		return nil
	}
	return o.value
}

// Lately calls f with the newest events that are no messages, newest first,
// until it returns false. It looks at most at so many entries of the log.
func (s *Store) Lately(looked int, f func(Event) bool) error {
	var events []Event
	err := s.db.View(func(tx *bbolt.Tx) error {
		c, messages := tx.Bucket(bLog).Cursor(), newInOrder(tx.Bucket(bMessages))
		for k, v := c.Last(); k != nil && looked > 0; k, v = c.Prev() {
			looked--
			if len(v) > 0 && v[0] == 'm' {
				continue
			}
			e, err := loadEvent(messages, SeqNo(binary.BigEndian.Uint64(k)), v)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return nil
	})
	for _, e := range events {
		if err != nil || !f(e) {
			break
		}
	}
	return err
}

func loadEvent(messages *inOrder, seq SeqNo, v []byte) (e Event, err error) {
	e.Seq = seq
	if len(v) == 0 {
		return e, fmt.Errorf("log entry %d is empty", seq)
	}
	kind, payload := v[0], v[1:]
	into := func(p any) error { return json.Unmarshal(payload, p) }
	switch kind {
	case 'm':
		m, err := decodeHead(messages.get(payload), true)
		if err != nil {
			return e, err
		}
		m.Corrected = "" // as it was when it came: corrections follow in the log
		e.Message = &m
	case 'p':
		e.Deployment = new(detect.Deployment)
		err = into(e.Deployment)
	case 'd':
		e.Decision = new(detect.Decision)
		err = into(e.Decision)
	case 'g':
		e.Gap = new(detect.Gap)
		err = into(e.Gap)
	case 't':
		e.Trouble = new(detect.Trouble)
		err = into(e.Trouble)
	case 'o':
		e.Outcome = new(detect.Outcome)
		err = into(e.Outcome)
	case 'r':
		var r relabelRecord
		if err := into(&r); err != nil {
			return e, err
		}
		m, err := decodeHead(messages.get(r.Key), true)
		if err != nil {
			return e, err
		}
		m.Corrected = r.Old
		e.Relabel = &Relabel{Message: m, To: r.To, Who: r.Who, At: r.At}
	default:
		err = fmt.Errorf("log entry %d is of an unknown kind", seq)
	}
	return e, err
}

// Mark returns how far a reader has come.
func (s *Store) Mark(reader string) (m SeqNo, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if v := tx.Bucket(bMarks).Get([]byte(reader)); len(v) == 8 {
			m = SeqNo(binary.BigEndian.Uint64(v))
		}
		return nil
	})
	return
}

// Last returns the newest event's number.
func (s *Store) Last() (n SeqNo, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error { n = SeqNo(tx.Bucket(bLog).Sequence()); return nil })
	return
}

// Record stores what a reader made of events.
func (s *Store) Record(reader string, mark SeqNo, changes []detect.Change, deliveries []Delivery) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, c := range changes {
			if c.Incident.ID == "" {
				continue
			}
			if err := put(tx.Bucket(bIncidents), []byte(c.Incident.ID), c.Incident); err != nil {
				return err
			}
			step := Step{At: c.At, Kind: c.Kind, Who: c.Who, Note: c.Note, Deployment: c.Deployment, Reason: &c.Incident.Now}
			if err := addStep(tx, c.Incident.ID, step); err != nil {
				return err
			}
		}
		if err := enqueue(tx, deliveries); err != nil {
			return err
		}
		if v := tx.Bucket(bMarks).Get([]byte(reader)); len(v) == 8 && SeqNo(binary.BigEndian.Uint64(v)) > mark {
			return fmt.Errorf("mark of %s would go back from %d to %d: is a second tocsin at work?", reader, binary.BigEndian.Uint64(v), mark)
		}
		return tx.Bucket(bMarks).Put([]byte(reader), key8(uint64(mark)))
	})
}

func addStep(tx *bbolt.Tx, incident string, step Step) error {
	b := tx.Bucket(bTimeline)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	return put(b, append(append([]byte(incident), 0), key8(n)...), step)
}

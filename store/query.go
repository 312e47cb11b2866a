package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"tocsin/classify"
	"tocsin/detect"
)

// Incident returns one.
func (s *Store) Incident(id string) (i detect.Incident, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(bIncidents).Get([]byte(id))
		if id == "" || v == nil {
			return nil
		}
		ok = true
		return json.Unmarshal(v, &i)
	})
	return
}

// Incidents returns those that touched a span, newest first.
func (s *Store) Incidents(from, to time.Time) (list []detect.Incident, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bIncidents).ForEach(func(_, v []byte) error {
			var i detect.Incident
			if err := json.Unmarshal(v, &i); err != nil {
				return err
			}
			if (!to.IsZero() && !i.StartedAt.Before(to)) || (!from.IsZero() && !i.ResolvedAt.IsZero() && i.ResolvedAt.Before(from)) {
				return nil
			}
			list = append(list, i)
			return nil
		})
	})
	sort.SliceStable(list, func(a, b int) bool { return list[a].DetectedAt.After(list[b].DetectedAt) })
	return
}

// Timeline returns an incident's steps.
func (s *Store) Timeline(incident string) (steps []Step, err error) {
	prefix := append([]byte(incident), 0)
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bTimeline).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var st Step
			if err := json.Unmarshal(v, &st); err != nil {
				return err
			}
			steps = append(steps, st)
		}
		return nil
	})
	sort.SliceStable(steps, func(a, b int) bool { return steps[a].At.Before(steps[b].At) })
	return
}

func enqueue(tx *bbolt.Tx, ds []Delivery) error {
	b := tx.Bucket(bOutbox)
	for _, d := range ds {
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		d.ID, d.State = SeqNo(n), Pending
		if err := put(b, outboxKey(d), d); err != nil {
			return err
		}
	}
	return nil
}

func outboxKey(d Delivery) []byte {
	return append(append([]byte(d.Pager), 0), key8(uint64(d.ID))...)
}

// Enqueue adds deliveries.
func (s *Store) Enqueue(d ...Delivery) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return enqueue(tx, d) })
}

// Outbox returns the pending deliveries of a pager.
func (s *Store) Outbox(pager string) (list []Delivery, err error) {
	prefix := append([]byte(pager), 0)
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bOutbox).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var d Delivery
			if err := json.Unmarshal(v, &d); err != nil {
				return err
			}
			list = append(list, d)
		}
		return nil
	})
	return
}

// Deliveries returns the newest in any state.
func (s *Store) Deliveries(limit int) (list []Delivery, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bOutbox, bDone} {
			if err := tx.Bucket(name).ForEach(func(_, v []byte) error {
				var d Delivery
				if err := json.Unmarshal(v, &d); err != nil {
					return err
				}
				list = append(list, d)
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	sort.Slice(list, func(a, b int) bool { return list[a].ID > list[b].ID })
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return
}

// Settle stores the outcome of a try.
func (s *Store) Settle(d Delivery, further ...Delivery) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if d.State == Pending {
			if err := put(tx.Bucket(bOutbox), outboxKey(d), d); err != nil {
				return err
			}
		} else {
			if err := tx.Bucket(bOutbox).Delete(outboxKey(d)); err != nil {
				return err
			}
			if err := put(tx.Bucket(bDone), key8(uint64(d.ID)), d); err != nil {
				return err
			}
			if d.Incident != "" {
				kind := detect.ChangeKind("page-accepted")
				if d.State == Failed {
					kind = "page-failed"
				}
				if err := addStep(tx, d.Incident, Step{At: d.DoneAt, Kind: kind, Pager: d.Pager, Note: d.Error}); err != nil {
					return err
				}
			}
		}
		return enqueue(tx, further)
	})
}

// AddDeployment stores a deployment.
func (s *Store) AddDeployment(d detect.Deployment, packages []detect.Package) (seq SeqNo, added bool, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		seq, added = 0, false
		if tx.Bucket(bDeployIDs).Get(short(d.ID)) != nil {
			return nil
		}
		added = true
		key := append(timeKey(d.At), short(d.ID)[:8]...)
		if err := tx.Bucket(bDeployIDs).Put(short(d.ID), key); err != nil {
			return err
		}
		if err := put(tx.Bucket(bDeployments), key, d); err != nil {
			return err
		}
		if len(packages) > 0 {
			if err := put(tx.Bucket(bPackages), key, packages); err != nil {
				return err
			}
		}
		raw, err := json.Marshal(d)
		if err != nil {
			return err
		}
		seq, err = logEvent(tx, 'p', raw)
		return err
	})
	return
}

// Deployments returns those in a span, newest first.
func (s *Store) Deployments(from, to time.Time) (list []detect.Deployment, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		return span(tx.Bucket(bDeployments), from, to, func(_, v []byte) error {
			var d detect.Deployment
			list = append(list, d)
			return json.Unmarshal(v, &list[len(list)-1])
		})
	})
	slices.Reverse(list)
	return
}

// DeploymentsBefore calls f with those before a time, newest first, until it
// returns false.
func (s *Store) DeploymentsBefore(at time.Time, f func(detect.Deployment) bool) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bDeployments).Cursor()
		prev := c.Prev
		if k, _ := c.Seek(timeKey(at)); k == nil {
			prev = c.Last
		}
		for k, v := prev(); k != nil; k, v = c.Prev() {
			var d detect.Deployment
			if err := json.Unmarshal(v, &d); err != nil {
				return err
			}
			if !f(d) {
				return nil
			}
		}
		return nil
	})
}

// Deployment returns one.
func (s *Store) Deployment(id string) (d detect.Deployment, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		key := tx.Bucket(bDeployIDs).Get(short(id))
		if key == nil {
			return nil
		}
		ok = true
		return json.Unmarshal(tx.Bucket(bDeployments).Get(key), &d)
	})
	return
}

// Packages returns the newest packages before a time.
func (s *Store) Packages(service, environment string, before time.Time) (list []detect.Package, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bPackages).Cursor()
		prev := c.Prev
		if k, _ := c.Seek(timeKey(before)); k == nil {
			prev = c.Last
		}
		for k, v := prev(); k != nil; k, v = c.Prev() {
			var d detect.Deployment
			if err := json.Unmarshal(tx.Bucket(bDeployments).Get(k), &d); err != nil {
				return err
			}
			if d.Service == service && d.Environment == environment && !d.Failed {
				return json.Unmarshal(v, &list)
			}
		}
		return nil
	})
	return
}

// PackagesOf returns those that a deployment came with, none without a lockfile.
func (s *Store) PackagesOf(deployment string) (list []detect.Package, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		key := tx.Bucket(bDeployIDs).Get(short(deployment))
		if key == nil {
			return nil
		}
		if v := tx.Bucket(bPackages).Get(key); v != nil {
			return json.Unmarshal(v, &list)
		}
		return nil
	})
	return
}

// Outcomes returns those of a span.
func (s *Store) Outcomes(from, to time.Time) (list []detect.Outcome, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		return span(tx.Bucket(bOutcomes), from, to, func(_, v []byte) error {
			var o detect.Outcome
			err := json.Unmarshal(v, &o)
			list = append(list, o)
			return err
		})
	})
	return
}

// Counts returns the counts of a span.
func (s *Store) Counts(from, to time.Time) (list []Count, err error) {
	if !from.IsZero() {
		from = from.Truncate(time.Hour)
	}
	names := map[string]string{} // of a year's 100,000 counts nearly all say the same few
	err = s.db.View(func(tx *bbolt.Tx) error {
		return span(tx.Bucket(bCounts), from, to, func(k, v []byte) error {
			name, ok := names[string(k[8:])]
			if !ok {
				name = string(k[8:])
				names[name] = name
			}
			list = append(list, Count{At: keyTime(k[:8]), Category: name, Messages: int(binary.BigEndian.Uint64(v)), Complaints: int(binary.BigEndian.Uint64(v[8:]))})
			return nil
		})
	})
	return
}

// How many messages one call of Messages looks at before it gives back what it
// has: by their heads, and with their texts unpacked.
const (
	maxHeads = 60_000
	maxTexts = 3_000
)

// Messages returns the messages that match.
func (s *Store) Messages(q Query) (p Page, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Category, q.Sender, q.Words = strings.ToLower(q.Category), strings.ToLower(q.Sender), strings.ToLower(q.Words)
	err = s.db.View(func(tx *bbolt.Tx) error {
		k, v, step, err := q.start(tx.Bucket(bMessages).Cursor())
		if err != nil {
			return err
		}
		heads, texts := 0, 0
		for ; k != nil; k, v = step() {
			at := keyTime(k[:8])
			if !q.Oldest && !q.From.IsZero() && at.Before(q.From) || q.Oldest && !q.To.IsZero() && !at.Before(q.To) {
				return nil
			}
			heads++
			p.Reached = at
			// Most of a rare sender's mail is somebody else's: the beginning of
			// a head tells, at a fraction of the price.
			e, err := decodeHead(v, true)
			if err != nil {
				return err
			}
			ok := q.mayMatch(&e)
			if ok {
				if e, err = decodeHead(v, false); err != nil {
					return err
				}
				ok = q.matches(&e)
			}
			if ok && (q.Words != "" || !q.Heads) {
				texts++
				if e, err = loadEntry(tx, k, true); err != nil {
					return err
				}
				ok = q.Words == "" || strings.Contains(strings.ToLower(e.Subject+" "+e.Reply), q.Words)
				if q.Heads {
					e.Text, e.Reply = "", ""
				}
			}
			if ok {
				p.Entries = append(p.Entries, e)
			}
			if len(p.Entries) == q.Limit || heads == maxHeads || texts == maxTexts {
				p.Next = hex.EncodeToString(k)
				return nil
			}
		}
		return nil
	})
	return
}

// start is the first key of a query, and the way onward from it.
func (q *Query) start(c *bbolt.Cursor) (k, v []byte, step func() ([]byte, []byte), err error) {
	step = c.Prev
	if q.Oldest {
		step = c.Next
	}
	switch {
	case q.Before != "":
		key, err := hex.DecodeString(q.Before)
		if err != nil || len(key) < 8 {
			return nil, nil, nil, fmt.Errorf("%q is no place in a list of messages", q.Before)
		}
		k, v = c.Seek(key)
		if k == nil && !q.Oldest {
			k, v = c.Last()
			return k, v, step, nil
		}
		// The message may be gone: then k is already the next one.
		if q.Oldest && !bytes.Equal(k, key) {
			return k, v, step, nil
		}
		k, v = step()
	case q.Oldest && q.From.IsZero():
		k, v = c.First()
	case q.Oldest:
		k, v = c.Seek(timeKey(q.From))
	case q.To.IsZero():
		k, v = c.Last()
	default:
		if after, _ := c.Seek(timeKey(q.To)); after == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
	}
	return k, v, step, nil
}

// matches tells whether a message's head fits; words are looked for later.
func (q *Query) matches(e *Entry) bool {
	return q.mayMatch(e) && !(q.Unsorted && e.Category() != classify.Other && e.Verdict.Confidence > 0.4)
}

// mayMatch is what the beginning of a head tells of it.
func (q *Query) mayMatch(e *Entry) bool {
	switch {
	case q.Category != "" && e.Category() != q.Category,
		q.Sender != "" && !strings.Contains(strings.ToLower(e.From.Addr+" "+e.From.Name), q.Sender),
		q.Automated == "only" && e.Automated == "", q.Automated == "without" && e.Automated != "",
		q.Unsorted && (e.Automated != "" || e.Corrected != ""),
		q.Problem && e.Problem == "", q.Complaints && !e.Verdict.Complaint:
		return false
	}
	return true
}

// Arrivals returns the messages of a span, oldest first and at most limit of
// them: what a finer chart than one of Counts needs. It reads no text.
func (s *Store) Arrivals(from, to time.Time, limit int) (list []Arrival, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bMessages).Cursor()
		k, v := c.Seek(timeKey(from))
		for ; k != nil && len(list) < limit && keyTime(k[:8]).Before(to); k, v = c.Next() {
			e, err := decodeHead(v, true)
			if err != nil {
				return err
			}
			list = append(list, Arrival{At: e.Received, Category: e.Category(), Sender: e.Complainant(),
				Complaint: e.Automated == "" && e.Verdict.Complaint})
		}
		return nil
	})
	return
}

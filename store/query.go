package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"time"

	"go.etcd.io/bbolt"

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
		k, v := c.Seek(timeKey(before))
		if k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
		for ; k != nil; k, v = c.Prev() {
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
	err = s.db.View(func(tx *bbolt.Tx) error {
		return span(tx.Bucket(bCounts), from, to, func(k, v []byte) error {
			list = append(list, Count{At: keyTime(k[:8]), Category: string(k[8:]), Messages: int(binary.BigEndian.Uint64(v)), Complaints: int(binary.BigEndian.Uint64(v[8:]))})
			return nil
		})
	})
	return
}

// Messages returns the messages that match.
func (s *Store) Messages(q Query) (p Page, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bMessages).Cursor()
		step := c.Prev
		var k []byte
		if q.Oldest {
			step = c.Next
			k, _ = c.Seek(timeKey(q.From))
			if q.From.IsZero() {
				k, _ = c.First()
			}
		} else if q.To.IsZero() {
			k, _ = c.Last()
		} else if k, _ = c.Seek(timeKey(q.To)); k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		if q.Before != "" {
			c.Seek([]byte(q.Before))
			k, _ = step()
		}
		for ; k != nil; k, _ = step() {
			at := keyTime(k[:8])
			if !q.Oldest && !q.From.IsZero() && at.Before(q.From) || q.Oldest && !q.To.IsZero() && !at.Before(q.To) {
				return nil
			}
			e, err := loadEntry(tx, k, true)
			if err != nil {
				return err
			}
			if !q.matches(&e) {
				continue
			}
			p.Entries = append(p.Entries, e)
			if len(p.Entries) == q.Limit {
				p.Next = string(k)
				return nil
			}
		}
		return nil
	})
	return
}

func (q *Query) matches(e *Entry) bool {
	has := func(s, part string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(part)) }
	switch {
	case q.Category != "" && e.Category() != q.Category,
		q.Sender != "" && !has(e.From.Addr+" "+e.From.Name, q.Sender),
		q.Words != "" && !has(e.Subject+" "+e.Reply, q.Words),
		q.Automated == "only" && e.Automated == "", q.Automated == "without" && e.Automated != "",
		q.Unsorted && (e.Automated != "" || (e.Category() != "other" && e.Verdict.Confidence > 0.4)),
		q.Problem && e.Problem == "", q.Complaints && !e.Verdict.Complaint:
		return false
	}
	return true
}

package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// maintenanceBatch is how many messages one transaction of a long task
// touches, so that mail is stored in between.
const maintenanceBatch = 500

// Stats returns figures about the file.
func (s *Store) Stats() (st Stats, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		st.Path, st.Size = s.db.Path(), tx.Size()
		number := func(key []byte) int64 {
			if v := tx.Bucket(bMeta).Get(key); len(v) == 8 {
				return int64(binary.BigEndian.Uint64(v))
			}
			return 0
		}
		st.Messages = number(keyMessages)
		st.Again = map[Reason]int64{}
		for _, r := range []Reason{Renumbered, CameBack, OtherFolder, OtherMailbox, Imported} {
			if n := number(againKey(r)); n > 0 {
				st.Again[r] = n
			}
		}
		if err := absences(tx, &st); err != nil {
			return err
		}
		st.Events = int64(tx.Bucket(bLog).Sequence())
		if k, _ := tx.Bucket(bMessages).Cursor().First(); k != nil {
			st.Oldest = keyTime(k)
		}
		if k, _ := tx.Bucket(bMessages).Cursor().Last(); k != nil {
			st.Newest = keyTime(k)
		}
		st.Incidents = int64(tx.Bucket(bIncidents).Stats().KeyN)
		st.Deployments = int64(tx.Bucket(bDeployments).Stats().KeyN)
		return nil
	})
	free := s.db.Stats()
	st.Free = int64(free.FreePageN) * int64(s.page)
	return st, err
}

// Correct stores that a message belongs to another category, and moves its
// counts. To "" takes a correction back. An unknown message is ErrNoMessage.
func (s *Store) Correct(message, to, who string, at time.Time) (seq SeqNo, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		seq, _, err = correct(tx, message, to, who, at)
		return err
	})
	return seq, err
}

// correct tells also whether anything changed by it.
func correct(tx *bbolt.Tx, message, to, who string, at time.Time) (seq SeqNo, changed bool, err error) {
	key := bytes.Clone(tx.Bucket(bIDs).Get(short(message)))
	if key == nil {
		return 0, false, fmt.Errorf("%w %q", ErrNoMessage, message)
	}
	e, err := loadEntry(tx, key, false)
	if err != nil {
		return 0, false, err
	}
	if e.Corrected == to {
		return SeqNo(tx.Bucket(bLog).Sequence()), false, nil
	}
	raw, err := json.Marshal(relabelRecord{Key: key, Old: e.Corrected, To: to, Who: who, At: at})
	if err != nil {
		return 0, false, err
	}
	if err := count(tx, &e, -1); err != nil {
		return 0, false, err
	}
	e.Corrected = to
	if err := count(tx, &e, 1); err != nil {
		return 0, false, err
	}
	if err := tx.Bucket(bMessages).Put(key, encodeHead(&e)); err != nil {
		return 0, false, err
	}
	if to == "" {
		err = tx.Bucket(bCorrected).Delete(key)
	} else {
		err = tx.Bucket(bCorrected).Put(key, []byte(who))
	}
	if err != nil {
		return 0, false, err
	}
	seq, err = logEvent(tx, 'r', raw)
	return seq, err == nil, err
}

// ErrNoMessage is returned for an id that is not stored.
var ErrNoMessage = errors.New("there is no message")

// relabelRecord is a correction in the log.
type relabelRecord struct {
	Key     []byte
	Old, To string
	Who     string
	At      time.Time
}

// Corrections calls f with the messages that people sorted, oldest first, for
// training.
func (s *Store) Corrections(f func(Entry) error) error {
	var list []Entry
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bCorrected).ForEach(func(k, _ []byte) error {
			e, err := loadEntry(tx, k, true)
			list = append(list, e)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// Retain removes the texts of messages older than before; counts stay, and so
// do the texts of corrected messages, which the classifier learns from.
func (s *Store) Retain(ctx context.Context, before time.Time) (removed int, err error) {
	for ctx.Err() == nil {
		n := 0
		err := s.db.Update(func(tx *bbolt.Tx) error {
			n = 0
			c := tx.Bucket(bTexts).Cursor()
			end := timeKey(before)
			var keys [][]byte
			for k, _ := c.First(); k != nil && bytes.Compare(k[:8], end) < 0 && len(keys) < maintenanceBatch; k, _ = c.Next() {
				if tx.Bucket(bCorrected).Get(k) == nil {
					keys = append(keys, bytes.Clone(k))
				}
			}
			for _, k := range keys {
				if err := tx.Bucket(bTexts).Delete(k); err != nil {
					return err
				}
			}
			n = len(keys)
			return nil
		})
		removed += n
		if err != nil || n < maintenanceBatch {
			return removed, err
		}
	}
	return removed, ctx.Err()
}

// forgotten stands where a person's name was.
const forgotten = "forgotten"

// Forget removes a person: the texts of every message from or about an
// address, and the address and name in its record. It returns how many
// messages were touched. Deleted text is gone from the file only after
// Compact.
func (s *Store) Forget(ctx context.Context, address string) (touched int, err error) {
	address = strings.ToLower(strings.TrimSpace(address))
	if address == "" {
		return 0, errors.New("no address was given")
	}
	var after []byte
	for ctx.Err() == nil {
		n := 0
		err := s.db.Update(func(tx *bbolt.Tx) error {
			n = 0
			c := tx.Bucket(bMessages).Cursor()
			k, v := c.First()
			if after != nil {
				k, v = c.Seek(after)
			}
			var hits []Entry
			var keys [][]byte
			for ; k != nil && n < 4*maintenanceBatch; k, v = c.Next() {
				n++
				e, err := decodeHead(v, false)
				if err != nil {
					return err
				}
				if about(tx, k, &e, address) {
					keys, hits = append(keys, bytes.Clone(k)), append(hits, e)
				}
			}
			after = bytes.Clone(k)
			for i, key := range keys {
				if err := forgetOne(tx, key, &hits[i], address); err != nil {
					return err
				}
			}
			touched += len(keys)
			return nil
		})
		if err != nil || after == nil {
			return touched, err
		}
	}
	return touched, ctx.Err()
}

func about(tx *bbolt.Tx, key []byte, e *Entry, address string) bool {
	if strings.EqualFold(e.From.Addr, address) || strings.EqualFold(e.Via.Addr, address) || strings.EqualFold(e.FailedRecipient, address) {
		return true
	}
	full, err := loadEntry(tx, key, true)
	return err == nil && strings.Contains(strings.ToLower(full.Text+" "+full.Subject), address)
}

func forgetOne(tx *bbolt.Tx, key []byte, e *Entry, address string) error {
	if strings.EqualFold(e.From.Addr, address) {
		e.From.Name, e.From.Addr = "", forgotten
	}
	if strings.EqualFold(e.Via.Addr, address) {
		e.Via.Name, e.Via.Addr = "", forgotten
	}
	e.FailedRecipient, e.Subject, e.MessageID, e.InReplyTo, e.References, e.Attachments = "", forgotten, "", nil, nil, nil
	for i := range e.Verdict.Evidence {
		e.Verdict.Evidence[i].Phrase = forgotten
	}
	if err := tx.Bucket(bTexts).Delete(key); err != nil {
		return err
	}
	if err := tx.Bucket(bCorrected).Delete(key); err != nil {
		return err
	}
	return tx.Bucket(bMessages).Put(key, encodeHead(e))
}

// Compact rewrites the file at path without its free pages, in which deleted
// text could still be read. The store must not be open.
func Compact(ctx context.Context, path string) error {
	src, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	defer src.Close()
	tmp := path + ".compact"
	dst, err := bbolt.Open(tmp, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	err = bbolt.Compact(dst, src, 16<<20)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		os.Remove(tmp)
		return fmt.Errorf("compact %s: %w", path, err)
	}
	return os.Rename(tmp, path)
}

// Check verifies the file and the store's own invariants: every index leads to
// a record, every entry of the log can be read, the counts are those of the
// messages, every pending page belongs to something. It returns all that is
// wrong.
func (s *Store) Check(ctx context.Context) error {
	var errs []error
	add := func(format string, args ...any) {
		if len(errs) < 20 {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	err := s.db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			add("file: %w", err)
		}
		counted := map[string][2]uint64{}
		n := 0
		err := tx.Bucket(bMessages).ForEach(func(k, v []byte) error {
			n++
			e, err := decodeHead(v, false)
			if err != nil {
				add("message %x: %w", k, err)
				return ctx.Err()
			}
			if !bytes.Equal(tx.Bucket(bIDs).Get(short(e.ID)), k) {
				add("message %s is not in the index", e.ID)
			}
			key := string(countKey(&e))
			c := counted[key]
			c[0]++
			if complains(&e) {
				c[1]++
			}
			counted[key] = c
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		if v := tx.Bucket(bMeta).Get(keyMessages); len(v) == 8 && binary.BigEndian.Uint64(v) != uint64(n) {
			add("%d messages, but %d were counted", n, binary.BigEndian.Uint64(v))
		}
		err = tx.Bucket(bCounts).ForEach(func(k, v []byte) error {
			got := [2]uint64{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}
			if got != counted[string(k)] {
				add("count %s of %s is %v, want %v", k[8:], keyTime(k), got, counted[string(k)])
			}
			delete(counted, string(k))
			return nil
		})
		for k, c := range counted {
			add("count %s is missing: %v", k[8:], c)
		}
		if err != nil {
			return err
		}
		messages := newInOrder(tx.Bucket(bMessages))
		_ = tx.Bucket(bLog).ForEach(func(k, v []byte) error {
			if _, err := loadEvent(messages, SeqNo(binary.BigEndian.Uint64(k)), v); err != nil {
				add("log %d: %w", binary.BigEndian.Uint64(k), err)
			}
			return ctx.Err()
		})
		return tx.Bucket(bOutbox).ForEach(func(_, v []byte) error {
			var d Delivery
			if err := json.Unmarshal(v, &d); err != nil {
				add("outbox: %w", err)
			} else if d.Incident != "" && tx.Bucket(bIncidents).Get([]byte(d.Incident)) == nil {
				add("page %d belongs to no incident", d.ID)
			}
			return nil
		})
	})
	if err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

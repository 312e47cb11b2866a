package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"tocsin/mailbox"
)

func messageKey(e *Entry) []byte {
	sum := sha256.Sum256([]byte(e.ID))
	return append(timeKey(e.Received), sum[:8]...)
}

func short(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:16]
}

func cursorKey(account, folder string) []byte { return []byte(account + "\x00" + folder) }

// Cursor returns how far a folder was read.
func (s *Store) Cursor(account, folder string) (c mailbox.Cursor, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(bCursors).Get(cursorKey(account, folder))
		if v == nil {
			return nil
		}
		ok = true
		return json.Unmarshal(v, &c)
	})
	return
}

// Append stores a batch. The cursor's Found is counted here and not taken from
// next.
func (s *Store) Append(entries []Entry, next mailbox.Cursor) (a Appended, err error) {
	texts := make([][]byte, len(entries))
	for i := range entries {
		texts[i] = packTexts(entries[i].Text, entries[i].Reply)
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		a = Appended{IsNew: make([]bool, len(entries))}
		next, found := next, int64(0) // the function may run twice
		for i := range entries {
			e := entries[i]
			id := short(e.ID)
			if known := tx.Bucket(bIDs).Get(id); known != nil {
				a.Known++
				moved, err := s.again(tx, known, &e, &a)
				if err == nil && moved {
					err = s.taught(tx, &e, &a)
				}
				if err != nil {
					return err
				}
				continue
			}
			a.Stored++
			a.IsNew[i] = true
			if e.Filed && !e.History {
				found++
			}
			key := messageKey(&e)
			e.FollowUp = s.followUp(tx, &e)
			e.Text, e.Reply = "", ""
			if err := tx.Bucket(bMessages).Put(key, encodeHead(&e)); err != nil {
				return err
			}
			if err := tx.Bucket(bTexts).Put(key, texts[i]); err != nil {
				return err
			}
			if err := tx.Bucket(bIDs).Put(id, key); err != nil {
				return err
			}
			for _, thread := range threads(&e) {
				if err := tx.Bucket(bThreads).Put(short(thread), key); err != nil {
					return err
				}
			}
			if err := count(tx, &e, 1); err != nil {
				return err
			}
			if _, err := logEvent(tx, 'm', key); err != nil {
				return err
			}
			if err := s.taught(tx, &e, &a); err != nil {
				return err
			}
		}
		if err := bump(tx, keyMessages, a.Stored); err != nil {
			return err
		}
		if v := tx.Bucket(bCursors).Get(cursorKey(next.Account, next.Folder)); v != nil {
			var before mailbox.Cursor
			if err := json.Unmarshal(v, &before); err != nil {
				return err
			}
			next.Found = before.Found
		}
		next.Found += found
		return put(tx.Bucket(bCursors), cursorKey(next.Account, next.Folder), next)
	})
	return a, err
}

// threads are the names by which later mail finds a message's thread: its
// Message-ID, and its writer and subject.
func threads(e *Entry) (names []string) {
	if e.MessageID != "" {
		names = append(names, e.MessageID)
	}
	if name, _ := e.SubjectThread(); name != "" {
		names = append(names, name)
	}
	return names
}

// followUpWithin is how long after a mail another of its thread is one more
// word on the same matter.
const followUpWithin = 14 * 24 * time.Hour

// followUp tells whether a message goes on with what its writer wrote before:
// by the mails that it says it answers, else by an answer's subject.
func (s *Store) followUp(tx *bbolt.Tx, e *Entry) bool {
	names := append(append([]string{}, e.InReplyTo...), e.References...)
	if name, answer := e.SubjectThread(); answer && name != "" {
		names = append(names, name)
	}
	for _, name := range names {
		key := tx.Bucket(bThreads).Get(short(name))
		if key == nil || e.Received.Sub(keyTime(key)) > followUpWithin {
			continue
		}
		first, err := decodeHead(tx.Bucket(bMessages).Get(key), true)
		if err == nil && first.Complainant() == e.Complainant() {
			return true
		}
	}
	return false
}

// countKey is a message's hour and category.
func countKey(e *Entry) []byte {
	return append(timeKey(e.Received.Truncate(time.Hour)), e.Category()...)
}

// complains tells whether a message is counted as a complaint.
func complains(e *Entry) bool {
	return e.Automated == mailbox.Human && (e.Corrected != "" || e.Verdict.Complaint)
}

// count moves the count of a message's hour and category.
func count(tx *bbolt.Tx, e *Entry, by int) error {
	key, b := countKey(e), tx.Bucket(bCounts)
	var m, c uint64
	if v := b.Get(key); len(v) == 16 {
		m, c = binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])
	}
	m += uint64(by)
	if complains(e) {
		c += uint64(by)
	}
	if m == 0 {
		return b.Delete(key)
	}
	return b.Put(key, append(key8(m), key8(c)...))
}

// bump adds to a number in the file's head.
func bump(tx *bbolt.Tx, key []byte, n int) error {
	b := tx.Bucket(bMeta)
	var have uint64
	if v := b.Get(key); len(v) == 8 {
		have = binary.BigEndian.Uint64(v)
	}
	return b.Put(key, key8(have+uint64(n)))
}

func loadEntry(tx *bbolt.Tx, key []byte, withText bool) (e Entry, err error) {
	v := tx.Bucket(bMessages).Get(key)
	if v == nil {
		return e, fmt.Errorf("no message at %x", key)
	}
	if e, err = decodeHead(v, false); err != nil {
		return e, err
	}
	if !withText {
		return e, nil
	}
	v = tx.Bucket(bTexts).Get(key)
	e.TextGone = v == nil
	if v != nil {
		e.Text, e.Reply, err = unpackTexts(v)
	}
	return e, err
}

// Message returns one message whole.
func (s *Store) Message(id string) (e Entry, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		key := tx.Bucket(bIDs).Get(short(id))
		if key == nil {
			return nil
		}
		ok = true
		e, err = loadEntry(tx, key, true)
		return err
	})
	return
}

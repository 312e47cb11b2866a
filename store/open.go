// Package store remembers: one bbolt file with messages and their verdicts,
// counts by hour, deployments, decisions, incidents with their timeline, the
// outbox of pages, cursors and marks. No bbolt type leaves it.
//
// The file, one bucket a line; times are 8 bytes that sort (nanoseconds since
// 1970, sign bit turned), numbers 8 bytes big endian, short(x) the first 16
// bytes of SHA-256, so that no hostile string is ever a key:
//
//	meta            format, install (id of this installation), messages, "again " reason (numbers)
//	cursors         account 0 folder -> mailbox.Cursor (JSON)
//	messages        time received, 8 bytes of SHA-256 of the id -> head (codec.go: version, fields)
//	texts           the same key -> text and reply (texts.go, deflated); gone after their retention
//	ids             short(id) -> key of the message
//	threads         short(Message-ID), short(writer and subject) -> key of the message
//	again           key of the message, short(place) -> Place (JSON) where it was found again
//	counts          hour, category -> messages, complaints (two numbers)
//	corrected       key of a message that a person sorted -> who
//	log             number -> kind (1 byte) and key of a message, or the event (JSON)
//	marks           reader -> number of the last event it has dealt with
//	incidents       id -> detect.Incident (JSON)
//	timeline        incident 0 number -> Step (JSON)
//	deployments     time, 8 bytes of short(id) -> detect.Deployment (JSON)
//	deployment-ids  short(id) -> key of the deployment
//	packages        key of the deployment -> its packages (JSON)
//	outcomes        minute, short(service 0 action) -> detect.Outcome (JSON)
//	outbox          pager 0 number -> Delivery (JSON) that is still to be made
//	delivered       number -> Delivery (JSON) that is done
//	values          bucket 0 key -> bytes
//
// Written together, in one transaction: a batch of messages with its counts,
// its entries in the log and its cursor (Append); the incidents, timeline and
// pages that follow from events with the reader's mark (Record); the outcome of
// a page with the pages that follow from it (Settle). A crash at any instant
// loses nothing and repeats nothing a person sees.
//
// No transaction is open while a caller's function runs: an open reader stops
// the file from growing (etcd-io/bbolt issue 378).
package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

var (
	bMeta        = []byte("meta")
	bCursors     = []byte("cursors")
	bMessages    = []byte("messages")
	bTexts       = []byte("texts")
	bIDs         = []byte("ids")
	bThreads     = []byte("threads")
	bAgain       = []byte("again")
	bCounts      = []byte("counts")
	bLog         = []byte("log")
	bMarks       = []byte("marks")
	bIncidents   = []byte("incidents")
	bTimeline    = []byte("timeline")
	bDeployments = []byte("deployments")
	bDeployIDs   = []byte("deployment-ids")
	bPackages    = []byte("packages")
	bOutcomes    = []byte("outcomes")
	bOutbox      = []byte("outbox")
	bDone        = []byte("delivered")
	bValues      = []byte("values")
	bCorrected   = []byte("corrected")
)

var allBuckets = [][]byte{bMeta, bCursors, bMessages, bTexts, bIDs, bThreads, bCounts, bLog, bMarks, bIncidents, bTimeline,
	bDeployments, bDeployIDs, bPackages, bOutcomes, bOutbox, bDone, bValues, bCorrected, bAgain}

const format = 1

var (
	keyFormat   = []byte("format")
	keyInstall  = []byte("install")
	keyMessages = []byte("messages")
)

// fault is an error with advice.
type fault struct {
	text, advice string
	is           error
}

func (f *fault) Error() string  { return f.text }
func (f *fault) Advice() string { return f.advice }
func (f *fault) Unwrap() error  { return f.is }

// Sentinels.
var (
	ErrInUse       = errors.New("data file is in use")
	ErrNewerFormat = errors.New("data file is of a newer tocsin")
	ErrNotTocsin   = errors.New("not a tocsin data file")
)

// Full tells that a write failed for want of room, on the disk or within the
// size allowed. Nothing of it was written, what is stored can still be read,
// and the same write may be tried again once there is room.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, berrors.ErrMaxSizeReached)
}

// Store is safe for concurrent use.
type Store struct {
	db      *bbolt.DB
	opt     Options
	install string
	page    int // size of a page of the file
}

// Open opens or makes the file.
func Open(path string, opt Options) (s *Store, err error) {
	if opt.Timeout <= 0 {
		opt.Timeout = time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if !opt.ReadOnly {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("data file: %w", err)
		}
	}
	defer func(old bool) {
		debug.SetPanicOnFault(old)
		if p := recover(); p != nil {
			s, err = nil, &fault{fmt.Sprintf("%s is damaged: %v", path, p), "restore the last backup", ErrNotTocsin}
		}
	}(debug.SetPanicOnFault(true))
	if err := walk(path, opt.Timeout); err != nil {
		return nil, openError(path, err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: opt.Timeout, ReadOnly: opt.ReadOnly, NoFreelistSync: true,
		FreelistType: bbolt.FreelistMapType, MaxSize: int(opt.MaxSize)})
	if err != nil {
		return nil, openError(path, err)
	}
	// bbolt's Info reads what a growing file changes: here nobody else does.
	s = &Store{db: db, opt: opt, page: db.Info().PageSize}
	if err := s.prepare(path); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func openError(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return &fault{fmt.Sprintf("%s is held by another process", path), "if \"tocsin run\" is starting, wait for it; else find the holder with: fuser " + path, ErrInUse}
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return &fault{path + " is not a tocsin data file", "name another file in the key data", ErrNotTocsin}
	}
	return fmt.Errorf("data file %s: %w", path, err)
}

// walk visits every page of a file once. bbolt does so too when it opens a file
// for writing, to find the free ones, but in a goroutine of its own, where a
// damaged page ends the program: here Open can say it.
func walk(path string, timeout time.Duration) error {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil // a new one, or bbolt will say what is wrong
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: timeout, ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.Begin(false)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
		b.Stats()
		return nil
	})
}

func (s *Store) prepare(path string) error {
	check := func(tx *bbolt.Tx) (uint64, error) {
		b := tx.Bucket(bMeta)
		if b == nil {
			if k, _ := tx.Cursor().First(); k != nil {
				return 0, &fault{path + " is not a tocsin data file", "", ErrNotTocsin}
			}
			return 0, nil
		}
		v := b.Get(keyFormat)
		if len(v) != 8 {
			return 0, &fault{path + " is not a tocsin data file", "", ErrNotTocsin}
		}
		n := binary.BigEndian.Uint64(v)
		if n > format {
			return 0, &fault{fmt.Sprintf("%s was written by a newer tocsin (format %d, this one reads %d)", path, n, format), "run the newer tocsin, or restore a backup", ErrNewerFormat}
		}
		s.install = string(b.Get(keyInstall))
		return n, nil
	}
	var have uint64
	err := s.db.View(func(tx *bbolt.Tx) (err error) { have, err = check(tx); return })
	if err != nil || s.opt.ReadOnly {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		if have == 0 {
			var id [10]byte
			rand.Read(id[:])
			s.install = base32.StdEncoding.EncodeToString(id[:])
			if err := tx.Bucket(bMeta).Put(keyInstall, []byte(s.install)); err != nil {
				return err
			}
			return tx.Bucket(bMeta).Put(keyFormat, binary.BigEndian.AppendUint64(nil, format))
		}
		return nil
	})
}

// InstallID is unique for ever.
func (s *Store) InstallID() string { return s.install }

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

func put(b *bbolt.Bucket, key []byte, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, raw)
}

func key8(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func timeKey(t time.Time) []byte { return key8(uint64(t.UnixNano()) ^ 1<<63) }
func keyTime(k []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(k)^1<<63)).UTC()
}

// span calls f with keys of a time-ordered bucket in a span, oldest first.
func span(b *bbolt.Bucket, from, to time.Time, f func(k, v []byte) error) error {
	c := b.Cursor()
	k, v := c.First()
	if !from.IsZero() {
		k, v = c.Seek(timeKey(from))
	}
	end := timeKey(to)
	for ; k != nil; k, v = c.Next() {
		if !to.IsZero() && bytes.Compare(k[:8], end) >= 0 {
			return nil
		}
		if err := f(k, v); err != nil {
			return err
		}
	}
	return nil
}

// Value and SetValue keep small named values.
func (s *Store) Value(bucket, key string) (v []byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		v = bytes.Clone(tx.Bucket(bValues).Get([]byte(bucket + "\x00" + key)))
		return nil
	})
	return v, err
}

// SetValue stores a value; nil deletes.
func (s *Store) SetValue(bucket, key string, value []byte) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		k := []byte(bucket + "\x00" + key)
		if value == nil {
			return tx.Bucket(bValues).Delete(k)
		}
		return tx.Bucket(bValues).Put(k, value)
	})
}

// Backup writes a consistent copy.
func (s *Store) Backup(ctx context.Context, path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tocsin-backup-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = s.db.View(func(tx *bbolt.Tx) error { _, err := tx.WriteTo(f); return err })
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

package store

import (
	"bytes"
	"encoding/json"

	"go.etcd.io/bbolt"

	"tocsin/mailbox"
)

// mostPlaces is how many places of one mail are kept: a mail copied back and
// forth for years must not fill the file.
const mostPlaces = 20

// ImportAccount is the account of mails that came from files.
const ImportAccount = "import"

// again notes that a stored mail was found at another place, and why that is no
// second mail. The same place is noted once. It tells whether somebody moved or
// copied the mail there: a folder made again or renumbered says nothing.
func (s *Store) again(tx *bbolt.Tx, key []byte, e *Entry, a *Appended) (moved bool, err error) {
	first, err := decodeHead(tx.Bucket(bMessages).Get(key), false)
	if err != nil {
		return false, err
	}
	p := Place{Account: e.Account, Folder: e.Folder, UIDValidity: e.UIDValidity, UID: e.UID,
		Reason: reasonOf(&first.Message, &e.Message), At: s.opt.Now().UTC()}
	if a.Again == nil {
		a.Again = map[Reason]int{}
	}
	a.Again[p.Reason]++
	if p.Reason == ReadTwice {
		return false, nil
	}
	at, err := json.Marshal([]any{p.Account, p.Folder, p.UIDValidity, p.UID})
	if err != nil {
		return false, err
	}
	b := tx.Bucket(bAgain)
	k := append(bytes.Clone(key), short(string(at))...)
	moved = p.Reason != Renumbered
	n := placesOf(b, key, func(v []byte) error {
		var q Place
		if err := json.Unmarshal(v, &q); err != nil {
			return err
		}
		if q.Account == p.Account && q.Folder == p.Folder && q.UIDValidity != p.UIDValidity {
			moved = false
		}
		return nil
	})
	if b.Get(k) != nil || n >= mostPlaces {
		return false, nil
	}
	if err := bump(tx, againKey(p.Reason), 1); err != nil {
		return false, err
	}
	return moved, put(b, k, p)
}

// taught corrects a mail that was found in a folder named for a category.
func (s *Store) taught(tx *bbolt.Tx, e *Entry, a *Appended) error {
	if e.Teaches == "" {
		return nil
	}
	_, changed, err := correct(tx, e.ID, e.Teaches, "folder "+e.Folder, s.opt.Now())
	if changed {
		a.Taught++
	}
	return err
}

// reasonOf compares where a mail was first read with where it is now.
func reasonOf(first, now *mailbox.Message) Reason {
	switch {
	case first.Account == ImportAccount || now.Account == ImportAccount:
		return Imported
	case first.Account != now.Account:
		return OtherMailbox
	case first.Folder != now.Folder:
		return OtherFolder
	case first.UIDValidity != now.UIDValidity:
		return Renumbered
	case first.UID != now.UID:
		return CameBack
	}
	return ReadTwice
}

// placesOf calls f, unless nil, with the places of a message, and counts them.
func placesOf(b *bbolt.Bucket, key []byte, f func(v []byte) error) (n int) {
	if b == nil { // a file of an older tocsin, opened for reading
		return 0
	}
	c := b.Cursor()
	for k, v := c.Seek(key); k != nil && bytes.HasPrefix(k, key); k, v = c.Next() {
		if n++; f != nil && f(v) != nil {
			break
		}
	}
	return n
}

// againKey is where the mails of a reason are counted.
func againKey(r Reason) []byte { return append([]byte("again "), r...) }

// Places returns where else a message was found, and why it counts once.
func (s *Store) Places(id string) (list []Place, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		key := tx.Bucket(bIDs).Get(short(id))
		if key == nil {
			return nil
		}
		placesOf(tx.Bucket(bAgain), key, func(v []byte) error {
			var p Place
			if err = json.Unmarshal(v, &p); err == nil {
				list = append(list, p)
			}
			return err
		})
		return err
	})
	return list, err
}

// absences sums up over the folders of each mailbox what left them unread.
func absences(tx *bbolt.Tx, st *Stats) error {
	sums := map[string]mailbox.Cursor{}
	err := tx.Bucket(bCursors).ForEach(func(_, v []byte) error {
		var c mailbox.Cursor
		if err := json.Unmarshal(v, &c); err != nil {
			return err
		}
		sum := sums[c.Account]
		sum.Taken, sum.Left, sum.Found = sum.Taken+c.Taken, sum.Left+c.Left, sum.Found+c.Found
		sums[c.Account] = sum
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range sums {
		st.Found += c.Found
		if c.Left > c.Taken+100 { // nobody moves most mail before it is seen
			st.Gaps = true
			continue
		}
		st.Left += c.Left
		st.Missed += max(0, c.Left-c.Found)
	}
	return nil
}

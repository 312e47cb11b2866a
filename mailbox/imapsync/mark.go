package imapsync

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
)

// Marker is the one thing here that writes: it sets keywords on mails and
// copies them, for those who asked for it. It has a connection of its own, so
// that reading stays EXAMINE. One goroutine at a time uses it.
type Marker struct {
	acct     Account
	name     string
	s        *session
	validity uint32
}

// NewMarker makes a Marker for a folder; it connects at the first Mark.
func NewMarker(a Account, folder string) *Marker {
	return &Marker{acct: a.withDefaults(), name: folder}
}

// ErrMoved means that a mail cannot be marked any more: it was moved or
// deleted, or the folder's UIDVALIDITY changed.
var ErrMoved = errors.New("the mail is no longer there")

// Mark sets a keyword on a mail and copies it to a folder, each unless empty.
// The mail's other flags stay as they are.
func (m *Marker) Mark(ctx context.Context, uidValidity, uid uint32, keyword, copyTo string) error {
	if keyword == "" && copyTo == "" {
		return nil
	}
	if err := m.connect(ctx); err != nil {
		return err
	}
	if m.validity != uidValidity {
		return ErrMoved
	}
	err := m.mark(ctx, imap.UID(uid), keyword, copyTo)
	if err == nil || errors.Is(err, ErrMoved) {
		return err
	}
	if !isRefusal(err) {
		m.drop()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{Account: m.acct.Name, What: fmt.Sprintf("marking a mail in folder %q", m.name), Err: err, Final: isRefusal(err) && !isBusy(err),
		Cure: "the server must allow keywords (mark) and have the folder (copy_to), and the login must be allowed to write"}
}

func (m *Marker) connect(ctx context.Context) error {
	if m.s != nil {
		select {
		case <-m.s.client.Closed():
			m.drop()
		default:
			return nil
		}
	}
	s, err := dial(ctx, &m.acct)
	if err != nil {
		return err
	}
	var d *imap.SelectData
	err = s.do(ctx, smallAnswer, func() (err error) {
		d, err = s.client.Select(m.name, nil).Wait()
		return err
	})
	if err != nil {
		s.close()
		return orDone(ctx, m.acct.folderError(m.name, err, nil))
	}
	m.s, m.validity = s, d.UIDValidity
	return nil
}

func (m *Marker) mark(ctx context.Context, uid imap.UID, keyword, copyTo string) error {
	set := imap.UIDSetNum(uid)
	// A STORE or COPY of a UID that is gone succeeds without doing anything.
	there, err := m.s.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{set}})
	if err != nil {
		return err
	}
	if len(there) == 0 {
		return ErrMoved
	}
	if copyTo != "" {
		err := m.s.do(ctx, smallAnswer, func() error {
			_, err := m.s.client.Copy(set, copyTo).Wait()
			return err
		})
		if err != nil {
			return err
		}
	}
	if keyword == "" {
		return nil
	}
	return m.s.do(ctx, smallAnswer, func() error {
		return m.s.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.Flag(token(keyword, "tocsin"))}}, nil).Close()
	})
}

func (m *Marker) drop() {
	if m.s != nil {
		m.s.close()
		m.s = nil
	}
}

// Close ends the connection. The Marker can be used again.
func (m *Marker) Close() error {
	if m.s != nil {
		m.s.logout()
		m.s = nil
	}
	return nil
}

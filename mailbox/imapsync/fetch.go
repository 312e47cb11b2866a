package imapsync

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// answer is what one FETCH said of one mail.
type answer struct {
	uid       imap.UID
	size      int64
	hasSize   bool
	date      time.Time
	structure imap.BodyStructure
	sections  map[string][]byte // by sectionName; nil bytes for NIL
}

// merge takes over what another answer about the same mail brought: servers may
// split one over several responses.
func (a *answer) merge(b *answer) {
	if b.hasSize {
		a.size, a.hasSize = b.size, true
	}
	if !b.date.IsZero() {
		a.date = b.date
	}
	if b.structure != nil {
		a.structure = b.structure
	}
	for name, data := range b.sections {
		if a.sections == nil {
			a.sections = make(map[string][]byte)
		}
		if _, ok := a.sections[name]; !ok {
			a.sections[name] = data
		}
	}
}

// sectionName names a section as in BODY[…], without the range.
func sectionName(s *imap.FetchItemBodySection) string {
	if len(s.Part) == 0 {
		return string(s.Specifier)
	}
	var b strings.Builder
	for i, n := range s.Part {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.Itoa(n))
	}
	if s.Specifier != "" {
		b.WriteByte('.')
		b.WriteString(string(s.Specifier))
	}
	return b.String()
}

// section asks for part of a mail, the first n bytes of it (0: all), without
// marking it as read.
func section(part []int, spec imap.PartSpecifier, n int64) *imap.FetchItemBodySection {
	s := &imap.FetchItemBodySection{Part: part, Specifier: spec, Peek: true}
	if n > 0 {
		s.Partial = &imap.SectionPartial{Size: n}
	}
	return s
}

// fetch runs one FETCH and hands over each answer as it has come in full. There
// is only ever one at a time: several hang this client.
func (s *session) fetch(ctx context.Context, set imap.NumSet, opt *imap.FetchOptions, n int64, each func(*answer)) error {
	s.strays.reset()
	return s.do(ctx, n, func() error {
		cmd := s.client.Fetch(set, opt)
		if err := collect(cmd, each); err != nil {
			// Close would read the failed literal again, at the same time as
			// the client's own goroutine. That one ends with the connection.
			s.guard.Close()
			<-s.client.Closed()
			return err
		}
		return cmd.Close()
	})
}

func collect(cmd *imapclient.FetchCommand, each func(*answer)) error {
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		a, err := readAnswer(m)
		if err != nil {
			return err
		}
		each(a)
	}
	return nil
}

// readAnswer reads one FETCH response.
func readAnswer(m *imapclient.FetchMessageData) (*answer, error) {
	a := &answer{}
	for item := m.Next(); item != nil; item = m.Next() {
		switch v := item.(type) {
		case imapclient.FetchItemDataUID:
			a.uid = v.UID
		case imapclient.FetchItemDataRFC822Size:
			a.size, a.hasSize = v.Size, true
		case imapclient.FetchItemDataInternalDate:
			a.date = v.Time
		case imapclient.FetchItemDataBodyStructure:
			a.structure = v.BodyStructure
		case imapclient.FetchItemDataBodySection:
			data, err := readLiteral(v.Literal)
			if err != nil {
				return nil, err
			}
			if a.sections == nil {
				a.sections = make(map[string][]byte, 1)
			}
			a.sections[sectionName(v.Section)] = data
		}
	}
	return a, nil
}

// readLiteral reads a literal whole. A connection cut inside one ends it short
// and without an error, which only its announced size betrays. After an error
// the literal must not be read again: the client goes on then.
func readLiteral(r imap.LiteralReader) ([]byte, error) {
	if r == nil {
		return nil, nil // NIL
	}
	if r.Size() > maxLiteral {
		io.Copy(io.Discard, r) // until the guard ends it
		return nil, errTooMuch
	}
	data := make([]byte, r.Size())
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, errShort
	}
	// The client waits until the reader has seen the end.
	if n, _ := r.Read(make([]byte, 1)); n != 0 {
		return nil, errShort
	}
	return data, nil
}

// strays collects FETCH responses that the client could not connect with the
// command they answer: those with the UID after the body, and the second half
// of an answer split in two. Without this the client drops them, with no error.
type strays struct {
	mu   sync.Mutex
	got  []*answer
	size int64
	more chan struct{}
}

// take runs in a goroutine of the client, which waits for the literals to be
// read but not for take to return.
func (s *strays) take(m *imapclient.FetchMessageData) {
	a, err := readAnswer(m)
	if err != nil || a.uid == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, data := range a.sections {
		s.size += int64(len(data))
	}
	if s.size > maxAnswer || len(s.got) >= 1000 {
		return
	}
	s.got = append(s.got, a)
	if s.more != nil {
		close(s.more)
		s.more = nil
	}
}

func (s *strays) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.size = nil, 0
}

// merge adds to a what strayed of the same mail until it is complete, waiting a
// moment for a stray that is still being read.
func (s *strays) merge(a *answer, complete func() bool) {
	t := time.NewTimer(200 * time.Millisecond)
	defer t.Stop()
	for next := 0; !complete(); {
		s.mu.Lock()
		for ; next < len(s.got); next++ {
			if s.got[next].uid == a.uid {
				a.merge(s.got[next])
			}
		}
		if complete() {
			s.mu.Unlock()
			return
		}
		if s.more == nil {
			s.more = make(chan struct{})
		}
		more := s.more
		s.mu.Unlock()
		select {
		case <-more:
		case <-t.C:
			return
		}
	}
}

// isRefusal tells a server's NO or BAD, after which the connection is as good
// as before.
func isRefusal(err error) bool {
	var no *imap.Error
	return errors.As(err, &no)
}

// isBusy tells a refusal that says nothing about the mail asked for.
func isBusy(err error) bool {
	var no *imap.Error
	if !errors.As(err, &no) {
		return false
	}
	switch no.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit,
		imap.ResponseCodeAuthorizationFailed, imap.ResponseCodeExpired, imap.ResponseCodeNoPerm:
		return true
	}
	return false
}

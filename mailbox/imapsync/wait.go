package imapsync

import (
	"context"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
)

// pollQuickly asks for news often, and returns at the latest when it is time to
// look properly.
func (f *Folder) pollQuickly(ctx context.Context) error {
	for end := time.Now().Add(max(f.acct.Poll, f.acct.Quick)); time.Now().Before(end) && ctx.Err() == nil; {
		f.s.sleep(ctx, f.acct.Quick)
		if err := f.s.noop(ctx); err != nil {
			return err
		}
		if len(f.s.news) > 0 {
			return nil
		}
	}
	return ctx.Err()
}

// canIdle tells whether the server tells of new mail by itself.
func (f *Folder) canIdle() bool {
	return !f.acct.NoIdle && !f.noIdle && (f.s.caps.Has(imap.CapIdle) || f.s.caps.Has(imap.CapIMAP4rev2))
}

// Wait returns nil when there may be new mail: the server said so, or it is
// time to look. It returns an error when the connection broke.
func (f *Folder) Wait(ctx context.Context) error {
	if f.s == nil {
		return nil
	}
	select {
	case <-f.s.news:
		return nil
	default:
	}
	var err error
	switch {
	case f.turns != nil:
		f.Close()
		t := time.NewTimer(f.acct.Poll)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		return ctx.Err()
	case f.acct.Quick > 0:
		err = f.pollQuickly(ctx)
	case f.canIdle():
		err = f.s.idle(ctx, min(f.acct.Poll, f.acct.IdleRestart))
		if isRefusal(err) {
			f.noIdle, err = true, nil // offered and not kept: from now on polls do
		}
	default:
		f.s.sleep(ctx, f.acct.Poll)
		select {
		case <-f.s.client.Closed():
			err = f.s.because(errGone)
		default:
		}
	}
	if ctx.Err() != nil {
		f.drop()
		return ctx.Err()
	}
	if err != nil {
		f.drop()
		return f.wrap(fmt.Errorf("while waiting for new mail: %w", err))
	}
	return nil
}

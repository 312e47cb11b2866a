package worker

import (
	"context"

	"tocsin/mailbox"
)

// Source is where mail comes from: a folder on an IMAP server, or a test's
// slice of batches. One goroutine at a time uses it.
type Source interface {
	// Place names the mailbox and the folder.
	Place() (account, folder string)
	// Fetch returns the next bounded batch after the cursor, and an empty one
	// with an unchanged cursor when all was read.
	// What was there before the first start comes with the first batch, or
	// later under a UID not above the cursor's: it is history and never rings.
	Fetch(ctx context.Context, c mailbox.Cursor) (mailbox.Batch, error)
	// Wait returns nil when there may be something new, and an error when the
	// connection is gone.
	Wait(ctx context.Context) error
	// Close ends the connection.
	Close() error
}

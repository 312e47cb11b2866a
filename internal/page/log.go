package page

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Log writes pages as lines, for a start without a pager and for the demo.
type Log struct {
	W  io.Writer
	mu sync.Mutex
}

// Page implements Pager.
func (l *Log) Page(_ context.Context, p Page) error {
	p = p.bounded()
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintf(l.W, "%s PAGE %s: %s [%s]\n", p.Due.UTC().Format(time.RFC3339), p.Headline, printable(p.Sentence), p.Incident.ID)
	return err
}

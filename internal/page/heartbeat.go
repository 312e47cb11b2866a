package page

import (
	"context"
	"log/slog"
	"time"
)

// Heartbeat calls a URL while all is well, so that somebody else notices when
// it is not (a dead man's switch).
type Heartbeat struct {
	URL     string
	Every   time.Duration
	Healthy func() bool
	Log     *slog.Logger
}

// Run calls until ctx ends.
func (h *Heartbeat) Run(ctx context.Context) error {
	t := time.NewTicker(h.Every)
	defer t.Stop()
	failing := false
	for {
		if h.Healthy() {
			err := post(ctx, h.URL, map[string]string{"status": "ok"}, nil)
			if err != nil && !failing && ctx.Err() == nil {
				h.Log.Warn("heartbeat was not taken", "err", err)
			}
			failing = err != nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

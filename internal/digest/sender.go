package digest

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"tocsin/internal/page"
)

// Sender mails each week's digest once.
type Sender struct {
	Options  Options
	Schedule Schedule
	To       []string
	Send     func(context.Context, page.Letter) error
	Log      *slog.Logger
}

// What the store remembers of the digest.
const (
	valueBucket = "digest"
	valueKey    = "sent"
)

// sent is the last scheduled instant that was dealt with.
type sent struct {
	At time.Time `json:"at"`
}

// Back-off between tries to send, in machine time.
const (
	firstTry = time.Minute
	lastTry  = time.Hour
	// Beyond this a week's digest is no news: it is left out.
	tooLate = 6 * 24 * time.Hour
	lookFor = time.Minute
)

// Run sends the digest of the week past at each scheduled time, once: after an
// outage over the scheduled hour it is sent late, and after a crash between
// sending and remembering it is sent again under the same Message-ID, so that
// mail clients show it once. Before the first scheduled time after the first
// start nothing is sent.
func (s *Sender) Run(ctx context.Context) error {
	wait := lookFor
	for {
		err := s.look(ctx)
		switch {
		case err == nil:
			wait = lookFor
		case ctx.Err() != nil:
			return nil
		default:
			wait = min(lastTry, max(firstTry, 2*wait))
			s.Log.Error("the digest could not be sent", "err", err, "again_in", wait.String())
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// look sends what is due.
func (s *Sender) look(ctx context.Context) error {
	now := s.Options.Now()
	due := s.Schedule.Last(now)
	last, known, err := s.last()
	if err != nil {
		return err
	}
	switch {
	case !known, due.Sub(last) > 0 && now.Sub(due) > tooLate,
		last.Sub(now) > tooLate: // remembered by a clock that was wrong: it would silence the digest until then
		return s.remember(due)
	case !due.After(last):
		return nil
	}
	w := WeekOf(WeekOf(due, s.Options.WeekStart, s.Options.Location).From.AddDate(0, 0, -3), s.Options.WeekStart, s.Options.Location)
	if err := s.SendWeek(ctx, w); err != nil {
		return err
	}
	s.Log.Info("the digest was sent", "week", w.String(), "recipients", len(s.To))
	return s.remember(due)
}

// SendWeek sends one week's digest now.
func (s *Sender) SendWeek(ctx context.Context, w Week) error {
	d, err := Build(ctx, s.Options, w)
	if err != nil {
		return err
	}
	return s.Send(ctx, page.Letter{To: s.To, Subject: d.Subject(), Text: d.Text(), HTML: d.HTML(),
		MessageID: "digest." + w.String() + "." + s.Options.Store.InstallID() + "@tocsin"})
}

func (s *Sender) last() (time.Time, bool, error) {
	raw, err := s.Options.Store.Value(valueBucket, valueKey)
	if err != nil || raw == nil {
		return time.Time{}, false, err
	}
	var v sent
	if err := json.Unmarshal(raw, &v); err != nil {
		return time.Time{}, false, err
	}
	return v.At, true, nil
}

func (s *Sender) remember(at time.Time) error {
	raw, err := json.Marshal(sent{at})
	if err != nil {
		return err
	}
	return s.Options.Store.SetValue(valueBucket, valueKey, raw)
}

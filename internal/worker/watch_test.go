package worker

import (
	"testing"
	"time"
)

// A mail that an agent moved before it was read is said to be missing only when
// it turned up nowhere else, and then once.
func TestOnlyMailThatTurnsUpNowhereIsSaidToBeMissing(t *testing.T) {
	var m missing
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		after  time.Duration
		missed int64
		want   int64
	}{
		{0, 5, 0}, // known before the start
		{15 * time.Second, 8, 0},
		{30 * time.Second, 5, 0}, // found where they were moved to
		{3 * time.Minute, 5, 0},
		{4 * time.Minute, 7, 0},
		{5 * time.Minute, 7, 0},
		{6 * time.Minute, 7, 2},
		{7 * time.Minute, 7, 0},
		{8 * time.Minute, 6, 0}, // one came back late
		{11 * time.Minute, 6, 0},
		{12 * time.Minute, 7, 0},
		{14 * time.Minute, 7, 1},
	} {
		if got := m.look(step.missed, start.Add(step.after)); got != step.want {
			t.Errorf("after %v, with %d missing: told of %d, want %d", step.after, step.missed, got, step.want)
		}
	}
}

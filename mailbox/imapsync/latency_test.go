package imapsync

import (
	"os"
	"slices"
	"testing"
	"time"

	"tocsin/internal/imaptest"
)

// TestLatency measures the time from a delivery to the mail in hand. It is a
// measurement and not a test: TOCSIN_MEASURE=1 go test -run Latency -v.
func TestLatency(t *testing.T) {
	if os.Getenv("TOCSIN_MEASURE") == "" {
		t.Skip("a measurement: set TOCSIN_MEASURE=1")
	}
	for name, quick := range map[string]time.Duration{"IDLE": -1, "as on loopback": 0} {
		t.Run(name, func(t *testing.T) { measureLatency(t, quick) })
	}
}

func measureLatency(t *testing.T, quick time.Duration) {
	d := imaptest.StartDovecot(t)
	a := account(d)
	a.Poll, a.Quick = time.Hour, quick
	r := newReader(t, a, "INBOX")
	r.all()
	var took []time.Duration
	for i := range 40 {
		done := make(chan error, 1)
		go func() { done <- r.f.Wait(t.Context()) }()
		time.Sleep(time.Duration(50+i*7) * time.Millisecond)
		begun := time.Now()
		d.Deliver("INBOX", letter(i), time.Time{})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for len(r.got) <= i {
			if _, err := r.step(); err != nil {
				t.Fatal(err)
			}
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	t.Logf("median %v, p95 %v, worst %v", took[len(took)/2], took[len(took)*95/100], took[len(took)-1])
}

package detect

import (
	"runtime"
	"strconv"
	"testing"
	"time"
)

// TestAMillionInAnHourIsBorne: every one from somebody else, in a kind of which
// little is known; it pages once, and what is remembered stays bounded.
func TestAMillionInAnHourIsBorne(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	s := inbox{rate: 8, noise: 0.1, weeks: 3, scored: 1, seed: 13}.simulate()
	d := New(backtestOptions())
	feed(d, s.events)
	const flood = 1_000_000
	pages := 0
	for n := range flood {
		pages += len(opened(d.Complaint(Complaint{At: s.end.Add(time.Duration(n) * time.Hour / flood), Category: "login",
			Complainant: "flood" + strconv.Itoa(n) + "@gmail.com", MessageID: strconv.Itoa(n)})))
	}
	if pages != 1 {
		t.Errorf("%d pages, want 1", pages)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("%d MB live", m.HeapAlloc>>20)
	if m.HeapAlloc > 200<<20 {
		t.Errorf("%d MB are remembered, more than 200", m.HeapAlloc>>20)
	}
	for _, i := range d.Incidents() {
		if len(i.Now.Messages) > mostSamples {
			t.Errorf("the incident names %d messages", len(i.Now.Messages))
		}
	}
	runtime.KeepAlive(d)
}

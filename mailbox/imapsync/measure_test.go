package imapsync

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/mailbox"
)

// TestSyncAgainstMbsync reads a folder of support mails and lets mbsync copy it
// in the same run. It is a measurement and not a test:
//
//	TOCSIN_MEASURE=20000 go test -run Mbsync -v -timeout 20m ./mailbox/imapsync
func TestSyncAgainstMbsync(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("TOCSIN_MEASURE"))
	if n < 100 {
		t.Skip("a measurement: set TOCSIN_MEASURE to a number of mails")
	}
	d := imaptest.StartDovecot(t)
	bytes := d.Fill("INBOX", n)
	t.Logf("%d mails, %d MB", n, bytes>>20)
	// Both find the server's caches warm.
	d.Doveadm("index", "-u", d.Username, "INBOX")
	d.Doveadm("fetch", "-u", d.Username, "size.virtual", "mailbox", "INBOX", "all")

	for _, tls := range []bool{false, true} {
		a := account(d)
		a.Parse = (&mailbox.Parser{}).Parse
		if tls {
			a.TLS, a.Port, a.CAFile = TLS, d.TLSPort, d.CAFile
		}
		r := newReader(t, a, "INBOX")
		peak := watchMemory()
		begun := time.Now()
		for {
			more, err := r.step()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			for i := range r.got {
				r.got[i].Text = "" // the store would have it now
			}
		}
		took := time.Since(begun)
		if len(r.got) != n {
			t.Errorf("%d mails, want %d", len(r.got), n)
		}
		t.Logf("tocsin, TLS %v: %.0f mails/s (%v, %d batches), %.1f %% of the bytes, heap at most %d MB", tls,
			float64(n)/took.Seconds(), took.Round(time.Millisecond), r.batches, 100*float64(r.f.Received())/float64(bytes), peak()>>20)
		r.f.Close()
	}
	took := d.Mbsync()
	t.Logf("mbsync: %.0f mails/s (%v)", float64(n)/took.Seconds(), took.Round(time.Millisecond))
}

// watchMemory returns a function that ends the watch and gives the most memory
// the process had from the system.
func watchMemory() func() uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var m uint64
		for {
			select {
			case <-stop:
				most <- m
				return
			case <-time.After(5 * time.Millisecond):
				var s runtime.MemStats
				runtime.ReadMemStats(&s)
				m = max(m, s.HeapInuse+s.StackInuse)
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

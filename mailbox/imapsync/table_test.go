package imapsync

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"tocsin/internal/imaptest"
)

// follow reads a folder as the worker does, with its waits after errors, until
// it has n different mails, and returns how long that took.
func (r *reader) follow(n int) time.Duration {
	begun := time.Now()
	pause := time.Second
	for r.different() < n {
		more, err := r.step()
		if err == nil && !more {
			err = r.f.Wait(r.t.Context())
			pause = time.Second
		}
		if err == nil {
			continue
		}
		r.t.Logf("  after %v: %v", time.Since(begun).Round(time.Millisecond), err)
		time.Sleep(pause - rand.N(pause/2))
		pause = min(2*pause, 2*time.Minute)
	}
	return time.Since(begun)
}

func (r *reader) different() int {
	seen := make(map[string]bool)
	for _, m := range r.got {
		seen[m.ID] = true
	}
	return len(seen)
}

// TestFaultTable measures how long each fault keeps mail from being read, with
// a time-out of 5 s. It is a measurement and not a test: TOCSIN_MEASURE=1 go
// test -run FaultTable -v.
func TestFaultTable(t *testing.T) {
	if os.Getenv("TOCSIN_MEASURE") == "" {
		t.Skip("a measurement: set TOCSIN_MEASURE=1")
	}
	d := imaptest.StartDovecot(t)
	const n = 300
	for _, row := range []struct {
		name  string
		fault func(p *imaptest.Proxy) // before the read begins
		later func(p *imaptest.Proxy) // once all was read and the folder waits
	}{
		{name: "none", fault: func(*imaptest.Proxy) {}},
		{name: "cut within a mail", fault: func(p *imaptest.Proxy) { p.Next(imaptest.Fault{After: 20000, Cut: true}) }},
		{name: "cut five times", fault: func(p *imaptest.Proxy) {
			var f []imaptest.Fault
			for i := range 5 {
				f = append(f, imaptest.Fault{After: int64(1000 * (i + 1)), Cut: true})
			}
			p.Next(f...)
		}},
		{name: "stall within a mail", fault: func(p *imaptest.Proxy) { p.Next(imaptest.Fault{After: 20000, Stall: true}) }},
		{name: "stall at the greeting", fault: func(p *imaptest.Proxy) { p.Next(imaptest.Fault{Stall: true}) }},
		{name: "a byte a second", fault: func(p *imaptest.Proxy) { p.Next(imaptest.Fault{After: 20000, Every: time.Second}) }},
		{name: "garbage", fault: func(p *imaptest.Proxy) {
			p.Next(imaptest.Fault{After: 5000, Garbage: []byte("\x00\xff)(\r\n{{{ 12 \"")})
		}},
		{name: "over-long answer", fault: func(p *imaptest.Proxy) {
			p.Next(imaptest.Fault{After: 5000, Garbage: []byte(strings.Repeat("* OK so much to say ", 5<<20))})
		}},
		{name: "server gone for 3 s", later: func(*imaptest.Proxy) { d.Stop(); time.Sleep(3 * time.Second); d.Start() }},
		{name: "login refused for 3 s", later: func(p *imaptest.Proxy) {
			d.SetPassword("another")
			p.CutAll()
			time.Sleep(3 * time.Second)
			d.SetPassword(d.Password)
		}},
		{name: "half-open while waiting", later: func(p *imaptest.Proxy) { p.Hold() }},
	} {
		folder := strings.ReplaceAll(row.name, " ", "-")
		for i := range n {
			d.Deliver(folder, letter(i), time.Time{})
		}
		before := d.Flags(folder)
		p := imaptest.StartProxy(t, d.Port)
		a := account(d)
		a.Port, a.Timeout, a.Poll, a.Quick, a.Batch = p.Port, 5*time.Second, 2*time.Second, -1, 50
		if row.fault != nil {
			row.fault(p)
		}
		r := newReader(t, a, folder)
		want := n
		took := r.follow(n)
		if row.later != nil {
			want++
			done := make(chan time.Duration, 1)
			go func() { done <- r.follow(want) }()
			time.Sleep(200 * time.Millisecond)
			begun := time.Now()
			row.later(p)
			ended := time.Now()
			d.Deliver(folder, letter(n), time.Time{})
			if row.name == "half-open while waiting" {
				time.Sleep(6 * time.Second)
				p.Release()
				ended = begun
			}
			<-done
			took = time.Since(ended)
		}
		changed := 0
		for name, f := range d.Flags(folder) {
			if b, ok := before[name]; ok && b != f {
				changed++
			}
		}
		fmt.Printf("| %-24s | lost %d | twice %d | flags changed %d | %.1f s |\n", row.name, want-r.different(), len(r.got)-r.different(), changed, took.Seconds())
		r.f.Close()
	}
}

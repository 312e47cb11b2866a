package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/internal/web"
	"tocsin/store"
)

func faultMail(i int) string {
	return fmt.Sprintf("From: c%d@example.com\r\nTo: support@example.org\r\nSubject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\nI cannot log in since this morning, said %d.\r\n%s\r\n",
		i, i, i, i, strings.Repeat("It is the same on the telephone. ", 20))
}

// ending is what a fault did to a folder of n mails.
type ending struct {
	lost, twice, flags int
}

// kept compares the data file with what should be in it: the mails from first to
// n, each once.
func kept(t *testing.T, data string, first, n int) (o ending) {
	t.Helper()
	s, err := store.Open(data, store.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(t.Context()); err != nil {
		t.Error("the data file:", err)
	}
	seen := map[string]int{}
	for q := (store.Query{Limit: 1000, Heads: true}); ; {
		p, err := s.Messages(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Entries {
			seen[e.MessageID]++
			if e.Problem != "" {
				t.Errorf("mail %s: %s", e.MessageID, e.Problem)
			}
		}
		if q.Before = p.Next; p.Next == "" {
			break
		}
	}
	for i := first; i < n; i++ {
		switch k := seen[fmt.Sprintf("%d@example.com", i)]; {
		case k == 0:
			o.lost++
		case k > 1:
			o.twice += k - 1
		}
	}
	return o
}

func changedFlags(before, after map[string]string) (n int) {
	for name, f := range after {
		if b, ok := before[name]; ok && b != f {
			n++
		}
	}
	return n
}

// TestKilledAtRandomMomentsNothingIsLost kills the built program while it reads
// a folder. At the end every mail is there once, and every flag is as it was.
// TOCSIN_MEASURE makes it a hundred kills.
func TestKilledAtRandomMomentsNothingIsLost(t *testing.T) {
	kills := 5
	if os.Getenv("TOCSIN_MEASURE") != "" {
		kills = 100
	}
	bin, d := build(t), imaptest.StartDovecot(t)
	o, took := killed(t, bin, d, kills)
	if o != (ending{}) {
		t.Errorf("after %d kills: %+v", kills, o)
	}
	t.Logf("%d kills; %.1f s from the last start to all stored", kills, took.Seconds())
}

// killed lets the program read a folder in which mail keeps arriving, and kills
// it again and again.
func killed(t *testing.T, bin string, d *imaptest.Dovecot, kills int) (ending, time.Duration) {
	n := 0
	deliver := func(k int) {
		for range k {
			d.Deliver("INBOX", faultMail(n), time.Now().Add(-time.Hour))
			n++
		}
	}
	deliver(1000)
	before := d.Flags("INBOX")
	w := watch(t, bin, d, d.TLSPort, "implicit", "poll = \"1s\"")
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range kills {
		if i > 0 {
			w.start()
		}
		time.Sleep(time.Duration(rng.IntN(900)) * time.Millisecond)
		deliver(10)
		w.stop(syscall.SIGKILL)
	}
	begun := time.Now()
	w.start()
	w.has(n)
	took := time.Since(begun)
	w.stop(syscall.SIGTERM)
	o := kept(t, w.data, 0, n)
	o.flags = changedFlags(before, d.Flags("INBOX"))
	return o, took
}

// TestADiskThatIsFull: the program waits for room, loses nothing, and goes on by
// itself. It needs the right to mount a file system.
func TestADiskThatIsFull(t *testing.T) {
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", disk).Run() })
	bin, d := build(t), imaptest.StartDovecot(t)
	o, took := fullDisk(t, bin, d, disk)
	if o != (ending{}) {
		t.Errorf("%+v", o)
	}
	t.Logf("%.1f s from room to all stored", took.Seconds())
}

func fullDisk(t *testing.T, bin string, d *imaptest.Dovecot, disk string) (ending, time.Duration) {
	const n = 2000
	for i := range n {
		d.Deliver("INBOX", faultMail(i), time.Time{})
	}
	before := d.Flags("INBOX")
	w := watch(t, bin, d, d.TLSPort, "implicit", "poll = \"1s\"")
	w.stop(syscall.SIGKILL)
	os.Remove(w.data)
	text, err := os.ReadFile(w.file)
	if err != nil {
		t.Fatal(err)
	}
	old := w.data
	w.data = filepath.Join(disk, "tocsin.db")
	if err := os.WriteFile(w.file, []byte(strings.Replace(string(text), old, w.data, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.start()
	eventually(t, w.process, "running out of room", func() bool {
		st, ok := w.status()
		return ok && strings.Contains(st.Folders[0].Error, "for want of room")
	})
	if out, err := exec.Command("mount", "-o", "remount,size=200m", disk).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	begun := time.Now()
	w.has(n)
	took := time.Since(begun)
	w.stop(syscall.SIGTERM)
	o := kept(t, w.data, 0, n)
	o.flags = changedFlags(before, d.Flags("INBOX"))
	return o, took
}

// TestFaultTable puts the built program through every fault and prints what
// became of it. It is a measurement and not a test:
//
//	TOCSIN_MEASURE=1 go test -run FaultTable -v -timeout 20m ./cmd/tocsin
func TestFaultTable(t *testing.T) {
	if os.Getenv("TOCSIN_MEASURE") == "" {
		t.Skip("a measurement: set TOCSIN_MEASURE=1")
	}
	bin, d := build(t), imaptest.StartDovecot(t)
	const many = 600
	fmt.Println("| fault | lost | twice | flags changed | time-out, s | recovered after, s |\n|---|---|---|---|---|---|")
	line := func(name string, o ending, timeout, took time.Duration) {
		fmt.Printf("| %s | %d | %d | %d | %.1f | %.1f |\n", name, o.lost, o.twice, o.flags, timeout.Seconds(), took.Seconds())
	}
	var usual time.Duration // of a read without a fault, which is no part of a recovery
	for _, row := range faults(d) {
		folder := strings.ReplaceAll(row.name, " ", "-")
		n := many
		if row.mails > 0 {
			n = row.mails
		}
		for i := range n {
			d.Deliver(folder, faultMail(i), time.Time{})
		}
		if row.extra != "" {
			d.Deliver(folder, row.extra, time.Time{})
			n++
		}
		before := d.Flags(folder)
		port, tls := d.TLSPort, "implicit"
		if row.plain {
			port, tls = d.Port, "none"
		}
		p := imaptest.StartProxy(t, port)
		if row.fault != nil {
			row.fault(p)
		}
		begun := time.Now()
		w := watch(t, bin, d, p.Port, tls, fmt.Sprintf("folder = %q\ntimeout = \"5s\"\npoll = \"2s\"\nidle = true", folder))
		first := 0
		if row.later != nil {
			if !row.during {
				w.has(n)
			} else {
				eventually(t, w.process, "the first mails", func() bool { st, ok := w.status(); return ok && st.Store.Messages > 0 })
			}
			begun = row.later(p, folder)
			for range 3 {
				d.Deliver(folder, faultMail(n), time.Time{})
				n++
			}
			if row.remain > 0 {
				first = n - 3 - row.remain
			}
		}
		if first > 0 {
			last := fmt.Sprintf("%d@example.com", n-1)
			eventually(t, w.process, "the last mail", func() bool {
				c, err := readControl(w.data)
				if err != nil {
					return false
				}
				list, err := c.client().Messages(t.Context(), store.Query{Limit: 2 * row.remain, Heads: true})
				return err == nil && slices.ContainsFunc(list, func(m web.Message) bool { return m.MessageID == last })
			})
			w.has(0)
		} else {
			w.has(n)
		}
		took := time.Since(begun)
		w.stop(syscall.SIGTERM)
		o := kept(t, w.data, first, n)
		o.flags = changedFlags(before, d.Flags(folder))
		if usual == 0 {
			usual = took
		} else if row.later == nil {
			took = max(0, took-usual)
		}
		line(row.name, o, row.timeout, took)
	}
	o, took := killed(t, bin, d, 100)
	line("kill -9 at 100 random moments", o, 0, took)
	disk := t.TempDir()
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).Run() == nil {
		defer exec.Command("umount", "-l", disk).Run()
		d.Expunge("INBOX", "all")
		o, took = fullDisk(t, bin, d, disk)
		line("disk full", o, 0, took)
	}
}

// fault is one row of the table.
type fault struct {
	name    string
	timeout time.Duration // the time-out that ends it
	plain   bool          // without TLS, so that the client itself sees the bytes
	mails   int           // instead of the usual number
	extra   string        // one mail more
	fault   func(p *imaptest.Proxy)
	later   func(p *imaptest.Proxy, folder string) time.Time // returns when recovery could begin
	during  bool                                             // while the folder is read, not once it was
	remain  int                                              // how many of the first mails are left
}

func faults(d *imaptest.Dovecot) []fault {
	cut := func(after ...int64) func(*imaptest.Proxy) {
		var list []imaptest.Fault
		for _, n := range after {
			list = append(list, imaptest.Fault{After: n, Cut: true})
		}
		return func(p *imaptest.Proxy) { p.Next(list...) }
	}
	one := func(f imaptest.Fault) func(*imaptest.Proxy) { return func(p *imaptest.Proxy) { p.Next(f) } }
	return []fault{
		{name: "none"},
		{name: "cut inside a literal", fault: cut(120_000)},
		{name: "cut before the greeting", fault: cut(0)},
		{name: "cut during the handshake", fault: cut(700)},
		{name: "cut five times", fault: cut(9_000, 30_000, 60_001, 90_000, 123_456)},
		{name: "stall inside a literal", timeout: 5 * time.Second, fault: one(imaptest.Fault{After: 120_000, Stall: true})},
		{name: "stall at the greeting", timeout: 5 * time.Second, fault: one(imaptest.Fault{Stall: true})},
		{name: "a byte a second", timeout: 10 * time.Second, fault: one(imaptest.Fault{After: 120_000, Every: time.Second})},
		{name: "garbage in an answer", plain: true, fault: one(imaptest.Fault{After: 60_000, Garbage: []byte("\x00\xff)(\r\n{{{ 12 \"")})},
		{name: "a line of 100 MB", plain: true, fault: one(imaptest.Fault{After: 3_000, Garbage: []byte(strings.Repeat("* OK so much to say ", 5<<20))})},
		{name: "BYE", later: func(p *imaptest.Proxy, _ string) time.Time {
			d.Doveadm("kick", d.Username)
			return time.Now()
		}},
		{name: "half-open while idle", timeout: 4500 * time.Millisecond, later: func(p *imaptest.Proxy, _ string) time.Time {
			begun := time.Now()
			p.Hold()
			time.Sleep(5 * time.Second)
			p.Release() // for the connections to come; the old ones are closed by then
			return begun
		}},
		{name: "server gone for 3 s", later: func(*imaptest.Proxy, string) time.Time {
			d.Stop()
			time.Sleep(3 * time.Second)
			d.Start()
			return time.Now()
		}},
		{name: "login refused for 3 s", timeout: 15 * time.Second, later: func(p *imaptest.Proxy, _ string) time.Time {
			d.SetPassword("another")
			p.CutAll()
			time.Sleep(3 * time.Second)
			d.SetPassword(d.Password)
			return time.Now()
		}},
		{name: "UIDVALIDITY change", later: func(p *imaptest.Proxy, folder string) time.Time {
			d.SetUIDValidity(folder, 4_000_000_000)
			p.CutAll()
			return time.Now()
		}},
		{name: "10000 mails expunged meanwhile", mails: 11_000, during: true, remain: 1000, later: func(_ *imaptest.Proxy, folder string) time.Time {
			d.Expunge(folder, "1:10000")
			return time.Now()
		}},
		{name: "a mail of 60 MB", extra: strings.Replace(faultMail(600), "\r\n\r\n", "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nI cannot log in.\r\n--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=log.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"+
			strings.Repeat(strings.Repeat("QUFB", 19)+"\r\n", 60<<20/78)+"--b--\r\n", 1)},
	}
}

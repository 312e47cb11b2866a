package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/internal/web"
	"tocsin/internal/worker"
)

// watched is the built program that reads a folder of a server.
type watched struct {
	t    *testing.T
	bin  string
	file string // its configuration
	data string
	*process
}

// watch writes a configuration for the server at a port and starts the program.
// more is added to the mailbox's table.
func watch(t *testing.T, bin string, d *imaptest.Dovecot, port int, tls, more string) *watched {
	t.Helper()
	dir := t.TempDir()
	w := &watched{t: t, bin: bin, file: filepath.Join(dir, "tocsin.toml"), data: filepath.Join(dir, "tocsin.db")}
	text := fmt.Sprintf("data = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[mailbox.support]\nhost = \"127.0.0.1\"\nport = %d\ntls = %q\nca_file = %q\nusername = %q\npassword_file = \"imap-password\"\n%s\n",
		w.data, port, tls, d.CAFile, d.Username, more)
	for name, text := range map[string]string{"tocsin.toml": text, "imap-password": d.Password} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.start()
	return w
}

func (w *watched) start() { w.process = start(w.t, w.bin, w.file) }

// status is what the running program says of itself.
func (w *watched) status() (web.Status, bool) {
	c, err := readControl(w.data)
	if err != nil {
		return web.Status{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := c.client().Status(ctx)
	return st, err == nil && len(st.Folders) > 0
}

// has waits until so many mails are stored and every folder was read.
func (w *watched) has(n int) {
	w.t.Helper()
	eventually(w.t, w.process, fmt.Sprintf("reading %d mails", n), func() bool {
		st, ok := w.status()
		return ok && st.Store.Messages >= int64(n) && !slices.ContainsFunc(st.Folders, func(f worker.FolderStatus) bool { return f.LastRead.IsZero() })
	})
}

// stop ends the program and returns the most memory it had, in bytes.
func (w *watched) stop(s syscall.Signal) int64 {
	w.t.Helper()
	w.cmd.Process.Signal(s)
	w.cmd.Wait()
	return w.cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// TestFirstSyncBesideMbsync lets the built program read, parse, classify and
// store a folder, and mbsync copy it, in one run. It is a measurement and not a
// test:
//
//	TOCSIN_MEASURE=20000 go test -run FirstSync -v -timeout 20m ./cmd/tocsin
func TestFirstSyncBesideMbsync(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("TOCSIN_MEASURE"))
	if n < 100 {
		t.Skip("a measurement: set TOCSIN_MEASURE to a number of mails")
	}
	bin := build(t)
	d := imaptest.StartDovecot(t)
	bytes := d.Fill("INBOX", n)
	d.Doveadm("index", "-u", d.Username, "INBOX")
	d.Doveadm("fetch", "-u", d.Username, "size.virtual", "mailbox", "INBOX", "all")
	begun := time.Now()
	w := watch(t, bin, d, d.Port, "none", "")
	w.has(n)
	took := time.Since(begun)
	rss := w.stop(syscall.SIGTERM)
	cpu := w.cmd.ProcessState.UserTime() + w.cmd.ProcessState.SystemTime()
	t.Logf("tocsin run: %.0f mails/s (%v, %v of processor time), at most %d MB", float64(n)/took.Seconds(), took.Round(time.Millisecond), cpu.Round(time.Millisecond), rss>>20)
	other := d.Mbsync()
	t.Logf("mbsync copied %d MB: %.0f mails/s (%v); tocsin is %.1f times as fast", bytes>>20, float64(n)/other.Seconds(), other.Round(time.Millisecond), other.Seconds()/took.Seconds())
}

// TestLatencyFromDeliveryToStored measures how long a mail that a delivery agent
// puts into the folder takes to be in the data file of the built program. It is
// a measurement and not a test: TOCSIN_MEASURE=1 go test -run Latency -v
// ./cmd/tocsin.
func TestLatencyFromDeliveryToStored(t *testing.T) {
	if os.Getenv("TOCSIN_MEASURE") == "" {
		t.Skip("a measurement: set TOCSIN_MEASURE=1")
	}
	d := imaptest.StartDovecot(t)
	w := watch(t, build(t), d, d.TLSPort, "implicit", "")
	w.has(0)
	var took []time.Duration
	for i := range 200 {
		time.Sleep(time.Duration(20+i) * time.Millisecond)
		begun := time.Now()
		d.Deliver("INBOX", fmt.Sprintf("From: c%d@example.com\r\nSubject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\nI cannot log in, %d.\r\n", i, i, i, i), time.Time{})
		for st, ok := w.status(); !ok || st.Store.Messages <= int64(i); st, ok = w.status() {
			time.Sleep(time.Millisecond)
		}
		took = append(took, time.Since(begun))
	}
	w.stop(syscall.SIGTERM)
	slices.Sort(took)
	at := func(p int) time.Duration { return took[(len(took)-1)*p/100].Round(time.Millisecond) }
	t.Logf("%d deliveries, delivery to stored as the API shows it: median %v, p90 %v, p95 %v, p99 %v, worst %v", len(took), at(50), at(90), at(95), at(99), at(100))
}

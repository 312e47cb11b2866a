//go:build linux

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTwoHundredViewers lets 200 open pages follow the demo's morning and
// measures what they cost the worker, and whether somebody who loads a page
// waits. It is a measurement and not a test:
//
//	TOCSIN_VIEWERS=200 go test -run TwoHundredViewers -v ./cmd/tocsin
func TestTwoHundredViewers(t *testing.T) {
	viewers, _ := strconv.Atoi(os.Getenv("TOCSIN_VIEWERS"))
	if viewers < 1 {
		t.Skip("a measurement: set TOCSIN_VIEWERS to a number of viewers")
	}
	bin := build(t)
	for _, n := range []int{0, viewers} {
		viewed(t, bin, n)
	}
}

// viewed runs the demo with n viewers for a while.
func viewed(t *testing.T, bin string, n int) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	demo := exec.Command(bin, "demo", "--listen", addr, "--speed", "60") // the morning's mails come 1.8 a second
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { demo.Process.Signal(os.Interrupt); demo.Wait() }()
	url := "http://" + addr + "/"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * n}}
	for {
		res, err := client.Get(url + "readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				break
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	fetched := 0
	stop := make(chan struct{})
	for range n {
		wg.Go(func() {
			res, err := client.Get(url + "live")
			if err != nil {
				t.Error(err)
				return
			}
			go func() { <-stop; res.Body.Close() }()
			for lines := bufio.NewScanner(res.Body); lines.Scan(); {
				if lines.Text() != "event: change" {
					continue
				}
				q, _ := http.NewRequest("GET", url, nil)
				q.Header.Set("X-Live", "1")
				if res, err := client.Do(q); err == nil {
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
					mu.Lock()
					fetched++
					mu.Unlock()
				}
			}
		})
	}
	const span = 40 * time.Second
	before, began := used(t, demo.Process.Pid), time.Now()
	var took []time.Duration
	for time.Since(began) < span {
		at := time.Now()
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		took = append(took, time.Since(at))
		time.Sleep(200 * time.Millisecond)
	}
	cores := (used(t, demo.Process.Pid) - before).Seconds() / time.Since(began).Seconds()
	close(stop)
	wg.Wait()
	slices.Sort(took)
	t.Logf("%3d viewers: %.2f of a core, %d pages given to them; a page loaded beside takes %v in the median, %v at the 95th percentile",
		n, cores, fetched, took[len(took)/2].Round(100*time.Microsecond), took[len(took)*95/100].Round(100*time.Microsecond))
}

// used is the processor time of a process, in clock ticks of 10 ms (proc(5)).
func used(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

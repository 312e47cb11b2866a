package imaptest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestWholeSync reads a folder of support mails, parses, classifies and stores
// them, and lets mbsync copy the folder in the same run. It is a measurement
// and not a test:
//
//	TOCSIN_MEASURE=20000 go test -run WholeSync -v -timeout 20m ./internal/imaptest
func TestWholeSync(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("TOCSIN_MEASURE"))
	if n < 100 {
		t.Skip("a measurement: set TOCSIN_MEASURE to a number of mails")
	}
	d := StartDovecot(t)
	bytes := d.Fill("INBOX", n)
	d.Doveadm("index", "-u", d.Username, "INBOX")
	d.Doveadm("fetch", "-u", d.Username, "size.virtual", "mailbox", "INBOX", "all")
	for _, classified := range []bool{false, true} {
		task, err := json.Marshal(d.task(filepath.Join(t.TempDir(), "tocsin.db"), classified, 0))
		check(t, err)
		exe, err := os.Executable()
		check(t, err)
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), childEnv+"="+string(task))
		cmd.Stderr = os.Stderr
		begun := time.Now()
		check(t, cmd.Run())
		took := time.Since(begun)
		rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
		t.Logf("read, parsed, classified %v and stored: %.0f mails/s (%v), at most %d MB", classified, float64(n)/took.Seconds(), took.Round(time.Millisecond), rss)
		verifyCount(t, string(task), n)
	}
	took := d.Mbsync()
	t.Logf("mbsync copied %d MB: %.0f mails/s (%v)", bytes>>20, float64(n)/took.Seconds(), took.Round(time.Millisecond))
}

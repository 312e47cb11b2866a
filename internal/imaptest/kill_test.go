package imaptest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/classify"
	"tocsin/mailbox"
	"tocsin/mailbox/imapsync"
	"tocsin/store"
)

// childEnv makes the test binary a process that reads a folder into a store.
const childEnv = "TOCSIN_TEST_SYNC"

// childTask is what it reads and where to.
type childTask struct {
	Host               string
	Port               int
	Username, Password string
	Data               string
	Classify           bool
	Batch              int
}

func TestMain(m *testing.M) {
	task := os.Getenv(childEnv)
	if task == "" {
		os.Exit(m.Run())
	}
	if err := syncChild(task); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func syncChild(task string) error {
	var c childTask
	if err := json.Unmarshal([]byte(task), &c); err != nil {
		return err
	}
	s, err := store.Open(c.Data, store.Options{Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer s.Close()
	f := imapsync.NewFolder(imapsync.Account{Name: "support", Host: c.Host, Port: c.Port, TLS: imapsync.Plain, Username: c.Username,
		Auth: imapsync.Password(c.Password), Backfill: 90 * 24 * time.Hour, Batch: c.Batch, Parse: (&mailbox.Parser{}).Parse}, "INBOX")
	defer f.Close()
	for {
		cur, _, err := s.Cursor("support", "INBOX")
		if err != nil {
			return err
		}
		b, err := f.Fetch(context.Background(), cur)
		if err != nil {
			return err
		}
		if len(b.Messages) == 0 && len(b.Gone) == 0 && b.Next == cur {
			return nil
		}
		entries := judge(b.Messages, c.Classify)
		if _, err := s.Append(entries, b.Next); err != nil {
			return err
		}
	}
}

// judge makes entries of messages, classified on all cores as the worker does.
func judge(ms []mailbox.Message, classified bool) []store.Entry {
	entries := make([]store.Entry, len(ms))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range ms {
		entries[i].Message = m
		if classified {
			g.Go(func() error {
				entries[i].Verdict = classify.Default().Classify(classify.Text{Subject: m.Subject, Body: m.Reply, Automated: string(m.Automated)})
				return nil
			})
		}
	}
	g.Wait()
	return entries
}

// A process that is killed at any moment of a sync, and started again, ends
// with every mail once and every flag as it was.
func TestKilledAtAnyMoment(t *testing.T) {
	d := StartDovecot(t)
	const n = 1500
	received := time.Now().Add(-24 * time.Hour)
	for i := range n {
		d.Deliver("INBOX", fmt.Sprintf("From: c%d@example.com\r\nSubject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\nI cannot log in, %d.\r\n", i, i, i, i), received.Add(time.Duration(i)*time.Second))
	}
	before := d.Flags("INBOX")
	kills, folders := 100, 0
	if testing.Short() {
		kills = 10
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for done := 0; done < kills; folders++ {
		task, err := json.Marshal(d.task(filepath.Join(t.TempDir(), "tocsin.db"), false, 20))
		check(t, err)
		for killed := true; killed; {
			killed = runChild(t, string(task), time.Duration(rng.IntN(200))*time.Millisecond, done < kills)
			if killed {
				done++
			}
		}
		verify(t, string(task), n)
		if t.Failed() {
			return
		}
	}
	if after := d.Flags("INBOX"); !maps.Equal(before, after) {
		t.Errorf("flags changed")
	}
	t.Logf("%d kills over %d syncs of %d mails", kills, folders, n)
}

func (d *Dovecot) task(data string, classified bool, batch int) childTask {
	return childTask{d.Host, d.Port, d.Username, d.Password, data, classified, batch}
}

// runChild starts the process and kills it after a while, unless it ends by
// itself before or is not to be killed. It tells whether it was killed.
func runChild(t *testing.T, task string, after time.Duration, kill bool) bool {
	t.Helper()
	exe, err := os.Executable()
	check(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+task)
	cmd.Stderr = os.Stderr
	check(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var timer <-chan time.Time
	if kill {
		timer = time.After(after)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("the process failed by itself: %v", err)
		}
		return false
	case <-timer:
		cmd.Process.Kill()
		<-ended
		return true
	}
}

// verify checks the store: every mail once, and the file sound.
func verify(t *testing.T, task string, n int) {
	t.Helper()
	var c childTask
	check(t, json.Unmarshal([]byte(task), &c))
	s, err := store.Open(c.Data, store.Options{Timeout: 5 * time.Second})
	check(t, err)
	defer s.Close()
	if err := s.Check(t.Context()); err != nil {
		t.Error("store:", err)
	}
	seen := make(map[string]int)
	for q := (store.Query{Limit: 500}); ; {
		p, err := s.Messages(q)
		check(t, err)
		for _, e := range p.Entries {
			seen[e.MessageID]++
		}
		if p.Next == "" {
			break
		}
		q.Before = p.Next
	}
	for i := range n {
		if id := fmt.Sprintf("%d@example.com", i); seen[id] != 1 {
			t.Errorf("mail %s is stored %d times", id, seen[id])
		}
	}
	if len(seen) != n {
		t.Errorf("%d different mails stored, want %d", len(seen), n)
	}
}

// verifyCount checks how many mails a store holds.
func verifyCount(t *testing.T, task string, n int) {
	t.Helper()
	var c childTask
	check(t, json.Unmarshal([]byte(task), &c))
	s, err := store.Open(c.Data, store.Options{Timeout: 5 * time.Second})
	check(t, err)
	defer s.Close()
	st, err := s.Stats()
	check(t, err)
	if int(st.Messages) != n {
		t.Errorf("%d mails stored, want %d", st.Messages, n)
	}
}

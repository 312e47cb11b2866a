package imapsync

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/imaptest"
)

// Of many folders with a wrong password one is tried, not each: servers lock
// accounts after a few refusals. When it is right, all come in.
func TestARefusedLoginIsTriedOnceForAllFolders(t *testing.T) {
	t.Parallel()
	f := imaptest.StartFake(t, letters(1)...)
	var logins atomic.Int32
	var right atomic.Bool
	f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
		if !strings.HasPrefix(line, "AUTHENTICATE") {
			return false
		}
		logins.Add(1)
		if !strings.Contains(line[len("AUTHENTICATE PLAIN"):], " ") {
			c.Send("+ \r\n")
			c.ReadLine()
		}
		if right.Load() {
			c.Send("%s OK welcome\r\n", tag)
		} else {
			c.Send("%s NO [AUTHENTICATIONFAILED] no\r\n", tag)
		}
		return true
	})
	a := fakeAccount(f)
	a.Timeout = 10 * time.Second
	a.Door = NewDoor()
	all := func() (came int32) {
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				_, err := Check(t.Context(), a, "INBOX")
				switch {
				case err == nil:
					atomic.AddInt32(&came, 1)
				case !Permanent(err) || !strings.Contains(err.Error(), "login refused"):
					t.Errorf("the refusal reads %v", err)
				}
			})
		}
		wg.Wait()
		return came
	}
	if n := all(); n != 0 || logins.Load() != 1 {
		t.Errorf("%d came in after %d logins, want 0 after 1", n, logins.Load())
	}
	a.Door.next = time.Now() // the wait is over
	if all(); logins.Load() != 2 || a.Door.tries != 2 || !a.Door.next.After(time.Now().Add(firstShut)) {
		t.Errorf("then %d logins, want 2; the door is %+v", logins.Load(), a.Door)
	}
	right.Store(true)
	a.Door.next = time.Now()
	if n := all(); n != 12 {
		t.Errorf("%d of 12 came in with the right password", n)
	}
}

package imapsync

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/imaptest"
	"tocsin/mailbox"
)

// fakeAccount reads the scripted server; its time-outs are short, for what is
// tested is often that there is one.
func fakeAccount(f *imaptest.Fake) Account {
	return Account{Name: "support", Host: f.Host, Port: f.Port, TLS: Plain, Username: "u", Auth: Password("p"),
		Backfill: 90 * 24 * time.Hour, Parse: parse, Timeout: 300 * time.Millisecond,
		Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }}
}

func letters(n int) []string {
	var s []string
	for i := 1; i <= n; i++ {
		s = append(s, letter(i))
	}
	return s
}

// bulky is a mail that is read by its structure.
func bulky(n int) string { return letter(n) + strings.Repeat("All work and no play.\r\n", 4000) }

// retry reads on after errors, as the worker does, and returns them.
func (r *reader) retry(most int) []error {
	var errs []error
	for {
		more, err := r.step()
		switch {
		case err != nil:
			if errs = append(errs, err); len(errs) > most {
				r.t.Fatalf("still failing: %v", errs)
			}
		case !more:
			return errs
		}
	}
}

// wantAll checks that each of the n mails came once.
func (r *reader) wantAll(n int) {
	r.t.Helper()
	seen := make(map[uint32]int)
	for _, m := range r.got {
		seen[m.UID]++
	}
	for u := uint32(1); u <= uint32(n); u++ {
		if seen[u] != 1 {
			r.t.Errorf("mail %d came %d times", u, seen[u])
		}
	}
	if len(r.got) != n || r.gone != 0 {
		r.t.Errorf("%d mails and %d gone, want %d and 0", len(r.got), r.gone, n)
	}
}

// isFetch tells a command for mails' bodies.
func isFetch(line string) bool {
	return strings.Contains(line, "FETCH") && strings.Contains(line, "BODY")
}

// fetched parses "UID FETCH set (items)".
func fetched(line string) (byUID bool, set, items string) {
	line = strings.ToUpper(line)
	line, byUID = strings.CutPrefix(line, "UID ")
	line = strings.TrimPrefix(line, "FETCH ")
	set, items, _ = strings.Cut(line, " ")
	return byUID, set, items
}

func TestNoAnswerOfAServerLosesMail(t *testing.T) {
	type faker func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string)
	each := func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string, line func(uid uint32, l string) string) {
		for u := uint32(1); u <= 3; u++ {
			if imapSetHas(set, u) {
				c.Send("%s", line(u, c.FetchLine(u, items)))
			}
		}
		c.Send("%s OK done\r\n", tag)
	}
	for name, h := range map[string]faker{
		"UID after the body": func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string) {
			each(f, c, tag, set, items, func(u uint32, l string) string {
				l = strings.Replace(l, fmt.Sprintf("(UID %d ", u), "(", 1)
				return strings.TrimSuffix(l, ")\r\n") + fmt.Sprintf(" UID %d)\r\n", u)
			})
		},
		"answer split in two": func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string) {
			each(f, c, tag, set, items, func(u uint32, l string) string {
				return fmt.Sprintf("* %d FETCH (UID %d FLAGS (\\Seen))\r\n", u, u) + l
			})
		},
		"flags without UID between": func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string) {
			each(f, c, tag, set, items, func(u uint32, l string) string {
				return fmt.Sprintf("* %d FETCH (FLAGS (\\Seen))\r\n", u) + l + fmt.Sprintf("* %d FETCH (FLAGS ())\r\n", u)
			})
		},
		"each answer twice": func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string) {
			each(f, c, tag, set, items, func(u uint32, l string) string { return l + l })
		},
		"NO, some are gone": func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string) {
			if strings.ContainsAny(set, ",:") {
				c.Send("%s%s NO [EXPUNGEISSUED] some are gone\r\n", c.FetchLine(2, items), tag)
				return
			}
			each(f, c, tag, set, items, func(_ uint32, l string) string { return l })
		},
		"mails of others": func(f *imaptest.Fake, c *imaptest.FakeConn, tag, set, items string) {
			c.Send("* 9 FETCH (UID 9 BODY[] {3}\r\nabc)\r\n")
			each(f, c, tag, set, items, func(_ uint32, l string) string { return l })
		},
	} {
		for size, mails := range map[string][]string{"small": letters(3), "large": {bulky(1), bulky(2), bulky(3)}} {
			t.Run(name+", "+size, func(t *testing.T) {
				t.Parallel()
				f := imaptest.StartFake(t, mails...)
				f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
					if !isFetch(line) {
						return false
					}
					_, set, items := fetched(line)
					h(f, c, tag, set, items)
					return true
				})
				r := newReader(t, fakeAccount(f), "INBOX")
				r.all()
				r.wantAll(3)
				for _, m := range r.got {
					if want := fmt.Sprintf("mail %d", m.UID); m.Subject != want || m.Problem != "" {
						t.Errorf("UID %d: subject %q, problem %q", m.UID, m.Subject, m.Problem)
					}
					if !strings.Contains(m.Text, fmt.Sprintf("I cannot log in, %d.", m.UID)) {
						t.Errorf("UID %d: text %.60q", m.UID, m.Text)
					}
				}
			})
		}
	}
}

// imapSetHas knows sets of the three mails of the test above.
func imapSetHas(set string, u uint32) bool {
	for part := range strings.SplitSeq(set, ",") {
		var lo, hi uint32
		if n, _ := fmt.Sscanf(part, "%d:%d", &lo, &hi); n == 1 {
			hi = lo
		}
		if u >= lo && u <= hi {
			return true
		}
	}
	return false
}

// Each of these answers breaks the connection; the other mails must come, and
// the one it is about too where any way leads to it.
func TestAPoisonMailStopsNobody(t *testing.T) {
	type tc struct {
		poison  func(items string) string // what is said of mail 2; "" is the truth
		problem bool                      // mail 2 cannot be had at all
	}
	structureOnly := func(s string) func(string) string {
		return func(items string) string {
			if strings.Contains(items, "BODYSTRUCTURE") {
				return s
			}
			return ""
		}
	}
	always := func(s string) func(string) string { return func(string) string { return s } }
	for name, c := range map[string]tc{
		"malformed structure":  {poison: structureOnly("* 2 FETCH (UID 2 BODYSTRUCTURE (\"text\" oh dear))\r\n")},
		"bottomless structure": {poison: structureOnly("* 2 FETCH (UID 2 BODYSTRUCTURE " + strings.Repeat("(", 1<<20))},
		"giant literal":        {poison: structureOnly("* 2 FETCH (UID 2 ENVELOPE (NIL {1073741824}\r\n")},
		"quoted without end":   {poison: structureOnly("* 2 FETCH (UID 2 BODYSTRUCTURE (\"" + strings.Repeat("x", 20<<20))},
		"unknown attribute":    {poison: always("* 2 FETCH (UID 2 X-GM-MSGID 12)\r\n"), problem: true},
		"goodbye":              {poison: always("* BYE I crashed\r\n"), problem: true},
		"structure in no form": {poison: structureOnly("* 2 FETCH (UID 2 BODYSTRUCTURE NIL BODY[HEADER]<0> NIL)\r\n")},
		"NIL for all":          {poison: always("* 2 FETCH (UID 2 BODY[] NIL)\r\n"), problem: true},
		"quietly left out":     {poison: always(" "), problem: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := imaptest.StartFake(t, bulky(1), bulky(2), bulky(3))
			f.Handle(func(fc *imaptest.FakeConn, tag, line string) bool {
				if !isFetch(line) {
					return false
				}
				_, set, items := fetched(line)
				for u := uint32(1); u <= 3; u++ {
					if !imapSetHas(set, u) {
						continue
					}
					if said := c.poison(items); u == 2 && said != "" {
						if said != " " {
							fc.Send("%s", said)
						}
						if strings.HasPrefix(said, "* BYE") {
							fc.Conn.Close()
							return true
						}
						continue
					}
					fc.Send("%s", fc.FetchLine(u, items))
				}
				fc.Send("%s OK done\r\n", tag)
				return true
			})
			r := newReader(t, fakeAccount(f), "INBOX")
			r.retry(20)
			r.wantAll(3)
			for _, m := range r.got {
				lost := c.problem && m.UID == 2
				if (m.Problem != "") != lost || (m.Subject == fmt.Sprintf("mail %d", m.UID)) == lost {
					t.Errorf("UID %d: subject %q, problem %q", m.UID, m.Subject, m.Problem)
				}
			}
		})
	}
}

// A server that refuses everything for a while, or a network that large answers
// do not get through, must not cost mails their text.
func TestTroubleWithAllMailsIsNoMailsFault(t *testing.T) {
	for name, refuse := range map[string]func(c *imaptest.FakeConn, tag string){
		"refused":  func(c *imaptest.FakeConn, tag string) { c.Send("%s NO try later\r\n", tag) },
		"cut":      func(c *imaptest.FakeConn, tag string) { c.Conn.Close() },
		"silenced": func(c *imaptest.FakeConn, tag string) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := imaptest.StartFake(t, letters(3)...)
			var well atomic.Bool
			f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
				if !isFetch(line) || well.Load() {
					return false
				}
				refuse(c, tag)
				return true
			})
			a := fakeAccount(f)
			a.Timeout = 20 * time.Millisecond
			r := newReader(t, a, "INBOX")
			for range 15 {
				if _, err := r.step(); err == nil {
					t.Fatalf("%d mails came", len(r.got))
				}
			}
			well.Store(true)
			r.all()
			r.wantAll(3)
			for _, m := range r.got {
				if m.Problem != "" || m.Text == "" {
					t.Errorf("UID %d: %q", m.UID, m.Problem)
				}
			}
		})
	}
}

func TestHostileAnswersTakeNeitherMemoryNorTime(t *testing.T) {
	flood := func(c *imaptest.FakeConn, s string) {
		for range 2000 {
			if _, err := c.Write([]byte(s)); err != nil {
				return
			}
		}
	}
	for name, h := range map[string]imaptest.Handler{
		"literal of a gigabyte": func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "EXAMINE") {
				return false
			}
			c.Send("* LIST () {1073741824}\r\n")
			flood(c, strings.Repeat("x", 64<<10))
			return true
		},
		"line without end": func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "EXAMINE") {
				return false
			}
			c.Send("* OK ")
			flood(c, strings.Repeat("x", 64<<10))
			return true
		},
		"numbers without end": func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID SEARCH") {
				return false
			}
			c.Send("* SEARCH")
			flood(c, strings.Repeat(" 4294967295", 6000))
			return true
		},
		"numbers backwards": func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID SEARCH") {
				return false
			}
			var b strings.Builder
			for u := 4_000_000; u > 0; u -= 4 {
				fmt.Fprintf(&b, " %d", u)
			}
			c.Send("* SEARCH%s\r\n%s OK done\r\n", b.String(), tag)
			return true
		},
		"a set backwards": func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID SEARCH") {
				return false
			}
			var b strings.Builder
			for u := 4_000_000; u > 0; u -= 4 {
				fmt.Fprintf(&b, ",%d", u)
			}
			c.Send("* ESEARCH (TAG %q) UID ALL %s\r\n%s OK done\r\n", tag, b.String()[1:], tag)
			return true
		},
		"a range of all": func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID SEARCH") {
				return false
			}
			c.Send("* ESEARCH (TAG %q) UID ALL 1:4294967295\r\n%s OK done\r\n", tag, tag)
			return true
		},
		"silence": func(c *imaptest.FakeConn, tag, line string) bool {
			return strings.HasPrefix(line, "EXAMINE")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := imaptest.StartFake(t, letters(3)...)
			f.Caps = "IMAP4rev1 ESEARCH AUTH=PLAIN"
			f.Handle(h)
			r := newReader(t, fakeAccount(f), "INBOX")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := r.step()
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("no error")
			}
			if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 128 {
				t.Errorf("%d MB allocated", n)
			}
			t.Log(err)
		})
	}
}

// The client skips an unknown response code over line ends, and reads quoted
// strings over them: a guard that lost step there could be led past anything.
func TestTheGuardCannotBeLedAstray(t *testing.T) {
	deep := strings.Repeat("(", 100_000)
	for name, said := range map[string]string{
		"code over lines":          "* OK [FOO\r\n* X \"\r\n] now\r\n* 1 FETCH (UID 1 BODYSTRUCTURE " + deep,
		"status with a number":     "* 5 OK \"\r\n* 1 FETCH (UID 1 BODYSTRUCTURE " + deep,
		"braces in text":           "* OK {4000000}\r\n* 1 FETCH (UID 1 BODYSTRUCTURE " + deep,
		"quote in text":            "* NO it is \"fine\r\n* 1 FETCH (UID 1 BODYSTRUCTURE " + deep,
		"quoted line end":          "* LIST () \"\r\n\" {1}\r\nx\r\n* 1 FETCH (UID 1 BODYSTRUCTURE " + deep,
		"literal after a space":    "* LIST () {1} \r\nx \"\r\n\"\r\n* 1 FETCH (UID 1 BODYSTRUCTURE " + deep,
		"long tag":                 "* " + strings.Repeat("A", 2000) + " \"\r\n\"" + deep,
		"continuation with quotes": "+ \"\r\n* 1 FETCH (UID 1 BODYSTRUCTURE " + deep,
	} {
		t.Run(name, func(t *testing.T) {
			var s scanner
			err := s.write([]byte(said))
			if !errors.Is(err, errTooDeep) && !errors.Is(err, errNotIMAP) {
				t.Errorf("%v, state %d, depth %d", err, s.state, s.depth)
			}
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	refuse := func(answer string) imaptest.Handler {
		return func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "AUTHENTICATE") {
				return false
			}
			if !strings.Contains(strings.TrimPrefix(line, "AUTHENTICATE "), " ") {
				c.Send("+ \r\n")
				c.ReadLine()
			}
			c.Send("%s %s\r\n", tag, answer)
			return true
		}
	}
	examine := func(answer string) imaptest.Handler {
		return func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.HasPrefix(line, "EXAMINE") {
				return false
			}
			c.Send("%s", strings.ReplaceAll(answer, "TAG", tag))
			return true
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts, and the kernel does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	silent := l.Addr().(*net.TCPAddr).Port
	for _, tc := range []struct {
		name    string
		handler imaptest.Handler
		change  func(*Account)
		says    string
		advice  string
		final   bool
	}{
		{"wrong password", refuse("NO [AUTHENTICATIONFAILED] Authentication failed."), nil, `mailbox "support": login refused by 127.0.0.1: Authentication failed. [AUTHENTICATIONFAILED]`, "check username and password", true},
		{"app password", refuse("NO [ALERT] Application-specific password required: https://support.google.com/"), nil, "login refused", "Gmail needs an app password", true},
		{"busy", refuse("NO [UNAVAILABLE] try later"), nil, "cannot take a login at present", "tried again", false},
		{"hostile text", refuse("NO \x1b[31mred\x1b[0m \u202e"), nil, "refused by 127.0.0.1: [31mred [0m", "", true},
		{"no folder", examine("TAG NO [NONEXISTENT] unknown\r\n"), nil, `no folder "INBOX" on the server`, "folders there: Archive, INBOX.Support", true},
		{"no UIDVALIDITY", examine("* 0 EXISTS\r\nTAG OK [READ-ONLY] done\r\n"), nil, "gives no UIDVALIDITY", "must be mended", true},
		{"UIDVALIDITY 0", examine("* 0 EXISTS\r\n* OK [UIDVALIDITY 0] no\r\nTAG OK [READ-ONLY] done\r\n"), nil, "gives no UIDVALIDITY", "must be mended", true},
		{"not read-only", examine("* OK [UIDVALIDITY 1] ok\r\nTAG OK [READ-WRITE] done\r\n"), nil, "for writing though asked not to", "may only read", true},
		{"goodbye", examine("* BYE Server shutting down\r\n"), nil, "the server closed the connection: Server shutting down", "", false},
		{"no TLS far away", nil, func(a *Account) { a.Host = "imap.example.com" }, "no TLS to imap.example.com", "starttls", true},
		{"no STARTTLS", nil, func(a *Account) { a.TLS = STARTTLS }, "does not offer STARTTLS", "implicit", true},
		{"no TLS there", nil, func(a *Account) { a.TLS = TLS }, "does not speak TLS", "port 993", true},
		{"each waits for the other", nil, func(a *Account) { a.TLS, a.Port, a.Timeout = STARTTLS, silent, 200*time.Millisecond }, "took the connection and said nothing", "port 993 is for", false},
		{"nobody there", nil, func(a *Account) { a.Port = 1 }, "cannot reach 127.0.0.1:1", "firewall", false},
		{"no such CA file", nil, func(a *Account) { a.CAFile = "/nonexistent" }, "cannot use ca_file", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := imaptest.StartFake(t, letters(1)...)
			f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
				if strings.HasPrefix(line, "LIST") {
					c.Send("* LIST () \".\" Archive\r\n* LIST (\\NoSelect) \".\" Public\r\n* LIST () \".\" INBOX.Support\r\n%s OK done\r\n", tag)
					return true
				}
				if tc.handler == nil {
					return false
				}
				return tc.handler(c, tag, line)
			})
			a := fakeAccount(f)
			a.Timeout = 5 * time.Second
			if tc.change != nil {
				tc.change(&a)
			}
			_, err := Check(t.Context(), a, "INBOX")
			if err == nil {
				t.Fatal("no error")
			}
			var advised interface{ Advice() string }
			if !errors.As(err, &advised) {
				t.Fatalf("no advice with %v", err)
			}
			if !strings.Contains(err.Error(), tc.says) || !strings.Contains(advised.Advice(), tc.advice) || Permanent(err) != tc.final {
				t.Errorf("error %q, advice %q, permanent %v; want %q, %q, %v", err, advised.Advice(), Permanent(err), tc.says, tc.advice, tc.final)
			}
		})
	}
}

func TestOldMailIsNotTakenForNew(t *testing.T) {
	f := imaptest.StartFake(t, letters(3)...)
	r := newReader(t, fakeAccount(f), "INBOX")
	r.all()
	r.got = nil
	for range 3 {
		r.all() // n:* names the newest mail each time
	}
	if len(r.got) != 0 {
		t.Errorf("came again: %q", r.subjects())
	}
	f.Add(letter(4))
	r.all()
	if want := []string{"mail 4"}; !slices.Equal(r.subjects(), want) {
		t.Errorf("got %q, want %q", r.subjects(), want)
	}
}

func TestMailDeletedBeforeItWasReadIsReported(t *testing.T) {
	f := imaptest.StartFake(t, letters(5)...)
	f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
		if strings.HasPrefix(line, "UID FETCH") {
			f.Delete(5) // after the search
		}
		return false
	})
	r := newReader(t, fakeAccount(f), "INBOX")
	r.all()
	if len(r.got) != 4 || r.gone != 1 {
		t.Errorf("%d mails and %d gone, want 4 and 1", len(r.got), r.gone)
	}
}

// A folder put back from a backup may keep its UIDVALIDITY and give UIDs again.
func TestAFolderRestoredFromABackupIsReadAnew(t *testing.T) {
	f := imaptest.StartFake(t, letters(10)...)
	r := newReader(t, fakeAccount(f), "INBOX")
	r.all()
	r.f.Close()
	for u := uint32(5); u <= 10; u++ {
		f.Delete(u)
	}
	f.Add(letter(100)) // UID 5 again
	r.got = nil
	r.all()
	if !slices.Contains(r.subjects(), "mail 100") {
		t.Errorf("got %q", r.subjects())
	}
}

// After a crash the worker takes mails one by one, and sets aside the one that
// crashes again.
func TestAMailIsSetAside(t *testing.T) {
	f := imaptest.StartFake(t, letters(5)...)
	a := fakeAccount(f)
	parsed := make(map[string]bool)
	a.Parse = func(raw []byte) mailbox.Message {
		m := parse(raw)
		parsed[m.Subject] = true // one mail at a time: no lock
		return m
	}
	r := newReader(t, a, "INBOX")
	r.f.Careful(func(validity uint32, uids []uint32) (int, int, error) {
		return 1, map[uint32]int{4: 2, 3: 3}[uids[0]], nil
	})
	for range 4 {
		r.step()
	}
	r.f.Careful(nil)
	if len(r.got) != 4 || r.got[1].UID != 4 || r.got[1].Problem == "" || r.got[1].ID == "" || parsed["mail 4"] || !parsed["mail 5"] || parsed["mail 3"] || !parsed["mail 2"] {
		t.Errorf("after the crashes: %+v", r.got)
	}
	if m := r.got[1]; m.From.Addr != "customer4@example.com" || m.Subject != "mail 4" {
		t.Errorf("of the mail set aside only %q, %q is known", m.From.Addr, m.Subject)
	}
	r.f.acct.Parse = parse
	r.all()
	r.wantAll(5)
}

func TestHistoryKeepsToTheBudgetOfADay(t *testing.T) {
	f := imaptest.StartFake(t, letters(30)...)
	a := fakeAccount(f)
	now := time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC)
	a.Now = func() time.Time { return now }
	a.Batch, a.DayBytes = 5, 3000
	r := newReader(t, a, "INBOX")
	r.all()
	if n := len(r.got); n == 0 || n > 25 {
		t.Errorf("%d mails on the first day", n)
	}
	f.Add(letter(31))
	before := len(r.got)
	r.all()
	if len(r.got) != before+1 {
		t.Errorf("new mail waits for the budget too")
	}
	for range 10 {
		now = now.Add(24 * time.Hour)
		r.all()
	}
	r.wantAll(31)
}

func TestNoCommandWritesToTheFolder(t *testing.T) {
	f := imaptest.StartFake(t, append(letters(3), bulky(4))...)
	r := newReader(t, fakeAccount(f), "INBOX")
	r.all()
	r.f.Close()
	for _, c := range f.Commands() {
		word, _, _ := strings.Cut(strings.TrimPrefix(c, "UID "), " ")
		if !slices.Contains([]string{"CAPABILITY", "AUTHENTICATE", "EXAMINE", "SEARCH", "FETCH", "NOOP", "LOGOUT"}, word) {
			t.Errorf("command %q", c)
		}
		if strings.Contains(c, "BODY[") {
			t.Errorf("without PEEK: %q", c)
		}
	}
}

// A server may say of a mail that it came in a year that no clock here can hold
// or that is not yet: it came when its header says, or now.
func TestATimeOfArrivalThatCannotBe(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"01-Jan-9999 00:00:00 +0000": "2026-11-23T08:00:00Z",
		"25-Nov-2036 00:00:00 +0000": "2026-11-23T08:00:00Z",
		"01-Jan-1601 00:00:00 +0000": "2026-11-23T08:00:00Z",
		"24-Nov-2026 12:05:00 +0000": "2026-11-24T12:05:00Z", // a clock that goes ahead a little
	} {
		f := imaptest.StartFake(t)
		f.Handle(func(c *imaptest.FakeConn, tag, line string) bool {
			if !strings.Contains(line, "INTERNALDATE") {
				return false
			}
			_, _, items := fetched(line)
			c.Send("%s%s OK done\r\n", strings.ReplaceAll(c.FetchLine(1, items), "24-Nov-2026 10:00:00 +0000", said), tag)
			return true
		})
		a := fakeAccount(f)
		a.Parse = mailbox.Parse
		r := newReader(t, a, "INBOX")
		r.all()
		f.Add("Received: from a by b; Mon, 23 Nov 2026 08:00:00 +0000\r\n" + letter(1))
		r.all()
		if len(r.got) != 1 || r.got[0].Received.UTC().Format(time.RFC3339) != want {
			t.Errorf("a mail said to be of %s: %d mails, the first of %v, want %s", said, len(r.got), r.got[0].Received, want)
		}
	}
}

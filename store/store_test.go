package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
)

// open opens a store that is checked when the test ends.
func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(context.Background()); err != nil && !errors.Is(err, berrors.ErrDatabaseNotOpen) {
			t.Errorf("the store is not sound:\n%v", err)
		}
		s.Close()
	})
	return s
}

var t0 = time.Date(2026, 11, 17, 9, 45, 0, 0, time.UTC)

func entry(n int, category string) Entry {
	return Entry{
		Message: mailbox.Message{ID: fmt.Sprintf("id%d", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n),
			Received: t0.Add(time.Duration(n) * time.Minute), MessageID: fmt.Sprintf("%d@x", n),
			From: mailbox.Address{Name: "Anna", Addr: fmt.Sprintf("anna%d@x.example", n)}, Subject: "Can't log in", Text: "words\n> old", Reply: "words"},
		Verdict: classify.Verdict{Category: category, Confidence: 0.9, Complaint: true, Evidence: []classify.Evidence{{Phrase: "can't log in", Weight: 1}}},
	}
}

func cursor(n int) mailbox.Cursor {
	return mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n)}
}

func appendOne(t *testing.T, s *Store, e ...Entry) Appended {
	t.Helper()
	a, err := s.Append(e, cursor(int(e[len(e)-1].UID)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAMailIsStoredOnce(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	if a := appendOne(t, s, entry(1, "login"), entry(2, "login")); a.Stored != 2 || a.Known != 0 {
		t.Fatalf("first Append = %+v", a)
	}
	moved := entry(1, "login")
	moved.Folder, moved.UID = "Done", 77
	if a := appendOne(t, s, moved, entry(3, "signup")); a.Stored != 1 || a.Known != 1 {
		t.Fatalf("Append of a known mail = %+v", a)
	}
	p, err := s.Messages(Query{})
	if err != nil || len(p.Entries) != 3 {
		t.Fatalf("Messages = %d, %v", len(p.Entries), err)
	}
	got, ok, err := s.Message("id1")
	want := entry(1, "login")
	if err != nil || !ok || got.Text != want.Text || got.From != want.From || got.Verdict.Evidence[0].Phrase != "can't log in" || !got.Received.Equal(want.Received) {
		t.Errorf("Message = %+v, %v, %v", got, ok, err)
	}
	c, ok, err := s.Cursor("support", "INBOX")
	if err != nil || !ok || c.UID != 3 {
		t.Errorf("Cursor = %+v, %v, %v", c, ok, err)
	}
	counts, err := s.Counts(t0.Add(-time.Hour), t0.Add(time.Hour))
	if err != nil || len(counts) != 2 || counts[0].Complaints != 2 {
		t.Errorf("Counts = %+v, %v", counts, err)
	}
}

func TestAnAnswerInAKnownThreadIsAFollowUp(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	first, second, other := entry(1, "login"), entry(2, "login"), entry(3, "login")
	second.From, second.References = first.From, []string{"support-answer@y", "1@x"}
	other.References = []string{"1@x"} // somebody else in that thread
	first.Subject = "I can't log in"
	bySubject, again, foreign := entry(4, "login"), entry(5, "login"), entry(6, "login")
	bySubject.From, bySubject.Subject = first.From, "AW: RE[2]: I can't  log in"
	again.From, again.Subject = first.From, first.Subject // written anew: no answer
	foreign.Subject = "Re: " + first.Subject
	appendOne(t, s, first, second, other, bySubject, again, foreign)
	var follow []bool
	if _, err := s.Since(0, 0, func(e Event) error { follow = append(follow, e.Message.FollowUp); return nil }); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(follow) != "[false true false true false false]" {
		t.Errorf("follow-ups = %v, want [false true false true false false]", follow)
	}
}

func TestACorrectionMovesTheCountsAndIsAnEvent(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	appendOne(t, s, entry(1, "login"))
	if _, err := s.Correct("id1", "signup", "anna", t0); err != nil {
		t.Fatal(err)
	}
	counts, _ := s.Counts(time.Time{}, time.Time{})
	if len(counts) != 1 || counts[0].Category != "signup" {
		t.Errorf("Counts = %+v", counts)
	}
	var kinds []string
	_, err := s.Since(0, 0, func(e Event) error {
		switch {
		case e.Message != nil:
			kinds = append(kinds, "message "+e.Message.Category())
		case e.Relabel != nil:
			kinds = append(kinds, e.Relabel.Message.Category()+" -> "+e.Relabel.To+" by "+e.Relabel.Who)
		}
		return nil
	})
	if got := strings.Join(kinds, ", "); err != nil || got != "message login, login -> signup by anna" {
		t.Errorf("log = %s, %v", got, err)
	}
	if _, err := s.Correct("nobody", "signup", "anna", t0); !errors.Is(err, ErrNoMessage) {
		t.Errorf("Correct of an unknown message: %v", err)
	}
	n := 0
	if err := s.Corrections(func(e Entry) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d corrections, %v", n, err)
	}
}

func TestPagesAreWrittenWithTheirIncidentAndLeaveInOrder(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	i := detect.Incident{ID: "i1", State: detect.Open, StartedAt: t0, DetectedAt: t0}
	change := detect.Change{Kind: detect.Opened, At: t0, Incident: i}
	if err := s.Record("d", 7, []detect.Change{change}, []Delivery{{Incident: "i1", Change: detect.Opened, Pager: "a", Due: t0}, {Incident: "i1", Change: detect.Opened, Pager: "b", Due: t0}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Record("d", 6, nil, nil); err == nil {
		t.Error("a mark went backwards")
	}
	change.Kind = detect.DidResolve
	if err := s.Record("d", 8, []detect.Change{change}, []Delivery{{Incident: "i1", Change: detect.DidResolve, Pager: "a", Due: t0}}); err != nil {
		t.Fatal(err)
	}
	box, err := s.Outbox("a")
	if err != nil || len(box) != 2 || box[0].Change != detect.Opened || box[1].Change != detect.DidResolve {
		t.Fatalf("Outbox = %+v, %v", box, err)
	}
	d := box[0]
	d.State, d.Attempts, d.DoneAt = Delivered, 1, t0.Add(time.Second)
	if err := s.Settle(d); err != nil {
		t.Fatal(err)
	}
	steps, err := s.Timeline("i1")
	if err != nil || len(steps) != 3 {
		t.Errorf("Timeline = %+v, %v", steps, err)
	}
	if m, _ := s.Mark("d"); m != 8 {
		t.Errorf("Mark = %d", m)
	}
}

func TestForgetAndRetainRemoveTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s := open(t, path)
	a, b := entry(1, "login"), entry(2, "login")
	a.Reply = "my secret words are xyzzyplugh"
	appendOne(t, s, a, b)
	if n, err := s.Forget(context.Background(), "ANNA1@x.example"); err != nil || n != 1 {
		t.Fatalf("Forget = %d, %v", n, err)
	}
	got, _, _ := s.Message("id1")
	if got.From.Addr == "anna1@x.example" || got.Reply != "" || got.Subject == "Can't log in" {
		t.Errorf("after Forget: %+v", got)
	}
	if n, err := s.Retain(context.Background(), t0.Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("Retain = %d, %v", n, err)
	}
	if counts, _ := s.Counts(time.Time{}, time.Time{}); len(counts) != 1 || counts[0].Messages != 2 {
		t.Errorf("counts did not survive: %+v", counts)
	}
}

func TestASecondProcessIsToldWhoHoldsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	open(t, path)
	_, err := Open(path, Options{Timeout: 10 * time.Millisecond})
	var a interface{ Advice() string }
	if !errors.Is(err, ErrInUse) || !errors.As(err, &a) || !strings.Contains(a.Advice(), "fuser") {
		t.Errorf("Open of a held file: %v", err)
	}
}

func TestStrangeFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	os.WriteFile(text, []byte(strings.Repeat("just some text\n", 2000)), 0o600)
	if _, err := Open(text, Options{}); !errors.Is(err, ErrNotTocsin) {
		t.Errorf("Open of a text file: %v", err)
	}
	other := filepath.Join(dir, "other")
	db, _ := bbolt.Open(other, 0o600, nil)
	db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("x")); return err })
	db.Close()
	if _, err := Open(other, Options{}); !errors.Is(err, ErrNotTocsin) {
		t.Errorf("Open of another program's bbolt file: %v", err)
	}
	newer := filepath.Join(dir, "newer")
	s, err := Open(newer, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bMeta).Put(keyFormat, key8(format+1)) })
	s.Close()
	if _, err := Open(newer, Options{}); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("Open of a newer file: %v", err)
	}
	raw, _ := os.ReadFile(newer)
	cut := filepath.Join(dir, "cut")
	os.WriteFile(cut, raw[:len(raw)/2], 0o600)
	if s, err := Open(cut, Options{}); err == nil {
		s.Close()
		t.Error("a file cut in half was opened")
	}
}

// A page written over anywhere is said in words, whoever opens the file.
func TestADamagedFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s := open(t, path)
	for n := 0; n < 500; n += 50 {
		var list []Entry
		for i := range 50 {
			e := entry(n+i, "login")
			e.Text = fmt.Sprintf("%x", rand.New(rand.NewPCG(1, uint64(n+i))).Perm(300))
			list = append(list, e)
		}
		appendOne(t, s, list...)
	}
	s.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for at := 2 * os.Getpagesize(); at < len(raw); at += 7 * os.Getpagesize() {
		bad := bytes.Clone(raw)
		for i := range 64 {
			bad[at+i] = 0xff
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{true, false} {
			if s, err := Open(path, Options{ReadOnly: readOnly}); err == nil {
				s.Close() // a page that is free, or the end of a long value
			} else if named++; !strings.Contains(err.Error(), "is damaged") {
				t.Errorf("a file damaged at %d: %v", at, err)
			}
		}
	}
	if named == 0 {
		t.Error("no damage was found")
	}
}

// TestKilledAtAnyInstantNothingIsLostOrRepeated runs this binary as a child
// that stores batches and says what it has stored, and kills it.
func TestKilledAtAnyInstantNothingIsLostOrRepeated(t *testing.T) {
	if path := os.Getenv("STORE_CHILD"); path != "" {
		storeForEver(path)
		return
	}
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("STORE_KILLS")); err == nil {
		rounds = n
	}
	path := filepath.Join(t.TempDir(), "t.db")
	rng := rand.New(rand.NewPCG(1, 2))
	said := 0
	for range rounds {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledAtAnyInstant")
		cmd.Env = append(os.Environ(), "STORE_CHILD="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := 1 + rng.IntN(40) // batches until it is killed
		sc := bufio.NewScanner(out)
		for sc.Scan() {
			if n, err := strconv.Atoi(strings.TrimPrefix(sc.Text(), "stored ")); err == nil {
				said = max(said, n)
				if kill--; kill == 0 {
					break
				}
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	s := open(t, path)
	c, _, err := s.Cursor("support", "INBOX")
	if err != nil || int(c.UID) < said {
		t.Fatalf("the child said it had stored %d, the cursor is at %d (%v)", said, c.UID, err)
	}
	n := 0
	if _, err := s.Since(0, 0, func(e Event) error {
		n++
		if e.Message.ID != fmt.Sprintf("id%d", n) {
			t.Fatalf("event %d is message %s", n, e.Message.ID)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n != int(c.UID) {
		t.Errorf("%d messages, cursor at %d", n, c.UID)
	}
}

func storeForEver(path string) {
	s, err := Open(path, Options{Timeout: 5 * time.Second})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		c, _, err := s.Cursor("support", "INBOX")
		if err != nil {
			os.Exit(1)
		}
		var batch []Entry
		for n := int(c.UID) + 1; n <= int(c.UID)+7; n++ {
			batch = append(batch, entry(n, "login"))
		}
		if _, err := s.Append(batch, cursor(int(c.UID)+7)); err != nil {
			os.Exit(1)
		}
		fmt.Println("stored", int(c.UID)+7)
	}
}

func FuzzDecodeHead(f *testing.F) {
	e := entry(1, "login")
	f.Add(encodeHead(&e))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeHead(b, false)
		if err == nil {
			if _, err := decodeHead(encodeHead(&m), false); err != nil {
				t.Fatalf("what was read cannot be written and read: %v", err)
			}
		}
	})
}

func BenchmarkAppend100(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "t.db"))
	n := 0
	for b.Loop() {
		batch := make([]Entry, 100)
		for i := range batch {
			n++
			batch[i] = entry(n, "login")
		}
		if _, err := s.Append(batch, cursor(n)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "mails/s")
}

func BenchmarkSince(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "t.db"))
	const total = 20000
	for n := 0; n < total; n += 1000 {
		batch := make([]Entry, 1000)
		for i := range batch {
			batch[i] = entry(n+i+1, "login")
		}
		if _, err := s.Append(batch, cursor(n+1000)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		n := 0
		if _, err := s.Since(0, 0, func(Event) error { n++; return nil }); err != nil || n != total {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(total*b.N)/b.Elapsed().Seconds(), "events/s")
}

// The log finds each message, whatever order mail came in: history is read
// newest first.
func TestSinceFindsMessagesInAnyOrder(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	var want []string
	for i, n := range []int{5, 6, 7, 3, 2, 1, 9, 4, 8} {
		if _, err := s.Append([]Entry{entry(n, "login")}, cursor(i+1)); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("id%d", n))
	}
	var got []string
	if _, err := s.Since(0, 0, func(e Event) error { got = append(got, e.Message.ID); return nil }); err != nil || !slices.Equal(got, want) {
		t.Errorf("Since gave %v, %v; want %v", got, err, want)
	}
}

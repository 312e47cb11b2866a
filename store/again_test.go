package store

import (
	"path/filepath"
	"testing"
	"time"

	"tocsin/mailbox"
)

// One mail, found again at every kind of place, is one mail, and the reason is
// kept for people to see.
func TestAMailCountsOnceWhereverItIs(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	appendOne(t, s, entry(1, "login"), entry(2, "login"))
	for _, tc := range []struct {
		account, folder string
		validity, uid   uint32
		want            Reason
	}{
		{"support", "INBOX", 1, 1, ReadTwice},
		{"support", "INBOX", 1, 9, CameBack},
		{"support", "INBOX", 2, 1, Renumbered},
		{"support", "Done", 1, 4, OtherFolder},
		{"sales", "INBOX", 1, 4, OtherMailbox},
		{"import", "files", 1, 4, Imported},
	} {
		for range 2 { // a second time is no second reason
			e := entry(1, "login")
			e.Account, e.Folder, e.UIDValidity, e.UID = tc.account, tc.folder, tc.validity, tc.uid
			a, err := s.Append([]Entry{e}, mailbox.Cursor{Account: tc.account, Folder: tc.folder, UIDValidity: tc.validity, UID: tc.uid})
			if err != nil || a.Stored != 0 || a.Known != 1 || a.Again[tc.want] != 1 {
				t.Errorf("at %v: %+v, %v", tc, a, err)
			}
		}
	}
	st, err := s.Stats()
	if err != nil || st.Messages != 2 || len(st.Again) != 5 {
		t.Errorf("stats %+v, %v", st, err)
	}
	for r, n := range st.Again {
		if n != 1 {
			t.Errorf("%q is counted %d times", r, n)
		}
	}
	places, err := s.Places("id1")
	if err != nil || len(places) != 5 {
		t.Fatalf("places %+v, %v", places, err)
	}
	if other, err := s.Places("id2"); err != nil || len(other) != 0 {
		t.Errorf("places of another mail %+v, %v", other, err)
	}
}

// A mail gone from the folder it arrived in is missed, unless it turns up in
// one that people move mail to.
func TestMovedMailIsMissedUnlessFound(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	arrived := cursor(10)
	arrived.Taken, arrived.Left = 7, 3
	if _, err := s.Append([]Entry{entry(10, "login")}, arrived); err != nil {
		t.Fatal(err)
	}
	moved, old := entry(20, "login"), entry(21, "login")
	moved.Folder, moved.Filed = "Done", true
	old.Folder, old.Filed, old.History = "Done", true, true
	done := mailbox.Cursor{Account: "support", Folder: "Done", UIDValidity: 1, UID: 21}
	for range 2 { // found once, however often it is read
		if _, err := s.Append([]Entry{moved, old}, done); err != nil {
			t.Fatal(err)
		}
		c, _, err := s.Cursor("support", "Done")
		if err != nil {
			t.Fatal(err)
		}
		done = c
	}
	st, err := s.Stats()
	if err != nil || st.Left != 3 || st.Found != 1 || st.Missed != 2 || st.Gaps {
		t.Errorf("left %d, found %d, missed %d, gaps %v, %v; want 3, 1, 2", st.Left, st.Found, st.Missed, st.Gaps, err)
	}
	// A server that numbers with gaps says nothing of missed mail.
	sparse := mailbox.Cursor{Account: "zimbra", Folder: "INBOX", UIDValidity: 1, UID: 9000, Taken: 100, Left: 8000}
	if _, err := s.Append(nil, sparse); err != nil {
		t.Fatal(err)
	}
	if st, err = s.Stats(); err != nil || st.Missed != 2 || !st.Gaps {
		t.Errorf("with gaps: missed %d, gaps %v, %v", st.Missed, st.Gaps, err)
	}
}

// A mail that people move to a folder named for a category is corrected by
// that, and the last word wins, whoever had it.
func TestAFolderThatTeachesCorrects(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.db"))
	appendOne(t, s, entry(1, "bug"))
	find := func(folder, teaches string, validity, uid uint32) Appended {
		t.Helper()
		e := entry(1, "bug")
		e.Folder, e.UIDValidity, e.UID, e.Teaches = folder, validity, uid, teaches
		a, err := s.Append([]Entry{e}, mailbox.Cursor{Account: e.Account, Folder: folder, UIDValidity: validity, UID: uid})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	is := func(when, want string) {
		t.Helper()
		if e, _, err := s.Message("id1"); err != nil || e.Corrected != want {
			t.Errorf("%s: corrected to %q, want %q; %v", when, e.Corrected, want, err)
		}
	}
	if a := find("Login", "login", 1, 1); a.Taught != 1 {
		t.Errorf("%d were taught, want 1", a.Taught)
	}
	is("moved to Login", "login")
	if _, err := s.Correct("id1", "payment", "ada", time.Now()); err != nil {
		t.Fatal(err)
	}
	find("Login", "login", 1, 1)
	is("read twice after a person's word", "payment")
	find("Login", "login", 2, 1)
	is("renumbered after a person's word", "payment")
	find("Signup", "signup", 1, 1)
	is("moved to Signup", "signup")
	find("INBOX", "", 1, 7)
	is("moved back to INBOX", "signup")
	find("Login", "login", 1, 2)
	is("moved to Login again", "signup") // whose numbers changed: nobody can tell

	e := entry(2, "bug") // moved before it was seen
	e.Folder, e.Teaches = "Login", "login"
	appendOne(t, s, e)
	if e, _, err := s.Message("id2"); err != nil || e.Corrected != "login" {
		t.Errorf("a new mail in Login is corrected to %q; %v", e.Corrected, err)
	}
	n := 0
	if err := s.Corrections(func(Entry) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d corrections to learn from, want 2; %v", n, err)
	}
}

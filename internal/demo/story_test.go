package demo

import (
	"bytes"
	"net/mail"
	"testing"
	"time"
)

func TestTheStoryIsTheMorningThatHappened(t *testing.T) {
	day := time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC)
	s := New(day)
	if s.Surge != 150 {
		t.Errorf("the outage has %d complaints, want 150", s.Surge)
	}
	var first, last time.Time
	seen := map[string]bool{}
	for _, m := range s.Morning {
		if m.Category != "login" && m.Category != "signup" {
			continue
		}
		if m.At.Before(s.First) {
			continue
		}
		if first.IsZero() {
			first = m.At
		}
		last = m.At
		msg, err := mail.ReadMessage(bytes.NewReader(m.Raw))
		if err != nil {
			t.Fatalf("a mail of the story cannot be read: %v\n%s", err, m.Raw)
		}
		from := msg.Header.Get("From")
		if seen[from] {
			t.Errorf("%s wrote twice", from)
		}
		seen[from] = true
	}
	if got := first.Format("15:04"); got != "09:45" {
		t.Errorf("first complaint at %s, want 09:45", got)
	}
	if got := last.Format("15:04"); got != "11:10" {
		t.Errorf("last complaint at %s, want 11:10", got)
	}
	if len(s.Past) < 300 {
		t.Errorf("only %d mails of history", len(s.Past))
	}
	for i := 1; i < len(s.Past); i++ {
		if s.Past[i].At.Before(s.Past[i-1].At) {
			t.Fatal("the history is not in order")
		}
	}
}

func TestTheSameDayGivesTheSameMails(t *testing.T) {
	day := time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC)
	a, b := New(day), New(day)
	if len(a.Morning) != len(b.Morning) {
		t.Fatalf("%d and %d mails", len(a.Morning), len(b.Morning))
	}
	for i := range a.Morning {
		if !bytes.Equal(a.Morning[i].Raw, b.Morning[i].Raw) {
			t.Fatalf("mail %d differs", i)
		}
	}
}

func TestAScreenWithoutATerminalPrintsPlainLines(t *testing.T) {
	var b bytes.Buffer
	s := &Screen{W: &b, Width: 80}
	at := time.Date(2026, 11, 17, 9, 45, 10, 0, time.UTC)
	s.Chart(at, []Count{{"question", []int{1, 0}}, {"login", []int{2, 3}}})
	s.Chart(at.Add(time.Minute), []Count{{"login", []int{2, 4}}})
	s.Tell(at, Red, "PAGED")
	want := "09:45    mail so far:  login 5  question 1\n09:45    PAGED\n"
	if b.String() != want {
		t.Errorf("screen:\n%q\nwant\n%q", b.String(), want)
	}
}

package mailbox

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSplitFindsTheMailsOfAnMbox(t *testing.T) {
	file := "From a@example.com Mon Mar  2 09:00:00 2026\nSubject: one\n\n>From here on\nFrom now on all is well\n\n" +
		"From MAILER-DAEMON Mon Mar  2 10:00:00 2026\r\nSubject: two\r\n\r\nwords\r\n\r\n" +
		"From b@example.com\nSubject: three\n\n"
	var mails []string
	var times []time.Time
	for raw, err := range Split(strings.NewReader(file)) {
		if err != nil {
			t.Fatal(err)
		}
		mails, times = append(mails, string(raw.Bytes)), append(times, raw.Delivered)
	}
	if want := []string{"Subject: one\n\nFrom here on\nFrom now on all is well\n", "Subject: two\r\n\r\nwords\r\n", "Subject: three\n"}; !slices.Equal(mails, want) {
		t.Errorf("mails %q, want %q", mails, want)
	}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if want := []time.Time{at, at.Add(time.Hour), {}}; !slices.EqualFunc(times, want, time.Time.Equal) {
		t.Errorf("delivered at %v, want %v", times, want)
	}
}

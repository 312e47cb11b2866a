package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
	"tocsin/store"
)

// TestWhatAPageSays, from what is stored: kinds, customers, the packages that
// have to do with it first, the words that surge, three customers, blotted out
// as asked.
func TestWhatAPageSays(t *testing.T) {
	o := newOffice(t, nil, nil)
	var entries []store.Entry
	add := func(n int, from, name, subject, text string, received time.Time) {
		m := mailbox.Message{ID: fmt.Sprint("m", n), Account: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(n + 1), Received: received,
			From: mailbox.Address{Addr: from, Name: name}, Subject: subject, Text: text, Reply: text}
		entries = append(entries, store.Entry{Message: m, Verdict: classify.Verdict{Category: "login", Complaint: true}})
	}
	for n := range 30 {
		add(n, fmt.Sprintf("o%d@example.org", n), "Old", "Invoice", "Please send the invoice of last month again.", at.Add(-time.Duration(n+1)*24*time.Hour))
	}
	for n := range 5 {
		add(30+n, fmt.Sprintf("c%d@example.com", n), fmt.Sprintf("Anna Meier%d", n), "Login",
			fmt.Sprintf("Anna here: token expired, token expired. +49 170 1234567, c%d@example.com, 4711222", n), at.Add(time.Duration(n)*time.Minute))
	}
	if _, err := o.store.Append(entries, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: 40}); err != nil {
		t.Fatal(err)
	}
	changes := []detect.PackageChange{{Name: "zlib", From: []string{"1.0.0"}, To: []string{"2.0.0"}, Kind: "major", Direct: true}, {Name: "lodash", From: []string{"4.0.0"}, To: []string{"4.0.1"}, Kind: "upgraded"},
		{Name: "jsonwebtoken", From: []string{"9.0.2"}, To: []string{"8.5.1"}, Kind: "downgraded"}}
	dep := detect.Deployment{ID: "d", Service: "web", Version: "2.4.0", At: at.Add(-5 * time.Minute), Changes: changes}
	if _, _, err := o.store.AddDeployment(dep, nil); err != nil {
		t.Fatal(err)
	}
	r := detect.Reason{Customers: 5, Complaints: 7, Expected: 0.31, Window: 4 * time.Minute, FirstComplaint: at, Categories: []string{"login"}, Messages: []string{"m30", "m31", "m32", "m33", "m34"}}
	i := detect.Incident{ID: "i", Kind: "surge", Level: detect.Paging, State: detect.Open, Categories: []string{"login"}, StartedAt: at, DetectedAt: at.Add(4 * time.Minute), Reason: r, Now: r,
		Suspect: &detect.Suspect{Deployment: detect.Deployment{ID: "d", Service: "web", Version: "2.4.0", At: dep.At}, Lead: 5 * time.Minute}}
	if err := o.store.Record("detector", 0, []detect.Change{{Kind: detect.Opened, At: at, Incident: i}}, nil); err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := &Composer{Store: o.store, Location: berlin, PublicURL: "https://tocsin.example.com/", Redact: []string{"email", "number", "name"}, Now: func() time.Time { return i.DetectedAt }}
	p, err := c.Compose(store.Delivery{ID: 3, Incident: "i", Change: detect.Opened, Due: i.DetectedAt})
	if err != nil {
		t.Fatal(err)
	}
	if want := "login complaints: 5 customers (7 mails) in 4 min (normal 0.3), 5 min after deployment web 2.4.0"; p.Sentence != want {
		t.Errorf("it says %q, want %q", p.Sentence, want)
	}
	if len(p.Packages) != 3 || !strings.HasPrefix(p.Packages[0], "jsonwebtoken 9.0.2 -> 8.5.1") {
		t.Errorf("packages %q", p.Packages)
	}
	if got := strings.Join(p.Terms, ", "); !strings.Contains(got, "token") || strings.Contains(got, "invoice") {
		t.Errorf("words %q", got)
	}
	text := p.text()
	for _, want := range []string{"First complaint: 10:45 CET", "Deployment: web 2.4.0 at 10:40 CET", "https://tocsin.example.com/incidents/i", "[number]", "[address]"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	for _, secret := range []string{"Anna", "Meier", "1234567", "4711222", "c1@example.com"} {
		if len(p.Quotes) != maxQuotes || strings.Contains(text, secret) {
			t.Errorf("%d quotes, and it shows %q:\n%s", len(p.Quotes), secret, text)
		}
	}
}

// TestWhatBecameOfATroubleNamesIt: not every incident is about complaints.
func TestWhatBecameOfATroubleNamesIt(t *testing.T) {
	o := newOffice(t, nil, nil)
	i := detect.Incident{ID: "i", Kind: "outcome", Key: "web/login", Level: detect.Paging, State: detect.Open, Categories: []string{"outcome"}, StartedAt: at, DetectedAt: at,
		Reason: detect.Reason{Text: "ärger"}, Now: detect.Reason{Text: "ärger"}}
	if err := o.store.Record("detector", 0, []detect.Change{{Kind: detect.Opened, At: at, Incident: i}}, nil); err != nil {
		t.Fatal(err)
	}
	c := &Composer{Store: o.store, Now: func() time.Time { return at }}
	for change, want := range map[detect.ChangeKind]string{
		detect.Opened: "A success rate has dropped", detect.DidAcknowledge: "Acknowledged: A success rate has dropped",
		detect.DidDismiss: "False alarm: A success rate has dropped", detect.DidResolve: "Resolved: A success rate has dropped",
	} {
		p, err := c.Compose(store.Delivery{Incident: "i", Change: change, Due: at})
		if err != nil || p.Headline != want || !strings.HasPrefix(p.text(), "Ärger") {
			t.Errorf("%s: %q, %v, %q", change, p.Headline, err, p.text())
		}
	}
}

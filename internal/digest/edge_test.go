package digest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/detect"
	"tocsin/internal/page"
	"tocsin/store"
)

func record(t *testing.T, s *store.Store, kind detect.ChangeKind, i detect.Incident) {
	t.Helper()
	mark, err := s.Mark("detector")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record("detector", mark, []detect.Change{{Kind: kind, At: i.DetectedAt, Incident: i}}, nil); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, o Options, week string) *Digest {
	t.Helper()
	w, err := ParseWeek(week, o.WeekStart, o.Location)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Build(t.Context(), o, w)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAFalseAlarmIsNotBlamedOnADeployment: neither in the headline nor in the
// list of deployments, and the record owns up to it.
func TestAFalseAlarmIsNotBlamedOnADeployment(t *testing.T) {
	o := filled(t)
	i, _, err := o.Store.Incident("20261117-0949-abcdef")
	if err != nil {
		t.Fatal(err)
	}
	i.FalseAlarm, i.ResolvedBy = true, "anna"
	record(t, o.Store, detect.DidDismiss, i)
	d := build(t, o, "2026-W47")
	if want := "Week 47: 1 false alarm, 53 complaints (+212 %)"; d.Subject() != want {
		t.Errorf("subject %q, want %q", d.Subject(), want)
	}
	if strings.Contains(d.Text(), "suspect") || !strings.Contains(d.Record(), "it was a false alarm") {
		t.Errorf("the digest of a false alarm:\n%s", d.Text())
	}
}

// TestTheHeadlineNamesADeploymentOnlyWhereAllAgree: two incidents, of which one
// has no suspect, are not put down to one deployment.
func TestTheHeadlineNamesADeploymentOnlyWhereAllAgree(t *testing.T) {
	o := filled(t)
	i, _, err := o.Store.Incident("20261117-0949-abcdef")
	if err != nil {
		t.Fatal(err)
	}
	second := i
	second.ID, second.Suspect = "second", nil
	record(t, o.Store, detect.Opened, second)
	if d := build(t, o, "2026-W47"); !strings.HasPrefix(d.Subject(), "Week 47: 2 incidents, 53 ") {
		t.Errorf("subject %q", d.Subject())
	}
}

func TestASuspectIsShownHoweverManyDeploymentsThereWere(t *testing.T) {
	o := filled(t)
	monday := time.Date(2026, 11, 16, 1, 0, 0, 0, o.Location)
	for n := range 120 {
		if _, _, err := o.Store.AddDeployment(detect.Deployment{ID: fmt.Sprint("x", n), Service: "jobs", Version: fmt.Sprint(n), At: monday.Add(time.Duration(n) * time.Hour), Failed: n == 50}, nil); err != nil {
			t.Fatal(err)
		}
	}
	d := build(t, o, "2026-W47")
	text := d.Text()
	if len(d.Deployments) != maxDeployments || d.Deployed != 122 || !strings.Contains(text, "suspect") || !strings.Contains(text, "failed") || !strings.Contains(text, "and 82 more") {
		t.Errorf("%d of %d shown:\n%s", len(d.Deployments), d.Deployed, text)
	}
	for n := 1; n < len(d.Deployments); n++ {
		if d.Deployments[n].At.Before(d.Deployments[n-1].At) {
			t.Error("the deployments are out of order")
		}
	}
}

// TestNormalCoversEachHourOnce in weeks of 167, 168 and 169 hours.
func TestNormalCoversEachHourOnce(t *testing.T) {
	o := filled(t)
	o.Normal = func(_ string, from, to time.Time, step time.Duration) (bands []detect.Band) {
		for at := from; at.Before(to); at = at.Add(step) {
			bands = append(bands, detect.Band{From: at, To: at.Add(step), Expected: step.Hours()})
		}
		return bands
	}
	for week, want := range map[string]float64{"2026-W13": 167, "2026-W12": 168, "2026-W43": 169} {
		w, _ := ParseWeek(week, o.WeekStart, o.Location)
		if got := normal(&o, "login", w); got != want {
			t.Errorf("%s: normal at one an hour is %v, want %v", week, got, want)
		}
	}
}

// TestADeploymentOfThisHourIsNotCalledClean.
func TestADeploymentOfThisHourIsNotCalledClean(t *testing.T) {
	o := filled(t)
	at := time.Date(2026, 11, 18, 9, 45, 0, 0, o.Location)
	o.Now = func() time.Time { return at.Add(10 * time.Minute) }
	d := build(t, o, "2026-W47")
	if last := d.Deployments[len(d.Deployments)-1]; last.tail() != "watched" || d.Over {
		t.Errorf("ten minutes after %s it is called %s", last.Name, last.tail())
	}
}

// TestHostileNamesStayShort: a version or a trouble's text of a megabyte makes
// neither a subject nor a mail of a megabyte.
func TestHostileNamesStayShort(t *testing.T) {
	o := filled(t)
	i, _, err := o.Store.Incident("20261117-0949-abcdef")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("<b>\u202e\x1b[31mwww.evil.example é", 40_000)
	i.Suspect.Deployment.Version = long
	i.Reason.Text, i.Now.Text = long, long
	record(t, o.Store, detect.Grew, i)
	d := build(t, o, "2026-W47")
	if n := utf8.RuneCountInString(d.Subject()); n > 160 || strings.ContainsAny(d.Subject(), "\x1b\u202e\r\n") {
		t.Errorf("a subject of %d characters", n)
	}
	text, html := d.Text(), d.HTML()
	if len(text) > 10_000 || len(html) > 40_000 {
		t.Errorf("text of %d bytes, HTML of %d", len(text), len(html))
	}
	if strings.ContainsAny(text+html, "\x1b\u202e") || strings.Contains(html, "<b>") {
		t.Error("an attack went through")
	}
	draft, err := PostMortem(t.Context(), o, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(draft) > 20_000 {
		t.Errorf("a draft of %d bytes", len(draft))
	}
	if regexp.MustCompile(`www\.|<b>`).MatchString(draft) {
		t.Error("a version is a link or markup in the draft")
	}
}

func TestMarkdownOfOthersIsText(t *testing.T) {
	for in, want := range map[string]string{
		"https://evil.example":  `https\://evil.example`,
		"see WWW.evil.example":  `see WWW\.evil.example`,
		"- item":                `\- item`,
		"--- and - later":       `\--- and - later`,
		"a | b":                 `a \| b`,
		"![x](javascript:1)":    `\!\[x\](javascript:1)`,
		"&lt;b&gt; $x$ `code`":  "\\&lt;b\\&gt; \\$x\\$ \\`code\\`",
		"Thu 17:02: ratio 3:1.": "Thu 17:02: ratio 3:1.",
		"# no\nheading":         `\# no heading`,
	} {
		if got := md(in); got != want {
			t.Errorf("md(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestAWrongClockDoesNotSilenceTheDigest for good.
func TestAWrongClockDoesNotSilenceTheDigest(t *testing.T) {
	o := filled(t)
	raw, _ := json.Marshal(sent{time.Date(2099, 1, 5, 8, 0, 0, 0, time.UTC)})
	if err := o.Store.SetValue(valueBucket, valueKey, raw); err != nil {
		t.Fatal(err)
	}
	var subjects []string
	now := o.Now()
	o.Now = func() time.Time { return now }
	s := &Sender{Options: o, Schedule: Schedule{Day: time.Monday, Hour: 8, Location: o.Location}, To: []string{"lead@example.com"}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Send: func(_ context.Context, l page.Letter) error { subjects = append(subjects, l.Subject); return nil }}
	for range 2 {
		if err := s.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.AddDate(0, 0, 7)
	}
	if len(subjects) != 1 {
		t.Errorf("sent after the clock was right again: %q", subjects)
	}
}

// TestRender writes a hard week to a file for the eyes, where one is asked for.
func TestRender(t *testing.T) {
	file := os.Getenv("DIGEST_HTML")
	if file == "" {
		t.Skip("DIGEST_HTML names no file")
	}
	o := filled(t)
	i, _, _ := o.Store.Incident("20261117-0949-abcdef")
	i.ID, i.FalseAlarm = "second", true
	i.Reason.Text = strings.Repeat("unbroken", 60)
	record(t, o.Store, detect.DidDismiss, i)
	at := time.Date(2026, 11, 19, 9, 45, 0, 0, o.Location)
	for n, v := range []string{strings.Repeat("f95f852a", 8), "3.1"} {
		if _, _, err := o.Store.AddDeployment(detect.Deployment{ID: v, Service: "checkout", Version: v, At: at.Add(time.Duration(n) * time.Hour), Rollback: n == 1}, nil); err != nil {
			t.Fatal(err)
		}
	}
	d := build(t, o, "2026-W47")
	d.Samples = append(d.Samples, Sample{"m1", strings.Repeat("Ж", 200)})
	if err := os.WriteFile(file, []byte(d.HTML()), 0o600); err != nil {
		t.Fatal(err)
	}
}

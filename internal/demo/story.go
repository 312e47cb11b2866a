// Package demo replays the morning that Tocsin was built for: a deployment at
// 9:40, the first complaint at 9:45, and 150 of them by 11:10, over a real IMAP
// connection and through the same worker that reads a real inbox.
package demo

import (
	_ "embed"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"tocsin/detect"
)

var (
	//go:embed mails/login.txt
	loginMails string
	//go:embed mails/signup.txt
	signupMails string
	//go:embed mails/background.txt
	backgroundMails string
	//go:embed lock/before.json
	lockBefore []byte
	//go:embed lock/after.json
	lockAfter []byte
)

// Mail is one mail of the story, ready to be delivered.
type Mail struct {
	At       time.Time
	Category string // what a person would call it; only the story itself looks at it
	Raw      []byte
}

// Story is the replayed morning and the weeks before it.
type Story struct {
	Begin, End time.Time // of what is replayed
	Deployed   time.Time // 9:40
	First      time.Time // 9:45, the first complaint of the outage
	Found      time.Time // 10:05, when the team really found out
	Cause      time.Time // 10:45, when the cause was really found

	Past    []Mail // before Begin, oldest first
	Morning []Mail // from Begin, oldest first
	Surge   int    // how many of Morning are complaints of the outage

	Before, Deployment detect.Deployment // the release before, and the one that broke the login
	LockBefore         []byte            // their lockfiles
	LockAfter          []byte
}

// historyWeeks is how much ordinary mail the inbox holds when the demo starts.
const historyWeeks = 4

// New writes the story of a day. The same day gives the same mails.
func New(day time.Time) *Story {
	at := func(h, m int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, day.Location())
	}
	s := &Story{
		Begin: at(9, 38), End: at(11, 11),
		Deployed: at(9, 40), First: at(9, 45), Found: at(10, 5), Cause: at(10, 45),
		LockBefore: lockBefore, LockAfter: lockAfter,
	}
	s.Before = detect.Deployment{ID: "demo-web-2.3.9", Service: "web", Version: "2.3.9", Environment: "production",
		At: at(9, 40).AddDate(0, 0, -4), Commit: "c41d0be", Source: "demo"}
	s.Deployment = detect.Deployment{ID: "demo-web-2.4.0", Service: "web", Version: "2.4.0", Environment: "production",
		At: s.Deployed, Commit: "f95f852", Source: "demo"}
	w := &writer{rng: rand.New(rand.NewPCG(9, 45)), people: newPeople()}
	s.Past = w.background(at(9, 38).AddDate(0, 0, -7*historyWeeks), s.Begin)
	s.Morning = w.background(s.Begin, s.End)
	surge := w.surge(s.First, at(11, 10))
	s.Surge = len(surge)
	s.Morning = append(s.Morning, surge...)
	sort.SliceStable(s.Morning, func(i, j int) bool { return s.Morning[i].At.Before(s.Morning[j].At) })
	return s
}

// rate is how many ordinary mails an hour arrive, by hour of the day and day
// of the week.
func rate(t time.Time) float64 {
	h := float64(t.Hour()) + float64(t.Minute())/60
	r := 0.15 + 4.2*math.Exp(-(h-11)*(h-11)/9) + 3*math.Exp(-(h-15.5)*(h-15.5)/8)
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		r *= 0.2
	}
	return r
}

// background is ordinary mail as a Poisson process of that rate, with a
// machine's mail now and then.
func (w *writer) background(from, to time.Time) []Mail {
	lines := strings.Split(strings.TrimSpace(backgroundMails), "\n")
	const most = 9.0
	var mails []Mail
	for t := from; ; {
		t = t.Add(time.Duration(w.rng.ExpFloat64() / most * float64(time.Hour)))
		if !t.Before(to) {
			return mails
		}
		if w.rng.Float64() > rate(t)/most {
			continue
		}
		if w.rng.IntN(9) == 0 {
			mails = append(mails, Mail{t, "other", w.automated(t)})
			continue
		}
		category, rest, _ := strings.Cut(lines[w.rng.IntN(len(lines))], " | ")
		subject, body := subjectAndBody(rest)
		mails = append(mails, Mail{t, category, w.mail(t, subject, body, w.rng.IntN(forms))})
	}
}

// surge is the outage in its customers' words: 150 mails that come ever more
// densely at first, the first one at from and the last at to.
func (w *writer) surge(from, to time.Time) []Mail {
	login, signup := split(loginMails), split(signupMails)
	rest := login[1:] // the story begins with the plainest of them
	w.rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	w.rng.Shuffle(len(signup), func(i, j int) { signup[i], signup[j] = signup[j], signup[i] })
	n := len(login) + len(signup)
	var mails []Mail
	for i := range n {
		share := math.Pow(float64(i)/float64(n-1), 0.8)
		t := from.Add(time.Duration(share * float64(to.Sub(from)))).Truncate(time.Second)
		category, lines := "login", &login
		// Signing up fails for the same reason, for fewer people.
		if len(login) == 0 || (i%4 == 2 && len(signup) > 0) {
			category, lines = "signup", &signup
		}
		subject, body := subjectAndBody((*lines)[0])
		*lines = (*lines)[1:]
		mails = append(mails, Mail{t, category, w.mail(t, subject, body, i%forms)})
	}
	return mails
}

func split(s string) []string {
	return strings.Split(strings.TrimSpace(s), "\n")
}

// subjectAndBody cuts a line of the mail files; one that begins with the bar
// has no subject.
func subjectAndBody(line string) (subject, body string) {
	if body, ok := strings.CutPrefix(line, "| "); ok {
		return "", body
	}
	subject, body, _ = strings.Cut(line, " | ")
	return subject, body
}

package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tocsin/classify"
)

// TestAPersonFollowsASurge watches the demo's morning in a browser: the alarm
// appears in the open page by itself; it is acknowledged, a mail is corrected
// and the classifier learns it, the incident is resolved and its customers are
// exported.
func TestAPersonFollowsASurge(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed, and CI needs it (Debian: chromium)")
		}
		t.Skip("chromium is not installed (Debian: chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(filepath.Join(t.TempDir(), "profile")))
	tab, end := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(end)
	tab, end = chromedp.NewContext(tab)
	t.Cleanup(end)
	do := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		for n, a := range actions {
			if _, err := chromedp.Run(tab, a); err != nil {
				t.Fatalf("action %d: %v", n, err)
			}
		}
	}
	text := func(selector string) string {
		t.Helper()
		s, err := chromedp.Run(tab, chromedp.Text(selector))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	do(chromedp.Navigate("about:blank")) // starts the browser, before the morning begins
	tab, end = context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(end)

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	d := show{p: &program{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}, speed: 300, listen: addr}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})

	url := "http://" + addr
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	// The page that is open follows: the alarm comes, and its customers grow,
	// without a reload.
	do(chromedp.Navigate(url+"/"), chromedp.WaitVisible("main"))
	eval := func(js string) bool {
		t.Helper()
		ok, err := chromedp.Run(tab, chromedp.Evaluate[bool](js))
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	eval(`window.sameDocument = true`)
	do(chromedp.WaitVisible(".alarm.open .figures"))
	const customers = `parseInt(document.querySelector(".alarm .figures dd").textContent)`
	for eval(`window.first = window.first || ` + customers + `, ` + customers + ` < window.first + 3`) {
		time.Sleep(50 * time.Millisecond)
	}
	if !eval(`window.sameDocument === true`) {
		t.Error("the page was loaded again instead of followed")
	}
	if s := text(".alarm"); !strings.Contains(s, "web 2.4.0") || !strings.Contains(strings.ToLower(s), "login") {
		t.Errorf("the alarm says %q", s)
	}
	do(chromedp.Click(".alarm h2 a"), chromedp.WaitVisible(".timeline"))
	if s := text("main"); !strings.Contains(s, "jsonwebtoken") || !strings.Contains(s, "8.5.1") || !strings.Contains(s, "I can't log in any more") {
		t.Errorf("the incident's page says neither the package nor the customers' words:\n%s", s)
	}
	do(chromedp.Click(`button[value="acknowledge"]`), chromedp.WaitVisible(".alarm.acknowledged"),
		chromedp.SendKeys("#note", "rolling back"), chromedp.Click(`button[value="note"]`), chromedp.WaitVisible(".timeline .step-note"))

	// A mail that was sorted wrongly is corrected, and the next one like it is
	// sorted right.
	const odd = "Flurbing the gizmo fails with a red lamp."
	before := d.system.worker.Model().Classify(classify.Text{Body: odd}).Category
	if before == "slow" {
		t.Fatalf("%q is %s already", odd, before)
	}
	mail := "From: Odd <odd@example.com>\r\nSubject: Flurbing\r\nMessage-ID: <odd@example.com>\r\n\r\n" + odd + "\r\n"
	if err := d.server.Deliver([]byte(mail), d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	do(chromedp.Navigate(url + "/messages?sender=odd%40example.com"))
	for !strings.Contains(text("main"), "Flurbing") {
		do(chromedp.Navigate(url + "/messages?sender=odd%40example.com"))
	}
	do(chromedp.Click(".mails a"), chromedp.WaitVisible(".choices"), chromedp.Click(`button[value="slow"]`), chromedp.WaitVisible(`.choices .chosen[value="slow"]`))
	for limit := time.Now().Add(time.Minute); d.system.worker.Model().Classify(classify.Text{Subject: "Flurbing", Body: odd}).Category != "slow"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the correction was not learned")
		}
	}

	do(chromedp.Navigate(url+"/incidents"), chromedp.WaitVisible(".cards"), chromedp.Click(".cards h2 a"), chromedp.WaitVisible(".timeline"))
	csv, err := chromedp.Run(tab, chromedp.Evaluate[string](`(() => { const r = new XMLHttpRequest(); r.open("GET", document.querySelector("a[download]").href, false); r.send(); return r.responseText; })()`))
	if err != nil || !strings.HasPrefix(csv, "address,name,first mail") || strings.Count(csv, "\n") < 4 {
		t.Errorf("the export is %.300q, %v", csv, err)
	}
	do(chromedp.Click(`button[value="resolve"]`), chromedp.WaitVisible(".alarm.resolved"))
	if s := text(".timeline"); !strings.Contains(s, "Resolved") || !strings.Contains(s, "rolling back") || !strings.Contains(s, "Acknowledged") {
		t.Errorf("the timeline says %q", s)
	}
}

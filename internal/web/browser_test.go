package web

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tocsin/mailbox"
	"tocsin/store"
)

// browser starts a headless Chromium.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed, and CI needs it (Debian: chromium)")
		}
		t.Skip("chromium is not installed (Debian: chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(filepath.Join(t.TempDir(), "profile")))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	do(t, ctx, chromedp.Navigate("about:blank"))
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// do runs actions one after the other.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for n, a := range actions {
		if _, err := chromedp.Run(ctx, a); err != nil {
			t.Fatalf("action %d: %v", n, err)
		}
	}
}

// ask runs an action and returns what it answers.
func ask[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// serve runs a server on loopback.
func serve(t *testing.T, s *Server) string {
	t.Helper()
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, ln, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return "http://localhost:" + port
}

// TestAPersonInABrowser signs in, sees a mail arrive without reloading, decides,
// corrects a category, and finds no script of a mail run.
func TestAPersonInABrowser(t *testing.T) {
	ctx := browser(t)
	s, f := fixture(t, Access{Users: map[string]string{"anna": cheapHash("correct horse")}})
	f.Subscribe() // makes the channel
	url := serve(t, s)
	do(t, ctx,
		chromedp.Navigate(url+"/"),
		chromedp.WaitVisible("#password"),
		chromedp.SendKeys("#name", "anna"), chromedp.SendKeys("#password", "correct horse"), chromedp.Submit("#password"),
		chromedp.WaitVisible(".alarm"))
	title, main := ask(t, ctx, chromedp.Title()), ask(t, ctx, chromedp.Text("main"))
	if !strings.HasPrefix(title, "Now") || !strings.Contains(main, "customers in") || !strings.Contains(strings.ToLower(main), "can't log in") {
		t.Errorf("%s:\n%s", title, main)
	}

	// A mail arrives: the page follows.
	if _, err := s.opt.Store.Append([]store.Entry{{Message: mailbox.Message{ID: "fresh", Account: "support", Folder: "INBOX", UIDValidity: 1, UID: 99, Received: t0.Add(59 * time.Minute),
		From: mailbox.Address{Addr: "new@example.com"}, Subject: "Fresh from the inbox", Text: "x", Reply: "x"}}}, mailbox.Cursor{Account: "support", Folder: "INBOX", UIDValidity: 1, UID: 99}); err != nil {
		t.Fatal(err)
	}
	f.changed <- struct{}{}
	do(t, ctx, chromedp.WaitVisible(`.newest a[href="/messages/fresh"]`))

	// Acknowledge, and correct a category, with real clicks.
	do(t, ctx,
		chromedp.Click(`button[value="acknowledge"]`), chromedp.WaitVisible(".note.done"),
		chromedp.Navigate(url+"/messages/m3"), chromedp.WaitVisible(".choices"),
		chromedp.Click(`button[value="payment"]`), chromedp.WaitVisible(".note.done"), chromedp.WaitVisible(`.choices .chosen[value="payment"]`),
		chromedp.Navigate(url+"/messages"), chromedp.WaitVisible("select.auto"),
		chromedp.SetValue("#c-m4", "slow"), chromedp.WaitVisible(".note.done"))
	if len(f.decided) != 1 || f.decided[0].Who != "anna" || strings.Join(f.corrected, ",") != "m3 payment anna,m4 slow anna" {
		t.Errorf("decided %+v, corrected %v", f.decided, f.corrected)
	}

	do(t, ctx, chromedp.EmulateViewport(390, 844)) // a phone
	// No script, image or dialog of a mail came to life on any page.
	for _, path := range pagesSeen {
		if strings.Contains(path, "postmortem") || strings.Contains(path, ".csv") {
			continue
		}
		do(t, ctx, chromedp.Navigate(url+path), chromedp.WaitReady("body"))
		alive := ask(t, ctx, chromedp.Evaluate[bool](`document.querySelectorAll("script:not([src]), img[src='x'], [onerror]").length > 0`))
		wide := ask(t, ctx, chromedp.Evaluate[string](`document.documentElement.scrollWidth > document.documentElement.clientWidth ? "by " + (document.documentElement.scrollWidth - document.documentElement.clientWidth) + " px" : ""`))
		if alive {
			t.Errorf("%s: a mail's markup came to life", path)
		}
		if wide != "" {
			t.Errorf("%s is wider than the window %s", path, wide)
		}
	}
}

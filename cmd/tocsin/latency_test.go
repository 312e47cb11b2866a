package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/imaptest"
)

// bell is a receiver that notes when the first page of each incident came.
type bell struct {
	*httptest.Server
	mu   sync.Mutex
	rang time.Time
}

func newBell(t *testing.T) *bell {
	b := &bell{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		b.mu.Lock()
		if b.rang.IsZero() {
			b.rang = time.Now()
		}
		b.mu.Unlock()
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *bell) at() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rang
}

// rung is a running program that reads a folder of its own.
type rung struct {
	*process
	*bell
	d      *imaptest.Dovecot
	folder string
	data   string
	sent   int
}

func ringer(t *testing.T, bin string, d *imaptest.Dovecot, folder, more string) *rung {
	t.Helper()
	dir := t.TempDir()
	w := &rung{bell: newBell(t), d: d, folder: folder, data: filepath.Join(dir, "tocsin.db")}
	if folder != "INBOX" {
		d.Create(folder)
	}
	file := filepath.Join(dir, "tocsin.toml")
	config := fmt.Sprintf("data = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[mailbox.support]\nhost = \"localhost\"\nport = %d\nca_file = %q\nusername = %q\npassword = %q\nfolder = %q\n[pager.hook]\ntype = \"webhook\"\nurl = %q\n",
		w.data, d.TLSPort, d.CAFile, d.Username, d.Password, folder, w.URL) + more
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	w.process = start(t, bin, file)
	eventually(t, w.process, "reading the empty folder", func() bool { return w.messages() == 0 })
	return w
}

func (w *rung) messages() int64 {
	c, err := readControl(w.data)
	if err != nil {
		return -1
	}
	st, err := c.client().Status(context.Background())
	if err != nil || len(st.Folders) == 0 || st.Folders[0].LastRead.IsZero() {
		return -1
	}
	return st.Store.Messages
}

// untilItRings delivers complaints, each after the one before was read, until
// the page is accepted, and returns how long that took since the last delivery.
func (w *rung) untilItRings(t *testing.T) time.Duration {
	t.Helper()
	words := []string{"I can't log in since this morning.", "Login does not work any more!", "I am locked out of my account.", "Cannot sign in, it says my session is invalid.",
		"The login page rejects my password today.", "Why can I not log in? It worked yesterday."}
	for w.at().IsZero() && w.sent < 40 {
		w.sent++
		w.d.Deliver(w.folder, fmt.Sprintf("From: Customer %d <c%d@customer%d.example>\r\nSubject: Login\r\nMessage-ID: <%s.%d@customer.example>\r\n\r\nHello,\r\n%s My number is %d.\r\n",
			w.sent, w.sent, w.sent, w.folder, w.sent, words[w.sent%len(words)], 1000*w.sent), time.Time{})
		sent := time.Now()
		eventually(t, w.process, "reading a mail", func() bool { return w.messages() >= int64(w.sent) })
		// One that decided has rung by now or rings in a moment; no other mail
		// comes in between.
		for end := time.Now().Add(700 * time.Millisecond); w.at().IsZero() && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		if at := w.at(); !at.IsZero() {
			return at.Sub(sent)
		}
	}
	t.Fatalf("after %d complaints nobody was paged; the log:\n%s", w.sent, w.log)
	return 0
}

// counts reads what the program tells Prometheus of it.
func (w *rung) counts(t *testing.T) {
	t.Helper()
	c, err := readControl(w.data)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	eventually(t, w.process, "the page in the metrics", func() bool {
		q, _ := http.NewRequest(http.MethodGet, c.URL+"/metrics", nil)
		q.Header.Set("Authorization", "Bearer "+c.Token)
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		text = string(body)
		return strings.Contains(text, `tocsin_pages_total{outcome="accepted",pager="hook"} 1`)
	})
	for _, want := range []string{
		fmt.Sprintf(`tocsin_messages_total{automated="",category="login",mailbox="support"} %d`, w.sent), "tocsin_mailbox_last_success_timestamp_seconds{", `tocsin_incidents_open{category="login"`,
		"tocsin_page_latency_seconds_count 1", "tocsin_poll_duration_seconds_count", "tocsin_build_info{",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics does not say %s:\n%s", want, text)
		}
	}
}

// runs is how often something is measured: a few times in the suite, as often
// as TOCSIN_RUNS says for figures.
func runs(t *testing.T, few int) int {
	if n, err := strconv.Atoi(os.Getenv("TOCSIN_RUNS")); err == nil {
		return n
	}
	return few
}

func distribution(list []time.Duration) string {
	slices.Sort(list)
	at := func(q float64) time.Duration { return list[int(q*float64(len(list)-1))].Round(time.Millisecond) }
	return fmt.Sprintf("%d runs: min %v, quartile %v, median %v, quartile %v, 95 %% %v, max %v", len(list), at(0), at(0.25), at(0.5), at(0.75), at(0.95), at(1))
}

// TestFromTheDecidingMailToThePage measures, over IDLE and TLS with the built
// program, how long after the delivery of the mail that decides a receiver has
// the page.
func TestFromTheDecidingMailToThePage(t *testing.T) {
	d, bin := imaptest.StartDovecot(t), build(t)
	var took []time.Duration
	for n := range runs(t, 1) {
		w := ringer(t, bin, d, fmt.Sprintf("Run%d", n), "")
		took = append(took, w.untilItRings(t))
		if n == 0 {
			w.counts(t)
		}
		w.cmd.Process.Kill()
		w.cmd.Wait()
	}
	t.Log(distribution(took))
}

// TestAFloodOfWebhooksDoesNotStopThePage: forged, repeated and authentic
// webhooks, a thousand a second if the machine can, until the page of a surge
// that comes in the midst of them has arrived.
func TestAFloodOfWebhooksDoesNotStopThePage(t *testing.T) {
	d, bin := imaptest.StartDovecot(t), build(t)
	w := ringer(t, bin, d, "INBOX", "[deployment.github]\nsecret = \"shared\"\n")
	c, err := readControl(w.data)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var sent, wrong atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	post := func(n int64) {
		// Of ten: six forged, three repeated, one new.
		id, secret, want := n, "shared", http.StatusCreated
		switch {
		case n%10 < 6:
			secret, want = "guessed", http.StatusUnauthorized
		case n%10 < 9:
			id, want = 9, http.StatusOK
		}
		body := fmt.Sprintf(`{"deployment_status":{"state":"success","environment":"staging","created_at":%q},"deployment":{"id":%d,"ref":"v1.%d","sha":"abc"},"repository":{"full_name":"acme/web"},"sender":{"login":"ci"}}`, time.Now().Format(time.RFC3339), id+1, id)
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(body))
		q, _ := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/hooks/github", strings.NewReader(body))
		q.Header.Set("X-GitHub-Event", "deployment_status")
		q.Header.Set("X-GitHub-Delivery", strconv.FormatInt(id, 10))
		q.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(m.Sum(nil)))
		resp, err := client.Do(q)
		if err != nil {
			return // the flood was ended
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			wrong.Add(1)
		}
		sent.Add(1)
	}
	post(9) // the one that is repeated
	began := time.Now()
	var g sync.WaitGroup
	for i := range int64(16) {
		g.Go(func() {
			tick := time.NewTicker(16 * time.Millisecond)
			defer tick.Stop()
			for n := i; ctx.Err() == nil; n += 16 {
				select {
				case <-ctx.Done():
				case <-tick.C:
					post(n + 10)
				}
			}
		})
	}
	took := w.untilItRings(t)
	for n := runs(t, 0); time.Since(began) < time.Duration(n)*time.Second; {
		time.Sleep(50 * time.Millisecond) // as long as figures are asked for
	}
	cancel()
	g.Wait()
	rate := float64(sent.Load()) / time.Since(began).Seconds()
	if wrong.Load() > 0 || sent.Load() < 100 {
		t.Errorf("%d of %d webhooks were answered wrongly", wrong.Load(), sent.Load())
	}
	t.Logf("the page took %v among %.0f webhooks a second, %d in all", took.Round(time.Millisecond), rate, sent.Load())
	list, err := c.client().Deployments(t.Context(), time.Time{}, time.Time{})
	if err != nil || len(list) == 0 || int64(len(list)) > sent.Load()/8+10 {
		t.Errorf("%d deployments were recorded of %d webhooks, %v", len(list), sent.Load(), err)
	}
}

package page

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

// script is a pager that answers as it is told, and keeps what it took.
type script struct {
	mu      sync.Mutex
	answers []error // for the first tries; then every page is taken
	hang    bool
	took    []Page
	tried   []time.Time
}

func (s *script) Page(ctx context.Context, p Page) error {
	s.mu.Lock()
	s.tried = append(s.tried, time.Now())
	var err error
	if len(s.answers) > 0 {
		err, s.answers = s.answers[0], s.answers[1:]
	}
	hang := s.hang
	s.mu.Unlock()
	if hang || err == errHang {
		<-ctx.Done()
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.took = append(s.took, p)
	s.mu.Unlock()
	return nil
}

func (s *script) changes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, p := range s.took {
		list = append(list, p.Incident.ID+" "+string(p.Change))
	}
	return strings.Join(list, ", ")
}

var (
	errHang  = &sendError{text: "hangs"}
	errDown  = &sendError{text: "cannot reach the pager: connection refused"}
	err500   = &sendError{text: "answered 500"}
	err429   = &sendError{text: "answered 429", after: 90 * time.Second}
	errFinal = &sendError{text: "answered 400: no such key", final: true}
)

// office is a courier with a store, and incidents to tell of.
type office struct {
	*Courier
	store   *store.Store
	refused []string
	mu      sync.Mutex
}

func newOffice(t *testing.T, pagers map[string]Pager, routes Routes) *office {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "t.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(context.Background()); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	o := &office{store: s}
	o.Courier = &Courier{Store: s, Pagers: pagers, Routes: routes, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Composer: &Composer{Store: s, Location: time.UTC, Now: time.Now},
		Refused: func(pager, text string) {
			o.mu.Lock()
			o.refused = append(o.refused, pager+": "+text)
			o.mu.Unlock()
		}}
	return o
}

// tell records a change of an incident with the pages that follow.
func (o *office) tell(t *testing.T, id string, kind detect.ChangeKind) {
	t.Helper()
	i := detect.Incident{ID: id, Kind: "surge", Level: detect.Paging, State: detect.Open, Categories: []string{"login"}, StartedAt: time.Now(), DetectedAt: time.Now()}
	if kind == detect.DidResolve {
		i.State, i.ResolvedAt = detect.Resolved, time.Now()
	}
	changes := []detect.Change{{Kind: kind, At: time.Now(), Incident: i}}
	if err := o.store.Record("detector", 0, changes, o.Routes.Deliveries(changes)); err != nil {
		t.Fatal(err)
	}
	o.Nudge()
}

// open runs the courier until the test's bubble is done with f.
func (o *office) open(t *testing.T, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	f()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestAnOutageDelaysAPageAndDropsNone: a pager that is down, then answers 500
// and 429, then hangs, gets every page in the end, in order.
func TestAnOutageDelaysAPageAndDropsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{answers: []error{errDown, errDown, errDown, errDown, errDown, errDown, errDown, errDown, err500, err429, errHang, errHang}}
		o := newOffice(t, map[string]Pager{"oncall": p}, Routes{{Pager: "oncall"}})
		o.open(t, func() {
			o.tell(t, "a", detect.Opened)
			time.Sleep(time.Second)
			o.tell(t, "a", detect.DidResolve)
			o.tell(t, "b", detect.Opened)
			time.Sleep(time.Hour)
			synctest.Wait()
		})
		if got := p.changes(); got != "b opened, a opened, a resolved" && got != "a opened, a resolved, b opened" && got != "a opened, b opened, a resolved" {
			t.Errorf("delivered: %s", got)
		}
		if i, j := strings.Index(p.changes(), "a opened"), strings.Index(p.changes(), "a resolved"); i < 0 || j < i {
			t.Errorf("out of order: %s", p.changes())
		}
		late := false
		for _, g := range p.took {
			late = late || g.Late > 0
		}
		if !late {
			t.Error("no page says that it is late")
		}
		if box, err := o.store.Outbox("oncall"); err != nil || len(box) != 0 {
			t.Errorf("left in the outbox: %+v, %v", box, err)
		}
	})
}

// TestRetryAfterIsHonoured: no try before the time that the pager asked for.
func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{answers: []error{err429}}
		o := newOffice(t, map[string]Pager{"oncall": p}, Routes{{Pager: "oncall"}})
		o.open(t, func() {
			o.tell(t, "a", detect.Opened)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
		})
		if len(p.tried) != 2 || p.tried[1].Sub(p.tried[0]) < 90*time.Second {
			t.Errorf("tried at %v", p.tried)
		}
	})
}

// TestARefusalRingsTheNext: what is refused for good goes to the fallback, and
// is an incident of Tocsin's own.
func TestARefusalRingsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken, backup := &script{answers: []error{errFinal}}, &script{}
		o := newOffice(t, map[string]Pager{"oncall": broken, "backup": backup}, Routes{{Pager: "oncall", Fallback: "backup"}, {Pager: "backup", OnlyBack: true}})
		o.open(t, func() {
			o.tell(t, "a", detect.Opened)
			time.Sleep(time.Minute)
			synctest.Wait()
		})
		if backup.changes() != "a opened" || len(o.refused) != 1 || !strings.Contains(o.refused[0], "no such key") {
			t.Errorf("the fallback took %q, refused: %v", backup.changes(), o.refused)
		}
		steps, err := o.store.Timeline("a")
		if err != nil || len(steps) != 3 || steps[1].Kind != "page-failed" || steps[2].Kind != "page-accepted" {
			t.Errorf("timeline %+v, %v", steps, err)
		}
	})
}

// TestADeadPagerIsNotWaitedFor: after some minutes of failures the next one is
// rung too, once.
func TestADeadPagerIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down []error
		for range 40 {
			down = append(down, errDown)
		}
		dead, backup := &script{answers: down}, &script{}
		o := newOffice(t, map[string]Pager{"oncall": dead, "backup": backup}, Routes{{Pager: "oncall", Fallback: "backup"}, {Pager: "backup", OnlyBack: true}})
		o.open(t, func() {
			o.tell(t, "a", detect.Opened)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if backup.changes() != "a opened" {
				t.Errorf("after five minutes the fallback took %q", backup.changes())
			}
			time.Sleep(4 * time.Hour)
			synctest.Wait()
		})
		if backup.changes() != "a opened" || dead.changes() != "a opened" {
			t.Errorf("the fallback took %q, the pager at last %q", backup.changes(), dead.changes())
		}
	})
}

// TestTheFallbackHearsTheEnd of an incident that it was rung for, once, whether
// its pager comes back or not, and of no other incident.
func TestTheFallbackHearsTheEnd(t *testing.T) {
	down := func(n int) (list []error) {
		for range n {
			list = append(list, errDown)
		}
		return list
	}
	for name, c := range map[string]struct {
		answers      []error
		want, backup string
	}{
		"it comes back":      {down(20), "a opened, a resolved, b opened, b resolved", "a opened, a resolved"},
		"it never does":      {down(10_000), "", "a opened, a resolved, b opened, b resolved"},
		"it refuses":         {[]error{errFinal, errFinal}, "b opened, b resolved", "a opened, a resolved"},
		"it is slow at once": {down(2), "a opened, a resolved, b opened, b resolved", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, backup := &script{answers: c.answers}, &script{}
				o := newOffice(t, map[string]Pager{"oncall": p, "backup": backup}, Routes{{Pager: "oncall", Fallback: "backup"}, {Pager: "backup", OnlyBack: true}})
				o.open(t, func() {
					for _, id := range []string{"a", "b"} {
						o.tell(t, id, detect.Opened)
						time.Sleep(10 * time.Minute)
						o.tell(t, id, detect.DidResolve)
						time.Sleep(2 * time.Hour)
					}
					synctest.Wait()
				})
				if p.changes() != c.want || backup.changes() != c.backup {
					t.Errorf("it took %q, want %q; the fallback %q, want %q", p.changes(), c.want, backup.changes(), c.backup)
				}
			})
		})
	}
}

// TestRetryAfterHoldsThePager: one that asks for quiet is not called with the
// next incident in the meantime.
func TestRetryAfterHoldsThePager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{answers: []error{err429}}
		o := newOffice(t, map[string]Pager{"oncall": p}, Routes{{Pager: "oncall"}})
		o.open(t, func() {
			o.tell(t, "a", detect.Opened)
			time.Sleep(10 * time.Second)
			o.tell(t, "b", detect.Opened)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
		})
		if len(p.tried) != 3 || p.tried[1].Sub(p.tried[0]) < 90*time.Second || p.changes() != "a opened, b opened" {
			t.Errorf("tried at %v, took %s", p.tried, p.changes())
		}
	})
}

// TestALatePageSaysWhenItWasDue, and that it is over when it is; and a pager
// that is back gets what it missed within a minute.
func TestALatePageSaysWhenItWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down []error
		for range 10_000 {
			down = append(down, errDown)
		}
		p := &script{answers: down}
		o := newOffice(t, map[string]Pager{"oncall": p}, Routes{{Pager: "oncall"}})
		begin := time.Now().UTC()
		o.open(t, func() {
			o.tell(t, "a", detect.Opened)
			time.Sleep(5 * time.Minute)
			o.tell(t, "a", detect.DidResolve)
			time.Sleep(5 * time.Minute)
			p.mu.Lock()
			p.answers = nil
			p.mu.Unlock()
			time.Sleep(time.Minute)
			synctest.Wait()
		})
		if p.changes() != "a opened, a resolved" {
			t.Fatalf("a minute after it is back it took %q", p.changes())
		}
		first := p.took[0]
		for _, want := range []string{"due at " + begin.Format("15:04 MST"), "sent 10 min late", "over since " + begin.Add(5*time.Minute).Format("15:04 MST")} {
			if !strings.Contains(first.Sentence, want) {
				t.Errorf("the late page says %q, not %q", first.Sentence, want)
			}
		}
	})
}

// TestAPagerForOtherKindsIsRungWhenTheyJoin: what grows for one begins for
// another.
func TestAPagerForOtherKindsIsRungWhenTheyJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		oncall, payments := &script{}, &script{}
		o := newOffice(t, map[string]Pager{"oncall": oncall, "payments": payments}, Routes{{Pager: "oncall"}, {Pager: "payments", Categories: []string{"payment"}}})
		o.open(t, func() {
			i := detect.Incident{ID: "a", Kind: "surge", Level: detect.Paging, State: detect.Open, Categories: []string{"login"}, StartedAt: time.Now(), DetectedAt: time.Now()}
			for n, kind := range []detect.ChangeKind{detect.Opened, detect.Grew, detect.Grew} {
				if n == 1 {
					i.Categories = append(i.Categories, "payment")
				}
				changes := []detect.Change{{Kind: kind, At: time.Now(), Incident: i}}
				if err := o.store.Record("detector", 0, changes, o.Routes.Deliveries(changes)); err != nil {
					t.Fatal(err)
				}
				o.Nudge()
				time.Sleep(time.Minute)
			}
			synctest.Wait()
		})
		var kinds []string
		for _, p := range payments.took {
			kinds = append(kinds, string(p.Change))
		}
		if got := strings.Join(kinds, " "); got != "opened grew" || oncall.changes() != "a opened, a grew, a grew" {
			t.Errorf("the one for payments was told %q, the other %q", got, oncall.changes())
		}
	})
}

// TestTheHeartbeatStopsWhenSomethingIsWrong.
func TestTheHeartbeatStopsWhenSomethingIsWrong(t *testing.T) {
	r := newRecorder(t)
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int64
	b := &Heartbeat{URL: r.URL + "/beat", Every: time.Millisecond, Log: slog.New(slog.DiscardHandler), Healthy: func() bool {
		if asked.Add(1) == 6 {
			cancel()
		}
		return asked.Load() <= 2
	}}
	if err := b.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if n := len(r.requests); n != 2 {
		t.Errorf("it beat %d times, and twice all was well", n)
	}
}

// TestAnAlertIsRepeatedWhileItIsOpen: Alertmanager ends what is not sent again.
func TestAnAlertIsRepeatedWhileItIsOpen(t *testing.T) {
	r := newRecorder(t)
	o := newOffice(t, map[string]Pager{"am": &Alertmanager{URL: r.URL}}, Routes{{Pager: "am"}})
	o.tell(t, "a", detect.Opened)
	l := &lane{name: "am", pager: o.Pagers["am"]}
	o.init()
	for range 3 {
		if _, err := o.round(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		o.repeat(t.Context(), l)
	}
	if len(r.requests) != 4 { // the page and three repeats
		t.Errorf("%d requests while it is open, want 4", len(r.requests))
	}
	o.tell(t, "a", detect.DidResolve)
	o.round(t.Context(), l)
	o.repeat(t.Context(), l)
	if len(r.requests) != 5 || !strings.Contains(r.requests[4], "endsAt") {
		t.Errorf("%d requests after its end, want one more", len(r.requests))
	}
	if r.requests[0][:strings.Index(r.requests[0], "labels")] == "" || labelsIn(r.requests[0]) != labelsIn(r.requests[4]) {
		t.Errorf("the identity changed:\n%s\n%s", r.requests[0], r.requests[4])
	}
}

// labelsIn is the part of a request that Alertmanager knows an alert by.
func labelsIn(request string) string {
	_, rest, _ := strings.Cut(request, `"labels"`)
	rest, _, _ = strings.Cut(rest, "}")
	return rest
}

// TestOneThatHangsDelaysNoOther.
func TestOneThatHangsDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging, quick := &script{hang: true}, &script{}
		o := newOffice(t, map[string]Pager{"hanging": hanging, "quick": quick}, Routes{{Pager: "hanging"}, {Pager: "quick"}})
		o.open(t, func() {
			o.tell(t, "a", detect.Opened)
			time.Sleep(time.Second)
			synctest.Wait()
			if quick.changes() != "a opened" {
				t.Errorf("the other one took %q", quick.changes())
			}
		})
		if list := o.Statuses(); len(list) != 2 || list[0].Pager != "hanging" || list[1].Pager != "quick" {
			t.Errorf("statuses %+v", list)
		}
	})
}

// TestARestartRepeatsOnlyUnderItsKey: a page that was sent and not yet noted is
// sent again with the same key and the same number.
func TestARestartRepeatsOnlyUnderItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		o := newOffice(t, map[string]Pager{"oncall": p}, Routes{{Pager: "oncall"}})
		o.tell(t, "a", detect.Opened)
		box, err := o.store.Outbox("oncall")
		if err != nil || len(box) != 1 {
			t.Fatal(box, err)
		}
		g, err := o.Composer.Compose(box[0])
		if err != nil {
			t.Fatal(err)
		}
		p.Page(t.Context(), g) // and killed before the outcome was stored
		o.open(t, func() {
			time.Sleep(time.Minute)
			synctest.Wait()
		})
		if len(p.took) != 2 || p.took[0].DedupKey != p.took[1].DedupKey || p.took[0].Delivery != p.took[1].Delivery {
			t.Errorf("took %+v", p.took)
		}
	})
}

// TestAPageOfNothingStopsNothing: a delivery whose incident is gone fails alone.
func TestAPageOfNothingStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		o := newOffice(t, map[string]Pager{"oncall": p}, Routes{{Pager: "oncall"}})
		if err := o.store.Enqueue(store.Delivery{Incident: "gone", Change: detect.Opened, Pager: "oncall", Due: time.Now()}, store.Delivery{Subject: "gone", Change: detect.Deployed, Pager: "oncall", Due: time.Now()}); err != nil {
			t.Fatal(err)
		}
		o.tell(t, "a", detect.Opened)
		o.open(t, func() {
			time.Sleep(time.Minute)
			synctest.Wait()
		})
		if p.changes() != "a opened" {
			t.Errorf("took %q", p.changes())
		}
	})
}

// slow takes a page after a while.
type slow struct{ script }

func (s *slow) Page(ctx context.Context, p Page) error {
	time.Sleep(300 * time.Millisecond)
	return s.script.Page(ctx, p)
}

// TestNoPageWaitsForAnnouncements: many deployments in a short time, each told to
// a pager, do not delay the page that one of them makes necessary.
func TestNoPageWaitsForAnnouncements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &slow{}
		o := newOffice(t, map[string]Pager{"oncall": p}, Routes{{Pager: "oncall"}})
		for n := range 100 {
			d := detect.Deployment{ID: fmt.Sprint("d", n), Service: "web", Version: fmt.Sprint(n), At: time.Now()}
			if _, _, err := o.store.AddDeployment(d, nil); err != nil {
				t.Fatal(err)
			}
			if err := o.store.Enqueue(store.Delivery{Subject: d.ID, Change: detect.Deployed, Pager: "oncall", Due: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		o.open(t, func() {
			time.Sleep(2500 * time.Millisecond)
			o.tell(t, "a", detect.Opened)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if !strings.Contains(p.changes(), "a opened") {
				t.Error("after two seconds the page still waits")
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		})
		if len(p.took) != 101 || p.took[1].Deployment == nil || p.took[1].Deployment.Version != "1" {
			t.Errorf("took %d", len(p.took))
		}
	})
}

package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A trouble of several kinds is paged by the one that has the most evidence, and
// the page names them all and counts their customers.
func TestThePageNamesEveryKindThatSurges(t *testing.T) {
	d := New(backtestOptions())
	at := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	n := 0
	complain := func(kind string) (page *Incident) {
		n++
		for _, c := range d.Complaint(Complaint{At: at, Category: kind, Complainant: fmt.Sprint("u", n)}) {
			if c.Kind == Opened {
				page = &c.Incident
			}
		}
		return page
	}
	for range 60 * 240 { // payment and bug are rare among many others
		kind := []string{"question", "data", "slow", "cancel"}[n%4]
		if n%40 < 2 {
			kind = []string{"payment", "bug"}[n%40]
		}
		complain(kind)
		at = at.Add(6 * time.Minute)
	}
	surge := 0
	for _, kind := range []string{"payment", "bug", "question", "bug", "payment", "data", "payment", "payment", "payment"} {
		at = at.Add(4 * time.Minute)
		if kind == "payment" || kind == "bug" {
			surge++
		}
		page := complain(kind)
		if page == nil {
			continue
		}
		if got := page.Categories; !slices.Equal(got, []string{"payment", "bug"}) || page.Reason.Customers != surge {
			t.Errorf("paged for %v, %d customers, want payment and bug, %d customers", got, page.Reason.Customers, surge)
		}
		return
	}
	t.Fatal("nothing was paged")
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/detect"
)

// What a backtest says of a page is what was known then: lines that come after
// it change nothing but the incident's end.
func TestBacktestSaysWhatWasKnownAtThePage(t *testing.T) {
	var lines []string
	n := 0
	complain := func(at time.Time, kind string) {
		n++
		lines = append(lines, fmt.Sprintf(`{"time":%q,"category":%q,"sender":"u%d@gmail.com"}`, at.Format(time.RFC3339), kind, n))
	}
	at := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for range 60 * 24 {
		complain(at, []string{"payment", "bug", "question"}[n%3])
		at = at.Add(time.Hour)
	}
	for range 12 {
		at = at.Add(time.Minute)
		complain(at, "payment")
	}
	lines = append(lines, fmt.Sprintf(`{"time":%q,"deployment":{"service":"web","version":"2"}}`, at.Format(time.RFC3339)))
	for range 40 {
		at = at.Add(30 * time.Second)
		complain(at, "bug")
	}
	replay := func(lines []string) map[string]any {
		var out, errs bytes.Buffer
		p := &program{In: strings.NewReader(strings.Join(lines, "\n")), Out: &out, Err: &errs}
		if code := p.Run(context.Background(), []string{"backtest"}); code != 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
		var page map[string]any
		if err := json.Unmarshal(out.Bytes(), &page); err != nil {
			t.Fatalf("want one page, got %q", out.String())
		}
		delete(page, "resolved_at")
		return page
	}
	whole := replay(lines)
	rang, err := time.Parse(time.RFC3339, whole["detected_at"].(string))
	if err != nil {
		t.Fatal(err)
	}
	until := 0
	for until < len(lines) && !strings.Contains(lines[until], rang.Add(time.Minute).Format(time.RFC3339)) {
		until++
	}
	if cut := replay(lines[:until]); fmt.Sprint(cut) != fmt.Sprint(whole) {
		t.Errorf("with what came later:    %v\nwithout:                 %v", whole, cut)
	}
	if whole["category"] != "payment" || whole["deployment"] != nil {
		t.Errorf("the page says %v, want payment and no deployment", whole)
	}
}

// A picture of very many deployments stays small.
func TestBacktestDrawsNoMoreDeploymentsThanCanBeSeen(t *testing.T) {
	h, d := &history{}, detect.New(detect.Options{})
	at := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for range 50_000 {
		at = at.Add(time.Second)
		h.deployment(at, "web 1", d)
	}
	var picture bytes.Buffer
	if err := h.svg(&picture, nil, time.UTC); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(picture.String(), `class="deployment"`); n < 1000 || n > 6000 {
		t.Errorf("%d deployments are drawn in %d bytes", n, picture.Len())
	}
}

// Package outcome reads how many attempts at something (logins, sign-ups,
// payments) succeeded and failed from a Prometheus server: the second signal
// beside complaints, for teams that do not push it.
package outcome

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tocsin/detect"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// Poller asks two instant queries each minute and records what they say.
type Poller struct {
	Name      string // in logs
	URL       string // of the Prometheus server
	Token     string // bearer token; empty: none
	Service   string
	Action    string
	Succeeded string // query for how many succeeded in the last minute
	Failed    string // query for how many failed in the last minute
	Every     time.Duration
	Client    *http.Client
	Log       *slog.Logger
	Now       func() time.Time
	// Record stores the outcome; the same minute twice is one.
	Record func([]detect.Outcome) error
}

// Run asks until ctx ends. A server that does not answer is asked again at the
// next turn; the log tells when that begins and ends.
func (p *Poller) Run(ctx context.Context) error {
	t := time.NewTicker(p.Every)
	defer t.Stop()
	failing := false
	for {
		err := p.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			p.Log.Warn("success rate could not be read", "outcome", p.Name, "err", err)
		case err == nil && failing:
			p.Log.Info("success rate is read again", "outcome", p.Name)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (p *Poller) once(ctx context.Context) error {
	succeeded, err := p.Query(ctx, p.Succeeded)
	if err != nil {
		return err
	}
	failed, err := p.Query(ctx, p.Failed)
	if err != nil {
		return err
	}
	return p.Record([]detect.Outcome{{
		At:      p.Now().Truncate(time.Minute).Add(-time.Minute),
		Service: p.Service, Action: p.Action,
		Succeeded: succeeded, Failed: failed,
	}})
}

// Query asks one instant query and returns the sum of its series, rounded.
// A value that is not a number (Prometheus writes "NaN" for 0/0) counts as 0.
func (p *Poller) Query(ctx context.Context, query string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	u := strings.TrimSuffix(p.URL, "/") + "/api/v1/query?query=" + url.QueryEscape(query)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return 0, err
	}
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	client := p.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("prometheus answered %s to query %q", resp.Status, query)
	}
	return sum(body)
}

// sum reads the answer of /api/v1/query.
func sum(body []byte) (int, error) {
	var a struct {
		Status string
		Error  string
		Data   struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return 0, fmt.Errorf("prometheus: the answer is not its API's: %w", err)
	}
	if a.Status != "success" {
		return 0, fmt.Errorf("prometheus: %s", a.Error)
	}
	type point [2]any // time in seconds, and the value as a string
	var points []point
	switch a.Data.ResultType {
	case "scalar":
		points = make([]point, 1)
		if err := json.Unmarshal(a.Data.Result, &points[0]); err != nil {
			return 0, fmt.Errorf("prometheus: %w", err)
		}
	case "vector":
		var series []struct{ Value point }
		if err := json.Unmarshal(a.Data.Result, &series); err != nil {
			return 0, fmt.Errorf("prometheus: %w", err)
		}
		for _, s := range series {
			points = append(points, s.Value)
		}
	default:
		return 0, fmt.Errorf("prometheus: an instant query of a vector or scalar is needed, not a %s", a.Data.ResultType)
	}
	var total float64
	for _, p := range points {
		s, _ := p[1].(string)
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, fmt.Errorf("prometheus: value %q is no number", s)
		}
		if !math.IsNaN(v) && !math.IsInf(v, 0) && v > 0 {
			total += v
		}
	}
	return int(math.Round(min(total, 1e9))), nil
}

package outcome

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tocsin/detect"
)

func TestSum(t *testing.T) {
	tests := []struct {
		name, body string
		want       int
		wrong      bool
	}{
		{"one series", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1763891290.1,"41.6"]}]}}`, 42, false},
		{"several series are added", `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"3"]},{"value":[1,"4"]}]}}`, 7, false},
		{"no series is zero", `{"status":"success","data":{"resultType":"vector","result":[]}}`, 0, false},
		{"NaN is zero", `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}}`, 0, false},
		{"infinity is zero", `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"+Inf"]}]}}`, 0, false},
		{"scalar", `{"status":"success","data":{"resultType":"scalar","result":[1,"5"]}}`, 5, false},
		{"error", `{"status":"error","error":"parse error"}`, 0, true},
		{"matrix", `{"status":"success","data":{"resultType":"matrix","result":[]}}`, 0, true},
		{"a page of HTML", `<html>`, 0, true},
		{"a value that is no string", `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,2]}]}}`, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sum([]byte(tt.body))
			if got != tt.want || (err != nil) != tt.wrong {
				t.Errorf("sum = %d, %v; want %d, error %v", got, err, tt.want, tt.wrong)
			}
		})
	}
}

func TestAMinuteIsRecordedWithTheTokenOfTheServer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		value := "3"
		if r.URL.Query().Get("query") == `ok{job="web"}` {
			value = "41"
		}
		io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"`+value+`"]}]}}`)
	}))
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var got []detect.Outcome
	p := &Poller{URL: srv.URL + "/", Token: "t", Service: "web", Action: "login", Succeeded: `ok{job="web"}`, Failed: "bad",
		Every: time.Hour, Client: srv.Client(), Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Date(2026, 11, 17, 9, 45, 30, 0, time.UTC) },
		Record: func(o []detect.Outcome) error {
			got = o
			cancel()
			return nil
		}}
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	want := detect.Outcome{At: time.Date(2026, 11, 17, 9, 44, 0, 0, time.UTC), Service: "web", Action: "login", Succeeded: 41, Failed: 3}
	if len(got) != 1 || got[0] != want {
		t.Errorf("recorded %+v, want %+v", got, want)
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"3"]}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := sum(b); err == nil && n < 0 {
			t.Errorf("sum(%q) = %d", b, n)
		}
	})
}

package main

import (
	"encoding/json"
	"testing"
)

// FuzzPlainLinesAreReadAsJSON: what the quick way reads, encoding/json reads to
// the same line.
func FuzzPlainLinesAreReadAsJSON(f *testing.F) {
	for _, line := range []string{
		`{"time":"2026-11-23T09:45:02Z","category":"login","sender":"a@example.com"}`,
		`{ "sender" : "a" , "time":"t"}`, `{"time":"a","time":"b"}`, `{}`, `{"time":"a",}`, `{"time":"a"`, `{"time":"a"}}`,
		`{"Time":"a"}`, `{"time":"\u0041"}`, `{"time":null}`, `{"category":"ä"}`, `{"time":"a","extra":1}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var quick, slow backtestLine
		if !new(backtestReader).plain(&quick, raw) {
			return
		}
		if err := json.Unmarshal(raw, &slow); err != nil || quick != slow {
			t.Errorf("%q was read as %+v; encoding/json: %+v, %v", raw, quick, slow, err)
		}
	})
}

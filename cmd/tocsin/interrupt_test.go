package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// A command that waits for input ends when it is interrupted, as every other.
func TestInterruptionEndsACommandThatWaitsForInput(t *testing.T) {
	for _, args := range [][]string{{"backtest"}, {"classify"}, {"train", "--out", "no.model"}, {"inspect", "-"}} {
		t.Run(args[0], func(t *testing.T) {
			in, typed := io.Pipe()
			defer typed.Close()
			ctx, interrupt := context.WithCancel(t.Context())
			var errs bytes.Buffer
			p := &program{In: in, Out: io.Discard, Err: &errs}
			code := make(chan int)
			go func() { code <- p.Run(ctx, args) }()
			// The command is waiting once it has taken what is written here.
			if _, err := typed.Write([]byte("\n")); err != nil {
				t.Fatal(err)
			}
			interrupt()
			if got := <-code; got != 1 || !strings.Contains(errs.String(), "interrupted before the end") {
				t.Errorf("exit %d: %q, want 1 and that it was interrupted", got, errs.String())
			}
		})
	}
}

package main

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tocsin": func() {
			p := &program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
			os.Exit(p.Run(context.Background(), os.Args[1:]))
		},
	})
}

// TestScripts runs the promises of the README and of DESIGN as a person would
// type them.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: *update})
}

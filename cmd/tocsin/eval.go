package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"

	"tocsin/classify"
)

var evalCommand = command{
	name:    "eval",
	atOnce:  true,
	args:    "FILE | < labelled.jsonl",
	summary: "how well a model sorts labelled texts",
	about: `
Reads labelled texts, JSONL {"text","category","subject"}, sorts them with the
model and prints accuracy, precision and recall of each category, and the pairs
that are confused most, with examples.

example:
  tocsin eval --model support.model held-back.jsonl`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		model := fs.String("model", "", "evaluate the model in `FILE` instead of the built-in one")
		asJSON := fs.Bool("json", false, "print the report as JSON")
		skip := fs.Bool("skip-bad", false, "name lines that cannot be used and go on")
		return func(ctx context.Context, args []string) error {
			in := p.In
			switch len(args) {
			case 0:
			case 1:
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			default:
				return usagef("eval takes one file")
			}
			m, err := loadModel(*model)
			if err != nil {
				return err
			}
			examples, err := p.readExamples(in, *skip)
			if err != nil {
				return err
			}
			if len(examples) == 0 {
				return fmt.Errorf("there is nothing to evaluate: no labelled text was read")
			}
			for _, name := range unknownTo(m, examples) {
				fmt.Fprintf(p.Err, "the model has no category %q: no text of it can be right\n", name)
			}
			report := classify.Evaluate(m, examples)
			if *asJSON {
				enc := json.NewEncoder(p.Out)
				enc.SetIndent("", "  ")
				return enc.Encode(report)
			}
			_, err = fmt.Fprint(p.Out, escape(report.String()))
			return err
		}
	},
}

// unknownTo are the categories of labelled texts that a model cannot name.
func unknownTo(m *classify.Model, examples []classify.Example) (names []string) {
	for _, e := range examples {
		if _, ok := m.Taxonomy().Find(e.Category); !ok && !slices.Contains(names, e.Category) {
			names = append(names, e.Category)
		}
	}
	return names
}

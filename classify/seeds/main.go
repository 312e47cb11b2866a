// Seeds makes the model that is built into Tocsin from the mails beside this
// file, all written for this project. "go generate ./classify" runs it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tocsin/classify"
)

func main() {
	log.SetFlags(0)
	examples, err := read("seeds")
	if err != nil {
		log.Fatal(err)
	}
	m, report, err := classify.Train(context.Background(), examples, classify.TrainOptions{Name: "built-in", Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	f, err := os.Create("builtin.model")
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Save(f); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Print(report)
}

// read returns the labelled mails of a folder.
func read(folder string) (examples []classify.Example, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			var s seed
			if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			s.Text, s.Hard = said(s.Text), s.hard()
			examples = append(examples, s.Example)
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return examples, nil
}

// seed is a line of a file: a mail, and what is unusual about it.
type seed struct {
	classify.Example
	Tags []string
}

// hard tells whether a mail was written to be taken for something else, in a
// roundabout way, in haste, in anger: whether any tag says more than its form.
func (s seed) hard() bool {
	return slices.ContainsFunc(s.Tags, func(tag string) bool { return tag != "short" && tag != "long" && tag != "greeting" })
}

// said drops what a mail quotes: lines that begin with ">", and the line above
// them that says who wrote.
func said(text string) string {
	var b strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		quoted := strings.HasPrefix(l, ">")
		above := i+1 < len(lines) && strings.HasPrefix(lines[i+1], ">") && strings.HasSuffix(strings.TrimSpace(l), ":")
		if !quoted && !above {
			b.WriteString(l)
		}
	}
	return strings.TrimSpace(b.String())
}

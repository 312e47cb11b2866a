package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"unicode"

	"tocsin/classify"
	"tocsin/mailbox"
)

var classifyCommand = command{
	name:    "classify",
	atOnce:  true,
	args:    "< texts.jsonl",
	summary: "sort texts into categories",
	about: `
Reads JSONL {"id","text","subject"} and prints {"id","category","confidence"} in
the same order. A text may be a whole mail body: quoted history and signature
are cut first.

example:
  echo '{"id":1,"text":"I can'"'"'t log in"}' | tocsin classify`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		model := fs.String("model", "", "use the model in `FILE` instead of the built-in one")
		skip := fs.Bool("skip-bad", false, "name malformed lines and go on")
		return func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("classify reads standard input: tocsin classify < %s", args[0])
			}
			m, err := loadModel(*model)
			if err != nil {
				return err
			}
			return p.classify(ctx, m, *skip)
		}
	},
}

// textLine is one line of input of classify, train and eval.
type textLine struct {
	ID       json.RawMessage `json:"id"`
	Text     *string         `json:"text"`
	Subject  string          `json:"subject"`
	Category string          `json:"category"`
	Gold     string          `json:"gold"`
}

type verdictLine struct {
	ID         json.RawMessage `json:"id"`
	Category   string          `json:"category"`
	Confidence float64         `json:"confidence"`
}

// chunk is how many texts are judged together: enough to keep every core busy,
// few enough to answer a person who types.
const chunk = 512

// classify judges lines in chunks, the chunk's lines side by side and in order.
func (p *program) classify(ctx context.Context, m *classify.Model, skipBad bool) error {
	out := bufio.NewWriter(p.Out)
	defer out.Flush()
	lines := newJSONLines(out)
	var texts []textLine
	flush := func() error {
		verdicts := judgeAll(m, texts)
		for _, v := range verdicts {
			if err := lines.write(v); err != nil {
				return err
			}
		}
		texts = texts[:0]
		if err := ctx.Err(); err != nil {
			return err
		}
		return out.Flush()
	}
	bad := false
	p.awaiting("texts")
	err := eachLine(p.In, func(n int, raw []byte) error {
		var l textLine
		err := decodeLine(n, raw, &l)
		if err == nil && l.Text == nil {
			err = fmt.Errorf("line %d has no text", n)
		}
		if err != nil {
			if !skipBad {
				return err
			}
			bad = true
			p.complain(err)
			return nil
		}
		if len(l.ID) == 0 {
			l.ID = json.RawMessage("null")
		}
		texts = append(texts, l)
		if len(texts) == chunk {
			return flush()
		}
		return nil
	})
	if ferr := flush(); err == nil {
		err = ferr
	}
	if err == nil && bad {
		return exitError(1)
	}
	return err
}

func judgeAll(m *classify.Model, texts []textLine) []verdictLine {
	verdicts := make([]verdictLine, len(texts))
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(texts))
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(texts); i += workers {
				t := texts[i]
				v := m.Classify(classify.Text{Subject: t.Subject, Body: mailbox.Reply(*t.Text)})
				verdicts[i] = verdictLine{t.ID, v.Category, v.Confidence}
			}
		})
	}
	wg.Wait()
	return verdicts
}

// readExamples reads labelled texts for training and evaluation. A line that
// cannot be used ends it with an error that has the line's number; with skipBad
// it is named and left out.
func (p *program) readExamples(r io.Reader, skipBad bool) ([]classify.Example, error) {
	var examples []classify.Example
	err := eachLine(r, func(n int, raw []byte) error {
		e, err := readExample(n, raw)
		switch {
		case err == nil:
			examples = append(examples, e)
		case skipBad:
			p.complain(err)
		default:
			return err
		}
		return nil
	})
	return examples, err
}

func readExample(n int, raw []byte) (e classify.Example, err error) {
	var l textLine
	if err := decodeLine(n, raw, &l); err != nil {
		return e, err
	}
	if l.Category == "" {
		l.Category = l.Gold
	}
	e = classify.Example{Subject: l.Subject, Category: strings.TrimSpace(l.Category)}
	if l.Text != nil {
		e.Text = mailbox.Reply(*l.Text)
	}
	switch {
	case l.Text == nil && l.Subject == "":
		return e, fmt.Errorf("line %d has no text", n)
	case strings.TrimSpace(e.Text) == "" && strings.TrimSpace(e.Subject) == "":
		return e, fmt.Errorf("line %d: its text is empty", n)
	case e.Category == "":
		return e, fmt.Errorf("line %d has no category", n)
	case strings.ContainsFunc(e.Category, unicode.IsControl):
		return e, fmt.Errorf("line %d: category %q is no name", n, e.Category)
	}
	return e, nil
}

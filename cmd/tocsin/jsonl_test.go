package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestALineThatIsTooLongIsLeftOutAndTheRestGoesOn(t *testing.T) {
	in := `{"id":1,"text":"` + strings.Repeat("x", 3*maxLine) + "\"}\n" + `{"id":2,"text":"I can't log in"}`
	var out, errs bytes.Buffer
	p := &program{In: strings.NewReader(in), Out: &out, Err: &errs}
	if code := p.Run(t.Context(), []string{"classify", "--skip-bad"}); code != 1 || !strings.HasPrefix(out.String(), `{"id":2,"category":"login"`) {
		t.Errorf("exit code %d, printed %.200q", code, out.String())
	}
	if !strings.Contains(errs.String(), "line 1 is longer than 16 MB") {
		t.Errorf("said %.200q", errs.String())
	}
}

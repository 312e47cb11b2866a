package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"tocsin/internal/config"
)

// TestReadmeKnowsEveryKey holds README's table of keys to the struct that reads
// them. -update rewrites it.
func TestReadmeKnowsEveryKey(t *testing.T) {
	const file, begin, end = "../../README.md", "<!-- keys -->\n", "<!-- /keys -->"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("README.md has no %q … %q", begin, end)
	}
	want := keyTables()
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("README.md's table of keys is not that of the configuration: go test ./cmd/tocsin -run Readme -update")
}

// keyTables writes a table for the top of the file and one for each of its
// tables.
func keyTables() string {
	var b strings.Builder
	defaults := reflect.ValueOf(config.Default()).Elem()
	table := func(title string, v reflect.Value) [][2]any {
		var below [][2]any
		fmt.Fprintf(&b, "**%s**\n\n| key | meaning | default |\n|---|---|---|\n", title)
		typ := v.Type()
		for i := range typ.NumField() {
			f := typ.Field(i)
			key := f.Tag.Get("toml")
			if key == "" || key == "-" {
				continue
			}
			fv := v.Field(i)
			switch kind := f.Type; {
			case kind.Kind() == reflect.Map && kind.Elem().Kind() == reflect.Pointer:
				below = append(below, [2]any{key + ".NAME", reflect.New(kind.Elem().Elem()).Elem()})
				continue
			case kind.Kind() == reflect.Struct && kind.NumField() > 0 && kind.Field(0).Tag.Get("toml") != "":
				below = append(below, [2]any{key, fv})
				continue
			case kind.Kind() == reflect.Pointer && kind.Elem().Kind() == reflect.Struct:
				below = append(below, [2]any{key, reflect.New(kind.Elem()).Elem()})
				continue
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, f.Tag.Get("doc"), defaultText(fv))
		}
		b.WriteByte('\n')
		return below
	}
	var walk func(prefix string, list [][2]any)
	walk = func(prefix string, list [][2]any) {
		for _, x := range list {
			name := prefix + x[0].(string)
			walk(name+".", table("["+name+"]", x[1].(reflect.Value)))
		}
	}
	walk("", table("at the top", defaults))
	return b.String()
}

func defaultText(v reflect.Value) string {
	if v.IsZero() {
		return ""
	}
	switch x := v.Interface().(type) {
	case config.Duration:
		return "`" + config.SpanText(x.D()) + "`"
	case config.Weekday:
		return "`" + strings.ToLower(time.Weekday(x).String()) + "`"
	case config.TimeOfDay:
		return fmt.Sprintf("`%02d:%02d`", x.Hour, x.Minute)
	case []string:
		return "`" + strings.Join(x, ", ") + "`"
	case fmt.Stringer:
		return "`" + x.String() + "`"
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// maxLine bounds one line of JSONL input; a mail body fits.
const maxLine = 16 << 20

// eachLine calls f with every line that is not blank and its number. Of a line
// that is too long f gets more than maxLine bytes, but not all.
func eachLine(r io.Reader, f func(n int, line []byte) error) error {
	br := bufio.NewReaderSize(r, 1<<20)
	var long []byte
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = br.ReadSlice('\n')
				if len(long) <= maxLine {
					long = append(long, line...)
				}
			}
			line = long
		}
		if err != nil && err != io.EOF {
			return err
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if t := bytes.TrimSpace(line); len(t) > 0 {
			if e := f(n, t); e != nil {
				return e
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// decodeLine reads one JSON object; the error names the line.
func decodeLine(n int, line []byte, v any) error {
	if len(line) > maxLine {
		return fmt.Errorf("line %d is longer than %d MB", n, maxLine>>20)
	}
	if line[0] != '{' {
		return fmt.Errorf("line %d is not a JSON object", n)
	}
	err := json.Unmarshal(line, v)
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) {
		found, _, _ := strings.Cut(typed.Value, " ") // "number 1e99" where it is too large
		return fmt.Errorf("line %d: %s is %s, and should be %s", n, typed.Field[strings.LastIndexByte(typed.Field, '.')+1:], jsonKinds[found], wanted(typed.Type))
	}
	if err != nil {
		return fmt.Errorf("line %d is not valid: %w", n, err)
	}
	return nil
}

// jsonKinds are what JSON may hold, in words.
var jsonKinds = map[string]string{"string": "a text", "number": "a number", "bool": "true or false", "array": "a list", "object": "an object"}

// wanted says what JSON a field takes.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return jsonKinds["string"]
	case reflect.Bool:
		return jsonKinds["bool"]
	case reflect.Slice, reflect.Array:
		return jsonKinds["array"]
	case reflect.Struct, reflect.Map:
		return jsonKinds["object"]
	}
	return jsonKinds["number"]
}

package store

import (
	"strings"
	"testing"
)

func TestTextsComeBack(t *testing.T) {
	long := strings.Repeat("I cannot log in. ", 400)
	for name, v := range map[string][2]string{
		"empty":                  {"", ""},
		"a reply within":         {"Hello,\nI cannot log in.\n> quoted", "I cannot log in."},
		"all of it is the reply": {long, long},
		"no reply":               {"> quoted", ""},
		"a reply put together":   {"one\n> two\nthree", "one\nthree"},
		"no text":                {"", "alone"},
		"not UTF-8":              {"\xff{\x00", "\xff{"},
	} {
		t.Run(name, func(t *testing.T) {
			text, reply, err := unpackTexts(packTexts(v[0], v[1]))
			if err != nil || text != v[0] || reply != v[1] {
				t.Errorf("%q, %q, %v", text, reply, err)
			}
		})
	}
}

func TestTextsOfTheFirstVersionAreRead(t *testing.T) {
	text, reply, err := unpackTexts(deflate([]byte(`{"Text":"Hello,\nbroken","Reply":"broken"}`)))
	if err != nil || text != "Hello,\nbroken" || reply != "broken" {
		t.Errorf("%q, %q, %v", text, reply, err)
	}
}

func TestDamagedTextsAreNamed(t *testing.T) {
	for _, raw := range []string{"", "\x07", "\x02", "\x02\x05ab", "\x02\x02ab\x01\x01\x02", "\x02\x02ab\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02"} {
		if text, reply, err := unpackTexts(deflate([]byte(raw))); err == nil {
			t.Errorf("%q: taken for %q and %q", raw, text, reply)
		}
	}
	if _, _, err := unpackTexts([]byte("no deflate")); err == nil {
		t.Error("what was never packed was unpacked")
	}
}

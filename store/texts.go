package store

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
)

// textsVersion is the first byte of a message's unpacked texts.
const textsVersion = 2

// maxUnpacked bounds what texts unpack to.
const maxUnpacked = 4 << 20

// packTexts makes the record of a message's text and of the reply in it. A
// reply is nearly always a piece of the text: then only its place is kept.
func packTexts(text, reply string) []byte {
	e := encoder{b: make([]byte, 0, len(text)+16)}
	e.b = append(e.b, textsVersion)
	e.str(text)
	if at := strings.Index(text, reply); at >= 0 {
		e.flags(true)
		e.uint(uint64(at))
		e.uint(uint64(len(reply)))
	} else {
		e.flags(false)
		e.str(reply)
	}
	return deflate(e.b)
}

func unpackTexts(record []byte) (text, reply string, err error) {
	raw, err := inflate(record)
	if err != nil {
		return "", "", err
	}
	if len(raw) > 0 && raw[0] == '{' { // version 1
		var t struct{ Text, Reply string }
		err := json.Unmarshal(raw, &t)
		return t.Text, t.Reply, err
	}
	if len(raw) == 0 || raw[0] != textsVersion {
		return "", "", errDamaged
	}
	d := decoder{b: raw[1:]}
	text = d.str()
	if d.uint() == 0 {
		reply = d.str()
	} else if at, n := d.uint(), d.uint(); at <= uint64(len(text)) && n <= uint64(len(text))-at {
		reply = text[at : at+n]
	} else {
		d.bad = true
	}
	if d.bad {
		return "", "", errDamaged
	}
	return text, reply, nil
}

// deflaters are reused: one takes more memory than a batch of mails.
var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(io.Discard, flate.BestSpeed) // the level is valid
	return w
}}

func deflate(raw []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(raw)/2 + 64)
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&b)
	_, _ = w.Write(raw) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// inflaters are kept because a new one is 40 KB to clear, and a search for a
// word unpacks thousands of texts.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

func inflate(b []byte) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b), nil); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxUnpacked))
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/mailbox"
)

// backtestLine is one line of input.
type backtestLine struct {
	Time       string          `json:"time"`
	Category   string          `json:"category"`
	Sender     string          `json:"sender"`
	Deployment *deploymentLine `json:"deployment"`
}

// deploymentLine is a deployment whose time is the line's.
type deploymentLine struct {
	detect.Deployment
	Time json.RawMessage `json:"time"` // not read
}

// backtestEvent is a line ready to be folded in: a complaint, or a deployment
// at the time of a complaint that is otherwise empty.
type backtestEvent struct {
	complaint  detect.Complaint
	deployment *detect.Deployment
}

// batchesAhead is how far reading may be ahead of the detector, in batches.
const (
	batchesAhead = 4
	inBatch      = 512
)

// backtestReader makes events of lines, and hands them on in batches.
type backtestReader struct {
	progress    *progress
	read, size  int64 // bytes of the input; its size is 0 when it is not known
	last        time.Time
	categories  map[string]string
	batch       []backtestEvent
	full, empty chan []backtestEvent
	done        <-chan struct{}
}

// line takes the next line; the error names it.
func (r *backtestReader) line(n int, raw []byte) error {
	r.read += int64(len(raw)) + 1
	if n%4096 == 0 {
		total := 0
		if r.size > r.read {
			total = int(float64(n) * float64(r.size) / float64(r.read))
		}
		r.progress.step(n, total)
	}
	var l backtestLine
	if !r.plain(&l, raw) {
		l = backtestLine{}
		if err := decodeLine(n, raw, &l); err != nil {
			return err
		}
	}
	at, err := r.check(n, &l)
	if err != nil {
		return err
	}
	if r.last = at; r.batch == nil {
		select {
		case r.batch = <-r.empty:
		default:
			r.batch = make([]backtestEvent, 0, inBatch)
		}
	}
	r.batch = append(r.batch, l.event(at))
	if len(r.batch) < inBatch {
		return nil
	}
	return r.flush()
}

// flush hands on what was read.
func (r *backtestReader) flush() error {
	select {
	case r.full <- r.batch:
		r.batch = nil
		return nil
	case <-r.done:
		return context.Canceled
	}
}

// check says what is wrong with a line, and its time.
func (r *backtestReader) check(n int, l *backtestLine) (time.Time, error) {
	if l.Time == "" {
		return time.Time{}, fmt.Errorf("line %d has no time", n)
	}
	at, err := time.Parse(time.RFC3339, l.Time)
	if err != nil { // RFC 3339 §5.6 allows t and z
		at, err = time.Parse(time.RFC3339, strings.ToUpper(l.Time))
	}
	switch {
	case err != nil:
		err = fmt.Errorf("line %d: time %q is not RFC 3339, as 2026-11-23T09:45:02Z", n, l.Time)
	case at.Year() < 1971 || at.Year() > 2200:
		err = fmt.Errorf("line %d: time %q is out of range", n, l.Time)
	case at.Before(r.last):
		err = fmt.Errorf("line %d is earlier (%s) than the line before it (%s): sort the events by time", n, l.Time, r.last.Format(time.RFC3339))
	case l.Deployment != nil && strings.TrimSpace(l.Deployment.Service) == "":
		err = fmt.Errorf("line %d: the deployment has no service", n)
	case l.Deployment == nil && strings.TrimSpace(l.Category) == "":
		err = fmt.Errorf("line %d has neither a category nor a deployment", n)
	case l.Deployment == nil && strings.TrimSpace(l.Sender) == "":
		err = fmt.Errorf("line %d has no sender", n)
	}
	return at, err
}

// event is what a line says.
func (l *backtestLine) event(at time.Time) backtestEvent {
	if l.Deployment != nil {
		d := &l.Deployment.Deployment
		d.At = at
		if d.ID == "" {
			d.ID = fmt.Sprintf("%s %s %d", d.Service, d.Version, at.UnixNano())
		}
		return backtestEvent{complaint: detect.Complaint{At: at}, deployment: d}
	}
	m := mailbox.Message{From: mailbox.Address{Addr: bareAddress(l.Sender)}}
	c := detect.Complaint{At: at, Category: l.Category, Complainant: m.Complainant(), Organisation: m.Organisation()}
	if c.Complainant == "" {
		c.Complainant = l.Sender
	}
	return backtestEvent{complaint: c}
}

// bareAddress is the address of a sender as exports write one: with a name, or
// as a link. One person is one complainant, however written.
func bareAddress(sender string) string {
	s := strings.TrimSpace(sender)
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") {
		s = s[i+1 : len(s)-1]
	}
	if scheme := "mailto:"; len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		s = s[len(scheme):]
	}
	return s
}

// plain reads the line that makes up nearly all of an input, an object of
// strings in ASCII without escapes under the names known, in a fifth of the
// time that encoding/json takes. It tells whether the line was one; any other
// line, a wrong one above all, is left to encoding/json and its errors.
func (r *backtestReader) plain(l *backtestLine, raw []byte) bool {
	rest, ok := bytes.CutPrefix(raw, []byte("{"))
	for ok {
		var name, value []byte
		if name, rest, ok = plainString(rest); !ok {
			return false
		}
		if rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " "), []byte(":")); !ok {
			return false
		}
		if value, rest, ok = plainString(rest); !ok {
			return false
		}
		switch string(name) {
		case "time":
			l.Time = string(value)
		case "category":
			l.Category = r.category(value)
		case "sender":
			l.Sender = string(value)
		default:
			return false
		}
		if rest = bytes.TrimLeft(rest, " "); string(rest) == "}" {
			return true
		}
		rest, ok = bytes.CutPrefix(rest, []byte(","))
	}
	return false
}

// category is a name in memory that all of its lines share.
func (r *backtestReader) category(name []byte) string {
	if s, ok := r.categories[string(name)]; ok {
		return s
	}
	if len(r.categories) > 1000 || r.categories == nil {
		r.categories = map[string]string{}
	}
	s := string(name)
	r.categories[s] = s
	return s
}

// plainString takes a string off the front of b.
func plainString(b []byte) (value, rest []byte, ok bool) {
	if b, ok = bytes.CutPrefix(bytes.TrimLeft(b, " "), []byte(`"`)); !ok {
		return nil, nil, false
	}
	for i, c := range b {
		switch {
		case c == '"':
			return b[:i], b[i+1:], true
		case c == '\\' || c < ' ' || c > '~':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

package store

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"tocsin/classify"
	"tocsin/mailbox"
)

// headVersion is the first byte of a message's record.
const headVersion = 1

var errDamaged = errors.New("a record of the data file is damaged")

// encoder appends fields; decoder reads them back in the same order. The log
// of a year is read at every start, which JSON would make ten times as slow.
type encoder struct{ b []byte }

func (e *encoder) uint(n uint64) { e.b = binary.AppendUvarint(e.b, n) }
func (e *encoder) str(s string)  { e.uint(uint64(len(s))); e.b = append(e.b, s...) }
func (e *encoder) strs(l []string) {
	e.uint(uint64(len(l)))
	for _, s := range l {
		e.str(s)
	}
}
func (e *encoder) float(f float64) { e.b = binary.BigEndian.AppendUint64(e.b, math.Float64bits(f)) }
func (e *encoder) time(t time.Time) {
	if t.IsZero() {
		e.uint(0)
		return
	}
	e.b = binary.AppendUvarint(e.b, 1)
	e.b = binary.BigEndian.AppendUint64(e.b, uint64(t.UnixNano()))
}
func (e *encoder) flags(bits ...bool) {
	var n uint64
	for i, b := range bits {
		if b {
			n |= 1 << i
		}
	}
	e.uint(n)
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uint() uint64 {
	n, k := binary.Uvarint(d.b)
	if k <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[k:]
	return n
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) str() string { return string(d.take(d.uint())) }

func (d *decoder) strs() []string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.bad = true
		return nil
	}
	var l []string
	for range n {
		l = append(l, d.str())
	}
	return l
}

func (d *decoder) float() float64 {
	if v := d.take(8); len(v) == 8 {
		return math.Float64frombits(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (d *decoder) time() time.Time {
	if d.uint() == 0 {
		return time.Time{}
	}
	if v := d.take(8); len(v) == 8 {
		return time.Unix(0, int64(binary.BigEndian.Uint64(v))).UTC()
	}
	return time.Time{}
}

// encodeHead writes a message without its texts. What the detector's rebuild
// needs stands first.
func encodeHead(m *Entry) []byte {
	e := encoder{b: make([]byte, 0, 512)}
	e.b = append(e.b, headVersion)
	e.str(m.ID)
	e.time(m.Received)
	e.str(m.From.Addr)
	e.str(m.From.Name)
	e.str(string(m.Automated))
	e.flags(m.Verdict.Complaint, m.FollowUp, m.History)
	e.str(m.Verdict.Category)
	e.str(m.Corrected)
	e.uint(m.Print)
	e.str(string(m.Authenticated))
	e.strs(m.Streams)
	e.str(m.Problem)

	e.str(m.Account)
	e.str(m.Folder)
	e.uint(uint64(m.UIDValidity))
	e.uint(uint64(m.UID))
	e.uint(uint64(m.Size))
	e.str(m.MessageID)
	e.strs(m.InReplyTo)
	e.strs(m.References[max(0, len(m.References)-5):])
	e.time(m.Date)
	e.str(m.Via.Name)
	e.str(m.Via.Addr)
	to := m.To[:min(len(m.To), 10)]
	e.uint(uint64(len(to)))
	for _, a := range to {
		e.str(a.Name)
		e.str(a.Addr)
	}
	e.str(m.Subject)
	e.str(m.Sign)
	e.str(m.FailedRecipient)
	e.strs(m.Defects)
	e.uint(uint64(len(m.Attachments)))
	for _, a := range m.Attachments {
		e.str(a.Name)
		e.str(a.Type)
		e.uint(uint64(a.Size))
	}
	e.float(m.Verdict.Confidence)
	e.str(m.Verdict.Language)
	e.str(m.Verdict.Model)
	e.uint(uint64(len(m.Verdict.Evidence)))
	for _, v := range m.Verdict.Evidence {
		e.str(v.Phrase)
		e.float(v.Weight)
	}
	return e.b
}

// decodeHead reads a message's record. With brief set it stops after what the
// detector needs.
func decodeHead(b []byte, brief bool) (m Entry, err error) {
	if len(b) == 0 || b[0] != headVersion {
		return m, errDamaged
	}
	d := decoder{b: b[1:]}
	m.ID = d.str()
	m.Received = d.time()
	m.From.Addr, m.From.Name = d.str(), d.str()
	m.Automated = mailbox.Automated(d.str())
	bits := d.uint()
	m.Verdict.Complaint, m.FollowUp, m.History = bits&1 != 0, bits&2 != 0, bits&4 != 0
	m.Verdict.Category = d.str()
	m.Corrected = d.str()
	m.Print = d.uint()
	m.Authenticated = mailbox.Authentication(d.str())
	m.Streams = d.strs()
	m.Problem = d.str()
	if brief {
		if d.bad {
			err = errDamaged
		}
		return m, err
	}
	m.Account, m.Folder = d.str(), d.str()
	m.UIDValidity, m.UID = uint32(d.uint()), uint32(d.uint())
	m.Size = int64(d.uint())
	m.MessageID = d.str()
	m.InReplyTo, m.References = d.strs(), d.strs()
	m.Date = d.time()
	m.Via.Name, m.Via.Addr = d.str(), d.str()
	for n := d.uint(); n > 0 && !d.bad; n-- {
		m.To = append(m.To, mailbox.Address{Name: d.str(), Addr: d.str()})
	}
	m.Subject, m.Sign, m.FailedRecipient = d.str(), d.str(), d.str()
	m.Defects = d.strs()
	for n := d.uint(); n > 0 && !d.bad; n-- {
		m.Attachments = append(m.Attachments, mailbox.Attachment{Name: d.str(), Type: d.str(), Size: int64(d.uint())})
	}
	m.Verdict.Confidence = d.float()
	m.Verdict.Language, m.Verdict.Model = d.str(), d.str()
	for n := d.uint(); n > 0 && !d.bad; n-- {
		m.Verdict.Evidence = append(m.Verdict.Evidence, classify.Evidence{Phrase: d.str(), Weight: d.float()})
	}
	if d.bad {
		err = errDamaged
	}
	return m, err
}

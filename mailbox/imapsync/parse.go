package imapsync

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"tocsin/mailbox"
)

// parsers read mails on all cores while the next come in.
type parsers struct {
	f        *Folder
	validity uint32
	jobs     chan job
	wg       sync.WaitGroup
}

type job struct {
	it      *item
	raw     []byte
	problem string
}

// add starts the goroutines at the first mail.
func (p *parsers) add(it *item, raw []byte, problem string) {
	if p.jobs == nil {
		p.jobs = make(chan job, 16)
		for range max(1, runtime.GOMAXPROCS(0)) {
			p.wg.Add(1)
			go func(jobs <-chan job) {
				defer p.wg.Done()
				for j := range jobs {
					p.parse(j)
				}
			}(p.jobs)
		}
	}
	p.jobs <- job{it, raw, problem}
}

// wait ends the goroutines; the next add starts them anew.
func (p *parsers) wait() {
	if p.jobs != nil {
		close(p.jobs)
		p.wg.Wait()
		p.jobs = nil
	}
}

// parse makes a Message of a mail. A parser that breaks its promise not to fail
// costs one mail its text, not the folder its reader.
func (p *parsers) parse(j job) {
	f := p.f
	m := f.parseSafely(j.raw)
	m.Account, m.Folder = f.acct.Name, f.name
	m.UIDValidity, m.UID = p.validity, uint32(j.it.uid)
	m.Size = j.it.size
	if m.Size == 0 {
		m.Size = int64(len(j.raw))
	}
	m.Received = f.arrival(j.it.date, m.Received)
	at := j.it.date
	if at.IsZero() {
		at = m.Received
	}
	m.TellApart(at, m.Size)
	if j.problem != "" {
		m.Problem = j.problem
	}
	j.it.msg = m
}

// arrival is the first time, of INTERNALDATE and what the header says, at which
// a mail can have come. What moves mail between servers sets INTERNALDATE to
// anything: a year that no clock here can hold, or one to come, which would be
// on top of every list until then.
func (f *Folder) arrival(times ...time.Time) time.Time {
	now := f.acct.Now()
	for _, t := range times {
		if t.Unix() > 0 && t.Before(now.Add(clocksDiffer)) {
			return t
		}
	}
	return now
}

// clocksDiffer is how far ahead the clock of a server is believed.
const clocksDiffer = 24 * time.Hour

func (f *Folder) parseSafely(raw []byte) (m mailbox.Message) {
	defer func() {
		if p := recover(); p != nil {
			f.acct.Log.Error("a mail could not be parsed", "mailbox", f.acct.Name, "folder", f.name, "err", fmt.Sprint(p))
			m = mailbox.Message{ID: mailDigest(raw), Problem: "could not be parsed"}
		}
	}()
	return f.acct.Parse(raw)
}

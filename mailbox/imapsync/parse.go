package imapsync

import (
	"fmt"
	"runtime"
	"sync"

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
	if !j.it.date.IsZero() {
		m.Received = j.it.date
	} else if m.Received.IsZero() {
		m.Received = f.acct.Now()
	}
	if m.MessageID == "" && m.Date.IsZero() {
		// Nothing in the mail tells it from the next one with the same words, as
		// forms send them. A copy keeps its INTERNALDATE (RFC 9051 section 6.4.7)
		// and its size.
		m.ID = mailDigest(fmt.Appendf(nil, "%s %d %d", m.ID, m.Received.Unix(), m.Size))
	}
	if j.problem != "" {
		m.Problem = j.problem
	}
	j.it.msg = m
}

func (f *Folder) parseSafely(raw []byte) (m mailbox.Message) {
	defer func() {
		if p := recover(); p != nil {
			f.acct.Log.Error("a mail could not be parsed", "mailbox", f.acct.Name, "folder", f.name, "err", fmt.Sprint(p))
			m = mailbox.Message{ID: mailDigest(raw), Problem: "could not be parsed"}
		}
	}()
	return f.acct.Parse(raw)
}

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"tocsin/classify"
	"tocsin/mailbox"
	"tocsin/store"
)

var importCommand = command{
	name:    "import",
	args:    "FILE…",
	summary: "read an mbox or a Maildir as history",
	about: `
Stores mails from files as history: an mbox, a Maildir with its folders, single
mails. They teach what is normal and never ring; what is stored already is
recognised. The worker must not run meanwhile.

example:
  tocsin import --config tocsin.toml archive.mbox`,
	setup: func(p *program, fs *flag.FlagSet) func(context.Context, []string) error {
		file := fs.String("config", "", "the configuration `FILE`")
		return func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return usagef("import wants the files to read")
			}
			cfg, s, err := openOwn(ctx, *file)
			if err != nil {
				return err
			}
			defer s.Close()
			m, err := modelFor(cfg)
			if err != nil {
				return err
			}
			i := importing{store: s, model: m, parser: parserFor(cfg, "", s.InstallID()), progress: p.progress("imported")}
			err = i.all(ctx, args)
			i.progress.end()
			if i.stored+i.known > 0 || err == nil {
				fmt.Fprintf(p.Out, "%d mails were stored, %d were known already\n", i.stored, i.known)
			}
			if i.foreign > 0 {
				fmt.Fprintf(p.Err, "%d files hold no mail and were left out; unpack what is compressed\n", i.foreign)
			}
			if i.undated > 0 {
				fmt.Fprintf(p.Err, "%d mails say nowhere when they came and were left out\n", i.undated)
			}
			return err
		}
	},
}

// importing stores mails in batches.
type importing struct {
	store    *store.Store
	model    *classify.Model
	parser   *mailbox.Parser
	progress *progress

	batch []rawMail
	bytes int // in the batch
	uid   uint32

	read, total            int64 // bytes of the files
	stored, known, undated int
	foreign                int // files that are no mail
}

// rawMail is a mail of a file, with the time it came if the file system knows.
type rawMail struct {
	mailbox.Raw
	received time.Time
}

// Bounds of a batch.
const (
	importBatch = 200
	importBytes = 16 << 20
)

// mailFile is a file to read, and when it came if it is a mail of a Maildir.
type mailFile struct {
	path     string
	received time.Time
}

func (i *importing) all(ctx context.Context, args []string) error {
	var files []mailFile
	for _, path := range args {
		found, err := i.find(ctx, path)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	for _, f := range files {
		if err := i.file(ctx, f); err != nil {
			return err
		}
	}
	return i.flush()
}

// find lists the files of mail under a path. Of a Maildir these are the files in
// new and cur, whose time is that of the delivery; beside them servers keep
// files of their own.
func (i *importing) find(ctx context.Context, path string) (files []mailFile, err error) {
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		dir := filepath.Dir(name)
		switch inMaildir := isMaildir(filepath.Dir(dir)); {
		case !d.Type().IsRegular() && name != path:
			return nil
		case name != path && (isMaildir(dir) || strings.HasPrefix(d.Name(), ".") || (inMaildir && filepath.Base(dir) == "tmp")):
			return nil
		default:
			info, err := os.Stat(name)
			if err != nil || info.IsDir() {
				return err
			}
			f := mailFile{path: name}
			if inMaildir {
				f.received = info.ModTime()
			}
			i.total += info.Size()
			files = append(files, f)
			return nil
		}
	})
	return files, err
}

func (i *importing) file(ctx context.Context, from mailFile) error {
	f, err := os.Open(from.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return eachMail(ctx, counted{f, &i.read}, func(raw mailbox.Raw) error {
		i.batch = append(i.batch, rawMail{raw, from.received})
		if i.bytes += len(raw.Bytes); len(i.batch) == importBatch || i.bytes > importBytes {
			return i.flush()
		}
		return nil
	})
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n *int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	*c.n += int64(n)
	return n, err
}

// flush reads the batch on all cores and stores it.
func (i *importing) flush() error {
	entries := make([]store.Entry, len(i.batch))
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := range next {
				entries[n] = i.entry(i.batch[n])
			}
		})
	}
	for n := range i.batch {
		next <- n
	}
	close(next)
	wg.Wait()
	i.batch, i.bytes = i.batch[:0], 0

	dated := entries[:0]
	for _, e := range entries {
		switch {
		case e.Received.IsZero() && e.From.Addr == "" && e.Problem != "":
			i.foreign++
			continue
		case e.Received.IsZero():
			i.undated++ // without a time it teaches nothing
			continue
		}
		i.uid++
		e.Account, e.Folder, e.UIDValidity, e.UID = store.ImportAccount, "files", 1, i.uid
		dated = append(dated, e)
	}
	if len(dated) == 0 {
		return nil
	}
	a, err := i.store.Append(dated, mailbox.Cursor{Account: store.ImportAccount, Folder: "files", UIDValidity: 1, UID: i.uid})
	if err != nil {
		return err
	}
	i.stored, i.known = i.stored+a.Stored, i.known+a.Known
	done := i.stored + i.known
	i.progress.step(done, int(float64(done)*float64(i.total)/float64(max(1, i.read))))
	return nil
}

func (i *importing) entry(r rawMail) store.Entry {
	m := i.parser.Parse(r.Bytes)
	switch {
	case !r.received.IsZero():
		m.Received = r.received
	case m.Received.IsZero():
		m.Received = r.Delivered
	}
	m.TellApart(m.Received, sizeOnServer(r.Bytes))
	e := store.Entry{Message: m, History: true, Print: mailbox.Print(m.Reply)}
	e.Verdict = i.model.Classify(classify.Text{Subject: m.Subject, Body: m.Reply, Automated: string(m.Automated)})
	return e
}

// sizeOnServer is a mail's size as a server tells it: with CR LF at the end of
// each line.
func sizeOnServer(raw []byte) int64 {
	return int64(len(raw) + bytes.Count(raw, []byte("\n")) - bytes.Count(raw, []byte("\r\n")))
}

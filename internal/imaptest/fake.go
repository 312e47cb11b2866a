package imaptest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Fake is an IMAP server that says what a test tells it to. It serves one
// INBOX of the given mails with UIDs from 1, correctly, until a Handler takes a
// command over.
type Fake struct {
	Host string
	Port int

	// UIDValidity is 1 unless set before the first connection.
	UIDValidity uint32
	// Greeting is sent first; empty: "* OK ready".
	Greeting string
	// Caps are what the server says it can do.
	Caps string

	t  testing.TB
	l  net.Listener
	wg sync.WaitGroup

	mu       sync.Mutex
	mails    map[uint32]string
	handler  Handler
	commands []string
	conns    map[net.Conn]bool
	closed   bool
}

// Handler answers a command itself and returns true, or leaves it to the
// server and returns false. The line is without its tag.
type Handler func(c *FakeConn, tag, line string) bool

// FakeConn is a connection to a Fake.
type FakeConn struct {
	net.Conn
	r *bufio.Reader
	f *Fake
}

// StartFake starts a server with mails that have UIDs 1, 2, 3 …
func StartFake(t testing.TB, mails ...string) *Fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	f := &Fake{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, UIDValidity: 1, Caps: "IMAP4rev1 IDLE AUTH=PLAIN",
		t: t, l: l, mails: make(map[uint32]string), conns: make(map[net.Conn]bool)}
	for i, m := range mails {
		f.mails[uint32(i+1)] = m
	}
	f.wg.Add(1)
	go f.serve()
	t.Cleanup(f.close)
	return f
}

// Handle sets what answers commands first; nil: nothing.
func (f *Fake) Handle(h Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handler = h
}

// Commands returns the commands received so far, without tags.
func (f *Fake) Commands() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.commands...)
}

func (f *Fake) close() {
	f.mu.Lock()
	f.closed = true
	for c := range f.conns {
		c.Close()
	}
	f.mu.Unlock()
	f.l.Close()
	f.wg.Wait()
}

func (f *Fake) serve() {
	defer f.wg.Done()
	for {
		c, err := f.l.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		if f.closed {
			c.Close()
		}
		f.conns[c] = true
		f.mu.Unlock()
		f.wg.Add(1)
		go func() {
			defer f.wg.Done()
			fc := &FakeConn{Conn: c, r: bufio.NewReader(c), f: f}
			fc.serve()
			c.Close()
			f.mu.Lock()
			delete(f.conns, c)
			f.mu.Unlock()
		}()
	}
}

// Send writes text as it is.
func (c *FakeConn) Send(format string, args ...any) {
	fmt.Fprintf(c.Conn, format, args...)
}

// ReadLine reads a line, as a challenge's answer or DONE; "" at the end.
func (c *FakeConn) ReadLine() string {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimRight(line, "\r\n")
}

// Drain waits until the client is gone.
func (c *FakeConn) Drain() { io.Copy(io.Discard, c.r) }

func (c *FakeConn) serve() {
	greeting := c.f.Greeting
	if greeting == "" {
		greeting = "* OK ready"
	}
	c.Send("%s\r\n", greeting)
	for {
		line := c.ReadLine()
		tag, command, ok := strings.Cut(line, " ")
		if !ok {
			return
		}
		c.f.mu.Lock()
		c.f.commands = append(c.f.commands, command)
		h := c.f.handler
		c.f.mu.Unlock()
		if h != nil && h(c, tag, command) {
			continue
		}
		if !c.answer(tag, command) {
			return
		}
	}
}

// answer is the server that behaves; false ends the connection.
func (c *FakeConn) answer(tag, command string) bool {
	upper := strings.ToUpper(command)
	word, rest, _ := strings.Cut(upper, " ")
	if word == "UID" {
		word, rest, _ = strings.Cut(rest, " ")
		word = "UID " + word
	}
	switch word {
	case "CAPABILITY":
		c.Send("* CAPABILITY %s\r\n", c.f.Caps)
	case "AUTHENTICATE":
		if !strings.Contains(rest, " ") {
			c.Send("+ \r\n")
			c.ReadLine()
		}
	case "LOGIN", "NOOP":
	case "EXAMINE", "SELECT":
		c.examine(tag, word)
		return true
	case "UID SEARCH":
		c.Send("* SEARCH%s\r\n", c.search(rest))
	case "SEARCH":
		c.Send("* SEARCH%s\r\n", c.search(rest))
	case "UID FETCH":
		set, items, _ := strings.Cut(rest, " ")
		c.FetchAll(c.f.within(set), items)
	case "FETCH":
		set, items, _ := strings.Cut(rest, " ")
		c.FetchAll(c.f.within(set), items)
	case "IDLE":
		c.Send("+ idling\r\n")
		if c.ReadLine() == "" {
			return false
		}
	case "LIST":
		c.Send("* LIST (\\HasNoChildren) \"/\" INBOX\r\n")
	case "LOGOUT":
		c.Send("* BYE until next time\r\n%s OK done\r\n", tag)
		return false
	default:
		c.Send("%s BAD what?\r\n", tag)
		return true
	}
	c.Send("%s OK done\r\n", tag)
	return true
}

func (c *FakeConn) examine(tag, word string) {
	n := len(c.f.uids())
	c.Send("* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n* OK [UIDNEXT %d] ok\r\n", n, c.f.UIDValidity, c.f.next())
	mode := "READ-ONLY"
	if word == "SELECT" {
		mode = "READ-WRITE"
	}
	c.Send("%s OK [%s] done\r\n", tag, mode)
}

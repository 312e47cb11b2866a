package imapsync

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// What a server may send at most, whatever it was asked.
const (
	maxLiteral  = maxMail + 64<<10 // one literal, bytes
	maxDepth    = 200              // nested parentheses: the client's parser recurses on them
	maxLine     = 16 << 20         // bytes of one command's answer outside literals
	maxAnswer   = 64 << 20         // bytes of one command's answer
	smallAnswer = 1 << 20          // of commands with short answers
)

// Causes for which the guard ends a connection.
var (
	errSilent  = errors.New("the server stopped answering")
	errSlow    = errors.New("the server sends too slowly")
	errTooMuch = errors.New("the server sent more than any answer needs")
	errTooDeep = errors.New("the server sent an answer nested too deeply")
	errNotIMAP = errors.New("the server does not speak IMAP")
	errShort   = errors.New("the connection ended inside a mail")
	errGone    = errors.New("the server closed the connection")
)

// limits bound one command.
type limits struct {
	silence time.Duration // longest wait for a next byte; 0 means none is due
	grace   time.Duration // waiting allowed beside the least rate
	rate    int64         // least bytes a second after that
	bytes   int64         // most bytes of the answer
}

// guard stands between the IMAP client and the network. The client sets no
// deadline while a command waits for its answer, takes literals of any size
// into memory and recurses on parentheses (go-imap v2.0.0-beta.8), so the guard
// keeps all three: a clock and a byte count for each command, and a reader of
// the wire's grammar that ends the connection before the client's parser sees
// what would harm it. Deadlines that the client sets for reading are ignored.
type guard struct {
	net.Conn

	mu     sync.Mutex
	lim    limits
	armed  bool
	waited time.Duration // spent waiting for bytes in this command
	since  time.Time     // when the running command began to wait
	got    int64         // bytes of this command's answer
	total  int64         // bytes of the connection
	slow   bool          // the deadline set is that of the least rate
	err    error         // why the guard ended the connection
	scan   scanner
}

func newGuard(c net.Conn) *guard { return &guard{Conn: c} }

// begin starts the clock and the count of a command.
func (g *guard) begin(l limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lim, g.armed, g.waited, g.got = l, true, 0, 0
	g.scan.outside, g.scan.below = 0, 0
	g.since = time.Now()
	g.arm(g.since)
}

// end stops the clock: until the next command nothing is due.
func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = false
	g.lim = limits{bytes: smallAnswer}
	g.got, g.scan.outside = 0, 0
	g.Conn.SetReadDeadline(time.Time{})
}

// arm sets the deadline of the next byte.
func (g *guard) arm(now time.Time) {
	if !g.armed || g.lim.silence == 0 {
		g.Conn.SetReadDeadline(time.Time{})
		return
	}
	left := g.lim.silence
	g.slow = false
	if g.lim.rate > 0 {
		budget := g.lim.grace + time.Duration(g.got)*time.Second/time.Duration(g.lim.rate)
		if rest := max(0, budget-g.waited); rest < left {
			left, g.slow = rest, true
		}
	}
	g.Conn.SetReadDeadline(now.Add(left))
}

// Read implements net.Conn.
func (g *guard) Read(b []byte) (int, error) {
	g.mu.Lock()
	if g.err == nil && g.scan.bye != "" {
		g.err = errGone // nothing follows a BYE, whether it closes or not
		g.Conn.Close()
	}
	if g.err != nil {
		defer g.mu.Unlock()
		return 0, g.err
	}
	g.since = time.Now()
	g.arm(g.since)
	g.mu.Unlock()

	n, err := g.Conn.Read(b)

	g.mu.Lock()
	defer g.mu.Unlock()
	g.waited += time.Since(g.since)
	g.got += int64(n)
	g.total += int64(n)
	if cause := g.judge(b[:n], err); cause != nil {
		if g.err == nil {
			g.err = cause
		}
		g.Conn.Close()
		return 0, g.err
	}
	return n, err
}

// judge tells why the connection must end, if it must.
func (g *guard) judge(b []byte, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if g.slow {
			return errSlow
		}
		return errSilent
	}
	if g.lim.bytes > 0 && g.got > g.lim.bytes {
		return errTooMuch
	}
	return g.scan.write(b)
}

// SetDeadline implements net.Conn; the guard keeps its own for reading.
func (g *guard) SetDeadline(t time.Time) error { return g.Conn.SetWriteDeadline(t) }

// SetReadDeadline implements net.Conn and does nothing: the guard keeps time.
func (g *guard) SetReadDeadline(time.Time) error { return nil }

// cause tells why the guard ended the connection, nil if it did not, in words
// that name the server's own last ones when it said goodbye.
func (g *guard) cause() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.scan.bye != "" {
		return fmt.Errorf("the server closed the connection: %s", printable(g.scan.bye))
	}
	return g.err
}

// tagged returns the start of the last tagged answer.
func (g *guard) tagged() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.scan.tagged
}

// received returns how many bytes the connection brought so far.
func (g *guard) received() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}

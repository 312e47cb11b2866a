package imaptest

import (
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Fault says how a Proxy treats what the server sends on one connection. The
// zero value passes everything. After is the number of bytes that pass before
// the fault begins.
type Fault struct {
	After   int64
	Cut     bool          // then end the connection
	Stall   bool          // then pass nothing more in either direction, and keep it open
	Every   time.Duration // then one byte in this time
	Garbage []byte        // then these bytes once, before what follows
}

// Proxy stands between a client and a server and makes the network misbehave.
type Proxy struct {
	Host string
	Port int

	t      testing.TB
	l      net.Listener
	target string
	done   chan struct{}
	wg     sync.WaitGroup

	mu     sync.Mutex
	faults []Fault // for the connections to come, one each
	last   Fault   // for those after
	conns  map[net.Conn]bool
	held   chan struct{} // closed while connections flow
	count  int
	most   int
	bytes  int64
}

// StartProxy starts a proxy to a port of this machine, without a fault.
func StartProxy(t testing.TB, port int) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	p := &Proxy{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, t: t, l: l,
		target: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), done: make(chan struct{}),
		conns: make(map[net.Conn]bool), held: make(chan struct{})}
	close(p.held)
	p.wg.Add(1)
	go p.serve()
	t.Cleanup(p.close)
	return p
}

// Next sets the faults of the next connections, one each; those after them
// have none.
func (p *Proxy) Next(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.last = faults, Fault{}
}

// Always gives all connections to come the same fault.
func (p *Proxy) Always(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.last = nil, f
}

// Hold makes all connections half open: they stay, and nothing passes until
// Release.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.held:
		p.held = make(chan struct{})
	default:
	}
}

// Release ends Hold.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.held:
	default:
		close(p.held)
	}
}

// CutAll ends all connections there are.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Connections returns how many connections were made so far.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Most returns how many connections there were at a time, at most.
func (p *Proxy) Most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

// Bytes returns how many bytes servers sent so far.
func (p *Proxy) Bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

func (p *Proxy) close() {
	close(p.done)
	p.l.Close()
	p.Release()
	p.CutAll()
	p.wg.Wait()
}

func (p *Proxy) serve() {
	defer p.wg.Done()
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.target)
		if err != nil {
			c.Close()
			continue
		}
		p.mu.Lock()
		f := p.last
		if len(p.faults) > 0 {
			f, p.faults = p.faults[0], p.faults[1:]
		}
		p.conns[c], p.conns[s] = true, true
		p.count++
		p.most = max(p.most, len(p.conns)/2)
		p.mu.Unlock()
		stalled := make(chan struct{})
		p.wg.Add(2)
		go p.pipe(s, c, Fault{}, stalled, false)
		go p.pipe(c, s, f, stalled, true)
	}
}

// pipe copies one direction until either end closes.
func (p *Proxy) pipe(dst, src net.Conn, f Fault, stalled chan struct{}, fromServer bool) {
	defer p.wg.Done()
	defer func() {
		dst.Close()
		src.Close()
		p.mu.Lock()
		delete(p.conns, dst)
		delete(p.conns, src)
		p.mu.Unlock()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 && !p.pass(dst, buf[:n], &f, stalled, fromServer) {
			return
		}
		if err != nil {
			return
		}
	}
}

// pass forwards what was read, as the fault allows, and tells whether to go on.
func (p *Proxy) pass(dst net.Conn, b []byte, f *Fault, stalled chan struct{}, fromServer bool) bool {
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	select {
	case <-held:
	case <-p.done:
		return false
	}
	select {
	case <-stalled:
		return p.swallow()
	default:
	}
	if !f.faulty() {
		return p.write(dst, b, fromServer)
	}
	n := min(f.After, int64(len(b)))
	if !p.write(dst, b[:n], fromServer) {
		return false
	}
	f.After -= n
	b = b[n:]
	if len(b) == 0 {
		return true
	}
	switch {
	case f.Garbage != nil:
		ok := p.write(dst, f.Garbage, fromServer) && p.write(dst, b, fromServer)
		*f = Fault{}
		return ok
	case f.Cut:
		return false
	case f.Stall:
		close(stalled)
		return p.swallow()
	}
	for i := range b {
		select {
		case <-p.done:
			return false
		case <-time.After(f.Every):
		}
		if !p.write(dst, b[i:i+1], fromServer) {
			return false
		}
	}
	return true
}

func (f *Fault) faulty() bool { return f.Cut || f.Stall || f.Every > 0 || f.Garbage != nil }

// swallow keeps a connection open without reading: the other side fills its
// window, as with a peer that lost power.
func (p *Proxy) swallow() bool {
	<-p.done
	return false
}

func (p *Proxy) write(dst net.Conn, b []byte, fromServer bool) bool {
	if fromServer {
		p.mu.Lock()
		p.bytes += int64(len(b))
		p.mu.Unlock()
	}
	_, err := dst.Write(b)
	return err == nil
}

package demo

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// The account on the embedded server.
const (
	Username = "support@acme.example"
	Password = "demo"
	Folder   = "INBOX"
)

// Server is an IMAP server in this process, on loopback, with one inbox. It
// keeps its mail in memory.
type Server struct {
	user   *imapmemserver.User
	server *imapserver.Server
	ln     net.Listener
	done   chan struct{}
}

// Listen starts the server on a free port. Close ends it.
func Listen() (*Server, error) {
	user := imapmemserver.NewUser(Username, Password)
	if err := user.Create(Folder, nil); err != nil {
		return nil, err
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	s := &Server{user: user, done: make(chan struct{})}
	s.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}, imap.CapUIDPlus: {}},
		InsecureAuth: true, // it listens on loopback only
		Logger:       log.New(io.Discard, "", 0),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.ln = ln
	go func() {
		defer close(s.done)
		_ = s.server.Serve(ln) // ends with an error when it is closed
	}()
	return s, nil
}

// Port is where it listens.
func (s *Server) Port() int { return s.ln.Addr().(*net.TCPAddr).Port }

// Deliver puts a mail into the inbox, as arrived at a time.
func (s *Server) Deliver(raw []byte, at time.Time) error {
	_, err := s.user.Append(Folder, literal{bytes.NewReader(raw), int64(len(raw))}, &imap.AppendOptions{Time: at})
	return err
}

// Close ends the server and waits for it.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

type literal struct {
	io.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }

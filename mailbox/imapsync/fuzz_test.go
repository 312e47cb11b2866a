package imapsync

import (
	"bytes"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// The guard's reader must come to the same end however the network cuts the
// bytes, and bound what it keeps.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("* OK [READ-ONLY] done\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\nT1 OK done\r\n"), uint8(3))
	f.Add([]byte("* LIST (\\NoSelect) \"/\" \"a\\\"b\"\r\n* BYE now\r\n"), uint8(1))
	f.Add([]byte("+ idling\r\n* 5 OK {9\r\n* X {0}\r\n((("), uint8(7))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		var whole, parts scanner
		err := whole.write(b)
		var perr error
		for chunk := b; len(chunk) > 0 && perr == nil; {
			n := min(len(chunk), int(step)+1)
			perr = parts.write(chunk[:n])
			chunk = chunk[n:]
		}
		if (err == nil) != (perr == nil) {
			t.Fatalf("whole: %v, in parts of %d: %v", err, int(step)+1, perr)
		}
		if err == nil && (whole.state != parts.state || whole.depth != parts.depth || whole.tagged != parts.tagged) {
			t.Fatalf("whole %+v, in parts %+v", whole, parts)
		}
		if len(whole.line) > headLength || whole.depth > maxDepth {
			t.Fatalf("kept too much: %d bytes, depth %d", len(whole.line), whole.depth)
		}
	})
}

// Whatever a server answers to a FETCH, Fetch comes to an end and does not
// panic.
func FuzzFetch(f *testing.F) {
	f.Add([]byte("* 1 FETCH (UID 1 RFC822.SIZE 10 INTERNALDATE \"24-Nov-2026 10:00:00 +0000\")\r\nT5 OK done\r\n"))
	f.Add([]byte("* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n* 1 FETCH (BODY[] {3}\r\nabc UID 1)\r\nT5 NO sorry\r\n"))
	f.Add([]byte("* 1 FETCH (UID 1 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1) \"mixed\") BODY[HEADER]<0> \"A: b\")\r\nT5 OK done\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		client, server := net.Pipe()
		a := Account{Name: "a", Host: "localhost", TLS: Plain, Username: "u", Auth: Password("p"), Parse: parse, Timeout: 2 * time.Second}.withDefaults()
		go func() {
			defer server.Close()
			server.Write([]byte("* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"))
			buf := make([]byte, 4096)
			for {
				n, err := server.Read(buf)
				if err != nil {
					return
				}
				line := string(buf[:n])
				switch word := strings.Fields(line); {
				case len(word) > 1 && word[1] == "CAPABILITY":
					server.Write([]byte("* CAPABILITY IMAP4rev1\r\n" + word[0] + " OK done\r\n"))
				case len(word) > 0:
					server.Write(bytes.ReplaceAll(b, []byte("T5"), []byte(word[0])))
					return
				}
			}
		}()
		s, err := start(t.Context(), &a, client)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		opt := &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
			BodySection: []*imap.FetchItemBodySection{section(nil, "", 100)}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.fetch(t.Context(), imap.UIDSetNum(1, 2), opt, smallAnswer, func(a *answer) {
				if p := planOf(a.structure); p != nil && p.complete(a) {
					p.rebuild(a)
				}
			})
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("Fetch hangs")
		}
	})
}

// A mail put together again is a mail: it has the header's fields and as many
// parts as the structure, whatever the server sent for them.
func FuzzRebuild(f *testing.F) {
	f.Add([]byte("Subject: hello\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"), []byte("Content-Type: text/plain\r\n\r\n"), []byte("some words"), "mixed", "invoice.pdf")
	f.Add([]byte(" folded\r\n\x00:"), []byte(""), []byte("\r\n--tocsin-\r\n"), "a\r\nb", "a\"b\r\nc")
	f.Fuzz(func(t *testing.T, header, mime, body []byte, subtype, name string) {
		leaf := &imap.BodyStructureSinglePart{Type: "application", Subtype: subtype, Size: 7, Params: map[string]string{"name": name}}
		text := &imap.BodyStructureSinglePart{Type: "text", Subtype: "plain", Size: uint32(len(body))}
		p := planOf(&imap.BodyStructureMultiPart{Subtype: subtype, Children: []imap.BodyStructure{text, leaf}})
		a := &answer{sections: map[string][]byte{"HEADER": header, "1.MIME": mime, "2.MIME": nil, "1": body}}
		if !p.complete(a) {
			return
		}
		raw := p.rebuild(a)
		if n := bytes.Count(raw, []byte("X-Tocsin-Size: 7")); n < 1 {
			t.Errorf("the attachment is missing:\n%q", raw)
		}
		if len(header) == 0 || bytes.HasPrefix(header, []byte("Subject: ")) {
			if _, err := mail.ReadMessage(bytes.NewReader(raw)); err != nil && len(header) == 0 {
				t.Errorf("not a mail: %v\n%q", err, raw)
			}
		}
	})
}

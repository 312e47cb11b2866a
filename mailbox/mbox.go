package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"regexp"
	"time"
)

// fromLine is the line that stands before each mail of an mbox (RFC 4155).
var fromLine = regexp.MustCompile(`^From \S.*\d\d:\d\d.*\d{4}|^From \S+@\S+\s*$`)

// Raw is a mail as it stands in a file.
type Raw struct {
	Bytes []byte
	// Delivered is the time in the line before it in an mbox, which names no
	// zone and is taken as UTC (RFC 4155); zero where there is none.
	Delivered time.Time
}

// Split yields the mails in r: the many of an mbox, or the one that r is. Of a
// mail only the first bytes beyond what Parse reads are kept. It stops after
// the first error.
func Split(r io.Reader) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		br := bufio.NewReaderSize(r, 256<<10)
		start, _ := br.Peek(5)
		mbox := bytes.Equal(start, []byte("From "))
		var mail []byte
		var delivered time.Time
		blank, first := true, true
		for {
			line, err := br.ReadSlice('\n')
			part := errors.Is(err, bufio.ErrBufferFull)
			if mbox && blank && bytes.HasPrefix(line, []byte("From ")) && (first || fromLine.Match(line)) {
				if !first && !yield(Raw{withoutLastLine(mail), delivered}, nil) {
					return
				}
				mail, first, delivered, line = mail[:0:0], false, fromLineTime(line), nil
			} else if mbox && len(line) > 5 && line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
				line = line[1:] // mboxrd quotes such lines
			}
			if len(mail) <= maxMail {
				mail = append(mail, line...)
			}
			blank = !part && len(bytes.TrimRight(line, "\r\n")) == 0
			switch {
			case err == nil || part:
			case errors.Is(err, io.EOF):
				if mbox {
					mail = withoutLastLine(mail)
				}
				if !mbox || !first {
					yield(Raw{mail, delivered}, nil)
				}
				return
			default:
				yield(Raw{}, err)
				return
			}
		}
	}
}

// fromLineTime reads the time behind the address in such a line.
func fromLineTime(line []byte) time.Time {
	_, rest, _ := bytes.Cut(line[len("From "):], []byte(" "))
	return parseDate(string(rest))
}

// withoutLastLine drops the empty line that an mbox puts behind each mail.
func withoutLastLine(mail []byte) []byte {
	if rest, ok := bytes.CutSuffix(mail, []byte("\r\n")); ok && bytes.HasSuffix(rest, []byte("\n")) {
		return rest
	}
	if rest, ok := bytes.CutSuffix(mail, []byte("\n")); ok && bytes.HasSuffix(rest, []byte("\n")) {
		return rest
	}
	return mail
}

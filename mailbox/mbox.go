package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"regexp"
)

// fromLine is the line that stands before each mail of an mbox (RFC 4155).
var fromLine = regexp.MustCompile(`^From \S.*\d\d:\d\d.*\d{4}|^From \S+@\S+\s*$`)

// Split yields the mails in r: the many of an mbox, or the one that r is. Of a
// mail only the first bytes beyond what Parse reads are kept. It stops after
// the first error.
func Split(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		br := bufio.NewReaderSize(r, 256<<10)
		start, _ := br.Peek(5)
		mbox := bytes.Equal(start, []byte("From "))
		var mail []byte
		blank, first := true, true
		for {
			line, err := br.ReadSlice('\n')
			part := errors.Is(err, bufio.ErrBufferFull)
			if mbox && blank && bytes.HasPrefix(line, []byte("From ")) && (first || fromLine.Match(line)) {
				if !first && !yield(mail, nil) {
					return
				}
				mail, first, line = mail[:0:0], false, nil
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
				if !mbox || !first {
					yield(mail, nil)
				}
				return
			default:
				yield(nil, err)
				return
			}
		}
	}
}

package imapsync

import "bytes"

// scanner follows the grammar of a server's answers far enough to tell literals
// and quoted strings from the rest (RFC 9051 section 9). It is as liberal as
// the client's decoder where that is liberal, so that both always agree where a
// literal begins and ends.
type scanner struct {
	bye    string // text of an untagged BYE
	tagged string // start of the last tagged answer

	outside int64 // bytes outside literals since the command began
	state   scanState
	depth   int
	size    int64  // literal: announced, then left
	code    int8   // of a text: whether its response code is still open
	line    []byte // the first bytes of the answer

	numbers bool   // the answer lists numbers: SEARCH, ESEARCH
	number  uint64 // being read
	highest uint64 // so far
	below   int    // how many came after a higher one
}

// maxUnsorted is how many numbers of a SEARCH may come after a higher one. They
// may come in any order, and come sorted from every server there is; the
// client's set takes a minute for 500,000 that come backwards.
const maxUnsorted = 10_000

// States of the response code that may begin a text: "[READ-ONLY] done".
const (
	codeUnseen int8 = iota
	codeOpen
	codeOver
)

type scanState uint8

const (
	atStart   scanState = iota // reading the answer's first bytes
	inData                     // atoms, lists, strings
	inText                     // free text to the end of the line: no literal can be
	inQuoted                   // "…"
	inEscape                   // "…\
	inSize                     // {12
	afterSize                  // {12}
	inLiteral                  // size bytes
)

// headLength is how much of an answer is looked at to tell free text from data.
const headLength = 512

// write reads on; an error means that the connection must end.
func (s *scanner) write(b []byte) error {
	for len(b) > 0 {
		if s.state == inLiteral {
			n := min(s.size, int64(len(b)))
			s.size -= n
			b = b[n:]
			if s.size == 0 {
				s.state = inData
			}
			continue
		}
		s.outside++
		if s.outside > maxLine {
			return errTooMuch
		}
		if err := s.next(b[0]); err != nil {
			return err
		}
		b = b[1:]
	}
	return nil
}

// next reads one byte outside a literal.
func (s *scanner) next(c byte) error {
	switch s.state {
	case inQuoted:
		switch c {
		case '"':
			s.state = inData
		case '\\':
			s.state = inEscape
		}
		return nil
	case inEscape:
		s.state = inQuoted
		return nil
	case inSize:
		switch {
		case c >= '0' && c <= '9':
			s.size = s.size*10 + int64(c-'0')
			if s.size > maxLiteral {
				return errTooMuch
			}
		case c == '}':
			s.state = afterSize
		default:
			return errNotIMAP
		}
		return nil
	case afterSize:
		switch c {
		case ' ', '\r':
		case '\n':
			s.state = inLiteral
			if s.size == 0 {
				s.state = inData
			}
		default:
			return errNotIMAP
		}
		return nil
	}
	if c == '\n' {
		return s.endLine()
	}
	if s.state == atStart || (s.state == inText && len(s.line) < headLength) {
		s.line = append(s.line, c)
		if s.state == atStart {
			s.begin(c)
			if s.state == inText {
				return nil
			}
		}
	}
	if s.state == inText {
		s.text(c)
		return nil
	}
	return s.data(c)
}

// data reads one byte of atoms and lists.
func (s *scanner) data(c byte) error {
	if s.numbers {
		if c >= '0' && c <= '9' {
			s.number = min(s.number*10+uint64(c-'0'), 1<<40)
		} else if err := s.endNumber(); err != nil {
			return err
		}
	}
	switch c {
	case '"':
		s.state = inQuoted
	case '{':
		s.state, s.size = inSize, 0
	case '(':
		s.depth++
		if s.depth > maxDepth {
			return errTooDeep
		}
	case ')':
		s.depth = max(0, s.depth-1)
	}
	return nil
}

func (s *scanner) endNumber() error {
	if s.number > 0 && s.number < s.highest {
		if s.below++; s.below > maxUnsorted {
			return errTooMuch
		}
	}
	s.highest, s.number = max(s.highest, s.number), 0
	return nil
}

// begin tells free text from data by the answer's first words: a status
// ("* OK", "T1 NO", "+") is text to its end, all else is data.
func (s *scanner) begin(c byte) {
	if s.line[0] == '+' {
		s.state, s.code = inText, codeOver
		return
	}
	if c == '"' || c == '{' || c == '(' || len(s.line) >= headLength {
		s.state = inData
		return
	}
	if c != ' ' && c != '\r' {
		return
	}
	words := bytes.Fields(s.line)
	if len(words) < 2 {
		return // the tag only
	}
	word := words[1]
	if isNumber(word) { // "* 12 EXISTS"
		if len(words) < 3 {
			return
		}
		word = words[2]
	}
	if isStatus(word) {
		s.state, s.code = inText, codeUnseen
	} else {
		s.state = inData
		s.numbers = bytes.EqualFold(word, []byte("SEARCH")) || bytes.EqualFold(word, []byte("ESEARCH"))
	}
}

// text reads one byte of a status's text. The client skips an unknown response
// code up to its bracket, over line ends if need be: a line that ends within
// one would put the two readers out of step.
func (s *scanner) text(c byte) {
	switch {
	case s.code == codeUnseen && c == '[':
		s.code = codeOpen
	case s.code == codeUnseen && c != ' ':
		s.code = codeOver
	case s.code == codeOpen && c == ']':
		s.code = codeOver
	}
}

func isNumber(word []byte) bool {
	for _, c := range word {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func isStatus(word []byte) bool {
	for _, w := range []string{"OK", "NO", "BAD", "BYE", "PREAUTH"} {
		if len(word) == len(w) && bytes.EqualFold(word, []byte(w)) {
			return true
		}
	}
	return false
}

// endLine ends an answer.
func (s *scanner) endLine() error {
	if s.state == inText && s.code == codeOpen {
		return errNotIMAP
	}
	line := bytes.TrimRight(s.line, "\r")
	if s.state == inText {
		if len(line) > 5 && bytes.EqualFold(line[:5], []byte("* BYE")) {
			s.bye = string(bytes.TrimSpace(line[5:]))
		} else if len(line) > 0 && line[0] != '*' && line[0] != '+' {
			s.tagged = string(line)
		}
	}
	s.line = s.line[:0]
	s.state, s.depth = atStart, 0
	s.numbers, s.number, s.highest = false, 0, 0
	return nil
}

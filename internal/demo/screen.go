package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Screen tells the story on a terminal: lines that stay, and below them a
// small chart that is drawn over. Where there is no terminal the chart becomes
// a line of counts every five minutes of the story.
type Screen struct {
	W      io.Writer
	TTY    bool
	Colour bool
	Width  int

	mu    sync.Mutex
	drawn int       // lines of chart below the last line that stays
	next  time.Time // when the next line of counts is due, without a terminal
}

// Say prints a line that stays.
func (s *Screen) Say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	fmt.Fprintf(s.W, format+"\n", args...)
}

// Tell prints a line with the story's time in front.
func (s *Screen) Tell(at time.Time, style, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	text := fmt.Sprintf(format, args...)
	// Lines after the first are set under the first one's text.
	text = strings.ReplaceAll(text, "\n", "\n         ")
	fmt.Fprintf(s.W, "%s  %s\n", s.paint("2", at.Format("15:04")+"  "), s.paint(style, text))
}

// Bold, red and green are the styles of Tell.
const (
	Plain = ""
	Bold  = "1"
	Red   = "1;31"
	Green = "1;32"
)

func (s *Screen) paint(style, text string) string {
	if !s.Colour || style == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// Count is a category's arrivals: how many mails in each step of the morning.
type Count struct {
	Category string
	Steps    []int
}

func (c Count) total() int {
	n := 0
	for _, v := range c.Steps {
		n += v
	}
	return n
}

// Chart shows the arrivals so far.
func (s *Screen) Chart(now time.Time, counts []Count) {
	slices.SortStableFunc(counts, func(a, b Count) int { return b.total() - a.total() })
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.TTY {
		s.line(now, counts)
		return
	}
	s.erase()
	most := 1
	for _, c := range counts {
		most = max(most, slices.Max(append(c.Steps, 0)))
	}
	fmt.Fprintf(s.W, "\n  %s\n", s.paint("1", now.Format("15:04")+"  mail by category"))
	s.drawn = 2
	room := max(10, s.Width-26)
	for i, c := range counts {
		if i == 7 {
			break
		}
		fmt.Fprintf(s.W, "  %-15s %4d  %s\n", c.Category, c.total(), s.paint(shade(c.Category), spark(c.Steps, most, room)))
		s.drawn++
	}
}

// line prints the counts every five minutes of the story.
func (s *Screen) line(now time.Time, counts []Count) {
	if now.Before(s.next) {
		return
	}
	s.next = now.Truncate(5 * time.Minute).Add(5 * time.Minute)
	var b strings.Builder
	for _, c := range counts {
		if n := c.total(); n > 0 {
			fmt.Fprintf(&b, "  %s %d", c.Category, n)
		}
	}
	if b.Len() > 0 {
		fmt.Fprintf(s.W, "%s    mail so far:%s\n", now.Format("15:04"), b.String())
	}
}

func (s *Screen) erase() {
	if s.drawn > 0 {
		fmt.Fprintf(s.W, "\x1b[%dA\x1b[J", s.drawn)
		s.drawn = 0
	}
}

func shade(category string) string {
	switch category {
	case "login", "signup", "password":
		return "31"
	}
	return "36"
}

// spark draws numbers as a row of bars.
func spark(steps []int, most, room int) string {
	bars := []rune(" ▁▂▃▄▅▆▇█")
	if len(steps) > room {
		steps = steps[len(steps)-room:]
	}
	var b strings.Builder
	for _, n := range steps {
		i := 0
		if n > 0 {
			i = 1 + (n*(len(bars)-2)+most-1)/most
		}
		b.WriteRune(bars[min(i, len(bars)-1)])
	}
	return b.String()
}

// Wrap folds text to the width of the screen.
func (s *Screen) Wrap(text string, indent int) string {
	width := max(40, s.Width-indent)
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		var b strings.Builder
		n := 0
		for _, word := range strings.Fields(line) {
			l := utf8.RuneCountInString(word)
			if n > 0 && n+1+l > width {
				b.WriteByte('\n')
				n = 0
			} else if n > 0 {
				b.WriteByte(' ')
				n++
			}
			b.WriteString(word)
			n += l
		}
		lines = append(lines, b.String())
	}
	return strings.Join(lines, "\n")
}

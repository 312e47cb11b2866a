package mailbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpeningsAreTheirPatterns holds the short way to the long one, on every
// line of the golden mails and on lines made to begin like an alternative.
func TestOpeningsAreTheirPatterns(t *testing.T) {
	var lines []string
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			lines = append(lines, strings.Split(string(text), "\n")...)
		}
	}
	for _, line := range []string{"", "  ", "This e-mail is confidential", "** THIS MESSAGE", "> — this", "Virus-free. www.avast.com", "_this is", "this", "thi",
		"https://www.avast.com/x", " https://www.avast.com/x", "<https://www.avast.com/antivirus>", "Unsubscribe here", "To unsubscribe", "この電子メール", "«この電子メールは", "ΤΟ ΠΑΡΌΝ", "\u017fans virus x", "ab this",
		"Out of office", "AUTO REPLY: x", "«Autosvar", "Urlaub", "FWD: x", "i: x", "W\u0440: x", "Mailer-Daemon", "mailer_daemon", "\u212aundenpost", "robot", "news-1", "hello-news", "Veuillez, agréer recevoir", "je vous prie d’agréer x"} {
		lines = append(lines, line, "* "+line, "!!!! "+line, line+" "+line)
	}
	for name, o := range map[string]*opening{"statement": statement, "scannedBy": scannedBy, "unsubscribe": unsubscribe, "autoWhole": autoWhole, "autoBegin": autoBegin, "forwarded": forwarded,
		"daemonExact": daemonExact, "daemonName": daemonName, "robotName": robotName, "newsName": newsName, "letterEnd": letterEnd} {
		if o.starts[""] || len(o.starts) == 0 {
			t.Errorf("%s may begin with anything", name)
		}
		hits := 0
		for _, line := range lines {
			got, want := o.MatchString(line), o.re.MatchString(line)
			if got != want {
				t.Errorf("%s: MatchString(%q) = %v, want %v", name, line, got, want)
			}
			if want {
				hits++
			}
		}
		t.Logf("%s: %d starts, %d of %d lines match", name, len(o.starts), hits, len(lines))
	}
}

func BenchmarkStatement(b *testing.B) {
	line := "the page says my password is wrong and the reset link does not come"
	b.Run("opening", func(b *testing.B) {
		for b.Loop() {
			statement.MatchString(line)
		}
	})
	b.Run("pattern", func(b *testing.B) {
		for b.Loop() {
			statement.re.MatchString(line)
		}
	})
}

package mailbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStemsAreFoundAsByLookingForEach holds the one walk to the many, on every
// line of the golden mails and on the stems themselves.
func TestStemsAreFoundAsByLookingForEach(t *testing.T) {
	parts := map[string]string{"mobile": mobileParts, "legal": legalParts, "above": strings.Join(aboveLine, "|")}
	var lines []string
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			lines = append(lines, strings.Split(string(text), "\n")...)
		}
	}
	for _, list := range parts {
		for p := range strings.SplitSeq(list, "|") {
			lines = append(lines, p, "x"+p+"x", p[1:], p[:len(p)-1], p[:1]+p, strings.ToUpper(p))
		}
	}
	for name, list := range parts {
		s, hits := newStems(list), 0
		for _, line := range lines {
			want := containsAny(strings.ToLower(line), strings.Split(list, "|"))
			if got := s.in(line); got != want {
				t.Errorf("%s: in(%q) = %v, want %v", name, line, got, want)
			}
			if want {
				hits++
			}
		}
		if hits == 0 || hits == len(lines) {
			t.Errorf("%s: %d of %d lines have one", name, hits, len(lines))
		}
	}
}

// TestGuardsLoseNoMatch holds guarded patterns to the bare ones, on every line
// of the golden mails and on lines that they are for.
func TestGuardsLoseNoMatch(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	lines := strings.Split("noreply no.reply no_response donotreply do-not-reply donoreply nepasrepondre ne-pas-repondre keine.antwort nicht_antworten noresponder naoresponda non-rispondere "+
		"geenantwoord nie-odpowiadaj ikkesvar svar-ej unattended noanswer x.noreply.1 NO-REPLY", " ")
	lines = append(lines, "A via B", "A Durch B", "A on behalf of B", "A par B", "A tramite B", "A przez B", "A för B", "Please confirm your message", "verify your e-mail", "[confirm] delivery",
		"Action required: message", "need verification", "needs your confirmation", "RECEIPT", "Thank you for contacting us", "we have received your mail", "Ihre Anfrage ist da", "ticket opened", "Eingangsbestätigung", "acuse de recibo", "need your verification")
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			lines = append(lines, strings.Split(string(text), "\n")...)
		}
	}
	for name, g := range map[string]*guarded{"challenge": challenge, "noReply": noReply, "viaName": viaName} {
		hits := 0
		for _, line := range lines {
			got, want := g.MatchString(line), g.Regexp.MatchString(line)
			if got != want {
				t.Errorf("%s: MatchString(%q) = %v, want %v", name, line, got, want)
			}
			if want {
				hits++
			}
		}
		if hits < 7 {
			t.Errorf("%s: %d lines match", name, hits)
		}
	}
}

// TestAQuickFoldIsTheLongOne holds the short way for ASCII to the long one.
func TestAQuickFoldIsTheLongOne(t *testing.T) {
	for _, s := range []string{"", "Plain ASCII, and A TAB\t.\nA line", "a\rb", "a\x00b", "a\x7fb", "caf\u00e9", "\u0430BC", "\uff21bc", strings.Repeat("Ab ", maxText/2)} {
		if got, want := Fold(s), fold(s); got != want {
			t.Errorf("Fold(%.40q) = %.40q, want %.40q", s, got, want)
		}
	}
}

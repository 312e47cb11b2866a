package mailbox

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte("From: a@x.example\nSubject: =?utf-8?Q?x?=\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>x\n--b--"))
	f.Add([]byte("From: \"a\" (b) <c@d>, e: f@g;\nDate: Mon, 2 Nov 2026 16:12 +0100\nContent-Type: text/plain; charset=utf-7; name*0*=utf-8''%41\n\n+AGE-"))
	f.Add([]byte("Content-Type: text/plain; format=flowed; delsp=yes\nContent-Transfer-Encoding: base64\n\nPiBhIApiIAo="))
	f.Add([]byte("Content-Type: text/enriched\n\n<param>x</param><<y\n\nbegin 644 a\n#86%A\n`\nend\n"))
	f.Add([]byte("Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nMIAGCSqGSIb3DQEHAqCAMIACAQExADCABgkqhkiG9w0BBwGggCSABAF4AAAAAAAA"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\nFrom: x\n\ny\n--b\nContent-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY:x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := Parse(b)
		if strings.HasPrefix(m.Problem, "the mail could not be read") {
			t.Fatalf("%s", m.Problem)
		}
		for _, s := range append([]string{m.Text, m.Reply, m.Subject, m.From.Addr, m.From.Name, m.MessageID}, m.References...) {
			checkClean(t, s)
		}
		for _, a := range m.Attachments {
			checkClean(t, a.Name+a.Type)
		}
		if len(m.Text) > maxText || len(m.Reply) > maxText || len(m.Subject) > maxSubject || len(m.From.Name) > maxName || len(m.MessageID) > maxMessageID {
			t.Fatalf("too long: text %d, reply %d, subject %d, name %d, id %d bytes", len(m.Text), len(m.Reply), len(m.Subject), len(m.From.Name), len(m.MessageID))
		}
		if again := Parse(b); again.ID != m.ID || again.Text != m.Text || again.Reply != m.Reply {
			t.Fatal("one mail is read in two ways")
		}
	})
}

// checkClean fails where a string has what Clean promises to drop.
func checkClean(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatalf("invalid UTF-8: %q", s)
	}
	last := rune(0)
	for _, r := range s {
		if dropped(r) && !joins(last, r) {
			t.Fatalf("%U in %q", r, s)
		}
		last = r
	}
}

func FuzzCharset(f *testing.F) {
	for _, label := range []string{"", "utf-8", "utf-7", "utf-16", "utf-32", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "gb18030", "x-unknown", "macintosh"} {
		f.Add([]byte("+AGE- \x1b$B%m\x1b(B ~{VP~} \x0eAA\x0f caf\xe9 \x93\xfa\x96{ \xff\xfea\x00"), label)
	}
	f.Fuzz(func(t *testing.T, b []byte, label string) {
		s, _ := toUTF8(b, label)
		if len(s) > 8*len(b)+8 {
			t.Fatalf("toUTF8 made %d bytes of %d", len(s), len(b))
		}
		if ascii(b) && (label == "" || label == "utf-8") && strings.IndexByte(string(b), 0x1b) < 0 && s != string(b) {
			t.Fatalf("toUTF8(%q, %q) = %q", b, label, s)
		}
		checkClean(t, Clean(s, maxText))
		checkClean(t, cleanLine(decodeHeader("=?"+label+"?Q?"+string(b)), maxSubject))
	})
}

func FuzzHTML(f *testing.F) {
	f.Add("<p>x<table><tr><td><p>y</td><td>z</table><ul><li><ol start=3><li>a</ul><pre> b </pre><a href=http://x.example>c</a>")
	f.Add("<div style='font-size:0'><span style='font-size:1px'>x</span></div><blockquote type=cite>On Mon, 2 Nov 2026 a@b.c wrote:<br>x</blockquote>")
	f.Add("<div class=gmail_quote><div class=gmail_attr>x</div></div><div id=divRplyFwdMsg>y</div><hr>z")
	f.Fuzz(func(t *testing.T, source string) {
		source = cut(source, 32<<10)
		text := Clean((&markup{source: source}).text(false), maxText)
		checkClean(t, text)
		checkClean(t, Clean((&markup{source: source}).text(true), maxText))
		if strings.Contains(text, "\n\n\n") && !strings.Contains(source, "\n\n\n") {
			t.Fatalf("more than one empty line in %q of %q", text, source)
		}
		// Words before every tag are never lost.
		if text := (&markup{source: "first words " + source}).text(false); !strings.HasPrefix(text, "first words") {
			t.Fatalf("the first words are not in %q", cut(text, 200))
		}
	})
}

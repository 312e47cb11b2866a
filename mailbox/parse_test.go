package mailbox

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/internal/imaptest"
)

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestParseReadsWhatPeopleSend(t *testing.T) {
	tests := []struct {
		name, mail          string
		from, subject, text string
	}{
		{"plain", "From: Anna <anna@x.example>\nSubject: Hi\n\nHello", "anna@x.example", "Hi", "Hello"},
		{"encoded subject", "From: a@x.example\nSubject: =?utf-8?Q?Kein_Zugriff_m=C3=B6glich?=\n\nx", "a@x.example", "Kein Zugriff möglich", "x"},
		{"letter split between words", "From: a@x.example\nSubject: =?utf-8?B?w4M=?= =?utf-8?Q?m=C3?= =?utf-8?Q?=B6g?=\n\nx", "a@x.example", "Ãmög", "x"},
		{"raw 8 bit header", "From: a@x.example\nSubject: Z\xfcrich\n\nx", "a@x.example", "Zürich", "x"},
		{"mbox line in front", "From a@x.example Mon Nov 2 16:12:00 2026\nFrom: a@x.example\nSubject: s\n\nx", "a@x.example", "s", "x"},
		{"a line that is no header line", "From: a@x.example\nthis is not a header\nSubject: s\n\nx", "a@x.example", "s", "x"},
		{"broken sender", "From: Anna (at home) anna@x.example (\nSubject: s\n\nx", "anna@x.example", "s", "x"},
		{"no header", "just words\nand more", "", "", "just words\nand more"},
		{"html only", "From: a@x.example\nSubject: s\nContent-Type: text/html\n\n<style>p{}</style><p>Hello<br>you</p><div style=\"display:none\">secret</div><img src=x width=1 alt=pixel>", "a@x.example", "s", "Hello\nyou"},
		{"quoted-printable latin1", "From: a@x.example\nSubject: s\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nZ=FCrich=\n!", "a@x.example", "s", "Zürich!"},
		{"alternative", "From: a@x.example\nSubject: s\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n", "a@x.example", "s", "plain"},
		{"alternative with an empty plain part", "From: a@x.example\nSubject: s\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n \n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n", "a@x.example", "s", "rich"},
		{"no final boundary", "From: a@x.example\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nwords\n", "a@x.example", "s", "words"},
		{"no boundary told", "From: a@x.example\nSubject: s\nContent-Type: multipart/mixed\n\n--xyzzy1\nContent-Type: text/plain\n\nwords\n--xyzzy1--\n", "a@x.example", "s", "words"},
		{"unknown transfer encoding", "From: a@x.example\nSubject: s\nContent-Transfer-Encoding: 8bits\n\nwords", "a@x.example", "s", "words"},
		{"unknown charset", "From: a@x.example\nSubject: s\nContent-Type: text/plain; charset=x-unknown\n\nZ\xfcrich", "a@x.example", "s", "Zürich"},
		{"utf-7", "From: a@x.example\nSubject: s\nContent-Type: text/plain; charset=unicode-1-1-utf-7\n\nZ+APw-rich", "a@x.example", "s", "Zürich"},
		{"flowed", "From: a@x.example\nSubject: s\nContent-Type: text/plain; format=flowed\n\none \ntwo\nthree", "a@x.example", "s", "one two\nthree"},
		{"controls and overrides", "From: a@x.example\nSubject: a\x1b[31mb\u202ec\u200bd\n\nx\x07y", "a@x.example", "a[31mbcd", "xy"},
		{"web form", "From: noreply@acme.example\nReply-To: Kim <kim@x.example>\nSubject: s\n\nx", "kim@x.example", "s", "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse(crlf(tt.mail))
			if m.From.Addr != tt.from || m.Subject != tt.subject || m.Text != tt.text {
				t.Errorf("Parse = from %q subject %q text %q (defects %v, problem %q)\nwant   from %q subject %q text %q",
					m.From.Addr, m.Subject, m.Text, m.Defects, m.Problem, tt.from, tt.subject, tt.text)
			}
		})
	}
}

func TestQuotedHistoryInHTMLIsCut(t *testing.T) {
	tests := []struct{ name, html string }{
		{"gmail", `<div>It works.</div><div class="gmail_quote"><div class="gmail_attr">On Mon X wrote:</div><blockquote>I can't log in</blockquote></div>`},
		{"thunderbird", `<p>It works.</p><div class="moz-cite-prefix">On 2 Nov X wrote:</div><blockquote type="cite">I can't log in</blockquote>`},
		{"outlook", `<p>It works.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p>From: X &lt;x@y.example&gt;</p></div><p>I can't log in</p>`},
		{"outlook web", `<div>It works.</div><div id="appendonsend"></div><div>I can't log in</div>`},
		{"apple", `<div>It works.</div><blockquote type="cite">I can't log in</blockquote>`},
		{"yahoo", `<div>It works.</div><div class="yahoo_quoted">I can't log in</div>`},
		{"proton", `<div>It works.</div><div class="protonmail_quote">I can't log in</div>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse(crlf("From: a@x.example\nContent-Type: text/html\n\n" + tt.html))
			if m.Reply != "It works." {
				t.Errorf("Reply = %q, want %q", m.Reply, "It works.")
			}
			if !strings.Contains(m.Text, "log in") {
				t.Errorf("Text = %q lost the history", m.Text)
			}
		})
	}
}

func TestAutomatedMailIsToldByItsSigns(t *testing.T) {
	tests := []struct {
		name, head string
		want       Automated
	}{
		{"a person", "From: anna@x.example\nSubject: undelivered mail from your shop\n", Human},
		{"Auto-Submitted: no", "From: anna@x.example\nAuto-Submitted: no\n", Human},
		{"suppress alone", "From: anna@x.example\nX-Auto-Response-Suppress: All\n", Human},
		{"auto-replied", "From: anna@x.example\nAuto-Submitted: auto-replied (vacation)\n", AutoReply},
		{"subject", "From: anna@x.example\nSubject: Abwesenheitsnotiz: Re: x\n", AutoReply},
		{"subject mentions it", "From: anna@x.example\nSubject: Where is the automatic reply setting?\n", Human},
		{"dsn", "From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n", Bounce},
		{"old bounce", "From: Mail Delivery System <mailer-daemon@x.example>\nSubject: Undelivered Mail Returned to Sender\n", Bounce},
		{"list", "From: news@x.example\nList-Id: <n.x.example>\n", List},
		{"notification", "From: noreply@github.example\nAuto-Submitted: auto-generated\n", Notification},
		{"own", "From: tocsin@x.example\nX-Tocsin: abc\nAuto-Submitted: auto-generated\n", Own},
		{"somebody else's tocsin", "From: anna@x.example\nX-Tocsin: zzz\n", Human},
		{"form", "From: noreply@x.example\nReply-To: kim@y.example\nX-Auto-Response-Suppress: All\n", Human},
	}
	p := Parser{InstallID: "abc"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := p.Parse(crlf(tt.head + "\nwords"))
			if m.Automated != tt.want {
				t.Errorf("Automated = %q (%s), want %q", m.Automated, m.Sign, tt.want)
			}
		})
	}
}

func TestIdentityIsTheMailsOwn(t *testing.T) {
	mail := "From: a@x.example\nDate: Mon, 2 Nov 2026 16:12:00 +0000\nMessage-ID: <1@x>\nSubject: s\n\nwords"
	a := Parse(crlf(mail))
	b := Parse([]byte("Received: by mx; Mon, 2 Nov 2026 16:12:05 +0000\nX-Spam: no\n" + mail + "\n"))
	if a.ID != b.ID {
		t.Errorf("one mail with other transport headers has two ids: %s, %s", a.ID, b.ID)
	}
	if c := Parse(crlf(strings.Replace(mail, "words", "other words", 1))); c.ID == a.ID {
		t.Error("two mails with one Message-ID have one id")
	}
	if d := Parse(crlf(strings.Replace(mail, "Message-ID: <1@x>\n", "", 1))); d.ID == "" || d.ID == a.ID {
		t.Errorf("id without Message-ID: %q", d.ID)
	}
}

func TestComplainantIsOnePerson(t *testing.T) {
	for _, addr := range []string{"Anna.Smith+shop@gmail.com", "annasmith@googlemail.com", "ANNASMITH@gmail.com"} {
		m := Message{From: Address{Addr: addr}}
		if got := m.Complainant(); got != "annasmith@gmail.com" {
			t.Errorf("Complainant(%s) = %s", addr, got)
		}
		if m.Organisation() != "" {
			t.Errorf("Organisation(%s) = %s, want none", addr, m.Organisation())
		}
	}
	m := Message{From: Address{Addr: "kim@mail.support.acme.co.uk"}}
	if got := m.Organisation(); got != "acme.co.uk" {
		t.Errorf("Organisation = %s", got)
	}
}

func TestHostileMailsAreBounded(t *testing.T) {
	nest := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		return b.String()
	}
	tests := map[string][]byte{
		"empty":               nil,
		"nested":              []byte("From: a@x.example\n" + nest(20000)),
		"many parts":          []byte("From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100000)),
		"many headers":        []byte(strings.Repeat("X: y\n", 100000) + "\nx"),
		"long base64 line":    []byte("Content-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 30<<20))),
		"long qp line":        []byte("Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=41", 3<<20)),
		"deep html":           []byte("Content-Type: text/html\n\n" + strings.Repeat("<div>", 100000) + "words"),
		"unclosed encoded":    []byte("Subject: " + strings.Repeat("=?utf-8?Q?", 50000) + "\n\nx"),
		"long attributions":   []byte("\n" + strings.Repeat("On 2026 a@b.c\n", 100000)),
		"quotes":              []byte("\n" + strings.Repeat("> On Mon 2026 x wrote:\n\n", 100000)),
		"zero bytes":          bytes.Repeat([]byte{0}, 1<<20),
		"spaces":              []byte("Subject: " + strings.Repeat(" ", 1<<20) + "\n\n" + strings.Repeat(" ", 1<<20)),
		"invalid utf-8":       []byte("Subject: \xff\xfe\n\n\xff\xfe"),
		"from lines":          []byte("\n" + strings.Repeat("From: x\nSubject: y\n", 100000)),
		"pdf":                 []byte("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
		"open comments":       []byte("From: " + strings.Repeat("(", 1<<20) + "\nTo: " + strings.Repeat("\"\\", 1<<20) + "\nCc: " + strings.Repeat("<(", 1<<20) + "\n\nx"),
		"open parameters":     []byte("Content-Type: text/enriched; " + strings.Repeat("a*1*=%41;", 1<<16) + "\n\n" + strings.Repeat("<param>", 1<<19)),
		"html alternatives":   []byte("Content-Type: multipart/alternative; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: text/html\n\n"+strings.Repeat("<b><p>x", 3000)+"\n", 190)),
		"enclosed mails":      []byte("Content-Type: message/rfc822\n\n" + strings.Repeat("Content-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\n", 20000)),
		"open signatures":     []byte("Content-Type: application/pkcs7-mime\n\n" + strings.Repeat("\x30\x80", 1<<20)),
		"beginnings of files": []byte("\n" + strings.Repeat("begin 644 x\n", 200000) + "\nend\n"),
		"8 bit header names":  []byte("Fr\xf6m: x\nFrom: a@x.example\n\nx"),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			m := Parse(raw)
			t.Logf("%d bytes in %v", len(raw), time.Since(start))
			if m.ID == "" || len(m.Text) > maxText || len(m.Reply) > maxText || !utf8.ValidString(m.Text+m.Subject+m.From.Name) {
				t.Errorf("Parse: id %q, text %d bytes, reply %d bytes", m.ID, len(m.Text), len(m.Reply))
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	mail := crlf("From: Anna <anna@x.example>\nTo: support@acme.example\nSubject: =?utf-8?Q?Kein_Zugriff?=\nDate: Mon, 2 Nov 2026 16:12:00 +0100\nMessage-ID: <1@x>\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" +
		strings.Repeat("I can't log in since this morning and nobody answers. ", 20) + "\n\nOn Mon, Nov 2, 2026 at 4:12 PM Support <s@acme.example> wrote:\n" + strings.Repeat("> quoted words of an older mail\n", 40) +
		"\n--b\nContent-Type: text/html; charset=utf-8\n\n<p>" + strings.Repeat("I can't log in. ", 50) + "</p>\n--b--\n")
	b.SetBytes(int64(len(mail)))
	for b.Loop() {
		Parse(mail)
	}
}

// BenchmarkParseSync parses the mails of the first sync that is measured
// against mbsync; an operation is one mail.
func BenchmarkParseSync(b *testing.B) {
	var mails [][]byte
	for mail := range imaptest.Mails(300) {
		if len(mail) < 64<<10 { // of larger ones only the text is fetched
			mails = append(mails, []byte(mail))
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Parse(mails[i%len(mails)])
	}
}

func BenchmarkHTML(b *testing.B) {
	row := `<tr style="font-size:0"><td style="padding:4px;font-size:14px"><p>Order <b>1001</b></p></td><td><a href="https://shop.example/orders/1001">was charged twice</a>&nbsp;today</td></tr>`
	mail := crlf("From: Anna <anna@x.example>\nSubject: s\nContent-Type: text/html; charset=utf-8\n\n<html><head><style>p{margin:0}</style></head><body><table>" + strings.Repeat(row, 30) + "</table></body></html>")
	b.SetBytes(int64(len(mail)))
	for b.Loop() {
		Parse(mail)
	}
}

func BenchmarkWorst(b *testing.B) {
	tests := []struct{ name, mail string }{
		{"multiparts", strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", 100000)},
		{"parts", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 600000)},
		{"elements", "Content-Type: text/html\n\n" + strings.Repeat("<div><font size=1>x", 250000)},
		{"formatting", "Content-Type: text/html\n\n" + strings.Repeat("<b class=a><i>", 200) + strings.Repeat("<p>x</p>", 100000)},
		{"copies", "Content-Type: text/html\n\n<div>" + distinct("<b id=%d>", 400) + "</div>" + strings.Repeat("<div>x</div>", 5000)},
		{"attributions", "\n" + strings.Repeat("On Mon, 2 Nov 2026 at 16:12, A <a@b.example> wrote:\n", 100000)},
	}
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			raw := []byte(tt.mail)
			for b.Loop() {
				Parse(raw)
			}
		})
	}
}

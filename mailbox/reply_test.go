package mailbox

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReplyIsWhatWasWrittenThisTime(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing to cut", "I can't log in.\n\nPlease help.", "I can't log in.\n\nPlease help."},
		{"gmail", "It works now.\n\nOn Mon, Nov 2, 2026 at 4:12 PM Support <s@acme.example> wrote:\n> Try again.\n", "It works now."},
		{"gmail over two lines", "It works now.\n\nOn Mon, Nov 2, 2026 at 4:12 PM Support Team of Acme\n<s@acme.example> wrote:\n> Try again.\n", "It works now."},
		{"outlook header block", "Still broken.\n\nFrom: Support <s@acme.example>\nSent: Monday, 2 November 2026 16:12\nTo: A <a@x.example>\nSubject: Re: x\n\nTry again.", "Still broken."},
		{"outlook rule", "Still broken.\n\n________________________________\nFrom: Support\nSent: Monday, 2 November 2026 16:12\nTo: A\nSubject: x\n\nTry.", "Still broken."},
		{"original message", "No.\n\n-----Original Message-----\nFrom: x\n\nold", "No."},
		{"german", "Geht wieder, danke.\n\nAm Mo., 2. Nov. 2026 um 16:12 Uhr schrieb Support <s@acme.example>:\n> Bitte testen.\n", "Geht wieder, danke."},
		{"german outlook", "Geht nicht.\n\nVon: Support <s@acme.example>\nGesendet: Montag, 2. November 2026 16:12\nAn: A\nBetreff: AW: x\n\nalt", "Geht nicht."},
		{"french", "Merci.\n\nLe lun. 2 nov. 2026 à 16:12, Support <s@acme.example> a écrit :\n> Essayez.\n", "Merci."},
		{"spanish", "Gracias.\n\nEl lun, 2 nov 2026 a las 16:12, Soporte (<s@acme.example>) escribió:\n> Pruebe.\n", "Gracias."},
		{"italian", "Grazie.\n\nIl giorno lun 2 nov 2026 alle ore 16:12 Supporto <s@acme.example> ha scritto:\n> Provi.\n", "Grazie."},
		{"dutch", "Bedankt.\n\nOp ma 2 nov. 2026 om 16:12 schreef Support <s@acme.example>:\n> Probeer.\n", "Bedankt."},
		{"polish", "Dziękuję.\n\npon., 2 lis 2026 o 16:12 Support <s@acme.example> napisał(a):\n> Proszę.\n", "Dziękuję."},
		{"signature", "Please help.\n\n-- \nAnna\nAcme Ltd", "Please help."},
		{"phone", "Please help.\n\nSent from my iPhone", "Please help."},
		{"phone in a sentence", "Sent from my desk, this mail never arrived.", "Sent from my desk, this mail never arrived."},
		{"closing formula", "I can't log in.\n\nKind regards,\nMarta Jansen\nHead of Things", "I can't log in."},
		{"regards inside a sentence", "With regards to the invoice: it is wrong.", "With regards to the invoice: it is wrong."},
		{"bullets are no signature", "Two things:\n- login fails\n- so does signup", "Two things:\n- login fails\n- so does signup"},
		{"answer below", "> Did it work?\n\nNo, it did not.", "No, it did not."},
		{"answer below an attribution", "On Mon, Nov 2, 2026 at 4:12 PM Support <s@acme.example> wrote:\n> Did it work?\n\nNo, it did not.", "No, it did not."},
		{"answers between", "On Mon, Nov 2, 2026 at 4:12 PM Support <s@acme.example> wrote:\n> Which browser?\n\nFirefox.\n\n> Since when?\n\nThis morning.", "Firefox.\n\nThis morning."},
		{"type above", "Yes it is.\n\n##- Please type your reply above this line -##\nold", "Yes it is."},
		{"forward is kept", "---------- Forwarded message ---------\nFrom: A <a@x.example>\nDate: Mon\nSubject: help\n\nI can't log in", "---------- Forwarded message ---------\nFrom: A <a@x.example>\nDate: Mon\nSubject: help\n\nI can't log in"},
		{"a time in a sentence is no attribution", "On Monday at 9:45 I wrote to you:\nI can't log in.", "On Monday at 9:45 I wrote to you:\nI can't log in."},
		{"disclaimer", "No access.\n\nThis e-mail is confidential and may be privileged.", "No access."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Reply(tt.text); got != tt.want {
				t.Errorf("Reply:\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func TestTheHTMLFormDecidesWhereThePlainOneHidesHistory(t *testing.T) {
	mail := func(plain, rich string) []byte {
		return crlf("From: Anna <a@x.example>\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n" + plain + "\n--b\nContent-Type: text/html\n\n" + rich + "\n--b--\n")
	}
	tests := []struct{ name, plain, rich, want string }{
		{"no marks in the plain form", "It fails again.\n\nPlease empty the cache.", `<p>It fails again.</p><blockquote type="cite">Please empty the cache.</blockquote>`, "It fails again."},
		{"both mark it", "It fails again.\n\nOn Mon, 2 Nov 2026 at 16:12, Acme <s@acme.example> wrote:\n> Please empty the cache.", `<p>It fails again.</p><blockquote type="cite">Please empty the cache.</blockquote>`, "It fails again."},
		{"no history", "It fails again.", `<p class="quote">It fails again.</p>`, "It fails again."},
		{"nothing but history in the HTML", "It fails again.", `<blockquote type="cite">It fails again.</blockquote>`, "It fails again."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if m := Parse(mail(tt.plain, tt.rich)); m.Reply != tt.want {
				t.Errorf("Reply = %q, want %q", m.Reply, tt.want)
			}
		})
	}
}

func FuzzReply(f *testing.F) {
	f.Add("On Mon, Nov 2, 2026 at 4:12 PM A <a@b.c> wrote:\n> x\n\ny")
	f.Add("Von: a\nGesendet: b\n")
	f.Add("x\n-- \nAnna\n\n-----Original Message-----\nFrom: a@b.c\nSent: 2026\nTo: b\n\nold")
	f.Add("words\nSent from my iPhone\n##- Please type your reply above this line -##\nold")
	f.Fuzz(func(t *testing.T, s string) {
		got := Reply(s)
		if len(got) > maxText || !utf8.ValidString(got) {
			t.Errorf("Reply is %d bytes, valid: %v", len(got), utf8.ValidString(got))
		}
		clean := Clean(strings.ReplaceAll(s, "\r", "\n"), maxText)
		if !strings.ContainsAny(clean, ":>|<@#_=-*~[") && !strings.Contains(clean, "：") && hasWords(strings.Split(clean, "\n")) && !lineHasWords(got) {
			t.Errorf("Reply(%q) lost every word: %q", s, got)
		}
	})
}

func FuzzReplyHTML(f *testing.F) {
	f.Add(`<p>x</p><div class="gmail_quote"><div class="gmail_attr">On Mon X wrote:</div><blockquote>y</blockquote></div>`)
	f.Add(`<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> a@b.c<br><b>Sent:</b> 2026</div>old`)
	f.Add(`x<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p>From: X &lt;x@y.example&gt;</p></div>old<blockquote type=cite>z`)
	f.Fuzz(func(t *testing.T, s string) {
		m := Parse([]byte("From: Anna <a@b.example>\nContent-Type: text/html; charset=utf-8\n\n" + s))
		if strings.HasPrefix(m.Problem, "the mail could not be read") {
			t.Fatal(m.Problem)
		}
		if len(m.Reply) > maxText || !utf8.ValidString(m.Reply) {
			t.Errorf("reply is %d bytes, valid: %v", len(m.Reply), utf8.ValidString(m.Reply))
		}
	})
}

func BenchmarkReply(b *testing.B) {
	text := strings.Repeat("I can't log in since this morning and nobody answers.\n", 20) + "\nKind regards,\nAnna\n\nOn Mon, Nov 2, 2026 at 4:12 PM Support <s@acme.example> wrote:\n" + strings.Repeat("> quoted words of an older mail\n", 40)
	for name, s := range map[string]string{
		"usual":        text,
		"attributions": strings.Repeat("On Mon, 2 Nov 2026 at 16:12 x <a@b.c> wrote\n", maxText/46),
		"quotes":       strings.Repeat(">", 5<<20),
		"rules":        strings.Repeat("____\nFrom: x\n", maxText/13),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				Reply(s)
			}
		})
	}
}

package demo

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// writer puts the mails of the story into the shapes in which real ones come.
type writer struct {
	rng    *rand.Rand
	people *people
	n      int
}

// forms is how many shapes of mail there are.
const forms = 8

// mail writes one person's mail in one of the shapes.
func (w *writer) mail(at time.Time, subject, body string, form int) []byte {
	name, addr := w.people.next(w.rng)
	body = strings.ReplaceAll(body, `\n`, "\n")
	var b bytes.Buffer
	w.head(&b, at, name, addr, subject)
	switch form {
	case 1: // HTML only, as a phone sends it
		part(&b, "text/html", "utf-8", "<html><body><div dir=\"auto\">"+paragraphs(body)+"</div><br><div>Sent from my phone</div></body></html>")
	case 2: // with the history of an older conversation below
		part(&b, "text/plain", "utf-8", body+"\n\nOn Mon, Nov 2, 2026 at 4:12 PM Acme Support <support@acme.example> wrote:\n> Hello,\n> your ticket about the export is solved.\n> Please tell us if you cannot log in to the new workspace.\n> Acme Support\n")
	case 3: // an older charset
		part(&b, "text/plain", "windows-1252", body+"\n-- \n"+name+"\n")
	case 4: // plain and HTML
		fmt.Fprint(&b, "Content-Type: multipart/alternative; boundary=\"=_acme\"\r\n\r\n--=_acme\r\n")
		part(&b, "text/plain", "utf-8", body)
		fmt.Fprint(&b, "\r\n--=_acme\r\n")
		part(&b, "text/html", "utf-8", "<div>"+paragraphs(body)+"</div>")
		fmt.Fprint(&b, "\r\n--=_acme--\r\n")
	case 5: // with a screenshot
		fmt.Fprint(&b, "Content-Type: multipart/mixed; boundary=\"=_shot\"\r\n\r\n--=_shot\r\n")
		part(&b, "text/plain", "utf-8", body)
		fmt.Fprintf(&b, "\r\n--=_shot\r\nContent-Type: image/png; name=\"screenshot.png\"\r\nContent-Disposition: attachment; filename=\"screenshot.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--=_shot--\r\n",
			base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n not really a picture")))
	case 6: // Outlook's habit of a header block above the history
		part(&b, "text/plain", "iso-8859-1", body+"\n\n________________________________\nFrom: Acme Support <support@acme.example>\nSent: Monday, 2 November 2026 16:12\nTo: "+addr+"\nSubject: Welcome\n\nWelcome to Acme.\n")
	default:
		part(&b, "text/plain", "utf-8", body)
	}
	return b.Bytes()
}

// automated writes a machine's mail, which must never count.
func (w *writer) automated(at time.Time) []byte {
	name, addr := w.people.next(w.rng)
	var b bytes.Buffer
	switch w.rng.IntN(3) {
	case 0:
		w.head(&b, at, name, addr, "Automatic reply: Your ticket")
		fmt.Fprint(&b, "Auto-Submitted: auto-replied\r\n")
		part(&b, "text/plain", "utf-8", "I am out of the office and cannot log in to my mail until Monday.")
	case 1:
		w.head(&b, at, "Mail Delivery System", "MAILER-DAEMON@mx.acme.example", "Undelivered Mail Returned to Sender")
		fmt.Fprint(&b, "Auto-Submitted: auto-replied\r\nReturn-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"=_dsn\"\r\n\r\n--=_dsn\r\n")
		part(&b, "text/plain", "utf-8", "The mail could not be delivered.")
		fmt.Fprintf(&b, "\r\n--=_dsn\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.acme.example\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--=_dsn--\r\n", addr)
	default:
		w.head(&b, at, "Growth Weekly", "news@growth-weekly.example", "Five ways to fix your sign up funnel")
		fmt.Fprint(&b, "List-Id: <weekly.growth-weekly.example>\r\nList-Unsubscribe: <https://growth-weekly.example/u>\r\nPrecedence: bulk\r\n")
		part(&b, "text/html", "utf-8", "<h1>Why users can't sign up</h1><p>And what to do about it.</p>")
	}
	return b.Bytes()
}

func (w *writer) head(b *bytes.Buffer, at time.Time, name, addr, subject string) {
	w.n++
	from := (&mimeAddress{name, addr}).String()
	fmt.Fprintf(b, "From: %s\r\nTo: Acme Support <%s>\r\nDate: %s\r\nMessage-ID: <%d.%d@%s>\r\n",
		from, Username, at.Add(-time.Duration(2+w.rng.IntN(5))*time.Second).Format(time.RFC1123Z), at.Unix(), w.n, addr[strings.LastIndexByte(addr, '@')+1:])
	if subject != "" {
		fmt.Fprintf(b, "Subject: %s\r\n", mime.QEncoding.Encode("utf-8", subject))
	}
	fmt.Fprint(b, "MIME-Version: 1.0\r\n")
}

type mimeAddress struct{ name, addr string }

func (a *mimeAddress) String() string {
	return mime.QEncoding.Encode("utf-8", a.name) + " <" + a.addr + ">"
}

// part writes a text part, in base64 for every other charset than UTF-8.
func part(b *bytes.Buffer, media, charset, text string) {
	text = strings.ReplaceAll(text, "\n", "\r\n")
	var enc encoding.Encoding
	switch charset {
	case "windows-1252":
		enc = charmap.Windows1252
	case "iso-8859-1":
		enc = charmap.ISO8859_1
	}
	if enc != nil {
		if s, err := enc.NewEncoder().String(text); err == nil {
			fmt.Fprintf(b, "Content-Type: %s; charset=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", media, charset, base64.StdEncoding.EncodeToString([]byte(s)))
			return
		}
	}
	fmt.Fprintf(b, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", media)
	q := quotedprintable.NewWriter(b)
	_, _ = q.Write([]byte(text)) // a buffer takes everything
	_ = q.Close()
	fmt.Fprint(b, "\r\n")
}

func paragraphs(body string) string {
	return strings.ReplaceAll(html.EscapeString(body), "\n", "<br>")
}

// people are the customers. Nobody writes twice, so that the number of mails
// is the number of customers.
type people struct {
	used map[string]int
}

func newPeople() *people { return &people{used: map[string]int{}} }

var (
	firstNames = strings.Fields("Anna Ben Carla David Elif Farid Grete Hugo Ines Jonas Katja Liam Marta Nils Olga Paulo Quentin Rosa Sven Tamara Uwe Vera Wim Xenia Yusuf Zofia Aiko Bruno Chiara Dmitri Esther Femke Giorgos Hanna Ivo Jana Kemal Lotte Milan Noor Oscar Petra Ruben Sofie Tomasz Ulla Victor Wanda Priya Omar")
	lastNames  = strings.Fields("Albers Brandt Costa Dubois Eriksen Fischer Garcia Hansen Ivanova Jansen Kowalski Lehmann Moreau Nowak Olsen Petrov Quist Rossi Schmid Tanaka Ulrich Vogel Weber Yilmaz Zeman Almeida Berg Conti Dahl Evans Faber Greco Hoffmann Iversen Jung Keller Lopez Meyer Novak Otto Peeters Roth Silva Thomsen Urban Vidal Wolff Young Zimmer Ortiz")
	domains    = strings.Fields("gmail.com outlook.com gmx.de web.de yahoo.com icloud.com hotmail.com orange.fr libero.it proton.me brightwater.example kestrel-logistics.example nordhaus.example linden-school.example opaline.example tarn-clinic.example veldt.example maple-retail.example")
)

func (p *people) next(rng *rand.Rand) (name, addr string) {
	first, last := firstNames[rng.IntN(len(firstNames))], lastNames[rng.IntN(len(lastNames))]
	domain := domains[rng.IntN(len(domains))]
	local := strings.ToLower(first + "." + last)
	key := local + "@" + domain
	p.used[key]++
	if n := p.used[key]; n > 1 {
		local += fmt.Sprint(n)
	}
	return first + " " + last, local + "@" + domain
}

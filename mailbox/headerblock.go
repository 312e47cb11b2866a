package mailbox

import (
	"regexp"
	"strings"
)

// field is what the name of a header field says, as mail programs translate it
// above quoted history.
type field int

const (
	fieldNone field = iota
	fieldFrom
	fieldDate
	fieldTo
	fieldSubject
	fieldOther
	fieldForm // of a web form, and so no history
)

// fields are those names, lower case.
var fields = fieldNames(map[field]string{
	fieldFrom: "from|von|absender|de|expéditeur|remitente|da|mittente|van|afzender|från|avsändare|fra|avsender|afsender|lähettäjä|od|nadawca|odesílatel|odosielateľ|feladó|de la|expeditor|expeditorul|от|от кого|отправитель|від|від кого|kimden|gönderen|από|" +
		"发件人|发信人|寄件者|寄件人|差出人|送信元|送信者|from差出人|보낸 사람|보낸사람|발신|보낸이|מאת|من|المرسل|từ|người gửi|dari|pengirim|šalje|pošiljatelj|saatja|no|nuo|kam nuo|จาก|message de|posted by|на",
	fieldDate: "sent|date|sent at|date sent|gesendet|gesendet am|datum|envoyé|envoyé le|date d'envoi|date d’envoi|message du|le|enviado|enviado el|enviado em|enviada|enviada em|fecha|fecha de envío|data|data de envio|inviato|data invio|data/ora|verzonden|verzonden op|skickat|sendt|sendt dato|dato|lähetetty|" +
		"päiväys|päivämäärä|pvm|wysłano|wysłane|data wysłania|odesláno|odoslané|dátum|küldve|elküldve|küldés dátuma|trimis|trimis la|data trimiterii|отправлено|дата|дата отправки|надіслано|gönderildi|gönderme tarihi|tarih|gönderim tarihi|στάλθηκε|ημερομηνία|απεστάλη|" +
		"发送时间|发送日期|日期|时间|寄件日期|傳送日期|時間|送信日時|日時|送信日|日付|보낸 날짜|보낸날짜|날짜|보낸 시간|נשלח|תאריך|التاريخ|تاريخ|تم الإرسال|أُرسلت|أرسلت|ngày|gửi|đã gửi|thời gian|ngày gửi|tanggal|terkirim|dikirim|poslano|datum slanja|saadetud|kuupäev|nosūtīts|išsiųsta|ส่ง|วันที่|изпратено",
	fieldTo:      "to|an|à|pour|destinataire|para|a|destinatario|aan|till|til|vastaanottaja|do|adresat|komu|pre|címzett|către|destinatar|destinatarul|кому|получатель|kime|alıcı|προς|до|收件人|收件者|宛先|送信先|받는 사람|받는사람|수신|אל|إلى|đến|tới|người nhận|kepada|untuk|prima|za|saaja|kam|kam skirta|ถึง",
	fieldSubject: "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|věc|predmet|vec|tárgy|subiect|subiectul|тема|konu|θέμα|относно|主题|主旨|标题|主題|件名|제목|נושא|الموضوع|موضوع|chủ đề|tiêu đề|subjek|perihal|judul|naslov|zadeva|teema|temats|tema|เรื่อง",
	fieldOther: "cc|bcc|kopie|kopia|kopio|kopi|copie à|copie|copia|cópia|копия|копія|reply-to|antwort an|répondre à|responder a|rispondi a|antwoord aan|svar til|svara till|vastaus|odpověď na|importance|wichtigkeit|attachments|anlagen|anhang|pièces jointes|datos adjuntos|allegati|bijlagen|抄送|副本|참조|عروض|dw|másolatot kap|másolat|bilgi|kópia|organization|priority|priorität|" +
		"mailed-by|reply to|on behalf of|im auftrag von|κοιν.|עותק|نسخة|sao chép|tembusan",
	fieldForm: "message|message body|your message|comment|comments|nachricht|ihre nachricht|mitteilung|kommentar|name|your name|ihr name|vorname|nachname|first name|last name|phone|telephone|telefon|téléphone|teléfono|votre message|nom|prénom|mensaje|nombre|mensagem|nome|messaggio|bericht|naam|meddelande|namn|besked|navn|viesti|nimi|wiadomość|imię|zpráva|jméno|üzenet|mesaj|nume|сообщение|имя|повідомлення|company|firma|email|e-mail|order number|bestellnummer|page|url|ip",
})

func fieldNames(lists map[field]string) map[string]field {
	names := map[string]field{}
	for f, list := range lists {
		for name := range strings.SplitSeq(list, "|") {
			names[name] = f
		}
	}
	return names
}

// longestField is the longest name in fields, with the signs round it.
const longestField = 60

// fieldOf tells which field a line is, and what it says.
func fieldOf(l string) (field, string) {
	begin := l[:min(len(l), longestField)]
	i := strings.IndexByte(begin, ':')
	if wide := strings.Index(begin, "："); wide >= 0 && (i < 0 || wide < i) {
		i = wide
	}
	if i <= 0 {
		return fieldNone, ""
	}
	name := strings.ToLower(strings.Trim(l[:i], " \t*_>|«»\"\u3000"))
	if len(name) == 0 {
		return fieldNone, ""
	}
	value := strings.TrimLeft(l[i:], ":： \t*_")
	f := fields[name]
	if (name == "no" || name == "за" || name == "на") && !strings.Contains(value, "@") {
		return fieldNone, ""
	}
	return f, value
}

// headerBlock returns how many lines the fields of a quoted mail's header take
// that begin at the first line: who and when, and to whom or about what. Where
// nothing announced it, fields that a web form sends are none. A block under a
// separator (announced) needs less.
func headerBlock(lines []string, announced bool) int {
	l := strings.TrimSpace(lines[0])
	first, value := fieldOf(l)
	if first == fieldNone || first == fieldForm || first == fieldOther || first == fieldSubject && !announced || first == fieldFrom && value == "" {
		return 0
	}
	seen := map[field]bool{first: true}
	last, address, plain, gap, foreign := 0, strings.Contains(l, "@"), 0, false, false
	when := first == fieldDate && minute.MatchString(value)
	for i := 1; i < len(lines) && i <= 16; i++ {
		l := strings.TrimSpace(lines[i])
		if l == "" {
			gap = true
			continue
		}
		f, value := fieldOf(l)
		when = when || f == fieldDate && minute.MatchString(value)
		switch {
		case f == fieldNone:
			// A long value goes on over the next line; two such lines end it.
			if plain++; plain > 1 || i-last > 2 {
				i = len(lines)
				continue
			}
			address = address || strings.Contains(l, "@") && i == last+1
			foreign = foreign || !gap && strings.Contains(l[:min(len(l), 25)], ": ")
			continue
		case f == fieldForm && !announced && !gap:
			return 0
		case f == fieldForm:
			i = len(lines)
			continue
		case seen[f] && f != fieldOther && f != fieldDate:
			i = len(lines) // another block
			continue
		}
		seen[f], last, plain = true, i, 0
		address = address || strings.Contains(l, "@")
	}
	switch {
	case announced && len(seen) >= 2, announced && seen[fieldFrom] && address:
		return last + 1
	case !seen[fieldDate], foreign && !seen[fieldSubject] && !when:
		return 0
	case seen[fieldFrom] && seen[fieldSubject], seen[fieldFrom] && seen[fieldTo] && when, seen[fieldFrom] && address, seen[fieldTo] && address && seen[fieldDate] && first == fieldDate:
		return last + 1
	}
	return 0
}

// minute is a date to the minute, as mail programs write it.
var minute = regexp.MustCompile(`(?:19|20)\d\d.*\d[:.]\d\d`)

package mailbox

import (
	"regexp"
	"strings"
)

// historyMark is the line that the HTML walker writes where the structure says
// that history begins.
const historyMark = "-----Original Message-----"

// separatorWords stand between dashes above quoted history, forwardWords above
// a forwarded mail, in the languages of mail programs.
const (
	separatorWords = `original (?:message|appointment|mail|e-mail)|reply message|previous message|(?:original )?message de .*|ursprüngliche (?:nachricht|mail|e-mail)|original[- ]?(?:nachricht|mail)|urspr\. nachricht|antwort nachricht|` +
		`message d[’']origine|message original|courriel original|mensaje original|mensagem original|messaggio originale|oorspronkelijk(?:e)? bericht|origineel bericht|wiadomość oryginalna|oryginalna wiadomość|` +
		`ursprungligt meddelande|originalmeddelande|oprindelig (?:meddelelse|besked|mail)|original besked|opprinnelig melding|alkuperäinen viesti|původní zpráva|(?:původní|původni) e-mail|pôvodná správa|eredeti üzenet|mesaj(?:ul)? original|` +
		`исходное сообщение|оригинальное сообщение|первоначальное сообщение|исходное письмо|початкове повідомлення|оригінальне повідомлення|вихідне повідомлення|особисте повідомлення|оригинално съобщение|özgün ileti|orijinal mesaj|orijinal ileti|asıl ileti|αρχικό μήνυμα|αρχικό μήνυμα ηλεκτρονικού ταχυδρομείου|` +
		`原始邮件|原始郵件|原邮件|原郵件|原始信件|回复邮件|元のメッセージ|オリジナルメッセージ|original ?メッセージ|원본 ?메시지|원본 ?메일|원본 이메일|הודעה מקורית|ההודעה המקורית|الرسالة الأصلية|thư gốc|tin nhắn gốc|pesan asli|izvorna poruka|izvirno sporočilo|originalna poruka|ข้อความต้นฉบับ|originaal(?:kiri)?|sākotnējais ziņojums|pradinis pranešimas`
	forwardWords = `forwarded (?:message|mail|by .*)|weitergeleitete (?:nachricht|e-mail|mail)|message (?:transféré|transmis|réexpédié)|mensaje reenviado|mensagem (?:encaminhada|reencaminhada)|messaggio inoltrato|doorgestuurd bericht|` +
		`(?:wiadomość przekazana|przekazana wiadomość|treść przekazanej wiadomości|wiadomość przesłana dalej)|vidarebefordrat (?:meddelande|mejl)|videresendt (?:meddelelse|besked|melding)|edelleenlähetetty viesti|välitetty viesti.*|` +
		`(?:přeposlaná|předaná) zpráva|preposlaná správa.*|továbbított (?:üzenet|levél)|mesaj redirecționat|пересылаемое сообщение|пересланное сообщение|перенаправленное сообщение|переслане повідомлення|перенаправлене повідомлення|препратено съобщение|` +
		`iletilmiş mesaj|iletilen ileti|yönlendirilen ileti|προωθημένο μήνυμα|προωθημένο μήνυμα ηλεκτρονικού ταχυδρομείου|转发的邮件|转发邮件|轉寄郵件|轉寄的郵件|メッセージを転送|転送メッセージ|転送されたメッセージ|전달된 메시지|전달 메시지|הודעה שהועברה|رسالة معاد توجيهها|رسالة مُعاد توجيهها|thư được chuyển tiếp|tin nhắn đã chuyển tiếp|pesan terusan|proslijeđena poruka|posredovano sporočilo`
	// forwardStarts stand alone above one, as Apple Mail writes them.
	forwardStarts = `begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:réexpédié|transféré)|inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem (?:reencaminhada|encaminhada)|` +
		`begin doorgestuurd bericht|początek przekazywanej wiadomości|vidarebefordrat mejl|start på videresendt besked|videresendt melding|välitetty viesti alkaa|začátek přeposílané zprávy|začiatok preposlanej správy|továbbított levél kezdete|` +
		`începe mesajul redirecționat|начало переадресованного сообщения|початок листа, що пересилається|ileti başlangıcı|započni proslijeđenu poruku|έναρξη προωθημένου μηνύματος|转发的邮件|开始转发的邮件|以下是转寄的邮件|以下為轉寄郵件|開始轉寄郵件|転送されたメッセージ|전달된 메시지|תחילת ההודעה שהועברה|בדיקת הודעה שהועברה|بداية الرسالة المعاد توجيهها|bắt đầu thư được chuyển tiếp|mulai pesan terusan`
)

var (
	separator    = regexp.MustCompile(`(?i)^[-_=*#~>\s]{2,}(?:` + separatorWords + `)[-_=*#~:\s]*$`)
	bareOriginal = regexp.MustCompile(`(?i)^\W{0,3}(?:original message|ursprüngliche nachricht|message d[’']origine|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original)\s*:?\W{0,2}$`)
	forward      = regexp.MustCompile(`(?i)^[-_=*#~\s]{2,}(?:` + forwardWords + `)[-_=*#~:\s]*$|^\*?(?:` + forwardStarts + `)\s*[:：]\*?$`)
)

// isSeparator tells whether a line parts an answer from history.
func isSeparator(l string) bool {
	switch l[0] {
	case '-', '_', '=', '*', '#', '~':
		return len(l) < 120 && separator.MatchString(l)
	}
	return false
}

// isForward tells whether a line begins a forwarded mail.
func isForward(l string) bool {
	if len(l) > 160 {
		return false
	}
	switch l[0] {
	case '-', '_', '=', '*', '#', '~':
	default:
		if !strings.HasSuffix(l, ":") && !strings.HasSuffix(l, "：") && !strings.HasSuffix(l, ":*") {
			return false
		}
	}
	return forward.MatchString(l)
}

// isRule tells whether a line is drawn across, as some programs do above the
// fields of the mail they quote.
func isRule(l string) bool {
	return len(l) >= 3 && (strings.Trim(l, "_") == "" || strings.Trim(l, "-") == "" || strings.Trim(l, "=") == "" || strings.Trim(l, "*") == "") || l == "* * *"
}

// aboveLine are the words by which help desks ask for the answer above a line,
// lower case.
var aboveLine = []string{
	"above this line", "above the line", "below this line", "reply above", "write above", "respond above", "over this line",
	"oberhalb dieser zeile", "über dieser zeile", "über diese zeile", "oberhalb dieser linie", "über dieser linie", "über diese linie", "über dieser markierung", "oberhalb der linie",
	"au-dessus de cette ligne", "au dessus de cette ligne", "por encima de esta línea", "encima de esta línea", "sobre esta línea", "arriba de esta línea",
	"acima desta linha", "acima dessa linha", "sopra questa riga", "sopra questa linea", "al di sopra di questa", "boven deze regel", "boven deze lijn",
	"ovanför denna rad", "ovanför den här raden", "ovanför denna linje", "ovanför den här linjen", "over denne linje", "over denne linjen", "ovenfor denne linje", "over linjen her",
	"tämän rivin yläpuolelle", "tämän viivan yläpuolelle", "powyżej tej linii", "nad tą linią", "powyżej tego wiersza", "nad tento řádek", "nad tímto řádkem", "nad tuto čáru", "nad touto čarou",
	"nad tento riadok", "nad týmto riadkom", "e sor fölé", "ezen sor fölé", "a sor fölé", "e vonal fölé", "deasupra acestei linii", "deasupra acestui rând",
	"bu satırın üstüne", "bu satırın üzerine", "bu çizginin üstüne", "bu çizginin üzerine", "выше этой строки", "выше этой линии", "над этой строкой", "над этой чертой", "выше этой черты",
	"вище цього рядка", "над цим рядком", "вище цієї лінії", "над този ред", "πάνω από αυτή τη γραμμή", "πάνω από αυτήν τη γραμμή", "πάνω από αυτή την γραμμή",
	"מעל שורה זו", "מעל לשורה זו", "מעל השורה הזו", "מעל קו זה", "فوق هذا السطر", "أعلى هذا السطر", "فوق هذا الخط",
	"この行より上", "この線より上", "この行の上", "在此行上方", "在此行之上", "此行以上", "在这条线上方", "在此线上方", "在此線上方", "此線以上", "這條線以上", "이 줄 위에", "이 선 위에", "이 줄 위로",
	"phía trên dòng này", "trên dòng này", "di atas baris ini", "di atas garis ini", "iznad ove crte", "iznad ove linije", "nad to vrstico", "เหนือบรรทัดนี้",
}

// typeAbove tells whether a line asks for the answer to be typed above it. Such
// a line is a mark of a program: decorated, or short and without a subject of
// its own.
func typeAbove(l string) bool {
	if len(l) > 300 || len(l) < 8 {
		return false
	}
	if strings.HasPrefix(l, "##- ") && strings.HasSuffix(l, " -##") {
		return true
	}
	decorated := strings.IndexByte("#-=*~[_(", l[0]) >= 0
	if !decorated && (strings.HasPrefix(l, "I ") || strings.Count(l, " ") > 12) {
		return false
	}
	l = strings.ToLower(l)
	for _, words := range aboveLine {
		if strings.Contains(l, words) {
			return decorated || strings.HasPrefix(l, "please") || strings.Count(l, " ") <= 10 && imperative.MatchString(l)
		}
	}
	return false
}

var imperative = regexp.MustCompile(`^(?:to reply|please|bitte|veuillez|por favor|reply|respond|type|write|enter|add|antworten|schreiben|geben|ihre antwort|répondez|répondre|écrivez|tapez|merci|votre réponse|responda|escriba|escribe|responde|su respuesta|escreva|digite|sua resposta|rispondi|scrivi|scriva|rispondere|inserisci|typ|schrijf|antwoord|uw antwoord|plaats|svara|skriv|skriv ditt|svar|kirjoita|vastaa|odpowiedz|prosimy|proszę|wpisz|napisz|odpovězte|napište|prosím|odpovedzte|napíšte|kérjük|írja|válaszát|răspundeți|vă rugăm|scrieți|lütfen|yanıtınızı|cevabınızı|пожалуйста|введите|ответьте|напишите|пишите|будь ласка|введіть|напишіть|моля|παρακαλώ|απαντήστε|γράψτε|אנא|נא|השב|הקלד|كتابة|يرجى|الرجاء|اكتب|返信|ここに|回答|请|請|답장|회신|vui lòng|nhập|silakan|balas|ketik|molimo|prosimo|กรุณา|on the)`)

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
	i := strings.IndexAny(l[:min(len(l), longestField)], ":：")
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
	last, address, plain, gap := 0, strings.Contains(l, "@"), 0, false
	for i := 1; i < len(lines) && i <= 16; i++ {
		l := strings.TrimSpace(lines[i])
		if l == "" {
			gap = true
			continue
		}
		f, _ := fieldOf(l)
		switch {
		case f == fieldNone:
			// A long value goes on over the next line; two such lines end it.
			if plain++; plain > 1 || i-last > 2 {
				i = len(lines)
				continue
			}
			address = address || strings.Contains(l, "@") && i == last+1
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
	case !seen[fieldDate]:
		return 0
	case seen[fieldFrom] && seen[fieldSubject], seen[fieldFrom] && seen[fieldTo] && address, seen[fieldFrom] && address, seen[fieldTo] && address && seen[fieldDate] && first == fieldDate:
		return last + 1
	}
	return 0
}

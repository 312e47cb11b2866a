package mailbox

import (
	"regexp"
	"strings"
)

// historyMark is the line that the HTML walker writes where the structure says
// that history begins.
const historyMark = "-----Original Message-----"

// quoteMark is the line that it writes in place of what is quoted.
const quoteMark = "> …"

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
	separator = regexp.MustCompile(`(?i)^[-_=*#~>\s]{2,}(?:` + separatorWords + `)[-_=*#~:\s]*$`)
	forward   = regexp.MustCompile(`(?i)^[-_=*#~\s]{2,}(?:` + forwardWords + `)[-_=*#~:\s]*$|^\*?(?:` + forwardStarts + `)\s*[:：]\*?$`)
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
	if len(l) < 3 || !rules[l[0]] {
		return false
	}
	return strings.Trim(l, "_") == "" || strings.Trim(l, "-") == "" || strings.Trim(l, "=") == "" || strings.Trim(l, "*") == "" || strings.Trim(l, "—–─━") == "" || l == "* * *"
}

// rules are the first bytes of such lines.
var rules = [256]bool{'_': true, '-': true, '=': true, '*': true, 0xe2: true} // 0xe2: of all dashes

// aboveLine are the words by which help desks ask for the answer above a line,
// lower case.
var aboveLine = []string{
	"above this line", "above the line", "below this line", "over this line",
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

var aboveStems = newStems(strings.Join(aboveLine, "|"))

// typeAbove tells whether a line asks for the answer to be typed above it, and
// whether signs round it say that a program wrote it. Without them it must be
// short and begin as a request.
func typeAbove(l string) (above, decorated bool) {
	if len(l) > 300 || len(l) < 8 {
		return false, false
	}
	if strings.HasPrefix(l, "##- ") && strings.HasSuffix(l, " -##") {
		return true, true
	}
	decorated = strings.IndexByte("#-=*~[_", l[0]) >= 0
	if !decorated && strings.Count(l, " ") > 12 {
		return false, false
	}
	if !aboveStems.in(l) && !(decorated && strings.Contains(strings.ToLower(l), "reply above")) {
		return false, false
	}
	return decorated || imperative.MatchString(strings.ToLower(l)), decorated
}

var imperative = regexp.MustCompile(`^(?:to reply|please|bitte|veuillez|por favor|reply|respond|type|write|enter|add|antworten|schreiben|geben|ihre antwort|répondez|répondre|écrivez|tapez|merci|votre réponse|responda|escriba|escribe|responde|su respuesta|escreva|digite|sua resposta|rispondi|scrivi|scriva|rispondere|inserisci|typ|schrijf|antwoord|uw antwoord|plaats|svara|skriv|skriv ditt|svar|kirjoita|vastaa|odpowiedz|prosimy|proszę|wpisz|napisz|odpovězte|napište|prosím|odpovedzte|napíšte|kérjük|írja|válaszát|răspundeți|vă rugăm|scrieți|lütfen|yanıtınızı|cevabınızı|пожалуйста|введите|ответьте|напишите|пишите|будь ласка|введіть|напишіть|моля|παρακαλώ|απαντήστε|γράψτε|אנא|נא|השב|הקלד|كتابة|يرجى|الرجاء|اكتب|返信|ここに|回答|请|請|답장|회신|vui lòng|nhập|silakan|balas|ketik|molimo|prosimo|กรุณา|on the)`)

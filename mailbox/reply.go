package mailbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxReplyLines bounds the work on one mail's text.
const maxReplyLines = 5000

// Reply returns what the sender of a plain text wrote this time: without
// quoted history, signature and disclaimer.
func Reply(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return strings.TrimSpace(newest(Clean(text, maxText), ""))
}

// newest finds the newest words. The rules, in their order: a line above which
// the answer is to be typed; the first separator, header block or attribution;
// what stands above it, or, when nothing does, what is not quoted below it; and
// from that the signature.
func newest(text, name string) string {
	lines := strings.Split(text, "\n")
	if len(lines) > maxReplyLines {
		lines = lines[:maxReplyLines]
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	at, end := history(lines)
	if at < 0 {
		return signature(unquote(lines), name)
	}
	above := unquote(lines[:at])
	if hasWords(above) {
		return signature(above, name)
	}
	// Nothing above: a forward is kept whole, an answer below or between the
	// quoted lines is what is not quoted.
	if forward.MatchString(strings.TrimSpace(lines[at])) {
		return strings.Join(lines, "\n")
	}
	below := unquote(lines[end:])
	if quotedBelow(lines[end:]) && hasWords(below) {
		return signature(below, name)
	}
	if !hasWords(above) && at > 0 {
		return strings.TrimSpace(strings.Join(above, "\n"))
	}
	return ""
}

func quotedBelow(lines []string) bool {
	for _, l := range lines {
		if isQuote(l) {
			return true
		}
	}
	return false
}

func hasWords(lines []string) bool {
	for _, l := range lines {
		if strings.IndexFunc(l, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r > 0x2000 }) >= 0 {
			return true
		}
	}
	return false
}

// isQuote tells whether a line is quoted: by ">", by "| ", or by the initials
// that some programs put before it ("AB> ").
func isQuote(l string) bool {
	for n := 0; n < 3 && l != "" && (l[0] == ' ' || l[0] == '\t'); n++ {
		l = l[1:]
	}
	switch {
	case l == "":
		return false
	case l[0] == '>':
		return true
	case l[0] == '|':
		return len(l) > 1 && l[1] == ' '
	case l[0] < 'A' || l[0] > 'Z':
		return false
	}
	for i := 1; i < len(l) && i <= 11; i++ {
		switch c := l[i]; {
		case c == '>':
			return true
		case c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
		default:
			return false
		}
	}
	return false
}

// The patterns below are long, and almost no line is one of theirs: what is
// cheap to see is looked at first.

func mayBeTypeAbove(l string) bool {
	for _, s := range []string{"ine", "INE", "eile", "EILE", "inie", "INIE", "gne", "GNE", "nea", "NEA", "##-"} {
		if strings.Contains(l, s) {
			return true
		}
	}
	return false
}

func maySeparate(l string) bool { return strings.IndexByte("-_=*bBaAdDiI", l[0]) >= 0 }

func hasColon(l string) bool { return strings.IndexByte(l, ':') >= 0 || strings.Contains(l, "：") }

// attributionEnds tells whether a text ends as an attribution does.
func attributionEnds(s string) bool {
	for _, e := range []string{":", "：", ":*", "--", "...", ":_"} {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}

func mayAttribute(lines []string) bool {
	for n := 0; n < 4 && n < len(lines); n++ {
		l := strings.TrimSpace(lines[n])
		if l == "" {
			return false
		}
		if attributionEnds(l) || n+1 < len(lines) && isQuote(lines[n+1]) {
			return true
		}
	}
	return false
}

// unquote drops quoted lines and the attributions between them.
func unquote(lines []string) []string {
	var out []string
	for i := 0; i < len(lines); i++ {
		if isQuote(lines[i]) {
			continue
		}
		if n := attribution(lines[i:]); n > 0 {
			i += n - 1
			continue
		}
		out = append(out, lines[i])
	}
	return out
}

// history finds where quoted history begins, and where its own words do.
func history(lines []string) (at, end int) {
	for i := range lines {
		l := strings.TrimSpace(lines[i])
		if l == "" {
			continue
		}
		if mayBeTypeAbove(l) && typeAbove.MatchString(l) {
			return i, i + 1
		}
		if isQuote(lines[i]) {
			continue
		}
		if maySeparate(l) && separator.MatchString(l) {
			return i, i + 1
		}
		if (l[0] == '_' || l[0] == '-') && rule.MatchString(l) {
			if next := nextText(lines, i+1); next >= 0 && headerBlock(lines[next:]) > 0 {
				return i, next + headerBlock(lines[next:])
			}
		}
		if n := headerBlock(lines[i:]); n > 0 {
			return i, i + n
		}
		if n := attribution(lines[i:]); n > 0 {
			// An attribution in the middle, with words after its quote, is an
			// answer between the lines: unquote deals with it.
			if answeredBetween(lines[i+n:]) && !hasWords(unquote(lines[:i])) {
				return i, i + n
			}
			if answeredBetween(lines[i+n:]) {
				continue
			}
			return i, i + n
		}
	}
	return -1, -1
}

// answeredBetween tells whether words stand between and after quoted lines.
func answeredBetween(lines []string) bool {
	seenQuote, words := false, false
	for i := 0; i < len(lines); i++ {
		l := strings.TrimSpace(lines[i])
		switch {
		case l == "":
		case isQuote(lines[i]):
			seenQuote = true
		case dashes.MatchString(l):
			return words
		case seenQuote && hasWords(lines[i:i+1]):
			words = true
		case !seenQuote:
			return false // history without marks
		}
	}
	return seenQuote && words
}

func nextText(lines []string, i int) int {
	for ; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != "" {
			return i
		}
	}
	return -1
}

var (
	typeAbove = regexp.MustCompile(`(?i)^[-#=~_>\s]*(please )?(type|write|reply|enter|add) (your )?(reply|response|answer)?\s*(above|over) this line|^[-#=~_\s]*(bitte )?(antworten sie )?(oberhalb|über) dieser (zeile|linie)|^[-#=~_\s]*répondez au-dessus de cette ligne|^[-#=~_\s]*escriba su respuesta (por )?encima de esta línea|^##- .* -##$`)
	separator = regexp.MustCompile(`(?i)^[-_=*\s]{2,}\s*(original (message|appointment|mail)|forwarded (message|by .*)|reply message|ursprüngliche (nachricht|mail)|original[- ]?nachricht|weitergeleitete nachricht|message d'origine|message original|message transféré|mensaje original|mensaje reenviado|mensagem original|mensagem encaminhada|messaggio originale|messaggio inoltrato|oorspronkelijk bericht|origineel bericht|doorgestuurd bericht|wiadomość oryginalna|oryginalna wiadomość|wiadomość przekazana|ursprungligt meddelande|vidarebefordrat meddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|původní zpráva|pôvodná správa|eredeti üzenet|mesaj original|исходное сообщение|пересылаемое сообщение|пересланное сообщение|оригинальное сообщение|özgün ileti|orijinal mesaj|原始邮件|原邮件|元のメッセージ|転送メッセージ|원본 메시지)\s*[-_=*\s]{0,}$|^(begin forwarded message|anfang der weitergeleiteten (nachricht|e-mail)|début du message (réexpédié|transféré)|inizio messaggio inoltrato|inicio del mensaje reenviado|início da mensagem (reencaminhada|encaminhada)):?$`)
	forward   = regexp.MustCompile(`(?i)(forwarded|weitergeleitet|transféré|réexpédié|reenviado|encaminhada|inoltrato|doorgestuurd|przekazana|vidarebefordrat|пересыл|переслан|転送)`)
	rule      = regexp.MustCompile(`^[_-]{10,}$`)
	dashes    = regexp.MustCompile(`^(--|__|—|–)\s*$`)
)

// fromWord and otherWord are the names of header fields as mail programs write
// them above quoted history, in many languages.
var (
	fromWord  = regexp.MustCompile(`(?i)^\W{0,3}(from|von|de|da|van|od|från|fra|lähettäjä|feladó|от|від|kimden|gönderen|expéditeur|remitente|mittente|afzender|avsender|nadawca|odesílatel|发件人|寄件者|差出人|보낸 사람|από|מאת|من|frá|de la|expeditor)\W{0,3}\s*[:：]\W{0,3}\s*\S`)
	otherWord = regexp.MustCompile(`(?i)^\W{0,3}(sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|date d'envoi|enviado( el| em)?|para|asunto|assunto|fecha|data|inviato|a|oggetto|verzonden|aan|onderwerp|wysłano|do|temat|data|skickat|till|ämne|sendt|til|emne|lähetetty|vastaanottaja|aihe|elküldve|címzett|tárgy|отправлено|дата|кому|тема|надіслано|gönderildi|tarih|kime|konu|odesláno|komu|předmět|odoslané|predmet|发送时间|日期|收件人|主题|寄件日期|收件者|主旨|送信日時|宛先|件名|보낸 날짜|받는 사람|제목|trimis|către|subiect|ημερομηνία|προς|θέμα)\W{0,3}\s*[:：]`)
)

// headerBlock returns how many lines a quoted header block has: a From line
// and at least one other field within the next lines.
func headerBlock(lines []string) int {
	if len(lines) == 0 || !hasColon(lines[0]) || !fromWord.MatchString(strings.TrimSpace(lines[0])) {
		return 0
	}
	others, last := 0, 0
	for i := 1; i < len(lines) && i <= 8; i++ {
		l := strings.TrimSpace(lines[i])
		if l == "" {
			if others > 0 {
				break
			}
			continue
		}
		if otherWord.MatchString(l) {
			others++
			last = i
		}
	}
	if others == 0 || (others == 1 && !strings.Contains(lines[0], "@") && !strings.Contains(strings.Join(lines[:last+1], " "), "@") && !yearLike.MatchString(strings.Join(lines[:last+1], " "))) {
		return 0
	}
	return last + 1
}

var (
	yearLike = regexp.MustCompile(`\b(19|20)\d\d\b|\d{1,2}[:.h]\d\d`)
	// begins is how an attribution begins: a word for "on", a day of the week, a
	// date, or a name with an address. Without this condition a third of what
	// was found was not one.
	begins = regexp.MustCompile(`(?i)^\W{0,3}(on|am|le|el|il|op|em|den|dnia|w dniu|på|dne|в|в[ао]?|a|al|la|în|pe|tarihinde|στις|ב|في|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|gio|gie|jeu|ven|vie|sam|sab|dim|dom|ma|wo|za|zo|pon|wt|śr|czw|pt|sob|ndz|ke|to|pe|la|su|ti|пн|вт|ср|чт|пт|сб|вс|seg|ter|qua|qui|sex|sáb|mån|tis|ons|tors|fre|lör|sön|man|tir|lør|søn|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo)[\s.,]|^\W{0,3}\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|^\W{0,3}\d{1,2}\.? \pL{3,}\.? \d{4}|^\d{4}年|^.{1,60}<[^<>\s]+@[^<>\s]+>|^\W{0,3}[\w.+-]+@[\w.-]+`)
	wrote  = regexp.MustCompile(`(?i)\b(wrote|writes|said|schrieb|schreibt|a écrit|écrivait|a ecrit|escribió|escribio|escreveu|ha scritto|scrisse|schreef|geschreven|napisał\(?a?\)?|napisała?|pisze|skrev|skriver|kirjoitti|napsala?|napísala?|írta|a scris|пишет|написала?|написав|писал|писав|yazdı|şunları yazdı|έγραψε|viết|menulis|skrifaði|rakstīja|rašė|kirjutas|napisao|је написао|написа)\b|写道|寫道|のメール|さんは書きました|님이 작성|כתב|כתבה|كتب|написал\(а\)|napisał\(a\)`)
	// selfWrote is the sender speaking of a mail of their own.
	selfWrote = regexp.MustCompile(`(?i)\b(i|we|you) (already |have )?(wrote|said)\b|\b(ich|wir) schrieb`)
	dated     = regexp.MustCompile(`\b\d{1,2}[:.h]\d{2}|\b(19|20)\d\d\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}`)
)

// attribution returns how many lines, 1 to 4, say who wrote the quoted words
// that follow ("On Monday, Anna <a@b.c> wrote:"); 0 if they do not.
func attribution(lines []string) int {
	first := strings.TrimSpace(lines[0])
	first = strings.TrimLeft(first, "-* ")
	if first == "" || !mayAttribute(lines) || !begins.MatchString(first) {
		return 0
	}
	joined := ""
	for n := 1; n <= 4 && n <= len(lines); n++ {
		l := strings.TrimSpace(lines[n-1])
		if l == "" || isQuote(lines[n-1]) {
			return 0
		}
		joined = strings.TrimSpace(joined + " " + l)
		if utf8.RuneCountInString(joined) > 500 {
			return 0
		}
		ends := attributionEnds(joined)
		verb := wrote.MatchString(joined) && !selfWrote.MatchString(joined)
		when := dated.MatchString(joined) || strings.Contains(joined, "@")
		if ends && (verb && (when || n == 1 && len(joined) < 120) || !verb && dated.MatchString(joined) && strings.Contains(joined, "@")) {
			return n
		}
		// Some programs end it without a colon, before quoted lines.
		if verb && when && n < len(lines) && isQuote(lines[n]) {
			return n
		}
	}
	return 0
}

var (
	sentFrom = regexp.MustCompile(`(?i)^\W{0,3}(sent (from|via|using|with) (my |a |the )?(iphone|ipad|android|blackberry|mobile|phone|samsung|galaxy|windows phone|huawei|xiaomi|nokia|htc|lg|verizon|t-mobile|yahoo|outlook|mail for windows|proton|mailbird|spark|gmail|airmail|mobile device|handheld|smartphone|tablet|nine|bluemail|fairphone|pixel|motorola|sony|oneplus|newton|superhuman|front|hey|zoho|aquamail|k-9).{0,60}|get outlook for .{0,40}|von meinem .{1,30} gesendet|gesendet (von|mit|über) .{1,50}|envoyé (de|depuis|à partir de) .{1,50}|enviado (desde|do|de|a partir do) (mi|meu|o|el)? ?.{1,40}|inviato (da|dal) .{1,40}|verzonden vanaf .{1,40}|verstuurd vanaf .{1,40}|wysłan[eo] z .{1,40}|skickat från .{1,40}|sendt fra .{1,40}|lähetetty .{1,40}|odesláno z .{1,40}|отправлено с .{1,40}|iphone'?umdan gönderildi|iphoneから送信|发自我的.{1,20}|從我的.{1,20}傳送|나의 .{1,20}에서 보냄|sent while walking)\.?$`)
	// formula closes a mail; at most a few short lines follow it.
	formula    = regexp.MustCompile(`(?i)^\W{0,2}((kind|best|warm|warmest|many|with( kind| best)?)? ?regards|best( wishes)?|cheers|sincerely( yours)?|yours (sincerely|truly|faithfully)|respectfully|thanks (and|&) (best |kind )?regards|mit freundlichen? (grüßen|gruß|grüssen)|(viele|beste|liebe|herzliche|schöne|freundliche) (grüße|grüsse)|(lieben|besten|freundlichen|schönen) gruß|mfg|vg|lg|cordialement|bien cordialement|(bien )?à vous|salutations( distinguées)?|saludos( cordiales)?|un saludo|atentamente|atenciosamente|cumprimentos|att|abraços|cordiali saluti|distinti saluti|saluti|met vriendelijke groet(en)?|groet(en|jes)?|mvg|z poważaniem|pozdrawiam|med vänlig(a)? hälsning(ar)?|mvh|med venlig hilsen|ystävällisin terveisin|s pozdravem|üdvözlettel|с уважением|saygılarımla)\W{0,3}$`)
	disclaimer = regexp.MustCompile(`(?i)^\W{0,3}((this|the information (contained )?in this) (e-?mail|message|communication|transmission)( \(?including| and (any|its)| is| may| contains| was)|confidentiality (notice|note)|disclaimer:|important notice:|diese (e-?mail|nachricht) (enthält|ist|kann|und)|ce (message|courriel|mail) (et|est|peut|contient)|este (mensaje|correo|e-?mail) (y|es|contiene|puede|e )|esta mensagem|questo messaggio|dit (e-?mail)?bericht|ta wiadomość|please consider the environment|think before you print)`)
	unsub      = regexp.MustCompile(`(?i)^\W{0,3}(to unsubscribe|unsubscribe here|you received this (message|email) because)`)
)

// signature drops what stands below the sender's words: after a signature
// mark, a mobile program's line, a closing formula, a disclaimer.
func signature(lines []string, name string) string {
	end := len(lines)
	for i, l := range lines {
		t := strings.TrimSpace(l)
		if t == "" {
			continue
		}
		if i > 0 && (dashes.MatchString(t) || disclaimer.MatchString(t) || unsub.MatchString(t)) && hasWords(lines[:i]) {
			end = i
			break
		}
		if len(t) < 200 && sentFrom.MatchString(t) && hasWords(lines[:i]) {
			end = i
			break
		}
		if len(t) < 80 && formula.MatchString(t) && i > 0 && hasWords(lines[:i]) && shortTail(lines[i+1:]) {
			end = i
			break
		}
		if i > 0 && ownName(t, name) && hasWords(lines[:i]) && len(strings.TrimSpace(strings.Join(lines[i+1:], ""))) == 0 {
			end = i
			break
		}
	}
	return strings.TrimSpace(strings.Join(lines[:end], "\n"))
}

// shortTail tells whether the lines after a closing formula are a name, a
// position, an address: a few short ones, before an empty rest or a longer one
// that is itself a signature.
func shortTail(lines []string) bool {
	n := 0
	for _, l := range lines {
		t := strings.TrimSpace(l)
		if t == "" {
			continue
		}
		if n++; utf8.RuneCountInString(t) > 90 && !disclaimer.MatchString(t) {
			return false
		}
		if strings.HasSuffix(t, "?") {
			return false // the mail goes on
		}
		if n >= 12 {
			return true
		}
	}
	return true
}

var nameLine = regexp.MustCompile(`^\W{0,2}[\pL.'-]+( [\pL.'-]+){0,3}\W?$`)

// ownName tells whether a line is the sender's name alone.
func ownName(line, name string) bool {
	if name == "" || !nameLine.MatchString(line) {
		return false
	}
	words := strings.Fields(strings.ToLower(name))
	line = strings.ToLower(strings.Trim(line, "-–—~* .,!"))
	if line == strings.Join(words, " ") {
		return true
	}
	return len(words) > 0 && line == words[0]
}

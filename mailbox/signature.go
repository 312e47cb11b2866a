package mailbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// signature drops what is not said to us from a sender's own lines: a warning
// of their mail server above, and below a signature, a mobile program's line, a
// closing formula with a name, a disclaimer, a virus scanner's line. In doubt a
// line stays: a kept signature costs less than a lost complaint.
func signature(lines []string, name string) []string {
	lines = dropBanner(lines)
	end := len(lines)
	first := nextText(lines, 0)
	if first < 0 {
		return lines
	}
	// What stands far above the end is no signature.
	far := max(0, end-longestSignature)
	own := append([]string(nil), lines[:far]...)
	said := hasWords(own)
	for i := far; i < end; i++ {
		t := strings.TrimSpace(lines[i])
		if t == "" {
			own = append(own, lines[i])
			continue
		}
		if mobile(t) || scanned(t) {
			continue // only the line: words below it are words
		}
		if i > first && said && (disclaimer(lines[i:]) || unsubscribe.MatchString(t) || signed(lines, i, name)) {
			if ps := postscript(lines[i+1:]); ps >= 0 {
				own = append(own, lines[i+1+ps:]...)
			}
			return trimLines(own)
		}
		own = append(own, lines[i])
		said = said || lineHasWords(t)
	}
	return trimLines(own)
}

// longestSignature is how many lines from the end a signature is looked for,
// with the disclaimers below it.
const longestSignature = 300

func trimLines(lines []string) []string {
	for len(lines) > 0 {
		l := strings.TrimSpace(lines[len(lines)-1])
		if l != "" && !(len(l) < 100 && strings.Trim(l, "-_=*~#— ") == "") {
			break
		}
		lines = lines[:len(lines)-1]
	}
	return lines
}

// signed tells whether a signature begins at a line: by its mark, a closing
// formula, or the sender's name.
func signed(lines []string, i int, name string) bool {
	t := strings.TrimSpace(lines[i])
	rest := lines[i+1:]
	switch {
	case t == "--" || t == "—" || t == "–" || t == "__" || t == "--=":
		return signs(rest, 14, 0) || signs(rest, 14, slogans)
	case isRule(t) && len(t) < 100:
		return hasWords(rest) && (signs(rest, 8, 0) && detached(lines, i) || signs(rest, 3, 0))
	case closes(t):
		return signs(rest, 14, 0)
	case name != "" && ownName(t, name):
		return signs(rest, 8, 0)
	case closesWithName(t, name):
		return signs(rest, 8, 0)
	}
	return dashName(lines, i)
}

// detached tells whether an empty or short line stands before a line.
func detached(lines []string, i int) bool {
	return i > 0 && utf8.RuneCountInString(strings.TrimSpace(lines[i-1])) < 25
}

// slogans lets signs take a few sentences for a signature's.
const slogans = 6

// signs tells whether lines read as a signature: a name, a position, an
// address, at most most short lines of them, and no sentence. Where sentences
// is not 0, as many lines may be any but a question.
func signs(lines []string, most, sentences int) bool {
	n := 0
	for i, l := range lines {
		t := strings.TrimSpace(l)
		if t == "" {
			continue
		}
		if n > 0 && (disclaimer(lines[i:]) || unsubscribe.MatchString(t)) || postscripted.MatchString(t) {
			return true
		}
		if mobile(t) || scanned(t) {
			continue
		}
		n++
		if sentences > 0 {
			if n > sentences || strings.HasSuffix(t, "?") || utf8.RuneCountInString(t) > 120 {
				return false
			}
		} else if n > most || sentence(t) {
			return false
		}
	}
	return true
}

// sentence tells whether a line is one, and so no part of a signature.
func sentence(t string) bool {
	if strings.HasSuffix(t, "?") || strings.HasSuffix(t, "？") {
		return true
	}
	if strings.Contains(t, "://") || strings.Contains(t, "@") || strings.Contains(t, "www.") {
		return utf8.RuneCountInString(t) > 200
	}
	if utf8.RuneCountInString(t) > 100 {
		return true
	}
	words := strings.Fields(t)
	lower := 0
	for _, w := range words {
		if r, _ := utf8.DecodeRuneInString(w); unicode.IsLower(r) {
			lower++
		}
	}
	if strings.HasSuffix(t, ".") || strings.HasSuffix(t, "!") || strings.HasSuffix(t, "。") {
		return len(words) >= 5 && lower >= 3
	}
	return len(words) >= 8 && lower >= 5
}

// closings are the formulas that end a letter, lower case, without the signs
// round them.
var closings = func() map[string]bool {
	set := map[string]bool{}
	for s := range strings.SplitSeq(`regards|kind regards|best regards|warm regards|warmest regards|kindest regards|many regards|with regards|with kind regards|with best regards|rgds|brgds|br|kr|best|best wishes|all the best|cheers|sincerely|sincerely yours|yours sincerely|yours truly|yours faithfully|very truly yours|yours|respectfully|respectfully yours|cordially|warmly|`+
		`mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|mit freundlichem gruss|mit freundlichen gruessen|mit besten grüßen|mit besten grüssen|mit vielen grüßen|mit herzlichen grüßen|mit lieben grüßen|freundliche grüße|freundliche grüsse|freundlicher gruß|viele grüße|viele grüsse|viele gruesse|beste grüße|beste grüsse|besten gruß|besten gruss|liebe grüße|liebe grüsse|lieben gruß|herzliche grüße|herzliche grüsse|herzlichst|schöne grüße|schöne grüsse|schönen gruß|sonnige grüße|gruß|gruss|grüße|grüsse|grüßle|mfg|mit freundlichen grüßen aus|vg|lg|bg|hochachtungsvoll|ihr|ihre|`+
		`cordialement|bien cordialement|très cordialement|cordialement vôtre|bien à vous|bien à toi|salutations|meilleures salutations|sincères salutations|salutations distinguées|mes salutations distinguées|sincèrement|amicalement|respectueusement|cdlt|cdt|bàv|`+
		`saludos|saludos cordiales|un saludo|un cordial saludo|cordiales saludos|muchos saludos|atentamente|muy atentamente|atte|cordialmente|un abrazo|abrazos|`+
		`atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|os melhores cumprimentos|com cumprimentos|att|abraços|abraço|um abraço|saudações|respeitosamente|`+
		`cordiali saluti|distinti saluti|un cordiale saluto|saluti|cari saluti|tanti saluti|un saluto|saluti cordiali|porgo distinti saluti|cordialmente|`+
		`met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|hartelijke groet|hartelijke groeten|groet|groeten|groetjes|mvg|m.v.g|met hartelijke groet|hoogachtend|`+
		`z poważaniem|pozdrawiam|pozdrawiam serdecznie|serdecznie pozdrawiam|z wyrazami szacunku|łączę wyrazy szacunku|pozdrowienia|`+
		`s pozdravem|s přátelským pozdravem|s úctou|zdravím|pozdrav|děkuji a zdravím|hezký den|s pozdravom|s priateľským pozdravom|`+
		`med vänlig hälsning|med vänliga hälsningar|vänliga hälsningar|vänlig hälsning|hälsningar|mvh|vänligen|bästa hälsningar|`+
		`med venlig hilsen|venlig hilsen|venlige hilsner|med venlige hilsner|de bedste hilsner|bedste hilsner|hilsen|hilsner|vh|med vennlig hilsen|vennlig hilsen|vennlige hilsener|beste hilsen|hilsen fra|mvh|`+
		`ystävällisin terveisin|terveisin|parhain terveisin|ystävällisesti|t|yst. terv|terv|kunnioittavasti|`+
		`üdvözlettel|tisztelettel|szívélyes üdvözlettel|baráti üdvözlettel|üdv|köszönettel|`+
		`cu stimă|cu respect|cu considerație|toate cele bune|o zi bună|salutări|`+
		`saygılarımla|saygılarımızla|selamlar|iyi çalışmalar|iyi günler|sevgiler|teşekkürler ve iyi çalışmalar|`+
		`с уважением|с наилучшими пожеланиями|всего доброго|всего хорошего|с почтением|с приветом|з повагою|з найкращими побажаннями|с уважение|поздрави|`+
		`με εκτίμηση|φιλικά|με φιλικούς χαιρετισμούς|χαιρετισμούς|`+
		`בברכה|בכבוד רב|תודה ובברכה|مع التحية|مع أطيب التحيات|مع خالص التحيات|تحياتي|مع فائق الاحترام|وتفضلوا بقبول فائق الاحترام|`+
		`よろしくお願いします|よろしくお願いいたします|宜しくお願いします|宜しくお願い致します|よろしくお願い致します|敬具|以上|此致|敬礼|此致敬礼|祝好|顺颂商祺|敬祝商祺|謝謝|此致 敬禮|祝 商祺|감사합니다|안녕히 계세요|감사합니다 드림|`+
		`trân trọng|thân mến|trân trọng cảm ơn|kính thư|hormat saya|salam|salam hormat|terima kasih dan salam|hormat kami|s poštovanjem|srdačan pozdrav|lep pozdrav|lijep pozdrav|s spoštovanjem|lugupidamisega|parimate soovidega|ar cieņu|su pagarba|pagarbiai|virðingarfyllst|kveðja|ขอแสดงความนับถือ|atentament|salutacions|cordialment`, "|") {
		set[s] = true
	}
	return set
}()

// closes tells whether a line is a closing formula and nothing else.
func closes(t string) bool {
	if len(t) > 90 {
		return false
	}
	t = strings.ToLower(strings.Trim(t, " \t,.!-–—*_;:、。,،！"))
	if closings[t] {
		return true
	}
	for _, and := range []string{" regards", " grüße", " grüßen", " grüsse", " cordialement", " saludos", " saluti", " groet", " groeten", " hälsningar", " hilsen", " terveisin", " pozdravem", " pozdrawiam", " уважением"} {
		if strings.HasSuffix(t, and) && strings.Count(t, " ") <= 4 {
			return true
		}
	}
	return false
}

// closesWithName tells whether a line is a formula and the sender's own name:
// "Kind regards, Anna".
func closesWithName(t, name string) bool {
	if name == "" || len(t) > 120 {
		return false
	}
	words := strings.Fields(t)
	for n := 1; n <= 3 && n < len(words); n++ {
		at := len(words) - n
		if ownName(strings.Join(words[at:], " "), name) {
			return closes(strings.Join(words[:at], " "))
		}
	}
	return false
}

var nameLine = regexp.MustCompile(`^[\s*_–—-]{0,3}[\pL.'’-]+(?: [\pL.'’-]+){0,3}[\s*_.,!]{0,3}$`)

// ownName tells whether a line is the sender's name alone: whole, the first
// one, or with another between them.
func ownName(line, name string) bool {
	if len(line) > 80 || !nameLine.MatchString(line) {
		return false
	}
	have := strings.Fields(strings.ToLower(strings.Trim(line, "-–—*_ .,!")))
	want := strings.Fields(strings.ToLower(strings.ReplaceAll(name, ",", " ")))
	if len(have) == 0 || len(want) == 0 {
		return false
	}
	known := 0
	for _, h := range have {
		for _, w := range want {
			if h == w {
				known++
				break
			}
		}
	}
	return known == len(have) && (known > 1 || have[0] == want[0] || len(want) > 1 && have[0] == want[1]) || known >= 2 && len(have) <= known+1
}

var dashed = regexp.MustCompile(`^[-–—~]{1,2} ?(\pL[\pL.'’]*(?: \pL[\pL.'’]*){0,2})[.!]?$`)

// dashName tells whether a line is "-Anna" at the end of a mail: no item of a
// list, which has others beside it or a colon before it.
func dashName(lines []string, i int) bool {
	m := dashed.FindStringSubmatch(strings.TrimSpace(lines[i]))
	if m == nil || nextText(lines, i+1) >= 0 && !signs(lines[i+1:], 8, 0) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(m[1])
	if !unicode.IsUpper(r) && (strings.Contains(lines[i], " ") || unicode.IsLower(r) && utf8.RuneCountInString(m[1]) > 12) {
		return false
	}
	for j := i - 1; j >= 0; j-- {
		if t := strings.TrimSpace(lines[j]); t != "" {
			return !strings.HasSuffix(t, ":") && !strings.HasPrefix(t, "-") && !strings.HasPrefix(t, "–") && !strings.HasPrefix(t, "*")
		}
	}
	return false
}

var postscripted = regexp.MustCompile(`(?i)^[*_]{0,2}(?:p\.? ?s\.?|n\.? ?b\.?)(?:\s|:)`)

// postscript finds what was added below a signature.
func postscript(lines []string) int {
	for i, l := range lines {
		if postscripted.MatchString(strings.TrimSpace(l)) {
			return i
		}
	}
	return -1
}

// device names what mobile programs say they run on.
const device = `iphon|ipad|ipod|android|blackberry|mobile|mobil|phone|telefon|téléphone|teléfono|telefoon|puhelin|smartphone|handy|samsung|galaxy|windows|huawei|xiaomi|redmi|nokia|htc|lg|verizon|t-mobile|at&t|yahoo|outlook|mail|proton|mailbird|mailbox|spark|gmail|google|airmail|handheld|tablet|nine|bluemail|fairphone|pixel|motorola|moto|sony|xperia|oneplus|oppo|vivo|realme|honor|newton|superhuman|front|hey|zoho|aqua|k-9|mac|mobiltelefon|mobiltelefonum|app|cell|acompli|aol|gmx|web\.de|freenet|t-online|mail\.ru|яндекс|yandex|thunderbird|em client|wp|onet|seznam|libero|tuta|posteo|ti-\d+|device|gerät|apparaat|laite|enhet|urządzenia|zariadenia|zařízení`

var (
	sentFrom = regexp.MustCompile(`(?i)^[\s\W]{0,4}(?:sent (?:from|via|using|with|by|wirelessly from|on|in) (?:my |a |the |mailbox for )?(?:` + device + `)(?:[^\pL].{0,60})?|sent (?:from|via|wirelessly from) my [^,.!?:;]{1,40}|sent (?:from|via) (?:mobile|phone|a phone|a mobile device|mobile device)|get (?:outlook|bluemail|spark|hey|nine|the .{1,20} app) for .{0,60}|` +
		`from my (?:` + device + `)\w{0,3}(?: .{0,20})?|(?:\pL+ )?from (?:my )?mobile|download .{1,30} (?:app|for (?:ios|android)).{0,30}|` +
		`von (?:meinem|meiner|unterwegs|mein) .{1,60} gesendet|von unterwegs gesendet|gesendet (?:von|mit|über|per|aus) (?:meine[mr] )?.{0,10}(?:` + device + `).{0,50}|(?:diese (?:nachricht|e-mail|mail) wurde )(?:von|mit) .{1,80}gesendet|von (?:iphone|ipad|samsung).{0,30} gesendet|holen sie sich outlook .{0,40}|outlook für (?:ios|android|mac).{0,40}|` +
		`envoyé (?:de|depuis|à partir de|avec|via|sans fil) (?:mon |ma |l['’])?.{0,25}(?:` + device + `).{0,50}|envoyé de mon .{1,30}|(?:obtenez|télécharger|obtenir) outlook .{0,50}|` +
		`enviad[oa] (?:desde|do|de|a partir de|a partir do|a través de|pelo|via|com|con|por|usando) (?:mi |meu |minha |el |o |la )?.{0,25}(?:` + device + `|móvil|celular|telemóvel|oficina móvil).{0,50}|(?:obtener|obter|descargar|baixar|baixe o) outlook .{0,50}|` +
		`inviato (?:da|dal|con|tramite|dall['’]app) (?:il )?(?:mio |mia )?.{0,25}(?:` + device + `|cellulare|telefono).{0,50}|inviato da .{1,30}|(?:scarica|ottieni) outlook .{0,50}|` +
		`(?:verzonden|verstuurd) (?:vanaf|met|via|door|vanuit) (?:mijn .{1,40}|.{0,25}(?:` + device + `).{0,40})|(?:outlook (?:voor|downloaden)|download outlook) .{0,50}|` +
		`wysłan[eoya] (?:z|ze|za pomocą|przy użyciu|przez) (?:(?:mojego|mojej) .{1,40}|.{0,25}(?:` + device + `).{0,40})|pobierz outlook.{0,50}|skickat (?:från|med|via) (?:(?:min|mitt) .{1,40}|.{0,25}(?:` + device + `).{0,30})|hämta outlook.{0,40}|från min .{1,30}|(?:sendt|send) (?:fra|med|via) (?:(?:min|mit|mitt) .{1,40}|.{0,25}(?:` + device + `).{0,30})|(?:hent|få|last ned) outlook.{0,40}|` +
		`lähetetty .{0,25}(?:` + device + `).{0,30}|hanki outlook.{0,40}|odesláno (?:z|ze|pomocí) (?:(?:mého|mojí) .{1,40}|.{0,25}(?:` + device + `).{0,30})|získejte outlook.{0,40}|odoslané (?:z|zo|pomocou) (?:(?:môjho|mojej) .{1,40}|.{0,25}(?:` + device + `).{0,30})|(?:az? )?.{0,20}(?:` + device + `|készülék).{0,30} küldve|trimis (?:de pe|din|de la|cu) .{0,25}(?:` + device + `).{0,30}|obțineți outlook.{0,40}|` +
		`.{0,20}(?:` + device + `).{0,25} gönderildi|(?:android|ios|mac) için outlook.{0,40}|` +
		`отправлено (?:с|со|из|от|через|при помощи) (?:(?:моего|моей) .{1,40}|.{0,25}(?:` + device + `).{0,40})|(?:скачать|загрузите|получить) outlook.{0,40}|надіслано (?:з|із|зі|від|за допомогою|через) (?:(?:мого|моєї) .{1,40}|.{0,25}(?:` + device + `).{0,30})|изпратено от .{0,25}(?:` + device + `).{0,30}|` +
		`(?:εστάλη|στάλθηκε|απεστάλη) από .{0,25}(?:` + device + `|κινητό).{0,30}|נשלח (?:מ|באמצעות).{0,25}(?:` + device + `).{0,30}|(?:أرسلت|أُرسلت|مرسل|مُرسل|تم الإرسال|أرسل) (?:من|عبر|بواسطة) .{0,25}(?:` + device + `|هاتف|جهاز).{0,30}|` +
		`.{0,30}(?:iphone|ipad|android|携帯|スマートフォン|アプリ|端末|outlook|yahoo!?メール)\S{0,20}(?:から|より|で)送信(?:しています|されました|しました)?|` +
		`发自我的.{1,30}|发自.{0,10}(?:` + device + `|手机).{0,15}|來自我的.{1,30}|来自我的.{1,30}|從我的.{1,30}(?:傳送|寄出|發送)|从我的.{1,30}(?:发送|发出)|寄自我的.{1,20}|傳送自.{1,20}|获取 ?outlook.{0,40}|` +
		`(?:나의|내) .{1,30}에서 (?:보냄|전송)|.{0,20}(?:` + device + `|아이폰|갤럭시).{0,15}에서 (?:보냄|보낸 메일입니다|전송함|전송됨)|(?:được |đã )?gửi (?:từ|bằng) .{0,25}(?:` + device + `).{0,30}|dikirim (?:dari|melalui|menggunakan) .{0,25}(?:` + device + `).{0,30}|(?:poslano|saadetud|nosūtīts|išsiųsta|sent fra|trimès des de|enviat des de|ส่งจาก)\s?.{0,25}(?:` + device + `).{0,30})[\s\W]{0,4}$`)
	// apologies follow such a line's device.
	apologies = regexp.MustCompile(`(?i)^[\s\W]{0,4}(?:sent|typed|written) (?:from|on|with|using) (?:my |a |the )?.{1,40}[,.;(–-]{1,2} ?.{0,12}(?:excuse|forgive|pardon|apolog|sorry|brevity|typo|autocorrect|mistake|error).{0,80}$`)
	// goesOn are words by which a line about sending is a sentence.
	goesOn    = regexp.MustCompile(`(?i)[^\pL](?:but|never|was|is|isn't|did|does|didn't|doesn't|has|have|not|because|when|ist|nicht|aber|mais|pas|est|pero|no se|não|ma non|maar|niet|ale|nie|men|inte|ikke|но|не|won't|can't|cannot|fails|failed|crash\pL*|works?|arrived?)(?:[^\pL]|$)`)
	scannedBy = regexp.MustCompile(`(?i)^[\s\W]{0,4}(?:virus[- ]free|virenfrei|garanti sans virus|sans virus|libre de virus|livre de vírus|sem vírus|privo di virus|virusvrij|virusfri\w*|wolny od wirusów|без вирусов|без вірусів|vírusmentes|virüs bulunmuyor|bez virů|bez vírusov|viruksista vapaa)[\s\W].{0,80}$|` +
		`^[\s\W]{0,4}(?:this (?:e-?mail|message) (?:has been|was) (?:checked|scanned) (?:for|by)|diese (?:e-mail|nachricht|mail) wurde (?:von|mit|auf) .{1,60} (?:geprüft|gescannt|überprüft)|l['’]absence de virus dans ce courrier|este (?:correo|mensaje|e-mail|email) (?:electrónico )?ha sido (?:comprobado|analizado|verificado)|este (?:e-?mail|mensagem) foi (?:verificado|escaneado)|questa e-?mail è stata controllata|` +
		`deze e-?mail is gecontroleerd|ta wiadomość (?:e-mail )?została sprawdzona|det här (?:e-postmeddelandet|meddelandet) har (?:sökts|kontrollerats)|denne e-?mail (?:er|blev) (?:kontrolleret|scannet)|это (?:сообщение|письмо) (?:свободно|проверено)|no virus found in this|es wurden keine viren|checked by avg|scanned by|проверено на вирусы|tato (?:e-mailová )?zpráva byla zkontrolována).{0,200}$|^https?://www\.avast\.com/\S*$|^<?https?://www\.avast\.com/antivirus>?$|^www\.avast\.com$`)
	unsubscribe = regexp.MustCompile(`(?i)^[\s\W]{0,4}(?:to unsubscribe|unsubscribe (?:here|from)|you (?:are receiving|received) this (?:message|e?-?mail) because|if you no longer wish to receive|um sich (?:vom newsletter )?abzumelden|pour vous désabonner|para cancelar (?:la|su) suscripción|per annullare l'iscrizione)`)
	// legal are the words without which a line about "this message" is no
	// disclaimer but a sentence: "This e-mail is to complain about …".
	legal     = regexp.MustCompile(`(?i)confidential|privileged|intended (?:only|solely|recipient)|intended for|addressee|unauthori[sz]ed|legally|virus(?:es)?|vertraulich|rechtlich geschützt|irrtümlich|empfänger bestimmt|adressat|unbefugt|confidentie|destinataire|confidencial|destinatari|riservat|uitsluitend|vertrouwelijk|geadresseerde|poufn|adresat|důvěrn|dôvern|určen|konfidenti|fortrolig|luottamuksel|bizalmas|címzett|gizli|конфиденциальн|конфіденційн|адресат|εμπιστευτικ|απόρρητ|סודי|חסוי|سري|機密|机密|秘密|保密|기밀|bảo mật|rahasia|trees|print(?:ing)? this|environment|umwelt|imprimer|imprimir|stampare|drukken|utskrift`)
	statement = regexp.MustCompile(`(?i)^[\s\W]{0,4}(?:(?:this|the (?:information|contents?)|the information (?:contained )?in this|any views)(?:[ ,]|$)|confidentiality|confidential|disclaimer|legal (?:notice|disclaimer)|notice[: ]|important(?: notice)?[: ]|privileged|if you (?:are not|have received)|please (?:consider|don'?t print|do not print|think)|think before you print|save (?:a tree|paper)|` +
		`(?:diese|dieser|der inhalt|vertraulichkeits|haftungsausschluss|rechtlicher hinweis|hinweis|wichtiger hinweis|bitte (?:denken|prüfen|beachten|überlegen)|denken sie an)|(?:ce (?:message|courriel|mail|courrier|document)|cet e-?mail|les informations|avertissement|pensez|avant d'imprimer|merci de (?:penser|n['’]imprimer))|` +
		`(?:este (?:mensaje|correo|e-?mail)|la información|esta (?:mensagem|comunicación|comunicação)|aviso|confidencialidad|antes de imprimir|este documento|as informações)|(?:questo (?:messaggio|documento)|questa (?:e-?mail|comunicazione)|le informazioni|ai sensi|avvertenza|riservatezza|prima di stampare)|(?:dit |deze |de informatie|denk aan)|(?:ta |niniejsza|informacje|treść|wiadomość|zanim wydrukujesz)|` +
		`(?:tato |toto |táto |obsah)|(?:detta |denna |denne |dette |innehållet|indholdet|innholdet|tänk på|tænk på|tenk på)|(?:tämä |tämän |viesti)|(?:ez az? |jelen )|(?:acest )|(?:bu (?:e-?posta|mesaj|ileti|elektronik))|(?:это |данное |настоящее |цей |це |информация|содержание)|(?:το παρόν|αυτό το)|(?:הודעה זו|המידע|דוא"ל זה)|(?:هذه |هذا |تحتوي)|(?:この(?:電子)?メール|本メール|本(?:电子)?邮件|此(?:電子)?邮件|此(?:電子)?郵件|本郵件|이 (?:메일|이메일|메시지|전자우편)|본 (?:메일|이메일|메시지)|email này|thư này|pesan ini|email ini))`)
	banner = regexp.MustCompile(`(?i)^[\s\W]{0,6}(?:caution|warning|external|attention|notice|achtung|vorsicht|extern|hinweis|attenzione|atención|let op|uwaga)\b.{0,60}(?:e-?mails?|message|mail|nachricht|sender|absender|courriel|correo|messaggio|bericht|wiadomość).{0,80}(?:outside|external|extern|unknown|extérieur|expéditeur|externo|esterno|zewnątrz|zewnętrzn)`)
)

// mobileStems are parts of words of which a mobile program's line has one: the
// patterns are long, and almost no line is one of theirs.
var mobileStems = strings.Split("sent |from m|typed|written|get |download|gesendet|outlook|envoy|enviad|enviat|inviat|verzonden|verstuurd|wysłan|skickat|från min|sendt|send |lähetetty|odesláno|odoslané|küldve|trimis|trimès|gönderildi|отправлено|надіслано|изпратено|στάλ|נשלח|رسل|送信|发自|發自|来自|來自|傳送|发送|发出|寄|보냄|보낸|전송|gửi|dikirim|poslano|saadetud|nosūtīts|išsiųsta|ส่ง", "|")

// mobile tells whether a line is what a mail program adds of itself, and not a
// sentence about sending.
func mobile(t string) bool {
	if len(t) > 250 || strings.HasSuffix(t, "?") || !containsAny(strings.ToLower(t), mobileStems) {
		return false
	}
	if apologies.MatchString(t) {
		return true
	}
	return sentFrom.MatchString(t) && !goesOn.MatchString(t)
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

func scanned(t string) bool { return len(t) < 400 && scannedBy.MatchString(t) }

// disclaimer tells whether lines begin with a lawyer's or a printer's words.
func disclaimer(lines []string) bool {
	t := strings.TrimSpace(lines[0])
	if !statement.MatchString(t) {
		return false
	}
	words := 0
	for i := 0; i < len(lines) && i < 8; i++ {
		l := strings.TrimSpace(lines[i])
		if l == "" && words > 40 {
			break
		}
		if words += len(l); legal.MatchString(l) {
			return true
		}
		if l == "" && words > 30 {
			break
		}
	}
	return false
}

// dropBanner drops the warning that a sender's own server put above the mail.
func dropBanner(lines []string) []string {
	i := nextText(lines, 0)
	if i < 0 || len(lines[i]) > 600 || !banner.MatchString(lines[i]) {
		return lines
	}
	for i < len(lines) && strings.TrimSpace(lines[i]) != "" {
		i++
	}
	if !hasWords(lines[i:]) {
		return lines
	}
	return lines[i:]
}

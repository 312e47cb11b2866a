package mailbox

import (
	"regexp"
	"strings"
)

// device names what mobile programs say they run on.
const device = `iphon|ipad|ipod|android|blackberry|mobile|mobil|phone|telefon|téléphone|teléfono|telefoon|puhelin|smartphone|handy|samsung|galaxy|windows|huawei|xiaomi|redmi|nokia|htc|lg|verizon|t-mobile|at&t|yahoo|outlook|mail|proton|mailbird|mailbox|spark|gmail|google|airmail|handheld|tablet|nine|bluemail|fairphone|pixel|motorola|moto|sony|xperia|oneplus|oppo|vivo|realme|honor|newton|superhuman|front|hey|zoho|aqua|k-9|mac|mobiltelefon|mobiltelefonum|app|cell|acompli|aol|gmx|web\.de|freenet|t-online|mail\.ru|яндекс|yandex|thunderbird|em client|wp|onet|seznam|libero|tuta|edison|posteo|ti-\d+|device|gerät|apparaat|laite|enhet|urządzenia|zariadenia|zařízení`

// legalParts are the words without which a line about "this message" is no
// disclaimer but a sentence: "This e-mail is to complain about …".
const legalParts = "confidential|privileged|intended only|intended solely|intended recipient|intended for the use|intended for the addressee|intended for the named|intended for the person|intended for the sole|intended for the exclusive|intended for the individual|intended for use|addressee|unauthorised|unauthorized|legally|virus|vertraulich|rechtlich geschützt|irrtümlich|empfänger bestimmt|adressat|unbefugt|confidentie|destinataire|confidencial|destinatari|riservat|uitsluitend|vertrouwelijk|geadresseerde|poufn|adresat|důvěrn|dôvern|určen|konfidenti|fortrolig|luottamuksel|bizalmas|címzett|gizli|конфиденциальн|конфіденційн|адресат|εμπιστευτικ|απόρρητ|סודי|חסוי|سري|機密|机密|秘密|保密|기밀|bảo mật|rahasia|trees|print this|printing this|environment|umwelt|imprimer|imprimir|stampare|drukken|utskrift"

var (
	sentFrom = regexp.MustCompile(`(?i)^[\s\W]{0,4}(?:sent (?:from|via|using|with|by|wirelessly from|on|in) (?:my |a |the |mailbox for )?(?:` + device + `)(?:[^\pL].{0,60})?|sent (?:from|via|wirelessly from) my [^,.!?:;]{1,40}|sent from the all[- ]new aol app for .{1,20}|yahoo mail: search, organi[sz]e, conquer|sent (?:from|via) (?:mobile|phone|a phone|a mobile device|mobile device)|get (?:outlook|bluemail|spark|hey|nine|the .{1,20} app) for .{0,60}|` +
		`from my (?:` + device + `)\w{0,3}(?: .{0,20})?|(?:\pL+ )?from (?:my )?mobile|download .{1,30} (?:app|for (?:ios|android)).{0,30}|` +
		`von (?:meinem|meiner|unterwegs|mein) .{1,60} gesendet|von unterwegs gesendet|gesendet (?:von|mit|über|per|aus) (?:meine[mr] |der )?.{0,10}(?:` + device + `).{0,50}|(?:diese (?:nachricht|e-mail|mail) wurde )(?:von|mit) .{1,80}gesendet|von (?:iphone|ipad|samsung).{0,30} gesendet|holen sie sich outlook .{0,40}|outlook für (?:ios|android|mac).{0,40}|` +
		`envoyé (?:de|depuis|à partir de|avec|via|sans fil) (?:mon |ma |l['’])?.{0,25}(?:` + device + `).{0,50}|envoyé de mon .{1,30}|(?:obtenez|télécharger|obtenir) outlook .{0,50}|` +
		`enviad[oa] (?:desde|do|de|a partir de|a partir do|a través de|pelo|via|com|con|por|usando) (?:mi |meu |minha |el |o |la )?.{0,25}(?:` + device + `|móvil|celular|telemóvel|oficina móvil).{0,50}|(?:obtener|obter|obter o|descargar|baixar|baixe o) outlook .{0,50}|` +
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
	goesOn    = regexp.MustCompile(`(?i)[^\pL](?:but|they|it|nothing|we|never|was|is|isn't|did|does|didn't|doesn't|has|have|not|because|when|ist|nicht|aber|mais|pas|est|pero|no se|não|ma non|maar|niet|ale|nie|men|inte|ikke|но|не|won't|can't|cannot|fails|failed|crash\pL*|works?|arrived?)(?:[^\pL]|$)`)
	scannedBy = opens(`(?:virus[- ]free|virenfrei|garanti sans virus|sans virus|libre de virus|livre de vírus|sem vírus|privo di virus|virusvrij|virusfri\w*|wolny od wirusów|без вирусов|без вірусів|vírusmentes|virüs bulunmuyor|bez virů|bez vírusov|viruksista vapaa)[\s\W].{0,80}$|` +
		`(?:this (?:e-?mail|message) (?:has been|was) (?:checked|scanned) (?:for|by)|diese (?:e-mail|nachricht|mail) wurde (?:von|mit|auf) .{1,60} (?:geprüft|gescannt|überprüft)|l['’]absence de virus dans ce courrier|este (?:correo|mensaje|e-mail|email) (?:electrónico )?ha sido (?:comprobado|analizado|verificado)|este (?:e-?mail|mensagem) foi (?:verificado|escaneado)|questa e-?mail è stata controllata|` +
		`deze e-?mail is gecontroleerd|ta wiadomość (?:e-mail )?została sprawdzona|det här (?:e-postmeddelandet|meddelandet) har (?:sökts|kontrollerats)|denne e-?mail (?:er|blev) (?:kontrolleret|scannet)|это (?:сообщение|письмо) (?:свободно|проверено)|no virus found in this|es wurden keine viren|checked by avg|scanned by|проверено на вирусы|tato (?:e-mailová )?zpráva byla zkontrolována).{0,200}$|^https?://www\.avast\.com/\S*$|^<?https?://www\.avast\.com/antivirus>?$|^www\.avast\.com$`)
	unsubscribe = opens(`(?:to unsubscribe|unsubscribe (?:here|from)|you (?:are receiving|received) this (?:message|e?-?mail) because|if you no longer wish to receive|um sich (?:vom newsletter )?abzumelden|pour vous désabonner|para cancelar (?:la|su) suscripción|per annullare l'iscrizione)`)
	legal       = newStems(legalParts)
	statement   = opens(`(?:(?:this|the (?:information|contents?)|the information (?:contained )?in this|any views)(?:[ ,]|$)|confidentiality|confidential|disclaimer|legal (?:notice|disclaimer)|notice[: ]|important(?: notice)?[: ]|privileged|if you (?:are not|have received)|please (?:consider|don'?t print|do not print|think)|think before you print|save (?:a tree|paper)|` +
		`(?:diese|dieser|der inhalt|vertraulichkeits|haftungsausschluss|rechtlicher hinweis|hinweis|wichtiger hinweis|bitte (?:denken|prüfen|beachten|überlegen)|denken sie an)|(?:ce (?:message|courriel|mail|courrier|document)|cet e-?mail|les informations|avertissement|pensez|avant d'imprimer|merci de (?:penser|n['’]imprimer))|` +
		`(?:este (?:mensaje|correo|e-?mail)|la información|esta (?:mensagem|comunicación|comunicação)|aviso|confidencialidad|antes de imprimir|este documento|as informações)|(?:questo (?:messaggio|documento)|questa (?:e-?mail|comunicazione)|le informazioni|ai sensi|avvertenza|riservatezza|prima di stampare)|(?:dit |deze |de informatie|denk aan)|(?:ta |niniejsza|informacje|treść|wiadomość|zanim wydrukujesz)|` +
		`(?:tato |toto |táto |obsah)|(?:detta |denna |denne |dette |innehållet|indholdet|innholdet|tänk på|tænk på|tenk på)|(?:tämä |tämän |viesti)|(?:ez az? |jelen )|(?:acest )|(?:bu (?:e-?posta|mesaj|ileti|elektronik))|(?:это |данное |настоящее |цей |це |информация|содержание)|(?:το παρόν|αυτό το)|(?:הודעה זו|המידע|דוא"ל זה)|(?:هذه |هذا |تحتوي)|(?:この(?:電子)?メール|本メール|本(?:电子)?邮件|此(?:電子)?邮件|此(?:電子)?郵件|本郵件|이 (?:메일|이메일|메시지|전자우편)|본 (?:메일|이메일|메시지)|email này|thư này|pesan ini|email ini))`)
	banner = regexp.MustCompile(`(?i)^[\s\W]{0,6}(?:caution|warning|external|attention|notice|achtung|vorsicht|extern|hinweis|attenzione|atención|let op|uwaga)\b.{0,60}(?:e-?mails?|message|mail|nachricht|sender|absender|courriel|correo|messaggio|bericht|wiadomość).{0,80}(?:outside|external|extern|unknown|extérieur|expéditeur|externo|esterno|zewnątrz|zewnętrzn)`)
)

// mobileParts are parts of words of which a mobile program's line has one: the
// patterns are long, and almost no line is one of theirs.
const mobileParts = "sent |yahoo mail|from m|typed|written|get |download|gesendet|outlook|envoy|enviad|enviat|inviat|verzonden|verstuurd|wysłan|skickat|från min|sendt|send |lähetetty|odesláno|odoslané|küldve|trimis|trimès|gönderildi|отправлено|надіслано|изпратено|στάλ|נשלח|رسل|送信|发自|發自|来自|來自|傳送|发送|发出|寄|보냄|보낸|전송|gửi|dikirim|poslano|saadetud|nosūtīts|išsiųsta|ส่ง"

var mobileStems = newStems(mobileParts)

// mobile tells whether a line is what a mail program adds of itself, and not a
// sentence about sending.
func mobile(t string) bool {
	if len(t) > 250 || strings.HasSuffix(t, "?") || !mobileStems.in(t) {
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
	return statement.mayMatch(t) && lawful(lines) && statement.re.MatchString(t)
}

// lawful tells whether the first lines have a word of lawyers.
func lawful(lines []string) bool {
	words := 0
	for i := 0; i < len(lines) && i < 8; i++ {
		l := strings.TrimSpace(lines[i])
		if l == "" && words > 40 {
			break
		}
		if words += len(l); legal.in(l) {
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

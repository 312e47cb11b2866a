package mailbox

import (
	"regexp"
	"strings"
)

// autoPhrases begin the subject of an automatic reply, in the languages in
// which people are on holiday.
const autoPhrases = `automatic(?:ally generated)? reply|auto[- ]?reply|auto[- ]?response|auto[- ]?responder|automated (?:reply|response|message)|out of (?:the )?office(?: auto[- ]?reply| message| notification)?|out-of-office|ooo|oof|away from (?:the|my) (?:office|mail|desk|e-?mail)|vacation (?:reply|notice|message|response)|` +
	`automatische (?:antwort|abwesenheitsnotiz|rückantwort)|abwesenheitsnotiz|abwesenheits(?:meldung|nachricht|benachrichtigung|assistent)|abwesend|abwesenheit|ich bin (?:derzeit |zurzeit )?nicht im (?:büro|haus)|nicht im (?:büro|haus)|` +
	`réponse automatique|absence du bureau|message d['’]absence|notification d['’]absence|absent(?:\(e\)|e)?(?: du bureau)?|` +
	`respuesta automática|fuera de (?:la )?oficina|ausente de la oficina|resposta automática|fora do escritório|ausência temporária|aviso de ausência|resposta automàtica|` +
	`risposta automatica|fuori (?:sede|ufficio)|assente dall['’]ufficio|automatisch antwoord|afwezig(?:heid|heidsbericht)?(?: van kantoor)?|niet aanwezig|niet op kantoor|` +
	`autosvar|automatiskt svar|frånvaro(?:meddelande)?|automatisk svar|fravær|fraværsmelding|ikke til stede|ferieautosvar|automaattinen (?:vastaus|poissaoloviesti)|poissaolo(?:viesti)?|poissa toimistosta|` +
	`odpowiedź automatyczna|automatyczna odpowiedź|autoodpowiedź|poza biurem|nieobecność(?: w biurze)?|automatická odpověď|mimo kancelář|nepřítomnost|nepřítomen|automatická odpoveď|mimo kancelárie|` +
	`automatikus válasz|irodán kívül|házon kívül|răspuns automat|în afara biroului|otomatik yanıt|otomatik cevap|ofis dışında|` +
	`автоматический ответ|автоответ(?:чик)?|автоматична відповідь|автовідповідь|автоматичен отговор|αυτόματη απάντηση|εκτός γραφείου|תשובה אוטומטית|מענה אוטומטי|מחוץ למשרד|رد تلقائي|خارج المكتب|` +
	`自動返信|自動応答|不在通知|不在連絡|自动回复|自動回覆|自动答复|부재중(?: 알림)?|자동 ?회신|자동 ?응답|trả lời tự động|thư trả lời tự động|vắng mặt|balasan otomatis|di luar kantor|automatski odgovor|samodejni odgovor|automaatvastus|automātiskā atbilde|automatinis atsakymas|ตอบกลับอัตโนมัติ`

// holidayPhrases are what such a subject says, too, and a traveller's.
const holidayPhrases = `(?:i am |i'm )?on (?:vacation|holidays?|annual leave|parental leave|maternity leave|leave)|(?:im )?urlaub|en congés?|de vacaciones|de férias|in ferie|assenza|izindeyim|нет на месте|в отпуске|外出|休假|jestem na urlopie|szabadságon|odsotnost|sick leave|i will be (?:away|out)|back on`

var (
	// autoWhole is such a phrase as the whole subject, or before a colon or the
	// subject that it answers.
	autoWhole = newOpening(`(?i)^\W{0,3}(?:`+autoPhrases+`)\s*(?:[:：!.)\]】]|$|\s-\s|\s–\s|\((?:re|aw|sv|was|betr)|\b(?:re|aw|fwd?):)`, autoPhrases)
	autoBegin = newOpening(`(?i)^\W{0,3}(?:`+autoPhrases+`|`+holidayPhrases+`)(?:[^\pL]|$)`, autoPhrases+`|`+holidayPhrases)
	challenge = guard(`confirm|verify your|verification|action required|receipt|contacting|received your|ihre |ticket |eingangsbest|acuse de recibo`, `(?i)(?:please confirm|confirm your|verify your|\[confirm\]|action required).{0,40}(?:message|e-?mail|delivery)|needs? (?:your )?(?:confirmation|verification)|(?:receipt|thank you for contacting|we (?:have )?received your|ihre (?:anfrage|nachricht) (?:ist|haben|wurde)|ticket (?:received|created|opened)|eingangsbestätigung|accusé de réception|acuse de recibo)`)
)

type likeness int

const (
	autoNot likeness = iota
	autoLikely
	autoCertain
)

// autoSubject tells how like an automatic reply's a subject is. A person asks
// about one, or answers one: "Out of office replies do not work?".
func autoSubject(subject string) likeness {
	subject = strings.TrimSpace(subject)
	switch {
	case strings.HasSuffix(subject, "?"), strings.HasSuffix(subject, "？"):
		return autoNot
	case autoWhole.MatchString(subject):
		return autoCertain
	case autoBegin.MatchString(subject), challenge.MatchString(subject):
		return autoLikely
	}
	return autoNot
}

// The local parts and names of machines begin so, or are so.
const (
	exactDaemons = `mailer[-_.]?daemon|mail[-_.]daemon|maildaemon|microsoftexchange[0-9a-f]{20,}`
	daemons      = `mailer[-_.]?daemon|postmaster|mail[-_.]?daemon|maildaemon|bounces?|mdaemon|mmdf|mailadmin|mail[-_ ]?administrator|mail delivery|mail system|mailsystem|delivery[-_ ]|microsoft (?:outlook|exchange)|system administrator|systemadministrator|courier mail`
	robots       = `notifications?|notify|notifier|alerts?|alarm|mailer|updates?|automated|automat(?:ic|ed)?|robot|bot|system|root|cron|daemon|nagios|zabbix|monitoring|jira|confluence|github|gitlab|jenkins|www-data|apache|wordpress|service-?account|receipts?|statements?|security|account[-_]?(?:security|update)s?`
	newsletters  = `news|newsletters?|marketing|promo(?:tions?)?|offers?|deals|campaigns?|angebote?|info-?mail|digest|announce(?:ments?)?|events?|community|hello-news`
)

var (
	// bounceSubject are the words that mail servers give their reports.
	bounceSubject = regexp.MustCompile(`(?i)undeliver(?:ed|able)|^ndn:|^\[bounce\]|unable to deliver|could not deliver|delivery (?:status|failed|failure|has failed|report|problem|error|incomplete|delayed|unsuccessful)|delivery has been delayed|delayed mail|returned (?:e?mail|to sender|message)|mail (?:delivery|system) (?:failed|failure|error|subsystem|system|status)|mail delivery|failure (?:notice|notification)|message (?:could not be|not|status|delivery|delayed|undeliverable)|notice: mail delivery status|` +
		`delivery notification|nondeliverable|non[- ]?delivery|failed (?:mail|delivery|recipient)|could not be delivered|cannot be delivered|warning: (?:could not send|message)|^warning - delayed|^user unknown|mail failure|rejected mail|email (?:could not|not) (?:be )?delivered|` +
		`unzustellbar|nicht zugestellt|konnte nicht (?:zugestellt|übermittelt)|zustellung (?:fehlgeschlagen|verzögert)|non remis|échec de (?:la )?(?:remise|livraison|distribution)|impossible de remettre|retour à l['’]expéditeur|no se (?:ha podido|pudo|puede) entregar|devuelto|no entregado|não (?:é possível entregar|entregue|pôde ser entregue)|falha na entrega|` +
		`mancata consegna|non recapitabile|recapito (?:non riuscito|ritardato)|niet (?:bezorgd|afgeleverd)|onbestelbaar|niedostarczon|nie (?:można dostarczyć|dostarczono)|niedoręczon|ej levererbart|oleverbar|kunde inte levereras|kan ikke leveres|ikke leveret|ikke levert|kunne ikke leveres|ei (?:voida|voitu) toimittaa|toimittamaton|nedoručiteln|nedoručeno|nelze doručit|nedoručiteľn|` +
		`kézbesíthetetlen|kézbesítési hiba|sikertelen kézbesítés|nelivrabil|nu (?:a putut|poate) fi livrat|teslim edilemedi|iletilemedi|не удается доставить|не доставлено|недоставлен|невозможно доставить|не вдалося доставити|недоставлено|αδύνατη η παράδοση|δεν παραδόθηκε|לא ניתן למסירה|تعذر التسليم|تعذّر تسليم|` +
		`配信不能|配信できません|送信できません|未配信|無法傳遞|无法投递|未送达|退信|投递失败|배달되지 않음|전송 실패|반송|không gửi được|tidak terkirim`)
	bounceText = regexp.MustCompile(`(?i)could not be delivered|permanent (?:fatal )?error|undeliverable|\b55\d[ -]|user unknown|returned to (?:you|sender)|delivery failed`)

	daemonExact   = newOpening(`(?i)^(?:`+exactDaemons+`)$`, exactDaemons)
	daemonName    = newOpening(`(?i)^(?:`+daemons+`)`, daemons)
	responderName = regexp.MustCompile(`(?i)vacation|auto-?(?:respon|reply)`)
	noReply       = guard(`reply|respon|pondre|antwo|rispond|odpowiadaj|svar|unattended|noanswer`, `(?i)(?:^|[-_.+])(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|donot?reply|noresponse|no[-_.]response|nepasrepondre|ne-pas-repondre|keine[-_.]?antwort|nicht[-_.]?antworten|noresponder|no-responder|naoresponda|non-rispondere|nonrispondere|geenantwoord|nie-odpowiadaj|ikkesvar|svar-ej|unattended|noanswer)(?:[-_.+0-9]|$)`)
	robotName     = newOpening(`(?i)^(?:`+robots+`)(?:[-_.+0-9]|$)`, robots)
	newsName      = newOpening(`(?i)^(?:`+newsletters+`)(?:[-_.+0-9]|$)`, newsletters)
)

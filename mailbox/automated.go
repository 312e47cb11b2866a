package mailbox

import (
	"bytes"
	"regexp"
	"strings"
)

// report is what a delivery status report says (RFC 3464).
type report struct {
	status    bool // a message/delivery-status part was there
	recipient string
}

func (r *report) read(b []byte, kind string) {
	r.status = r.status || kind == "message/delivery-status"
	for line := range bytes.Lines(b[:min(len(b), 64<<10)]) {
		key, value, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if !ok {
			continue
		}
		switch strings.ToLower(key) {
		case "final-recipient", "original-recipient":
			if _, addr, ok := strings.Cut(value, ";"); ok && r.recipient == "" {
				r.recipient = cleanLine(addr, maxName)
			}
		}
	}
}

// autoSubject are the words that begin the subject of an automatic reply, in
// the languages in which people are on holiday.
var autoSubject = regexp.MustCompile(`(?i)^\s*(re:\s*|aw:\s*)?(automatic reply|auto[- ]?reply|auto[- ]?response|autoreply|automated reply|automated response|out of (the )?office|out-of-office|ooo:|away from (the|my) office|on (vacation|holiday|leave):|vacation reply|` +
	`automatische antwort|abwesenheitsnotiz|abwesend|abwesenheit|ich bin nicht im büro|réponse automatique|absence du bureau|message d'absence|absent\(e\)? du bureau|respuesta automática|fuera de la oficina|resposta automática|fora do escritório|ausência temporária|` +
	`risposta automatica|fuori ufficio|assente dall'ufficio|automatisch antwoord|afwezig(heid)?|niet aanwezig|autosvar|automatiskt svar|frånvaro|automatisk svar|fravær|automaattinen vastaus|poissaolo|odpowiedź automatyczna|autoodpowiedź|poza biurem|automatická odpověď|nepřítomen|` +
	`automatikus válasz|răspuns automat|автоматический ответ|автоответ|automatyczna odpowiedź|otomatik yanıt|自動返信|自動応答|自动回复|自動回覆|부재중|자동 회신|αυτόματη απάντηση|תשובה אוטומטית|رد تلقائي)`)

// bounceSubject are the words that mail servers give their reports.
var bounceSubject = regexp.MustCompile(`(?i)(undeliver(ed|able)|delivery (status notification|failure|has failed|report|problem|error|incomplete)|returned (mail|to sender)|mail delivery (failed|system|failure|subsystem)|failure notice|message (could not be|not) delivered|delivery notification|unzustellbar|non remis|mail returned|returned e?mail|nondeliverable|failed (mail|delivery)|warning: (could not send|message)|non[- ]?delivery|no se (ha podido|pudo) entregar|mancata consegna|nicht zugestellt|niet bezorgd|échec de (la )?remise|impossible de remettre)`)

var (
	daemonName = regexp.MustCompile(`(?i)^(mailer[-_.]?daemon|postmaster|mail[-_.]?daemon|maildaemon|bounces?|mdaemon|mmdf|mailadmin|mail delivery)`)
	robotName  = regexp.MustCompile(`(?i)^(no[-_.]?reply|do[-_.]?not[-_.]?reply|donotreply|notifications?|notify|alerts?|news|newsletter|mailer|updates?|automated|robot|system|info-noreply|marketing|promo|offers|billing-noreply|security-noreply|jira|github|gitlab)([-_.+0-9]|$)`)
)

// automated tells whether a machine wrote the mail, and by what sign. One
// exact sign is enough; of weak ones it takes two, because a bug report that
// says "undelivered" must not be lost.
func (p *Parser) automated(h *header, r *reading) {
	m := r.m
	set := func(a Automated, sign string) { m.Automated, m.Sign = a, sign }
	local, _, _ := strings.Cut(m.From.Addr, "@")
	auto := strings.ToLower(strings.TrimSpace(h.get("Auto-Submitted")))
	if i := strings.IndexAny(auto, ";( "); i >= 0 {
		auto = auto[:i]
	}
	precedence := strings.ToLower(strings.TrimSpace(h.get("Precedence") + " " + h.get("X-Precedence")))
	nullSender := strings.TrimSpace(h.get("Return-Path")) == "<>"

	if id := h.get("X-Tocsin"); id != "" && p.InstallID != "" && id == p.InstallID {
		set(Own, "X-Tocsin names this installation")
		return
	}
	// A delivery report (RFC 3464), or what servers wrote before there was one.
	ctype, params := mediaType(h.get("Content-Type"))
	isReport := ctype == "multipart/report" && strings.EqualFold(params["report-type"], "delivery-status")
	daemon := daemonName.MatchString(local) || daemonName.MatchString(m.From.Name)
	switch {
	case isReport || r.report.status:
		set(Bounce, "a delivery status report (RFC 3464)")
		m.FailedRecipient = r.report.recipient
		return
	case h.get("X-Failed-Recipients") != "":
		set(Bounce, "X-Failed-Recipients")
		m.FailedRecipient = cleanLine(strings.Split(h.get("X-Failed-Recipients"), ",")[0], maxName)
		return
	case daemon && (nullSender || bounceSubject.MatchString(m.Subject)):
		set(Bounce, "from the mail system, about a delivery")
		return
	case nullSender && bounceSubject.MatchString(m.Subject):
		set(Bounce, "without a return path, about a delivery")
		return
	}
	switch {
	case auto == "auto-replied":
		set(AutoReply, "Auto-Submitted: auto-replied (RFC 3834)")
		return
	case ctype == "multipart/report" && strings.EqualFold(params["report-type"], "disposition-notification"):
		set(AutoReply, "a receipt (RFC 8098)")
		return
	case positive(h.get("X-Autoreply")), positive(h.get("X-Autorespond")), h.get("X-Mail-Autoreply") != "", positive(h.get("X-Autoresponder")), h.get("X-Autogenerated") != "" && strings.Contains(strings.ToLower(h.get("X-Autogenerated")), "reply"):
		set(AutoReply, "a header of autoresponders")
		return
	case strings.Contains(precedence, "auto_reply") || strings.Contains(precedence, "auto-reply"):
		set(AutoReply, "Precedence: auto_reply")
		return
	case autoSubject.MatchString(m.Subject):
		set(AutoReply, "the subject of automatic replies")
		return
	}
	list := ""
	switch {
	case h.get("List-Id") != "":
		list = "List-Id (RFC 2919)"
	case h.get("List-Unsubscribe") != "" && (precedence != "" || h.get("List-Post") != "" || robotName.MatchString(local) || h.get("List-Unsubscribe-Post") != ""):
		list = "List-Unsubscribe (RFC 2369)"
	case strings.Contains(precedence, "list"), strings.Contains(precedence, "bulk"), strings.Contains(precedence, "junk"):
		list = "Precedence: " + cleanLine(precedence, 40)
	case h.get("X-Mailing-List") != "" || h.get("Mailing-List") != "":
		list = "a header of mailing lists"
	}
	if auto == "auto-generated" || auto == "auto-notified" || strings.HasPrefix(auto, "auto-") {
		if list == "" || robotName.MatchString(local) {
			set(Notification, "Auto-Submitted: "+cleanLine(auto, 40))
			return
		}
	}
	if list != "" {
		set(List, list)
		return
	}
	if robotName.MatchString(local) && m.Via.Addr == "" {
		weak := []string{"the sender's name is a machine's"}
		if h.get("X-Auto-Response-Suppress") != "" {
			weak = append(weak, "X-Auto-Response-Suppress")
		}
		if h.get("List-Unsubscribe") != "" || h.get("Feedback-Id") != "" || h.get("X-Mailer-Campaign") != "" {
			weak = append(weak, "headers of bulk mail")
		}
		if strings.HasPrefix(strings.ToLower(local), "no") || strings.HasPrefix(strings.ToLower(local), "do") {
			weak = append(weak, "it takes no reply")
		}
		if len(weak) > 1 {
			set(Notification, strings.Join(weak, ", "))
		}
	}
}

func positive(v string) bool {
	v = strings.ToLower(strings.TrimSpace(v))
	return v != "" && v != "no" && v != "false" && v != "0"
}

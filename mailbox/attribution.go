package mailbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mail programs put a line before the words they quote: "On Monday, 2 November
// 2026 at 16:12, Anna <a@b.c> wrote:". These are its words in the languages
// that they speak.
const (
	// onWords begin one.
	onWords = `on|at|in message|am|le|el|il|il giorno|in data|op|em|no dia|den|dnia|w dniu|dne|dňa|på|pe|în|in|la|a|al|di|do|v|u|в|во|на|у|o|kl|vào|pada|pada tanggal|στις|την|missatge de|` +
		`في|בתאריך|ביום|ב|tarihinde|posted by|ในวันที่|kuupäev|เมื่อ|din|mensaje de|message de|e|dia|el dia|el día|der|en`
	// weekdays begin one, too, as a rule cut short.
	weekdays = `mon|tues?|wed|thu|thurs?|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday|` +
		`mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|lun|mar|mer|jeu|ven|sam|dim|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|` +
		`mié|mie|jue|vie|sáb|sab|dom|lunes|martes|miércoles|jueves|viernes|sábado|domingo|gio|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|seg|ter|qua|qui|sex|segunda|terça|quarta|quinta|sexta|` +
		`ma|wo|za|zo|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|mån|tis|ons|tors|fre|lör|sön|måndag|tisdag|onsdag|torsdag|fredag|lördag|söndag|man|tir|lør|søn|mandag|tirsdag|lørdag|søndag|` +
		`ke|to|pe|la|su|ti|maanantai|tiistai|keskiviikko|torstai|perjantai|lauantai|sunnuntai|pon|wt|śr|czw|pt|sob|ndz|niedz|poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela|po|út|st|čt|pá|so|ne|ut|št|pi|` +
		`pondělí|úterý|středa|čtvrtek|pátek|neděle|hétfő|kedd|szerda|csütörtök|péntek|szombat|vasárnap|h|k|sze|cs|p|szo|vas|joi|vin|sâm|dum|luni|marți|miercuri|vineri|sâmbătă|duminică|` +
		`пн|вт|ср|чт|пт|сб|вс|нд|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|понеділок|вівторок|середа|четвер|п'ятниця|субота|неділя|pzt|sal|çar|per|cum|cmt|paz|pazartesi|salı|çarşamba|perşembe|cuma|cumartesi|pazar|` +
		`δευ|τρί|τετ|πέμ|παρ|σάβ|κυρ|senin|selasa|rabu|kamis|jumat|sabtu|minggu|uto|sri|čet|sub|ned|सोम|मंगल|बुध|गुरु|शुक्र|शनि|रवि`
	// wroteWords are its verb.
	wroteWords = `wrote|posted by|writes|says|said|sent|schrieb|schreibt|geschrieben|schrieben sie|a écrit|écrivait|a ecrit|nous a dit|écrit|escribió|escribio|escribieron|ha escrit|va escriure|escreveu|ha scritto|scrisse|` +
		`schreef|geschreven|verzond|napisał|napisała|pisze|skrev|skriver|kirjoitti|napsal|napsala|napísal|napísala|írta|ezt írta|a scris|пишет|написал|написала|` +
		`написав|написала|писал|писала|писав|пише|написа|yazdı|şunu yazdı|şunları yazdı|έγραψε|έγραψαν|đã viết|viết|menulis|skrifaði|rakstīja|rašė|parašė|kirjutas|je napisao|je napisala|napisao je|napisala je|napisala|je написао|kirjutas järgmist|` +
		`כתב|כתבה|כתב/ה|كتب|كتبت|missatge de`
	// wroteSigns are the verb where words are not parted by spaces.
	wroteSigns = `写道|寫道|のメール|のメッセージ|さんは書きました|さんが書きました|のコメント|님이 작성|작성:|님이 씀|เขียนว่า|เขียน:|تمت كتابة|كتب ما يلي|ने लिखा`
)

var (
	lead = `^[\s\-*_>"'«„“”(\[–—=|]{0,12}`
	// begins is how an attribution begins: with a word for "on", a day of the
	// week, a date, or a name with an address. Without this condition a third of
	// what was found was none.
	begins = regexp.MustCompile(beginsDated.String() + `|(?i)` + lead + `(?:[^!?:]{1,80}[<(\[]?[^<>\s]+@[^<>\s]+|[^:]{1,80} via |.{1,60} (?:on|am|at|kirjoitti|skrev) .{0,20}\p{Nd})`)
	// beginsDated is such a beginning without a name.
	beginsDated = regexp.MustCompile(`(?i)` + lead + `(?:(?:` + onWords + `|` + weekdays + `)[\s.,،'’\p{Nd}-]|\p{Nd}{1,4}[./-]\s?\p{Nd}{1,2}[./-]\s?\p{Nd}{1,4}|\p{Nd}{1,2}\.?\s\pL{3,}\.?,?\s\p{Nd}{4}|` +
		`\p{Nd}{4}\s?[年년]|\p{Nd}{4}\.\s?\pL|\p{Nd}{1,2}[:.]\p{Nd}{2}[, ]|\pL{3,9}\.? \p{Nd}{1,2},? \p{Nd}{4}|在|於|于)`)
	// selfWrote is the sender speaking of a mail of their own, or of ours.
	selfWrote = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:(?:i|we|you) (?:already |have |had |just )?(?:wrote|said|sent)|(?:ich|wir|sie) (?:schrieb|schrieben)|schrieb(?:en)? (?:ich|wir|mir|uns|sie)|(?:schreef|skrev|kirjoitin) (?:ik|jag|jeg|vi)|` +
		`(?:j'ai|nous avons|vous avez|vous m'avez) écrit|(?:wrote|said|sent|says|writes) (?:to|me|us|that|it|this|you|a|the|an)|(?:has|have|had|was|were|been|is) (?:sent|said)|я (?:писал|написал|написала))(?:[^\pL]|$)`)
	dated = regexp.MustCompile(`\p{Nd}{1,2}\s?[:.h時시]\s?\p{Nd}{2}|(?:19|20)\d\d|\p{Nd}{4}\s?[年년]|\p{Nd}{1,2}[./-]\s?\p{Nd}{1,2}[./-]\s?\p{Nd}{2,4}|[٠-٩۰-۹०-९]{4}`)
	timed = regexp.MustCompile(`\p{Nd}{1,2}\s?[:.h時시点點]\s?\p{Nd}{2}`)
	// addressed ends in an address: such a line needs no verb.
	addressed = regexp.MustCompile(`[<(\["]?[^\s<>()"]+@[^\s<>()"]+[>)\]"]{0,3}\s*[:：]?\s*$`)
)

// longestAttribution is in bytes.
const longestAttribution = 500

var (
	wroteList, wroteSignList = strings.Split(wroteWords, "|"), strings.Split(wroteSigns, "|")
	wroteStems               = newStems(wroteWords + "|" + wroteSigns)
)

// wrote tells whether a text has the verb of an attribution, as a whole word.
func wrote(s string) bool {
	if !wroteStems.in(s) {
		return false
	}
	s = strings.ToLower(s)
	for _, w := range wroteList {
		for from := 0; ; {
			i := strings.Index(s[from:], w)
			if i < 0 {
				break
			}
			i += from
			before, _ := utf8.DecodeLastRuneInString(s[:i])
			after, _ := utf8.DecodeRuneInString(s[i+len(w):])
			if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
				return true
			}
			from = i + len(w)
		}
	}
	return containsAny(s, wroteSignList)
}

// attribution returns how many lines, 1 to 4, say who wrote the quoted words
// that follow; 0 if they do not.
func attribution(lines []string) int {
	first := strings.TrimSpace(lines[0])
	if first == "" || len(first) > longestAttribution || !mayAttribute(lines) || !begins.MatchString(first) {
		return 0
	}
	joined := ""
	for n := 1; n <= 4 && n <= len(lines); n++ {
		l := strings.TrimSpace(lines[n-1])
		if l == "" || isQuote(lines[n-1]) {
			return 0
		}
		if joined = strings.TrimSpace(joined + " " + l); len(joined) > longestAttribution {
			return 0
		}
		quote := quoteFollows(lines[n:])
		if attributes(joined, n == 1, quote) {
			return n
		}
		// A verb alone on the next line, after an empty one, is its end.
		if next := n + 1; n < len(lines) && lines[n] == "" && next < len(lines) && utf8.RuneCountInString(lines[next]) < 24 && attributionEnds(strings.TrimSpace(lines[next])) && wrote(lines[next]) && attributes(joined+" "+strings.TrimSpace(lines[next]), false, true) {
			return next + 1
		}
	}
	return 0
}

// attributes tells whether a text is a whole attribution. Before quoted lines
// less is asked of it than before history that bears no marks.
func attributes(s string, oneLine, quote bool) bool {
	ends := attributionEnds(s)
	if !ends && !quote {
		return false
	}
	when := dated.MatchString(s)
	address := strings.Contains(s, "@")
	if !when && !address && !(quote && oneLine) && !strings.Contains(s, " via ") {
		return false
	}
	if wrote(s) {
		if !(quote && when) && selfWrote.MatchString(s) {
			return false
		}
		return quote || address || timed.MatchString(s) || strings.Contains(s, " via ") || when && strings.HasPrefix(strings.TrimSpace(s), "--")
	}
	if !when {
		return false
	}
	return addressed.MatchString(s) && (ends || quote) || quote && (strings.Contains(s, "GMT") || address && ends)
}

// attributionEnds tells whether a text ends as an attribution does.
func attributionEnds(s string) bool {
	return attributionEndings.in(strings.TrimRight(s, " *_-.>\t"))
}

var attributionEndings = newEndings(":", "：", "wrote", "écrit", "escribió", "escreveu", "scritto", "schrieb", "geschreven", "napisał", "skrev", "写道", "寫道")

// endings are a list of ends of texts, by their last bytes.
type endings [256][]string

func newEndings(list ...string) *endings {
	var e endings
	for _, end := range list {
		last := end[len(end)-1]
		e[last] = append(e[last], end)
	}
	return &e
}

// in tells whether a text has one of the ends.
func (e *endings) in(text string) bool {
	if text == "" {
		return false
	}
	for _, end := range e[text[len(text)-1]] {
		if strings.HasSuffix(text, end) {
			return true
		}
	}
	return false
}

// mayAttribute is a cheap look at lines: the patterns are long, and almost no
// line is one of theirs.
func mayAttribute(lines []string) bool {
	if strings.TrimSpace(lines[0]) == "" {
		return false
	}
	for n := 0; n < farAttribution && n < len(lines); n++ {
		if n > 0 && isQuote(lines[n]) || attributionEnds(strings.TrimSpace(lines[n])) {
			return true
		}
	}
	return false
}

// farAttribution is how many lines an attribution and what stands between it
// and quoted words take at most.
const farAttribution = 6

// lookout looks where in some lines an attribution may be, from the first to
// the last, at each of them once.
type lookout struct {
	lines []string
	next  int // a line that is quoted or ends as an attribution does, or one not looked at yet
}

// may is mayAttribute of the lines from the i-th on, which is neither empty nor
// quoted.
func (a *lookout) may(i int) bool {
	for a.next = max(a.next, i); a.next < i+farAttribution && a.next < len(a.lines); a.next++ {
		if l := a.lines[a.next]; isQuote(l) || attributionEnds(strings.TrimSpace(l)) {
			return true
		}
	}
	return false
}

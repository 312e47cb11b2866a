package mailbox

import (
	"regexp"
	"strings"
)

// answerPrefix is what mail programs put before the subject of an answer, in
// their languages, with a count ("RE[2]:", "Re^3:", "AW(2):").
const answerPrefix = `re|aw|antw?|antwort|sv|vs|vast|rv|ref|odp|r|rif|res|resp|respuesta|ynt|yan|yanıt|cevap|απ|σχετ|отв|ответ|відп|hl|回复|答复|回覆|答覆|返信|답장|회신|تجاوب|رد|השב|תגובה|bls|balas|trả lời|vá|válasz|od`

// forwardPrefix is the same of a forward.
const forwardPrefix = `fwd?|wg|tr|i|rv|enc|pd|vb|vl|doorst|fs|továbbítás|ilt|i̇lt|пересл|转发|轉寄|転送|전달|הועבר`

var (
	answered  = regexp.MustCompile(`(?i)^(?:` + answerPrefix + `)\s*(?:[\[(^]\s*\d{1,3}\s*[\])]?)?\s*[:：]\s*`)
	forwarded = newOpening(`(?i)^(?:`+forwardPrefix+`)\s*[:：]\s*`, forwardPrefix)
	tagged    = regexp.MustCompile(`^\[[^\]]{1,40}\]\s*`)
)

// BaseSubject is a subject without the prefixes of answers and forwards and the
// tags of lists, in lower case, and tells whether it is an answer's.
func BaseSubject(subject string) (base string, answer bool) {
	for range 20 {
		subject = strings.TrimSpace(subject)
		switch {
		case answered.MatchString(subject):
			subject, answer = answered.ReplaceAllString(subject, ""), true
		case forwarded.MatchString(subject):
			subject = forwarded.re.ReplaceAllString(subject, "")
		case answer && tagged.MatchString(subject):
			subject = tagged.ReplaceAllString(subject, "")
		default:
			return strings.Join(strings.Fields(strings.ToLower(subject)), " "), answer
		}
	}
	return strings.ToLower(subject), answer
}

// fewestLetters are what a subject must have to tell one thread from another.
const fewestLetters = 3

// SubjectThread is the name of the thread that a mail belongs to by its writer
// and subject, where its program does not say which mail it answers; "" where
// the subject says nothing. Whether the mail answers is told, too.
func (m *Message) SubjectThread() (name string, answer bool) {
	base, answer := BaseSubject(m.Subject)
	if len(letters(base, len(base))) < fewestLetters {
		return "", answer
	}
	return m.Complainant() + "\n" + base, answer
}

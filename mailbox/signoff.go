package mailbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// closings are the formulas that end a letter, lower case, without the signs
// round them.
var closings = func() map[string]bool {
	set := map[string]bool{}
	for s := range strings.SplitSeq(`regards|thanks and regards|thanks & regards|kind regards|best regards|warm regards|warmest regards|kindest regards|many regards|with regards|with kind regards|with best regards|rgds|brgds|br|kr|best|best wishes|all the best|cheers|sincerely|sincerely yours|yours sincerely|yours truly|yours faithfully|very truly yours|yours|respectfully|respectfully yours|cordially|warmly|`+
		`mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|mit freundlichem gruss|mit freundlichen gruessen|mit besten grüßen|mit besten grüssen|mit vielen grüßen|mit herzlichen grüßen|mit lieben grüßen|freundliche grüße|freundliche grüsse|freundlicher gruß|viele grüße|viele grüsse|viele gruesse|beste grüße|beste grüsse|besten gruß|besten gruss|liebe grüße|liebe grüsse|lieben gruß|herzliche grüße|herzliche grüsse|herzlichst|schöne grüße|schöne grüsse|schönen gruß|sonnige grüße|gruß|gruss|grüße|grüsse|grüßle|mfg|mit freundlichen grüßen aus|vg|lg|bg|hochachtungsvoll|danke und gruß|danke und gruss|danke und viele grüße|vielen dank und viele grüße|vielen dank und freundliche grüße|ihr|ihre|`+
		`cordialement|bien cordialement|très cordialement|cordialement vôtre|bien à vous|bien à toi|salutations|meilleures salutations|sincères salutations|salutations distinguées|mes salutations distinguées|sincèrement|amicalement|respectueusement|cdlt|cdt|bàv|`+
		`saludos|saludos cordiales|un saludo|un cordial saludo|cordiales saludos|muchos saludos|gracias y un saludo|muchas gracias y un saludo|gracias y saludos|atentamente|muy atentamente|atte|cordialmente|un abrazo|abrazos|`+
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
		`よろしくお願いします|よろしくお願いいたします|宜しくお願いします|宜しくお願い致します|よろしくお願い致します|敬具|以上|以上、よろしくお願いいたします|以上、よろしくお願いします|以上よろしくお願いいたします|何卒よろしくお願いいたします|どうぞよろしくお願いいたします|此致|敬礼|此致敬礼|祝好|顺颂商祺|敬祝商祺|謝謝|此致 敬禮|祝 商祺|감사합니다|안녕히 계세요|감사합니다 드림|`+
		`trân trọng|thân mến|trân trọng cảm ơn|kính thư|hormat saya|salam|salam hormat|terima kasih dan salam|hormat kami|s poštovanjem|srdačan pozdrav|lep pozdrav|lijep pozdrav|s spoštovanjem|lugupidamisega|parimate soovidega|ar cieņu|su pagarba|pagarbiai|virðingarfyllst|kveðja|ขอแสดงความนับถือ|atentament|salutacions|cordialment`, "|") {
		set[s] = true
	}
	return set
}()

// greeting begins the line by which a letter begins.
var greeting = regexp.MustCompile(`(?i)^\W{0,2}(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|to whom|hallo|guten|sehr geehrte|liebe|moin|servus|grüezi|bonjour|bonsoir|madame|monsieur|chère?|hola|buen[oa]s|estimad|querid|olá|oi|bom dia|boa|prezad|car[oi]|ciao|buon|gentil|salve|spett|beste|geachte|dag|goede|hej|hei|god|bästa|kjære|kære|moi|hyvä|cześć|dzień dobry|witam|szanown|dobr|ahoj|vážen|szia|tisztelt|kedves|bună|stimat|merhaba|sayın|selam|здравствуй|добр|привет|уважаем|вітаю|шановн|γεια|καλημέρα|αγαπητ|שלום|مرحبا|السلام|您好|你好|尊敬|こんにちは|お世話|안녕|xin chào|kính|halo|selamat|yth)`)

// greets tells whether a line is a greeting and no more.
func greets(t string) bool {
	return len(strings.Fields(t)) <= 5 && len(t) <= 80 && greeting.MatchString(t)
}

// closes tells whether a line, also given in lower case, is a closing formula
// and nothing else.
func closes(t, small string) bool {
	if len(t) < 200 && letterEnd.MatchString(t) {
		return true
	}
	if len(t) > longestClosing {
		return false
	}
	small = strings.Trim(small, " \t,.!-–—*_;:、。،！")
	if one, other, two := strings.Cut(small, " / "); two {
		return closings[one] && closings[other]
	}
	small = strings.TrimRightFunc(small, func(r rune) bool {
		return unicode.IsSymbol(r) || unicode.IsMark(r) || unicode.IsSpace(r) || r == 0x200d
	})
	if strings.Contains(small, " aus ") || strings.Contains(small, " nach ") {
		small = fromPlace.ReplaceAllString(small, "")
	}
	return closings[small] || closingEnds.in(small) && strings.Count(small, " ") <= 4
}

// longestClosing and longestSignOff are how long a closing formula, alone and
// with a name, may be, in bytes.
const longestClosing, longestSignOff = 90, 120

var closingEnds = newEndings(" regards", " grüße", " grüßen", " grüsse", " cordialement", " saludos", " saluti", " groet", " groeten", " hälsningar", " hilsen", " terveisin", " pozdravem", " pozdrawiam", " уважением")

var (
	// letterEnd is how formal letters in French end.
	letterEnd = newOpening(`(?i)^(?:`+letterEnds+`).{0,20}[ '’](?:agréer|recevoir|croire).{0,120}$`, letterEnds)
	// fromPlace is where a German greeting comes from.
	fromPlace = regexp.MustCompile(` (?:aus|nach) \pL+$`)
)

const letterEnds = `je vous prie|nous vous prions|veuillez`

// closesWithName tells whether a line is a formula and the sender's own name:
// "Kind regards, Anna".
func closesWithName(t string, names []string) bool {
	if len(t) > longestSignOff {
		return false
	}
	words := strings.Fields(t)
	for n := 1; n <= 3 && n < len(words); n++ {
		at := len(words) - n
		if ownName(strings.Join(words[at:], " "), names) {
			formula := strings.Join(words[:at], " ")
			return closes(formula, strings.ToLower(formula))
		}
	}
	return false
}

var nameLine = regexp.MustCompile(`^[\s*_–—-]{0,3}[\pL.'’-]+(?: [\pL.'’-]+){0,3}[\s*_.,!]{0,3}$`)

// ownName tells whether a line is the sender's name alone: whole, the first
// one, or with another between them.
func ownName(line string, names []string) bool {
	if len(line) > 80 || !nameLine.MatchString(line) {
		return false
	}
	have := strings.Fields(strings.ToLower(strings.Trim(line, "-–—*_ .,!")))
	if len(have) == 0 || len(names) == 0 {
		return false
	}
	known := 0
	for _, h := range have {
		for _, w := range names {
			if h == w {
				known++
				break
			}
		}
	}
	return known == len(have) && (known > 1 || have[0] == names[0] || len(names) > 1 && have[0] == names[1]) || known >= 2 && len(have) <= known+1
}

var dashed = regexp.MustCompile(`^[-–—~/]{1,2} ?(\pL[\pL.'’]*(?: \pL[\pL.'’]*){0,2})[.!]?$`)

// dashes are the first bytes of such lines.
var dashes = [256]bool{'-': true, '~': true, '/': true, 0xe2: true} // 0xe2: of – and —

// dashName tells whether a line is "-Anna" or "/Anna" at the end of a mail: no
// item of a list, which has others beside it or a colon before it. A name that
// is not written as one follows a sentence.
func dashName(lines []string, i int) bool {
	t := strings.TrimSpace(lines[i])
	if !dashes[t[0]] {
		return false
	}
	m := dashed.FindStringSubmatch(t)
	if m == nil || nextText(lines, i+1) >= 0 && !signs(lines[i+1:], 8, 0) {
		return false
	}
	before := ""
	for j := i - 1; j >= 0 && before == ""; j-- {
		before = strings.TrimSpace(lines[j])
	}
	if before == "" || strings.HasSuffix(before, ":") || strings.ContainsAny(before[:1], "-*/") || strings.HasPrefix(before, "–") {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(m[1]); unicode.IsUpper(r) {
		return true
	}
	return t[0] == '-' && !strings.Contains(t, " ") && strings.ContainsAny(before[len(before)-1:], ".!?")
}

var postscripted = regexp.MustCompile(`(?i)^[*_]{0,2}(?:(?:p\.? ?s\.?|n\.? ?b\.?|update|edit)(?:\s|:)|(?:nachtrag|ergänzung|addendum|addition|posdata|ajout|дополнение|追記|追伸)\s*[:：])`)

// postscript finds what was added below a signature.
func postscript(lines []string) int {
	for i, l := range lines {
		if postscripted.MatchString(strings.TrimSpace(l)) {
			return i
		}
	}
	return -1
}

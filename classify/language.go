package classify

// stopWords vote for a language; a library would be wrong on short texts too,
// and larger than the rest of the program.
var stopWords = map[string]map[string]bool{
	"en": set("the and is are i you my we our to of in it not can for with have was your please this that on does me when from be"),
	"de": set("der die das und ist sind ich sie mein wir nicht kann für mit haben war bitte ein eine auf mich wenn von zu es im den dem kein seit"),
	"fr": set("le la les et est sont je vous mon nous ne pas pour avec ai était une un sur me quand de du au ce bonjour votre depuis plus"),
	"es": set("el la los y es son yo usted mi nosotros no puedo para con he era una un en me cuando de del al que hola su desde mis"),
	"pt": set("o a os e é são eu você minha nós não posso para com tenho era uma um em me quando de do ao que olá sua desde meu não"),
	"it": set("il la gli e è sono io lei mio noi non posso per con ho era una un in mi quando di del al che buongiorno vostro da nel"),
	"nl": set("de het een en is zijn ik u mijn wij niet kan voor met heb was op me wanneer van te dat hallo uw sinds jullie geen"),
	"pl": set("i jest są ja pan moje my nie mogę dla z mam był jedna na mnie kiedy od do że dzień dobry się proszę w po"),
	"sv": set("och är jag ni min vi inte kan för med har var en ett på mig när från att det hej er sedan"),
	"da": set("og er jeg min vi ikke kan for med har var en et på mig når fra at det hej jeres siden"),
}

// spokenBy is the languages of each stop word.
var spokenBy = func() map[string][]string {
	by := map[string][]string{}
	for _, lang := range languages {
		for w := range stopWords[lang] {
			by[w] = append(by[w], lang)
		}
	}
	return by
}()

var languages = []string{"en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "da"}

// language is the one whose stop words are clearly the most; "" when unsure.
func language(ws []word) string {
	votes := map[string]int{}
	total := 0
	for _, w := range ws {
		total++
		for _, lang := range spokenBy[w.folded] {
			votes[lang]++
		}
	}
	best, second := "", 0
	for _, lang := range languages {
		switch n := votes[lang]; {
		case n > votes[best]:
			best, second = lang, votes[best]
		case n > second:
			second = n
		}
	}
	if n := votes[best]; n < 2 || n == second || n*8 < total {
		return ""
	}
	return best
}

package classify

import (
	"math/bits"
	"slices"
)

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

// tongue is a set of languages: a bit for each, in the order of languages.
type tongue uint16

// spokenBy is the languages of each stop word.
var spokenBy = func() map[string]tongue {
	by := map[string]tongue{}
	for i, lang := range languages {
		for w := range stopWords[lang] {
			by[w] |= 1 << i
		}
	}
	return by
}()

var languages = []string{"en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "da"}

// tongueOf is the set of one language; without a name, that of all.
func tongueOf(language string) tongue {
	if i := slices.Index(languages, language); i >= 0 {
		return 1 << i
	}
	return ^tongue(0)
}

// language is the one whose stop words are clearly the most of n words; "" when
// unsure.
func language(kinds []kind, n int) string {
	var votes [16]int
	for _, k := range kinds {
		for t := k.tongue; t != 0; t &= t - 1 {
			votes[bits.TrailingZeros16(uint16(t))] += int(k.n)
		}
	}
	best, most, second := "", 0, 0
	for i, lang := range languages {
		switch v := votes[i]; {
		case v > most:
			best, most, second = lang, v, most
		case v > second:
			second = v
		}
	}
	if most < 2 || most == second || most*8 < n {
		return ""
	}
	return best
}

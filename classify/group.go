package classify

import (
	"math"
	"slices"
	"sort"
	"strings"
	"unicode"
)

// Group is several texts that speak of the same thing, for which there is no
// category.
type Group struct {
	Phrase string `json:"phrase"` // two words, or one, as most of them write it
	Key    string `json:"-"`      // the phrase whatever its endings and order, for Says
	Texts  []int  `json:"-"`      // their places in the list, in its order
}

// Says tells whether a text has the phrase of a group's key.
func Says(text, key string) bool {
	_, ok := spokenOf(text)[key]
	return ok
}

// Bounds of grouping.
const (
	leastGroup   = 4    // texts that make a group
	leastSurge   = 2.2  // standard deviations above chance
	leastWord    = 3.3  // the same of a word alone: of those there are many
	mostWords    = 150  // of a text that are looked at
	mostText     = 4000 // bytes of it
	pairReach    = 3    // how many words on the second of a pair may stand
	mostShared   = 200  // phrases that are looked at
	priorTexts   = 10.0 // weight of the prior
	leastSharing = 0.5  // of the texts with a phrase, to take in the others
)

// shared is a word, or two words near each other in a sentence, in either order, with the
// texts that have it.
type shared struct {
	key   string
	texts []int
	score float64
}

// Groups finds among texts those that are near alike and unlike what is
// otherwise written: they share words that surge against the background, by
// the measure of Surging but counted in texts. A text is in one group at most;
// the most striking group comes first. What one person wrote should be in the
// list once. It is linear in the size of the texts.
func Groups(texts, background []string, n int) []Group {
	forms := map[string]map[string]int{}
	all, apart := map[string][]int{}, map[string]int{}
	for i, t := range texts {
		for key, p := range spokenOf(t) {
			all[key] = append(all[key], i)
			apart[key] += p.apart
			if forms[key] == nil {
				forms[key] = map[string]int{}
			}
			forms[key][p.form]++
		}
	}
	usual := map[string]int{}
	for _, t := range background {
		for key := range spokenOf(t) {
			if len(all[key]) >= leastGroup {
				usual[key]++
			}
		}
	}
	list := surgingPhrases(all, usual, float64(len(texts)), float64(len(background)))
	taken := map[int]bool{}
	var groups []Group
	for _, seed := range list {
		members := free(seed.texts, taken)
		if len(groups) == n || len(members) < leastGroup || !strings.Contains(seed.key, " ") && seed.score < leastWord {
			continue
		}
		name, most := seed.key, 0
		in := map[int]bool{}
		for _, i := range members {
			in[i] = true
		}
		for _, other := range list {
			common := 0
			for _, i := range other.texts {
				if in[i] {
					common++
				}
			}
			if float64(common) < leastSharing*float64(len(other.texts)) {
				continue
			}
			if strings.Contains(other.key, " ") && (common > most || common == most && apart[other.key] < apart[name]) && 2*common >= len(in) {
				name, most = other.key, common
			}
			members = append(members, free(other.texts, taken)...)
		}
		slices.Sort(members)
		members = slices.Compact(members)
		for _, i := range members {
			taken[i] = true
		}
		groups = append(groups, Group{Phrase: commonest(forms[name]), Key: name, Texts: members})
	}
	return groups
}

// surgingPhrases are the phrases that more texts have than the background lets
// expect, the most striking first.
func surgingPhrases(all map[string][]int, usual map[string]int, nx, ny float64) []shared {
	var list []shared
	for key, in := range all {
		if len(in) < leastGroup {
			continue
		}
		x, y := float64(len(in)), float64(usual[key])
		a := 0.1 + (x+y)/(nx+ny)*priorTexts
		d := math.Log((x+a)/(nx+priorTexts-x-a+1)) - math.Log((y+a)/(ny+priorTexts-y-a+1))
		if z := d / math.Sqrt(1/(x+a)+1/(y+a)); z >= leastSurge {
			list = append(list, shared{key, in, z})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		if a.score != b.score {
			return a.score > b.score
		}
		return a.key < b.key
	})
	return list[:min(len(list), mostShared)]
}

// said is a word or pair as a text has it, and how many words apart.
type said struct {
	form  string
	apart int
}

// spokenOf gives the words of a text and its pairs of near words, each with the
// form it first has there. The key is the same for other endings and the other
// order: "exporting to CSV" and "CSV export" share one.
func spokenOf(text string) map[string]said {
	found := map[string]said{}
	text = strings.ToValidUTF8(text[:min(len(text), mostText)], "")
	left := mostWords
	for sentence := range strings.FieldsFuncSeq(fold(text), func(r rune) bool { return strings.ContainsRune("\n.!?;", r) }) {
		words := contentOf(sentence)
		words = words[:min(len(words), left)]
		left -= len(words)
		roots := make([]string, len(words))
		for i, w := range words {
			roots[i] = rootOf(w)
			if _, ok := found[roots[i]]; !ok {
				found[roots[i]] = said{form: w}
			}
			for back := 1; back <= min(pairReach, i); back++ {
				a, b := roots[i-back], roots[i]
				key := min(a, b) + " " + max(a, b)
				if _, ok := found[key]; !ok && a != b {
					found[key] = said{words[i-back] + " " + w, back}
				}
			}
		}
	}
	return found
}

// contentOf are the words of a sentence that may say what is wrong.
func contentOf(sentence string) (words []string) {
	for w := range strings.FieldsFuncSeq(sentence, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) <= maxToken && !dull[w] && len([]rune(w)) > 1 && strings.IndexFunc(w, unicode.IsLetter) >= 0 {
			words = append(words, w)
		}
	}
	return words
}

// rootOf takes the commonest endings off a word and cuts it short, which is
// enough to bring its forms together.
func rootOf(w string) string {
	for _, end := range []string{"ing", "ed", "es", "en", "s"} {
		if r, ok := strings.CutSuffix(w, end); ok && len(r) >= 4 {
			w = r
			break
		}
	}
	if r := []rune(w); len(r) > 6 {
		return string(r[:6])
	}
	return w
}

// commonest is the form that most texts have.
func commonest(forms map[string]int) (best string) {
	for form, n := range forms {
		if m := forms[best]; n > m || n == m && form < best {
			best = form
		}
	}
	return best
}

func free(texts []int, taken map[int]bool) (list []int) {
	for _, i := range texts {
		if !taken[i] {
			list = append(list, i)
		}
	}
	return list
}

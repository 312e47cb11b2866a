package classify

import (
	"math"
	"sort"
	"strings"
	"unicode"
)

// Term is a word or pair of words that is said more than usual.
type Term struct {
	Term  string
	Count int     // texts with it, of those looked at
	Score float64 // how many standard deviations above chance
}

// Surging returns the terms that texts say more often than the background
// does: the log-odds with an informative Dirichlet prior (Monroe, Colaresi and
// Quinn: Fightin' Words, 2008), where the prior is both together. Terms of
// fewer than two texts are left out, and so are single words of a pair that is
// named.
func Surging(texts, background []string, n int) []Term {
	fg, ft := spoken(texts)
	bg, bt := spoken(background)
	var list []Term
	prior := float64(ft + bt)
	if prior == 0 {
		return nil
	}
	for term, c := range fg {
		if c < 2 {
			continue
		}
		a := 0.1 + float64(c+bg[term])/prior*50
		x, y := float64(c), float64(bg[term])
		fn, bn, an := float64(ft), float64(bt), 50.0
		d := math.Log((x+a)/(fn+an-x-a)) - math.Log((y+a)/(bn+an-y-a))
		z := d / math.Sqrt(1/(x+a)+1/(y+a))
		if z > 1.2 {
			list = append(list, Term{term, c, math.Round(100*z) / 100})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Score != list[j].Score {
			return list[i].Score > list[j].Score
		}
		return list[i].Term < list[j].Term
	})
	var out []Term
	for _, t := range list {
		if len(out) == n {
			break
		}
		told := false
		for _, o := range out {
			told = told || strings.Contains(" "+o.Term+" ", " "+t.Term+" ") || strings.Contains(" "+t.Term+" ", " "+o.Term+" ")
		}
		if !told {
			out = append(out, t)
		}
	}
	return out
}

// dull words say nothing about what is wrong.
var dull = set("the a an and or is are was were be been am i you he she it we they my your our me us this that these those to of in on at for from with by as but not can will would could should have has had do does did so if then than there here when where what which who why how just only very any some all more most please thanks thank hello hi dear regards best kind der die das und ist sind ich sie wir nicht mit für auf von zu ein eine im es den le la les et est je vous nous ne pas pour un une de du en el los que no por con se mi su para o os e eu uma il di che non per un una ik de het een niet en van i w na nie się z do support team since now today morning s t m re ll ve get got")

// spoken counts in how many texts each word and pair stands.
func spoken(texts []string) (counts map[string]int, total int) {
	counts = map[string]int{}
	for _, t := range texts {
		seen := map[string]bool{}
		last := ""
		for w := range strings.FieldsFuncSeq(fold(t), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if len(w) > maxToken {
				continue
			}
			if !dull[w] && len([]rune(w)) > 1 && (len(w) == 3 || strings.IndexFunc(w, unicode.IsLetter) >= 0) {
				seen[w] = true
				if last != "" && !dull[last] {
					seen[last+" "+w] = true
				}
			}
			last = w
		}
		for w := range seen {
			counts[w]++
			total++
		}
	}
	return counts, total
}

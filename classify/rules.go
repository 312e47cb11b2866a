package classify

import (
	"math"
	"sort"
	"strings"
)

// finding is what one clause says.
type finding struct {
	category string
	score    float64
	clause   clause
	from, to int // the words that decided
}

// priority breaks ties of one clause: the narrower trouble first.
var priority = map[string]float64{"password": 1.15, "signup": 1.2, "login": 1.05, "payment": 1.05, "email_delivery": 0.95, "data": 0.95, "slow": 1.0, "outage": 0.88, "bug": 0.78}

// read finds what each clause says. A complaint is an object and a failure in
// one clause, unless the clause asks how something is done, wishes for
// something, says that it works, or speaks of the past.
func read(cs []clause) []finding {
	var fs []finding
	for i, c := range cs {
		fs = append(fs, readClause(c, i)...)
	}
	return fs
}

func readClause(c clause, n int) []finding {
	var fs []finding
	add := func(category string, score float64, from, to int) {
		fs = append(fs, finding{category, score, c, from, to})
	}
	if len(c.words) == 0 {
		return nil
	}
	if from, to, ok := elsewhere.find(c.words); ok {
		add(Other, 2.2, from, to)
	}
	wfrom, wto, works := working.find(c.words)
	tfrom, tto, thanks := thanking.find(c.words)
	ffrom, fto, fails := failing.find(c.words)
	hfrom, hto, asks := howTo.find(c.words)
	asks = asks && (hfrom <= 4 || c.question)
	sfrom, sto, wishes := wishing.find(c.words)
	over := past.in(c.words)

	if works && (!fails || wfrom <= ffrom+3) {
		add("praise", 1.6, wfrom, wto)
		fails = fails && ffrom > wto
	}
	if thanks && !(fails && !works) {
		add("praise", 0.9, tfrom, tto)
	}
	if wishes {
		add("feature", 2.0, sfrom, sto)
	}
	if asks && !wishes {
		score := 1.3
		if c.question {
			score = 1.7
		}
		if fails && strings.HasPrefix(strings.Join(c.words, " "), "why") {
			score = 0
		}
		add("question", score, hfrom, hto)
	} else if c.question {
		add("question", 0.6, 0, min(3, len(c.words)))
	}
	for _, o := range objects {
		if f, ok := complaint(c, o, fails, ffrom, fto); ok {
			if works && o.category != "billing" && o.category != "cancel" && f.from < wto+2 && !fails {
				continue
			}
			if wishes {
				f.score *= 0.4
			}
			if asks && c.question {
				f.score *= 0.55
			} else if asks {
				f.score *= 0.7
			}
			if over {
				f.score *= 0.5
			}
			fs = append(fs, f)
		}
	}
	if fails && !asks && !wishes && !works && len(fs) == 0 {
		add("bug", 0.7, ffrom, fto)
	}
	return fs
}

// complaint tells whether a clause complains about an object.
func complaint(c clause, o object, fails bool, ffrom, fto int) (finding, bool) {
	weight := priority[o.category]
	if weight == 0 {
		weight = 1
	}
	if o.alone != nil {
		if from, to, ok := o.alone.find(c.words); ok {
			score := 2.0
			if o.category == "bug" {
				score = 1.6
			}
			return finding{o.category, score * weight, c, from, to}, true
		}
	}
	if o.what == nil {
		return finding{}, false
	}
	from, to, ok := o.what.find(c.words)
	if !ok {
		return finding{}, false
	}
	failure := failing
	switch o.category {
	case "data":
		failure = dataLost
	case "email_delivery":
		failure = notArriving
	}
	if failure != failing {
		ffrom, fto, fails = failure.find(c.words)
	}
	if !fails {
		return finding{}, false
	}
	// The nearest failure to any of the object's places counts.
	best := math.Inf(1)
	bf, bt := from, to
	for f0, f1, ok := ffrom, fto, true; ok; f0, f1, ok = failure.findFrom(c.words, f1) {
		for a, b, ok := from, to, true; ok; a, b, ok = o.what.findFrom(c.words, b) {
			gap := 0
			if f0 >= b {
				gap = f0 - b
			} else if a >= f1 {
				gap = a - f1
			}
			if float64(gap) < best {
				best, bf, bt = float64(gap), min(a, f0), max(b, f1)
			}
		}
		if f1 <= f0 {
			break
		}
	}
	score := 1.9 - 0.09*best
	if score < 0.5 {
		return finding{}, false
	}
	return finding{o.category, score * weight, c, bf, bt}, true
}

// ruled is what the rules say of a text: a score for each category, and the
// findings behind them, the strongest first.
func ruled(t Text) (scores map[string]float64, fs []finding) {
	subject, body := clauses(t.Subject), clauses(t.Body)
	sub := read(subject)
	fs = read(body)
	if len(fs) > 0 {
		for i := range sub {
			sub[i].score *= 0.8 // the body says it better
		}
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(t.Subject)), "re:") {
		for i := range sub {
			sub[i].score *= 0.3 // the subject of an older mail
		}
	}
	fs = append(fs, sub...)
	sort.SliceStable(fs, func(a, b int) bool { return fs[a].score > fs[b].score })
	scores = map[string]float64{}
	for _, f := range fs {
		// Repetition adds, with less and less weight.
		have := scores[f.category]
		if have == 0 {
			scores[f.category] = f.score
		} else {
			scores[f.category] = have + 0.25*f.score/(1+have)
		}
	}
	// A complaint outweighs the thanks and the questions around it.
	worst := 0.0
	for name, s := range scores {
		switch name {
		case "praise", "question", "feature", Other, "bug":
		default:
			worst = math.Max(worst, s)
		}
	}
	if worst > 1.2 {
		if scores["praise"] < 1.6 {
			scores["praise"] *= 0.5
		}
		if scores["question"] < 1.7 {
			scores["question"] *= 0.6
		}
		scores["bug"] *= 0.8
	}
	return scores, fs
}

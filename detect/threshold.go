package detect

import (
	"math"
	"slices"
	"time"
)

// The evidence is looked at in blocks of six hours: the largest value of each
// block of an inbox's quiet weeks tells how heavy its tail is.
const (
	blockLength = 6 * time.Hour
	mostBlocks  = 26 * 7 * 4
)

// threshold finds how much evidence a page needs from the budget of false
// alarms: the largest values of the statistic in the inbox's own past are
// fitted with a generalised Pareto tail above a high quantile (peaks over
// threshold; Siffer et al. 2017 set alarms by it), mixed with what was seen on other
// inboxes of this size as long as the past is short.
type threshold struct {
	budget Rate

	block   int64 // number of the block under way
	max     float64
	skip    bool
	peaks   []float64
	usual   float64 // how far above a high quantile the peaks lie on average
	current float64 // nats
}

// see notes a value of the statistic.
func (t *threshold) see(at time.Time, evidence float64) {
	t.roll(at)
	t.max = math.Max(t.max, evidence)
}

// seen is the largest value of the block that an instant lies in.
func (t *threshold) seen(at time.Time) float64 {
	if t.block != blockOf(at) {
		return 0
	}
	return t.max
}

func blockOf(at time.Time) int64 { return at.Unix() / int64(blockLength/time.Second) }

// roll ends the block under way when time has passed it. Blocks without any
// complaint have no peak and still count as quiet time.
func (t *threshold) roll(at time.Time) {
	n := blockOf(at)
	if t.block == 0 {
		t.block = n
	}
	for t.block < n {
		if n-t.block > mostBlocks {
			t.block = n - mostBlocks
		}
		if !t.skip {
			t.peaks = append(t.peaks, t.max)
			if len(t.peaks) > mostBlocks {
				t.peaks = slices.Delete(t.peaks, 0, len(t.peaks)-mostBlocks)
			}
		}
		t.max, t.skip = 0, false
		t.block++
	}
}

// marginal is how little above the threshold a page is that may have been none,
// as the tail of quiet times goes: most of those exceed it by less than twice the
// mean.
func (t *threshold) marginal() float64 { return math.Max(3, 2*t.usual) }

// prior is the threshold seen to keep the budget on inboxes of a size, in
// complaints an hour.
func (t *threshold) prior(rate float64) float64 {
	perMonth := t.budget.Count / (t.budget.Per.Hours() / 720)
	return priorBase + priorSlope*math.Log(math.Max(rate, 0.05)) - math.Log(perMonth)
}

// Measured on simulated inboxes with the study in this package.
const (
	priorBase  = 9.6
	priorSlope = 0.9
)

// fit sets the threshold anew.
func (t *threshold) fit(rate float64) {
	prior := t.prior(rate)
	n := len(t.peaks)
	unknown := unknownTail * math.Exp(-float64(n)/unknownFor)
	if n < 4*7 {
		t.current = prior + unknown
		return
	}
	s := slices.Clone(t.peaks)
	slices.Sort(s)
	k := min(max(n/6, 8), 40)
	u := s[n-k-1]
	excess := s[n-k:]
	t.usual = 0
	for i := range excess {
		excess[i] -= u
		t.usual += excess[i] / float64(k)
	}
	budget := aim(t.usual) * t.budget.Count / (t.budget.Per.Hours() / blockLength.Hours())
	// Some of the largest may have been surges that nobody recognised.
	few := min(n/trimmed, k/4)
	fitted := u + exceeded(excess, few, budget*float64(n)/float64(k))
	// A past that is worse than expected is believed sooner than a better one.
	doubt := 60.0
	if fitted > prior {
		doubt = 15
	}
	w := float64(n) / (float64(n) + doubt)
	t.current = math.Max(w*fitted+(1-w)*prior, minEvidence) + unknown
}

// aim is how many times the budget the fit tries to spend, by how much quiet
// peaks usually exceed a high quantile. A light tail goes on as it was seen, and
// the fit leaves half of the budget unspent; beyond a heavy one there is more than
// was seen.
func aim(usual float64) float64 {
	return aimLight * max(aimLeast, min(1, aimUsual/usual))
}

// exceeded is what a further excess exceeds with a given chance, when excesses
// were seen, in ascending order, of which the largest few are only known to be
// large. They come from a generalised Pareto distribution; each of a grid of its
// scales and shapes has its say as it agrees with what was seen and expected, so
// that after a short past a heavy tail is still thought possible.
func exceeded(excess []float64, few int, chance float64) float64 {
	known := excess[:len(excess)-few]
	beyond := known[len(known)-1]
	type law struct{ scale, shape, weight float64 }
	var laws []law
	best := math.Inf(-1)
	for shape := 0.0; shape < 0.85; shape += 0.1 {
		for scale := 0.6; scale < 12; scale *= 1.2 {
			l := law{scale: scale, shape: shape}
			fit := float64(few)*above(beyond, scale, shape) - float64(len(known))*math.Log(scale)
			for _, x := range known {
				fit += (1 + shape) * above(x, scale, shape)
			}
			off := math.Log(scale / usualScale)
			l.weight = fit - shape*shape/(2*shapeSpread*shapeSpread) - off*off/(2*0.35*0.35)
			best = math.Max(best, l.weight)
			laws = append(laws, l)
		}
	}
	sum := 0.0
	for i := range laws {
		laws[i].weight = math.Exp(laws[i].weight - best)
		sum += laws[i].weight
	}
	low, high := 0.0, 200.0
	for range 24 {
		x, p := (low+high)/2, 0.0
		for _, l := range laws {
			if l.weight > 1e-4 {
				p += l.weight / sum * math.Exp(above(x, l.scale, l.shape))
			}
		}
		if p > chance {
			low = x
		} else {
			high = x
		}
	}
	return high
}

// above is the logarithm of the chance that a generalised Pareto variate is
// above x.
func above(x, scale, shape float64) float64 {
	if shape == 0 {
		return -x / scale
	}
	return -math.Log1p(shape*x/scale) / shape
}

const (
	// aim, found with a second simulator: inboxes with surges have 0.6 to 0.9
	// false pages where one is allowed, streams of other natures 0.8 to 0.9.
	aimLight = 1.9
	aimUsual = 1.25 // nats
	aimLeast = 0.3

	usualScale  = 1.1 // of simulated inboxes
	shapeSpread = 0.5 // how far from zero shapes are expected: real tails are heavy
	// trimmed blocks may hold one surge that was not recognised: four weeks.
	trimmed = 112
	// unknownTail is what a page needs more, in nats, as long as no quiet block
	// has told how heavy the tail is, and unknownFor the number of blocks in which
	// that fades.
	unknownTail = 1.5
	unknownFor  = 60.0
)

// minEvidence is what a page needs however quiet the past was.
const minEvidence = 5.0

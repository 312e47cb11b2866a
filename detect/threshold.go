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
	mostBlocks  = 12 * 7 * 4
)

// threshold finds how much evidence a page needs from the budget of false
// alarms: the largest values of the statistic in the inbox's own past are
// fitted with an exponential tail above a high quantile (peaks over threshold;
// Siffer et al. 2017 set alarms by it), mixed with what was seen on other
// inboxes of this size as long as the past is short.
type threshold struct {
	budget Rate

	block   int64 // number of the block under way
	max     float64
	skip    bool
	peaks   []float64
	current float64 // nats
}

// see notes a value of the statistic.
func (t *threshold) see(at time.Time, evidence float64) {
	t.roll(at)
	t.max = math.Max(t.max, evidence)
}

// roll ends the block under way when time has passed it. Blocks without any
// complaint have no peak and still count as quiet time.
func (t *threshold) roll(at time.Time) {
	n := at.Unix() / int64(blockLength/time.Second)
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
	if n < 4*7 {
		t.current = prior + 1
		return
	}
	s := slices.Clone(t.peaks)
	slices.Sort(s)
	k := min(max(n/6, 8), 40)
	u := s[n-k-1]
	excess := 0.0
	for _, v := range s[n-k:] {
		excess += v - u
	}
	const shrink = 10
	sigma := math.Max((excess+shrink*1.1)/(float64(k)+shrink), 0.8)
	perBlock := float64(k) / float64(n)
	budget := t.budget.Count / (t.budget.Per.Hours() / blockLength.Hours())
	// A fitted tail is uncertain, and a false page is worse than one complaint
	// more: not quite the whole budget is spent.
	fitted := u + sigma*math.Log(perBlock/(spent*budget))
	w := float64(n) / (float64(n) + 60)
	t.current = math.Max(w*fitted+(1-w)*prior, minEvidence)
}

// spent is the share of the budget that a fitted threshold aims at.
const spent = 0.7

// minEvidence is what a page needs however quiet the past was.
const minEvidence = 5.0

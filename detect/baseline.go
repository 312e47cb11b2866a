package detect

import (
	"math"
	"time"
)

// The baseline is learned from the hours of the last weeks.
const (
	historyHours = 12 * 7 * 24
	halfLife     = 14 * 24 // hours in which what was seen loses half its say about the level
)

// baseline is what is normal for a stream: a level, a profile over the hours
// of the week, and how much the numbers scatter around them.
type baseline struct {
	counts [historyHours]uint16 // complainants by hour, a ring by hour number
	// squares adds up the squares of the numbers in the six parts of each hour:
	// how much they scatter within it.
	squares [historyHours]uint32
	part    int64 // number of the ten minutes counted last, and their complainants
	inPart  uint32
	hidden  [historyHours]bool // hours that do not teach: incidents, outages
	first   int64              // number of the first hour seen; 0: none
	last    int64

	level    float64 // complainants an hour, on average over a week
	profile  [168]float64
	doubt    [168]float64 // relative variance of the profile, as far as it is known
	current  float64      // rate of the hour that was asked for last
	unsure   float64      // doubt of that hour
	v1       float64      // relative variance beyond Poisson, over an hour
	v10      float64      // over ten minutes
	slope    float64      // how it falls with the length of a window
	lasting  float64      // how alike neighbouring hours are, 0 to 1: the noise's memory
	shared   float64      // how far it follows what moves the other kinds
	likeness float64      // share of its scatter that is theirs, too
	seen     float64      // complaints that taught it
	vTable   [48]float64  // v1 and v10 carried on to windows of any length
	fades    [48]float64  // how much of the last hours' level goes on in a window
}

// Priors of a stream that has taught nothing: few complaints that scatter
// much, so that a cold start is slow to ring.
const (
	priorLevel  = 0.4 // an hour, for all kinds together
	priorWeight = 12  // hours
	priorSpread = 0.35

	priorLasting = 0.5

	// profileWeight is how many complaints an hour of the week needs to say as
	// much as the profile it is shrunk to.
	profileWeight = 5
	// smoothed is what smoothing leaves of the chance in one hour: the sum of
	// the squares of 1/4, 1/2, 1/4.
	smoothed = 0.375

	// followed is the share of an hour's own noise that a profile of one week
	// takes for the usual, smoothed as it is.
	followed = 0.5
)

func (b *baseline) count(at time.Time) {
	hour := at.Unix() / 3600
	b.touch(hour)
	if i := hour % historyHours; b.counts[i] < math.MaxUint16 && hour > b.last-historyHours {
		b.counts[i]++
		if part := at.Unix() / 600; part != b.part {
			b.part, b.inPart = part, 0
		}
		b.squares[i] += 2*min(b.inPart, math.MaxUint16) + 1
		b.inPart++
	}
}

// touch makes an hour the newest: the ring's places in between are cleared.
func (b *baseline) touch(hour int64) {
	if b.first == 0 {
		b.first, b.last = hour, hour
		b.clear(hour)
		return
	}
	if hour < b.first {
		// History that is read late, newest first.
		for h := max(hour, b.last-historyHours+1); h < b.first; h++ {
			b.clear(h)
		}
		b.first = hour
	}
	for h := max(b.last+1, hour-historyHours+1); h <= hour; h++ {
		b.clear(h)
	}
	b.last = max(b.last, hour)
}

func (b *baseline) clear(hour int64) {
	i := hour % historyHours
	b.counts[i], b.squares[i], b.hidden[i] = 0, 0, false
}

// uncount takes a complaint back that was corrected.
func (b *baseline) uncount(hour int64) {
	if i := hour % historyHours; hour > b.last-historyHours && hour <= b.last && b.counts[i] > 0 {
		b.counts[i]--
	}
}

// hide takes hours out of what is learned.
func (b *baseline) hide(from, to int64) {
	for h := max(from, b.last-historyHours+1); h <= min(to, b.last); h++ {
		b.hidden[h%historyHours] = true
	}
}

// hiddenSince is how many hours since an instant do not teach.
func (b *baseline) hiddenSince(at time.Time) (n int) {
	for h := max(b.first, at.Unix()/3600, b.last-historyHours+1); h <= b.last; h++ {
		if b.hidden[h%historyHours] {
			n++
		}
	}
	return n
}

// rate is the expected number of complainants in an hour of the week.
func (b *baseline) rate(h weekHour) float64 {
	b.current, b.unsure = b.level*b.profile[h.index], b.doubt[h.index]
	return b.current
}

// k is the inverse of the relative variance over a window.
func (b *baseline) k(span time.Duration) float64 {
	return 1 / (b.vTable[spanStep(span)] + b.unsure)
}

func spanStep(span time.Duration) uint8 {
	return kSteps[min(uint64(max(span, 0)/kStep), uint64(len(kSteps)-1))]
}

// kStep is how finely windows are told apart when their scatter is looked up,
// up to 68 hours.
const kStep = 15 * time.Second

var kSteps = func() (steps [68 * 240]uint8) {
	for i := range steps {
		if m := float64(i) / 4; m > 1 {
			steps[i] = uint8(min(47, int(4*math.Log2(m))))
		}
	}
	return steps
}()

// stepHours is the length of the windows of a step.
var stepHours = func() (hours [48]float64) {
	for i := range hours {
		hours[i] = math.Exp2(float64(i)/4) / 60
	}
	return hours
}()

// weekend is 1 for the hours of the week that are not of working days.
func weekend(hour int) int {
	if hour >= 120 {
		return 1
	}
	return 0
}

// flat is a baseline before anything was seen.
func (b *baseline) flat(level float64) {
	b.level, b.v1, b.v10, b.slope, b.lasting = level, priorSpread, 1.3*priorSpread, 0.25, priorLasting
	for i := range b.profile {
		b.profile[i], b.doubt[i] = usual[i], smoothed/profileWeight
	}
	b.table()
}

// usual is the week of an inbox of which nothing is known: people write by
// day, and on working days. Its mean is 1.
var usual = func() (p [168]float64) {
	sum := 0.0
	for w := range p {
		h := float64(w%24) + 0.5
		p[w] = 0.3 + 1.5*math.Exp(-(h-13)*(h-13)/32)
		if w >= 120 {
			p[w] *= 0.5
		}
		sum += p[w]
	}
	for w := range p {
		p[w] *= 168 / sum
	}
	return p
}()

// decay is the weight of an hour by its age in hours.
var decay = func() (w [historyHours + 1]float64) {
	for age := range w {
		w[age] = math.Exp2(-float64(age) / halfLife)
	}
	return w
}()

// days is how long the baseline has been taught.
func (b *baseline) days() float64 {
	if b.first == 0 {
		return 0
	}
	return float64(b.last-b.first) / 24
}

// table precomputes the scatter for windows of 1 minute to 68 hours, four steps to a
// doubling. The scatter falls with the window's length by a power law, since
// neighbouring hours move together: by one above an hour, by another below.
func (b *baseline) table() {
	// The level itself is only estimated, and in the first days so are the hours.
	uncertain := 1/(b.seen/12+3) + 4*math.Exp(-b.days()/4)
	within := math.Log(b.v10/b.v1) / math.Log(6)
	memory := -1 / math.Log(b.lasting) // hours
	for i := range b.vTable {
		hours, slope := stepHours[i], b.slope
		if hours < 1 {
			hours, slope = math.Max(hours, 1./30), within
		}
		v := b.v1 * math.Pow(hours, -slope)
		hours = stepHours[i]
		b.vTable[i] = math.Max(v+0.15*uncertain, 0.01)
		b.fades[i] = b.lasting * (1 - math.Exp(-hours/memory)) * memory / hours
	}
}

// learn fits level, profile and scatter to the hours before now. The profile
// of thin data is shrunk: an hour of the week to its hour of the day on a
// working day or weekend, that to the profile of all complaints (shape; nil
// for the stream of all), that to the mean. Hours far above what was expected
// teach only up to a cap, so that one angry hour or a flood does not raise it.
func (b *baseline) learn(now time.Time, week *ring, shape *[168]float64, share float64) {
	end := now.Unix() / 3600
	begin := max(b.first, end-historyHours+1, b.last-historyHours+1)
	if b.first == 0 || begin >= end {
		return
	}
	week.fill(begin, end)
	// Hours of the week have the same bound each time.
	var most [168]float64
	known := b.seen > 50 && b.days() > coldDays/2
	for w := range most {
		most[w] = math.Inf(1)
		if known {
			e := b.level * b.profile[w]
			most[w] = 3*e + 3*math.Sqrt(e) + 3
		}
	}
	var n, exposure [168]float64
	var dayN, dayE [2][24]float64
	var sum, weight, total float64
	for h := begin; h < end; h++ {
		i := h % historyHours
		if b.hidden[i] {
			continue
		}
		w := week.index[i]
		exposure[w]++
		if h > b.last || b.counts[i] == 0 {
			continue
		}
		c := min(float64(b.counts[i]), most[w])
		n[w] += c
		total += c
		if shape == nil {
			dayN[weekend(int(w))][w%24] += c
		}
	}
	for w, e := range exposure {
		dayE[weekend(w)][w%24] += e
	}
	b.seen = total
	// The profile.
	span := 0.0
	for _, e := range exposure {
		span += e
	}
	mean := (total + priorLevel*share*priorWeight) / (span + priorWeight)
	var p [168]float64
	believed := 0.0
	for w := range p {
		d := weekend(w)
		prior := 1.0
		if shape != nil {
			prior = shape[w]
		} else {
			// hour of the day on this kind of day, smoothed over its neighbours
			var a, e float64
			for k, weight := range [3]float64{0.25, 0.5, 0.25} {
				h := (w + k + 23) % 24
				a += weight * dayN[d][h]
				e += weight * dayE[d][h]
			}
			prior = (a + 2*usual[w]) / (e*mean + 2)
		}
		const c = profileWeight
		e := exposure[w] * mean * prior
		p[w] = prior * (n[w] + c) / (e + c)
		believed += e / (e + c) / 168
	}
	var smooth [168]float64
	average := 0.0
	for w := range p {
		smooth[w] = 0.25*p[(w+167)%168] + 0.5*p[w] + 0.25*p[(w+1)%168]
		average += smooth[w] / 168
	}
	for w := range smooth {
		b.profile[w] = math.Max(smooth[w]/average, 0.02)
		b.doubt[w] = smoothed / (exposure[w]*mean*b.profile[w] + profileWeight)
	}
	// The level, with the newest weeks saying the most.
	for h := begin; h < end; h++ {
		i := h % historyHours
		if b.hidden[i] {
			continue
		}
		w, wt := week.index[i], decay[end-h]
		if h <= b.last && b.counts[i] > 0 {
			sum += wt * min(float64(b.counts[i]), most[w])
		}
		weight += wt * b.profile[w]
	}
	b.level = (sum + priorLevel*share*priorWeight) / (weight + priorWeight)
	// Of what scatters, the profile has followed some, which the hours to come
	// will not: that much was lost, and comes again on top.
	lost := math.Min(followed*believed*168/span, 0.6)
	b.scatter(begin, end, week, (1+lost)/(1-lost))
	b.table()
}

// scatter estimates how much the numbers vary beyond chance, over ten minutes,
// one hour and six, and how alike neighbouring hours are.
// They are raised by a factor, since the baseline was fitted to these hours.
func (b *baseline) scatter(begin, end int64, week *ring, raise float64) {
	// What is expected in an hour of the week, and what follows from it.
	var lambdas, most, squared [168]float64
	for w := range lambdas {
		l := b.level * b.profile[w]
		lambdas[w], most[w], squared[w] = l, 4*l+4*math.Sqrt(l)+3, l*l
	}
	var d1, e1, d6, e6, n6, l6, d10, e10, next, lag float64
	before, beforeLambda := 0.0, 0.0
	k6 := 0
	for h := begin; h < end; h++ {
		i := h % historyHours
		if b.hidden[i] {
			k6, n6, l6, beforeLambda = 0, 0, 0, 0
			continue
		}
		w := week.index[i]
		lambda := lambdas[w]
		full, squares := 0.0, 0.0
		if h <= b.last {
			full, squares = float64(b.counts[i]), float64(b.squares[i])
		}
		c := full
		if full > most[w] {
			// An hour that is capped counts in its parts by as much less.
			c = most[w]
			squares *= c * c / (full * full)
		}
		off := c - lambda
		d1 += off*off - lambda
		e1 += squared[w]
		sixth := squared[w] / 6
		d10 += squares - lambda/3*c + sixth - lambda
		e10 += sixth
		if beforeLambda > 0 {
			next += before * off
			lag += beforeLambda * lambda
		}
		before, beforeLambda = off, lambda
		n6, l6, k6 = n6+c, l6+lambda, k6+1
		if k6 == 6 {
			d6 += (n6-l6)*(n6-l6) - l6
			e6 += l6 * l6
			k6, n6, l6 = 0, 0, 0
		}
	}
	// Shrunk to the prior as long as few hours have spoken.
	const weight = 8
	b.v1 = math.Min(math.Max((d1*raise+priorSpread*weight)/(e1+weight)*1.05, 0.02), 3)
	v6 := math.Min(math.Max((d6*raise+0.6*priorSpread*weight)/(e6+weight)*1.05, 0.01), 3)
	b.slope = math.Min(math.Max(math.Log(b.v1/v6)/math.Log(6), 0.1), 0.5)
	b.v10 = (d10*raise + 1.3*b.v1*weight) / (e10 + weight) * 1.05
	b.v10 = math.Min(math.Max(b.v10, b.v1), 6*b.v1)
	b.lasting = math.Min(math.Max((next+priorLasting*b.v1*weight)/((lag+weight)*b.v1), 0.05), 0.85)
}

// compare learns how far the hours of a stream move with those of all others: a
// regression of its relative noise on theirs, shrunk to none as long as few
// hours have spoken.
func (b *baseline) compare(now time.Time, week *ring, all *baseline) {
	end := now.Unix() / 3600
	begin := max(b.first, end-historyHours+1, b.last-historyHours+1)
	var xy, ll, yy, oo float64
	for h := begin; h < end; h++ {
		i := h % historyHours
		if b.hidden[i] || h > all.last {
			continue
		}
		wh := week.index[i]
		l := b.level * b.profile[wh]
		o := all.level*all.profile[wh] - l
		if o <= 0 {
			continue
		}
		own := 0.0
		if h <= b.last {
			own = float64(b.counts[i])
		}
		x := math.Min(own, 4*l+4*math.Sqrt(l)+3) - l
		y := math.Min(math.Max(float64(all.counts[i])-own, 0), 4*o+4*math.Sqrt(o)+3) - o
		xy += x * y
		ll += l * o
		yy += y*y - o
		oo += o * o
	}
	const weight = 8
	c := math.Max(xy/(ll+weight), 0)
	v := math.Max((yy+priorSpread*weight)/(oo+weight), 0.01)
	b.shared = math.Min(c/v, 1.2)
	b.likeness = math.Min(c*c/(v*b.v1), 0.9)
}

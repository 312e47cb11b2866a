package classify

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// linear is a one-vs-rest linear classifier: weights by feature, then class, so
// that a text's few features are rows read in one go.
type linear struct {
	Classes int
	Weights []float32 // features × Classes
	Bias    []float32
}

// margins returns how far a text is on each class's side.
func (l *linear) margins(x []feature) []float64 {
	m := make([]float64, l.Classes)
	for c, b := range l.Bias {
		m[c] = float64(b)
	}
	for _, f := range x {
		row := l.Weights[int(f.id)*l.Classes : (int(f.id)+1)*l.Classes]
		for c, w := range row {
			m[c] += float64(w * f.v)
		}
	}
	return m
}

// trainSVM fits one L2-regularised squared-hinge SVM a class by dual coordinate
// descent (Hsieh, Chang, Lin, Keerthi, Sundararajan: A Dual Coordinate Descent
// Method for Large-scale Linear SVM, ICML 2008), several classes at a time.
func trainSVM(ctx context.Context, xs [][]feature, ys []int, weights []float64, features, classes int, cost float64, seed uint64, step func()) *linear {
	l := &linear{Classes: classes, Weights: make([]float32, features*classes), Bias: make([]float32, classes)}
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			w := make([]float32, features+1) // the last one is the bias
			for c := range next {
				clear(w)
				oneClass(ctx, w, xs, ys, weights, c, cost, seed)
				for f := range features {
					if w[f] != 0 {
						l.Weights[f*classes+c] = w[f]
					}
				}
				l.Bias[c] = w[features]
				if step != nil {
					step()
				}
			}
		})
	}
	for c := range classes {
		next <- c
	}
	close(next)
	wg.Wait()
	return l
}

// maxPasses and tolerance end the descent.
const (
	maxPasses = 60
	tolerance = 0.05
)

func oneClass(ctx context.Context, w []float32, xs [][]feature, ys []int, weights []float64, class int, cost float64, seed uint64) {
	n := len(xs)
	bias := len(w) - 1
	alpha := make([]float64, n)
	q := make([]float64, n)
	order := make([]int, n)
	for i, x := range xs {
		order[i] = i
		q[i] = 1
		for _, f := range x {
			q[i] += float64(f.v) * float64(f.v)
		}
		c := cost
		if weights != nil {
			c *= weights[i]
		}
		q[i] += 1 / (2 * c) // the diagonal of the squared hinge
	}
	rng := rand.New(rand.NewPCG(seed, uint64(class)))
	for range maxPasses {
		if ctx.Err() != nil {
			return
		}
		rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		worst := 0.0
		for _, i := range order {
			y := -1.0
			if ys[i] == class {
				y = 1
			}
			sum := float64(w[bias])
			for _, f := range xs[i] {
				sum += float64(w[f.id] * f.v)
			}
			c := cost
			if weights != nil {
				c *= weights[i]
			}
			g := y*sum - 1 + alpha[i]/(2*c)
			if alpha[i] == 0 && g >= 0 {
				continue
			}
			worst = math.Max(worst, math.Abs(g))
			old := alpha[i]
			alpha[i] = math.Max(old-g/q[i], 0)
			d := float32((alpha[i] - old) * y)
			if d == 0 {
				continue
			}
			for _, f := range xs[i] {
				w[f.id] += d * f.v
			}
			w[bias] += d
		}
		if worst < tolerance {
			return
		}
	}
}

// calibration turns the two largest margins into a probability that the
// largest is right: a logistic model of the margin and of its lead, fitted on
// texts that the classifier had not seen (Platt 1999).
type calibration struct{ A, B, C float64 }

func (k calibration) probability(top, second float64) float64 {
	return 1 / (1 + math.Exp(-(k.A*top + k.B*(top-second) + k.C)))
}

// fitCalibration maximises the likelihood by gradient steps.
func fitCalibration(tops, seconds []float64, right []bool) calibration {
	k := calibration{A: 1, B: 1, C: 0}
	n := float64(len(tops))
	if n == 0 {
		return k
	}
	rate := 2.0
	for range 800 {
		var ga, gb, gc float64
		for i := range tops {
			t := 0.0
			if right[i] {
				t = 1
			}
			e := t - k.probability(tops[i], seconds[i])
			ga += e * tops[i]
			gb += e * (tops[i] - seconds[i])
			gc += e
		}
		k.A += rate * (ga/n - 0.001*k.A)
		k.B += rate * (gb/n - 0.001*k.B)
		k.C += rate * gc / n
	}
	return k
}

// topTwo returns the class with the largest margin and the two largest.
func topTwo(m []float64) (best int, top, second float64) {
	top, second = math.Inf(-1), math.Inf(-1)
	for c, v := range m {
		if v > top {
			best, top, second = c, v, top
		} else if v > second {
			second = v
		}
	}
	if math.IsInf(second, -1) {
		second = top - 1
	}
	return best, top, second
}

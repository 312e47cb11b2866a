package classify

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/gonum"
)

// linear is a linear classifier: weights by feature, then class, so that a
// text's few features are rows read in one go. The last row is the bias.
type linear struct {
	classes int
	weights []float32 // (features + 1) × classes

	bytes  []int8 // the weights as quantise left them
	scales []float32
}

func newLinear(features, classes int) *linear {
	return &linear{classes: classes, weights: make([]float32, (features+1)*classes)}
}

func (l *linear) row(id int32) []float32 {
	return l.weights[int(id)*l.classes : (int(id)+1)*l.classes]
}

func (l *linear) bias() []float32 { return l.weights[len(l.weights)-l.classes:] }

// scores fills s with the logarithms of the classes' odds, up to a constant.
func (l *linear) scores(x []feature, s []float32) {
	copy(s, l.bias())
	for _, f := range x {
		addScaled(s, l.row(f.id), f.v)
	}
}

// addScaled adds v times a row to s: where all the time goes. Gonum's takes
// four or more at a time, which halves it for 77 classes.
func addScaled(s, row []float32, v float32) {
	gonum.Implementation{}.Saxpy(len(row), v, row, 1, s, 1)
}

// softmax turns scores into probabilities.
func softmax(s, p []float32) {
	top := s[0]
	for _, v := range s {
		top = max(top, v)
	}
	var sum float32
	for c, v := range s {
		if d := v - top; d > -18 {
			p[c] = float32(math.Exp(float64(d)))
			sum += p[c]
		} else {
			p[c] = 0
		}
	}
	for c := range p {
		p[c] /= sum
	}
}

// Bounds of the ascent.
const (
	maxPasses = 40
	settled   = 0.05 // change of a text's probabilities below which it rests
)

// fitSoftmax fits a multinomial logistic regression with an L2 penalty, whose
// cost is C of each text, by stochastic dual coordinate ascent (Shalev-Shwartz
// and Zhang: Stochastic Dual Coordinate Ascent Methods for Regularized Loss,
// 2013): text after text, its dual variables, which are a distribution over the
// classes, move towards what the model says of it, by the step that gains most.
// It needs no learning rate and is the same for the same seed.
//
// l is where it starts from and what the penalty draws to: zero for a new
// model, a trained one to be taught corrections.
func fitSoftmax(ctx context.Context, l *linear, vector func(text int) []feature, ys []int, costs []float32, seed uint64, pass func()) {
	n, k := len(ys), l.classes
	dual := make([]float32, n*k)
	size := make([]float32, n)
	order := make([]int, n)
	rest := make([]uint8, n) // passes that a settled text sits out
	for i := range ys {
		order[i] = i
		dual[i*k+ys[i]] = 1
		size[i] = 1
		for _, f := range vector(i) {
			size[i] += f.v * f.v
		}
	}
	a := ascent{l: l, s: make([]float32, k), p: make([]float32, k), u: make([]float32, k)}
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	for range maxPasses {
		if ctx.Err() != nil {
			return
		}
		rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		moved := 0
		for _, i := range order {
			if rest[i] > 0 {
				rest[i]--
				continue
			}
			change := a.step(vector(i), dual[i*k:(i+1)*k], costs[i], size[i])
			if change < settled {
				rest[i] = 3
			} else {
				moved++
			}
		}
		if pass != nil {
			pass()
		}
		if moved*50 < n {
			return
		}
	}
}

// ascent has the room that one step needs.
type ascent struct {
	l       *linear
	s, p, u []float32
	moving  []int32
}

// step moves one text's dual distribution q towards the model's, and returns
// how far apart they were.
func (a *ascent) step(x []feature, q []float32, cost, size float32) float32 {
	a.l.scores(x, a.s)
	softmax(a.s, a.p)
	var change, square, gain float32
	a.moving = a.moving[:0]
	for c := range q {
		u := a.p[c] - q[c]
		if u < 1e-4 && u > -1e-4 {
			a.u[c] = 0
			continue
		}
		a.u[c] = u
		a.moving = append(a.moving, int32(c))
		change += max(u, -u)
		square += u * u
		gain += u * a.s[c]
	}
	if change < settled {
		return change
	}
	by := a.length(q, gain, cost*size*square)
	for _, c := range a.moving {
		a.u[c] *= by
		q[c] += a.u[c]
	}
	a.spread(x, cost)
	return change
}

// length is the step that gains most: where the derivative of the dual along
// the way, which falls, is zero.
func (a *ascent) length(q []float32, gain, curve float32) float32 {
	lo, hi := float32(0), float32(1)
	for range 6 {
		mid := (lo + hi) / 2
		slope := gain - mid*curve
		for _, c := range a.moving {
			slope -= a.u[c] * logarithm(q[c]+mid*a.u[c])
		}
		if slope > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// spread adds the step to the weights of the text's features.
func (a *ascent) spread(x []feature, cost float32) {
	few := len(a.moving)*3 < len(a.u)
	for i := range len(x) + 1 {
		row, v := a.l.bias(), float32(1)
		if i < len(x) {
			row, v = a.l.row(x[i].id), x[i].v
		}
		if few {
			for _, c := range a.moving {
				row[c] -= cost * v * a.u[c]
			}
		} else {
			addScaled(row, a.u, -cost*v)
		}
	}
}

// logarithm is good to 1 % of its value, which a step's length does not feel.
func logarithm(x float32) float32 {
	if x < 1e-12 {
		x = 1e-12
	}
	bits := math.Float32bits(x)
	e := float32(int32(bits>>23) - 127)
	m := math.Float32frombits(bits&0x7fffff | 0x3f800000)
	return 0.6931472 * (e + (-1.7417939 + (2.8212026+(-1.4699568+(0.44717955-0.056570851*m)*m)*m)*m))
}

// quantise rounds the weights to what a model file keeps of them: a byte each,
// and a scale a row. Saved and loaded, a model judges as before.
func (l *linear) quantise() {
	l.bytes = make([]int8, len(l.weights))
	l.scales = make([]float32, len(l.weights)/l.classes)
	for id := range l.scales {
		var top float32
		row := l.row(int32(id))
		for _, w := range row {
			top = max(top, w, -w)
		}
		if top == 0 {
			continue
		}
		l.scales[id] = top / 127
		for c, w := range row {
			l.bytes[id*l.classes+c] = int8(math.RoundToEven(float64(w / l.scales[id])))
		}
	}
	l.restore()
}

// restore makes the weights of bytes and scales.
func (l *linear) restore() {
	for id, scale := range l.scales {
		row := l.row(int32(id))
		bytes := l.bytes[id*l.classes : (id+1)*l.classes]
		for c, b := range bytes {
			row[c] = float32(b) * scale
		}
	}
}

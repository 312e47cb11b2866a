package classify

import (
	"bufio"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
)

// modelFile is a model as saved: a line that names it, then this, encoded by
// gob. Weights are bytes with a scale a row, terms are hashes: a model is small,
// is loaded in tens of milliseconds, and no training text can be read from it.
type modelFile struct {
	Format     int
	Name       string
	Labels     []string
	Categories Taxonomy
	Confidence confidence
	Seeds      string

	Hashes  []byte // 8 bytes a term, little-endian
	Ends    []int32
	Weights []byte // 4 bytes a term
	Bytes   []byte // a byte a row and class
	Scales  []byte // 4 bytes a row
}

const (
	modelMagic  = "tocsin model\n"
	modelFormat = 2
	maxModel    = 1 << 30 // bytes that Load reads
	maxLabels   = 10_000
)

// Save writes the model for Load.
func (m *Model) Save(w io.Writer) error {
	if _, err := io.WriteString(w, modelMagic); err != nil {
		return err
	}
	f := modelFile{Format: modelFormat, Name: m.name, Labels: m.labels, Categories: m.taxonomy, Confidence: m.calib, Seeds: m.seeds,
		Ends: m.vocab.ends[:], Weights: floatBytes(m.vocab.weights), Scales: floatBytes(m.linear.scales)}
	for _, h := range m.vocab.hashes {
		f.Hashes = binary.LittleEndian.AppendUint64(f.Hashes, h)
	}
	f.Bytes = make([]byte, len(m.linear.bytes))
	for i, b := range m.linear.bytes {
		f.Bytes[i] = byte(b)
	}
	return gob.NewEncoder(w).Encode(f)
}

// Load reads a model that Save wrote. A file that is none, is damaged or is of
// another format is an error that says so.
func Load(r io.Reader) (*Model, error) {
	br := bufio.NewReaderSize(io.LimitReader(r, maxModel), 1<<16)
	magic := make([]byte, len(modelMagic))
	if _, err := io.ReadFull(br, magic); err != nil || string(magic) != modelMagic {
		return nil, errors.New("not a model made by tocsin train")
	}
	var f modelFile
	if err := gob.NewDecoder(br).Decode(&f); err != nil {
		return nil, fmt.Errorf("the model is damaged, or of an older tocsin: train it again: %w", err)
	}
	if f.Format != modelFormat {
		return nil, fmt.Errorf("the model has format %d, this tocsin reads %d: train it again", f.Format, modelFormat)
	}
	return f.model()
}

// model checks that the parts fit each other and puts them together.
func (f *modelFile) model() (*Model, error) {
	terms, k := len(f.Hashes)/8, len(f.Labels)
	if k == 0 || k > maxLabels || len(f.Hashes) != 8*terms || len(f.Weights) != 4*terms || len(f.Ends) != blocks ||
		len(f.Scales) != 4*(terms+1) || len(f.Bytes) != (terms+1)*k || !f.blocksFit(terms) {
		return nil, errors.New("the model is damaged: its parts do not fit each other")
	}
	v := &vocabulary{hashes: make([]uint64, terms), weights: floats(f.Weights), ends: [blocks]int32(f.Ends)}
	for i := range v.hashes {
		v.hashes[i] = binary.LittleEndian.Uint64(f.Hashes[8*i:])
	}
	v.index()
	l := newLinear(terms, k)
	l.scales, l.bytes = floats(f.Scales), make([]int8, len(f.Bytes))
	for i, b := range f.Bytes {
		l.bytes[i] = int8(b)
	}
	l.restore()
	for _, list := range [][]float32{v.weights, l.scales} {
		for _, x := range list {
			if x != x || x > 1e6 || x < -1e6 {
				return nil, errors.New("the model is damaged: a weight is no number")
			}
		}
	}
	trust := append(f.Confidence.Trust[:], f.Confidence.Slope, f.Confidence.Base, f.Confidence.Least)
	for _, x := range trust {
		if !(math.Abs(x) < 1e6) {
			return nil, errors.New("the model is damaged: its confidence is no number")
		}
	}
	m := &Model{name: f.Name, taxonomy: f.Categories, vocab: v, linear: l, labels: f.Labels, calib: f.Confidence, seeds: f.Seeds}
	for _, label := range f.Labels {
		if _, ok := m.taxonomy.Find(label); !ok || label == "" {
			return nil, fmt.Errorf("the model is damaged: category %q is not described", label)
		}
	}
	return m.settled(), nil
}

// blocksFit tells whether the ends of the blocks rise to the number of terms.
func (f *modelFile) blocksFit(terms int) bool {
	last := int32(0)
	for _, e := range f.Ends {
		if e < last || int(e) > terms {
			return false
		}
		last = e
	}
	return int(last) == terms
}

func floatBytes(list []float32) (b []byte) {
	for _, x := range list {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func floats(b []byte) []float32 {
	list := make([]float32, len(b)/4)
	for i := range list {
		list[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return list
}

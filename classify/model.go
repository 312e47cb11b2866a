package classify

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"
	"sync"
)

// Model judges texts. It is immutable: Learn and With make new ones.
type Model struct {
	name     string
	taxonomy Taxonomy
	custom   Custom
	rules    bool // the built-in rules speak; false for a trained model

	vocab  *vocabulary
	linear *linear
	labels []string
	calib  calibration

	own     map[string]*phrases // phrases of the team's categories
	learned *memory
}

// Default returns the built-in model, which needs no training.
var Default = sync.OnceValue(func() *Model {
	return &Model{name: "built-in", taxonomy: DefaultTaxonomy(), rules: true}
})

// Name says which model judged.
func (m *Model) Name() string { return m.name }

// Taxonomy is the set of categories that verdicts may name.
func (m *Model) Taxonomy() Taxonomy { return m.taxonomy }

// Classify judges a text. It is a pure function of text and model, safe for
// concurrent use, and takes bounded time for any input.
func (m *Model) Classify(t Text) Verdict {
	cs := append(clauses(t.Subject), clauses(t.Body)...)
	v := Verdict{Category: Other, Model: m.name, Language: language(cs)}
	if t.Automated != "" {
		v.Confidence = 1
		v.Evidence = []Evidence{{Phrase: t.Automated, Weight: 1}}
		return v
	}
	if m.linear != nil {
		m.trained(t, &v)
	} else {
		m.byRules(t, &v)
	}
	if m.learned != nil {
		m.learned.recall(t, &v)
	}
	m.ownPhrases(cs, &v)
	m.rename(&v)
	c, ok := m.taxonomy.Find(v.Category)
	v.Complaint = ok && c.Rings != RingsNever || !ok && v.Category != Other
	return v
}

// byRules judges with the built-in lexicon.
func (m *Model) byRules(t Text, v *Verdict) {
	scores, fs := ruled(t)
	best, second := "", 0.0
	for _, c := range DefaultTaxonomy() {
		switch s := scores[c.Name]; {
		case s > scores[best]:
			best, second = c.Name, scores[best]
		case s > second:
			second = s
		}
	}
	if best == "" {
		v.Confidence = 0.35
		return
	}
	top := scores[best]
	v.Category = best
	v.Evidence = evidence(fs, best)
	v.Confidence = math.Round(1000/(1+math.Exp(-(1.1*top+0.8*(top-second)-1.3)))) / 1000
}

// trained judges with the linear model.
func (m *Model) trained(t Text, v *Verdict) {
	x := m.vocab.vector(joined(t))
	if len(x) == 0 {
		return
	}
	best, top, second := topTwo(m.linear.margins(x))
	v.Category = m.labels[best]
	v.Confidence = math.Round(10000*m.calib.probability(top, second)) / 10000
	v.Evidence = m.strongest(t, best)
}

// joined is subject and body as one text.
func joined(t Text) string {
	if t.Subject == "" {
		return t.Body
	}
	return t.Subject + "\n" + t.Body
}

// strongest are the words that spoke most for a class.
func (m *Model) strongest(t Text, class int) []Evidence {
	weights := map[string]float64{}
	total := 0.0
	text := joined(t)
	for w := range strings.FieldsSeq(cutText(text, 1000)) {
		var sum float64
		for _, f := range m.vocab.vector(w) {
			sum += float64(m.linear.Weights[int(f.id)*m.linear.Classes+class] * f.v)
		}
		if sum > 0.02 && len(w) <= maxToken {
			w = strings.Trim(w, ".,;:!?\"()")
			if weights[w] == 0 {
				total += sum
			}
			weights[w] = max(weights[w], sum)
		}
		if len(weights) > 60 {
			break
		}
	}
	var list []Evidence
	for w, s := range weights {
		if w != "" {
			list = append(list, Evidence{w, math.Round(100*s/total) / 100})
		}
	}
	sort.Slice(list, func(a, b int) bool {
		if list[a].Weight != list[b].Weight {
			return list[a].Weight > list[b].Weight
		}
		return list[a].Phrase < list[b].Phrase
	})
	return list[:min(3, len(list))]
}

func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// modelFile is a model as saved.
type modelFile struct {
	Format     int
	Name       string
	Labels     []string
	Words      []string
	Letters    []string
	WordIDs    []int32
	LetterIDs  []int32
	IDF        []float32
	Linear     *linear
	Calib      calibration
	Categories Taxonomy
}

const (
	modelMagic  = "tocsin model\n"
	modelFormat = 1
)

// Save writes the model for Load.
func (m *Model) Save(w io.Writer) error {
	if m.linear == nil {
		return errors.New("the built-in model is not saved: it is in every tocsin")
	}
	if _, err := io.WriteString(w, modelMagic); err != nil {
		return err
	}
	f := modelFile{Format: modelFormat, Name: m.name, Labels: m.labels, IDF: m.vocab.idf, Linear: m.linear, Calib: m.calib, Categories: m.taxonomy}
	f.Words, f.WordIDs = list(m.vocab.ids[0])
	f.Letters, f.LetterIDs = list(m.vocab.ids[1])
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(z).Encode(f); err != nil {
		return err
	}
	return z.Close()
}

func list(ids map[string]int32) (terms []string, numbers []int32) {
	for t := range ids {
		terms = append(terms, t)
	}
	sort.Strings(terms)
	for _, t := range terms {
		numbers = append(numbers, ids[t])
	}
	return terms, numbers
}

// maxModel bounds what Load reads.
const maxModel = 2 << 30

// Load reads a model that Save wrote.
func Load(r io.Reader) (*Model, error) {
	br := bufio.NewReader(r)
	magic := make([]byte, len(modelMagic))
	if _, err := io.ReadFull(br, magic); err != nil || string(magic) != modelMagic {
		return nil, errors.New("not a model made by tocsin train")
	}
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, fmt.Errorf("the model is damaged: %w", err)
	}
	var f modelFile
	if err := gob.NewDecoder(bufio.NewReader(io.LimitReader(z, maxModel))).Decode(&f); err != nil {
		return nil, fmt.Errorf("the model is damaged: %w", err)
	}
	if f.Format != modelFormat {
		return nil, fmt.Errorf("the model has format %d, this tocsin reads %d: train it again", f.Format, modelFormat)
	}
	if f.Linear == nil || f.Linear.Classes != len(f.Labels) || len(f.Linear.Bias) != len(f.Labels) || len(f.Linear.Weights) != len(f.IDF)*len(f.Labels) ||
		len(f.Words) != len(f.WordIDs) || len(f.Letters) != len(f.LetterIDs) || len(f.Labels) == 0 {
		return nil, errors.New("the model is damaged: its parts do not fit each other")
	}
	v := &vocabulary{ids: [2]map[string]int32{make(map[string]int32, len(f.Words)), make(map[string]int32, len(f.Letters))}, idf: f.IDF}
	for b, part := range [][]string{f.Words, f.Letters} {
		numbers := [][]int32{f.WordIDs, f.LetterIDs}[b]
		for i, t := range part {
			if n := numbers[i]; n < 0 || int(n) >= len(f.IDF) {
				return nil, errors.New("the model is damaged: a term has no weight")
			}
			v.ids[b][t] = numbers[i]
		}
	}
	return &Model{name: f.Name, taxonomy: f.Categories, vocab: v, linear: f.Linear, labels: f.Labels, calib: f.Calib}, nil
}

// memory is what people taught: the texts they sorted, by their words. A new
// text much like one of them is sorted as that one was.
type memory struct {
	vocab *vocabulary
	texts [][]feature
	cats  []string
	words []string
}

// alike is how near a text must be to one that a person sorted, as the cosine
// of their vectors. It was set so that rewordings of a corrected mail follow it
// and other mails of the same subject do not.
const alike = 0.5

// Learn returns a model that has also learned how people sorted these texts.
// The first effect of a correction is that mails like it are sorted like it.
func (m *Model) Learn(ctx context.Context, corrections []Example) (*Model, *Report, error) {
	if len(corrections) == 0 {
		n := *m
		n.learned = nil
		return &n, &Report{}, nil
	}
	var texts []string
	for _, e := range corrections {
		texts = append(texts, joined(Text{Subject: e.Subject, Body: e.Text}))
	}
	mem := &memory{vocab: newVocabulary(texts)}
	for i, t := range texts {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		mem.texts = append(mem.texts, mem.vocab.vector(t))
		mem.cats = append(mem.cats, corrections[i].Category)
		mem.words = append(mem.words, cutText(strings.Join(strings.Fields(t), " "), maxPhrase))
	}
	n := *m
	n.learned = mem
	n.name = fmt.Sprintf("%s, %d corrections", strings.Split(m.name, ",")[0], len(corrections))
	return &n, Evaluate(&n, corrections), nil
}

// recall lets the nearest corrected text speak.
func (k *memory) recall(t Text, v *Verdict) {
	x := k.vocab.vector(joined(t))
	if len(x) == 0 {
		return
	}
	// The vocabulary knows only words of corrected texts: how much of this text
	// it knows counts too, or one shared word would make two texts alike.
	known := coverage(k.vocab, joined(t))
	best, at := 0.0, -1
	for i, y := range k.texts {
		if s := dot(x, y) / 2 * known; s >= best { // the later of two equal ones is the newer
			best, at = s, i
		}
	}
	if at < 0 || best < alike {
		return
	}
	v.Category, v.Confidence = k.cats[at], math.Round(1000*min(1, 0.5+best/2))/1000
	v.Evidence = []Evidence{{Phrase: "like a mail sorted by hand: " + k.words[at], Weight: 1}}
}

func coverage(v *vocabulary, text string) float64 {
	known, all := 0, 0
	terms(text, func(b int, term string) {
		if b == 0 && !strings.Contains(term, " ") {
			all++
			if _, ok := v.ids[0][term]; ok {
				known++
			}
		}
	})
	if all == 0 {
		return 0
	}
	return float64(known) / float64(all)
}

func dot(a, b []feature) float64 {
	var sum float64
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].id == b[j].id:
			sum += float64(a[i].v) * float64(b[j].v)
			i++
			j++
		case a[i].id < b[j].id:
			i++
		default:
			j++
		}
	}
	return sum
}

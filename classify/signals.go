package classify

// What the rules say of a text is given to a model as features of its own, one
// a category, so that it learns how far each rule can be trusted.

// signalHashes are the terms of block 3, in the order of the taxonomy.
func signalHashes() []uint64 {
	var list []uint64
	for _, c := range DefaultTaxonomy() {
		list = append(list, hashWord("says "+c.Name)|1, hashWord("says above all "+c.Name)|1)
	}
	return list
}

// signalWeight is the weight of a rule beside a text's own words.
const signalWeight = 0.4

// signalsOf are the features of what the rules found; first is the number of
// the first of them.
func signalsOf(scores map[string]float64, first int32, out []feature) []feature {
	best := ""
	for _, c := range DefaultTaxonomy() {
		if scores[c.Name] > scores[best] {
			best = c.Name
		}
	}
	for i, c := range DefaultTaxonomy() {
		if s := scores[c.Name]; s > 0 {
			id := first + int32(2*i)
			out = append(out, feature{id, signalWeight * float32(min(s, 3))})
			if c.Name == best {
				out = append(out, feature{id + 1, signalWeight})
			}
		}
	}
	return out
}

// addSignals reads the training texts with the rules.
func (c *corpus) addSignals(texts []Text) {
	v := c.vocab
	first := int32(len(v.hashes))
	v.hashes = append(v.hashes, signalHashes()...)
	v.ends[blockSignals] = int32(len(v.hashes))
	v.index()
	c.signals = make([][]feature, len(texts))
	for i, t := range texts {
		scores, _ := ruled(t)
		c.signals[i] = signalsOf(scores, first, nil)
	}
}

package detect

import "time"

// memory remembers in which streams somebody, a firm or a text counted, and
// when: a day at least, and no more than mostPeople of them. It is two
// generations, of which the older is dropped whole, since looking for what is
// outdated one by one cost more than all else.
type memory[K comparable] struct {
	young, old generation[K]
	turned     time.Time // when young began
}

// generation keeps the sightings beside each other and finds them by number:
// one by one in memory of their own, a day of an inbox was a million pieces.
type generation[K comparable] struct {
	places map[K]int32
	list   []sightings
}

// sightings are when it counted, by stream: a few, since a complaint counts in
// its kind, its group and all together.
type sightings struct {
	few  [3]sighting
	n    int        // of few that are in use
	more []sighting // beyond them
}

type sighting struct {
	nano   int64
	stream int
}

// of finds what is remembered of a key, to be read and added to until the next
// call.
func (m *memory[K]) of(key K, at time.Time) *sightings {
	if m.young.places == nil || len(m.young.list) >= mostPeople/2 || at.Sub(m.turned) > countOnce {
		m.old, m.turned = m.young, at
		// A day has about as many as the day before.
		m.young = generation[K]{make(map[K]int32, len(m.old.list)), make([]sightings, 0, len(m.old.list)+len(m.old.list)/8)}
	}
	y := &m.young
	if i, ok := y.places[key]; ok {
		return &y.list[i]
	}
	y.places[key] = int32(len(y.list))
	if i, ok := m.old.places[key]; ok {
		y.list = append(y.list, m.old.list[i])
	} else {
		y.list = append(y.list, sightings{})
	}
	return &y.list[len(y.list)-1]
}

// within tells how often it counted in a stream within countOnce of an instant.
func (s *sightings) within(stream int, at time.Time) (n int) {
	nano := at.UnixNano()
	for i := range s.n {
		if s.few[i].recent(stream, nano) {
			n++
		}
	}
	for i := range s.more {
		if s.more[i].recent(stream, nano) {
			n++
		}
	}
	return n
}

func (x *sighting) recent(stream int, nano int64) bool {
	return x.stream == stream && time.Duration(nano-x.nano).Abs() < countOnce
}

// add notes that it counts, in the place of what was too long ago to matter.
func (s *sightings) add(stream int, at time.Time) {
	x := sighting{at.UnixNano(), stream}
	for _, list := range [2][]sighting{s.few[:s.n], s.more} {
		for i := range list {
			if o := &list[i]; o.stream == stream && !o.recent(stream, x.nano) {
				*o = x
				return
			}
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = x
		s.n++
		return
	}
	s.more = append(s.more, x)
}

// known is what is remembered of a complaint's sender, words and firm. Words
// and firm may be nil.
type known struct{ who, words, firm *sightings }

func (d *Detector) recall(c *Complaint) known {
	k := known{who: d.people.of(c.Complainant, c.At)}
	if c.Print != 0 {
		k.words = d.prints.of(c.Print, c.At)
	}
	if c.Organisation != "" {
		k.firm = d.orgs.of(c.Organisation, c.At)
	}
	return k
}

// counts tells whether a complaint counts in a stream: once per complainant,
// a few per business domain, once per text that many send word for word.
func (k known) counts(s *stream, at time.Time) bool {
	if k.who.within(s.id, at) > 0 {
		return false
	}
	if k.words != nil {
		if k.words.within(s.id, at) > 0 {
			return false
		}
		k.words.add(s.id, at)
	}
	if k.firm != nil {
		if k.firm.within(s.id, at) >= mostOfOrg {
			return false
		}
		k.firm.add(s.id, at)
	}
	k.who.add(s.id, at)
	return true
}

package detect

import "time"

// memory remembers in which streams somebody, a firm or a text counted, and
// when: a day at least, and no more than mostPeople of them. It is two
// generations, of which the older is dropped whole, since looking for what is
// outdated one by one cost more than all else.
type memory[K comparable] struct {
	young, old map[K]*sightings
	turned     time.Time // when young began
}

// sightings are when it counted, by stream.
type sightings []sighting

type sighting struct {
	nano   int64
	stream int
}

// of finds what is remembered of a key, to be read and added to.
func (m *memory[K]) of(key K, at time.Time) *sightings {
	if m.young == nil || len(m.young) >= mostPeople/2 || at.Sub(m.turned) > countOnce {
		m.old, m.young, m.turned = m.young, map[K]*sightings{}, at
	}
	if s := m.young[key]; s != nil {
		return s
	}
	s := m.old[key]
	if s == nil {
		s = &sightings{}
	}
	m.young[key] = s
	return s
}

// within tells how often it counted in a stream within countOnce of an instant.
func (s sightings) within(stream int, at time.Time) (n int) {
	nano := at.UnixNano()
	for _, x := range s {
		if x.stream == stream && time.Duration(nano-x.nano).Abs() < countOnce {
			n++
		}
	}
	return n
}

// add notes that it counts, in the place of what was too long ago to matter.
func (s *sightings) add(stream int, at time.Time) {
	nano := at.UnixNano()
	for i := range *s {
		if x := &(*s)[i]; x.stream == stream && time.Duration(nano-x.nano).Abs() >= countOnce {
			x.nano = nano
			return
		}
	}
	if *s == nil {
		*s = make(sightings, 0, 4) // its kind, its group and all together
	}
	*s = append(*s, sighting{nano, stream})
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

package projections

import (
	"encoding/binary"
	"slices"
	"strings"

	"roznamcha/domain"
)

// cell is all that a fact is apart from its dates and its number. Many facts
// share one.
type cell struct {
	measure Measure
	// values are the numbers of its values by dimension: of a value, or for the
	// dimensions that are lists of a list; 0 where it does not have the
	// dimension.
	values [endOfStored]uint32
	// own is the number of the diary's agency where the facts name none, else 0.
	// It is their Agency too, unless they straddle a succession: then they have
	// none.
	own [1]uint32
}

// cells numbers the cells that occur, and their values.
type cells struct {
	home domain.Country
	all  []cell
	// keys are the halves of each cell, and byHalves are the cells by them: who acted where,
	// and the rest. A ledger has many cells and few different halves, which
	// the processor has at hand.
	keys     []halves
	byHalves map[halves]uint32
	wheres   keys
	whats    keys
	// values and lists are the values of each dimension and, where a fact can
	// have several, the lists of them.
	values [endOfStored]values
	lists  [endOfStored]lists

	key []byte // of the fact at hand
}

// halves number what a fact says about who acted where, and what about all
// else.
type halves struct{ where, what uint32 }

// endOfWhere is the first dimension that is not about who acted where.
const endOfWhere = Premises

func newCells() *cells {
	return &cells{
		byHalves: make(map[halves]uint32),
		wheres:   keys{ids: make(map[string]uint32)},
		whats:    keys{ids: make(map[string]uint32)},
	}
}

// number is the cell of f. It allocates only for what is new.
func (c *cells) number(f *fact) uint32 {
	var key halves
	c.key = appendTexts(c.key[:0], f.texts[Agency+1:endOfWhere])
	c.key = appendTexts(c.key, []string{f.own, f.texts[Agency]})
	key.where = c.wheres.number(c.key)
	c.key = append(c.key[:0], byte(f.measure))
	c.key = appendTexts(c.key, f.texts[endOfWhere:])
	c.key = binary.AppendUvarint(c.key, uint64(len(f.nationalities)))
	c.key = appendTexts(c.key, f.nationalities)
	c.key = appendTexts(c.key, f.offences)
	key.what = c.whats.number(c.key)
	i, ok := c.byHalves[key]
	if !ok {
		i = c.add(c.make(f), key)
	}
	return i
}

// add enters a cell that is not there, and returns its number.
func (c *cells) add(made cell, key halves) uint32 {
	i := uint32(len(c.all))
	c.all, c.keys = append(c.all, made), append(c.keys, key)
	c.byHalves[key] = i
	return i
}

// straddling is the cell that is as cell i, which must have an own agency, but
// has no Agency if so, and else its own.
func (c *cells) straddling(i uint32, so bool) uint32 {
	made, key := c.all[i], c.keys[i]
	if c.straddles(i) == so {
		return i
	}
	text := func(agency uint32) []byte {
		return appendTexts(nil, []string{c.values[Agency].texts[agency]})
	}
	where := strings.TrimSuffix(c.wheres.all[key.where], string(text(made.values[Agency])))
	if made.values[Agency] = made.own[0]; so {
		made.values[Agency] = 0
	}
	key.where = c.wheres.number(append([]byte(where), text(made.values[Agency])...))
	if n, ok := c.byHalves[key]; ok {
		return n
	}
	return c.add(made, key)
}

// straddles tells whether cell i is that of facts which straddle a succession.
func (c *cells) straddles(i uint32) bool {
	return c.all[i].own[0] != 0 && c.all[i].values[Agency] == 0
}

// keys numbers keys, from 0.
type keys struct {
	all []string
	ids map[string]uint32
}

// number is the number of key, the next if it is new.
func (k *keys) number(key []byte) uint32 {
	n, ok := k.ids[string(key)]
	if !ok {
		n = uint32(len(k.all))
		k.add(string(key))
	}
	return n
}

// add enters a key that is not there.
func (k *keys) add(key string) {
	k.ids[key] = uint32(len(k.all))
	k.all = append(k.all, key)
}

// appendTexts appends each text after its length, so that no two lists make
// the same key.
func appendTexts[S ~string](key []byte, texts []S) []byte {
	for _, s := range texts {
		key = binary.AppendUvarint(key, uint64(len(s)))
		key = append(key, s...)
	}
	return key
}

// make is the cell of f, with its values numbered.
func (c *cells) make(f *fact) cell {
	made := cell{measure: f.measure, own: [1]uint32{c.values[Agency].number(f.own)}}
	for d := Agency; d < endOfStored; d++ {
		made.values[d] = c.values[d].number(f.texts[d])
	}
	if len(f.nationalities) > 0 {
		class := domain.ClassOf(c.home, f.nationalities)
		made.values[Class] = c.values[Class].number(class.String())
	}
	nationalities := make([]string, len(f.nationalities))
	for i, n := range f.nationalities {
		nationalities[i] = string(n)
	}
	made.values[Nationality] = c.list(Nationality, nationalities)
	made.values[Offence] = c.list(Offence, f.offences)
	return made
}

// list is the number of a list of values of d; every value counts once.
func (c *cells) list(d Dimension, texts []string) uint32 {
	var numbers []uint32
	for _, text := range texts {
		if n := c.values[d].number(text); n != 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return c.lists[d].number(slices.Compact(numbers))
}

// of is the numbers of the values that cell i has of d, which must be no time;
// none where it does not have d. Of Successor they are the agencies whose
// successor answers: whoever acted in what straddles a succession, he answers
// for the diary's own. The caller changes nothing in it.
func (c *cells) of(i uint32, d Dimension) []uint32 {
	if d == Successor && c.straddles(i) {
		return c.all[i].own[:]
	}
	d = d.stored()
	at := &c.all[i].values[d]
	switch {
	case *at == 0:
		return nil
	case d.isList():
		return c.lists[d].all[*at]
	}
	return c.all[i].values[d : d+1]
}

// values numbers the values of one dimension, from 1: 0 is not given.
type values struct {
	texts []string
	ids   map[string]uint32
}

// number is the value that s stands for, as normalise has it; 0 for "" and
// domain.NotGiven.
func (v *values) number(s string) uint32 {
	if s = normalise(s); s == "" || s == domain.NotGiven {
		return 0
	}
	if id, ok := v.ids[s]; ok {
		return id
	}
	v.add(strings.Clone(s)) // it is part of an entry
	return uint32(len(v.texts) - 1)
}

// add enters a value that is not there.
func (v *values) add(s string) {
	if v.ids == nil {
		v.ids, v.texts = make(map[string]uint32), []string{""}
	}
	v.ids[s] = uint32(len(v.texts))
	v.texts = append(v.texts, s)
}

// lists numbers lists of values, from 1: 0 is the empty list.
type lists struct {
	all [][]uint32
	ids map[string]uint32
}

// number is the number of list, which it keeps.
func (l *lists) number(list []uint32) uint32 {
	if len(list) == 0 {
		return 0
	}
	var key []byte
	for _, n := range list {
		key = binary.LittleEndian.AppendUint32(key, n)
	}
	if id, ok := l.ids[string(key)]; ok {
		return id
	}
	if l.ids == nil {
		l.ids, l.all = make(map[string]uint32), [][]uint32{nil}
	}
	id := uint32(len(l.all))
	l.all = append(l.all, list)
	l.ids[string(key)] = id
	return id
}

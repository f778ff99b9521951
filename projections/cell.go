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
}

// cells numbers the cells that occur, and their values.
type cells struct {
	home domain.Country
	all  []cell
	// byHalves are the cells by the numbers of their halves: who acted where,
	// and the rest. A ledger has many cells and few different halves, which
	// the processor has at hand.
	byHalves map[halves]uint32
	wheres   map[string]uint32
	whats    map[string]uint32
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
		wheres:   make(map[string]uint32),
		whats:    make(map[string]uint32),
	}
}

// number is the cell of f. It allocates only for what is new.
func (c *cells) number(f *fact) uint32 {
	var key halves
	c.key = appendTexts(c.key[:0], f.texts[:endOfWhere])
	key.where = numberOf(c.wheres, c.key)
	c.key = append(c.key[:0], byte(f.measure))
	c.key = appendTexts(c.key, f.texts[endOfWhere:])
	c.key = binary.AppendUvarint(c.key, uint64(len(f.nationalities)))
	c.key = appendTexts(c.key, f.nationalities)
	c.key = appendTexts(c.key, f.offences)
	key.what = numberOf(c.whats, c.key)
	i, ok := c.byHalves[key]
	if !ok {
		i = uint32(len(c.all))
		c.all = append(c.all, c.make(f))
		c.byHalves[key] = i
	}
	return i
}

// numberOf is the number of key, the next if it is new.
func numberOf(numbers map[string]uint32, key []byte) uint32 {
	n, ok := numbers[string(key)]
	if !ok {
		n = uint32(len(numbers))
		numbers[string(key)] = n
	}
	return n
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
	made := cell{measure: f.measure}
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

// of is the numbers of the values that cell i has of d, which must be a stored
// dimension; none where it does not have d. The caller changes nothing in it.
func (c *cells) of(i uint32, d Dimension) []uint32 {
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
	if v.ids == nil {
		v.ids, v.texts = make(map[string]uint32), []string{""}
	}
	s = strings.Clone(s) // it is part of an entry
	id := uint32(len(v.texts))
	v.texts = append(v.texts, s)
	v.ids[s] = id
	return id
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

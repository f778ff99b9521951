package projections

import (
	"hash/maphash"
	"strings"

	"roznamcha/domain"
)

// names numbers record names, from 1, in about 25 bytes a name beside its id:
// a ledger has one for every record, and links to records that are not there.
type names struct {
	seed     maphash.Seed
	families []family // by number
	ids      map[family]uint32
	rows     []name
	text     []byte   // the ids in their diaries, end to end
	slots    []uint32 // numbers by hash: open addressing, linear probing
}

// family is what a record name is apart from its id.
type family struct {
	kind  domain.Kind
	diary domain.Diary
}

// name is one name: its family, and its id in text.
type name struct {
	family uint32
	at     uint32
	len    uint8
}

func newNames() *names {
	return &names{
		seed:  maphash.MakeSeed(),
		ids:   make(map[family]uint32),
		rows:  make([]name, 1), // 0 is none
		slots: make([]uint32, 1024),
	}
}

// number is the number of n, a new one if it has none.
func (s *names) number(n domain.RecordName) uint32 {
	if len(s.rows)*4 >= len(s.slots)*3 {
		s.grow()
	}
	f := s.family(family{n.Kind, n.Diary})
	at := s.slot(f, maphash.String(s.seed, n.ID), func(one name) bool { return string(s.id(one)) == n.ID })
	if s.slots[at] == 0 {
		s.slots[at] = uint32(len(s.rows))
		s.rows = append(s.rows, name{f, uint32(len(s.text)), uint8(len(n.ID))})
		s.text = append(s.text, n.ID...)
	}
	return s.slots[at]
}

// name is the name of that number.
func (s *names) name(number uint32) domain.RecordName {
	if number == 0 {
		return domain.RecordName{}
	}
	one := s.rows[number]
	f := s.families[one.family]
	return domain.RecordName{Kind: f.kind, Diary: f.diary, ID: string(s.id(one))}
}

func (s *names) id(one name) []byte { return s.text[one.at:][:one.len] }

// slot is where a name stands, or would.
func (s *names) slot(family uint32, hash uint64, same func(name) bool) uint64 {
	mask := uint64(len(s.slots) - 1)
	at := (hash + uint64(family)*0x9e3779b97f4a7c15) & mask
	for ; s.slots[at] != 0; at = (at + 1) & mask {
		if one := s.rows[s.slots[at]]; one.family == family && same(one) {
			break
		}
	}
	return at
}

func (s *names) grow() {
	s.slots = make([]uint32, 2*len(s.slots))
	never := func(name) bool { return false }
	for i, one := range s.rows[1:] {
		s.slots[s.slot(one.family, maphash.Bytes(s.seed, s.id(one)), never)] = uint32(i + 1)
	}
}

// family is the number of f.
func (s *names) family(f family) uint32 {
	n, ok := s.ids[f]
	if !ok {
		f.kind = domain.Kind(strings.Clone(string(f.kind)))
		f.diary = domain.Diary{Agency: strings.Clone(f.diary.Agency), Unit: strings.Clone(f.diary.Unit)}
		n = uint32(len(s.families))
		s.families = append(s.families, f)
		s.ids[f] = n
	}
	return n
}

package projections

// pair is a class of cells with a class of spans.
type pair struct{ cells, spans uint32 }

// slots hold a number for every pair of a plan, 0 where none was set.
type slots struct {
	// dense has them at cells × number of classes of spans + spans. Where that
	// would be too many, sparse has those that were set.
	dense  []uint32
	sparse map[pair]uint32
	stride int
}

// maxDense is how many slots are held in an array: 16 MiB.
const maxDense = 1 << 22

func newSlots(p *plan) slots {
	s := slots{stride: len(p.spans.all)}
	if n := len(p.cells.all) * s.stride; n <= maxDense {
		s.dense = make([]uint32, n)
	} else {
		s.sparse = make(map[pair]uint32)
	}
	return s
}

func (s *slots) get(p pair) uint32 {
	if s.dense != nil {
		return s.dense[int(p.cells)*s.stride+int(p.spans)]
	}
	return s.sparse[p]
}

func (s *slots) set(p pair, n uint32) {
	if s.dense != nil {
		s.dense[int(p.cells)*s.stride+int(p.spans)] = n
	} else {
		s.sparse[p] = n
	}
}

package projections

import (
	"fmt"

	"roznamcha/domain"
)

// tally is a sum over facts that a query does not tell apart.
type tally struct {
	value       int64
	facts       int64
	unknown     int64
	lower       bool
	approximate bool
}

// sum is what the facts of t add up to.
func (t *tally) sum() domain.Sum {
	return domain.Sum{Value: t.value, Unknown: t.unknown, Lower: t.lower || t.unknown > 0, Approximate: t.approximate}
}

// add adds one fact; false on overflow.
func (t *tally) add(quantity int64, q domain.Qualifier) bool {
	t.facts++
	if q == domain.Unknown {
		t.unknown++
		return true
	}
	t.lower = t.lower || q == domain.AtLeast
	t.approximate = t.approximate || q == domain.About
	t.value += quantity // never negative
	return t.value >= 0
}

// merge adds all the facts of u; false on overflow.
func (t *tally) merge(u *tally) bool {
	t.facts += u.facts
	t.unknown += u.unknown
	t.lower = t.lower || u.lower
	t.approximate = t.approximate || u.approximate
	t.value += u.value
	return t.value >= 0
}

// scan adds up the facts of a plan: one tally for each pair of a class of cells
// and a class of spans that has facts.
type scan struct {
	*plan
	slots slots
	pairs []pair
	sums  []tally // by pair
}

func newScan(p *plan) *scan { return &scan{plan: p, slots: newSlots(p)} }

// run scans the facts that were known. Rows stand in the order in which they
// were opened, so those of later entries are not looked at.
func (s *scan) run() error {
	rows := s.totals.rows.before(s.before)
	for _, b := range s.totals.rows.blocks {
		n := min(rows, blockRows)
		if n == 0 {
			break
		}
		if err := s.block(b, int(n)); err != nil {
			return err
		}
		rows -= n
	}
	return nil
}

// block scans the first n rows of b.
func (s *scan) block(b *block, n int) error {
	when := &b.occurred
	if s.Clock == Reported {
		when = &b.reported
	}
	cellClass, spanClass, slots := s.cells.of, s.spans.of, s.slots
	for i := range n {
		cells, spans := cellClass[b.cell[i]], spanClass[when[i]]
		if cells == 0 || spans == 0 || b.closed != nil && b.closed[i] < s.before {
			continue
		}
		slot := slots.get(pair{cells, spans})
		if slot == 0 {
			if slot = s.slot(pair{cells, spans}); slot == 0 {
				return errTooManyRows
			}
		}
		if !s.sums[slot-1].add(b.quantity[i], b.qualifier[i]) && s.counts(pair{cells, spans}) {
			return s.overflow(b.cell[i])
		}
	}
	return nil
}

// slot is a new slot for a pair; 0 where there would be too many.
func (s *scan) slot(p pair) uint32 {
	if len(s.sums) == maxSlots {
		return 0
	}
	s.pairs = append(s.pairs, p)
	s.sums = append(s.sums, tally{})
	slot := uint32(len(s.sums))
	s.slots.set(p, slot)
	return slot
}

// counts tells whether the facts of a pair stand in any column: those that the
// filters leave out are in no sum.
func (s *scan) counts(of pair) bool {
	cells, spans := &s.cells.all[of.cells], &s.spans.all[of.spans]
	for i := range s.Columns {
		if cells.columns&spans.columns&(1<<i) != 0 && cells.lack(i)|spans.lack(i) == 0 {
			return true
		}
	}
	return false
}

// overflow says of which sum 64 bits are too few.
func (s *scan) overflow(cell uint32) error {
	c := &s.totals.cells.all[cell]
	currency := ""
	if n := c.values[Currency]; n != 0 {
		currency = s.totals.cells.values[Currency].texts[n]
	}
	return overflow(c.measure, currency)
}

func overflow(m Measure, currency string) error {
	of := m.String()
	if currency != "" {
		of += " " + currency
	}
	return fmt.Errorf("adding up %s: %w. Try: a shorter period, or a filter that leaves the largest out", of, domain.ErrOverflow)
}

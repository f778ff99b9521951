package projections

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"roznamcha/domain"
)

// Query is a question to the totals.
type Query struct {
	// Columns are what to add up; none for DefaultColumns.
	Columns []Column
	// By is what the rows are grouped by: at most three dimensions.
	By []Dimension
	// Where narrows every column: all filters must hold.
	Where []Filter
	// Period selects the facts that lie wholly inside it, by Clock; the zero
	// Period selects all.
	Period domain.Period
	Clock  Clock
	// AsOf is the entry as known at which the table is; 0 is the last.
	AsOf uint64
	// YearStarts is the month in which a year begins; 0 is January.
	YearStarts time.Month
}

// Clock is which of its times a fact is placed by.
type Clock uint8

// The clocks.
const (
	// Occurred: when it happened; when it was registered, for a case.
	Occurred Clock = iota
	// Reported: when its source first wrote or published it.
	Reported
)

// ParseClock reads "occurred" or "reported".
func ParseClock(s string) (Clock, error) {
	switch s {
	case "occurred":
		return Occurred, nil
	case "reported":
		return Reported, nil
	}
	return 0, fmt.Errorf("clock %q: there is no such clock. Try: occurred or reported", clip(s))
}

// String is "occurred" or "reported".
func (c Clock) String() string {
	if c == Reported {
		return "reported"
	}
	return "occurred"
}

// MarshalText writes "occurred" or "reported".
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

const (
	// maxColumns is how many columns a table can be asked for: a bit each.
	maxColumns = 64
	// maxRows is how many rows a table may have: more is a mistake.
	maxRows = 100_000
	// maxSlots bounds the memory of a scan that would end in more rows than
	// maxRows, unless nearly all facts have several values.
	maxSlots = 1 << 20
)

var errTooManyRows = errors.New("the table would have more than 100,000 rows. Try: fewer dimensions, a coarser one (year for month), a period, or a filter")

// Query answers q with one scan over the facts. It changes nothing, so several
// may run at once, but none beside Apply. The error is for a question that
// cannot be answered: a sum over 64 bits, more than 100,000 rows, an as-of
// later than the last entry, a filter on what is no year where YearStarts.
func (t *Totals) Query(q Query) (*Table, error) {
	if len(q.Columns) == 0 {
		q.Columns = DefaultColumns(t)
	}
	if q.YearStarts == 0 {
		q.YearStarts = time.January
	}
	if err := t.check(q); err != nil {
		return nil, err
	}
	p := t.plan(q)
	s := newScan(p)
	if err := s.run(); err != nil {
		return nil, err
	}
	g, err := s.grid()
	if err != nil {
		return nil, err
	}
	return g.table(), nil
}

// check holds q against what can be asked.
func (t *Totals) check(q Query) error {
	switch {
	case len(q.Columns) > maxColumns:
		return fmt.Errorf("%d columns: a table has at most %d. Try: fewer columns, or two tables", len(q.Columns), maxColumns)
	case q.Period.IsUnknown():
		return errUnknownPeriod
	case q.YearStarts < time.January || q.YearStarts > time.December:
		return fmt.Errorf("a year cannot start in month %d. Try: 1 to 12", q.YearStarts)
	case q.AsOf > t.last:
		return fmt.Errorf("as of entry %d: the ledger is read up to entry %d. Try: an entry from 1 to %d", q.AsOf, t.last, t.last)
	}
	for f := range q.filters() {
		if !f.Dimension.isTime() {
			continue
		}
		if err := (calendar{q.YearStarts}).check(f); err != nil {
			return err
		}
	}
	return checkBy(q.By)
}

// filters are all filters of q: those of every column, and then of each.
func (q *Query) filters() iter.Seq[Filter] {
	return func(yield func(Filter) bool) {
		for _, f := range q.Where {
			if !yield(f) {
				return
			}
		}
		for _, c := range q.Columns {
			for _, f := range c.Filters {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// follows tells whether the answer to q depends on who succeeded whom.
func (q *Query) follows() bool {
	for f := range q.filters() {
		if f.Dimension == Successor {
			return true
		}
	}
	return slices.Contains(q.By, Successor)
}

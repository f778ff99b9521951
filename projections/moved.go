package projections

import (
	"slices"

	"roznamcha/domain"
)

// Moved is how the facts that one event opened differ from those that it closed.
type Moved struct {
	// Query asks for the table in which that shows: the columns of the measures
	// that the facts are of, by at most three dimensions that differ, by the clock
	// that places them apart. Where nothing but days within one month differs, it
	// is of a period that tells them apart. Its columns are none where the event
	// moved no fact.
	Query Query
	// Reported tells that when it was reported moved too, and that the table, which
	// is by when it occurred, does not show it.
	Reported bool
}

// alongFirst are the dimensions that facts move along, those first that say most.
// Currencies and classes are columns of their own.
var alongFirst = []Dimension{City, Month, Agency, Unit, Nationality, Premises, Sex, Offence, Form, Operation, Country, Subdivision}

// MovedAt tells what the event at a position has moved. It looks at all facts.
func (t *Totals) MovedAt(at domain.Position) (m Moved) {
	closed, opened := t.changedAt(at.Place())
	all := slices.Concat(closed, opened)
	for _, c := range DefaultColumns(t) {
		if slices.ContainsFunc(all, func(r row) bool { return t.cells.all[r.cell].measure == c.Measure }) {
			m.Query.Columns = append(m.Query.Columns, c)
		}
	}
	if len(closed) == 0 || len(opened) == 0 {
		return m
	}
	occurred := differ(closed, opened, func(r *row) uint32 { return r.occurred })
	reported := differ(closed, opened, func(r *row) uint32 { return r.reported })
	m.Reported = occurred && reported
	if reported && !occurred {
		m.Query.Clock = Reported
	}
	along := t.along(m.Query, closed, opened)
	m.Query.By = along[:min(len(along), maxBy)]
	if len(along) == 0 && (occurred || reported) {
		m.Query.Period = t.between(&closed[0], &opened[0], m.Query.Clock)
	}
	return m
}

// between is a period in which one of two facts lies wholly and the other does
// not.
func (t *Totals) between(was, is *row, clock Clock) domain.Period {
	a, b := t.spans.all[was.occurred], t.spans.all[is.occurred]
	if clock == Reported {
		a, b = t.spans.all[was.reported], t.spans.all[is.reported]
	}
	if b.from <= a.from && a.to <= b.to {
		b = a
	}
	text := b.from.String()
	if b.from != b.to {
		text += "/" + b.to.String()
	}
	period, err := domain.ParsePeriod(text)
	if err != nil {
		return domain.Period{} // open on both sides
	}
	return period
}

// changedAt are the rows that are closed at a place, and those that are opened.
func (t *Totals) changedAt(at domain.Place) (closed, opened []row) {
	for n := range t.rows.len {
		switch r := t.rows.at(n); {
		case r.opened == r.closed: // kept, and never seen
		case r.opened == at:
			opened = append(opened, r)
		case r.closed == at:
			closed = append(closed, r)
		}
	}
	return closed, opened
}

// along are the dimensions in which two lists of rows differ.
func (t *Totals) along(q Query, closed, opened []row) (by []Dimension) {
	for _, d := range alongFirst {
		q.By = []Dimension{d}
		q.YearStarts = 1
		l := newLayout(t.plan(q), nil, nil)
		if differ(closed, opened, l.rowLabels) {
			by = append(by, d)
		}
	}
	return by
}

// differ tells whether of is something else of one list than of another.
func differ[T comparable](some, others []row, of func(*row) T) bool {
	counts := make(map[T]int)
	for i := range some {
		counts[of(&some[i])]++
	}
	for i := range others {
		counts[of(&others[i])]--
	}
	for _, n := range counts {
		if n != 0 {
			return true
		}
	}
	return false
}

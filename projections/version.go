package projections

import (
	"iter"

	"roznamcha/domain"
)

// Version is one row of the table of facts, in full: what a record says, from
// the position that made it stand until the one that amended it. Versions are
// numbered from 0, in the order of Opened; the same ledger numbers them alike
// on every machine.
type Version struct {
	Record domain.RecordID
	// Cell numbers what the version shares with others: Totals.CellMeasure and
	// Totals.CellValues tell what that is, and never change.
	Cell uint32
	// Quantity is a count, or minor units of the currency; meaningless where the
	// Qualifier is Unknown.
	Quantity  int64
	Qualifier domain.Qualifier
	// OccurredFrom to ReportedTo are days of the ledger's zone, both ends
	// included; domain.MinDay and domain.MaxDay are open ends, and both undated.
	OccurredFrom, OccurredTo domain.Day
	ReportedFrom, ReportedTo domain.Day
	// Opened is the position from which on it counts, Closed the one from which
	// on it does not; zero while it does.
	Opened, Closed domain.Position
}

// Versions is how many versions there are, of all facts.
func (t *Totals) Versions() uint32 { return t.rows.len }

// VersionsUpTo is how many were opened up to an entry, included.
func (t *Totals) VersionsUpTo(entry uint64) uint32 {
	return t.rows.before(domain.Position{Entry: entry + 1, Line: 1}.Place())
}

// Version is version n, as it stands now.
func (t *Totals) Version(n uint32) Version {
	r := t.rows.at(n)
	occurred, reported := t.spans.all[r.occurred], t.spans.all[r.reported]
	v := Version{
		Record: r.record, Cell: r.cell, Quantity: r.quantity, Qualifier: r.qualifier,
		OccurredFrom: occurred.from, OccurredTo: occurred.to, ReportedFrom: reported.from, ReportedTo: reported.to,
		Opened: r.opened.Position(),
	}
	if r.closed != open {
		v.Closed = r.closed.Position()
	}
	return v
}

// CellMeasure is the measure of a cell.
func (t *Totals) CellMeasure(cell uint32) Measure { return t.cells.all[cell].measure }

// CellValues are the values that a cell has of d, which must be one that is
// kept with every fact: neither Successor nor a time.
func (t *Totals) CellValues(cell uint32, d Dimension) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, n := range t.cells.of(cell, d) {
			if !yield(t.cells.values[d].texts[n]) {
				return
			}
		}
	}
}

// CellStraddles tells whether the facts of a cell straddle a succession of the
// agency of their diary: they name no agency, and its successor answers for them.
func (t *Totals) CellStraddles(cell uint32) bool { return t.cells.straddles(cell) }

// OnClose has closed told of every version that is closed from now on, and
// where. The same version may be opened again at that very position: what it
// says then, Version tells.
func (t *Totals) OnClose(closed func(version uint32, at domain.Position)) {
	t.rows.onClose = func(n uint32, at domain.Place) { closed(n, at.Position()) }
}

// SuccessionVersion is one version of who took over from whom, from Opened until
// Closed; zero while it stands.
type SuccessionVersion struct {
	Record                 domain.RecordID
	Predecessor, Successor string
	Opened, Closed         domain.Position
}

// Successions is how many versions of successions there are, numbered from 0 in
// the order of Opened.
func (t *Totals) Successions() int { return len(t.successions.all) }

// Succession is version n of them.
func (t *Totals) Succession(n int) SuccessionVersion {
	one := &t.successions.all[n]
	s := SuccessionVersion{Record: one.record, Predecessor: one.predecessor, Successor: one.successor, Opened: one.opened.Position()}
	if one.closed != open {
		s.Closed = one.closed.Position()
	}
	return s
}

// SuccessionAt is the version that an event at a position made or, where it made
// none, the one that it ended; false where it did neither.
func (t *Totals) SuccessionAt(at domain.Position) (s SuccessionVersion, ok bool) {
	if n, ok := t.successions.find(at.Place()); ok {
		return t.Succession(n), true
	}
	return s, false
}

// Raised is how many exceptions were ever raised, numbered from 0 in the order
// of Opened.
func (x *Exceptions) Raised() int { return len(x.rows) }

// At is exception n, as it stands now.
func (x *Exceptions) At(n int) Exception { return x.exception(&x.rows[n], 0) }

// OnSettle has settled told of every exception that is settled from now on, and
// where.
func (x *Exceptions) OnSettle(settled func(n int, at domain.Position)) {
	x.onSettle = func(n int, at domain.Place) { settled(n, at.Position()) }
}

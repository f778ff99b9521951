package sink

import (
	"fmt"
	"slices"
	"sort"

	"roznamcha/domain"
)

// changes are what a transaction brings: the place, and the rows between.
type changes struct {
	from, to Place
	tables   []tableChanges
	// retry tries the parked rows again; row is a row as it stands at to, nil
	// for one that there is not. Nothing may be read meanwhile.
	retry bool
	row   func(t *table, number int64) []any
	// few says that they are not to be written in smaller parts.
	few bool
}

// tableChanges are what comes to one table.
type tableChanges struct {
	*table
	rows     [][]any
	closings []closing
}

// closing is a row that counts no more.
type closing struct {
	number int64
	at     domain.Position
}

// json is what was to be changed, as an object.
func (c closing) json() string {
	return fmt.Sprintf(`{"closed_entry":%d,"closed_line":%d}`, c.at.Entry, c.at.Line)
}

// pending is what was read and is not written yet: everything after the place
// of the database. The rows themselves are taken from the projections when they
// are written.
type pending struct {
	// fact, exception and succession are the numbers of the first rows that are
	// not written.
	fact, exception, succession int64
	facts, exceptions           []closing
	entries                     []entry
}

// skip lets everything that was read be written.
func (p *pending) skip(r *rows) {
	*p = pending{
		fact: int64(r.totals.Versions()), exception: int64(r.exceptions.Raised()), succession: int64(r.totals.Successions()),
		facts: p.facts[:0], exceptions: p.exceptions[:0], entries: p.entries[:0],
	}
}

// writtenTo lets what was read up to an entry be written: by another sink, which
// has other batches.
func (p *pending) writtenTo(entry uint64, r *rows) {
	p.fact = int64(r.totals.VersionsUpTo(entry))
	p.exception = int64(sort.Search(r.exceptions.Raised(), func(n int) bool { return r.exceptions.At(n).Opened.Entry > entry }))
	p.succession = int64(sort.Search(r.totals.Successions(), func(n int) bool { return r.totals.Succession(n).Opened.Entry > entry }))
	before := func(c closing) bool { return c.at.Entry <= entry }
	p.facts = slices.DeleteFunc(p.facts, before)
	p.exceptions = slices.DeleteFunc(p.exceptions, before)
	for len(p.entries) > 0 && p.entries[0].Entries <= entry {
		p.entries = p.entries[1:]
	}
}

// size is how many rows wait.
func (p *pending) size(r *rows) int {
	return int(r.totals.Versions()) - int(p.fact) + r.exceptions.Raised() - int(p.exception) + len(p.facts) + len(p.exceptions) + len(p.entries)
}

// changes are the rows that wait, after the place from.
func (p *pending) changes(from Place, r *rows) []tableChanges {
	e := tableChanges{table: entries}
	for i := range p.entries {
		e.rows = append(e.rows, r.entry(&p.entries[i]))
	}
	f := tableChanges{table: facts, closings: later(p.facts, p.fact, func(n int64) domain.Position { return r.totals.Version(uint32(n)).Closed })}
	for n := p.fact; n < int64(r.totals.Versions()); n++ {
		f.rows = append(f.rows, r.fact(n))
	}
	x := tableChanges{table: exceptions, closings: later(p.exceptions, p.exception, func(n int64) domain.Position { return r.exceptions.At(int(n)).Settled })}
	for n := p.exception; n < int64(r.exceptions.Raised()); n++ {
		x.rows = append(x.rows, r.exception(n))
	}
	s := tableChanges{table: successions} // there are few: all are looked through
	for n := range int64(r.totals.Successions()) {
		if at := r.totals.Succession(int(n)).Closed; n >= p.succession {
			s.rows = append(s.rows, r.succession(n))
		} else if at.Entry > from.Entry {
			s.closings = append(s.closings, closing{n, at})
		}
	}
	return []tableChanges{e, f, s, x}
}

// later are the closings of rows that stand in the database already, as they are
// by now; the others come closed.
func later(list []closing, first int64, at func(n int64) domain.Position) (kept []closing) {
	for _, c := range list {
		if now := at(c.number); c.number < first && !now.IsZero() {
			kept = append(kept, closing{c.number, now})
		}
	}
	return kept
}

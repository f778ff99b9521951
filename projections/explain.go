package projections

import (
	"errors"
	"time"

	"roznamcha/domain"
)

// Explanation is what one cell of a table is made of.
type Explanation struct {
	// Table has the cell: the column asked for, which is several where it is of
	// several currencies, and no rows but the total (or the unplaced).
	Table *Table `json:"table"`
	// Parts are the facts, in the order in which they came to count. What they
	// add up to is the cell.
	Parts []Part `json:"parts"`
}

// Part is one fact of a cell.
type Part struct {
	// Position is that of the event that says it: the record's first, or an
	// amendment. Since is the position from which on it counts, where that is a
	// later one: the retraction of a record that was matched with this one, or a
	// succession that it straddles, or no longer does.
	Position domain.Position `json:"position"`
	Since    domain.Position `json:"since,omitzero"`
	// Through are the positions of the successions by which another answers for
	// it, in a question about who does.
	Through []domain.Position `json:"through,omitempty"`
	// Record is what the fact is about.
	Record domain.RecordID `json:"-"`
	// From and To are the first and the last day of when it happened (or was
	// reported), by the clock of the question; zero where it has no date.
	From, To domain.Day `json:"-"`
	// Quantity is a number of persons or records, or minor units of Currency;
	// it means nothing where the qualifier is unknown.
	Quantity  int64            `json:"-"`
	Qualifier domain.Qualifier `json:"-"`
	Currency  domain.Currency  `json:"-"`
}

// Dated tells whether it is known when p happened, if only in part.
func (p *Part) Dated() bool { return p.From != domain.MinDay || p.To != domain.MaxDay }

// Cell is p alone as a cell of its table would print it.
func (p *Part) Cell(decimals int) string {
	t := tally{}
	t.add(p.Quantity, p.Qualifier)
	c := Cell{Sum: t.sum(), Facts: 1, Given: true, minor: p.Currency.Decimals()}
	if p.Qualifier == domain.Unknown {
		return domain.Unknown.String()
	}
	c.print(decimals)
	return c.Text
}

// Explain lists the facts behind one cell: a question with one column and no
// grouping, whose filters say which cell. With unplaced it is the facts that
// are in no row because they are undated or only partly in the period. Errors as
// in Query.
func (t *Totals) Explain(q Query, unplaced bool) (*Explanation, error) {
	if len(q.Columns) != 1 || len(q.By) > 0 {
		return nil, errors.New("what is explained is one cell: one column, and filters for its row. Try: arrests --where city=Karachi")
	}
	table, err := t.Query(q)
	if err != nil {
		return nil, err
	}
	if q.YearStarts == 0 {
		q.YearStarts = time.January
	}
	out := &Explanation{Table: table, Parts: []Part{}}
	p := t.plan(q)
	through := p.through()
	for n := range t.rows.before(p.before) {
		r := t.rows.at(n)
		if r.closed < p.before || !p.holds(&r, unplaced) {
			continue
		}
		part := t.part(n, &r, q.Clock)
		for _, agency := range t.cells.of(r.cell, Successor) {
			part.Through = through[agency]
		}
		out.Parts = append(out.Parts, part)
	}
	return out, nil
}

// through are, by the number of each agency, the successions by which another
// answers for it; none where p does not ask who does.
func (p *plan) through() map[uint32][]domain.Position {
	all := make(map[uint32][]domain.Position)
	if !p.follows() {
		return all
	}
	by := make(map[string]succession)
	list, _ := p.totals.successions.standing(p.before)
	for _, one := range list {
		by[one.predecessor] = one
	}
	for n, agency := range p.totals.cells.values[Agency].texts {
		for one, ok := by[agency]; ok; one, ok = by[one.successor] {
			all[uint32(n)] = append(all[uint32(n)], one.opened.Position())
		}
	}
	return all
}

// holds tells whether r stands in the first column of p.
func (p *plan) holds(r *row, unplaced bool) bool {
	span := r.occurred
	if p.Clock == Reported {
		span = r.reported
	}
	cells, spans := &p.cells.all[p.cells.of[r.cell]], &p.spans.all[p.spans.of[span]]
	return cells.columns&spans.columns&1 != 0 && cells.lack(0)|spans.lack(0) == 0 && spans.unplaced == unplaced
}

// part is row n, which is r, as a part.
func (t *Totals) part(n uint32, r *row, clock Clock) Part {
	s := t.spans.all[r.occurred]
	if clock == Reported {
		s = t.spans.all[r.reported]
	}
	out := Part{Position: r.opened.Position(), Record: r.record, From: s.from, To: s.to, Quantity: r.quantity, Qualifier: r.qualifier}
	if version := t.versionOf(n); version != n {
		out.Position, out.Since = t.rows.at(version).opened.Position(), out.Position
	}
	if c := &t.cells.all[r.cell]; c.values[Currency] != 0 {
		out.Currency = domain.Currency(t.cells.values[Currency].texts[c.values[Currency]])
	}
	return out
}

package projections

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"roznamcha/domain"
)

// Difference is how a table changed between two moments: every cell that did,
// and what changed it.
type Difference struct {
	// Before and After are the table at the two moments.
	Before *Table `json:"before"`
	After  *Table `json:"after"`
	// Cells are those in which a fact came to stand or stopped standing, in the
	// order of After's rows and columns, also where it all evens out.
	Cells []CellChange `json:"cells"`
}

// CellChange is a cell that changed. Was and Is are what it is made of before
// and after: Is = Was + the sum of Parts, in every number of a Tally.
type CellChange struct {
	// Row is "row", "total" or "unplaced", Labels those of the row.
	Row    string   `json:"row"`
	Labels []string `json:"labels,omitempty"`
	// Column is what was asked for, Currency that of an amount.
	Column   Column       `json:"column"`
	Currency string       `json:"currency,omitempty"`
	Was      Tally        `json:"was"`
	Is       Tally        `json:"is"`
	Parts    []ChangePart `json:"parts"`

	// fresh is the part of the new facts until finish. There can be millions,
	// and each comes once, in order.
	fresh ChangePart
}

// ChangePart is what the changes of one kind did to a cell.
type ChangePart struct {
	Kind ChangeKind `json:"kind"`
	// Change is what they add to the cell; its numbers may be negative.
	Change Tally `json:"change"`
	// Positions are those of the events that did it, in order, at most
	// MaxPositions of them; Events is how many there are.
	Positions []domain.Position `json:"positions"`
	Events    int               `json:"events"`
}

// MaxPositions is how many positions a ChangePart names.
const MaxPositions = 1000

// Tally is what facts add up to, flags as numbers of facts, so that tallies can
// be added and taken away from one another.
type Tally struct {
	// Value is a number, or minor units of the currency, of the facts whose
	// number is known.
	Value int64 `json:"value"`
	// Facts is how many there are; Unknown, AtLeast and About how many of them
	// have that qualifier.
	Facts   int64 `json:"facts"`
	Unknown int64 `json:"unknown,omitempty"`
	AtLeast int64 `json:"at_least,omitempty"`
	About   int64 `json:"about,omitempty"`
}

// Sum is t as a cell has it; t must not be a change.
func (t Tally) Sum() domain.Sum {
	return domain.Sum{Value: t.Value, Unknown: t.Unknown, Lower: t.AtLeast > 0 || t.Unknown > 0, Approximate: t.About > 0}
}

// Whole tells whether the value has no part below one, of which so many decimals
// of minor units make one.
func (t Tally) Whole(minor int) bool { return t.Value%scale(minor) == 0 }

// Text is t as a cell prints it, with so many decimals shown: minor, or 0 where it
// is Whole.
func (t Tally) Text(minor, shown int) string {
	if shown == 0 {
		t.Value /= scale(minor)
	}
	return t.Sum().Format(shown)
}

// ChangeText is a change with its sign, and what it adds that is no number.
func (t Tally) ChangeText(minor, shown int) string {
	sign, value := "+", t.Value
	switch {
	case value < 0:
		sign, value = "−", -value
	case value == 0:
		sign = ""
	}
	text := sign + Tally{Value: value}.Text(minor, shown)
	if t.Unknown != 0 {
		text += fmt.Sprintf(" · %+d unknown", t.Unknown)
	}
	return text
}

func (t *Tally) add(u Tally) {
	t.Value += u.Value
	t.Facts += u.Facts
	t.Unknown += u.Unknown
	t.AtLeast += u.AtLeast
	t.About += u.About
}

func (t Tally) minus() Tally {
	return Tally{-t.Value, -t.Facts, -t.Unknown, -t.AtLeast, -t.About}
}

// tallyOf is one fact.
func tallyOf(r *row) Tally {
	t := Tally{Facts: 1}
	switch r.qualifier {
	case domain.Unknown:
		t.Unknown = 1
		return t
	case domain.AtLeast:
		t.AtLeast = 1
	case domain.About:
		t.About = 1
	}
	t.Value = r.quantity
	return t
}

// Diff compares the table that q asks for as known at two entries, of which the
// second is the later one; q.AsOf is not looked at. amendments must have been
// applied as far as t. Errors as in Query.
func (t *Totals) Diff(q Query, amendments *Amendments, from, to uint64) (*Difference, error) {
	if from > to {
		return nil, fmt.Errorf("entry %d comes after entry %d. Try: the earlier one first", from, to)
	}
	if from == 0 || to == 0 {
		return nil, fmt.Errorf("there is no entry 0. Try: an entry from 1 to %d", t.last)
	}
	if len(q.Columns) == 0 {
		q.Columns = DefaultColumns(t)
	}
	if q.YearStarts == 0 {
		q.YearStarts = time.January
	}
	q.Columns = distinct(q.Columns)
	out := &Difference{}
	var err error
	q.AsOf = from
	if out.Before, err = t.Query(q); err != nil {
		return nil, err
	}
	q.AsOf = to
	if out.After, err = t.Query(q); err != nil {
		return nil, err
	}
	d := &diff{totals: t, amendments: amendments, cells: make(map[string]*CellChange)}
	d.run(q, from, to, currenciesOf(out.Before, out.After))
	out.Cells = d.sorted(out.After, out.Before)
	return out, nil
}

// distinct are columns without those that were there before.
func distinct(columns []Column) (list []Column) {
	for _, c := range columns {
		if !slices.ContainsFunc(list, func(other Column) bool { return other.String() == c.String() }) {
			list = append(list, c)
		}
	}
	return list
}

// diff gathers what changed. A fact is looked at where it stands at one of the
// moments, or came and went between them.
type diff struct {
	totals     *Totals
	amendments *Amendments
	cells      map[string]*CellChange
}

// run goes through all rows. What stood before under another label than today's
// (a successor's) is moved there by the succession; everything else is what rows
// that were opened or closed in between do under today's labels.
func (d *diff) run(q Query, from, to uint64, currencies map[string][]string) {
	t := d.totals
	q.AsOf = from
	old := newLayout(t.plan(q), currencies, d.at)
	q.AsOf = to
	now := newLayout(t.plan(q), currencies, d.at)
	moves := t.successions.between(old.before, now.before)
	for n := range t.rows.before(now.before) {
		r := t.rows.at(n)
		if r.opened == r.closed {
			continue // kept, and never seen
		}
		is, one := now.of(&r), tallyOf(&r)
		if r.opened < old.before && r.closed >= old.before {
			was := old.of(&r)
			was.sum.add(one)
			if len(moves) > 0 && !slices.Equal(was.cells, is.cells) {
				move(was, is, one, moves)
			}
		}
		if r.closed >= now.before {
			is.sum.add(one)
		}
		if r.opened >= old.before {
			d.part(is, r.opened, one)
		}
		if r.closed >= old.before && r.closed < now.before {
			d.part(is, r.closed, one.minus())
		}
	}
	for _, f := range old.footings {
		for _, c := range f.cells {
			c.Was.add(f.sum)
		}
	}
	for _, f := range now.footings {
		for _, c := range f.cells {
			c.Is.add(f.sum)
		}
	}
}

// move takes a fact from where it stood to where successions have put it; of
// several, nobody can say which.
func move(was, is *footing, one Tally, moves []domain.Place) {
	for i, place := range moves {
		if i > 0 {
			one = Tally{}
		}
		for _, c := range was.cells {
			c.part(Succession, one.minus(), place.Position())
		}
		for _, c := range is.cells {
			c.part(Succession, one, place.Position())
		}
	}
}

func (d *diff) at(key cellKey) *CellChange {
	c, ok := d.cells[key.text]
	if !ok {
		c = &CellChange{Row: key.row, Labels: key.labels, Column: key.column, Currency: key.currency}
		d.cells[key.text] = c
	}
	return c
}

// part adds what the event at place did to the cells of f.
func (d *diff) part(f *footing, place domain.Place, change Tally) {
	if len(f.cells) == 0 {
		return
	}
	position := place.Position()
	kind := d.amendments.At(position).Kind
	for _, c := range f.cells {
		if kind == NewFact {
			c.fresh.add(change, position)
		} else {
			c.part(kind, change, position)
		}
	}
}

func (c *CellChange) part(kind ChangeKind, change Tally, position domain.Position) {
	i := slices.IndexFunc(c.Parts, func(p ChangePart) bool { return p.Kind == kind })
	if i < 0 {
		i = len(c.Parts)
		c.Parts = append(c.Parts, ChangePart{Kind: kind})
	}
	p := &c.Parts[i]
	p.Change.add(change)
	p.Positions = append(p.Positions, position)
}

// add adds one event more, which comes after those that p has.
func (p *ChangePart) add(change Tally, position domain.Position) {
	p.Change.add(change)
	if p.Events++; p.Events <= MaxPositions {
		p.Positions = append(p.Positions, position)
	}
}

// sorted are the cells that changed, in the order of the tables.
func (d *diff) sorted(tables ...*Table) []CellChange {
	rank := make(map[string]int)
	for _, t := range tables {
		t.each(func(kind string, row Row) {
			key := rowText(kind, row.Labels)
			if _, ok := rank[key]; !ok {
				rank[key] = len(rank)
			}
		})
	}
	kinds := map[string]int{"row": 0, "total": 1, "unplaced": 2}
	columns := make(map[string]int)
	for _, t := range tables {
		for _, c := range t.Columns {
			key := c.Column.String() + " " + c.Currency
			if _, ok := columns[key]; !ok {
				columns[key] = len(columns)
			}
		}
	}
	list := []CellChange{}
	for _, c := range d.cells {
		if c.finish(); len(c.Parts) == 0 {
			continue
		}
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b CellChange) int {
		return cmp.Or(
			cmp.Compare(kinds[a.Row], kinds[b.Row]),
			cmp.Compare(rank[rowText(a.Row, a.Labels)], rank[rowText(b.Row, b.Labels)]),
			cmp.Compare(columns[a.Column.String()+" "+a.Currency], columns[b.Column.String()+" "+b.Currency]),
		)
	})
	return list
}

// finish puts the parts, and their positions, in order, each event once.
func (c *CellChange) finish() {
	for i := range c.Parts {
		p := &c.Parts[i]
		slices.SortFunc(p.Positions, func(a, b domain.Position) int { return cmp.Compare(a.Place(), b.Place()) })
		p.Positions = slices.Compact(p.Positions)
		p.Events = len(p.Positions)
		p.Positions = slices.Clip(p.Positions[:min(len(p.Positions), MaxPositions)])
	}
	if c.fresh.Events > 0 {
		c.Parts = append(c.Parts, c.fresh)
	}
	slices.SortFunc(c.Parts, func(a, b ChangePart) int { return cmp.Compare(a.Kind, b.Kind) })
}

// rowText tells a row from every other.
func rowText(kind string, labels []string) string {
	return kind + "\x00" + strings.Join(labels, "\x00")
}

// between are the positions at which successions came to stand, or no longer
// stood, from one place up to before another.
func (s *successions) between(from, before domain.Place) (places []domain.Place) {
	for _, one := range s.all {
		for _, p := range []domain.Place{one.opened, one.closed} {
			if p >= from && p < before {
				places = append(places, p)
			}
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

package projections

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	// order of After's rows and columns, also where it all evens out; but not
	// where it evens out within one succession, which only moves facts.
	Cells []CellChange `json:"cells"`
}

// CellChange is a cell that changed. Was and Is are what it is made of before
// and after: Is = Was + the sum of Parts, in every number of a Tally.
type CellChange struct {
	// Row is "row", "total" or "unplaced", Labels those of the row.
	Row    string   `json:"row"`
	Labels []string `json:"labels,omitempty"`
	// Column is what was asked for, Currency that of an amount.
	Column   Column `json:"column"`
	Currency string `json:"currency,omitempty"`
	Was      Tally  `json:"was"`
	Is       Tally  `json:"is"`
	// WasGiven and IsGiven are as Cell.Given in the two tables. Low tells that the
	// cell may be too low in either: facts that do not have a dimension that it
	// names, or that a filter asks for, may belong there.
	WasGiven bool         `json:"was_given"`
	IsGiven  bool         `json:"is_given"`
	Low      bool         `json:"low,omitempty"`
	Parts    []ChangePart `json:"parts"`

	// fresh is what new facts add, and places are lists of theirs, until finish.
	fresh  Tally
	places [][]domain.Place
}

// Head is the cell's column as it is printed beside it, with its currency and
// its mark.
func (c *CellChange) Head() string {
	head := c.Column.String()
	if c.Currency != "" {
		head += " " + c.Currency
	}
	if c.Low {
		head += lowMark
	}
	return head
}

// WasText and IsText are what the cell was and is as a table prints it, with the
// decimals of Tally.Text.
func (c *CellChange) WasText(minor, shown int) string {
	return givenText(c.Was, c.WasGiven, minor, shown)
}

// IsText is what WasText says.
func (c *CellChange) IsText(minor, shown int) string { return givenText(c.Is, c.IsGiven, minor, shown) }

func givenText(t Tally, given bool, minor, shown int) string {
	if !given {
		return noFactsText
	}
	return t.Text(minor, shown)
}

// Notes are the lines to print below the cells: what their signs mean, and those
// of the table After that are about them.
func (d *Difference) Notes() []string {
	has := func(is func(*CellChange) bool) bool {
		return slices.ContainsFunc(d.Cells, func(c CellChange) bool { return is(&c) })
	}
	var marks []string
	if has(func(c *CellChange) bool { return c.Low }) {
		marks = slices.Clone(d.After.marks)
		for _, mark := range d.Before.marks {
			if !slices.Contains(marks, mark) {
				marks = append(marks, mark)
			}
		}
	}
	notes := append(legend(has(func(c *CellChange) bool { return !c.WasGiven || !c.IsGiven }), marks), d.After.remarks...)
	if !has(func(c *CellChange) bool { return c.Row == "unplaced" }) {
		notes = slices.DeleteFunc(notes, func(note string) bool { return note == unplacedNote })
	}
	return notes
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
		text += strings.Replace(fmt.Sprintf(" · %+d unknown", t.Unknown), "-", "−", 1)
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
	d := t.newDiff(q, amendments, from, to, currenciesOf(out.Before, out.After))
	d.run()
	out.Cells = d.sorted(out.After, out.Before)
	before, after := newPrinted(out.Before), newPrinted(out.After)
	for i := range out.Cells {
		c := &out.Cells[i]
		var wasLow, isLow bool
		c.WasGiven, wasLow = before.given(c, c.Was)
		c.IsGiven, isLow = after.given(c, c.Is)
		c.Low = (wasLow || isLow) && (len(q.Where)+len(c.Column.Filters) > 0 || nameSome(q.By, c.Labels))
	}
	return out, nil
}

// nameSome tells whether any label of a row is of facts that have its dimension.
func nameSome(by []Dimension, labels []string) bool {
	for i, label := range labels {
		if !by[i].isNone(label) {
			return true
		}
	}
	return false
}

// printed finds the cells of a table.
type printed struct {
	*Table
	rows map[string]Row
}

func newPrinted(t *Table) *printed {
	p := &printed{t, make(map[string]Row)}
	t.each(func(kind string, row Row) { p.rows[rowText(kind, row.Labels)] = row })
	return p
}

// given tells whether the table says what c is made of, and whether its column is
// low. Of a row that the table does not have it says that there is nothing, unless
// the column is low.
func (p *printed) given(c *CellChange, sum Tally) (given, low bool) {
	at := -1
	for i, column := range p.Columns {
		if column.Column.String() == c.Column.String() && (at < 0 || column.Currency == c.Currency) {
			at = i
		}
	}
	if at < 0 {
		return true, false
	}
	low = p.Columns[at].Low
	row, ok := p.rows[rowText(c.Row, c.Labels)]
	switch {
	case sum.Facts > 0:
		return true, low
	case ok && (p.Columns[at].Currency == c.Currency || p.Columns[at].Currency == ""):
		return row.Cells[at].Given, low
	}
	return !low, low
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
	// from and before are the places after the two moments, and places those of
	// the events about successions in between.
	from, before domain.Place
	places       []domain.Place
	// layouts tell where facts stand before the first of places, and from each
	// of them on. Neighbours are one and the same where none has moved.
	layouts []*layout
	// movers are, by cell, those of places that move its facts, nil where none
	// moves any; moved is what each of places has done to cells.
	movers [][]int
	moved  []map[*CellChange]Tally
}

func (t *Totals) newDiff(q Query, amendments *Amendments, from, to uint64, currencies map[string][]string) *diff {
	d := &diff{totals: t, amendments: amendments, cells: make(map[string]*CellChange), from: t.after(from), before: t.after(to)}
	d.places = t.successions.between(d.from, d.before)
	for range d.places {
		d.moved = append(d.moved, make(map[*CellChange]Tally))
	}
	q.AsOf = to
	d.layouts = append(d.layouts, newLayout(t.planBefore(q, d.from), currencies, d.at))
	for i, place := range d.places {
		layout := d.layouts[i]
		if next := t.successions.at(place + 1); q.follows() && !maps.Equal(layout.next, next) {
			layout = newLayout(t.planBefore(q, place+1), currencies, d.at)
			d.follow(i, next)
		}
		d.layouts = append(d.layouts, layout)
	}
	return d
}

// follow has place i among the movers of the cells that are another's from there
// on.
func (d *diff) follow(i int, next domain.Successors) {
	c := d.totals.cells
	other := make([]bool, len(c.values[Agency].texts))
	for n, agency := range c.values[Agency].texts {
		other[n] = d.layouts[i].next.Of(agency) != next.Of(agency)
	}
	if d.movers == nil {
		d.movers = make([][]int, len(c.all))
	}
	for cell := range c.all {
		for _, agency := range c.of(uint32(cell), Successor) {
			if other[agency] {
				d.movers[cell] = append(d.movers[cell], i)
			}
		}
	}
}

// run goes through all rows.
func (d *diff) run() {
	rows := &d.totals.rows
	for n := range rows.before(d.before) {
		if r := rows.at(n); r.opened != r.closed && r.closed >= d.from { // or it was never seen, or was over
			d.row(&r)
		}
	}
	for i := range d.places {
		d.settle(i)
	}
	for _, l := range slices.Compact(d.layouts) {
		for n := range l.footings {
			for _, c := range l.footings[n].cells {
				c.Was.add(l.was[n])
				c.fresh.add(l.fresh[n])
				if places := l.footings[n].places; len(places) > 0 {
					c.places = append(c.places, places)
				}
			}
		}
	}
}

// row looks at one row: where it came to stand, who moved it, and where it
// stopped standing.
func (d *diff) row(r *row) {
	one := tallyOf(r)
	first, last := 0, len(d.places)
	if r.opened < d.from {
		l := d.layouts[0]
		l.was[l.of(r)].add(one)
	} else {
		first, _ = slices.BinarySearch(d.places, r.opened+1)
		d.part(d.layouts[first], r, r.opened, one)
	}
	if r.closed < d.before {
		last, _ = slices.BinarySearch(d.places, r.closed)
		d.part(d.layouts[last], r, r.closed, one.minus())
	}
	if d.movers == nil {
		return
	}
	for _, i := range d.movers[r.cell] {
		if i >= first && i < last {
			l := d.layouts[i]
			l.footings[l.of(r)].moveTo(d.layouts[i+1].of(r), one)
		}
	}
}

// settle tells what the event at place i has done. What it takes out of a cell
// and puts back into it is no change: a succession changes no total.
func (d *diff) settle(i int) {
	if next := d.layouts[i+1]; next != d.layouts[i] {
		for _, f := range d.layouts[i].footings {
			for _, m := range f.moves {
				d.move(i, f.cells, m.facts.minus())
				d.move(i, next.footings[m.to].cells, m.facts)
			}
		}
	}
	position := d.places[i].Position()
	kind := d.amendments.At(position).Kind.ofSuccession()
	for c, change := range d.moved[i] {
		if change != (Tally{}) {
			c.part(kind, change, position)
		}
	}
}

// move adds what the event at place i did to some cells.
func (d *diff) move(i int, cells []*CellChange, change Tally) {
	for _, c := range cells {
		sum := d.moved[i][c]
		sum.add(change)
		d.moved[i][c] = sum
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

// part adds what the event at place did to the cells in which r stands.
func (d *diff) part(l *layout, r *row, place domain.Place, change Tally) {
	n := l.of(r)
	if n == 0 {
		return
	}
	f := &l.footings[n]
	if i, ok := slices.BinarySearch(d.places, place); ok {
		d.move(i, f.cells, change)
		return
	}
	position := place.Position()
	kind := d.amendments.At(position).Kind
	if kind == NewFact { // of which there can be millions; each comes once, in order
		l.fresh[n].add(change)
		if len(f.places) < MaxPositions {
			f.places = append(f.places, place)
		}
		return
	}
	for _, c := range f.cells {
		c.part(kind, change, position)
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

// sorted are the cells that changed, in the order of the tables; those of a row or
// a currency that neither table has, since it came and went, after the others.
func (d *diff) sorted(tables ...*Table) []CellChange {
	rows, columns := make(ranks), make(ranks)
	for _, t := range tables {
		t.each(func(kind string, row Row) { rows.add(rowText(kind, row.Labels)) })
		for _, c := range t.Columns {
			columns.add(columnText(c.Column, c.Currency))
		}
	}
	kinds := ranks{"row": 0, "total": 1, "unplaced": 2}
	type ranked struct {
		*CellChange
		kind, row, column int
		rowText, text     string
	}
	finish(slices.Collect(maps.Values(d.cells)))
	var all []ranked
	for text, c := range d.cells {
		if len(c.Parts) > 0 {
			row := rowText(c.Row, c.Labels)
			all = append(all, ranked{c, kinds.of(c.Row), rows.of(row), columns.of(columnText(c.Column, c.Currency)), row, text})
		}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(
			cmp.Compare(a.kind, b.kind),
			cmp.Compare(a.row, b.row), strings.Compare(a.rowText, b.rowText),
			cmp.Compare(a.column, b.column), strings.Compare(a.text, b.text),
		)
	})
	list := make([]CellChange, len(all))
	for i, c := range all {
		list[i] = *c.CellChange
	}
	return list
}

// ranks are the places of texts in an order.
type ranks map[string]int

// add puts text last, unless it has a place.
func (r ranks) add(text string) {
	if _, ok := r[text]; !ok {
		r[text] = len(r)
	}
}

// of is the place of text: after all others where it has none.
func (r ranks) of(text string) int {
	if at, ok := r[text]; ok {
		return at
	}
	return len(r)
}

// finish finishes cells, on every core.
func finish(cells []*CellChange) {
	var work sync.WaitGroup
	for some := range slices.Chunk(cells, max(1, len(cells)/runtime.GOMAXPROCS(0))) {
		work.Go(func() {
			for _, c := range some {
				c.finish()
			}
		})
	}
	work.Wait()
}

// finish adds the part of the new facts, puts the parts, and their positions, in
// order, each event once, and adds up what the cell is.
func (c *CellChange) finish() {
	for i := range c.Parts {
		p := &c.Parts[i]
		slices.SortFunc(p.Positions, func(a, b domain.Position) int { return cmp.Compare(a.Place(), b.Place()) })
		p.Positions = slices.Compact(p.Positions)
		p.Events = len(p.Positions)
		p.Positions = slices.Clip(p.Positions[:min(len(p.Positions), MaxPositions)])
	}
	if c.fresh.Facts > 0 {
		c.Parts = append(c.Parts, c.newFacts())
	}
	slices.SortFunc(c.Parts, func(a, b ChangePart) int { return cmp.Compare(a.Kind, b.Kind) })
	c.Is = c.Was
	for _, p := range c.Parts {
		c.Is.add(p.Change)
	}
}

// newFacts is the part of the new facts.
func (c *CellChange) newFacts() ChangePart {
	places := least(MaxPositions, c.places)
	p := ChangePart{Kind: NewFact, Change: c.fresh, Events: int(c.fresh.Facts), Positions: make([]domain.Position, len(places))}
	for i, place := range places {
		p.Positions[i] = place.Position()
	}
	return p
}

// least are the n least places of lists that are in order, of which none is empty.
func least(n int, lists [][]domain.Place) (all []domain.Place) {
	if len(lists) == 1 {
		return lists[0][:min(len(lists[0]), n)]
	}
	slices.SortFunc(lists, func(a, b []domain.Place) int { return cmp.Compare(a[0], b[0]) })
	lists = lists[:min(len(lists), n)]
	for _, list := range lists {
		if len(lists) == n { // whose first ones are n already
			end, _ := slices.BinarySearch(list, lists[n-1][0]+1)
			list = list[:end]
		}
		all = append(all, list...)
	}
	slices.Sort(all)
	return all[:min(len(all), n)]
}

// columnText tells a column in one currency from every other.
func columnText(column Column, currency string) string { return column.String() + " " + currency }

// rowText tells a row from every other.
func rowText(kind string, labels []string) string {
	return kind + "\x00" + strings.Join(labels, "\x00")
}

package projections

import (
	"slices"
	"strings"

	"roznamcha/domain"
)

// layout tells in which cells of a difference a row of the facts stands.
type layout struct {
	*plan
	// slots are the footings of the pairs, 0 where there is none yet.
	slots slots
	// footings are all that there are; the first is for what stands nowhere. was
	// is, by footing, the facts that stand there at the first of two moments, and
	// fresh those that are new since. (They stand apart, for every fact is added to
	// one of them.)
	footings   []footing
	was, fresh []Tally
	// currencies are those of the columns of amounts, by column.
	currencies map[string][]string
	// cell is the cell of that name.
	cell func(cellKey) *CellChange
}

// footing is where the facts of a pair of classes stand: their rows, and the
// total or the unplaced.
type footing struct {
	cells []*CellChange
	// places are those of the first new facts, at most MaxPositions.
	places []domain.Place
	// moves are facts that a succession takes to footings of the next layout.
	moves []move
}

// move is facts that a succession takes from one footing to that of a number.
type move struct {
	to    uint32
	facts Tally
}

// moveTo moves a fact.
func (f *footing) moveTo(to uint32, fact Tally) {
	for i := range f.moves {
		if f.moves[i].to == to {
			f.moves[i].facts.add(fact)
			return
		}
	}
	f.moves = append(f.moves, move{to, fact})
}

// cellKey names a cell; text tells it from every other.
type cellKey struct {
	row      string
	labels   []string
	column   Column
	currency string
	text     string
}

func newLayout(p *plan, currencies map[string][]string, cell func(cellKey) *CellChange) *layout {
	l := &layout{plan: p, slots: newSlots(p), currencies: currencies, cell: cell}
	l.add(footing{})
	return l
}

// currenciesOf are the currencies that each column of some tables has.
func currenciesOf(tables ...*Table) map[string][]string {
	currencies := make(map[string][]string)
	for _, t := range tables {
		for _, c := range t.Columns {
			list := currencies[c.Column.String()]
			if c.Currency != "" && !slices.Contains(list, c.Currency) {
				currencies[c.Column.String()] = append(list, c.Currency)
			}
		}
	}
	return currencies
}

// add enters a footing and returns its number.
func (l *layout) add(f footing) uint32 {
	l.footings = append(l.footings, f)
	l.was, l.fresh = append(l.was, Tally{}), append(l.fresh, Tally{})
	return uint32(len(l.footings) - 1)
}

// of is the number of the footing where r stands, 0 for nowhere.
func (l *layout) of(r *row) uint32 {
	span := r.occurred
	if l.Clock == Reported {
		span = r.reported
	}
	of := pair{l.cells.of[r.cell], l.spans.of[span]}
	if of.cells == 0 || of.spans == 0 {
		return 0
	}
	n := l.slots.get(of)
	if n == 0 {
		var f footing
		for _, key := range l.keys(of) {
			f.cells = append(f.cells, l.cell(key))
		}
		n = l.add(f)
		l.slots.set(of, n)
	}
	return n
}

// keys are the cells in which the facts of a pair stand.
func (l *layout) keys(of pair) (keys []cellKey) {
	cells, spans := &l.cells.all[of.cells], &l.spans.all[of.spans]
	for i, column := range l.Columns {
		if cells.columns&spans.columns&(1<<i) == 0 || cells.lack(i)|spans.lack(i) != 0 {
			continue
		}
		for _, currency := range l.columnsOf(column, cells.currency) {
			add := func(row string, labels []string) {
				keys = append(keys, cellKey{row, labels, column, currency,
					rowText(row, labels) + "\x01" + column.String() + "\x01" + currency})
			}
			if spans.unplaced {
				add("unplaced", nil)
				continue
			}
			for _, labels := range l.labels(cells, spans) {
				add("row", labels)
			}
			add("total", nil)
		}
	}
	return keys
}

// columnsOf are the currencies in whose columns a fact of this one stands: of
// none, and so of an unknown amount, in every one that the column has.
func (l *layout) columnsOf(column Column, currency uint32) []string {
	if currency != 0 {
		return []string{l.totals.cells.values[Currency].texts[currency]}
	}
	if list := l.currencies[column.String()]; len(list) > 0 {
		return list
	}
	return []string{""}
}

// rowLabels are the labels that r stands under, in one text.
func (l *layout) rowLabels(r *row) string {
	span := r.occurred
	if l.Clock == Reported {
		span = r.reported
	}
	var text []string
	for _, labels := range l.labels(&l.cells.all[l.cells.of[r.cell]], &l.spans.all[l.spans.of[span]]) {
		text = append(text, rowText("", labels))
	}
	return strings.Join(text, "\x01")
}

// labels are the labels of the rows in which facts of two classes stand.
func (l *layout) labels(cells, spans *class) (rows [][]string) {
	if len(l.axes) == 0 {
		return nil
	}
	rows = [][]string{nil}
	for i, a := range l.axes {
		on := cells.labels[i]
		if on == nil {
			on = spans.labels[i]
		}
		var longer [][]string
		for _, row := range rows {
			for _, label := range on {
				longer = append(longer, append(row[:len(row):len(row)], a.label(label)))
			}
		}
		rows = longer
	}
	return rows
}

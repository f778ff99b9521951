package projections

import "slices"

// layout tells in which cells of a table a row of the facts stands.
type layout struct {
	*plan
	// known are the cells of a class of cells with a class of spans.
	known map[pair][]cellKey
	// currencies are those of the columns of amounts, by column.
	currencies map[string][]string
}

// cellKey names a cell; text tells it from every other.
type cellKey struct {
	row      string
	labels   []string
	column   Column
	currency string
	text     string
}

func newLayout(p *plan, currencies map[string][]string) *layout {
	return &layout{plan: p, known: make(map[pair][]cellKey), currencies: currencies}
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

// each hands over the cells in which r stands.
func (l *layout) each(r *row, visit func(cellKey)) {
	for _, key := range l.keys(r) {
		visit(key)
	}
}

// keys are the cells in which r stands: its rows, and the total or the unplaced.
func (l *layout) keys(r *row) []cellKey {
	span := r.occurred
	if l.Clock == Reported {
		span = r.reported
	}
	of := pair{l.cells.of[r.cell], l.spans.of[span]}
	if of.cells == 0 || of.spans == 0 {
		return nil
	}
	keys, ok := l.known[of]
	if !ok {
		keys = l.make(of)
		l.known[of] = keys
	}
	return keys
}

func (l *layout) make(of pair) (keys []cellKey) {
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

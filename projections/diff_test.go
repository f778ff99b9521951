package projections

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

// someHistory is a ledger of random events, with its amendments.
func someHistory(t *rapid.T) (*historian, *Amendments) {
	h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}}
	amendments := NewAmendments()
	h.ps = []Projection{h.totals, amendments}
	h.entry([]string{"junk"})
	h.entry([]string{h.line(event(domain.Office, "l", &domain.LedgerOpened{Name: "l", HomeCountry: "PK", Zone: "Asia/Karachi", Rules: 1}))})
	for range rapid.IntRange(1, 25).Draw(t, "entries") {
		h.write()
	}
	return h, amendments
}

// What a cell is said to be made of adds up to it, whatever was asked.
func TestExplanationsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, _ := someHistory(t)
		for range 6 {
			explanationsAddUp(t, h, h.query())
		}
	})
}

// explanationsAddUp holds every cell of the table that q asks for against what it is
// said to be made of.
func explanationsAddUp(t rapid.TB, h *historian, q Query) {
	table, err := h.totals.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	table.each(func(kind string, row Row) {
		for i, cell := range row.Cells {
			one := q
			one.By, one.Columns = nil, []Column{table.Columns[i].Column}
			one.Where = append([]Filter{}, q.Where...)
			for d, label := range row.Labels {
				one.Where = append(one.Where, Filter{q.By[d], []string{label}})
			}
			got, err := h.totals.Explain(one, kind == "unplaced")
			if err != nil {
				t.Fatal(err)
			}
			sum := tally{}
			for _, p := range got.Parts {
				if p.Currency == "" || string(p.Currency) == cell.Currency {
					sum.add(p.Quantity, p.Qualifier)
				}
			}
			if sum.sum() != cell.Sum || sum.facts != cell.Facts {
				t.Errorf("%+v\n%s %v, column %s %s: the cell is %+v of %d facts, its parts %+v", q, kind, row.Labels, table.Columns[i].Column, cell.Currency, cell.Sum, cell.Facts, sum)
			}
		}
	})
}

// Between any two moments, what a cell was and the changes add up to what it is,
// and every cell that changed is there.
func TestDifferencesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, amendments := someHistory(t)
		for range 6 {
			q := h.query()
			to := rapid.Uint64Range(1, h.reg.Last()).Draw(t, "to")
			from := rapid.Uint64Range(1, to).Draw(t, "from")
			differencesAddUp(t, h, amendments, q, from, to)
		}
	})
}

// differencesAddUp holds what is told to have changed between two entries against
// the tables of both.
func differencesAddUp(t rapid.TB, h *historian, amendments *Amendments, q Query, from, to uint64) {
	d, err := h.totals.Diff(q, amendments, from, to)
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]CellChange)
	for _, c := range d.Cells {
		sum := c.Was
		for _, p := range c.Parts {
			sum.add(p.Change)
			for _, at := range p.Positions {
				if at.Entry <= from || at.Entry > to {
					t.Errorf("%v changed %v between %d and %d", at, c.Labels, from, to)
				}
			}
		}
		if sum != c.Is {
			t.Errorf("%+v %d..%d\n%s %v %s %s: was %+v, is %+v, and the parts make it %+v", q, from, to, c.Row, c.Labels, c.Column, c.Currency, c.Was, c.Is, sum)
		}
		told[rowText(c.Row, c.Labels)+" "+c.Column.String()+" "+c.Currency] = c
	}
	currencies := currenciesOf(d.Before, d.After)
	before, after := cellsOf(d.Before, currencies), cellsOf(d.After, currencies)
	for key := range after {
		if c, ok := told[key]; ok && (c.Is.Sum() != after[key].Sum || c.Is.Facts != after[key].Facts) {
			t.Errorf("%s: the change ends at %+v, the table says %+v", key, c.Is, after[key].Sum)
		} else if !ok && after[key].Sum != before[key].Sum {
			t.Errorf("%+v %d..%d\n%s: was %+v, is %+v, and nothing is told of it", q, from, to, key, before[key].Sum, after[key].Sum)
		}
	}
	for key := range before {
		if c, ok := told[key]; ok && (c.Was.Sum() != before[key].Sum || c.Was.Facts != before[key].Facts) {
			t.Errorf("%s: the change begins at %+v, the table says %+v", key, c.Was, before[key].Sum)
		} else if _, there := after[key]; !ok && !there && before[key].Facts > 0 {
			t.Errorf("%+v %d..%d\n%s: was %+v, and nothing is told of its end", q, from, to, key, before[key].Sum)
		}
	}
}

// cellsOf are the cells of a table by row, column and currency. What is of no
// currency is in a column of its own only where there is no other.
func cellsOf(table *Table, currencies map[string][]string) map[string]Cell {
	cells := make(map[string]Cell)
	table.each(func(kind string, row Row) {
		for i, c := range row.Cells {
			name := table.Columns[i].Column.String()
			of := currencies[name]
			if len(of) == 0 || c.Currency != "" {
				of = []string{c.Currency}
			}
			for _, currency := range of {
				cells[rowText(kind, row.Labels)+" "+name+" "+currency] = c
			}
		}
	})
	return cells
}

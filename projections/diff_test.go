package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"roznamcha/domain"
)

// someHistory is a ledger of random events, with its amendments.
func someHistory(t *rapid.T, ps ...Projection) (*historian, *Amendments) {
	h := &historian{rt: t, book: &book{t: t, reg: domain.NewRegister(), now: time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), totals: NewTotals()}}
	amendments := NewAmendments()
	h.ps = append(ps, h.totals, amendments)
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
		m := newModel()
		m.keepSteps = true
		h, amendments := someHistory(t, m)
		for range 6 {
			q := h.query()
			to := rapid.Uint64Range(1, h.reg.Last()).Draw(t, "to")
			from := rapid.Uint64Range(1, to).Draw(t, "from")
			differencesAddUp(t, h, amendments, q, from, to)
			everyPartIsTrue(t, h, amendments, m, q, from, to)
		}
	})
}

// everyPartIsTrue holds what is told of each cell against what each line did to
// it: the parts are the changes of their kind, and a position of a succession is
// named where it changed the cell, and nowhere else.
func everyPartIsTrue(t rapid.TB, h *historian, amendments *Amendments, m *model, q Query, from, to uint64) {
	d, err := h.totals.Diff(q, amendments, from, to)
	if err != nil {
		t.Fatal(err)
	}
	type part struct {
		cell string
		kind ChangeKind
	}
	want, at := make(map[part]Tally), make(map[part][]domain.Position)
	currencies := currenciesOf(d.Before, d.After)
	for _, s := range m.steps {
		if s.position.Entry <= from || s.position.Entry > to {
			continue
		}
		changes := m.tallies(&s.after, q, currencies)
		for cell, was := range m.tallies(&s.before, q, currencies) {
			sum := changes[cell]
			sum.add(was.minus())
			changes[cell] = sum
		}
		for cell, change := range changes {
			if change != (Tally{}) {
				key := part{cell, s.kind}
				sum := want[key]
				sum.add(change)
				want[key], at[key] = sum, append(at[key], s.position)
			}
		}
	}
	for _, c := range d.Cells {
		cell := strings.Join(append([]string{c.Row}, c.Labels...), "/") + " " + c.Column.String() + " " + c.Currency
		for _, p := range c.Parts {
			key := part{cell, p.Kind}
			if p.Change != want[key] {
				t.Errorf("%+v %d..%d\n%s: %s is told to change %+v, and changed %+v", q, from, to, cell, p.Kind, p.Change, want[key])
			}
			if p.Kind >= Succession && !slices.Equal(p.Positions, at[key]) {
				t.Errorf("%+v %d..%d\n%s: changed by the %s at %v, told are %v", q, from, to, cell, p.Kind, at[key], p.Positions)
			}
			for _, position := range at[key] {
				if !slices.Contains(p.Positions, position) {
					t.Errorf("%+v %d..%d\n%s: nothing is told of the %s at %v", q, from, to, cell, p.Kind, position)
				}
			}
			delete(want, key)
		}
	}
	for key, change := range want {
		if change != (Tally{}) || key.kind >= Succession {
			t.Errorf("%+v %d..%d\n%s: %s changed %+v, and nothing is told of it", q, from, to, key.cell, key.kind, change)
		}
	}
}

// A succession is blamed for what it moved, and for nothing else; undone and
// redone it is told as what it is.
func TestDifferencesOfSuccessions(t *testing.T) {
	amendments := NewAmendments()
	b := newBook(t, amendments)
	police := domain.Diary{Agency: "police", Unit: "x"}
	b.write(raid(wing, "1", "Karachi", "2025-02-03"), raid(wing, "2", "Karachi", "2025-02-03"), raid(karachi, "3", "Karachi", "2025-05-03"))
	b.write(raid(police, "4", "Karachi", "2025-02-03"))
	succeeded := func(subject, predecessor, successor string) *domain.Event {
		return event(domain.Office, subject, &domain.AgencySucceeded{Predecessor: predecessor, Successor: successor, Effective: period("2025-04")})
	}
	took := succeeded("s1", "fia", "nccia")
	b.write(took)
	b.write(succeeded("s2", "police", "anf"))
	b.write(b.retract(took))
	b.write(b.correct(took, took.Data))
	b.write(b.correct(took, took.Data)) // which moves nothing
	for _, c := range []struct {
		from, to uint64
		by       Dimension
		want     string
	}{
		{3, 5, Successor, "anf 0 1: +1 succession 5:1 · police 1 0: −1 succession 5:1 · nccia 1 3: +2 succession 4:1 · fia 2 0: −2 succession 4:1"},
		{5, 7, Successor, "nccia 3 3: −2 succession undone 6:1, +2 succession redone 7:1 · fia 0 0: +2 succession undone 6:1, −2 succession redone 7:1"},
		{7, 8, Successor, ""},
		{3, 8, Agency, ""},
	} {
		d, err := b.totals.Diff(Query{Columns: []Column{{Measure: Raids}}, By: []Dimension{c.by}}, amendments, c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, cell := range d.Cells {
			var parts []string
			for _, p := range cell.Parts {
				parts = append(parts, fmt.Sprint(p.Change.ChangeText(0, 0), " ", p.Kind, " ", strings.Trim(fmt.Sprint(p.Positions), "[]")))
			}
			cells = append(cells, fmt.Sprint(cell.Row, "/", strings.Join(cell.Labels, ","), " ", cell.Was.Value, " ", cell.Is.Value, ": ", strings.Join(parts, ", ")))
		}
		slices.Sort(cells)
		want := strings.Split(c.want, " · ")
		for i := range want {
			want[i] = "row/" + want[i]
		}
		slices.Sort(want)
		if got := strings.Join(cells, " · "); c.want == "" && got != "" || c.want != "" && got != strings.Join(want, " · ") {
			t.Errorf("%d..%d by %s:\n%s\nwant\n%s", c.from, c.to, c.by, got, strings.Join(want, " · "))
		}
	}
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
		if c, ok := told[key]; ok && (c.Is.Sum() != after[key].Sum || c.Is.Facts != after[key].Facts || c.IsGiven != after[key].Given) {
			t.Errorf("%s: the change ends at %+v, the table says %+v", key, c.Is, after[key].Sum)
		} else if !ok && after[key].Sum != before[key].Sum && hasColumn(d.Before, key) {
			t.Errorf("%+v %d..%d\n%s: was %+v, is %+v, and nothing is told of it", q, from, to, key, before[key].Sum, after[key].Sum)
		}
	}
	for key := range before {
		if c, ok := told[key]; ok && (c.Was.Sum() != before[key].Sum || c.Was.Facts != before[key].Facts || c.WasGiven != before[key].Given) {
			t.Errorf("%s: the change begins at %+v, the table says %+v", key, c.Was, before[key].Sum)
		} else if _, there := after[key]; !ok && !there && before[key].Facts > 0 && hasColumn(d.After, key) {
			t.Errorf("%+v %d..%d\n%s: was %+v, and nothing is told of its end", q, from, to, key, before[key].Sum)
		}
	}
}

// hasColumn tells whether a table has the column of a key of cellsOf. A column of
// a currency that came later does not say what facts of no currency it would have
// had.
func hasColumn(table *Table, key string) bool {
	return slices.ContainsFunc(table.Columns, func(c TableColumn) bool {
		name := " " + c.Column.String() + " "
		return strings.HasSuffix(key, name+c.Currency) || c.Currency == "" && strings.Contains(key, name)
	})
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

// Cells come in the order of the tables, and those of rows and currencies that
// came and went after the others, in the same order each time.
func TestDifferencesAreInOrder(t *testing.T) {
	amendments := NewAmendments()
	b := newBook(t, amendments)
	b.write(raid(karachi, "1", "Karachi", "2025-05-03"), recovery(karachi, "1", "Karachi", "2025-05-03", pkr(5)))
	var gone []*domain.Event
	for i, city := range []string{"Quetta", "Multan", "Lahore", "Sukkur", "Swat"} {
		gone = append(gone, raid(lahore, fmt.Sprint(i), city, "2025-05-03"))
	}
	for i, currency := range []domain.Currency{"USD", "EUR", "GBP"} {
		gone = append(gone, recovery(lahore, fmt.Sprint(i), "Karachi", "2025-05-03", domain.Amount{Minor: 1, Currency: currency}))
	}
	b.write(append(gone, raid(karachi, "2", "Rawalpindi", "2025-05-03"))...)
	for _, e := range gone {
		b.write(b.retract(e))
	}
	for range 3 {
		d, err := b.totals.Diff(Query{By: []Dimension{City}}, amendments, 2, b.reg.Last())
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, c := range d.Cells {
			cells = append(cells, strings.Join(append(c.Labels, c.Head()), " "))
		}
		const want = "Karachi recovered EUR · Karachi recovered GBP · Karachi recovered USD · Rawalpindi raids · " +
			"Lahore raids · Multan raids · Quetta raids · Sukkur raids · Swat raids · " +
			"raids · recovered EUR · recovered GBP · recovered USD"
		if got := strings.Join(cells, " · "); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

// Of more new facts than are listed the first are, from whichever lists they come.
func TestTheFirstNewFactsAreListed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		var all []domain.Place
		lists := make([][]domain.Place, rapid.IntRange(1, 12).Draw(t, "lists"))
		for at := range domain.Place(40) {
			if i := rapid.IntRange(-1, len(lists)-1).Draw(t, "list"); i >= 0 {
				lists[i], all = append(lists[i], at), append(all, at)
			}
		}
		lists = slices.DeleteFunc(lists, func(list []domain.Place) bool { return len(list) == 0 })
		if got, want := least(n, lists), all[:min(n, len(all))]; !slices.Equal(got, want) {
			t.Errorf("of %v the least %d are %v", lists, n, got)
		}
	})
}

// What stands below a difference is about the cells that are in it: a table's
// signs and words that none of them has are not told.
func TestNotesOfADifferenceAreAboutItsCells(t *testing.T) {
	amendments := NewAmendments()
	b := newBook(t, amendments)
	nowhere := raid(karachi, "1", "", "2025-05-03")
	b.write(nowhere, arrest(karachi, "1", "Karachi", "2025-05-03", 3, "CN"), arrest(karachi, "2", "Lahore", "unknown", 3, "CN"))
	b.write(arrest(karachi, "3", "Karachi", "2025-05-04", 1, "CN"))
	b.write(raid(karachi, "2", "Karachi", "2025-05-04"))
	b.write(raid(karachi, "3", "Karachi", "2025-05-04"))
	b.write(b.retract(nowhere))
	b.write(arrest(karachi, "4", "Karachi", "2025-05/2025-06", 1, "CN"))
	const (
		low      = "† some facts name no city: cells may be too low"
		unplaced = "unplaced: undated, or only partly in the period; not in the total"
	)
	for to, want := range map[uint64][]string{3: nil, 4: {"— not given · " + low}, 5: {low}, 6: nil, 7: {unplaced}} {
		d, err := b.totals.Diff(Query{By: []Dimension{City}, Period: period("2025-05")}, amendments, to-1, to)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Notes(); !slices.Equal(got, want) {
			t.Errorf("%d..%d: %q, want %q", to-1, to, got, want)
		}
	}
}

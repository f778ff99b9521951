package projections

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"roznamcha/domain"
)

// Texts of a printed table.
const (
	notGivenText = "not given"
	noFactsText  = "—"
	lowMark      = "†"
)

// Table is an answer of the totals: what a person reads, and what a program
// does. It holds every text as it is printed; only the layout is left to who
// prints it.
type Table struct {
	// Period is the period asked for, "" for all time, by Clock; its days are
	// those of Zone.
	Period     string   `json:"period,omitempty"`
	Clock      Clock    `json:"clock"`
	Zone       string   `json:"zone"`
	YearStarts int      `json:"year_starts,omitempty"`
	Where      []Filter `json:"where,omitempty"`
	// By heads the labels of the rows.
	By      []Dimension   `json:"by"`
	Columns []TableColumn `json:"columns"`
	Rows    []Row         `json:"rows"`
	// Total is the sum of all facts that the table counts, each once.
	Total Row `json:"total"`
	// Unplaced is what is undated or only partly in the period: it is in no row
	// and not in the total. Nil where there is none.
	Unplaced *Row `json:"unplaced,omitempty"`
	// Notes are the lines to print below the table, such as what † means.
	Notes    []string `json:"notes,omitempty"`
	Citation Citation `json:"citation"`

	// marks are what † means, and remarks the notes that are not about signs.
	marks, remarks []string
}

// TableColumn is a column of a Table.
type TableColumn struct {
	// Column is what was asked for, as ParseColumn reads it.
	Column Column `json:"column"`
	// Currency is that of an amount, "" where none is known.
	Currency string `json:"currency,omitempty"`
	// Group is printed above neighbouring columns of the same measure, "" for
	// none; Label above this one, and † after it where Low.
	Group string `json:"group,omitempty"`
	Label string `json:"label"`
	// Low says that some facts do not have a dimension that the rows are grouped
	// by, or that a filter asks for: the column's cells may be too low.
	Low bool `json:"low,omitempty"`
	// Decimals is how many of the value's decimals are printed; the values are
	// held with Minor of them.
	Decimals int `json:"-"`
	Minor    int `json:"-"`
}

// Head is what is printed above the column.
func (c TableColumn) Head() string {
	if c.Low {
		return c.Label + lowMark
	}
	return c.Label
}

// Row is a row of a Table.
type Row struct {
	// Labels are its values of the dimensions of By, as a filter has them:
	// domain.NotGiven for facts that do not have the dimension, "in no one
	// year" (quarter, month) for those that do not lie wholly in one. The total
	// has none.
	Labels []string `json:"labels,omitempty"`
	Cells  []Cell   `json:"cells"`
}

// Texts are the row's labels as they are printed.
func (r Row) Texts() []string {
	texts := slices.Clone(r.Labels)
	for i, label := range texts {
		if label == domain.NotGiven {
			texts[i] = notGivenText
		}
	}
	return texts
}

// Cell is one number.
type Cell struct {
	// Sum is the number, in minor units where it is an amount of Currency.
	Sum      domain.Sum
	Currency string
	minor    int
	// Facts is how many facts it is made of.
	Facts int64
	// Given is false where nobody can say that there is nothing: no fact stands
	// here, and some facts of the column may belong here. It prints —.
	Given bool
	// Text is the cell as printed.
	Text string
}

// MarshalJSON writes a count as a number, an amount as a decimal string, and
// null for what is not given.
func (c Cell) MarshalJSON() ([]byte, error) {
	out := struct {
		Value       any    `json:"value"`
		Unknown     int64  `json:"unknown,omitempty"`
		Lower       bool   `json:"lower,omitempty"`
		Approximate bool   `json:"approximate,omitempty"`
		Facts       int64  `json:"facts"`
		Text        string `json:"text"`
	}{nil, c.Sum.Unknown, c.Sum.Lower, c.Sum.Approximate, c.Facts, c.Text}
	if c.Given {
		out.Value = c.Sum.Value
		if c.Currency != "" {
			out.Value = domain.FormatMinor(c.Sum.Value, c.minor)
		}
	}
	return json.Marshal(out)
}

// doubt is why c is not an exact number; "" where it is.
func (c Cell) doubt() string {
	switch {
	case !c.Given:
		return notGivenText
	case c.Sum.Unknown > 0:
		return "partly unknown"
	case c.Sum.Lower:
		return "a lower bound"
	case c.Sum.Approximate:
		return "an approximation"
	}
	return ""
}

// Citation says what a table was made from, so that it can be made again.
type Citation struct {
	Ledger string `json:"ledger"`
	// Entry is the last entry known of, recorded at Recorded.
	Entry    uint64    `json:"entry"`
	Recorded time.Time `json:"recorded,omitzero"`
	Rules    int       `json:"rules"`
	// State is the register's state hash after Entry, in hexadecimal; "" where
	// whoever asked has not the register of that entry.
	State string `json:"state,omitempty"`
	// Table is the hash of the printed cells: see Table.Hash.
	Table string `json:"table"`
}

// String is the citation on one line, its hashes shortened.
func (c Citation) String() string {
	parts := []string{"ledger " + c.Ledger, "entry " + strconv.FormatUint(c.Entry, 10)}
	if !c.Recorded.IsZero() {
		parts = append(parts, c.Recorded.UTC().Format(time.RFC3339))
	}
	parts = append(parts, "rules "+strconv.Itoa(c.Rules))
	if c.State != "" {
		parts = append(parts, "state "+shorten(c.State))
	}
	return strings.Join(append(parts, "table "+shorten(c.Table)), " · ")
}

// shorten leaves the ends of a hash.
func shorten(hash string) string {
	if len(hash) <= 8 {
		return hash
	}
	return hash[:4] + "…" + hash[len(hash)-4:]
}

// Cite adds the state hash, if reg stands at the entry that the table is as of.
func (t *Table) Cite(reg *domain.Register) {
	if reg.Last() == t.Citation.Entry {
		hash := reg.Hash()
		t.Citation.State = hex.EncodeToString(hash[:])
	}
}

// Title says what the table is of.
func (t *Table) Title() string {
	title := t.Clock.String() + " "
	if t.Period == "" {
		title += "at any time"
	} else {
		title += t.Period
	}
	title += " (" + t.Zone + ")"
	for _, f := range t.Where {
		title += " · " + f.String()
	}
	return title + " · as known at entry " + strconv.FormatUint(t.Citation.Entry, 10)
}

// Hash is the SHA-256 of the printed cells: the same whatever prints them. What
// is hashed is lines of fields, each field as its length in bytes (decimal), a
// colon, its bytes and a comma, each line ended by LF:
//
//	"table", "1"
//	"by", the dimensions
//	"columns", the group and the head of each column
//	"row", the labels as printed, then the cells as printed; for each row
//	"total", the cells as printed
//	"unplaced", the cells as printed; where there is such a row
func (t *Table) Hash() [sha256.Size]byte {
	h := sha256.New()
	var b []byte
	field := func(s string) {
		b = append(strconv.AppendInt(b, int64(len(s)), 10), ':')
		b = append(append(b, s...), ',')
	}
	line := func(kind string, labels []string, cells []Cell) {
		b = b[:0]
		field(kind)
		for _, text := range labels {
			field(text)
		}
		for i := range cells {
			field(cells[i].Text)
		}
		h.Write(append(b, '\n'))
	}
	line("table", []string{"1"}, nil)
	by := make([]string, len(t.By))
	for i, d := range t.By {
		by[i] = d.String()
	}
	line("by", by, nil)
	var heads []string
	for _, c := range t.Columns {
		heads = append(heads, c.Group, c.Head())
	}
	line("columns", heads, nil)
	t.each(func(kind string, row Row) { line(kind, row.Texts(), row.Cells) })
	return [sha256.Size]byte(h.Sum(nil))
}

// CSV is the table for a spreadsheet or a program: a header, then a line for
// each row, the total and the unplaced. The first column says which it is
// (row, total, unplaced); the labels are as a filter has them, the numbers
// plain, and empty where not given. Where a column has any, two more follow it:
// its flags (at-least, about, or both) and how many parts are unknown.
func (t *Table) CSV() [][]string {
	flagged := make([]bool, len(t.Columns))
	t.each(func(_ string, row Row) {
		for i, c := range row.Cells {
			flagged[i] = flagged[i] || c.Sum.Lower || c.Sum.Approximate || c.Sum.Unknown > 0
		}
	})
	head := []string{"kind"}
	for _, d := range t.By {
		head = append(head, d.String())
	}
	for i, c := range t.Columns {
		name := c.Column.heading(false)
		if c.Currency != "" {
			name += " " + c.Currency
		}
		head = append(head, name)
		if flagged[i] {
			head = append(head, name+" flags", name+" unknown")
		}
	}
	lines := [][]string{head}
	t.each(func(kind string, row Row) {
		line := append([]string{kind}, row.Labels...)
		for range len(t.By) - len(row.Labels) {
			line = append(line, "")
		}
		for i, c := range row.Cells {
			line = append(line, c.plain())
			if flagged[i] {
				line = append(line, c.flags(), c.unknown())
			}
		}
		lines = append(lines, line)
	})
	return lines
}

// each hands on all rows, with what they are.
func (t *Table) each(visit func(kind string, row Row)) {
	for _, row := range t.Rows {
		visit("row", row)
	}
	visit("total", t.Total)
	if t.Unplaced != nil {
		visit("unplaced", *t.Unplaced)
	}
}

// plain is the value as a program reads it; "" where it is not given.
func (c Cell) plain() string {
	if !c.Given {
		return ""
	}
	return domain.FormatMinor(c.Sum.Value, c.minor)
}

// unknown is how many parts are unknown; "" where it is not given.
func (c Cell) unknown() string {
	if !c.Given {
		return ""
	}
	return strconv.FormatInt(c.Sum.Unknown, 10)
}

// flags are the words of the cell's flags.
func (c Cell) flags() string {
	var words []string
	if c.Sum.Lower {
		words = append(words, domain.AtLeast.String())
	}
	if c.Sum.Approximate {
		words = append(words, domain.About.String())
	}
	return strings.Join(words, " ")
}

// table is g as a Table.
func (g *grid) table() *Table {
	t := &Table{
		Period: g.Period.String(), Clock: g.Clock, Zone: g.totals.Zone().String(),
		Where: g.Where, By: g.By, Columns: g.heads(), Rows: []Row{},
		Citation: Citation{Ledger: g.totals.opened.Name, Entry: g.AsOf, Rules: domain.RulesVersion},
	}
	if t.By == nil {
		t.By = []Dimension{}
	}
	if g.YearStarts != time.January {
		t.YearStarts = int(g.YearStarts)
	}
	if g.AsOf == g.totals.last {
		t.Citation.Recorded = g.totals.recorded
	}
	for _, row := range g.rows {
		r := g.cellsOf(row.tallies)
		for i, a := range g.axes {
			r.Labels = append(r.Labels, a.label(row.labels[i]))
		}
		for i := range r.Cells {
			r.Cells[i].Given = r.Cells[i].Facts > 0 || !t.Columns[i].Low
		}
		t.Rows = append(t.Rows, r)
	}
	t.Total = g.cellsOf(g.total)
	for _, u := range g.unplaced {
		if u.facts > 0 {
			row := g.cellsOf(g.unplaced)
			t.Unplaced = &row
			break
		}
	}
	t.print()
	dash := false
	t.each(func(_ string, r Row) {
		dash = dash || slices.ContainsFunc(r.Cells, func(c Cell) bool { return !c.Given })
	})
	t.marks, t.remarks = g.marks(), g.remarks(t)
	t.Notes = append(legend(dash, t.marks), t.remarks...)
	hash := t.Hash()
	t.Citation.Table = hex.EncodeToString(hash[:])
	return t
}

// heads are the columns as they are printed.
func (g *grid) heads() []TableColumn {
	columns := make([]TableColumn, len(g.columns))
	for i, c := range g.columns {
		asked := g.Columns[c.column]
		currency := g.currency(c.currency)
		grouped := c.column > 0 && g.Columns[c.column-1].Measure == asked.Measure ||
			c.column+1 < len(g.Columns) && g.Columns[c.column+1].Measure == asked.Measure
		columns[i] = TableColumn{
			Column: asked, Currency: currency,
			Label: asked.heading(grouped),
			Low:   g.lacking[i]|g.left[i] != 0,
			Minor: domain.Currency(currency).Decimals(),
		}
		if grouped {
			columns[i].Group = asked.Measure.String()
		}
		if currency != "" {
			columns[i].Label += " " + currency
		}
	}
	return columns
}

// cellsOf are tallies as cells, not yet printed.
func (g *grid) cellsOf(tallies []tally) Row {
	row := Row{Cells: make([]Cell, len(tallies))}
	for i := range tallies {
		currency := g.currency(g.columns[i].currency)
		row.Cells[i] = Cell{
			Sum: tallies[i].sum(), Facts: tallies[i].facts, Given: tallies[i].facts > 0 || g.left[i] == 0,
			Currency: currency, minor: domain.Currency(currency).Decimals(),
		}
	}
	return row
}

// print makes the cells' texts. A column's decimals are printed if any of its
// numbers needs them.
func (t *Table) print() {
	t.each(func(_ string, row Row) {
		for i, c := range row.Cells {
			if c.Sum.Value%scale(c.minor) != 0 {
				t.Columns[i].Decimals = c.minor
			}
		}
	})
	t.each(func(_ string, row Row) {
		for i := range row.Cells {
			row.Cells[i].print(t.Columns[i].Decimals)
		}
	})
}

func (c *Cell) print(decimals int) {
	if !c.Given {
		c.Text = noFactsText
		return
	}
	sum := c.Sum
	if sum == (domain.Sum{Value: sum.Value}) && c.minor == 0 && sum.Value < 1000 {
		c.Text = strconv.FormatInt(sum.Value, 10) // what Format writes, and most cells are
		return
	}
	if decimals == 0 {
		sum.Value /= scale(c.minor)
	}
	c.Text = sum.Format(decimals)
}

// scale is how many minor units make one of the currency.
func scale(decimals int) int64 {
	n := int64(1)
	for range decimals {
		n *= 10
	}
	return n
}

// legend is the line that says what the signs of a table mean: — where there is a
// dash, and † by its marks; none where there are no signs.
func legend(dash bool, marks []string) (notes []string) {
	if dash {
		marks = append([]string{noFactsText + " " + notGivenText}, marks...)
	}
	if len(marks) > 0 {
		notes = []string{strings.Join(marks, " · ")}
	}
	return notes
}

// marks are what † means.
func (g *grid) marks() (marks []string) {
	var lacking, left dimensions
	for i := range g.columns {
		lacking |= g.lacking[i]
		left |= g.left[i]
	}
	if lacking != 0 {
		marks = append(marks, lowMark+" some facts "+lacking.without()+": cells may be too low")
	}
	if left != 0 {
		marks = append(marks, lowMark+" some facts "+left.without()+": the filter leaves them out, cells may be too low")
	}
	return marks
}

// unplacedNote says what the row of that name is.
const unplacedNote = "unplaced: undated, or only partly in the period; not in the total"

// remarks are the other lines below the table.
func (g *grid) remarks(t *Table) (notes []string) {
	if g.overlap != 0 {
		var names []string
		for i, a := range g.axes {
			if g.overlap&(1<<i) != 0 {
				names = append(names, a.dimension.String())
			}
		}
		notes = append(notes, "rows overlap: a fact of more than one "+strings.Join(names, " or ")+" stands in each row, and once in the total")
	}
	if t.Unplaced != nil {
		notes = append(notes, unplacedNote)
	}
	return slices.Concat(notes, g.goRound(), g.unheard())
}

package demo

import (
	"fmt"
	"strings"

	"roznamcha/domain"
	"roznamcha/projections"
)

// Claims is a projection that keeps the figures that were published.
type Claims struct{ figures []figure }

// figure is one claim and the record that it is.
type figure struct {
	name domain.RecordName
	domain.FigurePublished
}

// Apply keeps an accepted claim.
func (c *Claims) Apply(r *domain.Ruled) {
	if data, ok := r.Fact.(*domain.FigurePublished); ok {
		c.figures = append(c.figures, clone(r.Name, data))
	}
}

// clone copies what Check reads; strings of a ruling share the entry's memory.
func clone(name domain.RecordName, data *domain.FigurePublished) figure {
	name.Kind = domain.Kind(strings.Clone(string(name.Kind)))
	name.Diary.Agency, name.Diary.Unit = strings.Clone(name.Diary.Agency), strings.Clone(name.Diary.Unit)
	name.ID = strings.Clone(name.ID)
	kept := figure{name: name}
	kept.Measure = strings.Clone(data.Measure)
	kept.Period = data.Period
	kept.Value, kept.Qualifier = data.Value, data.Qualifier
	kept.Amount = data.Amount
	kept.Amount.Currency = domain.Currency(strings.Clone(string(data.Amount.Currency)))
	for _, d := range data.Dimensions {
		kept.Dimensions = append(kept.Dimensions, domain.Dimension{Name: strings.Clone(d.Name), Value: strings.Clone(d.Value)})
	}
	return kept
}

// Checked is how many claims there are, and those that the ledger does not
// bear out.
type Checked struct {
	Claims  int
	Differs []string
}

// String says whether the claims match.
func (c Checked) String() string {
	if len(c.Differs) == 0 {
		return fmt.Sprintf("its %d claims match by construction", c.Claims)
	}
	return fmt.Sprintf("%d of its %d claims do not match: %s", len(c.Differs), c.Claims, strings.Join(c.Differs, "; "))
}

// Check holds every claim against the totals, in the period that it speaks of.
func (c *Claims) Check(totals *projections.Totals) (Checked, error) {
	checked := Checked{Claims: len(c.figures)}
	for _, f := range c.figures {
		cell, err := f.ask(totals)
		if err != nil {
			return checked, fmt.Errorf("claim %s: %w", f.name, err)
		}
		if !f.matches(cell) {
			checked.Differs = append(checked.Differs, fmt.Sprintf("%s says %d, the ledger %s", f.name.ID, f.number(), cell.Text))
		}
	}
	return checked, nil
}

// ask is what the totals say to the claim.
func (f *figure) ask(totals *projections.Totals) (projections.Cell, error) {
	measure, err := projections.ParseMeasure(f.Measure)
	if err != nil {
		return projections.Cell{}, err
	}
	column := projections.Column{Measure: measure}
	for _, d := range f.Dimensions {
		dimension, err := projections.ParseDimension(d.Name)
		if err != nil {
			return projections.Cell{}, err
		}
		column.Filters = append(column.Filters, projections.Filter{Dimension: dimension, Values: []string{d.Value}})
	}
	if f.Amount.Currency != "" {
		column.Filters = append(column.Filters, projections.Filter{Dimension: projections.Currency, Values: []string{string(f.Amount.Currency)}})
	}
	t, err := totals.Query(projections.Query{Columns: []projections.Column{column}, Period: f.Period})
	if err != nil {
		return projections.Cell{}, err
	}
	return t.Total.Cells[0], nil
}

// number is the claimed figure, in minor units where it is an amount.
func (f *figure) number() int64 {
	if f.Amount.Currency != "" {
		return f.Amount.Minor
	}
	return f.Value
}

// matches tells whether cell is the figure, and as sure as it is claimed.
func (f *figure) matches(cell projections.Cell) bool {
	sum := domain.Sum{Value: f.number(), Lower: f.Qualifier == domain.AtLeast, Approximate: f.Qualifier == domain.About}
	return cell.Sum == sum
}

// RecoveryRate is what was recovered of what is alleged to be lost, or why that
// cannot be computed.
func RecoveryRate(t *projections.Table) string {
	recovered, ok1 := total(t, projections.Recovered)
	alleged, ok2 := total(t, projections.Alleged)
	if !ok1 || !ok2 {
		return "not computable (no such column)"
	}
	rate, why := projections.Ratio(recovered, alleged)
	if rate == "" {
		return "not computable (" + why + ")"
	}
	return rate
}

// total is the total of the column that is all of a measure.
func total(t *projections.Table, m projections.Measure) (projections.Cell, bool) {
	i := column(t, m)
	if i < 0 {
		return projections.Cell{}, false
	}
	return t.Total.Cells[i], true
}

// column is the number of the column that is all of a measure, or -1.
func column(t *projections.Table, m projections.Measure) int {
	for i, c := range t.Columns {
		if c.Column.Measure == m && len(c.Column.Filters) == 0 {
			return i
		}
	}
	return -1
}

// Majorities says which row of a table by city has the most raids, what part
// that is, whether it is a majority, and whether the report agrees.
func (r *Report) Majorities(t *projections.Table) string {
	i := column(t, projections.Raids)
	if i < 0 {
		return "no raids to compare"
	}
	var most projections.Cell
	var cities []string
	for _, row := range t.Rows {
		switch n := row.Cells[i]; {
		case row.Labels[0] == domain.NotGiven || n.Sum.Value == 0 || n.Sum.Value < most.Sum.Value:
		case n.Sum.Value > most.Sum.Value:
			most, cities = n, []string{row.Labels[0]}
		default:
			cities = append(cities, row.Labels[0])
		}
	}
	all := t.Total.Cells[i]
	share, why := projections.Ratio(most, all)
	switch {
	case share == "":
		return "share of raids: not computable (" + why + ")"
	case len(cities) > 1:
		return strings.Join(cities, " and ") + " have " + share + " of raids each: none has a majority"
	case 2*most.Sum.Value > all.Sum.Value:
		return cities[0] + " has " + share + " of raids: a majority"
	}
	says := cities[0] + " has " + share + " of raids: the most, not a majority"
	if r.Majority == cities[0] {
		says += ", although the report says so"
	}
	return says
}

package demo

import (
	"fmt"
	"strings"

	"roznamcha/domain"
	"roznamcha/projections"
)

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
func Check(totals *projections.Totals, claims *projections.Claims) Checked {
	held := totals.Hold(claims, projections.Select{})
	checked := Checked{Claims: len(held)}
	for _, h := range held {
		if v := h.Now.Verdict; v != projections.Matches && v != projections.BoundHolds {
			checked.Differs = append(checked.Differs, fmt.Sprintf("%s says %s, the ledger %s", h.Record.ID, h.Figure(), h.Now.LedgerText(h.Currency.Decimals())))
		}
	}
	return checked
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

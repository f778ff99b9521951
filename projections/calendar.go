package projections

import (
	"fmt"
	"strconv"
	"time"

	"roznamcha/domain"
)

// calendar cuts time into years, quarters and months. A year begins with the
// month starts, and its quarters with it.
type calendar struct{ starts time.Month }

// unit is a year, quarter or month by the number of its first month: twelve
// times the year, plus the month from 0. It grows with time.
type unit int

// noUnit is where a span lies in no single unit.
const noUnit = unit(-1 << 31)

// unit is the unit of kind d, which must be a time, that s lies in wholly.
func (c calendar) unit(d Dimension, s span) unit {
	if s.from == domain.MinDay || s.to == domain.MaxDay {
		return noUnit
	}
	u := c.unitOf(d, s.from)
	if u != c.unitOf(d, s.to) {
		return noUnit
	}
	return u
}

func (c calendar) unitOf(d Dimension, day domain.Day) unit {
	year, month, _ := day.Date()
	return c.unitAt(d, 12*year+int(month)-1)
}

// unitAt is the unit of kind d that month n lies in.
func (c calendar) unitAt(d Dimension, n int) unit {
	since := n - int(c.starts-time.January) // months since some year began
	return unit(n - since%monthsOf(d))
}

// monthsOf is how many months a unit of kind d has.
func monthsOf(d Dimension) int {
	switch d {
	case Year:
		return 12
	case Quarter:
		return 3
	}
	return 1
}

// label is how u, of kind d, is written: "2016-03", "2016" and "2016-Q1" where
// years begin in January, and otherwise its first and last month, which needs
// no knowing after which of its two years a fiscal year is called:
// "2015-10/2016-09".
func (c calendar) label(d Dimension, u unit) string {
	month := func(u unit) string { return fmt.Sprintf("%04d-%02d", u/12, u%12+1) }
	switch {
	case d == Month:
		return month(u)
	case c.starts != time.January:
		return month(u) + "/" + month(u+unit(monthsOf(d))-1)
	case d == Year:
		return fmt.Sprintf("%04d", u/12)
	}
	return fmt.Sprintf("%04d-Q%d", u/12, u%12/3+1)
}

// isLabel tells whether s is the label of some unit of kind d.
func (c calendar) isLabel(d Dimension, s string) bool {
	year, err := strconv.Atoi(s[:min(len(s), 4)])
	if err != nil || year < 0 {
		return false
	}
	for month := range 12 {
		if c.label(d, c.unitAt(d, 12*year+month)) == s {
			return true
		}
	}
	return false
}

// example is how a unit of kind d is written.
func (c calendar) example(d Dimension) string {
	return c.label(d, c.unitOf(d, domain.MakeDay(2025, time.June, 3)))
}

// checkUnit tells whether s is the label of a unit of kind d, in whatever month
// years begin.
func checkUnit(d Dimension, s string) error {
	for starts := time.January; starts <= time.December; starts++ {
		if (calendar{starts}).isLabel(d, s) {
			return nil
		}
	}
	example := calendar{time.January}.example(d)
	if d != Month {
		example += " (" + calendar{time.July}.example(d) + " where years begin in July)"
	}
	return fmt.Errorf("%q is no %s. Try: %s, or %q", clip(s), d, example, d.none())
}

// check holds a filter on a time against the units that there are.
func (c calendar) check(f Filter) error {
	for _, value := range f.normalised().Values {
		if !f.Dimension.isNone(value) && !c.isLabel(f.Dimension, value) {
			return fmt.Errorf("filter %s: %q is no %s where years begin in %s. Try: %s, or %q", f.Dimension, clip(value), f.Dimension, c.starts, c.example(f.Dimension), f.Dimension.none())
		}
	}
	return nil
}

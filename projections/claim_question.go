package projections

import (
	"fmt"
	"time"

	"roznamcha/domain"
)

// question is what a claim asks of the facts: a sum of a measure, of what passes
// filters, in some days by a clock.
type question struct {
	measure Measure
	filters []Filter
	// currency is that of the sum, if it is of money. It is no filter: what there
	// is in another is told.
	currency domain.Currency
	days     span
	clock    Clock
	// years is the month in which years begin, 0 where only the filters tell.
	years time.Month
}

// question is what c asks; why says why it cannot be asked.
func (c *Claim) question(zone *time.Location) (q question, why string) {
	measure, err := ParseMeasure(c.Measure)
	switch {
	case err != nil:
		return q, "the ledger has no measure " + clip(c.Measure)
	case c.Currency == "" && measure.IsAmount():
		return q, fmt.Sprintf("another unit: the figure is a number, %s is money", measure)
	case c.Currency != "" && !measure.IsAmount():
		return q, fmt.Sprintf("another unit: the figure is money, %s is a number", measure)
	}
	q.measure = measure
	for _, d := range c.Dimensions {
		if d.Name == "clock" {
			if q.clock, err = ParseClock(d.Value); err != nil {
				return q, "the ledger has no clock " + clip(d.Value)
			}
			continue
		}
		f, why := filterOf(d)
		if why != "" {
			return q, why
		}
		q.filters = append(q.filters, f)
	}
	q.currency = c.Currency
	q.days.from, q.days.to = c.Period.Days(zone)
	if c.table != nil {
		q.years = c.table.Query.YearStarts
		if c.table.Query.Period.IsZero() && q.days.from == domain.MinDay {
			q.days = wholeTime
		}
	}
	return q, ""
}

// filterOf is a dimension of a claim as a filter. Its value may be several, as a
// filter writes them: a table that was published has such.
func filterOf(d domain.Dimension) (Filter, string) {
	dimension, err := ParseDimension(d.Name)
	if err != nil {
		return Filter{}, "the ledger has no dimension " + clip(d.Name)
	}
	if several, err := ParseFilters(d.Name + "=" + d.Value); err == nil && len(several) == 1 {
		return several[0], ""
	}
	if !dimension.isNone(d.Value) && dimension.checkValue(d.Value) != nil {
		return Filter{}, "no fact can have " + d.Name + " " + clip(d.Value)
	}
	return Filter{dimension, []string{d.Value}}, ""
}

// key tells q from questions that are answered otherwise.
func (q *question) key() string {
	return fmt.Sprint(q.measure, q.currency, q.days, q.clock, q.years, formatFilters(q.filters))
}

// follows tells whether the answer to q depends on who succeeded whom.
func (q *question) follows() bool {
	for _, f := range q.filters {
		if f.Dimension == Successor {
			return true
		}
	}
	return false
}

// timeFilter is a filter on a time, and the calendar that has its units.
type timeFilter struct {
	Filter
	calendar calendar
}

// times are the filters of q on times.
func (q *question) times() (times []timeFilter) {
	for _, f := range q.filters {
		if f.Dimension.isTime() {
			c := calendar{q.years}
			if q.years == 0 {
				c = calendarOf(f)
			}
			times = append(times, timeFilter{f.normalised(), c})
		}
	}
	return times
}

// calendarOf is the calendar that has the units of a filter on a time: its
// values tell in which month the publisher's years begin.
func calendarOf(f Filter) calendar {
	for starts := time.January; starts <= time.December; starts++ {
		if (calendar{starts}).check(f) == nil {
			return calendar{starts}
		}
	}
	return calendar{time.January}
}

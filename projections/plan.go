package projections

import (
	"encoding/binary"
	"slices"

	"roznamcha/domain"
)

// plan is a query made ready for a scan. What the query asks of a fact follows
// from its cell and its span alone; cells, and spans, of which the same follows
// are of one class, so that the scan has as few sums to keep as there are
// different answers.
type plan struct {
	Query
	totals *Totals
	// before is the place after the last entry that is known of.
	before   domain.Place
	period   span
	calendar calendar
	// next is who follows which agency, as known then.
	next domain.Successors
	axes []*axis // of By

	cells classes
	spans classes
}

// classes are what the query asks of cells, or of spans.
type classes struct {
	// of is the class of each cell, or span; 0 is the class of those that the
	// query has no interest in.
	of  []uint32
	all []class
	ids map[string]uint32
	key []byte
}

// class is all that a query asks of a cell, or of a span.
type class struct {
	// labels are the labels that its facts stand under on each axis: none for
	// the axes that the other side knows of, 0 for not having the dimension.
	labels [maxBy][]uint32
	// columns has a bit for each column that its facts may stand in, and lacks,
	// by column, the dimensions of filters that they do not have: facts that
	// lack any are left out, and may belong there. It is nil where they lack
	// none.
	columns uint64
	lacks   []dimensions
	// currency numbers the currency of a cell whose measure is an amount.
	currency uint32
	// unplaced is for a span that is not wholly inside the period.
	unplaced bool
}

// stand lets k's facts stand in one of n columns, if they lack nothing.
func (k *class) stand(column int, lacks dimensions, n int) {
	k.columns |= 1 << column
	if lacks != 0 && k.lacks == nil {
		k.lacks = make([]dimensions, n)
	}
	if lacks != 0 {
		k.lacks[column] = lacks
	}
}

// lack is what k's facts do not have of the filters of a column.
func (k *class) lack(column int) dimensions {
	if k.lacks == nil {
		return 0
	}
	return k.lacks[column]
}

// counts tells whether facts of k stand in any column, for all that k knows.
func (k *class) counts() bool {
	if k.lacks == nil {
		return k.columns != 0
	}
	for i, lacks := range k.lacks {
		if k.columns&(1<<i) != 0 && lacks == 0 {
			return true
		}
	}
	return false
}

// axis numbers the labels of one dimension of the grouping; 0 is not having it.
type axis struct {
	dimension Dimension
	texts     []string
	// order sorts the labels of a time; nil for others.
	order []unit
	ids   map[unit]uint32
	// successors are the labels by agency value, for Successor alone.
	successors []uint32
}

func (t *Totals) plan(q Query) *plan {
	if q.AsOf == 0 {
		q.AsOf = t.last
	}
	return t.planBefore(q, t.after(q.AsOf))
}

// after is the place after an entry: where an open row ends, after the last.
func (t *Totals) after(entry uint64) domain.Place {
	if entry >= t.last {
		return open
	}
	return domain.Position{Entry: entry + 1, Line: 1}.Place()
}

// planBefore is plan, as known before a place.
func (t *Totals) planBefore(q Query, before domain.Place) *plan {
	p := &plan{Query: q, totals: t, before: before, period: wholeTime, calendar: calendar{q.YearStarts}}
	if !q.Period.IsZero() {
		p.period.from, p.period.to = q.Period.Days(t.spans.zone)
	}
	p.next = t.successions.at(p.before)
	for _, d := range q.By {
		p.axes = append(p.axes, p.axis(d))
	}
	p.classifyCells()
	p.classifySpans()
	return p
}

// axis makes the labels of dimension d; those of a time come with the spans.
func (p *plan) axis(d Dimension) *axis {
	a := &axis{dimension: d, texts: []string{""}}
	switch {
	case d.isTime():
		a.order = []unit{noUnit}
		a.ids = make(map[unit]uint32)
	case d == Successor:
		ids := map[string]uint32{"": 0}
		for _, agency := range p.totals.cells.values[Agency].texts {
			text := p.next.Of(agency)
			id, ok := ids[text]
			if !ok {
				id = uint32(len(a.texts))
				a.texts = append(a.texts, text)
				ids[text] = id
			}
			a.successors = append(a.successors, id)
		}
	default:
		if texts := p.totals.cells.values[d].texts; texts != nil {
			a.texts = texts
		}
	}
	return a
}

// classifyCells finds the class of each cell.
func (p *plan) classifyCells() {
	c := p.totals.cells
	where, _ := p.tests(p.Where)
	byMeasure := [endOfMeasures][]int{}
	tests := make([][]test, len(p.Columns))
	for i, column := range p.Columns {
		tests[i], _ = p.tests(column.Filters)
		byMeasure[column.Measure] = append(byMeasure[column.Measure], i)
	}
	p.cells.reset(len(c.all))
	for i := range c.all {
		lacks, ok := pass(c, uint32(i), where)
		if !ok {
			continue
		}
		var k class
		for _, column := range byMeasure[c.all[i].measure] {
			if own, ok := pass(c, uint32(i), tests[column]); ok {
				k.stand(column, lacks|own, len(p.Columns))
			}
		}
		if k.columns == 0 {
			continue
		}
		if c.all[i].measure.IsAmount() {
			k.currency = c.all[i].values[Currency]
		}
		for at, a := range p.axes {
			if !a.dimension.isTime() && k.counts() {
				k.labels[at] = a.cellLabels(c, uint32(i))
			}
		}
		p.cells.set(uint32(i), k)
	}
}

// notHaving is the label of what does not have a dimension.
var notHaving = []uint32{0}

// cellLabels are the labels that the facts of cell i stand under.
func (a *axis) cellLabels(c *cells, i uint32) []uint32 {
	values := c.of(i, a.dimension)
	switch {
	case len(values) == 0:
		return notHaving
	case a.dimension == Successor:
		return a.successors[values[0] : values[0]+1]
	}
	return values
}

// classifySpans finds the class of each span.
func (p *plan) classifySpans() {
	all := p.totals.spans.all
	_, where := p.tests(p.Where)
	times := make([][]Filter, len(p.Columns))
	for i, column := range p.Columns {
		_, times[i] = p.tests(column.Filters)
	}
	p.spans.reset(len(all))
	for i, s := range all {
		if s.to < p.period.from || s.from > p.period.to {
			continue
		}
		lacks, ok := p.during(s, where)
		if !ok {
			continue
		}
		k := class{unplaced: !p.inside(s)}
		for column := range p.Columns {
			if own, ok := p.during(s, times[column]); ok {
				k.stand(column, lacks|own, len(p.Columns))
			}
		}
		if k.columns == 0 {
			continue
		}
		if !k.unplaced && k.counts() {
			for at, a := range p.axes {
				if a.dimension.isTime() {
					k.labels[at] = []uint32{a.timeLabel(p.calendar, s)}
				}
			}
		}
		p.spans.set(uint32(i), k)
	}
}

// inside tells whether s lies wholly in the period.
func (p *plan) inside(s span) bool {
	return s.from >= p.period.from && s.to <= p.period.to
}

// timeLabel is the label of the unit that s lies in wholly.
func (a *axis) timeLabel(c calendar, s span) uint32 {
	u := c.unit(a.dimension, s)
	if u == noUnit {
		return 0
	}
	id, ok := a.ids[u]
	if !ok {
		id = uint32(len(a.texts))
		a.ids[u] = id
		a.texts = append(a.texts, c.label(a.dimension, u))
		a.order = append(a.order, u)
	}
	return id
}

// during tells whether s passes filters on times, but for those that want one
// unit of what lies in none.
func (p *plan) during(s span, filters []Filter) (lacks dimensions, ok bool) {
	for _, f := range filters {
		var values []string
		u := p.calendar.unit(f.Dimension, s)
		if u != noUnit {
			values = []string{p.calendar.label(f.Dimension, u)}
		}
		switch {
		case f.allows(values):
		case u == noUnit:
			lacks |= 1 << f.Dimension
		default:
			return 0, false
		}
	}
	return lacks, true
}

// test is a filter on a dimension that is no time: which of the values that it
// is read from, by number, pass.
type test struct {
	Filter
	passes []bool
	// unsure are the values that may stand for one that passes, nil in a table:
	// there a value is what it says. See survey.unsure.
	unsure []bool
}

// tests makes filters ready: those on cells, and those on times as they are.
func (p *plan) tests(filters []Filter) (tests []test, times []Filter) {
	for _, f := range filters {
		f = f.normalised()
		if f.Dimension.isTime() {
			times = append(times, f)
			continue
		}
		passes := []bool{f.allows(nil)}
		texts := p.totals.cells.values[f.Dimension.stored()].texts
		for _, text := range texts[min(1, len(texts)):] {
			if f.Dimension == Successor {
				text = p.next.Of(text)
			}
			passes = append(passes, f.allows([]string{text}))
		}
		tests = append(tests, test{Filter: f, passes: passes})
	}
	return tests, times
}

// pass tells whether cell i passes every test, but for those of dimensions that
// it does not have, or where a value of it leaves that open (see unsureOf).
func pass(c *cells, i uint32, tests []test) (lacks dimensions, ok bool) {
	for _, t := range tests {
		values := c.of(i, t.Dimension)
		passes, unsure := len(values) == 0 && t.passes[0], false
		for _, v := range values {
			passes = passes || t.passes[v]
			unsure = unsure || t.unsure != nil && t.unsure[v]
		}
		switch {
		case passes:
		case len(values) == 0:
			lacks |= 1 << t.Dimension
		case unsure:
			lacks |= unsureOf(1 << t.Dimension)
		default:
			return 0, false
		}
	}
	return lacks, true
}

// unheard are notes on the values of filters that no fact has, in dimensions
// where such a value may as well be misspelt.
func (p *plan) unheard() (notes []string) {
	for f := range p.filters() {
		for _, value := range f.normalised().Values {
			if !f.Dimension.isOpen() || f.Dimension.isNone(value) || p.heard(f.Dimension, value) {
				continue
			}
			if note := "no fact has " + f.Dimension.String() + " " + value; !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

// heard tells whether any fact has, or had, a value of d.
func (p *plan) heard(d Dimension, value string) bool {
	values := &p.totals.cells.values[d.stored()]
	if d == Successor {
		return slices.ContainsFunc(values.texts, func(agency string) bool { return p.next.Of(agency) == value })
	}
	_, ok := values.ids[value]
	return ok
}

func (c *classes) reset(n int) {
	c.of = make([]uint32, n)
	c.all = make([]class, 1)
	c.ids = make(map[string]uint32)
}

// set gives cell, or span, i the class k.
func (c *classes) set(i uint32, k class) {
	key := binary.LittleEndian.AppendUint64(c.key[:0], k.columns)
	key = binary.LittleEndian.AppendUint32(key, k.currency)
	if k.unplaced {
		key = append(key, 1)
	}
	for _, labels := range k.labels {
		key = binary.LittleEndian.AppendUint32(key, uint32(len(labels)))
		for _, label := range labels {
			key = binary.LittleEndian.AppendUint32(key, label)
		}
	}
	for _, lacks := range k.lacks {
		key = binary.LittleEndian.AppendUint32(key, uint32(lacks))
	}
	c.key = key
	id, ok := c.ids[string(key)]
	if !ok {
		id = uint32(len(c.all))
		c.all = append(c.all, k)
		c.ids[string(key)] = id
	}
	c.of[i] = id
}

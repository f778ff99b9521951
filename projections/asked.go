package projections

import (
	"strconv"
	"time"

	"roznamcha/domain"
)

// Asked is which facts an auditor's question is about, and which it leaves out
// and may be about: all as known at the last entry that was folded in.
type Asked struct {
	Clock  Clock    `json:"clock"`
	Period string   `json:"period,omitempty"`
	Zone   string   `json:"zone"`
	Where  []Filter `json:"where,omitempty"`
	// Facts is how many are asked about: those that count, lie wholly in the
	// period and pass the filters. What is retracted, and of matched records
	// all but the first, is not asked about.
	Facts int `json:"facts"`
	// Unplaced is how many are left out because they have no date or lie only
	// partly in the period, and Unsaid because they do not say what a filter
	// asks.
	Unplaced int `json:"unplaced"`
	Unsaid   int `json:"unsaid"`
	// Notes say which values of filters no fact has.
	Notes []string `json:"notes,omitempty"`

	plan *plan
}

// Title says what was asked, and as known when.
func (a *Asked) Title(entry uint64) string {
	title := a.Clock.String() + " "
	if a.Period == "" {
		title += "at any time"
	} else {
		title += a.Period
	}
	title += " (" + a.Zone + ")"
	for _, f := range a.Where {
		title += " · " + f.String()
	}
	return title + " · as known at entry " + strconv.FormatUint(entry, 10)
}

// everyMeasure has every fact in one of its columns.
func everyMeasure() (columns []Column) {
	for m := Raids; m < endOfMeasures; m++ {
		columns = append(columns, Column{Measure: m})
	}
	return columns
}

// asked makes a question ready, about the facts in any of columns, which must be
// of different measures. Its AsOf is not looked at. Errors as in Query.
func (t *Totals) asked(q Query, columns []Column) (Asked, error) {
	q.Columns, q.AsOf = columns, 0
	if q.YearStarts == 0 {
		q.YearStarts = time.January
	}
	if err := t.check(q); err != nil {
		return Asked{}, err
	}
	a := Asked{Clock: q.Clock, Period: q.Period.String(), Zone: t.Zone().String(), Where: q.Where, plan: t.plan(q)}
	a.Notes = a.plan.unheard()
	return a, nil
}

// each hands over the rows that are asked about, and counts them.
func (a *Asked) each(visit func(n uint32, r *row)) {
	rows := &a.plan.totals.rows
	for n := range rows.len {
		r := rows.at(n)
		if r.closed == open && a.about(&r) {
			visit(n, &r)
		}
	}
}

// bearing is what a fact has to do with a question, the more the greater.
type bearing uint8

const (
	isAside    bearing = iota // nothing
	isUnsaid                  // it does not say what a filter asks
	isUnplaced                // it has no date, or lies only partly in the period
	isAsked                   // it is asked about
)

// about tells whether r is asked about, and counts it.
func (a *Asked) about(r *row) bool {
	b := a.bearing(r)
	a.count(b)
	return b == isAsked
}

// count counts one fact.
func (a *Asked) count(b bearing) {
	switch b {
	case isUnsaid:
		a.Unsaid++
	case isUnplaced:
		a.Unplaced++
	case isAsked:
		a.Facts++
	}
}

// bearing is what r has to do with the question.
func (a *Asked) bearing(r *row) bearing {
	cells, spans := a.classesOf(r)
	for i := range a.plan.Columns {
		if cells.columns&spans.columns&(1<<i) == 0 {
			continue
		}
		switch {
		case cells.lack(i)|spans.lack(i) != 0:
			return isUnsaid
		case spans.unplaced:
			return isUnplaced
		default:
			return isAsked
		}
	}
	return isAside
}

// classesOf are what the question asks of r's cell and of its span.
func (a *Asked) classesOf(r *row) (cells, spans *class) {
	return &a.plan.cells.all[a.plan.cells.of[r.cell]], &a.plan.spans.all[a.plan.spans.of[a.spanOf(r)]]
}

// spanOf is the number of when r happened, or was reported.
func (a *Asked) spanOf(r *row) uint32 {
	if a.plan.Clock == Reported {
		return r.reported
	}
	return r.occurred
}

// reports are the records that tell of what a record that stands tells of, and
// stand: itself, and those that it was matched with.
func (t *Totals) reports(record domain.RecordID) (records []domain.RecordID) {
	g := t.groups[record]
	if g == nil {
		return []domain.RecordID{record}
	}
	for _, m := range g.members {
		if !m.retracted {
			records = append(records, m.record)
		}
	}
	return records
}

// Finding is one fact that an auditor's question found.
type Finding struct {
	// Position is that of the event that says it: the record's first, or an
	// amendment.
	Position domain.Position `json:"position"`
	Record   string          `json:"record"`
	// When is when it happened (or was reported) in whole days, "" where that
	// is not known.
	When string `json:"when,omitempty"`
}

// finding is row n, which is r.
func (a *Asked) finding(n uint32, r *row, reg *domain.Register) Finding {
	part := a.plan.totals.part(n, r, a.plan.Clock)
	f := Finding{Position: part.Position, Record: reg.Record(r.record).Name.String()}
	switch {
	case !part.Dated():
	case part.From == part.To:
		f.When = part.From.String()
	default:
		f.When = part.From.String() + "/" + part.To.String() // an open end is ".."
	}
	return f
}

package sink

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"roznamcha/domain"
	"roznamcha/projections"
)

// table is one of the tables that are fed. The first column is its key; those
// that are closed have closed_entry and closed_line as their last.
type table struct {
	name    string
	columns []string
	closes  bool
}

var closed = []string{"opened_entry", "opened_line", "closed_entry", "closed_line"}

var (
	facts = &table{"facts", slices.Concat([]string{
		"fact", "record", "quantity", "qualifier", "occurred_from", "occurred_to", "reported_from", "reported_to",
	}, cellColumns, closed), true}
	exceptions  = &table{"exceptions", slices.Concat([]string{"exception", "kind", "code", "record", "link", "lines", "detail"}, closed), true}
	successions = &table{"successions", slices.Concat([]string{"succession", "predecessor", "successor", "record"}, closed), true}
	entries     = &table{"entries", []string{"entry", "recorded", "lines", "accepted", "duplicates", "refused", "unrecognised"}, false}

	tables = []*table{entries, facts, successions, exceptions}
)

// cellDimensions are the dimensions that a fact shares with its cell.
var cellDimensions = []projections.Dimension{
	projections.Agency, projections.Unit, projections.Country, projections.Subdivision, projections.City, projections.Premises,
	projections.Nationality, projections.Class, projections.Sex, projections.Offence, projections.Form, projections.Operation, projections.Currency,
}

// cellColumns are the columns of a cell: those of its dimensions, and three more.
var cellColumns = func() []string {
	columns := []string{"measure", "decimals", "straddles"}
	for _, d := range cellDimensions {
		columns = append(columns, d.String())
	}
	return columns
}()

func (t *table) key() string { return t.columns[0] }

// json is a row as an object.
func (t *table) json(row []any) string {
	var b strings.Builder
	for i, column := range t.columns {
		value, err := json.Marshal(row[i])
		if err != nil {
			value = []byte("null")
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + column + `":`)
		b.Write(value)
	}
	return "{" + b.String() + "}"
}

// position is the position of the change that a row came with.
func (t *table) position(row []any) domain.Position {
	if !t.closes {
		return domain.Position{Entry: uint64(row[0].(int64)), Line: 1}
	}
	at := row[len(row)-len(closed):]
	return domain.Position{Entry: uint64(at[0].(int64)), Line: int(at[1].(int64))}
}

// entry is what is told of an entry.
type entry struct {
	projections.Stats
	hash [32]byte
}

// rows makes the rows of the tables, in the words of an engine.
type rows struct {
	engine
	register   *domain.Register
	totals     *projections.Totals
	exceptions *projections.Exceptions

	cells [][]any // by cell
	days  map[domain.Day]any
}

// cell is the columns of a cell, made once.
func (r *rows) cell(n uint32) []any {
	for int(n) >= len(r.cells) {
		r.cells = append(r.cells, nil)
	}
	if r.cells[n] != nil {
		return r.cells[n]
	}
	row := []any{r.totals.CellMeasure(n).String(), int64(0), r.flag(r.totals.CellStraddles(n))}
	for _, d := range cellDimensions {
		values := slices.Collect(r.totals.CellValues(n, d))
		switch {
		case len(values) == 0:
			row = append(row, nil)
		case d == projections.Nationality || d == projections.Offence:
			row = append(row, r.list(values))
		default:
			row = append(row, values[0])
		}
		if d == projections.Currency && len(values) > 0 {
			row[1] = int64(domain.Currency(values[0]).Decimals())
		}
	}
	r.cells[n] = row
	return row
}

// date is a day, NULL for an open end.
func (r *rows) date(d domain.Day) any {
	if d == domain.MinDay || d == domain.MaxDay {
		return nil
	}
	v, ok := r.days[d]
	if !ok {
		v = r.day(d)
		r.days[d] = v
	}
	return v
}

func (r *rows) fact(n int64) []any {
	v := r.totals.Version(uint32(n))
	row := make([]any, 0, len(facts.columns))
	row = append(row, n, r.register.Record(v.Record).Name.String(), any(v.Quantity), v.Qualifier.String(),
		r.date(v.OccurredFrom), r.date(v.OccurredTo), r.date(v.ReportedFrom), r.date(v.ReportedTo))
	if v.Qualifier == domain.Unknown {
		row[2] = nil
	}
	row = append(row, r.cell(v.Cell)...)
	return appendStanding(row, v.Opened, v.Closed)
}

func (r *rows) exception(n int64) []any {
	e := r.exceptions.At(int(n))
	row := []any{n, e.Kind.String(), orNull(string(e.Code)), nil, nil, nil, orNull(e.Detail)}
	if !e.Record.IsZero() {
		row[3] = e.Record.String()
	}
	if !e.Link.IsZero() {
		row[4] = e.Link.String()
	}
	if e.Lines > 0 {
		row[5] = int64(e.Lines)
	}
	return appendStanding(row, e.Opened, e.Settled)
}

func (r *rows) succession(n int64) []any {
	s := r.totals.Succession(int(n))
	return appendStanding([]any{n, s.Predecessor, s.Successor, r.register.Record(s.Record).Name.String()}, s.Opened, s.Closed)
}

func (r *rows) entry(e *entry) []any {
	return []any{int64(e.Entries), r.moment(e.Recorded), int64(e.Lines), int64(e.Accepted), int64(e.Duplicates), int64(e.Refused), int64(e.Unrecognised)}
}

func appendStanding(row []any, opened, closed domain.Position) []any {
	row = append(row, int64(opened.Entry), int64(opened.Line), nil, nil)
	if !closed.IsZero() {
		row[len(row)-2], row[len(row)-1] = int64(closed.Entry), int64(closed.Line)
	}
	return row
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stamp writes a time in UTC, always as wide, so that texts sort as times do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

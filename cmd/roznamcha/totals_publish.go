package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// checkDocument sees that a document's name can be told from the moments that
// stand in the same places.
func checkDocument(name string) error {
	if name == "" {
		return wrong("--publish has no name. Try: --publish 'return of June 2025'")
	}
	if _, err := projections.ParseAsOf(name); err == nil {
		return wrong("--publish %q: a diff would take that for a moment. Try: a name such as 'return of June 2025'", name)
	}
	if strings.Contains(name, "..") || strings.Trim(name, ". ") != name {
		return wrong("--publish %q: two dots stand between the ends of a diff. Try: a name without them, and without a dot at its end", name)
	}
	if len(figureSubject(name, domain.MaxLines)) > 128 {
		return wrong("--publish %q: too long for the names of its figures. Try: a shorter name", name)
	}
	return nil
}

// publicationSpace is the namespace of the ids of published figures (RFC 9562,
// section 5.5): version 5 over the document's name, 0x00 and the number of the
// figure in it. It never changes.
var publicationSpace = uuid.MustParse("6d1c9a54-9d0e-4a5c-8f0b-2f6c2f7f6b1e")

// figureSubject is the id of the record of figure n of a document: no two
// documents share one.
func figureSubject(document string, n int) string {
	return url.PathEscape(document) + "-" + strconv.Itoa(n)
}

// published is what became of a publication.
type published struct {
	Document string `json:"document"`
	// Ruling is accepted, or duplicate where the same table stood under that name
	// already.
	Ruling string `json:"ruling"`
	// Position is that of its first figure, Figures how many there are.
	Position domain.Position `json:"position"`
	Figures  int             `json:"figures"`
	// LeftOut are the cells that are no figures.
	LeftOut int `json:"left_out"`
	// Entry is the entry as known at which the table was made.
	Entry uint64 `json:"entry"`
}

// publish records the cells of a table as figures of the ledger's office, all
// or none of them.
func (p *program) publish(ctx context.Context, l *eventstore.Ledger, a *answer, document string) (out published, err error) {
	publication := projections.PublicationOf(a.query, a.table)
	figures, leftOut, err := a.figures()
	switch {
	case err != nil:
		return out, err
	case len(figures) == 0:
		return out, errors.New("no cell of the table is a figure: all are not given or unknown. Try: roznamcha totals, without --publish")
	case len(figures) > domain.MaxLines:
		return out, fmt.Errorf("%s figures: a document has at most %s, so that it is recorded whole. Try: fewer columns or rows", print.Count(len(figures)), print.Count(domain.MaxLines))
	}
	out = published{Document: document, Figures: len(figures), LeftOut: leftOut, Entry: publication.Entry}
	documents := projections.NewDocuments()
	err = p.withRulings(ctx, l, documents.Apply, func(r *eventstore.Recorder) error {
		var found *projections.Document
		r.View(func(*domain.Register) { found = documents.Find(document) })
		if found != nil {
			out.Ruling, out.Position, out.Entry = domain.Duplicate.String(), found.Position, found.Entry()
			return samePublication(found, publication)
		}
		lines, err := figureLines(figures, document, publication, a.totals.Zone())
		if err != nil {
			return err
		}
		receipt, err := r.Record(ctx, lines)
		if err != nil {
			return err
		}
		out.Ruling, out.Position = receipt.Rulings[0].Verdict.String(), receipt.Rulings[0].Position
		return refusal(receipt.Err())
	})
	return out, err
}

// samePublication sees that a document that is there is the one to publish.
func samePublication(found *projections.Document, p projections.Publication) error {
	switch {
	case found.Publication == nil:
		return fmt.Errorf("figures of a document called %q, which is no table of this ledger, are recorded from %s on. Try: another name", found.Ref, found.Position)
	case !found.Publication.SameAs(p):
		name := shellWord(found.Ref)
		return fmt.Errorf("%q was published at %s with another table, as known at entry %d. Try: another name; roznamcha totals --document %s, which prints that table; or roznamcha diff %s, which tells what has changed since",
			found.Ref, found.Position, found.Entry(), name, shellWord(found.Ref+".."))
	}
	return nil
}

// figureLines are the events of a document's figures.
func figureLines(figures []domain.FigurePublished, document string, p projections.Publication, zone *time.Location) ([]byte, error) {
	now := time.Now().In(zone)
	today, err := domain.ParsePeriod(now.Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	for i := range figures {
		n, f := i+1, &figures[i]
		f.Document = domain.Document{Ref: document, Locator: p.Locator()}
		f.Published = today
		line, err := domain.AppendEvent(nil, &domain.Event{
			ID:     uuid.NewSHA1(publicationSpace, []byte(document+"\x00"+strconv.Itoa(n))),
			Source: domain.Office, Type: domain.TypeFigurePublished, Subject: figureSubject(document, n),
			Time: now.Truncate(time.Second), Data: f,
		})
		if err != nil {
			return nil, fmt.Errorf("figure %d cannot be published: %w. Try: another name, or fewer columns and filters", n, err)
		}
		lines = append(lines, line)
	}
	return bytes.Join(lines, []byte("\n")), nil
}

// figures are the cells of the table as claims, but for what says where they
// stand, and how many cells are none: not given, unknown, unplaced, or without
// a word for how they are meant.
func (a *answer) figures() (figures []domain.FigurePublished, leftOut int, err error) {
	all := a.query
	all.By = nil
	whole, err := a.totals.Query(all)
	if err != nil {
		return nil, 0, err
	}
	row := func(r projections.Row, labels []projections.Filter) {
		for i, cell := range r.Cells {
			column := a.table.Columns[i]
			f, ok := a.figure(column, labels)
			// A mark on the column means that cells may be too low: of a row whose
			// facts say what they are grouped by, or of all where a filter leaves out
			// what does not say.
			low := column.Low && (whole.Columns[i].Low || namesSome(labels))
			if ok = ok && cell.Given && setNumber(&f, cell, low); !ok {
				leftOut++
				continue
			}
			figures = append(figures, f)
		}
	}
	for _, r := range a.table.Rows {
		labels := make([]projections.Filter, len(r.Labels))
		for i, label := range r.Labels {
			labels[i] = projections.Filter{Dimension: a.query.By[i], Values: []string{label}}
		}
		row(r, labels)
	}
	row(a.table.Total, nil)
	if a.table.Unplaced != nil {
		leftOut += len(a.table.Unplaced.Cells)
	}
	return figures, leftOut, nil
}

// namesSome tells whether any of a row's labels is of facts that have the
// dimension.
func namesSome(labels []projections.Filter) bool {
	return slices.ContainsFunc(labels, func(f projections.Filter) bool { return !f.IsNone() })
}

// figure is a cell's claim without its number; false where no claim can say
// which cell it is.
func (a *answer) figure(column projections.TableColumn, labels []projections.Filter) (f domain.FigurePublished, ok bool) {
	f = domain.FigurePublished{Publisher: a.table.Citation.Ledger, Measure: column.Column.Measure.String(), Period: a.query.Period}
	filters := slices.Concat(a.query.Where, column.Column.Filters)
	for _, label := range labels {
		if unit, ok := unitWithin(label, f.Period); ok {
			f.Period = unit
			continue
		}
		filters = append(filters, label)
	}
	if f.Period.IsZero() {
		// At any time is up to the day on which the last entry was recorded.
		last := a.table.Citation.Recorded.In(a.totals.Zone()).Format(time.DateOnly)
		f.Period, _ = domain.ParsePeriod("../" + last)
	}
	if f.Dimensions, ok = dimensionsOf(filters); !ok {
		return f, false
	}
	if a.query.Clock != projections.Occurred {
		f.Dimensions = append(f.Dimensions, domain.Dimension{Name: "clock", Value: a.query.Clock.String()})
	}
	f.Amount.Currency = domain.Currency(column.Currency)
	return f, column.Currency != "" || !column.Column.Measure.IsAmount()
}

// unitWithin is the period that a row of a year, quarter or month is of, where it
// lies wholly in period.
func unitWithin(label projections.Filter, period domain.Period) (domain.Period, bool) {
	switch label.Dimension {
	case projections.Year, projections.Quarter, projections.Month:
	default:
		return period, false
	}
	unit, err := domain.ParsePeriod(label.Values[0])
	if err != nil || unit.IsUnknown() {
		return period, false
	}
	from, to := period.Days(time.UTC)
	first, last := unit.Days(time.UTC)
	return unit, from <= first && last <= to
}

// dimensionsOf is what filters say as dimensions of a claim, which has each
// once: of several filters of one dimension what all allow. False where that is
// nothing, or where facts have several values and so must pass each.
func dimensionsOf(filters []projections.Filter) (dimensions []domain.Dimension, ok bool) {
	var merged []projections.Filter
	for _, f := range filters {
		i := slices.IndexFunc(merged, func(m projections.Filter) bool { return m.Dimension == f.Dimension })
		switch {
		case i < 0:
			merged = append(merged, f)
			continue
		case slices.Equal(merged[i].Values, f.Values):
			continue
		case f.Dimension == projections.Nationality || f.Dimension == projections.Offence:
			return nil, false
		}
		both := slices.DeleteFunc(slices.Clone(merged[i].Values), func(v string) bool { return !slices.Contains(f.Values, v) })
		if len(both) == 0 {
			return nil, false
		}
		merged[i].Values = both
	}
	for _, f := range merged {
		name := f.Dimension.String()
		dimensions = append(dimensions, domain.Dimension{Name: name, Value: strings.TrimPrefix(f.String(), name+"=")})
	}
	return dimensions, true
}

// setNumber gives a claim the number of a cell, as printed, and how it is meant;
// false where that is unknown, or no one word says it.
func setNumber(f *domain.FigurePublished, cell projections.Cell, low bool) bool {
	sum := cell.Sum
	low = low || sum.Lower
	switch {
	case sum.Unknown > 0 && sum.Value == 0, low && sum.Approximate:
		return false
	case low:
		f.Qualifier = domain.AtLeast
	case sum.Approximate:
		f.Qualifier = domain.About
	}
	if sum.Unknown > 0 {
		f.Worded = cell.Text // which says more than the figure does
	}
	if f.Amount.Currency != "" {
		f.Amount.Minor = sum.Value
	} else {
		f.Value = sum.Value
	}
	return true
}

// printPublished prints the table and what became of it.
func (p *program) printPublished(a *answer, out published, csv bool) error {
	if p.json {
		return print.JSON(p.out, struct {
			*projections.Table
			Published published `json:"published"`
		}{a.table, out})
	}
	if err := p.printAnswer(a, csv); err != nil {
		return err
	}
	says := fmt.Sprintf("published as %q: %s from %s on", out.Document, print.Plural(out.Figures, "figure"), out.Position)
	if out.Ruling == domain.Duplicate.String() {
		says = fmt.Sprintf("published before as %q, at %s: nothing was added", out.Document, out.Position)
	}
	if out.LeftOut > 0 && out.Ruling != domain.Duplicate.String() {
		says += fmt.Sprintf("; %s left out, not given or unknown", print.Plural(out.LeftOut, "cell"))
	}
	to := p.out
	if csv {
		to = p.errs
	}
	_, err := fmt.Fprintln(to, print.Clean(says))
	return err
}

// printDocument prints the table that was published under a name, as it was
// known then, and sees that it is the same.
func (p *program) printDocument(ctx context.Context, l *eventstore.Ledger, name string, csv bool) error {
	documents := projections.NewDocuments()
	if _, _, err := p.replay(ctx, l, projections.AsOf{}, documents); err != nil {
		return err
	}
	found := documents.Find(name)
	if found == nil {
		return fmt.Errorf("no claim of the ledger stands in a document called %q. Try: its name as it was given to --publish", name)
	}
	if found.Publication == nil {
		return fmt.Errorf("%q is no table of this ledger: somebody published its figures, recorded from %s on. Try: roznamcha claims", name, found.Position)
	}
	was := found.Publication
	a, err := p.answer(ctx, l, was.Query, projections.AsOfEntry(was.Entry))
	if err != nil {
		return err
	}
	is := a.table.Citation
	if is.Table != was.Table || is.State != was.State {
		return fmt.Errorf("%q cannot be printed again: as known at entry %d it had state %s and table %s, this ledger gives state %s and table %s. Try: roznamcha status, which tells whether the ledger is whole",
			name, was.Entry, was.State, was.Table, is.State, is.Table)
	}
	a.table.Notes = append(a.table.Notes, fmt.Sprintf("as published in %q on %s, recorded from %s on: the same state and the same table", name, found.Published, found.Position))
	return p.printAnswer(a, csv)
}

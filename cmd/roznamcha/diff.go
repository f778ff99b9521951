package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) diffCommand() *cobra.Command {
	var q question
	var csv bool
	cmd := &cobra.Command{
		Use:   "diff A..B [COLUMN…]",
		Short: "Show every number that changed between two moments, and why",
		Long: `Show every cell of a table that changed between two moments, and what changed
it: new facts, corrections, retractions, matches and successions, with the
positions of the events, and for amendments their reason and authority. What a
cell was and its changes add up to what it is.

A and B are an entry, a day or a time, as for --as-of, or a document: the moment
as known at which it was made. B is now where it is left out. Columns, --by,
--where and the period are those of totals; with none of them, a document that
totals --publish has made is asked what it was asked.`,
		Example: `  roznamcha diff 2..4
  roznamcha diff 2.. --by city
  roznamcha diff 2..4 arrests --by city,class --json
  roznamcha diff 'return of June 2025..'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			query, err := q.parse(args[1:])
			if err != nil {
				return err
			}
			from, to, err := parseMoments(args[0])
			if err != nil {
				return &wrongUse{err}
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				return p.diff(ctx, l, query, q.asked(cmd, args[1:]), from, to, csv)
			})
		},
	}
	q.flags(cmd)
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

// diffMoment is one end of a diff: a moment, or a document that was made at one.
type diffMoment struct {
	lastKnown
	document string
}

// parseMoments reads "A..B" or "A..".
func parseMoments(s string) (from, to *diffMoment, err error) {
	a, b, ok := strings.Cut(s, "..")
	if !ok || a == "" {
		return from, to, fmt.Errorf("%q: want two moments. Try: 2..4, 2.. or 2025-06-30..2025-07-31, or a document in the place of one", s)
	}
	return parseDiffMoment(a), parseDiffMoment(b), nil
}

// parseDiffMoment reads a moment; what is none is the name of a document.
func parseDiffMoment(s string) *diffMoment {
	as, err := projections.ParseAsOf(s)
	if err != nil {
		return &diffMoment{document: s}
	}
	return &diffMoment{lastKnown: lastKnown{as: as}}
}

// find looks a document up, and what it was asked, where it is one.
func (m *diffMoment) find(documents *projections.Documents) (*projections.Publication, error) {
	if m.document == "" {
		return nil, nil
	}
	found := documents.Find(m.document)
	if found == nil {
		return nil, fmt.Errorf("%q is no moment, and no claim of the ledger stands in a document of that name. Try: an entry, a day, a time with its offset, or the name of a document as it was published", m.document)
	}
	m.entry = found.Entry()
	return found.Publication, nil
}

func (p *program) diff(ctx context.Context, l *eventstore.Ledger, q projections.Query, asked bool, from, to *diffMoment, csv bool) error {
	totals, amendments, documents := projections.NewTotals(), projections.NewAmendments(), projections.NewDocuments()
	from.totals, to.totals = totals, totals
	until := to.as
	if from.as.Entry() == 0 { // what it is, or which document, may come after that
		until = projections.AsOf{}
	}
	reg, stats, err := p.replay(ctx, l, until, totals, amendments, documents, &from.lastKnown, &to.lastKnown)
	if err != nil {
		return err
	}
	was, err := from.find(documents)
	if err != nil {
		return err
	}
	is, err := to.find(documents)
	if err != nil {
		return err
	}
	if published := cmp.Or(was, is); published != nil && !asked {
		q = published.Query
	}
	if to.as.Entry() > stats.Entries {
		return fmt.Errorf("as of entry %d: the ledger ends at entry %d. Try: an entry up to that, or a day", to.as.Entry(), stats.Entries)
	}
	if from.as.Entry() > stats.Entries {
		from.entry = from.as.Entry() // which comes after the other one
	}
	for _, m := range []*diffMoment{from, to} {
		if m.entry == 0 {
			return fmt.Errorf("at %s nothing was recorded yet. Try: an entry from 1 to %d, or a later time", m.as, stats.Entries)
		}
	}
	changed, err := totals.Diff(q, amendments, from.entry, to.entry)
	if err != nil {
		return err
	}
	changed.After.Cite(reg)
	p.note("%s", replayLine(stats))
	d := difference{changed, amendments, reg}
	switch {
	case p.json:
		return print.JSON(p.out, d.json())
	case csv:
		return print.CSV(p.out, diffHead, d.csv())
	}
	return p.printDifference(d)
}

// lastKnown is a projection that finds the last entry that was known at a moment.
// It is applied after the totals, which know the ledger's zone.
type lastKnown struct {
	as     projections.AsOf
	totals *projections.Totals
	looked uint64 // the last entry that was looked at
	entry  uint64
}

// Apply looks at the first line of each entry.
func (m *lastKnown) Apply(r *domain.Ruled) {
	if r.Position.Entry == m.looked {
		return
	}
	m.looked = r.Position.Entry
	if m.as.Knows(r.Position.Entry, r.Recorded, m.totals.Zone()) {
		m.entry = r.Position.Entry
	}
}

// difference is what is printed of a projections.Difference.
type difference struct {
	*projections.Difference
	amendments *projections.Amendments
	reg        *domain.Register
}

// changeJSON is a cell that changed.
type changeJSON struct {
	Row      string             `json:"row"`
	Labels   []string           `json:"labels,omitempty"`
	Column   projections.Column `json:"column"`
	Currency string             `json:"currency,omitempty"`
	Was      tallyJSON          `json:"was"`
	Is       tallyJSON          `json:"is"`
	Parts    []changePartJSON   `json:"parts"`
}

// tallyJSON is what facts add up to: a count, or a decimal string of an amount;
// of how many facts, and how many of those are unknown, at least or about.
type tallyJSON struct {
	Value   any   `json:"value"`
	Facts   int64 `json:"facts"`
	Unknown int64 `json:"unknown,omitempty"`
	AtLeast int64 `json:"at_least,omitempty"`
	About   int64 `json:"about,omitempty"`
}

type changePartJSON struct {
	Kind   projections.ChangeKind `json:"kind"`
	Change tallyJSON              `json:"change"`
	Events int                    `json:"events"`
	By     []changeEventJSON      `json:"by"`
}

// changeEventJSON is an event that changed a cell. Reason, authority, record and
// diary are those of an amendment.
type changeEventJSON struct {
	Position  domain.Position `json:"position"`
	Record    string          `json:"record,omitempty"`
	Reason    domain.Reason   `json:"reason,omitempty"`
	Authority string          `json:"authority,omitempty"`
	Source    string          `json:"source,omitempty"`
}

func (d *difference) json() any {
	cells := make([]changeJSON, len(d.Cells))
	for i, c := range d.Cells {
		out := changeJSON{Row: c.Row, Labels: c.Labels, Column: c.Column, Currency: c.Currency, Was: tallyOf(c.Was, c.Currency), Is: tallyOf(c.Is, c.Currency)}
		for _, part := range c.Parts {
			p := changePartJSON{Kind: part.Kind, Change: tallyOf(part.Change, c.Currency), Events: part.Events}
			for _, at := range part.Positions {
				p.By = append(p.By, d.event(at))
			}
			out.Parts = append(out.Parts, p)
		}
		cells[i] = out
	}
	return struct {
		Before projections.Citation `json:"before"`
		After  projections.Citation `json:"after"`
		Cells  []changeJSON         `json:"cells"`
	}{d.Before.Citation, d.After.Citation, cells}
}

func (d *difference) event(at domain.Position) changeEventJSON {
	made := d.amendments.At(at)
	out := changeEventJSON{Position: at, Reason: made.Reason, Authority: made.Authority, Source: made.Source}
	if made.Record != domain.NoRecord {
		out.Record = d.reg.Record(made.Record).Name.String()
	}
	return out
}

func tallyOf(t projections.Tally, currency string) tallyJSON {
	out := tallyJSON{Value: t.Value, Facts: t.Facts, Unknown: t.Unknown, AtLeast: t.AtLeast, About: t.About}
	if currency != "" {
		out.Value = domain.FormatMinor(t.Value, domain.Currency(currency).Decimals())
	}
	return out
}

var diffHead = []string{"row", "labels", "column", "currency", "was", "is", "kind", "change", "position", "record", "reason", "authority", "source"}

// csv has a line for every event of every cell.
func (d *difference) csv() (lines [][]string) {
	for _, c := range d.Cells {
		number := func(t projections.Tally) string { return fmt.Sprint(tallyOf(t, c.Currency).Value) }
		for _, part := range c.Parts {
			for _, at := range part.Positions {
				e := d.event(at)
				lines = append(lines, []string{
					c.Row, strings.Join(c.Labels, " · "), c.Column.String(), c.Currency, number(c.Was), number(c.Is),
					part.Kind.String(), number(part.Change), at.String(), e.Record, string(e.Reason), e.Authority, e.Source,
				})
			}
		}
	}
	return lines
}

// print prints it for a person: a row for each cell and kind of change, and one
// for each amendment.
func (p *program) printDifference(d difference) error {
	title := strings.TrimSuffix(d.Before.Title(), fmt.Sprintf("as known at entry %d", d.Before.Citation.Entry))
	if _, err := fmt.Fprintln(p.out, print.Clean(fmt.Sprintf("%sfrom entry %d to entry %d", title, d.Before.Citation.Entry, d.After.Citation.Entry))); err != nil {
		return err
	}
	if len(d.Cells) == 0 {
		_, err := fmt.Fprintf(p.out, "no cell changed\n%s\n", print.Clean(d.After.Citation.String()))
		return err
	}
	grid := &print.Table{}
	for _, by := range d.After.By {
		grid.Columns = append(grid.Columns, print.Column{Head: by.String()})
	}
	if len(d.After.By) == 0 {
		grid.Columns = append(grid.Columns, print.Column{})
	}
	labels := len(grid.Columns)
	grid.Columns = append(grid.Columns, print.Column{Head: "column"}, print.Column{Head: "was", Number: true}, print.Column{Head: "is", Number: true},
		print.Column{Head: "change", Number: true}, print.Column{Head: "by"})
	for i := range d.Cells {
		grid.Rows = append(grid.Rows, d.rows(&d.Cells[i], labels)...)
	}
	if err := grid.Write(p.out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.out, print.Clean(d.After.Citation.String()))
	return err
}

// rows are the rows of a cell: its own, with the first change, and one for each
// other change and for each amendment after the first of its kind.
func (d *difference) rows(c *projections.CellChange, labels int) (rows [][]string) {
	head, change := cellRow(c, labels)
	blank := make([]string, len(head))
	for _, part := range c.Parts {
		number := change(part.Change)
		for _, says := range d.says(&part) {
			rows = append(rows, append(head[:len(head):len(head)], number, says))
			head, number = blank, ""
		}
	}
	return rows
}

// cellRow is what stands before the changes of a cell: its labels, its column,
// what it was and is; and how its changes are written.
func cellRow(c *projections.CellChange, labels int) (head []string, change func(projections.Tally) string) {
	head = make([]string, labels)
	copy(head, projections.Row{Labels: c.Labels}.Texts())
	if c.Row != "row" {
		head[0] = c.Row
	}
	name := c.Column.String()
	if c.Currency != "" {
		name += " " + c.Currency
	}
	minor := domain.Currency(c.Currency).Decimals()
	shown := 0
	for _, t := range append([]projections.Tally{c.Was, c.Is}, changesOf(c)...) {
		if !t.Whole(minor) {
			shown = minor
		}
	}
	change = func(t projections.Tally) string { return t.ChangeText(minor, shown) }
	return append(head, name, c.Was.Text(minor, shown), c.Is.Text(minor, shown)), change
}

func changesOf(c *projections.CellChange) (list []projections.Tally) {
	for _, part := range c.Parts {
		list = append(list, part.Change)
	}
	return list
}

// says is what did it: new facts in one line, amendments in one each.
func (d *difference) says(part *projections.ChangePart) (lines []string) {
	if part.Kind == projections.NewFact {
		return []string{print.Plural(part.Events, "new fact") + ": " + positionsText(part)}
	}
	for i, at := range part.Positions {
		if i == mostAmendments {
			return append(lines, fmt.Sprintf("… and %d more; --json has them", part.Events-i))
		}
		made := d.amendments.At(at)
		line := at.String() + " " + why(part.Kind.String(), made.Reason, made.Authority)
		if made.Record != domain.NoRecord {
			line += " (" + d.reg.Record(made.Record).Name.String() + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// How much of a change a person is shown.
const (
	mostAmendments = 20
	mostPositions  = 5
)

// positionsText is the first positions of a change, or the first and the last.
func positionsText(part *projections.ChangePart) string {
	var list []string
	for i, at := range part.Positions {
		if i == mostPositions {
			list = append(list, "…")
			break
		}
		list = append(list, at.String())
	}
	return strings.Join(list, " ")
}

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) explainCommand() *cobra.Command {
	var q question
	var known asKnown
	var unplaced, csv bool
	cmd := &cobra.Command{
		Use:   "explain COLUMN",
		Short: "List the events that one number is made of, and their sum",
		Long: `List the events that one cell of a table is made of, with their positions, and
the sum that leads to it. COLUMN, --where, the period and --as-of are those of
totals: the row of a cell is a filter, such as --where city=Karachi for the row
Karachi, and --where city=not-given for the row not given.

A version that came by an amendment names its position and reason; what counts
only since a record that it was matched with was retracted, or stands where it
does since a succession that it straddles, says since when.`,
		Example: `  roznamcha explain arrests --where city=Karachi
  roznamcha explain recovered --period 2024-01/2025-06 --as-of 7
  roznamcha explain raids --period 2025 --unplaced`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			query, err := q.parse(args)
			if err != nil {
				return err
			}
			if len(query.Columns) != 1 {
				return wrong("one column is explained at a time. Try: roznamcha explain %s", query.Columns[0])
			}
			if err := known.parse(cmd); err != nil {
				return err
			}
			return p.withLedgerThatHas(cmd.Context(), &known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
				return p.explain(ctx, l, query, known.asOf, unplaced, csv)
			})
		},
	}
	q.cell(cmd)
	known.flags(cmd)
	cmd.Flags().BoolVar(&unplaced, "unplaced", false, "list what has no date, or lies only partly in the period, instead")
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

func (p *program) explain(ctx context.Context, l *eventstore.Ledger, q projections.Query, asOf projections.AsOf, unplaced, csv bool) error {
	totals, amendments := projections.NewTotals(), projections.NewAmendments()
	reg, stats, err := p.replay(ctx, l, asOf, totals, amendments)
	if err != nil {
		return err
	}
	explained, err := totals.Explain(q, unplaced)
	if err != nil {
		return err
	}
	explained.Table.Cite(reg)
	p.note("%s", replayLine(stats))
	parts := make([]partJSON, len(explained.Parts))
	for i := range explained.Parts {
		parts[i] = partOf(&explained.Parts[i], reg, amendments)
	}
	switch {
	case p.json:
		return print.JSON(p.out, struct {
			Table *projections.Table `json:"table"`
			Parts []partJSON         `json:"parts"`
		}{explained.Table, parts})
	case csv:
		rows := make([][]string, len(parts))
		for i, part := range parts {
			rows[i] = part.csv()
		}
		return print.CSV(p.out, partHead, rows)
	}
	return p.printExplanation(explained, parts, unplaced)
}

// partJSON is one fact of a cell.
type partJSON struct {
	Position domain.Position  `json:"position"`
	Since    *domain.Position `json:"since,omitempty"`
	Record   string           `json:"record"`
	// Through are the successions by which the successor asked for answers.
	Through []domain.Position `json:"through,omitempty"`
	// When is when it happened or was reported, in whole days; "" where undated.
	When      string `json:"when,omitempty"`
	Value     string `json:"value,omitempty"`
	Qualifier string `json:"qualifier"`
	Currency  string `json:"currency,omitempty"`
	// Change, Reason, Authority and By are those of the amendment that the
	// version came by.
	Change    string        `json:"change,omitempty"`
	Reason    domain.Reason `json:"reason,omitempty"`
	Authority string        `json:"authority,omitempty"`
	By        string        `json:"by,omitempty"`
}

func partOf(part *projections.Part, reg *domain.Register, amendments *projections.Amendments) partJSON {
	out := partJSON{
		Position: part.Position, Record: reg.Record(part.Record).Name.String(),
		Qualifier: part.Qualifier.String(), Currency: string(part.Currency), When: daysText(part), Through: part.Through,
	}
	if !part.Since.IsZero() {
		out.Since = &part.Since
	}
	if part.Qualifier != domain.Unknown {
		out.Value = domain.FormatMinor(part.Quantity, part.Currency.Decimals())
	}
	if made := amendments.At(part.Position); made.Kind != projections.NewFact {
		out.Change, out.Reason, out.Authority, out.By = made.Kind.String(), made.Reason, made.Authority, made.Source
	}
	return out
}

// daysText is when a fact happened, as a period of days.
func daysText(part *projections.Part) string {
	from, to := part.From.String(), part.To.String()
	switch {
	case !part.Dated():
		return ""
	case part.From == part.To:
		return from
	case part.From == domain.MinDay:
		from = ".."
	case part.To == domain.MaxDay:
		to = ".."
	}
	return from + "/" + to
}

var partHead = []string{"position", "since", "record", "when", "value", "qualifier", "currency", "change", "reason", "authority", "by"}

func (part *partJSON) csv() []string {
	since := ""
	if part.Since != nil {
		since = part.Since.String()
	}
	return []string{
		part.Position.String(), since, part.Record, part.When, part.Value, part.Qualifier, part.Currency,
		part.Change, string(part.Reason), part.Authority, part.By,
	}
}

// says is what a person must know of it besides: that it came by an amendment,
// since when it counts, and by which successions another answers for it.
func (part *partJSON) says() string {
	var says []string
	if part.Change != "" {
		says = append(says, why(part.Change, part.Reason, part.Authority))
	}
	if part.Since != nil {
		says = append(says, "counts so since "+part.Since.String())
	}
	for i, at := range part.Through {
		if i == 0 {
			says = append(says, "its agency's successor by "+at.String())
		} else {
			says[len(says)-1] += " " + at.String()
		}
	}
	return strings.Join(says, "; ")
}

// why says what an amendment did, for what reason and by whose authority.
func why(change string, reason domain.Reason, authority string) string {
	if reason != "" {
		change += ": " + string(reason)
	}
	if authority != "" {
		change += ", by " + authority
	}
	return change
}

func (p *program) printExplanation(explained *projections.Explanation, parts []partJSON, unplaced bool) error {
	t := explained.Table
	if _, err := fmt.Fprintln(p.out, print.Clean(t.Title())); err != nil {
		return err
	}
	grid := &print.Table{Columns: []print.Column{{Head: "position", Number: true}, {Head: "record"}, {Head: t.Clock.String()}}}
	for _, c := range t.Columns {
		grid.Columns = append(grid.Columns, print.Column{Head: c.Head(), Number: true})
	}
	grid.Columns = append(grid.Columns, print.Column{})
	for i := range parts {
		part, fact := &parts[i], &explained.Parts[i]
		when := part.When
		if when == "" {
			when = "not given"
		}
		row := []string{part.Position.String(), part.Record, when}
		for _, c := range t.Columns {
			cell := ""
			if fact.Currency == "" || string(fact.Currency) == c.Currency {
				cell = fact.Cell(c.Decimals)
			}
			row = append(row, cell)
		}
		grid.Rows = append(grid.Rows, append(row, part.says()))
	}
	sum, name := &t.Total, "total"
	if unplaced {
		sum, name = t.Unplaced, "unplaced"
	}
	row := []string{"", name, print.Plural(len(parts), "fact")}
	if sum != nil {
		for _, c := range sum.Cells {
			row = append(row, c.Text)
		}
	}
	grid.Rows = append(grid.Rows, row)
	if err := grid.Write(p.out); err != nil {
		return err
	}
	for _, line := range append(t.Notes[:len(t.Notes):len(t.Notes)], t.Citation.String()) {
		if _, err := fmt.Fprintln(p.out, print.Clean(line)); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) totalsCommand() *cobra.Command {
	var q question
	var known asKnown
	var publish, document string
	var csv bool
	cmd := &cobra.Command{
		Use:   "totals [COLUMN…]",
		Short: "Add up what the ledger holds, by place, time or person",
		Long: `Add up what the ledger holds.

A COLUMN is a measure (raids, detained, arrests, cases, alleged, recovered,
seized, forfeited), with filters in brackets if it has any: arrests[sex=female].
The names national, foreign and unknown are arrests of that class. Without
columns the table has every measure that the ledger has facts of.

Dimensions for --by and --where: agency (who acted), successor (who answers for
it today), unit, country, subdivision, city, premises, nationality, class, sex,
offence, form, operation, currency, year, quarter, month.

--where takes values as the table prints them, with | between: also not-given,
and 'year=in no one year' (quarter, month) for what has no date or a longer one.

A period is inclusive and counts what lies wholly inside it; what lies partly
inside, or has no date, is unplaced, in a row of its own. With --as-of the table
is what was known then: an entry number, a day, or a time.

Who has a receipt asks for totals that have its entry with --at-least, and says
with --within how long to wait for it: they come, or "not yet" with exit code 1.

--publish DOCUMENT records the cells as figures that the ledger's office has
published under that name, with the table's citation: --document DOCUMENT prints
the same table again, whatever was recorded since, and roznamcha diff DOCUMENT..
tells what has changed. Cells that are not given or unknown are no figures.`,
		Example: `  roznamcha totals --by city
  roznamcha totals arrests national foreign --by year --year-starts 10
  roznamcha totals recovered --where city=Karachi --period 2024-01/2025-06
  roznamcha totals --by month --as-of 3 --csv
  roznamcha totals --by city --at-least 2:1 --within 5s
  roznamcha totals raids arrests --by city --publish 'return of June 2025'
  roznamcha totals --document 'return of June 2025'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			if err := known.parse(cmd); err != nil {
				return err
			}
			if document != "" {
				if q.asked(cmd, args) || !known.asOf.IsZero() {
					return wrong("a document has its own question, and its own entry. Try: roznamcha totals --document %s", shellWord(document))
				}
				return p.withLedgerThatHas(cmd.Context(), &known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
					return p.printDocument(ctx, l, document, csv)
				})
			}
			if cmd.Flags().Changed("publish") {
				if err := checkDocument(publish); err != nil {
					return err
				}
			}
			query, err := q.parse(args)
			if err != nil {
				return err
			}
			return p.withLedgerThatHas(cmd.Context(), &known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
				return p.totals(ctx, l, query, known.asOf, publish, csv)
			})
		},
	}
	q.flags(cmd)
	known.flags(cmd)
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	cmd.Flags().StringVar(&publish, "publish", "", "record the cells as figures of the `DOCUMENT` of that name")
	cmd.Flags().StringVar(&document, "document", "", "print the table that was published as `DOCUMENT` again, and check it")
	cmd.MarkFlagsMutuallyExclusive("publish", "document")
	return cmd
}

// totals prints one table, and publishes it under a name unless that is "".
func (p *program) totals(ctx context.Context, l *eventstore.Ledger, q projections.Query, asOf projections.AsOf, publish string, csv bool) error {
	a, err := p.answer(ctx, l, q, asOf)
	if err != nil {
		return err
	}
	p.note("%s", replayLine(a.stats))
	if publish == "" {
		return p.printAnswer(a, csv)
	}
	published, err := p.publish(ctx, l, a, publish)
	if err != nil {
		return err
	}
	return p.printPublished(a, published, csv)
}

// answer is a table of totals, and what it was made from.
type answer struct {
	// query is what was asked, with the columns that were meant.
	query  projections.Query
	table  *projections.Table
	totals *projections.Totals
	stats  projections.Stats
}

// answer replays the ledger and asks for one table.
func (p *program) answer(ctx context.Context, l *eventstore.Ledger, q projections.Query, asOf projections.AsOf) (*answer, error) {
	a := &answer{query: q, totals: projections.NewTotals()}
	reg, stats, err := p.replay(ctx, l, asOf, a.totals)
	if err != nil {
		return nil, err
	}
	if len(q.Columns) == 0 {
		a.query.Columns = projections.DefaultColumns(a.totals)
	}
	if a.table, err = a.totals.Query(a.query); err != nil {
		return nil, err
	}
	a.table.Cite(reg)
	a.stats = stats
	return a, nil
}

func (p *program) printAnswer(a *answer, csv bool) error {
	switch {
	case p.json:
		return print.JSON(p.out, a.table)
	case csv:
		lines := a.table.CSV()
		return print.CSV(p.out, lines[0], lines[1:])
	}
	return printTotals(p.out, a.table)
}

// replayLine says how much was replayed and how fast; milliseconds make no rate.
func replayLine(s projections.Stats) string {
	if s.Snapshot > 0 {
		return fmt.Sprintf("%s: a snapshot at entry %s and %s since, in %s", print.Plural(s.Lines, "event"), print.Count(s.Snapshot), print.Count(s.Lines-s.Before), print.Duration(s.Took))
	}
	line := fmt.Sprintf("%s replayed in %s", print.Plural(s.Lines, "event"), print.Duration(s.Took))
	if s.Took >= time.Second {
		line += fmt.Sprintf(" · %s/s", print.Count(int64(float64(s.Lines)/s.Took.Seconds())))
	}
	return line
}

// question is the flags that ask for a table of totals.
type question struct {
	by, where string
	during
	yearStarts int
}

func (q *question) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&q.by, "by", "", "group by up to three `DIMENSIONS`, such as city,month")
	q.cell(cmd)
}

// cell is the flags that say which facts, without a grouping.
func (q *question) cell(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&q.where, "where", "", "count only what fits all of `FILTERS`, such as city=Karachi|Lahore,class=foreign")
	q.during.flags(cmd, "count only what lies in `PERIOD`, such as 2025, 2025-06 or 2024-01/2025-06")
	flags.IntVar(&q.yearStarts, "year-starts", 1, "`MONTH` in which a year begins, 1 to 12")
}

// asked tells whether a question was typed.
func (q *question) asked(cmd *cobra.Command, columns []string) bool {
	for _, name := range []string{"by", "where", "period", "from", "to", "clock", "year-starts"} {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return len(columns) > 0
}

// parse reads the flags and the columns; any error is wrong use.
func (q *question) parse(columns []string) (query projections.Query, err error) {
	steps := []func() error{
		func() (err error) { query.Columns, err = parseColumns(columns); return err },
		func() (err error) { query.By, err = projections.ParseDimensions(q.by); return err },
		func() (err error) { query.Where, err = projections.ParseFilters(q.where); return err },
		func() error {
			during, err := q.during.parse()
			query.Period, query.Clock = during.Period, during.Clock
			return err
		},
		func() error {
			if q.yearStarts < 1 || q.yearStarts > 12 {
				return fmt.Errorf("--year-starts %d: a year starts in one of the months 1 to 12", q.yearStarts)
			}
			query.YearStarts = time.Month(q.yearStarts)
			return nil
		},
		func() error {
			// What an empty ledger cannot answer, none can.
			_, err := projections.NewTotals().Query(query)
			return err
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return query, &wrongUse{err}
		}
	}
	return query, nil
}

// parseColumns reads columns given as one argument each, or with commas.
func parseColumns(args []string) (columns []projections.Column, err error) {
	for _, arg := range args {
		some, err := projections.ParseColumns(arg)
		if err != nil {
			return nil, err
		}
		columns = append(columns, some...)
	}
	return columns, nil
}

// oneFormat sees that at most one of --json and --csv was given.
func (p *program) oneFormat(csv bool) error {
	if p.json && csv {
		return wrong("--json and --csv exclude each other")
	}
	return nil
}

// printTotals prints a table for a person, with its title, notes and citation.
func printTotals(w io.Writer, t *projections.Table) error {
	if _, err := fmt.Fprintln(w, print.Clean(t.Title())); err != nil {
		return err
	}
	grid := totalsGrid(t)
	if err := grid.Write(w); err != nil {
		return err
	}
	for _, line := range append(slices.Clone(t.Notes), t.Citation.String()) {
		if _, err := fmt.Fprintln(w, print.Clean(line)); err != nil {
			return err
		}
	}
	return nil
}

// totalsGrid lays t out: the labels on the left, the total and what is
// unplaced at the end.
func totalsGrid(t *projections.Table) *print.Table {
	grid := &print.Table{}
	for _, d := range t.By {
		grid.Columns = append(grid.Columns, print.Column{Head: d.String()})
	}
	if len(t.By) == 0 {
		grid.Columns = append(grid.Columns, print.Column{})
	}
	labels := len(grid.Columns)
	for _, c := range t.Columns {
		grid.Columns = append(grid.Columns, print.Column{Head: c.Head(), Group: c.Group, Number: true})
	}
	add := func(label string, row projections.Row) {
		cells := row.Texts()
		if label != "" {
			cells = append(cells, label)
		}
		for len(cells) < labels {
			cells = append(cells, "")
		}
		for _, c := range row.Cells {
			cells = append(cells, c.Text)
		}
		grid.Rows = append(grid.Rows, cells)
	}
	for _, row := range t.Rows {
		add("", row)
	}
	add("total", t.Total)
	if t.Unplaced != nil {
		add("unplaced", *t.Unplaced)
	}
	return grid
}

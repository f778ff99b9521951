package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) totalsCommand() *cobra.Command {
	var q question
	var asOf string
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
is what was known then: an entry number, a day, or a time.`,
		Example: `  roznamcha totals --by city
  roznamcha totals arrests national foreign --by year --year-starts 10
  roznamcha totals recovered --where city=Karachi --period 2024-01/2025-06
  roznamcha totals --by month --as-of 3 --csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			query, err := q.parse(args)
			if err != nil {
				return err
			}
			known, err := projections.ParseAsOf(asOf)
			if err != nil {
				return &wrongUse{err}
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				return p.totals(ctx, l, query, known, csv)
			})
		},
	}
	q.flags(cmd)
	cmd.Flags().StringVar(&asOf, "as-of", "", "as known then: an `ENTRY`, a day or a time; default now")
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

// totals prints one table.
func (p *program) totals(ctx context.Context, l *eventstore.Ledger, q projections.Query, asOf projections.AsOf, csv bool) error {
	totals := projections.NewTotals()
	reg, stats, err := p.replay(ctx, l, asOf, totals)
	if err != nil {
		return err
	}
	t, err := totals.Query(q)
	if err != nil {
		return err
	}
	t.Cite(reg)
	p.note("%s", replayLine(stats))
	switch {
	case p.json:
		return print.JSON(p.out, t)
	case csv:
		lines := t.CSV()
		return print.CSV(p.out, lines[0], lines[1:])
	}
	return printTotals(p.out, t)
}

// replayLine says how much was replayed and how fast.
func replayLine(s projections.Stats) string {
	return fmt.Sprintf("%s replayed in %s", print.Plural(s.Lines, "event"), print.Duration(s.Took))
}

// question is the flags that ask for a table of totals.
type question struct {
	by, where, period, from, to, clock string
	yearStarts                         int
}

func (q *question) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&q.by, "by", "", "group by up to three `DIMENSIONS`, such as city,month")
	flags.StringVar(&q.where, "where", "", "count only what fits all of `FILTERS`, such as city=Karachi|Lahore,class=foreign")
	flags.StringVar(&q.period, "period", "", "count only what lies in `PERIOD`, such as 2025, 2025-06 or 2024-01/2025-06")
	flags.StringVar(&q.from, "from", "", "first `DAY`, month or year of the period")
	flags.StringVar(&q.to, "to", "", "last `DAY`, month or year of the period")
	flags.StringVar(&q.clock, "clock", "occurred", "place facts by this `CLOCK`: when they occurred, or were reported")
	flags.IntVar(&q.yearStarts, "year-starts", 1, "`MONTH` in which a year begins, 1 to 12")
	cmd.MarkFlagsMutuallyExclusive("period", "from")
	cmd.MarkFlagsMutuallyExclusive("period", "to")
}

// parse reads the flags and the columns; any error is wrong use.
func (q *question) parse(columns []string) (query projections.Query, err error) {
	steps := []func() error{
		func() (err error) { query.Columns, err = parseColumns(columns); return err },
		func() (err error) { query.By, err = projections.ParseDimensions(q.by); return err },
		func() (err error) { query.Where, err = projections.ParseFilters(q.where); return err },
		func() (err error) { query.Clock, err = projections.ParseClock(q.clock); return err },
		func() (err error) { query.Period, err = q.parsePeriod(); return err },
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

// parsePeriod is the period of --period, or of --from and --to, either of
// which may be missing.
func (q *question) parsePeriod() (domain.Period, error) {
	text := q.period
	switch {
	case q.from != "" && q.to != "":
		text = q.from + "/" + q.to
	case q.from != "":
		text = q.from + "/.."
	case q.to != "":
		text = "../" + q.to
	case text == "":
		return domain.Period{}, nil
	}
	return domain.ParsePeriod(text)
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

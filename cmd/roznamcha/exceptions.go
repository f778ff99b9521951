package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) exceptionsCommand() *cobra.Command {
	var q exceptionQuestion
	cmd := &cobra.Command{
		Use:   "exceptions",
		Short: "Show what a reader must know and no total hides",
		Long: `Show what a reader must know and no total hides. The kinds:

  refused            lines in the ledger that the register refuses, by code
  unrecognised       events of a type that it does not know
  dangling-link      links to, or from, a record that is not there
  link-to-retracted  links to a record that is retracted
  dated-ahead        dates after the day of recording
  look-alike         records of one type, day and city (or subdivision, where
                     neither names a city) in two diaries: one action told
                     twice? It is an offer to match them, never done by itself.
                     A record is offered to another diary once at a time
  sequence-gap       numbers missing between ids of one kind and diary, where
                     those are running numbers: 0007, KHI-7 or 2025-0007

Without --kind they are counted. With it each one that stands is listed, with
the position that opened it, or with --settled each one that stood and does no
more, with the position that settled it: the record that came, the correction,
retraction or match. A refused line is never settled.

In a period are those about a fact that lies wholly inside it. What is about a
fact without a date, or partly inside, is unplaced, and so are refused and
unrecognised lines and sequence gaps: they are counted below, and listed with
--unplaced.

A number missing among the entries themselves is no exception but an alarm: no
command reads on over it.

The exit code is 3 where one of those asked about stands, 0 where none does.`,
		Example: `  roznamcha exceptions
  roznamcha exceptions --kind refused
  roznamcha exceptions --kind dangling-link --settled
  roznamcha exceptions --period 2025-06 --clock reported
  roznamcha exceptions --as-of 5 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.oneFormat(q.csv); err != nil {
				return err
			}
			if err := q.parse(); err != nil {
				return err
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				return p.exceptions(ctx, l, &q)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.kind, "kind", "", "list those of this `KIND`")
	flags.BoolVar(&q.settled, "settled", false, "list those that were settled, instead of those that stand")
	flags.BoolVar(&q.unplaced, "unplaced", false, "list what has no date, or lies only partly in the period, instead")
	flags.StringVar(&q.asOf, "as-of", "", "as known then: an `ENTRY`, a day or a time; default now")
	q.when.flags(cmd, "only those about facts that lie in `PERIOD`, such as 2025, 2025-06 or 2024-01/2025-06")
	flags.BoolVar(&q.csv, "csv", false, "print CSV")
	return cmd
}

// exceptionQuestion is the flags of exceptions, and what they mean.
type exceptionQuestion struct {
	kind, asOf             string
	when                   during
	settled, unplaced, csv bool

	kinds  []projections.ExceptionKind
	known  projections.AsOf
	during projections.During
}

// parse reads the flags; any error is wrong use.
func (q *exceptionQuestion) parse() (err error) {
	if q.kinds, err = parseKind(q.kind); err != nil {
		return err
	}
	if q.known, err = projections.ParseAsOf(q.asOf); err != nil {
		return &wrongUse{err}
	}
	if q.during, err = q.when.parse(); err != nil {
		return &wrongUse{err}
	}
	if q.unplaced && q.during.IsZero() {
		return wrong("--unplaced: without a period everything has its place. Try: --unplaced --period 2025")
	}
	return nil
}

// lists tells whether each exception is asked for, not their counts.
func (q *exceptionQuestion) lists() bool { return q.kind != "" || q.settled || q.unplaced }

func kindList() string {
	var words []string
	for _, k := range projections.ExceptionKinds() {
		words = append(words, k.String())
	}
	return strings.Join(words, ", ")
}

// parseKind is the kind of that name, or all for "".
func parseKind(s string) ([]projections.ExceptionKind, error) {
	all := projections.ExceptionKinds()
	if s == "" {
		return all, nil
	}
	for _, k := range all {
		if k.String() == s {
			return []projections.ExceptionKind{k}, nil
		}
	}
	return nil, wrong("--kind %s: there is no such kind. Try: %s", s, kindList())
}

func (p *program) exceptions(ctx context.Context, l *eventstore.Ledger, q *exceptionQuestion) error {
	all := projections.NewAllExceptions()
	reg, stats, err := p.replay(ctx, l, q.known, all)
	if err != nil {
		return err
	}
	report := newExceptionReport(all, q, cite(reg, stats))
	if err := p.printExceptions(report, q); err != nil {
		return err
	}
	return report.err()
}

// exceptionReport is the exceptions that were asked about.
type exceptionReport struct {
	During *projections.During          `json:"during,omitempty"`
	Counts []projections.ExceptionCount `json:"counts"`
	// Standing are those that stand: those in the period, or with --unplaced
	// those that are unplaced.
	Standing []projections.Exception `json:"standing"`
	// Settled are those that do no more, where they were asked for.
	Settled  []projections.Exception `json:"settled,omitempty"`
	Citation projections.Citation    `json:"citation"`
}

func newExceptionReport(x *projections.Exceptions, q *exceptionQuestion, citation projections.Citation) exceptionReport {
	ask := projections.ExceptionQuery{During: q.during, Unplaced: q.unplaced}
	report := exceptionReport{During: duringOrNone(q.during), Counts: []projections.ExceptionCount{}, Citation: citation}
	for _, c := range x.Count(ask) {
		if slices.Contains(q.kinds, c.Kind) {
			report.Counts = append(report.Counts, c)
		}
	}
	find := func() []projections.Exception {
		list := []projections.Exception{}
		for e := range x.Find(ask) {
			if slices.Contains(q.kinds, e.Kind) {
				list = append(list, e)
			}
		}
		return list
	}
	report.Standing = find()
	if ask.Settled = q.settled; q.settled {
		report.Settled = find()
	}
	return report
}

// err makes the exit code 3 where an exception stands.
func (r exceptionReport) err() error {
	if len(r.Standing) > 0 {
		return &foundError{}
	}
	return nil
}

func (p *program) printExceptions(r exceptionReport, q *exceptionQuestion) error {
	if p.json {
		return print.JSON(p.out, r)
	}
	list := r.Standing
	if q.settled {
		list = r.Settled
	}
	table, said := r.countTable(), len(r.Counts) > 0
	if q.lists() {
		table, said = exceptionTable(list, q.settled), len(list) > 0
	}
	if q.csv {
		return table.WriteCSV(p.out)
	}
	return p.printNoted(table, said, append(r.notes(q, list), citationLine(r.Citation)))
}

// printNoted prints a table, or that there is none, and lines below it.
func (p *program) printNoted(table *print.Table, said bool, lines []string) error {
	if !said {
		lines = append([]string{"no exceptions"}, lines...)
	} else if err := table.Write(p.out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.out, strings.Join(lines, "\n"))
	return err
}

// notes are what a person must know besides: what the period leaves out, and
// how one that looks alike is settled.
func (r exceptionReport) notes(q *exceptionQuestion, list []projections.Exception) (notes []string) {
	var kinds []string
	unplaced := 0
	for _, c := range r.Counts {
		if c.Unplaced > 0 {
			unplaced += c.Unplaced
			kinds = append(kinds, fmt.Sprintf("%s %s", strings.TrimSpace(c.Kind.String()+" "+string(c.Code)), print.Count(c.Unplaced)))
		}
	}
	if unplaced > 0 && !q.unplaced {
		notes = append(notes, fmt.Sprintf("unplaced, without a date or partly inside: %s (--unplaced lists them)", strings.Join(kinds, " · ")))
	}
	if q.lists() && !q.settled {
		if i := slices.IndexFunc(list, func(e projections.Exception) bool { return e.Kind == projections.LookAlike }); i >= 0 {
			notes = append(notes, "one action told twice? Try: "+matchCommand(list[i]))
		}
	}
	return notes
}

// matchCommand is what settles that two records look alike, if they are one
// action.
func matchCommand(e projections.Exception) string {
	return "roznamcha amend match " + shellWord(e.Record.String()) + " " + shellWord(e.Link.String())
}

// countTable has a row for every kind and code and, where a period was asked
// about, a column of what is unplaced.
func (r exceptionReport) countTable() *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "kind"}, {Head: "code"}, {Head: "standing", Number: true}, {Head: "settled", Number: true}, {Head: "lines", Number: true}, {Head: "first", Number: true},
	}}
	if r.During != nil {
		table.Columns = append(table.Columns, print.Column{Head: "unplaced", Number: true})
	}
	for _, c := range r.Counts {
		lines, first := "", ""
		if c.Kind == projections.RefusedLine {
			lines = print.Count(c.Lines)
		}
		if !c.First.IsZero() {
			first = c.First.String()
		}
		row := []string{c.Kind.String(), string(c.Code), print.Count(c.Standing), print.Count(c.Settled), lines, first}
		if r.During != nil {
			row = append(row, print.Count(c.Unplaced))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// exceptionTable has a row for every exception; settled, with what settled it.
func exceptionTable(list []projections.Exception, settled bool) *print.Table {
	table := &print.Table{Columns: []print.Column{{Head: "position", Number: true}}}
	if settled {
		table.Columns = append(table.Columns, print.Column{Head: "settled by", Number: true})
	}
	table.Columns = append(table.Columns,
		print.Column{Head: "kind"}, print.Column{Head: "code"}, print.Column{Head: "record"}, print.Column{Head: "link"}, print.Column{Head: "detail"})
	for _, e := range list {
		detail := e.Detail
		if e.Lines > 1 {
			detail += fmt.Sprintf(" (with %s of its submission)", print.Plural(e.Lines-1, "other line"))
		}
		row := []string{e.Opened.String()}
		if settled {
			row = append(row, e.Settled.String())
		}
		table.Rows = append(table.Rows, append(row, e.Kind.String(), string(e.Code), nameOrNone(e.Record), nameOrNone(e.Link), detail))
	}
	return table
}

func nameOrNone(n domain.RecordName) string {
	if n.IsZero() {
		return ""
	}
	return n.String()
}

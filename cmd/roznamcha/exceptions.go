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

// exceptionKinds are all kinds, in the order in which they are printed.
var exceptionKinds = []projections.ExceptionKind{
	projections.RefusedLine, projections.UnrecognisedLine, projections.DanglingLink, projections.RetractedLink, projections.DatedAhead,
}

func (p *program) exceptionsCommand() *cobra.Command {
	var kind, asOf string
	var csv bool
	cmd := &cobra.Command{
		Use:   "exceptions",
		Short: "Show what a reader must know and no total hides",
		Long: `Show what a reader must know and no total hides: lines in the ledger that the
register refuses, types that it does not know, links to records that are not
there or are retracted, and dates after the day of recording.

Without --kind they are counted; with it (` + kindList() + `) each one that
stands is listed. The exit code is 3 where one stands, 0 where none does.`,
		Example: `  roznamcha exceptions
  roznamcha exceptions --kind refused
  roznamcha exceptions --as-of 5 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			kinds, err := parseKind(kind)
			if err != nil {
				return err
			}
			known, err := projections.ParseAsOf(asOf)
			if err != nil {
				return &wrongUse{err}
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				exceptions := projections.NewExceptions()
				reg, stats, err := p.replay(ctx, l, known, exceptions)
				if err != nil {
					return err
				}
				report := newExceptionReport(exceptions, kinds, cite(reg, stats))
				if err := p.printExceptions(report, kind != "", csv); err != nil {
					return err
				}
				return report.err()
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "list those of this `KIND`")
	cmd.Flags().StringVar(&asOf, "as-of", "", "as known then: an `ENTRY`, a day or a time; default now")
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

func kindList() string {
	words := make([]string, len(exceptionKinds))
	for i, k := range exceptionKinds {
		words[i] = k.String()
	}
	return strings.Join(words, ", ")
}

// parseKind is the kind of that name, or all for "".
func parseKind(s string) ([]projections.ExceptionKind, error) {
	if s == "" {
		return exceptionKinds, nil
	}
	for _, k := range exceptionKinds {
		if k.String() == s {
			return []projections.ExceptionKind{k}, nil
		}
	}
	return nil, wrong("--kind %s: there is no such kind. Try: %s", s, kindList())
}

// exceptionReport is the exceptions that were asked about.
type exceptionReport struct {
	Counts   []projections.ExceptionCount `json:"counts"`
	Standing []projections.Exception      `json:"standing"`
	Citation projections.Citation         `json:"citation"`
}

func newExceptionReport(x *projections.Exceptions, kinds []projections.ExceptionKind, citation projections.Citation) exceptionReport {
	report := exceptionReport{Counts: []projections.ExceptionCount{}, Standing: []projections.Exception{}, Citation: citation}
	for _, c := range x.Counts(0) {
		if slices.Contains(kinds, c.Kind) {
			report.Counts = append(report.Counts, c)
		}
	}
	for e := range x.Standing(0) {
		if slices.Contains(kinds, e.Kind) {
			report.Standing = append(report.Standing, e)
		}
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

// printExceptions prints each exception where list, else their counts.
func (p *program) printExceptions(r exceptionReport, list, csv bool) error {
	if p.json {
		return print.JSON(p.out, r)
	}
	table, said := r.countTable(), len(r.Counts) > 0
	if list {
		table, said = r.listTable(), len(r.Standing) > 0
	}
	if csv {
		return table.WriteCSV(p.out)
	}
	if !said {
		_, err := fmt.Fprintf(p.out, "no exceptions\n%s\n", citationLine(r.Citation))
		return err
	}
	if err := table.Write(p.out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.out, citationLine(r.Citation))
	return err
}

func (r exceptionReport) countTable() *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "kind"}, {Head: "code"}, {Head: "standing", Number: true}, {Head: "settled", Number: true}, {Head: "lines", Number: true}, {Head: "first", Number: true},
	}}
	for _, c := range r.Counts {
		lines := ""
		if c.Kind == projections.RefusedLine {
			lines = print.Count(c.Lines)
		}
		table.Rows = append(table.Rows, []string{c.Kind.String(), string(c.Code), print.Count(c.Standing), print.Count(c.Settled), lines, c.First.String()})
	}
	return table
}

func (r exceptionReport) listTable() *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "position", Number: true}, {Head: "kind"}, {Head: "code"}, {Head: "record"}, {Head: "link"}, {Head: "detail"},
	}}
	for _, e := range r.Standing {
		detail := e.Detail
		if e.Lines > 1 {
			detail += fmt.Sprintf(" (with %s of its submission)", print.Plural(e.Lines-1, "other line"))
		}
		table.Rows = append(table.Rows, []string{e.Opened.String(), e.Kind.String(), string(e.Code), nameOrNone(e.Record), nameOrNone(e.Link), detail})
	}
	return table
}

func nameOrNone(n domain.RecordName) string {
	if n.IsZero() {
		return ""
	}
	return n.String()
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// audit is one question of an auditor, as it was typed.
type audit struct {
	question
	known         asKnown
	without       string
	list, records bool
	csv           bool
	query         projections.Query
	lack          projections.Outcome
}

// auditQuestions are the questions that there are, and the flags that belong to
// some of them alone.
var auditQuestions = []struct {
	name  string
	flags []string
	ask   func(*program, context.Context, *eventstore.Ledger, *audit) (*findings, error)
}{
	{"idle-raids", []string{"without"}, (*program).idleRaids},
	{"recoveries-without-memo", nil, (*program).recoveriesWithoutMemo},
	{"case-gaps", []string{"list"}, (*program).caseGaps},
	{"delay", []string{"by"}, (*program).delay},
	{"amendments", []string{"list", "records"}, (*program).amendmentsBy},
}

func (p *program) auditCommand() *cobra.Command {
	var a audit
	cmd := &cobra.Command{
		Use: "audit idle-raids [--without case,arrest]\n" +
			"  roznamcha audit recoveries-without-memo\n" +
			"  roznamcha audit case-gaps [--list]\n" +
			"  roznamcha audit delay [COLUMN…] [--by DIMENSIONS]\n" +
			"  roznamcha audit amendments [--list | --records]",
		Short: "Answer what an auditor asks: what is missing, late, or was amended",
		Long: `Answer what an auditor asks, of the facts that totals would count: as known at
--as-of, in the period, and narrowed by --where. What is retracted is not asked
about, nor are matched reports of one action but the first.

  idle-raids   raids without a case or an arrest. A raid has those that it is
               linked with, by either's own data or by amend link, in either
               direction, where both records stand, and through its arrests the
               cases that those are linked with. What any of matched reports is
               linked with counts. --without case asks for raids without a case,
               whether they have an arrest or not
  recoveries-without-memo
               recoveries that name no memo, in none of their matched reports
  case-gaps    numbers of cases that are missing, by diary, station and year of
               registration, and those that several cases have. A number is
               digits, alone or with its year: 97, 97/2025 or 97/25; each year
               begins at 1. Letter case in a station's name is not looked at.
               Cases with other numbers stand apart; --list names them, and those
               that share a number. A number that only a retracted case has is
               withdrawn, not missing. The period and --where choose which
               sequences are shown, by their cases; each is shown whole
  delay        days from the last day on which facts occurred (cases: were
               registered; with --clock reported: were reported), as now known,
               to the day on which they were first recorded, by agency and unit
               or --by. The median is the least that half of them do not exceed,
               90 % likewise. What has no last day is undated; what was recorded
               before it, ahead: neither has a delay
  amendments   by the diary that amended, its reference (by) and the reason: how
               many, and of how many records. --records counts by record, --list
               names each. A period and --where choose by what the record said
               before the amendment or after it, so what was moved out of a month
               is of that month too; of a link or a match either record is enough

The hash of a table is what roznamcha audit … --csv | sha256sum gives.

The exit code is 3 where a raid, a recovery, a gap or a number of several cases
was found, 0 where none was; delay and amendments end with 0.`,
		Example: `  roznamcha audit idle-raids --period 2025
  roznamcha audit idle-raids --without case --where city=Karachi --json
  roznamcha audit recoveries-without-memo --as-of 3
  roznamcha audit case-gaps --period 2025 --csv
  roznamcha audit delay --by city
  roznamcha audit delay arrests raids --clock reported
  roznamcha audit amendments --records`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(a.csv); err != nil {
				return err
			}
			ask, err := a.parse(cmd, args)
			if err != nil {
				return err
			}
			return p.withLedgerThatHas(cmd.Context(), &a.known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
				found, err := ask(p, ctx, l, &a)
				if err != nil {
					return err
				}
				return p.printFindings(found, a.csv)
			})
		},
	}
	a.question.flags(cmd)
	cmd.Flags().StringVar(&a.without, "without", "case,arrest", "idle-raids: ask for raids that have none of these `OUTCOMES`: case, arrest or both")
	cmd.Flags().BoolVar(&a.list, "list", false, "case-gaps, amendments: name each")
	cmd.Flags().BoolVar(&a.records, "records", false, "amendments: count by record")
	a.known.flags(cmd)
	cmd.Flags().BoolVar(&a.csv, "csv", false, "print CSV")
	cmd.MarkFlagsMutuallyExclusive("list", "records")
	return cmd
}

// parse reads the question and the flags; any error is wrong use.
func (a *audit) parse(cmd *cobra.Command, args []string) (func(*program, context.Context, *eventstore.Ledger, *audit) (*findings, error), error) {
	names := make([]string, len(auditQuestions))
	for i, q := range auditQuestions {
		names[i] = q.name
	}
	if len(args) == 0 {
		return nil, wrong("what is asked? Try: roznamcha audit %s", strings.Join(names, ", or "))
	}
	i := slices.Index(names, args[0])
	if i < 0 {
		return nil, wrong("audit %s: there is no such question. Try: %s", args[0], strings.Join(names, ", "))
	}
	asked := auditQuestions[i]
	for _, flag := range []string{"without", "list", "records", "by"} {
		if cmd.Flags().Changed(flag) && !slices.Contains(asked.flags, flag) {
			return nil, wrong("--%s says nothing to %s. Try: without it", flag, asked.name)
		}
	}
	columns := args[1:]
	if asked.name != "delay" && len(columns) > 0 {
		return nil, wrong("audit %s takes no %s. Try: roznamcha audit %s --where city=Karachi", asked.name, columns[0], asked.name)
	}
	var err error
	if a.query, err = a.question.parse(columns); err != nil {
		return nil, err
	}
	if err := a.known.parse(cmd); err != nil {
		return nil, err
	}
	for word := range strings.SplitSeq(a.without, ",") {
		outcome, err := projections.ParseOutcome(strings.TrimSpace(word))
		if err != nil {
			return nil, wrong("--without: %w", err)
		}
		a.lack |= outcome
	}
	dated := func(d projections.Dimension) bool { return d == projections.Year || d == projections.Quarter }
	if cmd.Flags().Changed("year-starts") && !slices.ContainsFunc(a.query.By, dated) &&
		!slices.ContainsFunc(a.query.Where, func(f projections.Filter) bool { return dated(f.Dimension) }) {
		return nil, wrong("--year-starts says nothing here: nothing is asked by year or quarter. Try: roznamcha audit delay --by year --year-starts %d", a.question.yearStarts)
	}
	return asked.ask, nil
}

// findings is the answer to an auditor's question.
type findings struct {
	// what is the first words of the title, asked the rest.
	what  string
	asked *projections.Asked
	// table is for a person, none where it has no rows; rows are for programs,
	// and what the hash is of.
	table, rows *print.Table
	none        string
	// below are lines under the table.
	below []string
	// found makes the exit code 3.
	found    bool
	answer   any // for JSON
	citation projections.Citation
}

func (p *program) printFindings(f *findings, csv bool) error {
	var b bytes.Buffer
	var err error
	if f.citation, err = citeTable(f.citation, f.rows); err != nil {
		return err
	}
	switch {
	case p.json:
		answer := struct {
			Answer   any                  `json:"answer"`
			Citation projections.Citation `json:"citation"`
		}{f.answer, f.citation}
		if err := print.JSON(&b, answer); err != nil {
			return err
		}
	case csv:
		if err := f.rows.WriteCSV(&b); err != nil {
			return err
		}
	default:
		if err := f.print(&b); err != nil {
			return err
		}
	}
	if _, err := p.out.Write(b.Bytes()); err != nil {
		return err
	}
	if f.found {
		return &foundError{}
	}
	return nil
}

func (f *findings) print(b *bytes.Buffer) error {
	fmt.Fprintln(b, print.Clean(f.what+" · "+f.asked.Title(f.citation.Entry)))
	if len(f.table.Rows) == 0 {
		fmt.Fprintln(b, f.none)
	} else if err := f.table.Write(b); err != nil {
		return err
	}
	lines := slices.Clone(f.below)
	if f.asked.Unplaced > 0 {
		lines = append(lines, print.Plural(f.asked.Unplaced, "fact")+" left out: no date, or only partly in the period")
	}
	if f.asked.Unsaid > 0 {
		lines = append(lines, print.Plural(f.asked.Unsaid, "fact")+" left out: what a filter asks is not given")
	}
	lines = append(append(lines, f.asked.Notes...), f.citation.String())
	for _, line := range lines {
		fmt.Fprintln(b, print.Clean(line))
	}
	return nil
}

// audited replays the ledger for a question into the totals and what else it
// needs.
func (p *program) audited(ctx context.Context, l *eventstore.Ledger, a *audit, with projections.Projection) (*audited, error) {
	out := &audited{totals: projections.NewTotals()}
	var err error
	if out.reg, out.stats, err = p.replay(ctx, l, a.known.asOf, out.totals, with); err != nil {
		return nil, err
	}
	p.note("%s", replayLine(out.stats))
	return out, nil
}

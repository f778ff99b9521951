package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
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
  link-to-retracted  links to a record that is retracted, and links that were
                     recorded (amend link) from one
  dated-ahead        dates after the day of recording
  look-alike         records of one type, day and city (or subdivision, where
                     neither names a city) in two diaries: one action told
                     twice? It is an offer to match them, never done by itself.
                     A record is offered to another diary once at a time
  sequence-gap       numbers missing between ids of one kind and diary, where
                     those are running numbers: 0007, KHI-7 or 2025-0007, but
                     not 0007-A1, 97-2025, UUIDs or more than 15 digits. A
                     series ends with a number that stands: to retract 99999999,
                     which was a slip, settles what it left open

Ids of a diary that are alike before the number are a series. One with 100 gaps
or more, and more than one to every two of its numbers, is no running number but
a share of somebody else's, or dates: its gaps are settled where that turned out,
and it is named below the table. Of one kind and diary the first 1,000 series are
followed.

Without --kind they are counted. With it each one that stands is listed, with
the position that opened it, or with --settled each one that stood and does no
more, with the position that settled it: the record that came, the correction,
retraction or match. A refused line is never settled. A person is shown the first
100; --csv and --json list all. The hash of the table is what
roznamcha exceptions … --csv | sha256sum gives.

In a period are those about a fact that lies wholly inside it. What is about a
fact without a date, or partly inside, is unplaced, and so are refused and
unrecognised lines and sequence gaps: they are counted below, and listed with
--unplaced.

A number missing among the entries themselves is no exception but an alarm: no
command reads on over it.

The exit code is 3 where one stands of those that were asked about, or is
unplaced and may; with --settled or --unplaced, where one is listed; else 0.`,
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
			if err := q.parse(cmd); err != nil {
				return err
			}
			return p.withLedgerThatHas(cmd.Context(), &q.known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
				return p.exceptions(ctx, l, &q)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.kind, "kind", "", "list those of this `KIND`")
	flags.BoolVar(&q.settled, "settled", false, "list those that were settled, instead of those that stand")
	flags.BoolVar(&q.unplaced, "unplaced", false, "list what has no date, or lies only partly in the period, instead")
	q.known.flags(cmd)
	q.when.flags(cmd, "only those about facts that lie in `PERIOD`, such as 2025, 2025-06 or 2024-01/2025-06")
	flags.BoolVar(&q.csv, "csv", false, "print CSV")
	return cmd
}

// exceptionQuestion is the flags of exceptions, and what they mean.
type exceptionQuestion struct {
	kind                   string
	when                   during
	known                  asKnown
	settled, unplaced, csv bool

	kinds  []projections.ExceptionKind
	during projections.During
}

// parse reads the flags; any error is wrong use.
func (q *exceptionQuestion) parse(cmd *cobra.Command) (err error) {
	if q.kinds, err = parseKind(q.kind); err != nil {
		return err
	}
	if err := q.known.parse(cmd); err != nil {
		return err
	}
	if q.during, err = q.when.meant(cmd); err != nil {
		return &wrongUse{err}
	}
	if q.unplaced && q.during.IsZero() {
		return wrong("--unplaced: without a period everything has its place. Try: --unplaced --period 2025")
	}
	return nil
}

// lists tells whether each exception is asked for, not their counts.
func (q *exceptionQuestion) lists() bool { return q.kind != "" || q.settled || q.unplaced }

// follow is the exceptions that can answer q: those that a snapshot holds, where
// they do.
func (q *exceptionQuestion) follow() *projections.Exceptions {
	if q.kind == "" || !q.during.IsZero() || slices.Contains(q.kinds, projections.LookAlike) || slices.Contains(q.kinds, projections.SequenceGap) {
		return projections.NewAllExceptions()
	}
	return projections.NewExceptions()
}

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
	all := q.follow()
	reg, stats, err := p.replay(ctx, l, q.known.asOf, all)
	if err != nil {
		return err
	}
	zone := "UTC"
	if opened := reg.Opened(); opened != nil {
		zone = opened.Zone
	}
	report, err := newExceptionReport(all, q, cite(reg, stats), zone)
	if err != nil {
		return err
	}
	if err := p.printExceptions(report, q); err != nil {
		return err
	}
	return report.err(q)
}

// exceptionReport is the exceptions that were asked about.
type exceptionReport struct {
	During *projections.During          `json:"during,omitempty"`
	Counts []projections.ExceptionCount `json:"counts"`
	// Standing are those that stand, in the period or with --unplaced perhaps in
	// it, and Settled those that do no more: where they were asked for.
	Standing *[]projections.Exception `json:"standing,omitempty"`
	Settled  *[]projections.Exception `json:"settled,omitempty"`
	// NoNumbers are the series of ids that are no running numbers.
	NoNumbers []projections.DroppedSeries `json:"no_running_numbers,omitempty"`
	Citation  projections.Citation        `json:"citation"`

	title string
	table *print.Table // as --csv has it
}

func newExceptionReport(x *projections.Exceptions, q *exceptionQuestion, citation projections.Citation, zone string) (*exceptionReport, error) {
	ask := projections.ExceptionQuery{During: q.during, Unplaced: q.unplaced, Settled: q.settled}
	report := &exceptionReport{During: duringOrNone(q.during), Counts: []projections.ExceptionCount{}}
	for _, c := range x.Count(ask) {
		if slices.Contains(q.kinds, c.Kind) {
			report.Counts = append(report.Counts, c)
		}
	}
	if slices.Contains(q.kinds, projections.SequenceGap) {
		report.NoNumbers = x.Dropped(0)
	}
	if !q.lists() {
		report.table = report.countTable(strconv.Itoa)
	} else {
		list := []projections.Exception{}
		for e := range x.Find(ask) {
			if slices.Contains(q.kinds, e.Kind) {
				list = append(list, e)
			}
		}
		report.table = exceptionTable(list, q.settled)
		report.Standing = &list
		if q.settled {
			report.Standing, report.Settled = nil, &list
		}
	}
	report.title = q.title(citation.Entry, zone)
	var err error
	report.Citation, err = citeTable(citation, report.table)
	return report, err
}

// title says what was asked, and as known when.
func (q *exceptionQuestion) title(entry uint64, zone string) string {
	title := "exceptions"
	if q.kind != "" {
		title += ": " + q.kind
	}
	if q.settled {
		title += ", settled"
	}
	if q.unplaced {
		title += ", unplaced"
	}
	during := projections.Occurred.String() + " at any time"
	if !q.during.IsZero() {
		during = q.during.String()
	}
	return fmt.Sprintf("%s · %s (%s) · as known at entry %d", title, during, zone, entry)
}

// err makes the exit code 3 where something is there of what was asked for, or
// is unplaced and may be.
func (r *exceptionReport) err(q *exceptionQuestion) error {
	found := q.lists() && len(r.list()) > 0
	for _, c := range r.Counts {
		found = found || !q.settled && c.Standing+c.Unplaced > 0
	}
	if found {
		return &foundError{}
	}
	return nil
}

// list is what was listed, nil where counts were asked for.
func (r *exceptionReport) list() []projections.Exception {
	switch {
	case r.Settled != nil:
		return *r.Settled
	case r.Standing != nil:
		return *r.Standing
	}
	return nil
}

func (p *program) printExceptions(r *exceptionReport, q *exceptionQuestion) error {
	switch {
	case p.json:
		return print.JSON(p.out, r)
	case q.csv:
		return r.table.WriteCSV(p.out)
	}
	shown := r.table
	if !q.lists() {
		shown = r.countTable(print.Count[int])
	} else if len(shown.Rows) > maxListed {
		shown = &print.Table{Columns: shown.Columns, Rows: shown.Rows[:maxListed]}
	}
	var b bytes.Buffer
	fmt.Fprintln(&b, print.Clean(r.title))
	if len(shown.Rows) == 0 {
		fmt.Fprintln(&b, r.none(q))
	} else if err := shown.Write(&b); err != nil {
		return err
	}
	for _, line := range append(r.notes(p, q), r.Citation.String()) {
		fmt.Fprintln(&b, print.Clean(line))
	}
	_, err := p.out.Write(b.Bytes())
	return err
}

// maxListed is how many exceptions a person is shown.
const maxListed = 100

// none says that there is nothing to print, and of what.
func (r *exceptionReport) none(q *exceptionQuestion) string {
	switch {
	case q.settled:
		return "none settled"
	case q.unplaced:
		return "none unplaced"
	case len(r.Counts) == 0:
		return "no exceptions"
	case r.During != nil:
		return "none stands in the period"
	}
	return "none stands"
}

// notes are what a person must know besides: what is not shown, what the period
// leaves out, what has no gaps, and how one that looks alike is settled.
func (r *exceptionReport) notes(p *program, q *exceptionQuestion) (notes []string) {
	list := r.list()
	if more := len(list) - maxListed; more > 0 {
		notes = append(notes, "and "+print.Count(more)+" more (--csv lists all)")
	}
	notes = append(notes, alikePairs(list)...)
	var kinds []string
	for _, c := range r.Counts {
		if c.Unplaced > 0 {
			kinds = append(kinds, fmt.Sprintf("%s %s", strings.TrimSpace(c.Kind.String()+" "+string(c.Code)), print.Count(c.Unplaced)))
		}
	}
	if len(kinds) > 0 && !q.unplaced {
		notes = append(notes, fmt.Sprintf("unplaced, without a date or partly inside: %s (--unplaced lists them)", strings.Join(kinds, " · ")))
	}
	for _, d := range r.NoNumbers {
		notes = append(notes, fmt.Sprintf("no running numbers, so no gaps: ids %s… of %ss in %s, from %s on", d.Before, d.Kind, d.Diary, d.At))
	}
	if !q.settled {
		if i := slices.IndexFunc(list, func(e projections.Exception) bool { return e.Kind == projections.LookAlike }); i >= 0 {
			notes = append(notes, "one action told twice? Try: "+p.matchCommand(list[i]))
		}
	}
	return notes
}

// alikePairs counts those that look alike by their two diaries, the most first.
func alikePairs(list []projections.Exception) (lines []string) {
	counts := make(map[[2]string]int)
	for _, e := range list {
		if e.Kind == projections.LookAlike {
			pair := [2]string{e.Record.Diary.String(), e.Link.Diary.String()}
			slices.Sort(pair[:])
			counts[pair]++
		}
	}
	pairs := slices.SortedFunc(maps.Keys(counts), func(a, b [2]string) int {
		return cmp.Or(counts[b]-counts[a], slices.Compare(a[:], b[:]))
	})
	for i, pair := range pairs {
		if i == maxPairs {
			return append(lines, print.Plural(len(pairs)-maxPairs, "more pair")+" of diaries")
		}
		lines = append(lines, fmt.Sprintf("%s and %s: %s", pair[0], pair[1], print.Plural(counts[pair], "look-alike")))
	}
	return lines
}

// maxPairs is how many pairs of diaries are told.
const maxPairs = 10

// matchCommand is what settles that two records look alike, if they are one
// action.
func (p *program) matchCommand(e projections.Exception) string {
	return "roznamcha amend match " + shellWord(e.Record.String()) + " " + shellWord(e.Link.String()) + p.ledgerFlags()
}

// countTable has a row, with numbers so written, for every kind and code and,
// where a period was asked about, a column of what is unplaced.
func (r *exceptionReport) countTable(number func(int) string) *print.Table {
	table := &print.Table{Columns: []print.Column{
		{Head: "kind"}, {Head: "code"}, {Head: "standing", Number: true}, {Head: "settled", Number: true}, {Head: "lines", Number: true}, {Head: "first", Number: true},
	}}
	if r.During != nil {
		table.Columns = append(table.Columns, print.Column{Head: "unplaced", Number: true})
	}
	for _, c := range r.Counts {
		lines, first := "", ""
		if c.Kind == projections.RefusedLine {
			lines = number(c.Lines)
		}
		if !c.First.IsZero() {
			first = c.First.String()
		}
		row := []string{c.Kind.String(), string(c.Code), number(c.Standing), number(c.Settled), lines, first}
		if r.During != nil {
			row = append(row, number(c.Unplaced))
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

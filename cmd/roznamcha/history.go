package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) historyCommand() *cobra.Command {
	var when during
	var known asKnown
	var csv bool
	cmd := &cobra.Command{
		Use:   "history RECORD",
		Short: "Show everything that the ledger holds on one record",
		Long: `Show everything that the ledger holds on one record: its first version, every
correction and retraction with reason and authority, links, matches, duplicates
and refused attempts, each with its position and recorded time.

A record is named kind/agency/unit/id, such as raid/nccia/karachi/0007. Of records
that were matched all stay and one counts, the first recorded that stands: where
that is another, the last line says as which the record counts.

With a period every line is printed too, for what left the period is part of
what an auditor asks about. Each version is told to lie inside the period,
outside of it, or to be unplaced: partly inside, or without a date. That is what
totals of the period go by: from its line on the record, or of matched ones the
one that counts, counts there if its version lies inside, until the next one. By
--clock occurred a case lies where it was registered, a figure where it was
published and a succession where it took effect.`,
		Example: `  roznamcha history raid/nccia/karachi/0007
  roznamcha history raid/nccia/karachi/0007 --as-of 5 --json
  roznamcha history raid/nccia/karachi/0007 --period 2025-06 --clock reported`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			name, err := domain.ParseRecordName(args[0])
			if err != nil {
				return &wrongUse{err}
			}
			if err := known.parse(cmd); err != nil {
				return err
			}
			during, err := when.meant(cmd)
			if err != nil {
				return &wrongUse{err}
			}
			return p.withLedgerThatHas(cmd.Context(), &known.atLeast, func(ctx context.Context, l *eventstore.Ledger) error {
				history := projections.NewHistoryDuring(name, during)
				reg, stats, err := p.replay(ctx, l, known.asOf, history)
				if err != nil {
					return err
				}
				if len(history.Log().Items) == 0 {
					return fmt.Errorf("no line of the ledger is about %s, as known at entry %d. Try: roznamcha replay, which prints them all", name, stats.Entries)
				}
				return p.printHistory(history, reg, &historyQuestion{name, during, csv}, cite(reg, stats))
			})
		},
	}
	when.flags(cmd, "tell of each version whether it lies in `PERIOD`, such as 2025-06 or 2024-01/2025-06")
	known.flags(cmd)
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

// historyQuestion is what was asked.
type historyQuestion struct {
	name   domain.RecordName
	during projections.During
	csv    bool
}

func (p *program) printHistory(history *projections.History, reg *domain.Register, q *historyQuestion, citation projections.Citation) error {
	log := history.Log()
	citation, err := citeTable(citation, historyLines(log))
	if err != nil {
		return err
	}
	counts, others := history.CountsAs(reg)
	if p.json {
		return print.JSON(p.out, struct {
			Record string              `json:"record"`
			During *projections.During `json:"during,omitempty"`
			projections.HistoryLog
			// CountsAs and Matched are of matched records alone: the one of them
			// that counts, if any, and those besides this.
			CountsAs string               `json:"counts_as,omitempty"`
			Matched  []string             `json:"matched,omitempty"`
			Citation projections.Citation `json:"citation"`
		}{q.name.String(), duringOrNone(q.during), log, countsAs(counts, others), namesOf(others), citation})
	}
	if q.csv {
		return historyLines(log).WriteCSV(p.out)
	}
	var b bytes.Buffer
	if err := historyTable(q.during, log).Write(&b); err != nil {
		return err
	}
	state := "stands"
	switch {
	case !log.Exists:
		state = "was never accepted"
	case log.Retracted:
		state = "is retracted"
	case len(others) > 0 && counts != q.name:
		state = "stands, matched: counts once, as " + counts.String()
	case len(others) > 0:
		state = "stands, matched: counts once, for " + strings.Join(namesOf(others), " and ")
	}
	if log.Placing != 0 {
		state += "; " + q.during.String() + ": " + log.Placing.String()
	}
	if log.Exists {
		state += "; an amendment names " + log.Current.String()
	}
	fmt.Fprintf(&b, "%s\n%s\n", print.Clean(q.name.String()+" "+state), print.Clean(citation.String()))
	_, err = p.out.Write(b.Bytes())
	return err
}

// countsAs names the record that counts, of records that were matched.
func countsAs(counts domain.RecordName, others []domain.RecordName) string {
	if len(others) == 0 || counts.IsZero() {
		return ""
	}
	return counts.String()
}

func namesOf(records []domain.RecordName) (names []string) {
	for _, r := range records {
		names = append(names, r.String())
	}
	return names
}

// duringOrNone is nil for any time.
func duringOrNone(d projections.During) *projections.During {
	if d.IsZero() {
		return nil
	}
	return &d
}

// historyTable has a row for every line of text; where a period was asked about,
// with a column of where each version lies to it.
func historyTable(during projections.During, log projections.HistoryLog) *print.Table {
	table := &print.Table{Columns: []print.Column{{Head: "position", Number: true}, {Head: "recorded"}, {Head: "what"}}}
	if !during.IsZero() {
		table.Columns = append(table.Columns, print.Column{Head: during.String()})
	}
	table.Columns = append(table.Columns, print.Column{Head: "says"})
	for _, item := range log.Items {
		for i, says := range historySays(item) {
			cells := make([]string, len(table.Columns))
			if i == 0 {
				copy(cells, []string{item.Position.String(), stamp(item.Recorded), item.What, item.Placing.String()})
			}
			cells[len(cells)-1] = says
			table.Rows = append(table.Rows, cells)
		}
	}
	return table
}

// historySays is what a line of the history says, in lines of text.
func historySays(item projections.HistoryItem) (lines []string) {
	switch {
	case item.Code != "":
		lines = append(lines, item.Type+": "+string(item.Code)+": "+item.Detail)
	case !item.First.IsZero():
		lines = append(lines, "of "+item.First.String())
	case item.What == "matched":
		lines = append(lines, item.From+" and "+item.To)
	case item.From != "":
		lines = append(lines, item.From+" to "+item.To)
	case item.What == "created":
		lines = append(lines, item.Type)
	}
	if item.Reason != "" {
		why := string(item.Reason)
		if item.Authority != "" {
			why += ", by " + item.Authority
		}
		lines = append(lines, why)
	}
	for _, c := range item.Changes {
		switch {
		case item.What == "created":
			lines = append(lines, c.Member+" "+c.New)
		case c.Old == "":
			lines = append(lines, c.Member+" not given → "+c.New)
		case c.New == "":
			lines = append(lines, c.Member+" "+c.Old+" → not given")
		default:
			lines = append(lines, c.Member+" "+c.Old+" → "+c.New)
		}
	}
	if len(lines) == 0 {
		lines = []string{""}
	}
	return lines
}

var historyHead = []string{"position", "recorded", "what", "event", "source", "type", "reason", "authority", "member", "old", "new", "from", "to", "first", "code", "detail", "placing"}

// historyLines has a row for every member that a line changed, or one where it
// changed none.
func historyLines(log projections.HistoryLog) *print.Table {
	table := &print.Table{}
	for _, head := range historyHead {
		table.Columns = append(table.Columns, print.Column{Head: head})
	}
	for _, item := range log.Items {
		first := ""
		if !item.First.IsZero() {
			first = item.First.String()
		}
		changes := item.Changes
		if len(changes) == 0 {
			changes = []projections.Change{{}}
		}
		for _, c := range changes {
			table.Rows = append(table.Rows, []string{
				item.Position.String(), stamp(item.Recorded), item.What, item.Event.String(), item.Source, item.Type,
				string(item.Reason), item.Authority, c.Member, c.Old, c.New, item.From, item.To, first, string(item.Code), item.Detail, item.Placing.String(),
			})
		}
	}
	return table
}

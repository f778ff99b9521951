package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) historyCommand() *cobra.Command {
	var asOf string
	var csv bool
	cmd := &cobra.Command{
		Use:   "history RECORD",
		Short: "Show everything that the ledger holds on one record",
		Long: `Show everything that the ledger holds on one record: its first version, every
correction and retraction with reason and authority, links, matches, duplicates
and refused attempts, each with its position and recorded time.

A record is named kind/agency/unit/id, such as raid/nccia/karachi/0007.`,
		Example: `  roznamcha history raid/nccia/karachi/0007
  roznamcha history raid/nccia/karachi/0007 --as-of 5 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			name, err := domain.ParseRecordName(args[0])
			if err != nil {
				return &wrongUse{err}
			}
			known, err := projections.ParseAsOf(asOf)
			if err != nil {
				return &wrongUse{err}
			}
			return p.withLedger(cmd.Context(), func(ctx context.Context, l *eventstore.Ledger) error {
				history := projections.NewHistory(name)
				reg, stats, err := p.replay(ctx, l, known, history)
				if err != nil {
					return err
				}
				if len(history.Log().Items) == 0 {
					return fmt.Errorf("no line of the ledger is about %s, as known at entry %d. Try: roznamcha replay, which prints them all", name, stats.Entries)
				}
				return p.printHistory(name, history.Log(), cite(reg, stats), csv)
			})
		},
	}
	cmd.Flags().StringVar(&asOf, "as-of", "", "as known then: an `ENTRY`, a day or a time; default now")
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

func (p *program) printHistory(name domain.RecordName, log projections.HistoryLog, citation projections.Citation, csv bool) error {
	if p.json {
		return print.JSON(p.out, struct {
			Record string `json:"record"`
			projections.HistoryLog
			Citation projections.Citation `json:"citation"`
		}{name.String(), log, citation})
	}
	if csv {
		return print.CSV(p.out, historyHead, historyRows(log))
	}
	table := &print.Table{Columns: []print.Column{{Head: "position", Number: true}, {Head: "recorded"}, {Head: "what"}, {Head: "says"}}}
	for _, item := range log.Items {
		for i, says := range historySays(item) {
			cells := []string{"", "", "", says}
			if i == 0 {
				cells = []string{item.Position.String(), stamp(item.Recorded), item.What, says}
			}
			table.Rows = append(table.Rows, cells)
		}
	}
	if err := table.Write(p.out); err != nil {
		return err
	}
	state := "stands"
	switch {
	case !log.Exists:
		state = "was never accepted"
	case log.Retracted:
		state = "is retracted"
	}
	if log.Exists {
		state += "; an amendment names " + log.Current.String()
	}
	_, err := fmt.Fprintf(p.out, "%s %s\n%s\n", name, state, citationLine(citation))
	return err
}

// historySays is what a line of the history says, in lines of text.
func historySays(item projections.HistoryItem) (lines []string) {
	switch {
	case item.Code != "":
		lines = append(lines, item.Type+": "+string(item.Code)+": "+item.Detail)
	case !item.First.IsZero():
		lines = append(lines, "of "+item.First.String())
	case item.From != "":
		lines = append(lines, item.From+" and "+item.To)
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

var historyHead = []string{"position", "recorded", "what", "event", "source", "type", "reason", "authority", "member", "old", "new", "from", "to", "first", "code", "detail"}

// historyRows has a row for every member that a line changed, or one where it
// changed none.
func historyRows(log projections.HistoryLog) (rows [][]string) {
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
			rows = append(rows, []string{
				item.Position.String(), stamp(item.Recorded), item.What, item.Event.String(), item.Source, item.Type,
				string(item.Reason), item.Authority, c.Member, c.Old, c.New, item.From, item.To, first, string(item.Code), item.Detail,
			})
		}
	}
	return rows
}

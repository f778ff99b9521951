package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/demo"
	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

func (p *program) demoCommand() *cobra.Command {
	var csv bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Record a published report, forget it, and replay its totals",
		Long: `Show the whole path once, on a ledger of its own: open it, record the raids,
arrests, cases, the alleged loss and the recovery of one published report as
single events, and the report's own figures as claims; close everything; open it
again, replay it from the stream, and print the totals.

The report gives sums, so the events are made from them and marked synthetic;
what it does not say is not given. The ledger is in a new temporary directory,
or in --dir, and stays there to try other commands on.`,
		Example: `  roznamcha demo`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.oneFormat(csv); err != nil {
				return err
			}
			if p.remote() {
				return wrong("the demo has a ledger of its own, in a directory. Try: roznamcha demo, without --nats and --context")
			}
			if !cmd.Flags().Changed("dir") {
				dir, err := os.MkdirTemp("", "roznamcha-demo-")
				if err != nil {
					return fmt.Errorf("%w. Try: --dir DIRECTORY, or a TMPDIR that can be written to", err)
				}
				p.dir = dir
			}
			return p.demo(cmd.Context(), csv)
		},
	}
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	return cmd
}

func (p *program) demo(ctx context.Context, csv bool) error {
	report, err := demo.Load()
	if err != nil {
		return err
	}
	err = p.withSession(ctx, func(ctx context.Context, s *session) error {
		return p.recordReport(ctx, s, report)
	})
	if err != nil {
		return err
	}
	// From here on everything comes from the stream.
	return p.withLedger(ctx, func(ctx context.Context, l *eventstore.Ledger) error {
		totals, claims := projections.NewTotals(), &demo.Claims{}
		reg, stats, err := p.replay(ctx, l, projections.AsOf{}, totals, claims)
		if err != nil {
			return err
		}
		query := projections.Query{By: []projections.Dimension{projections.City}}
		if query.Period, err = domain.ParsePeriod(report.Period); err != nil {
			return err
		}
		t, err := totals.Query(query)
		if err != nil {
			return err
		}
		t.Cite(reg)
		switch {
		case p.json:
			return print.JSON(p.out, t)
		case csv:
			lines := t.CSV()
			return print.CSV(p.out, lines[0], lines[1:])
		}
		checked, err := claims.Check(totals)
		if err != nil {
			return err
		}
		return p.printDemo(t, report, checked, stats)
	})
}

// recordReport opens the ledger and records the report's events.
func (p *program) recordReport(ctx context.Context, s *session, report *demo.Report) error {
	l, err := s.create(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := openLedger(ctx, l, report.Opening()); err != nil {
		return err
	}
	submissions, err := report.Submissions()
	if err != nil {
		return err
	}
	return p.withRecorder(ctx, l, func(r *eventstore.Recorder) error {
		for _, submission := range submissions {
			receipt, err := r.Record(ctx, submission)
			if err := errors.Join(err, receipt.Err()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *program) printDemo(t *projections.Table, report *demo.Report, checked demo.Checked, stats projections.Stats) error {
	var b strings.Builder
	printed := *t
	printed.Notes = append(printed.Notes[:len(printed.Notes):len(printed.Notes)],
		"recovery rate: "+demo.RecoveryRate(t)+" · "+report.Majorities(t),
		replayLine(stats)+" · synthetic, made from the report's sums: "+checked.String(),
	)
	if err := printTotals(&b, &printed); err != nil {
		return err
	}
	fmt.Fprintf(&b, "try: %s\n", strings.Join(p.nextCommands(), "\n     "))
	_, err := io.WriteString(p.out, b.String())
	return err
}

// nextCommands are what to type next; they work.
func (p *program) nextCommands() []string {
	name, dir := ownName(), " --dir "+shellWord(p.dir)
	return []string{
		name + " totals arrests --by city,class" + dir,
		name + " history raid" + demo.Desk.String() + "/raid-01" + dir,
		name + " exceptions" + dir,
	}
}

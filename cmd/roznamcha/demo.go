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
		Use:   "demo [claims]",
		Short: "Record a published report, forget it, and replay its totals",
		Long: `Show the whole path once, on a ledger of its own: open it, record the raids,
arrests, cases, the alleged loss and the recovery of one published report as
single events, and the report's own figures as claims; close everything; open it
again, replay it from the stream, and print the totals.

The report gives sums, so the events are made from them and marked synthetic;
what it does not say is not given. The ledger is in a new temporary directory,
or in --dir, and stays there to try other commands on.

demo claims is a second one: it records the same facts, and 63 figures that seven
documents published about them and that contradict one another, as claims; one
of the documents tells some of the report's figures more exactly, and the facts
are restated. It prints every claim as it is held against the ledger, as known
when it was recorded and in the end.`,
		Example: `  roznamcha demo
  roznamcha demo claims`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"claims"},
		RunE: func(cmd *cobra.Command, args []string) error {
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
			if len(args) > 0 {
				return p.demoClaims(cmd.Context(), csv)
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
	submissions, err := report.Submissions()
	if err != nil {
		return err
	}
	if err := p.recordAll(ctx, report.Opening(), submissions); err != nil {
		return err
	}
	// From here on everything comes from the stream.
	return p.withLedger(ctx, func(ctx context.Context, l *eventstore.Ledger) error {
		totals, claims := projections.NewTotals(), projections.NewClaims()
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
		return p.printDemo(t, report, demo.Check(totals, claims), stats)
	})
}

// recordAll opens a ledger, records submissions and closes everything again.
func (p *program) recordAll(ctx context.Context, opening *domain.Event, submissions [][]byte) error {
	return p.withSession(ctx, func(ctx context.Context, s *session) error {
		l, err := s.create(ctx, 1)
		if err != nil {
			return err
		}
		if _, err := openLedger(ctx, l, opening); err != nil {
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
		name + " explain arrests --where city=Islamabad" + dir,
		name + " totals arrests --by city,class" + dir,
		name + " history raid" + demo.Desk.String() + "/raid-01" + dir,
	}
}

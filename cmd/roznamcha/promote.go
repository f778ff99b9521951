package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/projections"
	"roznamcha/projections/worker"
)

func (p *program) promoteCommand() *cobra.Command {
	var accept bool
	var within time.Duration
	cmd := &cobra.Command{
		Use:   "promote [VERSION]",
		Short: "Lead readers to another version of the tables, once it is compared",
		Long: `Compare the tables that readers are led to with those of another version
(this program's, unless one is named), each at the same entry; print every cell
that differs; and lead readers to the other version where none does, or with
--accept. What differs and is not accepted, or cannot be compared since readers
are led nowhere, leaves everything as it is, with exit code 3.

Readers follow the key ` + worker.CurrentKey + ` of bucket ` + worker.Bucket + `, whose value is the
beginning of the keys to read, and ask at ` + worker.QuerySubject + `, which workers of that version
answer; for a second after the move those of the old one may, too. A worker of
the other version must run, with the same tables. The old version stays where it
is until its workers are stopped, and roznamcha promote VERSION leads back to it
while they run.`,
		Example: `  roznamcha promote
  roznamcha promote --accept`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			version := projections.TotalsVersion
			if len(args) > 0 {
				var err error
				if version, err = strconv.Atoi(args[0]); err != nil || version < 1 {
					return wrong("version %q: want a number such as %d", args[0], projections.TotalsVersion)
				}
			}
			return p.promote(cmd.Context(), version, accept, within)
		},
	}
	cmd.Flags().BoolVar(&accept, "accept", false, "lead readers there though cells differ")
	cmd.Flags().DurationVar(&within, "within", 30*time.Second, "how long to wait for the other version to be as new")
	return cmd
}

func (p *program) promote(ctx context.Context, version int, accept bool, within time.Duration) error {
	s, err := p.connectServed()
	if err != nil {
		return err
	}
	defer s.close()
	promotion, err := worker.ComparePromotion(ctx, s.nc, version)
	if err != nil {
		return err
	}
	before := promotion.Moved
	if !before && (promotion.Same() || accept) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		if err := promotion.Move(ctx); err != nil {
			return err
		}
	}
	if p.json {
		err = print.JSON(p.out, promotion)
	} else {
		err = p.printPromotion(promotion, before)
	}
	if err == nil && !promotion.Moved {
		err = &foundError{}
	}
	return err
}

func (p *program) printPromotion(promotion *worker.Promotion, before bool) error {
	if before {
		_, err := fmt.Fprintf(p.out, "readers are led to %s already\n", promotion.To)
		return err
	}
	grid := &print.Table{Columns: []print.Column{{Head: "table"}, {Head: "entry", Number: true}, {Head: "row"}, {Head: "column"}, {Head: "was", Number: true}, {Head: "is", Number: true}}}
	for _, t := range promotion.Tables {
		entry := strconv.FormatUint(t.Entry, 10)
		if len(t.Cells) == 0 {
			grid.Rows = append(grid.Rows, []string{t.Name, entry, "the same", "", "", ""})
		}
		for _, c := range t.Cells {
			grid.Rows = append(grid.Rows, []string{t.Name, entry, print.Clean(c.Row), c.Column, c.Was, c.Is})
		}
	}
	if len(grid.Rows) > 0 {
		if err := grid.Write(p.out); err != nil {
			return err
		}
	}
	says := fmt.Sprintf("readers are led from %s to %s", promotion.From, promotion.To)
	switch {
	case promotion.From == "" && promotion.Moved:
		says = "readers are led to " + promotion.To
	case promotion.From == "":
		says = fmt.Sprintf("readers are led nowhere, so there is nothing to hold %s against. Try: --accept", promotion.To)
	case len(promotion.Tables) == 0 && !promotion.Moved:
		says = fmt.Sprintf("there are no tables of %s to hold %s against. Try: --accept", promotion.From, promotion.To)
	case !promotion.Moved:
		says = fmt.Sprintf("%s differ: readers stay with %s. Try: --accept, where they should", print.Plural(promotion.Differences(), "cell"), promotion.From)
	}
	_, err := fmt.Fprintln(p.out, says)
	return err
}

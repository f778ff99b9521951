package main

import (
	"errors"

	"github.com/spf13/cobra"

	"roznamcha/projections"
)

// during is the flags that name a period and the clock by which it is meant.
type during struct{ period, from, to, clock string }

// flags are all of them; what says what --period does.
func (d *during) flags(cmd *cobra.Command, what string) {
	d.periodFlags(cmd, what)
	cmd.Flags().StringVar(&d.from, "from", "", "first `DAY`, month or year of the period")
	cmd.Flags().StringVar(&d.to, "to", "", "last `DAY`, month or year of the period")
	cmd.MarkFlagsMutuallyExclusive("period", "from")
	cmd.MarkFlagsMutuallyExclusive("period", "to")
}

// periodFlags are those of a command whose --from and --to mean entries.
func (d *during) periodFlags(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&d.period, "period", "", what)
	cmd.Flags().StringVar(&d.clock, "clock", "occurred", "place facts by this `CLOCK`: when they occurred, or were reported")
}

// parse is the period of --period, or of --from and --to, either of which may
// be missing.
func (d *during) parse() (projections.During, error) {
	text := d.period
	switch {
	case d.from != "" && d.to != "":
		text = d.from + "/" + d.to
	case d.from != "":
		text = d.from + "/.."
	case d.to != "":
		text = "../" + d.to
	}
	return projections.ParseDuring(text, d.clock)
}

// meant is parse for a command to which a clock says nothing without a period.
func (d *during) meant(cmd *cobra.Command) (projections.During, error) {
	during, err := d.parse()
	if err == nil && during.IsZero() && cmd.Flags().Changed("clock") {
		err = errors.New("--clock says by when a period is meant, and there is none. Try: --period 2025-06 --clock " + shellWord(d.clock))
	}
	return during, err
}

package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/eventstore"
	"roznamcha/projections"
)

// atLeast is the flags by which who has a receipt waits for its entry.
type atLeast struct {
	text   string
	within time.Duration
	entry  uint64
}

// answerAtLeast is the usage of --at-least where totals are asked for.
const answerAtLeast = "answer only with this `ENTRY`, or the position of a receipt such as 1234:2, or later ones"

func (a *atLeast) flags(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&a.text, "at-least", "", usage)
	cmd.Flags().DurationVar(&a.within, "within", 0, "wait so long for it, such as 5s")
}

// parse reads the flags; any error is wrong use.
func (a *atLeast) parse(cmd *cobra.Command) (err error) {
	switch {
	case cmd.Flags().Changed("at-least"):
		if a.entry, err = projections.ParseAtLeast(a.text); err != nil {
			return &wrongUse{err}
		}
	case cmd.Flags().Changed("within"):
		return wrong("--within says how long to wait for --at-least, which is not there. Try: --at-least 1234:2 --within 5s")
	}
	if a.within < 0 {
		return wrong("--within %s: nobody waits for less than no time", a.within)
	}
	return nil
}

// askEvery is how often the ledger is asked where it ends.
const askEvery = 20 * time.Millisecond

// until returns when the ledger has the entry, or *projections.NotYetError.
func (a *atLeast) until(ctx context.Context, l *eventstore.Ledger) error {
	for began := time.Now(); a.entry > 0; {
		tail, err := l.Tail(ctx)
		if err != nil || tail >= a.entry {
			return err
		}
		if time.Since(began) >= a.within {
			return &projections.NotYetError{Want: a.entry, Now: tail}
		}
		select {
		case <-time.After(min(askEvery, a.within)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

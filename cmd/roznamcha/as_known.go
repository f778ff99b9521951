package main

import (
	"github.com/spf13/cobra"

	"roznamcha/projections"
)

// asKnown is the flags that say as known when an answer is wanted: at --as-of,
// and by a ledger that has an entry at least.
type asKnown struct {
	text string
	asOf projections.AsOf
	atLeast
}

func (k *asKnown) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&k.text, "as-of", "", "as known then: an `ENTRY`, a day or a time; default now")
	k.atLeast.flags(cmd, answerAtLeast)
}

// parse reads the flags; any error is wrong use.
func (k *asKnown) parse(cmd *cobra.Command) (err error) {
	if k.text == "" && cmd.Flags().Changed("as-of") {
		return wrong(`--as-of "": no moment is named, perhaps by a shell variable that is not set. Try: 1234, a day or a time, or leave it out`)
	}
	if k.asOf, err = projections.ParseAsOf(k.text); err != nil {
		return &wrongUse{err}
	}
	return k.atLeast.parse(cmd)
}

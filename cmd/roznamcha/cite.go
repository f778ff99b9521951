package main

import (
	"encoding/hex"
	"strings"

	"roznamcha/domain"
	"roznamcha/projections"
)

// cite says what an answer was made from that is no table of totals.
func cite(reg *domain.Register, stats projections.Stats) projections.Citation {
	hash := reg.Hash()
	c := projections.Citation{Entry: stats.Entries, Recorded: stats.Recorded, Rules: domain.RulesVersion, State: hex.EncodeToString(hash[:])}
	if opened := reg.Opened(); opened != nil {
		c.Ledger = opened.Name
	}
	return c
}

// citationLine is c without the hash of a table, which it has not.
func citationLine(c projections.Citation) string {
	return strings.TrimSuffix(c.String(), " · table ")
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"roznamcha/cmd/roznamcha/internal/print"
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

// citeTable is c of a table, with its hash: the SHA-256 of what --csv prints.
func citeTable(c projections.Citation, table *print.Table) (projections.Citation, error) {
	hash := sha256.New()
	err := table.WriteCSV(hash)
	c.Table = hex.EncodeToString(hash.Sum(nil))
	return c, err
}

// citationLine is c without the hash of a table, which it has not.
func citationLine(c projections.Citation) string {
	return strings.TrimSuffix(c.String(), " · table ")
}

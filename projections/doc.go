// Package projections owns what the ledger adds up to: replay into totals,
// history and exceptions. A projection is a pure fold over the register's
// rulings: it reads no clock and no network, and the same entries give the same
// answers on every machine.
//
// It leaves reading the stream to eventstore, deciding what counts to domain,
// and how a table looks on a terminal to cmd.
//
// # Totals
//
// Totals is a table of facts in columns, one row for every version of a record
// that counts. A row is opened by the position that made it stand and closed by
// the position that amended it; nothing is ever subtracted. So one scan answers
// any period, as of any entry, by any grouping:
//
//   - what a fact is apart from its dates and its number (its measure and its
//     dimensions) is kept once for all facts that share it: a cell, see cell.go
//   - so are its dates: a span, see span.go
//   - what a question asks of a fact is therefore decided once a cell and once a
//     span (plan.go), and the scan is a loop over numbers (scan.go)
//   - what comes out is a Table (table.go), with the rules of the design for
//     what is not given, unplaced, a lower bound or unknown
//
// Of records that were matched as one action, the one recorded first that is
// not retracted counts (match.go).
//
// # Why a number is what it is
//
// Explain (explain.go) lists the rows behind one cell. Diff (diff.go) goes
// through the rows that were opened or closed between two entries, and sorts
// what they do to each cell by why: Amendments (amendment.go) keep that of every
// event that is not the first of a record. Documents (document.go) find the
// table that was published in one. Claims (claim.go) are the figures that
// anybody published, held against the totals.
//
// # The others
//
// Exceptions (exception.go) is what a reader must know and no total hides;
// History (history.go) is the versions of one record. Replay (replay.go) reads a
// ledger into any of them. Of the lines themselves Placer (placing.go) tells
// which lie in a period, Fates (fate.go) what became of the versions that they
// made, and Sample (sample.go) draws some that anybody can draw again. Asked
// (asked.go) is which facts an auditor's question is about; outcome.go, memo.go,
// number.go, arrival.go and author.go answer them.
package projections

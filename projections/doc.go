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
//
// # Snapshots
//
// A Snapshot (snapshot.go) is the register, totals, exceptions and amendments as
// they were after one entry, so that a start reads only what came later. It is
// taken between two entries in far less than a millisecond: most of what it holds
// only grows at its end, and what may change is copied, with the rows around it,
// when it is about to (piece.Still, in domain/piece). So it is written
// (snapshot_file.go) while the ledger goes on. Indexes are not kept but made anew.
//
// Other questions are answered by a replay from entry 1. What is as known at an
// entry before the snapshot's is cited with the state hash of then, which only a
// replay gives: so are diffs. History and replay
// print lines. Look-alikes, gaps, periods of exceptions, claims and what an audit
// asks would take 8 to 30 bytes a record more, in every file and every serve.
//
// A file is nothing but a start: one that is torn, of another ledger or of
// another version is left aside. Its entry is held against the ledger, which
// tells that the ledger went back; the entries before it are not read again, and
// only a replay tells whether they are what they were. Whoever can write the file
// can make up totals: an auditor replays. It holds the key of the register's
// digests, and is readable by its owner only.
//
// What is kept of a projection has a version (TotalsVersion, totalsLayout,
// exceptionsVersion, amendmentsVersion): raise it with every change of what a
// ruling makes of it. A test pins what the numbers in a file mean.
package projections

// Package sink owns the tables that people already use: it feeds what the
// ledger adds up to into PostgreSQL and SQLite, for BI tools and for SQL.
//
// It leaves what a fact is to package projections: the rows are the versions of
// projections.Totals and the exceptions of projections.Exceptions, by the same
// fold that answers the commands, so that they cannot disagree.
//
// Where to start reading:
//
//   - migrations: the tables, with what every column means
//   - feed.go: from the ledger's entries to changes of the tables
//   - table.go, changes.go: the tables' rows, and what is not written yet
//   - write.go: one transaction; what the database refuses is parked
//   - database.go: what is asked of a database; postgres.go, sqlite.go
//   - migrate.go: how the schema comes to its version
//   - place.go: how far a database is, and waiting for it
//   - announce.go: telling others how it stands, also when no sink runs
//
// # Exactly once
//
// A transaction holds the rows of some whole entries and moves the place, the
// last of these entries with its SHA-256. It moves only from where the sink
// believes it to be: of two sinks on one database one moves it, and the other
// reads it anew and goes on from there. So any number of sinks may run, and be
// killed at any moment. Rows are numbered by the ledger alone, so it does not
// matter which sink wrote them, in which batches.
//
// At every start the sink reads the ledger from entry 1, or on from a snapshot
// that is not after the place of the database. When it comes to that place, the
// entry must have the same bytes, and the register the same state: else the
// ledger went back, and nothing is written.
//
// # As known at a time
//
// Whether a database that is at entry 7 since yesterday has everything that was
// recorded until now, its entries do not tell. So the place has known_until too:
// a time of the ledger's server, a second before it told that the ledger ended at
// that entry (what a cluster is just agreeing on has its time already). A sink that
// has nothing to write moves it on every few seconds. As of a later time, or entry,
// nobody is answered: PostgreSQL raises an error, and in SQLite, where a
// schema has no functions, the queries that the comments give find no row.
//
// # Poison
//
// A row that the database refuses is parked: its table and number, position and
// reason stand in the table parked, in the same transaction, and the rest goes
// on. Where the database does not say which row it refuses, the batch is halved
// until that row is alone; either way one costs a few more statements. What the
// database has against a statement without any row ends the sink instead: the
// table is to blame. A row whose closing is refused is taken out and parked too,
// so that what is parked is missing, and never counted twice. At its next start
// a sink puts every parked row in as it stands by then: an amendment that came
// meanwhile is in it. Where a transaction meets many refusals, the sink begins
// again with fewer rows a transaction, and says so.
//
// # Known holes
//
// A start reads the whole ledger, since a ruling needs the register's state, where
// no snapshot is at hand (they are in serve's data directory), or it is later than
// the place of the database, or a row of entries is parked: what the register
// ruled on an entry is in no snapshot.
//
// The exceptions of the kinds look-alike and sequence-gap are not in the tables:
// what one of them says changes while it stands. Where rows are refused by the
// ten thousand, each costs a few milliseconds. PostgreSQL's own time zone rules
// decide where a day ends in facts_as_of(date), and not the program's. Where the
// clock of the ledger's server is set back, what is recorded next may have a time
// that was known already. A row whose closing is refused, and its taking out too,
// is counted beside the one that took its place; its reason in parked says so.
package sink

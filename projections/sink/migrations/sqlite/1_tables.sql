-- SQLite keeps the text of CREATE with its comments: .schema shows them.

CREATE TABLE place ( -- one row: how far the ledger was read into this database; it moves in the same transaction as the rows
	single       INTEGER PRIMARY KEY CHECK (single = 1), -- there is one place
	entry        INTEGER NOT NULL, -- the last entry whose effects stand here; 0 before the first
	sha256       TEXT NOT NULL, -- SHA-256 of that entry's payload: by it one sees that the ledger did not go back
	recorded     TEXT, -- when that entry was recorded, UTC
	rules        INTEGER NOT NULL, -- version of the register's rules by which it was read
	state        TEXT NOT NULL, -- state hash after that entry, as roznamcha totals cites it
	ledger       TEXT NOT NULL, -- name of the ledger; empty before it is open
	home_country TEXT NOT NULL, -- whose citizens are of the class national: an ISO 3166-1 code
	zone         TEXT NOT NULL, -- time zone (IANA) in which an instant has its day
	first_sha256 TEXT NOT NULL, -- SHA-256 of entry 1: which ledger it is
	moved        TEXT NOT NULL DEFAULT '' -- when the place last moved, UTC, by the clock of the machine
) STRICT;
INSERT INTO place VALUES (1, 0, '', NULL, 0, '', '', '', 'UTC', '', '');

CREATE TABLE entries ( -- the entries of the ledger: when each was recorded, and what the register ruled on its lines
	entry        INTEGER PRIMARY KEY, -- from 1 without a gap
	recorded     TEXT NOT NULL, -- UTC with nine digits of a second, such as 2025-06-03T17:10:00.000000000Z; never before the entry before
	lines        INTEGER NOT NULL,
	accepted     INTEGER NOT NULL,
	duplicates   INTEGER NOT NULL, -- lines that say again what was accepted before
	refused      INTEGER NOT NULL, -- see exceptions
	unrecognised INTEGER NOT NULL -- of a type that the rules do not know; see exceptions
) STRICT;
CREATE INDEX entries_recorded ON entries (recorded);

CREATE TABLE facts ( -- one row for each version of a record that counts, from its opened position to its closed one; what counts now: closed_entry IS NULL; as known at entry N: opened_entry <= N AND (closed_entry IS NULL OR closed_entry > N)
	fact          INTEGER PRIMARY KEY, -- number of the row, from 0 in the order of the ledger
	record        TEXT NOT NULL, -- full name: kind/agency/unit/id
	measure       TEXT NOT NULL, -- raids, detained, arrests, cases (counts); alleged, recovered, seized, forfeited (amounts)
	quantity      INTEGER, -- a count, or minor units of the currency (quantity / power(10.0, decimals) is the amount); NULL where the qualifier is unknown
	qualifier     TEXT NOT NULL, -- exact, at-least (a lower bound), about (an approximation), unknown (it is not 0)
	currency      TEXT, -- ISO 4217; different currencies must not be added; NULL for counts, and where not even the currency is known: roznamcha totals tells such an amount as unknown in every currency of its measure, and so do the views of totals
	decimals      INTEGER NOT NULL, -- of the currency; 0 for counts
	occurred_from TEXT, -- first day in the ledger's zone, such as 2025-06-03; for cases, of the registration; NULL where it is not known
	occurred_to   TEXT, -- last day, included; NULL on both sides is undated
	reported_from TEXT, -- first day on which its source wrote or published it
	reported_to   TEXT, -- last day of that, included
	agency        TEXT, -- who acted; here and in every dimension NULL means not given
	unit          TEXT,
	country       TEXT, -- ISO 3166-1
	subdivision   TEXT,
	city          TEXT, -- in the words of the source
	premises      TEXT, -- call-centre, software-house, other
	nationality   TEXT, -- a JSON array of ISO 3166-1 codes, or stateless, foreign, unknown; json_each takes it apart
	class         TEXT, -- national, foreign or unknown, as seen from the home country
	sex           TEXT, -- female, male, other, unknown
	offence       TEXT, -- a JSON array
	form          TEXT, -- cash, bank, crypto, property
	operation     TEXT,
	opened_entry  INTEGER NOT NULL, -- the position from which on the row counts
	opened_line   INTEGER NOT NULL,
	closed_entry  INTEGER, -- the position from which on it counts no more; NULL while it does
	closed_line   INTEGER
) STRICT;
CREATE INDEX facts_measure ON facts (measure, occurred_from);
CREATE INDEX facts_record ON facts (record);

CREATE TABLE successions ( -- which agency took over from which; of several of one predecessor the one with the highest number stands
	succession   INTEGER PRIMARY KEY,
	predecessor  TEXT NOT NULL,
	successor    TEXT NOT NULL,
	opened_entry INTEGER NOT NULL, -- the position from which on it stands
	opened_line  INTEGER NOT NULL,
	closed_entry INTEGER, -- the position from which on it does not; NULL while it stands
	closed_line  INTEGER
) STRICT;

CREATE TABLE exceptions ( -- what a reader must know and no total hides; what stands now: closed_entry IS NULL; Of the kinds look-alike and sequence-gap there is none here: ask roznamcha exceptions
	exception    INTEGER PRIMARY KEY,
	kind         TEXT NOT NULL, -- refused, unrecognised, dangling-link, link-to-retracted, dated-ahead
	code         TEXT, -- why a line was refused; roznamcha schema --codes lists them
	record       TEXT, -- the record that it is about
	link         TEXT, -- the record that is missing or retracted
	lines        INTEGER, -- how many lines were refused together
	detail       TEXT, -- what is wrong, for a person to read
	opened_entry INTEGER NOT NULL, -- the position that raised it
	opened_line  INTEGER NOT NULL,
	closed_entry INTEGER, -- the position that settled it; NULL while it stands
	closed_line  INTEGER
) STRICT;

CREATE TABLE parked ( -- rows that this database refused: missing from their table and from every sum (where even taking one out is refused that counts no more, it stays, and the reason says so); mend the cause and start a sink, which tries them again first
	tab          TEXT NOT NULL, -- facts, exceptions, successions or entries
	number       INTEGER NOT NULL, -- the row's key there
	entry        INTEGER NOT NULL, -- the position of the change that was refused
	line         INTEGER NOT NULL,
	reason       TEXT NOT NULL, -- what the database said
	content      TEXT NOT NULL, -- what was to be written: the row, or its closing, as JSON
	parked_entry INTEGER NOT NULL, -- the place of this database when it was parked
	PRIMARY KEY (tab, number)
) STRICT;

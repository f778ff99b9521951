-- Until when everything is known, and who answers for whom. The rows have more
-- than they had, which only the ledger can tell: the tables are emptied, and the
-- sink that runs this feeds them from entry 1.

DROP VIEW totals_by_agency;
DROP VIEW facts_by_currency;
DROP TABLE place;
DROP TABLE facts;
DROP TABLE successions;
DELETE FROM entries;
DELETE FROM exceptions;
DELETE FROM parked;

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
	known_until  TEXT, -- everything that was recorded up to this time stands here, by the clock of the ledger's server, written as entries.recorded is; a sink that runs moves it on every few seconds; as of a later time nobody can be answered yet
	moved        TEXT NOT NULL DEFAULT '', -- when the place last moved, UTC, by the clock of the machine
	CONSTRAINT known_until_not_before_recorded CHECK (recorded IS NULL OR known_until IS NOT NULL AND known_until >= recorded) -- a sink of before this version knows of no such time, nor of the new columns: it ends here
) STRICT;
INSERT INTO place VALUES (1, 0, '', NULL, 0, '', '', '', 'UTC', '', NULL, '');

CREATE TABLE facts ( -- one row for each version of a record that counts, from its opened position to its closed one; what counts now: closed_entry IS NULL; as known at entry N: opened_entry <= N AND (closed_entry IS NULL OR closed_entry > N), where N <= (SELECT entry FROM place); as known at a time T, written as entries.recorded is: with (SELECT max(entry) FROM entries WHERE recorded <= T AND T <= (SELECT known_until FROM place)) as N, which is NULL, and so without a fact, where this database does not know so far
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
	straddles     INTEGER NOT NULL, -- 1: it names no agency, and began before a succession of its diary's agency and ended after: who acted is not given, and the successor answers for it
	answerable    TEXT GENERATED ALWAYS AS (CASE WHEN straddles THEN substr(record, instr(record, '/') + 1, instr(substr(record, instr(record, '/') + 1), '/') - 1) ELSE agency END) VIRTUAL, -- whose successor answers for it: who acted, or the agency of the diary
	opened_entry  INTEGER NOT NULL, -- the position from which on the row counts
	opened_line   INTEGER NOT NULL,
	closed_entry  INTEGER, -- the position from which on it counts no more; NULL while it does
	closed_line   INTEGER
) STRICT;
CREATE INDEX facts_measure ON facts (measure, occurred_from);

CREATE TABLE successions ( -- which agency took over from which, as recorded; who answers for whom is in successors
	succession   INTEGER PRIMARY KEY,
	predecessor  TEXT NOT NULL,
	successor    TEXT NOT NULL,
	record       TEXT NOT NULL, -- full name of the record that says so; a correction of it is another row
	opened_entry INTEGER NOT NULL, -- the position from which on it stands
	opened_line  INTEGER NOT NULL,
	closed_entry INTEGER, -- the position from which on it does not; NULL while it stands
	closed_line  INTEGER
) STRICT;

CREATE VIEW successors AS -- who answers today for an agency that another took over from; who is not in it answers for itself
	WITH RECURSIVE standing AS ( -- of several of one predecessor the record that came last
		SELECT predecessor, successor, max(came) FROM (SELECT *, min(succession) OVER (PARTITION BY record) AS came FROM successions)
		WHERE closed_entry IS NULL GROUP BY predecessor
	), reach (agency, other) AS (
		SELECT predecessor, successor FROM standing UNION SELECT r.agency, s.successor FROM reach r JOIN standing s ON s.predecessor = r.other
	), straight AS ( -- those that go round hold for nobody
		SELECT * FROM standing s WHERE NOT EXISTS (SELECT * FROM reach r WHERE r.agency = s.predecessor AND r.other = s.predecessor)
	), follow (agency, other) AS (
		SELECT predecessor, successor FROM straight UNION SELECT f.agency, s.successor FROM follow f JOIN straight s ON s.predecessor = f.other
	)
	SELECT f.agency AS agency, f.other AS successor FROM follow f WHERE NOT EXISTS (SELECT * FROM straight s WHERE s.predecessor = f.other);

CREATE VIEW facts_by_currency AS -- the facts that count now, as totals add them up by currency: an amount of no known currency stands once for each currency of its measure, as unknown
	SELECT f.fact, f.record, f.measure, f.quantity, f.qualifier, coalesce(f.currency, c.currency) AS currency, coalesce(c.decimals, f.decimals) AS decimals,
		occurred_from, occurred_to, reported_from, reported_to,
		agency, unit, country, subdivision, city, premises, nationality, class, sex, offence, form, operation, answerable
	FROM facts f LEFT JOIN (
		SELECT DISTINCT measure, currency, decimals FROM facts WHERE closed_entry IS NULL AND currency IS NOT NULL
	) c ON c.measure = f.measure AND f.currency IS NULL
	WHERE f.closed_entry IS NULL;

CREATE VIEW totals_by_agency AS -- by who acted, and by who answers for that today; a parked row is in no sum
	SELECT f.agency, f.unit, coalesce(s.successor, f.answerable) AS successor, measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		sum(qualifier = 'unknown') AS unknown,
		max(qualifier IN ('at-least', 'unknown')) AS lower, max(qualifier = 'about') AS approximate
	FROM facts_by_currency f LEFT JOIN successors s ON s.agency = f.answerable
	GROUP BY f.agency, f.unit, coalesce(s.successor, f.answerable), measure, currency, decimals;

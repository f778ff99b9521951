-- Where the sink stands, and what it has put here. Everything is in the schema
-- roznamcha; a database holds one ledger.

COMMENT ON SCHEMA roznamcha IS 'A ledger of enforcement actions, as tables. Fed by "roznamcha sink"; read it freely, and change nothing: what stands here can be made anew from the ledger at any time.';

CREATE TABLE roznamcha.place (
	single       boolean PRIMARY KEY DEFAULT true CHECK (single),
	entry        bigint NOT NULL DEFAULT 0,
	sha256       text NOT NULL DEFAULT '',
	recorded     timestamptz,
	rules        integer NOT NULL DEFAULT 0,
	state        text NOT NULL DEFAULT '',
	ledger       text NOT NULL DEFAULT '',
	home_country text NOT NULL DEFAULT '',
	zone         text NOT NULL DEFAULT 'UTC',
	first_sha256 text NOT NULL DEFAULT '',
	moved        timestamptz NOT NULL DEFAULT now()
);
INSERT INTO roznamcha.place DEFAULT VALUES;
COMMENT ON TABLE roznamcha.place IS 'One row: how far the ledger was read into this database. It moves in the same transaction as the rows.';
COMMENT ON COLUMN roznamcha.place.single IS 'Always true: there is one place.';
COMMENT ON COLUMN roznamcha.place.entry IS 'The last entry whose effects stand here; 0 before the first.';
COMMENT ON COLUMN roznamcha.place.sha256 IS 'SHA-256 of that entry''s payload, 64 hexadecimal digits: by it one sees that the ledger did not go back.';
COMMENT ON COLUMN roznamcha.place.recorded IS 'When that entry was recorded.';
COMMENT ON COLUMN roznamcha.place.rules IS 'Version of the register''s rules by which it was read.';
COMMENT ON COLUMN roznamcha.place.state IS 'State hash after that entry, as "roznamcha totals" cites it: 64 hexadecimal digits.';
COMMENT ON COLUMN roznamcha.place.ledger IS 'Name of the ledger; empty before it is open.';
COMMENT ON COLUMN roznamcha.place.home_country IS 'Whose citizens are of the class national: an ISO 3166-1 code.';
COMMENT ON COLUMN roznamcha.place.zone IS 'Time zone (IANA) in which an instant has its day.';
COMMENT ON COLUMN roznamcha.place.first_sha256 IS 'SHA-256 of entry 1: which ledger it is.';
COMMENT ON COLUMN roznamcha.place.moved IS 'When the place last moved, by this database''s clock.';

CREATE TABLE roznamcha.entries (
	entry        bigint PRIMARY KEY,
	recorded     timestamptz NOT NULL,
	lines        integer NOT NULL,
	accepted     integer NOT NULL,
	duplicates   integer NOT NULL,
	refused      integer NOT NULL,
	unrecognised integer NOT NULL
);
CREATE INDEX entries_recorded ON roznamcha.entries (recorded);
COMMENT ON TABLE roznamcha.entries IS 'The entries of the ledger: when each was recorded, and what the register ruled on its lines.';
COMMENT ON COLUMN roznamcha.entries.entry IS 'Number of the entry, from 1 without a gap.';
COMMENT ON COLUMN roznamcha.entries.recorded IS 'When it was recorded; never before the entry before. The ledger has nanoseconds: this is the nearest microsecond, as PostgreSQL reads a text with nanoseconds too: so entry_at finds the entry of a receipt by the time that the receipt says.';
COMMENT ON COLUMN roznamcha.entries.lines IS 'How many lines it has.';
COMMENT ON COLUMN roznamcha.entries.accepted IS 'Lines that were accepted.';
COMMENT ON COLUMN roznamcha.entries.duplicates IS 'Lines that say again what was accepted before; without effect.';
COMMENT ON COLUMN roznamcha.entries.refused IS 'Lines that were refused; without effect, see exceptions.';
COMMENT ON COLUMN roznamcha.entries.unrecognised IS 'Lines of a type that the rules do not know; without effect, see exceptions.';

CREATE TABLE roznamcha.facts (
	fact          bigint PRIMARY KEY,
	record        text NOT NULL,
	measure       text NOT NULL,
	quantity      bigint,
	qualifier     text NOT NULL,
	currency      text,
	decimals      smallint NOT NULL,
	occurred_from date,
	occurred_to   date,
	reported_from date,
	reported_to   date,
	agency        text,
	unit          text,
	country       text,
	subdivision   text,
	city          text,
	premises      text,
	nationality   text[],
	class         text,
	sex           text,
	offence       text[],
	form          text,
	operation     text,
	opened_entry  bigint NOT NULL,
	opened_line   integer NOT NULL,
	closed_entry  bigint,
	closed_line   integer
);
CREATE INDEX facts_measure ON roznamcha.facts (measure, occurred_from);
CREATE INDEX facts_record ON roznamcha.facts (record);
COMMENT ON TABLE roznamcha.facts IS 'One row for each version of a record that counts. A row counts from its opened position on and, once it is amended, until its closed position; nothing is ever subtracted. What counts now: closed_entry IS NULL. As known at an entry: roznamcha.facts_as_of.';
COMMENT ON COLUMN roznamcha.facts.fact IS 'Number of the row, from 0 in the order of the ledger; the same in every database fed from it.';
COMMENT ON COLUMN roznamcha.facts.record IS 'Full name of the record: kind/agency/unit/id. "roznamcha history" tells everything about it.';
COMMENT ON COLUMN roznamcha.facts.measure IS 'What it adds to: raids, detained, arrests, cases (counts); alleged, recovered, seized, forfeited (amounts).';
COMMENT ON COLUMN roznamcha.facts.quantity IS 'A count, or an amount in minor units of the currency: quantity / 10::numeric ^ decimals is the amount, exact. NULL where the qualifier is unknown.';
COMMENT ON COLUMN roznamcha.facts.qualifier IS 'How the quantity is meant: exact, at-least (a lower bound), about (an approximation), unknown (nobody knows it; it is not 0).';
COMMENT ON COLUMN roznamcha.facts.currency IS 'ISO 4217 code of an amount. Amounts of different currencies must not be added. NULL for counts, and where not even the currency is known: "roznamcha totals" tells such an amount as unknown in every currency of its measure, and so do the views of totals.';
COMMENT ON COLUMN roznamcha.facts.decimals IS 'How many decimals the currency has; 0 for counts.';
COMMENT ON COLUMN roznamcha.facts.occurred_from IS 'First day on which it occurred, in the zone of the ledger; for cases, on which it was registered. NULL where it is not known.';
COMMENT ON COLUMN roznamcha.facts.occurred_to IS 'Last day, included. A month is its first to its last day; NULL on both sides is undated.';
COMMENT ON COLUMN roznamcha.facts.reported_from IS 'First day on which its source wrote or published it.';
COMMENT ON COLUMN roznamcha.facts.reported_to IS 'Last day of that, included.';
COMMENT ON COLUMN roznamcha.facts.agency IS 'Who acted. Here and in every dimension NULL means not given.';
COMMENT ON COLUMN roznamcha.facts.unit IS 'Unit of the agency that acted.';
COMMENT ON COLUMN roznamcha.facts.country IS 'ISO 3166-1 code of where it happened.';
COMMENT ON COLUMN roznamcha.facts.subdivision IS 'Province, state or the like, in the words of the source.';
COMMENT ON COLUMN roznamcha.facts.city IS 'City, in the words of the source.';
COMMENT ON COLUMN roznamcha.facts.premises IS 'What was raided: call-centre, software-house, other.';
COMMENT ON COLUMN roznamcha.facts.nationality IS 'Nationalities of the persons: ISO 3166-1 codes, or stateless, foreign, unknown. A fact of several stands in each group once it is unnested: rows overlap then.';
COMMENT ON COLUMN roznamcha.facts.class IS 'national, foreign or unknown, as seen from the ledger''s home country.';
COMMENT ON COLUMN roznamcha.facts.sex IS 'female, male, other, unknown.';
COMMENT ON COLUMN roznamcha.facts.offence IS 'Offences; a fact can have several.';
COMMENT ON COLUMN roznamcha.facts.form IS 'What was recovered: cash, bank, crypto, property.';
COMMENT ON COLUMN roznamcha.facts.operation IS 'Name of the operation that it was part of.';
COMMENT ON COLUMN roznamcha.facts.opened_entry IS 'Entry from which on the row counts.';
COMMENT ON COLUMN roznamcha.facts.opened_line IS 'Its line in that entry, from 1.';
COMMENT ON COLUMN roznamcha.facts.closed_entry IS 'Entry from which on the row counts no more; NULL while it does.';
COMMENT ON COLUMN roznamcha.facts.closed_line IS 'The line in that entry.';

CREATE TABLE roznamcha.successions (
	succession   bigint PRIMARY KEY,
	predecessor  text NOT NULL,
	successor    text NOT NULL,
	opened_entry bigint NOT NULL,
	opened_line  integer NOT NULL,
	closed_entry bigint,
	closed_line  integer
);
COMMENT ON TABLE roznamcha.successions IS 'Which agency took over from which, from the opened position to the closed one. Of several of one predecessor the one with the highest number stands.';
COMMENT ON COLUMN roznamcha.successions.succession IS 'Number of the row, from 0.';
COMMENT ON COLUMN roznamcha.successions.predecessor IS 'The agency that was.';
COMMENT ON COLUMN roznamcha.successions.successor IS 'The agency that answers for it from then on.';
COMMENT ON COLUMN roznamcha.successions.opened_entry IS 'Entry from which on it stands.';
COMMENT ON COLUMN roznamcha.successions.opened_line IS 'Its line in that entry.';
COMMENT ON COLUMN roznamcha.successions.closed_entry IS 'Entry from which on it stands no more; NULL while it does.';
COMMENT ON COLUMN roznamcha.successions.closed_line IS 'The line in that entry.';

CREATE TABLE roznamcha.exceptions (
	exception    bigint PRIMARY KEY,
	kind         text NOT NULL,
	code         text,
	record       text,
	link         text,
	lines        integer,
	detail       text,
	opened_entry bigint NOT NULL,
	opened_line  integer NOT NULL,
	closed_entry bigint,
	closed_line  integer
);
COMMENT ON TABLE roznamcha.exceptions IS 'What a reader must know and no total hides. What stands now: closed_entry IS NULL. Of the kinds look-alike and sequence-gap there is none here: ask "roznamcha exceptions".';
COMMENT ON COLUMN roznamcha.exceptions.exception IS 'Number of the row, from 0.';
COMMENT ON COLUMN roznamcha.exceptions.kind IS 'refused, unrecognised, dangling-link, link-to-retracted or dated-ahead; "roznamcha exceptions --help" tells more.';
COMMENT ON COLUMN roznamcha.exceptions.code IS 'Why a line was refused; "roznamcha schema --codes" lists the codes.';
COMMENT ON COLUMN roznamcha.exceptions.record IS 'Full name of the record that it is about.';
COMMENT ON COLUMN roznamcha.exceptions.link IS 'Full name of the record that is missing or retracted.';
COMMENT ON COLUMN roznamcha.exceptions.lines IS 'How many lines were refused together.';
COMMENT ON COLUMN roznamcha.exceptions.detail IS 'What is wrong, for a person to read.';
COMMENT ON COLUMN roznamcha.exceptions.opened_entry IS 'Entry that raised it.';
COMMENT ON COLUMN roznamcha.exceptions.opened_line IS 'The line in that entry.';
COMMENT ON COLUMN roznamcha.exceptions.closed_entry IS 'Entry that settled it; NULL while it stands.';
COMMENT ON COLUMN roznamcha.exceptions.closed_line IS 'The line in that entry.';

CREATE TABLE roznamcha.parked (
	tab          text NOT NULL,
	number       bigint NOT NULL,
	entry        bigint NOT NULL,
	line         integer NOT NULL,
	reason       text NOT NULL,
	content      text NOT NULL,
	parked_entry bigint NOT NULL,
	PRIMARY KEY (tab, number)
);
COMMENT ON TABLE roznamcha.parked IS 'Rows that this database refused: they are missing from their table and from every sum. (Where the database refuses even to take a row out that counts no more, it stays, and the reason says so.) Mend the cause and start a sink: it tries them again first.';
COMMENT ON COLUMN roznamcha.parked.tab IS 'The table: facts, exceptions, successions or entries.';
COMMENT ON COLUMN roznamcha.parked.number IS 'The row''s key there.';
COMMENT ON COLUMN roznamcha.parked.entry IS 'Entry of the change that was refused.';
COMMENT ON COLUMN roznamcha.parked.line IS 'Its line in that entry.';
COMMENT ON COLUMN roznamcha.parked.reason IS 'What the database said.';
COMMENT ON COLUMN roznamcha.parked.content IS 'What was to be written: the row, or its closing, as JSON.';
COMMENT ON COLUMN roznamcha.parked.parked_entry IS 'The place of this database when it was parked.';

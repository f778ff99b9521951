-- Until when everything is known, and who answers for whom. The rows have more
-- than they had, which only the ledger can tell: the tables are emptied, and the
-- sink that runs this feeds them from entry 1.

-- First what a sink changes first: one that is writing ends, and none begins.
LOCK TABLE roznamcha.place IN ACCESS EXCLUSIVE MODE;
TRUNCATE roznamcha.entries, roznamcha.facts, roznamcha.successions, roznamcha.exceptions, roznamcha.parked;
DELETE FROM roznamcha.place;
ALTER TABLE roznamcha.place ADD COLUMN known_until timestamptz;
-- A sink of before this version knows of no such time, nor of the new columns: it ends here.
ALTER TABLE roznamcha.place ADD CONSTRAINT known_until_not_before_recorded CHECK (recorded IS NULL OR known_until IS NOT NULL AND known_until >= recorded);
INSERT INTO roznamcha.place DEFAULT VALUES;
COMMENT ON COLUMN roznamcha.place.known_until IS 'Everything that was recorded up to this time stands here, by the clock of the ledger''s server; a sink that runs moves it on every few seconds, also where nothing is recorded. As of a later time nobody can be answered yet.';

ALTER TABLE roznamcha.facts ADD COLUMN straddles boolean NOT NULL;
COMMENT ON COLUMN roznamcha.facts.straddles IS 'It names no agency, and began before a succession of its diary''s agency and ended after: who acted is not given, and the successor answers for it.';
DROP INDEX roznamcha.facts_record;

ALTER TABLE roznamcha.successions ADD COLUMN record text NOT NULL;
COMMENT ON TABLE roznamcha.successions IS 'Which agency took over from which, from the opened position to the closed one, as recorded. Who answers for whom is in successors and, as known at an entry, successors_as_of.';
COMMENT ON COLUMN roznamcha.successions.record IS 'Full name of the record that says so; a correction of it is another row.';

CREATE OR REPLACE FUNCTION roznamcha.known(entry bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE at bigint;
BEGIN
	SELECT p.entry INTO at FROM roznamcha.place p;
	IF known.entry IS NULL THEN
		RAISE EXCEPTION 'as of NULL: no entry, time or day is named' USING HINT = 'What is known now: facts_as_of((SELECT entry FROM roznamcha.place))';
	ELSIF known.entry > at THEN
		RAISE EXCEPTION 'as of entry %: this database is at entry %', known.entry, at
			USING HINT = 'Ask as of an entry up to that, or wait: roznamcha sink URL --at-least ENTRY --within 5s';
	END IF;
	RETURN known.entry;
END $$;

CREATE OR REPLACE FUNCTION roznamcha.entry_at(at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE here roznamcha.place;
BEGIN
	SELECT * INTO here FROM roznamcha.place;
	IF entry_at.at IS NULL THEN
		RETURN roznamcha.known(NULL);
	ELSIF here.known_until IS NULL OR entry_at.at > here.known_until THEN
		RAISE EXCEPTION 'as of %: this database has what was recorded up to %, entry %', entry_at.at, coalesce(here.known_until::text, 'no time'), here.entry
			USING HINT = 'What is known now: facts_as_of((SELECT entry FROM roznamcha.place)), or the views of totals. Else ask as of an earlier time; or see that a sink runs, and ask again in a few seconds: SELECT entry, known_until FROM roznamcha.place';
	END IF;
	RETURN (SELECT coalesce(max(e.entry), 0) FROM roznamcha.entries e
		WHERE e.recorded = (SELECT max(b.recorded) FROM roznamcha.entries b WHERE b.recorded <= entry_at.at));
END $$;
COMMENT ON FUNCTION roznamcha.entry_at(timestamptz) IS 'The last entry that was recorded not later than that time; 0 where there is none. An error where the time is after place.known_until: the ledger may have entries that are not here.';
COMMENT ON FUNCTION roznamcha.entry_at(date) IS 'The last entry of that day in the ledger''s zone, or before it. An error where the end of that day is after place.known_until, as today''s is: what is known now is facts_as_of((SELECT entry FROM roznamcha.place)).';

CREATE OR REPLACE FUNCTION roznamcha.facts_as_of(entry bigint) RETURNS SETOF roznamcha.facts LANGUAGE sql STABLE AS $$
	SELECT f.* FROM roznamcha.known($1) AS k (entry), roznamcha.facts f
	WHERE f.opened_entry <= k.entry AND (f.closed_entry IS NULL OR f.closed_entry > k.entry)
$$;
COMMENT ON FUNCTION roznamcha.facts_as_of(bigint) IS 'The facts that counted as known at an entry: the same as "roznamcha totals --as-of ENTRY" adds up. An error where the entry has not come to this database yet.';

CREATE OR REPLACE FUNCTION roznamcha.facts_as_of(at timestamptz) RETURNS SETOF roznamcha.facts LANGUAGE sql STABLE AS $$
	SELECT f.* FROM roznamcha.entry_at($1) AS k (entry), roznamcha.facts f
	WHERE f.opened_entry <= k.entry AND (f.closed_entry IS NULL OR f.closed_entry > k.entry)
$$;
COMMENT ON FUNCTION roznamcha.facts_as_of(timestamptz) IS 'The facts that counted as known at a time. An error where it is after place.known_until.';

CREATE OR REPLACE FUNCTION roznamcha.facts_as_of(day date) RETURNS SETOF roznamcha.facts LANGUAGE sql STABLE AS $$
	SELECT f.* FROM roznamcha.entry_at($1) AS k (entry), roznamcha.facts f
	WHERE f.opened_entry <= k.entry AND (f.closed_entry IS NULL OR f.closed_entry > k.entry)
$$;
COMMENT ON FUNCTION roznamcha.facts_as_of(date) IS 'The facts that counted as known at the end of a day in the ledger''s zone. An error where that is after place.known_until, as the end of today is: what is known now is facts_as_of((SELECT entry FROM roznamcha.place)).';

CREATE FUNCTION roznamcha.answerable(fact roznamcha.facts) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN fact.straddles THEN split_part(fact.record, '/', 2) ELSE fact.agency END
$$;
COMMENT ON FUNCTION roznamcha.answerable(roznamcha.facts) IS 'Whose successor answers for a fact: who acted or, where it straddles a succession, the agency of its diary. Written like a column: f.answerable.';

CREATE FUNCTION roznamcha.successors_as_of(entry bigint) RETURNS TABLE (agency text, successor text) LANGUAGE sql STABLE AS $$
	WITH RECURSIVE standing AS ( -- of several of one predecessor the record that came last
		SELECT DISTINCT ON (s.predecessor) s.predecessor, s.successor
		FROM roznamcha.known($1) AS k (entry), (SELECT *, min(succession) OVER (PARTITION BY record) AS came FROM roznamcha.successions) s
		WHERE s.opened_entry <= k.entry AND (s.closed_entry IS NULL OR s.closed_entry > k.entry)
		ORDER BY s.predecessor, s.came DESC
	), reach (agency, other) AS (
		SELECT predecessor, successor FROM standing UNION SELECT r.agency, s.successor FROM reach r JOIN standing s ON s.predecessor = r.other
	), straight AS ( -- those that go round hold for nobody
		SELECT * FROM standing s WHERE NOT EXISTS (SELECT FROM reach r WHERE r.agency = s.predecessor AND r.other = s.predecessor)
	), follow (agency, other) AS (
		SELECT predecessor, successor FROM straight UNION SELECT f.agency, s.successor FROM follow f JOIN straight s ON s.predecessor = f.other
	)
	SELECT f.agency, f.other FROM follow f WHERE NOT EXISTS (SELECT FROM straight s WHERE s.predecessor = f.other)
$$;
COMMENT ON FUNCTION roznamcha.successors_as_of(bigint) IS 'Who answered for an agency that another had taken over from, as known at an entry; through all that followed. Who is not in it answers for itself: coalesce(s.successor, f.answerable) FROM roznamcha.facts_as_of(N) f LEFT JOIN roznamcha.successors_as_of(N) s ON s.agency = f.answerable. Successions that go round hold for nobody.';

CREATE VIEW roznamcha.successors AS SELECT s.agency, s.successor FROM roznamcha.place p, roznamcha.successors_as_of(p.entry) s;
COMMENT ON VIEW roznamcha.successors IS 'Who answers today for an agency that another took over from. Who is not in it answers for itself.';
COMMENT ON COLUMN roznamcha.successors.agency IS 'The agency that was.';
COMMENT ON COLUMN roznamcha.successors.successor IS 'Who answers for it.';

CREATE OR REPLACE VIEW roznamcha.facts_by_currency AS
	SELECT f.fact, f.record, f.measure, f.quantity, f.qualifier, coalesce(f.currency, c.currency) AS currency, coalesce(c.decimals, f.decimals) AS decimals,
		occurred_from, occurred_to, reported_from, reported_to,
		agency, unit, country, subdivision, city, premises, nationality, class, sex, offence, form, operation, f.answerable
	FROM roznamcha.facts f LEFT JOIN (
		SELECT DISTINCT measure, currency, decimals FROM roznamcha.facts WHERE closed_entry IS NULL AND currency IS NOT NULL
	) c ON c.measure = f.measure AND f.currency IS NULL
	WHERE f.closed_entry IS NULL;
COMMENT ON COLUMN roznamcha.facts_by_currency.answerable IS 'Whose successor answers for it: who acted or, where it straddles a succession, the agency of its diary.';

CREATE OR REPLACE VIEW roznamcha.totals_by_agency AS
	SELECT f.agency, f.unit, measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		round(coalesce(sum(quantity), 0) / 10::numeric ^ decimals, decimals) AS amount,
		count(*) FILTER (WHERE qualifier = 'unknown') AS unknown,
		bool_or(qualifier IN ('at-least', 'unknown')) AS lower, bool_or(qualifier = 'about') AS approximate,
		coalesce(s.successor, f.answerable) AS successor
	FROM roznamcha.facts_by_currency f LEFT JOIN roznamcha.successors s ON s.agency = f.answerable
	GROUP BY f.agency, f.unit, coalesce(s.successor, f.answerable), measure, currency, decimals;
COMMENT ON VIEW roznamcha.totals_by_agency IS 'The same by who acted, agency and unit, and by who answers for that today: successor. A parked row is in none of its sums: see parked.';
COMMENT ON COLUMN roznamcha.totals_by_agency.successor IS 'Who answers today for who acted, or for the diary''s agency where the facts straddle a succession.';

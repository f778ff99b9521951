-- What a report asks first. Views, so that they never disagree with the facts.

CREATE FUNCTION roznamcha.known(entry bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE at bigint;
BEGIN
	SELECT p.entry INTO at FROM roznamcha.place p;
	IF known.entry > at THEN
		RAISE EXCEPTION 'as of entry %: this database is at entry %', known.entry, at
			USING HINT = 'Ask as of an entry up to that, or wait: roznamcha sink --wait-for ENTRY URL';
	END IF;
	RETURN known.entry;
END $$;
COMMENT ON FUNCTION roznamcha.known(bigint) IS 'The entry itself; an error where it has not come to this database yet.';

CREATE FUNCTION roznamcha.entry_at(at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT coalesce(max(e.entry), 0) FROM roznamcha.entries e
	WHERE e.recorded = (SELECT max(b.recorded) FROM roznamcha.entries b WHERE b.recorded <= at)
$$;
COMMENT ON FUNCTION roznamcha.entry_at(timestamptz) IS 'The last entry here that was recorded not later than that time; 0 where there is none. Where this database is behind the ledger, the ledger may have a later one: place tells the last entry that is here and when it was recorded. To be sure of a time after that: roznamcha sink --wait-for ENTRY.';

CREATE FUNCTION roznamcha.entry_at(day date) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT roznamcha.entry_at(((day + 1)::timestamp AT TIME ZONE p.zone) - interval '1 microsecond') FROM roznamcha.place p
$$;
COMMENT ON FUNCTION roznamcha.entry_at(date) IS 'The last entry here of that day in the ledger''s zone, or before it. Where this database is behind the ledger, the ledger may have a later one: see entry_at(timestamptz).';

CREATE FUNCTION roznamcha.facts_as_of(entry bigint) RETURNS SETOF roznamcha.facts LANGUAGE sql STABLE AS $$
	SELECT f.* FROM roznamcha.facts f
	WHERE f.opened_entry <= (SELECT roznamcha.known($1)) AND (f.closed_entry IS NULL OR f.closed_entry > $1)
$$;
COMMENT ON FUNCTION roznamcha.facts_as_of(bigint) IS 'The facts that counted as known at an entry: the same as "roznamcha totals --as-of ENTRY" adds up.';

CREATE FUNCTION roznamcha.facts_as_of(at timestamptz) RETURNS SETOF roznamcha.facts LANGUAGE sql STABLE AS $$
	SELECT f.* FROM roznamcha.facts f
	WHERE f.opened_entry <= (SELECT roznamcha.entry_at($1)) AND (f.closed_entry IS NULL OR f.closed_entry > (SELECT roznamcha.entry_at($1)))
$$;
COMMENT ON FUNCTION roznamcha.facts_as_of(timestamptz) IS 'The facts that counted as known at a time: at entry_at of it, which is too early where this database is behind.';

CREATE FUNCTION roznamcha.facts_as_of(day date) RETURNS SETOF roznamcha.facts LANGUAGE sql STABLE AS $$
	SELECT f.* FROM roznamcha.facts f
	WHERE f.opened_entry <= (SELECT roznamcha.entry_at($1)) AND (f.closed_entry IS NULL OR f.closed_entry > (SELECT roznamcha.entry_at($1)))
$$;
COMMENT ON FUNCTION roznamcha.facts_as_of(date) IS 'The facts that counted as known at the end of a day in the ledger''s zone: at entry_at of it, which is too early where this database is behind.';

CREATE VIEW roznamcha.facts_by_currency AS
	SELECT f.fact, f.record, f.measure, f.quantity, f.qualifier, coalesce(f.currency, c.currency) AS currency, coalesce(c.decimals, f.decimals) AS decimals,
		occurred_from, occurred_to, reported_from, reported_to,
		agency, unit, country, subdivision, city, premises, nationality, class, sex, offence, form, operation
	FROM roznamcha.facts f LEFT JOIN (
		SELECT DISTINCT measure, currency, decimals FROM roznamcha.facts WHERE closed_entry IS NULL AND currency IS NOT NULL
	) c ON c.measure = f.measure AND f.currency IS NULL
	WHERE f.closed_entry IS NULL;
COMMENT ON VIEW roznamcha.facts_by_currency IS 'The facts that count now, as totals add them up by currency: an amount of no known currency stands once for each currency of its measure, as unknown.';

CREATE VIEW roznamcha.totals AS
	SELECT measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		round(coalesce(sum(quantity), 0) / 10::numeric ^ decimals, decimals) AS amount,
		count(*) FILTER (WHERE qualifier = 'unknown') AS unknown,
		bool_or(qualifier IN ('at-least', 'unknown')) AS lower, bool_or(qualifier = 'about') AS approximate
	FROM roznamcha.facts_by_currency GROUP BY measure, currency, decimals;
COMMENT ON VIEW roznamcha.totals IS 'What the ledger holds now adds up to, by measure and currency. A parked row is in none of its sums: see parked.';

CREATE VIEW roznamcha.totals_by_agency AS
	SELECT agency, unit, measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		round(coalesce(sum(quantity), 0) / 10::numeric ^ decimals, decimals) AS amount,
		count(*) FILTER (WHERE qualifier = 'unknown') AS unknown,
		bool_or(qualifier IN ('at-least', 'unknown')) AS lower, bool_or(qualifier = 'about') AS approximate
	FROM roznamcha.facts_by_currency GROUP BY agency, unit, measure, currency, decimals;
COMMENT ON VIEW roznamcha.totals_by_agency IS 'The same by who acted: agency and unit. A parked row is in none of its sums: see parked.';

CREATE VIEW roznamcha.totals_by_city AS
	SELECT country, subdivision, city, measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		round(coalesce(sum(quantity), 0) / 10::numeric ^ decimals, decimals) AS amount,
		count(*) FILTER (WHERE qualifier = 'unknown') AS unknown,
		bool_or(qualifier IN ('at-least', 'unknown')) AS lower, bool_or(qualifier = 'about') AS approximate
	FROM roznamcha.facts_by_currency GROUP BY country, subdivision, city, measure, currency, decimals;
COMMENT ON VIEW roznamcha.totals_by_city IS 'The same by where it happened. NULL is not given: where some facts name no city, cells may be too low. A parked row is in none of its sums: see parked.';

CREATE VIEW roznamcha.totals_by_class AS
	SELECT class, sex, measure, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		count(*) FILTER (WHERE qualifier = 'unknown') AS unknown,
		bool_or(qualifier IN ('at-least', 'unknown')) AS lower, bool_or(qualifier = 'about') AS approximate
	FROM roznamcha.facts_by_currency
	WHERE measure IN ('arrests', 'detained') GROUP BY class, sex, measure;
COMMENT ON VIEW roznamcha.totals_by_class IS 'Persons arrested and detained, by class (national, foreign, unknown) and sex. A parked row is in none of its sums: see parked.';

CREATE VIEW roznamcha.totals_by_month AS
	SELECT CASE WHEN date_trunc('month', occurred_from) = date_trunc('month', occurred_to) THEN date_trunc('month', occurred_from)::date END AS month,
		measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		round(coalesce(sum(quantity), 0) / 10::numeric ^ decimals, decimals) AS amount,
		count(*) FILTER (WHERE qualifier = 'unknown') AS unknown,
		bool_or(qualifier IN ('at-least', 'unknown')) AS lower, bool_or(qualifier = 'about') AS approximate
	FROM roznamcha.facts_by_currency GROUP BY 1, measure, currency, decimals;
COMMENT ON VIEW roznamcha.totals_by_month IS 'The same by the month in which it occurred, its first day. NULL: undated, or in no one month. A parked row is in none of its sums: see parked.';

CREATE VIEW roznamcha.running_totals AS
	SELECT month, measure, currency, decimals, quantity, amount, unknown,
		sum(quantity) OVER w AS running, sum(amount) OVER w AS running_amount, bool_or(lower) OVER w AS lower, bool_or(approximate) OVER w AS approximate
	FROM roznamcha.totals_by_month WHERE month IS NOT NULL
	WINDOW w AS (PARTITION BY measure, currency ORDER BY month);
COMMENT ON VIEW roznamcha.running_totals IS 'Month by month, and added up from the first month on. What is undated or in no one month is not in it, nor a parked row: see parked.';

DO $$
DECLARE v text; c text;
BEGIN
	FOREACH v IN ARRAY ARRAY['facts_by_currency', 'totals', 'totals_by_agency', 'totals_by_city', 'totals_by_class', 'totals_by_month', 'running_totals'] LOOP
		FOR c IN SELECT column_name FROM information_schema.columns WHERE table_schema = 'roznamcha' AND table_name = v LOOP
			EXECUTE format('COMMENT ON COLUMN roznamcha.%I.%I IS %L', v, c, CASE c
				WHEN 'facts' THEN 'How many facts it is made of.'
				WHEN 'quantity' THEN 'The sum: a count, or minor units of the currency; amount has them divided.'
				WHEN 'amount' THEN 'The sum in units of the currency, exact.'
				WHEN 'unknown' THEN 'How many facts are not in the sum, because nobody knows their number.'
				WHEN 'lower' THEN 'The true sum may be higher: a part is a lower bound or unknown.'
				WHEN 'approximate' THEN 'A part is an approximation.'
				WHEN 'running' THEN 'The sum of quantity up to and including this month.'
				WHEN 'running_amount' THEN 'The sum of amount up to and including this month.'
				WHEN 'month' THEN 'First day of the month.'
				ELSE (SELECT col_description('roznamcha.facts'::regclass, a.attnum) FROM pg_attribute a WHERE a.attrelid = 'roznamcha.facts'::regclass AND a.attname = c) END);
		END LOOP;
	END LOOP;
END $$;

CREATE VIEW roznamcha.exceptions_standing AS SELECT * FROM roznamcha.exceptions WHERE closed_entry IS NULL;
COMMENT ON VIEW roznamcha.exceptions_standing IS 'The exceptions that stand now.';

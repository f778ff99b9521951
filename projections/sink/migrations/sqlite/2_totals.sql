-- What a report asks first. Views, so that they never disagree with the facts.
-- facts: how many it is made of; unknown: how many are not in the quantity;
-- lower: the true sum may be higher; approximate: a part is an approximation.
-- quantity / power(10.0, decimals) is the amount. A parked row is in no sum: see parked.

CREATE VIEW facts_by_currency AS -- the facts that count now, as totals add them up by currency: an amount of no known currency stands once for each currency of its measure, as unknown
	SELECT f.fact, f.record, f.measure, f.quantity, f.qualifier, coalesce(f.currency, c.currency) AS currency, coalesce(c.decimals, f.decimals) AS decimals,
		occurred_from, occurred_to, reported_from, reported_to,
		agency, unit, country, subdivision, city, premises, nationality, class, sex, offence, form, operation
	FROM facts f LEFT JOIN (
		SELECT DISTINCT measure, currency, decimals FROM facts WHERE closed_entry IS NULL AND currency IS NOT NULL
	) c ON c.measure = f.measure AND f.currency IS NULL
	WHERE f.closed_entry IS NULL;

CREATE VIEW totals AS -- what the ledger holds now adds up to, by measure and currency; a parked row is in none of these sums
	SELECT measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		sum(qualifier = 'unknown') AS unknown,
		max(qualifier IN ('at-least', 'unknown')) AS lower, max(qualifier = 'about') AS approximate
	FROM facts_by_currency GROUP BY measure, currency, decimals;

CREATE VIEW totals_by_agency AS -- by who acted; a parked row is in no sum
	SELECT agency, unit, measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		sum(qualifier = 'unknown') AS unknown,
		max(qualifier IN ('at-least', 'unknown')) AS lower, max(qualifier = 'about') AS approximate
	FROM facts_by_currency GROUP BY agency, unit, measure, currency, decimals;

CREATE VIEW totals_by_city AS -- by where it happened; NULL is not given; a parked row is in no sum
	SELECT country, subdivision, city, measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		sum(qualifier = 'unknown') AS unknown,
		max(qualifier IN ('at-least', 'unknown')) AS lower, max(qualifier = 'about') AS approximate
	FROM facts_by_currency GROUP BY country, subdivision, city, measure, currency, decimals;

CREATE VIEW totals_by_class AS -- persons arrested and detained; a parked row is in no sum
	SELECT class, sex, measure, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		sum(qualifier = 'unknown') AS unknown,
		max(qualifier IN ('at-least', 'unknown')) AS lower, max(qualifier = 'about') AS approximate
	FROM facts_by_currency WHERE measure IN ('arrests', 'detained') GROUP BY class, sex, measure;

CREATE VIEW totals_by_month AS -- by the month in which it occurred; NULL: undated, or in no one month; a parked row is in no sum
	SELECT CASE WHEN substr(occurred_from, 1, 7) = substr(occurred_to, 1, 7) THEN substr(occurred_from, 1, 7) END AS month, measure, currency, decimals, count(*) AS facts, coalesce(sum(quantity), 0) AS quantity,
		sum(qualifier = 'unknown') AS unknown,
		max(qualifier IN ('at-least', 'unknown')) AS lower, max(qualifier = 'about') AS approximate
	FROM facts_by_currency GROUP BY 1, measure, currency, decimals;

CREATE VIEW running_totals AS -- month by month, and added up from the first month on; without what is in no one month; a parked row is in no sum
	SELECT month, measure, currency, decimals, quantity, unknown,
		sum(quantity) OVER w AS running, max(lower) OVER w AS lower, max(approximate) OVER w AS approximate
	FROM totals_by_month WHERE month IS NOT NULL
	WINDOW w AS (PARTITION BY measure, currency ORDER BY month);

CREATE VIEW exceptions_standing AS -- the exceptions that stand now
	SELECT * FROM exceptions WHERE closed_entry IS NULL;

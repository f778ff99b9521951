package sink

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
	"roznamcha/projections/sink/postgrestest"
)

// As of every entry, SQL tells who acted and who answered for it as totals do;
// and as of now the view does.
func TestSuccessionInSQL(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		story := newLedger(t, "story")
		succeedOneAnother(t, story)
		agencyAndSuccessor(t, story, empty())
		l := newLedger(t, "test")
		newHistory(t, l).entries(60)
		agencyAndSuccessor(t, l, empty())
	})
}

// succeedOneAnother writes of a fact that straddles a succession, of an older
// succession that is corrected after a newer one, and of two that go round and one that leads to them.
func succeedOneAnother(t *testing.T, l *eventstore.Ledger) {
	id := func(s string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(s)) }
	for _, when := range []string{"2025-01/2025-03", "2025-01-05", "2025-03-05"} {
		for _, diary := range diaries {
			raid := &domain.RaidConducted{Common: domain.Common{Occurred: period(when)}, Premises: domain.OtherPremises}
			write(t, l, lineOf(t, diary, strings.ReplaceAll(when, "/", "-"), id(when+diary.String()), raid))
		}
	}
	for _, agency := range []string{"police", "customs"} {
		raid := &domain.RaidConducted{Common: domain.Common{Occurred: period("2025"), Agency: agency}, Premises: domain.OtherPremises}
		write(t, l, lineOf(t, diaries[2], agency, id(agency), raid))
	}
	took := func(from, to string) *domain.AgencySucceeded {
		return &domain.AgencySucceeded{Predecessor: from, Successor: to, Effective: period("2025-02-03")}
	}
	for _, one := range []*domain.AgencySucceeded{took("nccia", "anf"), took("nccia", "ito"), took("fia", "police"), took("ito", "asf"), took("police", "fia"), took("customs", "fia")} {
		subject := one.Predecessor + "-" + one.Successor
		write(t, l, lineOf(t, domain.Office, subject, id(subject), one))
	}
	older := domain.RecordName{Kind: domain.TypeAgencySucceeded.Kind(), Diary: domain.Office, ID: "nccia-anf"}
	write(t, l, lineOf(t, domain.Office, "", id("correction"), &domain.RecordCorrected{Record: older, Amends: id("nccia-anf"), Replacement: took("nccia", "police"), Reason: domain.UnitError}))
}

// agencyAndSuccessor feeds a database and holds it against the totals.
func agencyAndSuccessor(t *testing.T, l *eventstore.Ledger, where string) {
	feed(t, l, where, Options{})
	totals := projections.NewTotals()
	reg, _, err := projections.Replay(newContext(t), l, projections.ReplayOptions{}, totals)
	if err != nil {
		t.Fatal(err)
	}
	by, err := projections.ParseDimensions("agency,successor")
	if err != nil {
		t.Fatal(err)
	}
	q := projections.Query{By: by}
	for m := projections.Raids; m <= projections.Cases; m++ {
		q.Columns = append(q.Columns, projections.Column{Measure: m})
	}
	expect := func(asOf uint64) (lines []string) {
		q.AsOf = asOf
		table, err := totals.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range table.Rows {
			lines = append(lines, cellsOf(strings.Join(row.Labels, "|"), row, table.Columns)...)
		}
		return merge(lines)
	}
	ask := func(from, lower, about string) (lines []string) {
		for _, row := range query(t, where, `SELECT coalesce(agency, 'not-given'), coalesce(successor, 'not-given'), measure, '', `+lower+`, `+about+` FROM `+from+` GROUP BY 1, 2, 3`) {
			lines = append(lines, strings.Join(row, "|"))
		}
		return merge(lines)
	}
	if isPostgres(where) {
		differ(t, ask(`roznamcha.totals_by_agency WHERE measure IN ('raids', 'detained', 'arrests', 'cases')`,
			`sum(quantity), sum(unknown), bool_or(lower)::int`, `bool_or(approximate)::int, sum(facts)`), expect(0))
		for asOf := uint64(1); asOf <= reg.Last(); asOf += 2 {
			from := fmt.Sprintf(`(SELECT f.*, coalesce(s.successor, f.answerable) AS successor FROM roznamcha.facts_as_of(%d) f
					LEFT JOIN roznamcha.successors_as_of(%d) s ON s.agency = f.answerable) f WHERE measure IN ('raids', 'detained', 'arrests', 'cases')`, asOf, asOf)
			differ(t, ask(from, `coalesce(sum(quantity), 0), sum((qualifier = 'unknown')::int), bool_or(qualifier IN ('at-least', 'unknown'))::int`,
				`bool_or(qualifier = 'about')::int, count(*)`), expect(asOf))
		}
	} else {
		differ(t, ask(`totals_by_agency WHERE measure IN ('raids', 'detained', 'arrests', 'cases')`,
			`sum(quantity), sum(unknown), max(lower)`, `max(approximate), sum(facts)`), expect(0))
	}
}

// As of what has not come to the database nobody is answered: in PostgreSQL with
// an error that says what to do, in SQLite, where a schema can raise none, with no
// row.
func TestAsOfWhatIsNotKnown(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l := newLedger(t, "test")
		h := newHistory(t, l)
		h.entries(20)
		where := empty()
		before := time.Now().Add(-settles)
		at := feed(t, l, where, Options{})
		if at.KnownUntil.Before(at.Recorded) || at.KnownUntil.Before(before) {
			t.Errorf("fed up to %v, known up to %v", at.Recorded, at.KnownUntil)
		}
		stamped := func(at time.Time) string { return "'" + stamp(at) + "'" }
		beyond := fmt.Sprint(at.Entry + 1)
		if !isPostgres(where) {
			count := func(entry, known string) string {
				return query(t, where, `SELECT count(*) FROM facts, (SELECT `+entry+` AS n) WHERE opened_entry <= n AND (closed_entry IS NULL OR closed_entry > n) AND `+known)[0][0]
			}
			asOf := func(at string) string {
				return count(`(SELECT max(entry) FROM entries WHERE recorded <= `+at+` AND `+at+` <= (SELECT known_until FROM place))`, `true`)
			}
			known := `n <= (SELECT entry FROM place)`
			if now, then, later := count(fmt.Sprint(at.Entry), known), asOf(stamped(at.KnownUntil)), asOf(stamped(at.KnownUntil.Add(time.Second))); now == "0" || now != then || later != "0" || count(beyond, known) != "0" {
				t.Errorf("at the entry %s facts, at the time %s, later %s", now, then, later)
			}
			return
		}
		known := `timestamptz ` + stamped(at.KnownUntil.Truncate(time.Microsecond))
		for _, text := range []string{fmt.Sprint(at.Entry), known, `date '2001-01-01'`} {
			query(t, where, `SELECT count(*) FROM roznamcha.facts_as_of(`+text+`)`)
		}
		// Every error tells what to ask instead.
		now := "facts_as_of((SELECT entry FROM roznamcha.place))"
		for text, hint := range map[string]string{
			beyond: "--at-least ENTRY", `now()`: now, `current_date`: now,
			`NULL::bigint`: now, `NULL::timestamptz`: now, `NULL::date`: now,
		} {
			var said *pgconn.PgError
			if _, err := tryQuery(t, where, `SELECT count(*) FROM roznamcha.facts_as_of(`+text+`)`); !errors.As(err, &said) || !strings.Contains(said.Hint, hint) {
				t.Errorf("%s: %#v", text, err)
			}
		}
		atPlace, view := query(t, where, `SELECT count(*) FROM roznamcha.facts_as_of((SELECT entry FROM roznamcha.place))`), query(t, where, `SELECT count(*) FROM roznamcha.facts WHERE closed_entry IS NULL`)
		if atPlace[0][0] != view[0][0] {
			t.Errorf("as now %v facts, and %v count", atPlace, view)
		}
		// The planner looks into it: what is asked of it is no list of all facts.
		plan := query(t, where, `EXPLAIN SELECT sum(quantity) FROM roznamcha.facts_as_of(1) WHERE measure = 'arrests'`)
		if all := fmt.Sprint(plan); strings.Contains(all, "facts_as_of") {
			t.Errorf("the plan is %s", all)
		}
		for _, text := range []string{
			`facts_as_of(` + beyond + `)`, `facts_as_of(` + known + ` + interval '1 second')`, `facts_as_of(current_date + 2)`, `facts_as_of(now() + interval '1 minute')`,
			`entry_at(current_date + 2)`, `successors_as_of(` + beyond + `)`,
		} {
			if _, err := tryQuery(t, where, `SELECT count(*) FROM roznamcha.`+text); err == nil || !strings.Contains(err.Error(), fmt.Sprint("entry ", at.Entry)) {
				t.Errorf("%s: %v", text, err)
			}
		}
		other := empty() // fed with nothing
		if err := open(t, other).Migrate(newContext(t)); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{`facts_as_of(1)`, `facts_as_of(date '2001-01-01')`} {
			if _, err := tryQuery(t, other, `SELECT count(*) FROM roznamcha.`+text); err == nil {
				t.Errorf("%s of what was never fed: no error", text)
			}
		}
	})
}

// What the server may still be storing when it tells where the ledger ends is not
// said to be known.
func TestKnownUntilIsSettled(t *testing.T) {
	recorded := time.Now()
	f := &feeder{at: Place{Mark: eventstore.Mark{Entry: 3}, Recorded: recorded}}
	for _, c := range []struct {
		entries      uint64
		after, until time.Duration
	}{{3, settles / 2, 0}, {3, 3 * settles, 2 * settles}, {4, 3 * settles, 0}} {
		f.end = eventstore.Status{Entries: c.entries, Asked: recorded.Add(c.after)}
		if is := f.knownUntil().Sub(recorded); is != c.until {
			t.Errorf("%v after the last of %d entries: %v after, want %v", c.after, c.entries, is, c.until)
		}
	}
}

// While nothing is recorded, what is known goes on to be known.
func TestKnownUntilMovesOn(t *testing.T) {
	where := postgrestest.Start(t).Database()
	l := newLedger(t, "test")
	ctx, stop := context.WithCancel(newContext(t))
	done := make(chan error)
	db := open(t, where)
	go func() {
		_, err := db.Feed(ctx, l, Options{})
		done <- err
	}()
	asked := open(t, where)
	if _, err := asked.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	first, err := asked.Place(ctx)
	if err != nil {
		t.Fatal(err)
	}
	began := query(t, where, `SELECT moved FROM roznamcha.place`)[0][0]
	waitUntil(t, "it knows until later", func() bool {
		now, err := asked.Place(ctx)
		return err == nil && now.KnownUntil.After(first.KnownUntil) && now.Entry == 1
	})
	if moved := query(t, where, `SELECT moved FROM roznamcha.place`)[0][0]; moved != began {
		t.Errorf("the place did not move, and says that it did at %s", moved)
	}
	stop()
	<-done
}

package sink

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
	"roznamcha/projections/sink/postgrestest"
)

// Whatever the history and however it is cut into transactions and starts, the
// tables are a fresh replay.
func TestTablesAreAFreshReplay(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l := newLedger(t, "test")
		h := newHistory(t, l)
		small, large, often := empty(), empty(), empty()
		for range 6 {
			h.entries(1 + h.chance.IntN(25))
			feed(t, l, small, Options{BatchRows: 1})
			feed(t, l, often, Options{BatchRows: 1 + h.chance.IntN(40)})
			same(t, l, often)
		}
		place := feed(t, l, large, Options{})
		if place.Entry != h.reg.Last() {
			t.Errorf("fed up to entry %d of %d", place.Entry, h.reg.Last())
		}
		same(t, l, small)
		same(t, l, large)
		feed(t, l, large, Options{}) // nothing new
		same(t, l, large)
	})
}

func prefix(where string) string {
	if isPostgres(where) {
		return "roznamcha."
	}
	return ""
}

// As of every entry, SQL sums up what totals do.
func TestAsOfInSQL(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l := newLedger(t, "test")
		h := newHistory(t, l)
		h.entries(60)
		where := empty()
		feed(t, l, where, Options{BatchRows: 50})
		totals := projections.NewTotals()
		if _, _, err := projections.Replay(newContext(t), l, projections.ReplayOptions{}, totals); err != nil {
			t.Fatal(err)
		}
		var columns []projections.Column
		for m := projections.Raids; m <= projections.Forfeited; m++ {
			columns = append(columns, projections.Column{Measure: m})
		}
		month := map[bool]string{
			true:  `CASE WHEN date_trunc('month', occurred_from) = date_trunc('month', occurred_to) THEN to_char(occurred_from, 'YYYY-MM') ELSE 'in no one month' END`,
			false: `CASE WHEN substr(occurred_from, 1, 7) = substr(occurred_to, 1, 7) THEN substr(occurred_from, 1, 7) ELSE 'in no one month' END`,
		}[isPostgres(where)]
		for range 12 {
			asOf := 1 + h.chance.Uint64N(h.reg.Last())
			for dimension, expression := range map[string]string{"city": "city", "agency": "agency", "class": "class", "currency": "currency", "month": month, "nationality": "v.value", "offence": "v.value"} {
				by, err := projections.ParseDimensions(dimension)
				if err != nil {
					t.Fatal(err)
				}
				table, err := totals.Query(projections.Query{Columns: columns, By: by, AsOf: asOf})
				if err != nil {
					t.Fatal(err)
				}
				differ(t, sums(t, where, asOf, dimension, expression), cells(table))
			}
		}
		month = map[bool]string{true: `to_char(month, 'YYYY-MM')`, false: `month`}[isPostgres(where)]
		for view, by := range map[string]struct{ dimension, expression string }{
			"totals": {"currency", "''"}, "totals_by_agency": {"agency", "coalesce(agency, 'not-given')"}, "totals_by_city": {"city", "coalesce(city, 'not-given')"},
			"totals_by_class": {"class", "coalesce(class, 'not-given')"}, "totals_by_month": {"month", "coalesce(" + month + ", 'in no one month')"},
		} {
			dimensions, err := projections.ParseDimensions(by.dimension)
			if err != nil {
				t.Fatal(err)
			}
			q := projections.Query{Columns: columns, By: dimensions}
			switch view {
			case "totals":
				q.By = nil
			case "totals_by_class":
				q.Columns = []projections.Column{{Measure: projections.Detained}, {Measure: projections.Arrests}}
			}
			table, err := totals.Query(q)
			if err != nil {
				t.Fatal(err)
			}
			want := cells(table)
			if view == "totals" {
				want = cellsOf("", table.Total, table.Columns)
			}
			differ(t, viewed(t, where, view, by.expression), want)
		}
	})
}

// viewed is what a view of totals says, a line a group, sorted.
func viewed(t *testing.T, where, view, group string) (lines []string) {
	currency, lower, about := "coalesce(currency, '')", "bool_or(lower)::int", "bool_or(approximate)::int"
	if view == "totals_by_class" {
		currency = "''"
	}
	if !isPostgres(where) {
		lower, about = "max(lower)", "max(approximate)"
	}
	for _, row := range query(t, where, `SELECT `+group+`, measure, `+currency+`, sum(quantity), sum(unknown), `+lower+`, `+about+`, sum(facts) FROM `+prefix(where)+view+` GROUP BY 1, 2, 3`) {
		lines = append(lines, strings.Join(row, "|"))
	}
	return merge(lines)
}

// The time that a receipt says finds its entry in SQL, whatever its nanoseconds.
func TestEntryOfItsOwnTime(t *testing.T) {
	where := postgrestest.Start(t).Database()
	l := newLedger(t, "test")
	newHistory(t, l).entries(60)
	feed(t, l, where, Options{})
	var text []string
	err := l.Read(newContext(t), 1, 1<<53, func(e domain.Entry) error {
		text = append(text, fmt.Sprintf(`(%d, timestamptz '%s')`, e.Number, e.Recorded.Format(time.RFC3339Nano)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := query(t, where, `SELECT w.entry, roznamcha.entry_at(w.at), w.at FROM (VALUES `+strings.Join(text, ", ")+`) AS w (entry, at)
		WHERE (SELECT recorded FROM roznamcha.entries e WHERE e.entry = w.entry) <> w.at OR roznamcha.entry_at(w.at) < w.entry`)
	for _, row := range asked {
		t.Errorf("entry %s: at its own time %s the last is %s", row[0], row[2], row[1])
	}
	pg := (*postgres)(nil)
	for _, nanos := range []int{0, 499, 500, 501, 1500, 2500, 123_456_500, 999_999_499, 999_999_500, 999_999_999} {
		at := time.Date(2026, 11, 22, 16, 20, 31, nanos, time.UTC)
		is := query(t, where, fmt.Sprintf(`SELECT to_char(timestamptz '%s' AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`, at.Format(time.RFC3339Nano)))[0][0]
		if got := pg.moment(at).(time.Time).Format("2006-01-02T15:04:05.000000"); got != is {
			t.Errorf("%v: written as %s, and PostgreSQL reads %s", at, got, is)
		}
	}
}

// sums are the sums of SQL as known at an entry: a line a group, sorted.
func sums(t *testing.T, where string, asOf uint64, dimension, expression string) []string {
	known := fmt.Sprintf(`roznamcha.facts_as_of(%d)`, asOf)
	unnest := ` LEFT JOIN LATERAL unnest(` + dimension + `) AS v (value) ON true`
	lower, about := `bool_or(qualifier IN ('at-least', 'unknown'))::int`, `bool_or(qualifier = 'about')::int`
	if !isPostgres(where) {
		known = fmt.Sprintf(`(SELECT * FROM facts WHERE opened_entry <= %d AND (closed_entry IS NULL OR closed_entry > %d))`, asOf, asOf)
		unnest = ` LEFT JOIN json_each(f.` + dimension + `) AS v`
		lower, about = `max(qualifier IN ('at-least', 'unknown'))`, `max(qualifier = 'about')`
	}
	from := known + ` f`
	if expression == "v.value" {
		from += unnest
	}
	// An amount of no known currency is unknown in every one that there is.
	currency := `coalesce(f.currency, c.currency, '')`
	from += ` LEFT JOIN (SELECT DISTINCT measure, currency FROM ` + known + ` x WHERE currency IS NOT NULL) c ON c.measure = f.measure AND f.currency IS NULL`
	if dimension == "currency" {
		expression = "f.currency"
	}
	text := `SELECT coalesce(` + expression + `, 'not-given'), f.measure, ` + currency + `, coalesce(sum(quantity), 0),
		sum(CASE WHEN qualifier = 'unknown' THEN 1 ELSE 0 END), ` + lower + `, ` + about + `, count(*) FROM ` + from + ` GROUP BY 1, 2, 3`
	var lines []string
	for _, row := range query(t, where, text) {
		lines = append(lines, strings.Join(row, "|"))
	}
	return merge(lines)
}

// cells are the cells of a table with facts, as sums writes them.
func cells(table *projections.Table) (lines []string) {
	for _, row := range table.Rows {
		lines = append(lines, cellsOf(row.Labels[0], row, table.Columns)...)
	}
	return merge(lines)
}

func cellsOf(label string, row projections.Row, columns []projections.TableColumn) (lines []string) {
	flag := map[bool]int{true: 1}
	for i, c := range row.Cells {
		if c.Facts == 0 {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s|%s|%s|%d|%d|%d|%d|%d", label, columns[i].Column.Measure, columns[i].Currency,
			c.Sum.Value, c.Sum.Unknown, flag[c.Sum.Lower], flag[c.Sum.Approximate], c.Facts))
	}
	return merge(lines)
}

// Two sinks on one database, with other batches, and a third that comes and
// goes: nothing is lost or doubled.
func TestSeveralSinksAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l := newLedger(t, "test")
		h := newHistory(t, l)
		h.entries(40)
		where := empty()
		ctx, stop := context.WithCancel(newContext(t))
		var sinks sync.WaitGroup
		for _, batch := range []int{1, 7, 30} {
			db := open(t, where)
			sinks.Go(func() {
				if _, err := db.Feed(ctx, l, Options{BatchRows: batch}); !errors.Is(err, context.Canceled) {
					t.Errorf("a sink ends: %v", err)
				}
			})
		}
		sinks.Go(func() { neverGoesBack(ctx, t, where) })
		for range 20 {
			h.entries(4)
			if h.chance.IntN(4) == 0 {
				feed(t, l, where, Options{BatchRows: 5})
			}
		}
		if _, err := open(t, where).Wait(ctx, h.reg.Last()); err != nil {
			t.Error(err)
		}
		same(t, l, where)
		stop()
		sinks.Wait()
		same(t, l, where)
	})
}

// neverGoesBack watches a database's place.
func neverGoesBack(ctx context.Context, t *testing.T, where string) {
	db, err := Open(ctx, where, false)
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	for last := uint64(0); ctx.Err() == nil; {
		now, err := db.Place(ctx)
		if err != nil {
			continue
		}
		if now.Entry < last {
			t.Errorf("the place went back from entry %d to %d", last, now.Entry)
		}
		last = now.Entry
		time.Sleep(time.Millisecond)
	}
}

// PostgreSQL is stopped and started while it is fed: the sink waits, says so,
// and goes on by itself.
func TestPostgresStopsAndStarts(t *testing.T) {
	server := postgrestest.Start(t)
	where := server.Database()
	l := newLedger(t, "test")
	h := newHistory(t, l)
	h.entries(30)
	ctx, stop := context.WithCancel(newContext(t))
	var mu sync.Mutex
	var said []string
	heard := func(what string) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range said {
			if strings.Contains(s, what) {
				n++
			}
		}
		return n
	}
	db, done := open(t, where), make(chan error)
	go func() {
		_, err := db.Feed(ctx, l, Options{BatchRows: 10, Say: func(s string) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, s)
		}})
		done <- err
	}()
	for round := 1; round <= 3; round++ {
		waitUntil(t, "some entries", func() bool {
			return query(t, where, "SELECT to_regclass('roznamcha.place') IS NOT NULL")[0][0] == "t" && query(t, where, "SELECT entry > 0 FROM roznamcha.place")[0][0] == "t"
		})
		server.Stop()
		h.entries(10)
		waitUntil(t, "it says that it waits", func() bool { return heard("away") >= round })
		server.Start()
		waitUntil(t, "it says that it goes on", func() bool { return heard("is back") >= round })
		h.entries(10)
	}
	if _, err := open(t, where).Wait(ctx, h.reg.Last()); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends: %v", err)
	}
	same(t, l, where)
}

// A database that was fed from what the ledger does not hold is not fed, and
// nothing in it changes.
func TestLedgerWentBack(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		one, other, strange := newLedger(t, "test"), newLedger(t, "test"), newLedger(t, "strange")
		h := newHistory(t, one)
		h.entries(5)
		where := empty()
		feed(t, one, where, Options{})
		before := dump(t, where)
		refuse := func(l *eventstore.Ledger, says string) {
			t.Helper()
			_, err := open(t, where).Feed(newContext(t), l, Options{Once: true})
			var back *eventstore.WentBackError
			var another *OtherLedgerError
			if !errors.As(err, &back) && !errors.As(err, &another) || !strings.Contains(err.Error(), says) {
				t.Errorf("%v, want one that says %q", err, says)
			}
			differ(t, dump(t, where), before)
		}
		refuse(other, "the ledger went back: it ends at entry 1")
		for range 6 {
			write(t, other, "other bytes")
		}
		refuse(other, "the ledger went back: entry 6 is not the one that it was")
		refuse(strange, "holds the ledger test, and this is another")

		olderWhere := empty()
		older := open(t, olderWhere) // of another ledger and an earlier schema: not even migrated
		list := older.migrations()
		if err := older.migrateTo(newContext(t), list[:1]); err != nil {
			t.Fatal(err)
		}
		at, err := open(t, where).Place(newContext(t))
		if err != nil {
			t.Fatal(err)
		}
		olderPlace(t, olderWhere, at)
		var another *OtherLedgerError
		if _, err := older.Feed(newContext(t), strange, Options{Once: true}); !errors.As(err, &another) {
			t.Error(err)
		}
		if is, err := older.version(newContext(t)); err != nil || is != 1 {
			t.Errorf("it was migrated to version %d, %v", is, err)
		}
	})
}

// The last entry is the same, and one before it is not: only the state tells.
func TestLedgerWentBackBefore(t *testing.T) {
	one, other, where := newLedger(t, "test"), newLedger(t, "test"), t.TempDir()+"/facts.db"
	write(t, one, "junk")
	write(t, other, "gunk")
	write(t, one, "last")
	write(t, other, "last")
	feed(t, one, where, Options{})
	_, err := open(t, where).Feed(newContext(t), other, Options{Once: true})
	var back *eventstore.WentBackError
	if !errors.As(err, &back) {
		t.Errorf("%v", err)
	}
	same(t, one, where)
}

// A database that lost its last rows (a copy was restored) is fed again from
// where it is.
func TestDatabaseSetBack(t *testing.T) {
	server := postgrestest.Start(t)
	where := server.Database()
	l := newLedger(t, "test")
	h := newHistory(t, l)
	h.entries(10)
	ctx, stop := context.WithCancel(newContext(t))
	defer stop()
	done := make(chan error)
	db := open(t, where)
	go func() {
		_, err := db.Feed(ctx, l, Options{})
		done <- err
	}()
	if _, err := open(t, where).Wait(ctx, h.reg.Last()); err != nil {
		t.Fatal(err)
	}
	query(t, where, `BEGIN; TRUNCATE roznamcha.entries, roznamcha.facts, roznamcha.exceptions, roznamcha.successions; UPDATE roznamcha.place SET entry = 0, sha256 = '', first_sha256 = ''; COMMIT`)
	h.entries(5)
	if _, err := open(t, where).Wait(ctx, h.reg.Last()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends: %v", err)
	}
	same(t, l, where)
}

// Who has a receipt can wait for it; who waits too long is told how far it is.
func TestWait(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		where := empty()
		l := newLedger(t, "test")
		db := open(t, where)
		short, cancel := context.WithTimeout(newContext(t), 50*time.Millisecond)
		defer cancel()
		var late *projections.NotYetError
		if _, err := db.Wait(short, 1); !errors.As(err, &late) || late.Now != 0 {
			t.Errorf("before anything was fed: %v", err)
		}
		feed(t, l, where, Options{})
		if at, err := db.Wait(short, 1); err != nil || at.Entry != 1 {
			t.Errorf("at once: %v, %v", at, err)
		}
		if _, err := db.Wait(short, 2); !errors.As(err, &late) || *late != (projections.NotYetError{Want: 2, Now: 1}) {
			t.Errorf("too early: %v", err)
		}
		ctx, stop := context.WithCancel(newContext(t))
		done := make(chan error)
		go func() {
			_, err := open(t, where).Feed(ctx, l, Options{})
			done <- err
		}()
		write(t, l, "junk")
		if at, err := db.Wait(ctx, 2); err != nil || at.Entry != 2 {
			t.Errorf("live: %v, %v", at, err)
		}
		stop()
		<-done
	})
}

// A database that hangs is not waited for beyond the limit, nor after an
// interruption; a limit of nothing still is an answer.
func TestWaitWhileTheDatabaseHangs(t *testing.T) {
	where := postgrestest.Start(t).Database()
	feed(t, newLedger(t, "test"), where, Options{})
	db := open(t, where)
	nothing, cancel := context.WithTimeout(newContext(t), 0)
	defer cancel()
	if at, err := db.Wait(nothing, 1); err != nil || at.Entry != 1 {
		t.Errorf("in no time: %v, %v", at, err)
	}
	var late *projections.NotYetError
	if _, err := db.Wait(nothing, 2); !errors.As(err, &late) {
		t.Errorf("in no time, too early: %v", err)
	}

	other, err := pgx.Connect(newContext(t), where)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(newContext(t))
	if _, err := other.Exec(newContext(t), "BEGIN; LOCK TABLE roznamcha.place"); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(newContext(t), 50*time.Millisecond)
	defer cancel()
	if _, err := db.Wait(short, 1); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("it hangs: %v", err)
	}
	interrupted, interrupt := context.WithTimeout(newContext(t), patience)
	time.AfterFunc(10*time.Millisecond, interrupt)
	if _, err := db.Wait(interrupted, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

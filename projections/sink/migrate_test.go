package sink

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"roznamcha/projections/sink/postgrestest"
)

// A schema of every earlier version comes to this one and is fed anew, whatever
// stood in it; who migrates at the same time does not disturb.
func TestMigrate(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l := newLedger(t, "test")
		newHistory(t, l).entries(5)
		old := feed(t, l, empty(), Options{})
		newHistory(t, l).entries(5)
		for n := range 2 {
			where := empty()
			db := open(t, where)
			list := db.migrations()
			for i, m := range list {
				if m.version != i+1 || m.text == "" {
					t.Fatalf("migration %d is of version %d", i, m.version)
				}
			}
			if err := db.migrateTo(newContext(t), list[:1+n]); err != nil {
				t.Fatal(err)
			}
			olderPlace(t, where, old)
			query(t, where, "INSERT INTO "+prefix(where)+"successions VALUES (0, 'a', 'b', 1, 1, NULL, NULL)")
			query(t, where, "INSERT INTO "+prefix(where)+"parked VALUES ('facts', 0, 1, 1, 'no', '{}', 1)")
			if at, err := db.Place(newContext(t)); err != nil || at.Entry != old.Entry || !at.KnownUntil.IsZero() {
				t.Errorf("before: %+v, %v", at, err)
			}
			var programs sync.WaitGroup
			for range 3 {
				other := open(t, where)
				programs.Go(func() {
					if err := other.Migrate(newContext(t)); err != nil {
						t.Error(err)
					}
				})
			}
			programs.Wait()
			if is, err := db.version(newContext(t)); err != nil || is != len(list) {
				t.Errorf("version %d, %v", is, err)
			}
			feed(t, l, where, Options{})
			same(t, l, where)
		}
		where, told := empty(), ""
		db := open(t, where)
		if err := db.migrateTo(newContext(t), db.migrations()[:2]); err != nil {
			t.Fatal(err)
		}
		olderPlace(t, where, old)
		feed(t, l, where, Options{Say: func(s string) { told += s }})
		if !strings.Contains(told, "fed anew from entry 1") {
			t.Errorf("it tells %q", told)
		}
		same(t, l, where)
	})
}

// olderPlace moves the place of a database whose schema is of an earlier version.
func olderPlace(t *testing.T, where string, at Place) {
	t.Helper()
	query(t, where, fmt.Sprintf("UPDATE %splace SET entry = %d, sha256 = '%s', rules = %d, state = '%s', ledger = '%s', zone = '%s', first_sha256 = '%s'",
		prefix(where), at.Entry, hexOf(at.Hash), at.Rules, at.State, at.Ledger, at.Zone, hexOf(at.First)))
}

// The schema of a newer program is left alone.
func TestNewerSchema(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l, where := newLedger(t, "test"), empty()
		feed(t, l, where, Options{})
		if isPostgres(where) {
			query(t, where, "INSERT INTO roznamcha.migrations (version) VALUES (7)")
		} else {
			query(t, where, "PRAGMA user_version = 7")
		}
		before := dump(t, where)
		write(t, l, "junk")
		_, err := open(t, where).Feed(newContext(t), l, Options{Once: true})
		var newer *NewerSchemaError
		if !errors.As(err, &newer) || newer.Is != 7 {
			t.Errorf("%v", err)
		}
		differ(t, dump(t, where), before)
	})
}

// A sink that runs ends when a newer program brings the schema to its version, and
// writes nothing any more.
func TestNewerSchemaMeanwhile(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l, where := newLedger(t, "test"), empty()
		done, caughtUp := make(chan error, 1), make(chan struct{})
		db := open(t, where)
		go func() {
			_, err := db.Feed(newContext(t), l, Options{CaughtUp: func(Place) error { close(caughtUp); return nil }})
			done <- err
		}()
		<-caughtUp
		if isPostgres(where) {
			query(t, where, "INSERT INTO roznamcha.migrations (version) VALUES (7)")
		} else {
			query(t, where, "PRAGMA user_version = 7")
		}
		before := dump(t, where)
		write(t, l, "junk")
		var newer *NewerSchemaError
		if err := <-done; !errors.As(err, &newer) {
			t.Errorf("%v", err)
		}
		differ(t, dump(t, where), before)
	})
}

// A sink of before version 3 that still runs cannot move the place: it knows not
// what the rows must have, and would park every one.
func TestOlderSinkEnds(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		where := empty()
		if err := open(t, where).Migrate(newContext(t)); err != nil {
			t.Fatal(err)
		}
		move := func(entry int, at string) error { // as version 2 did
			_, err := tryQuery(t, where, fmt.Sprintf("UPDATE %splace SET entry = %d, recorded = '%s'", prefix(where), entry, at))
			return err
		}
		if err := move(1, "2020-01-01T00:00:00.000000000Z"); err == nil {
			t.Error("it fed the empty tables")
		}
		l := newLedger(t, "test")
		at := feed(t, l, where, Options{})
		if err := move(2, stamp(at.KnownUntil.Add(time.Second))); err == nil {
			t.Error("it went on from there")
		}
	})
}

// A sink in the middle of a transaction, and who migrates meanwhile, do not wait
// for one another.
func TestMigrateWhileASinkWrites(t *testing.T) {
	where := postgrestest.Start(t).Database()
	db := open(t, where)
	if err := db.migrateTo(newContext(t), db.migrations()[:2]); err != nil {
		t.Fatal(err)
	}
	writing, err := pgx.Connect(newContext(t), where)
	if err != nil {
		t.Fatal(err)
	}
	defer writing.Close(newContext(t))
	run := func(text string) {
		t.Helper()
		if _, err := writing.Exec(newContext(t), text); err != nil {
			t.Fatal(err)
		}
	}
	run("BEGIN")
	run("UPDATE roznamcha.place SET entry = 1")
	done := make(chan error, 1)
	go func() { done <- db.Migrate(newContext(t)) }()
	waitUntil(t, "it waits", func() bool {
		return query(t, where, "SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] == "1"
	})
	run("INSERT INTO roznamcha.entries VALUES (1, now(), 1, 1, 0, 0, 0)")
	run("COMMIT")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Every table, view, function and column says in the database what it is.
func TestSchemaIsDocumented(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l, where := newLedger(t, "test"), empty()
		feed(t, l, where, Options{})
		undocumented := `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND sql NOT LIKE '% -- %'`
		if isPostgres(where) {
			undocumented = `SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
				WHERE nspname = 'roznamcha' AND relkind IN ('r', 'v') AND relname <> 'exceptions_standing' AND attnum > 0 AND col_description(c.oid, attnum) IS NULL
				UNION ALL SELECT c.relname, '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE nspname = 'roznamcha' AND relkind IN ('r', 'v') AND obj_description(c.oid) IS NULL
				UNION ALL SELECT p.proname, '' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
				WHERE nspname = 'roznamcha' AND obj_description(p.oid) IS NULL`
		}
		for _, row := range query(t, where, undocumented) {
			t.Errorf("%v is not documented", row)
		}
	})
}

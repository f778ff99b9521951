package sink

import (
	"errors"
	"sync"
	"testing"
)

// A schema of every earlier version comes to this one, with what stands in it;
// who migrates at the same time does not disturb.
func TestMigrate(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l := newLedger(t, "test")
		newHistory(t, l).entries(5)
		where := empty()
		db := open(t, where)
		list := db.migrations()
		for i, m := range list {
			if m.version != i+1 || m.text == "" {
				t.Fatalf("migration %d is of version %d", i, m.version)
			}
		}
		if err := db.migrateTo(newContext(t), list[:1]); err != nil {
			t.Fatal(err)
		}
		query(t, where, "INSERT INTO "+prefix(where)+"successions VALUES (99, 'a', 'b', 1, 1, NULL, NULL)")
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
		if kept := query(t, where, "SELECT successor FROM "+prefix(where)+"successions"); len(kept) != 1 || kept[0][0] != "b" {
			t.Errorf("%v is left", kept)
		}
		query(t, where, "DELETE FROM "+prefix(where)+"successions")
		feed(t, l, where, Options{})
		same(t, l, where)
	})
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

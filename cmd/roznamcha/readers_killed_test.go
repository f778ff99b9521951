package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite"

	"roznamcha/projections/sink/postgrestest"
)

// TestWorkersAndSinksKilled: three workers and two sinks a database run under
// load, and each second one of them is killed, or stopped for a second, and
// started again. On the way the server is restarted, and PostgreSQL. Who watches
// the bucket or a database's place never sees it go back, and in the end the
// tables are those of a fresh replay, and the databases, row for row, those that
// a single sink feeds in one go.
func TestWorkersAndSinksKilled(t *testing.T) {
	kills := 60
	if testing.Short() {
		kills = 8
	}
	seed := rand.Uint64()
	chance := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	p := inDir{t, filepath.Join(dir, "data")}
	p.opened("killed")
	serve := p.serve()
	office := newOffice(t, p.dir, 4)
	office.more(1)

	fed := map[string]string{filepath.Join(dir, "killed.db"): filepath.Join(dir, "whole.db")} // and how it must be
	var postgres *postgrestest.Server
	if postgrestest.Installed() || os.Getenv("CI") != "" {
		postgres = postgrestest.Start(t)
		fed[postgres.Database()] = postgres.Database()
	} else {
		t.Log("PostgreSQL is not installed (initdb, postgres): sinks on SQLite only")
	}
	var readers []*process
	for where := range fed {
		readers = append(readers, p.start("sink", where), p.start("sink", where))
	}
	for range 3 {
		readers = append(readers, p.work())
	}
	r := newReader(t, p.dir)

	places := map[string]int64{}
	began, second := time.Now(), time.NewTicker(time.Second)
	defer second.Stop()
	for round := range kills {
		<-second.C
		before := r.at("totals.r1.v1.all")
		if round == kills/3 || round == kills/2 { // one that was never there ends
			for _, reader := range readers {
				waitUntil(t, "everybody is there", func() bool {
					return strings.Contains(reader.stdout.String(), "following") || strings.Contains(reader.stderr.String(), "tables: ")
				})
			}
		}
		switch {
		case round == kills/3: // the server, and with it everybody's connection
			serve.interrupt()
			serve = p.serve()
			p.dial().Close()
		case round == kills/2 && postgres != nil:
			postgres.Stop()
			postgres.Start()
		}
		i := chance.IntN(len(readers))
		if late := readers[(i+1)%len(readers)]; round%4 == 1 { // it falls behind, and comes back
			_ = late.Process.Signal(syscall.SIGSTOP)
			time.AfterFunc(time.Second, func() { _ = late.Process.Signal(syscall.SIGCONT) })
		}
		readers[i].kill()
		time.Sleep(time.Duration(chance.IntN(900)) * time.Millisecond) // so that the next kill is anywhere in its start
		readers[i] = p.start(readers[i].Args[1:]...)
		waitUntil(t, "the tables move on", func() bool { return r.at("totals.r1.v1.all") > before })
		for where := range fed {
			is := placeOf(t, where)
			if is < places[where] {
				t.Errorf("%s went back from entry %d to %d", where, places[where], is)
			}
			places[where] = is
		}
	}
	took := time.Since(began).Round(time.Second)
	office.close()

	entry, _, _ := p.cite()
	r.await(uint64(entry))
	for where := range fed {
		p.must("sink", where, "--at-least", fmt.Sprint(entry), "--within", "60s")
	}
	if is := p.must("status"); !testing.Short() && !strings.Contains(is, "does not answer: last seen 20") {
		t.Errorf("the workers that were killed are not told of:\n%s", is)
	}
	for _, reader := range readers {
		reader.interrupt()
	}
	r.close()
	serve.interrupt()
	_ = os.Remove(p.path(snapshotFile)) // what follows is from entry 1
	r.compare(p)
	rows := 0
	for where, whole := range fed {
		p.must("sink", whole, "--once")
		rows += compareRows(t, where, whole)
	}
	office.check(p.must("replay", "--json"))
	t.Logf("seed %d: %d kills of %d processes in %v; %d revisions of %d keys seen, up to entry %d; %d rows of %d databases compared",
		seed, kills, len(readers), took, r.updates, len(r.last), r.upTo, rows, len(fed))
}

// compareRows holds every row of a database against those of another, and tells
// how many there are.
func compareRows(t *testing.T, where, whole string) int {
	t.Helper()
	got, want := tablesOf(t, where), tablesOf(t, whole)
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d", where, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s: row %d is\n%s\nmust\n%s", where, i, got[i], want[i])
			break
		}
	}
	return len(got)
}

// placeOf is the entry that a database is at; 0 where it has no place yet.
func placeOf(t *testing.T, where string) int64 {
	t.Helper()
	query, prefix := queryOf(where)
	rows, err := query(where, "SELECT entry FROM "+prefix+"place")
	if err != nil || len(rows) == 0 {
		return 0
	}
	return rows[0][0].(int64)
}

// queryOf is how a database is asked, and what the names of its tables begin
// with.
func queryOf(where string) (query func(where, text string) ([][]any, error), prefix string) {
	if strings.HasPrefix(where, "postgres:") {
		return queryPostgres, "roznamcha."
	}
	return querySQLite, ""
}

// tablesOf are all rows of a database that a sink feeds, but for when its place
// moved.
func tablesOf(t *testing.T, where string) (lines []string) {
	t.Helper()
	query, prefix := queryOf(where)
	for _, what := range []string{
		"* FROM " + prefix + "entries ORDER BY entry", "* FROM " + prefix + "facts ORDER BY fact",
		"* FROM " + prefix + "exceptions ORDER BY exception", "* FROM " + prefix + "successions ORDER BY succession",
		"* FROM " + prefix + "parked ORDER BY tab, number", "entry, sha256, state, ledger FROM " + prefix + "place",
	} {
		rows, err := query(where, "SELECT "+what)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			lines = append(lines, fmt.Sprint(what, row))
		}
	}
	return lines
}

func queryPostgres(where, text string) ([][]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, where)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, text)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
}

func querySQLite(where, text string) (list [][]any, err error) {
	db, err := sql.Open("sqlite", where)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Query(text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		err = errors.Join(err, rows.Scan(into...))
		list = append(list, values)
	}
	return list, errors.Join(err, rows.Err())
}

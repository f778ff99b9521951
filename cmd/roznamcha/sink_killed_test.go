package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite"

	"roznamcha/projections/sink/postgrestest"
)

// TestSinksKilled kills two sinks on one database at random moments, from the
// first on, while publishers record. In the end the database is, row for row,
// the one that a single sink feeds in one go.
func TestSinksKilled(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		sinksKilled(t, filepath.Join(dir, "killed.db"), filepath.Join(dir, "whole.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		server := postgrestest.Start(t)
		sinksKilled(t, server.Database(), server.Database())
	})
}

func sinksKilled(t *testing.T, killed, whole string) {
	kills := 40
	if testing.Short() {
		kills = 6
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.must("open", "--name", "killed", "--country", "PK", "--zone", "Asia/Karachi")
	serve := p.serveUntilKilled()
	office := newOffice(t, p.dir, 4)
	office.more(1)

	start := func() *exec.Cmd {
		c, _, errs := p.command("sink", killed)
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(errs.String())
			}
		})
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	sinks := []*exec.Cmd{start(), start()}
	for range kills {
		time.Sleep(time.Duration(chance.IntN(250)) * time.Millisecond) // somewhere in its start, catching up, or live
		i := chance.IntN(len(sinks))
		_ = sinks[i].Process.Kill()
		var exit *exec.ExitError
		if err := sinks[i].Wait(); !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("a sink ended by itself: %v", err)
		}
		sinks[i] = start()
	}
	office.more(100)
	office.close()
	entry, _, _ := p.cite()
	p.must("sink", killed, "--at-least", fmt.Sprint(entry), "--within", "60s")
	for _, s := range sinks {
		_ = s.Process.Signal(syscall.SIGINT)
		if code := exitCode(s.Wait()); code != 0 {
			t.Errorf("a sink that is interrupted ends with exit code %d", code)
		}
	}
	p.must("sink", whole, "--once")
	got, want := tablesOf(t, killed), tablesOf(t, whole)
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("row %d is\n%s\nmust\n%s", i, got[i], want[i])
		}
	}
	t.Logf("%d rows after %d kills, up to entry %d", len(got), kills, entry)
	if code := serve.interrupt(); code != 0 {
		t.Errorf("serve ends with exit code %d", code)
	}
}

// tablesOf are all rows of a database that a sink feeds, but for when its place
// moved.
func tablesOf(t *testing.T, where string) (lines []string) {
	t.Helper()
	query, prefix := querySQLite, ""
	if strings.HasPrefix(where, "postgres:") {
		query, prefix = queryPostgres, "roznamcha."
	}
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

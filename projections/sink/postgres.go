package sink

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roznamcha/domain"
)

// postgres is a PostgreSQL database, 13 or later. Everything is in the schema
// roznamcha.
type postgres struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil, or closed, while there is none
}

const (
	// connectPatience is how long a connection may take to be made.
	connectPatience = 5 * time.Second
	// migrateLock is the advisory lock of who migrates: "roznamch" as a number.
	migrateLock = 0x726f7a6e616d6368
)

func openPostgres(ctx context.Context, where string) (*Database, error) {
	config, err := pgx.ParseConfig(where)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w, and that is no URL of PostgreSQL. Try: postgres://user@host:5432/database?sslmode=require", redact(where), ErrUnknownDatabase)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectPatience
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "roznamcha sink"
	}
	pg := &postgres{config: config}
	if _, err := pg.connect(ctx); err != nil {
		return nil, fmt.Errorf("database %s: %w. Try: see that it runs and lets this user in", redact(where), err)
	}
	return &Database{pg, redact(where)}, nil
}

// connect is the connection, a new one if the last was lost.
func (pg *postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	if pg.conn != nil && !pg.conn.IsClosed() {
		return pg.conn, nil
	}
	conn, err := pgx.ConnectConfig(ctx, pg.config)
	if err != nil {
		return nil, err
	}
	pg.conn = conn
	return conn, nil
}

// Close ends the connection.
func (pg *postgres) Close() error {
	if pg.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return pg.conn.Close(ctx)
}

// The classes of SQLSTATE, PostgreSQL's manual, appendix A.
const (
	classConnection  = "08"
	classData        = "22" // a value out of range, a text that is none
	classConstraint  = "23"
	classRollback    = "40" // deadlock, serialization
	classCheckOption = "44"
	classResources   = "53" // disk full, too many connections
	classLimit       = "54" // too long for an index
	classState       = "55" // a lock that is not to be had
	classOperator    = "57" // shut down, starting up
	classSystem      = "58" // an error of its disk
	classTrigger     = "P0" // raised by a trigger
)

func (pg *postgres) sort(err error) trouble {
	var said *pgconn.PgError
	var connecting *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &said) && len(said.Code) == 5:
		switch said.Code[:2] {
		case classData, classConstraint, classCheckOption, classLimit, classTrigger:
			return refused
		case classConnection, classRollback, classResources, classState, classOperator, classSystem:
			return away
		}
		return unclear
	case errors.As(err, &connecting), errors.As(err, &network), pgconn.SafeToRetry(err), pgconn.Timeout(err),
		pg.conn != nil && pg.conn.IsClosed():
		return away
	}
	return other
}

func (pg *postgres) advice(err error) string {
	var said *pgconn.PgError
	if !errors.As(err, &said) || said.Code != "42501" { // insufficient_privilege
		return ""
	}
	return fmt.Sprintf("a user that owns the schema roznamcha or, where there is none yet, may make it: GRANT CREATE ON DATABASE %s TO %s",
		pgx.Identifier{pg.config.Database}.Sanitize(), pgx.Identifier{pg.config.User}.Sanitize())
}

func (pg *postgres) day(d domain.Day) any {
	year, month, day := d.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func (pg *postgres) list(values []string) any { return values }

// moment is t in PostgreSQL's microseconds, rounded as it rounds a text (in
// floating point, half to even): then a recorded time that somebody types finds
// its own entry.
func (pg *postgres) moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	micros := math.RoundToEven(float64(t.Nanosecond()) / 1e9 * 1e6)
	return t.Truncate(time.Second).Add(time.Duration(micros) * time.Microsecond)
}

func (pg *postgres) flag(is bool) any { return is }

func (pg *postgres) migrations() []migration { return readMigrations("postgres") }

func (pg *postgres) version(ctx context.Context) (version int, err error) {
	conn, err := pg.connect(ctx)
	if err != nil {
		return 0, err
	}
	return postgresVersion(ctx, conn)
}

// postgresVersion is the schema's version, 0 where there is none.
func postgresVersion(ctx context.Context, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (version int, err error) {
	var there bool
	if err := q.QueryRow(ctx, `SELECT to_regclass('roznamcha.migrations') IS NOT NULL`).Scan(&there); err != nil || !there {
		return 0, err
	}
	err = q.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM roznamcha.migrations`).Scan(&version)
	return version, err
}

func (pg *postgres) migrate(ctx context.Context, m migration) error {
	conn, err := pg.connect(ctx)
	if err != nil {
		return err
	}
	// Before the transaction: what it looks up must be what the last one left.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		return err
	}
	defer func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrateLock))
	}()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if is, err := postgresVersion(ctx, tx); err != nil || is >= m.version {
			return err // another program was first
		}
		if m.version == 1 {
			const first = `CREATE SCHEMA IF NOT EXISTS roznamcha;
				CREATE TABLE roznamcha.migrations (version integer PRIMARY KEY, migrated timestamptz NOT NULL DEFAULT now());
				COMMENT ON TABLE roznamcha.migrations IS 'The versions that this schema has had.';
				COMMENT ON COLUMN roznamcha.migrations.version IS 'The version.';
				COMMENT ON COLUMN roznamcha.migrations.migrated IS 'When the schema came to it.'`
			if _, err := tx.Exec(ctx, first, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, m.text, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO roznamcha.migrations (version) VALUES ($1)`, m.version)
		return err
	})
}

// Place is how far the database is.
func (pg *postgres) Place(ctx context.Context) (p Place, err error) {
	conn, err := pg.connect(ctx)
	if err != nil {
		return p, err
	}
	is, err := postgresVersion(ctx, conn)
	if err != nil || is == 0 {
		return p, err
	}
	var hash, first string
	var recorded, known *time.Time
	err = conn.QueryRow(ctx, placeQuery("roznamcha.place", is)).
		Scan(&p.Entry, &hash, &recorded, &known, &p.Rules, &p.State, &p.Ledger, &p.HomeCountry, &p.Zone, &first)
	if recorded != nil {
		p.Recorded = recorded.UTC()
	}
	if known != nil {
		p.KnownUntil = known.UTC()
	}
	p.Hash, p.First = hashOf(hash), hashOf(first)
	return p, err
}

// Parked are the rows that it refused.
func (pg *postgres) Parked(ctx context.Context) ([]Parked, error) {
	conn, err := pg.connect(ctx)
	if err != nil {
		return nil, err
	}
	if is, err := postgresVersion(ctx, conn); err != nil || is == 0 {
		return nil, err
	}
	rows, err := conn.Query(ctx, parkedQuery("roznamcha.parked"))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Parked, err error) {
		return p, row.Scan(&p.Table, &p.Number, &p.Entry, &p.Line, &p.Reason)
	})
}

// placeQuery asks for the place; before version 3 it did not say until when
// everything is known.
func placeQuery(table string, version int) string {
	known := "known_until"
	if version < 3 {
		known = "NULL"
	}
	return `SELECT entry, sha256, recorded, ` + known + `, rules, state, ledger, home_country, zone, first_sha256 FROM ` + table
}

func parkedQuery(table string) string {
	return `SELECT tab, number, entry, line, reason FROM ` + table + ` ORDER BY tab, number`
}

func (pg *postgres) begin(ctx context.Context) (transaction, error) {
	conn, err := pg.connect(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &postgresTx{Tx: tx}, nil
}

type postgresTx struct {
	pgx.Tx
	depth int
}

func (tx *postgresTx) move(ctx context.Context, from, to Place) (bool, error) {
	tag, err := tx.Exec(ctx, `UPDATE roznamcha.place SET entry = $3, sha256 = $4, recorded = $5, rules = $6, state = $7,
		ledger = $8, home_country = $9, zone = coalesce(nullif($10, ''), 'UTC'), first_sha256 = $11,
		known_until = greatest(known_until, $12), moved = CASE WHEN entry = $3 THEN moved ELSE now() END
		WHERE entry = $1 AND sha256 = $2 AND (SELECT max(version) FROM roznamcha.migrations) <= $13`,
		from.Entry, hexOf(from.Hash), to.Entry, hexOf(to.Hash), (*postgres)(nil).moment(to.Recorded), to.Rules, to.State,
		to.Ledger, to.HomeCountry, to.Zone, hexOf(to.First), (*postgres)(nil).moment(to.KnownUntil), latest((*postgres)(nil).migrations()))
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	// What a constraint has against a row, the statement must tell.
	_, err = tx.Exec(ctx, `SET CONSTRAINTS ALL IMMEDIATE`)
	return true, err
}

func (tx *postgresTx) insert(ctx context.Context, t *table, rows [][]any) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"roznamcha", t.name}, t.columns, pgx.CopyFromRows(rows))
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return err
	}
	if line := copyLine.FindStringSubmatch(said.Where); line != nil {
		if n, bad := strconv.Atoi(line[1]); bad == nil && n > 0 {
			return &rowError{n - 1, err}
		}
	}
	return err
}

// copyLine finds the row, from 1, in the context of an error of COPY, in
// whatever language: "COPY facts, line 12, column city".
var copyLine = regexp.MustCompile(`(?m)^COPY \w+, \D*(\d+)`)

func (tx *postgresTx) close(ctx context.Context, t *table, closings []closing) (missing []closing, err error) {
	numbers, entries, lines := make([]int64, len(closings)), make([]int64, len(closings)), make([]int32, len(closings))
	for i, c := range closings {
		numbers[i], entries[i], lines[i] = c.number, int64(c.at.Entry), int32(c.at.Line)
	}
	key := t.key()
	tag, err := tx.Exec(ctx, `UPDATE roznamcha.`+t.name+` t SET closed_entry = c.entry, closed_line = c.line
		FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS c (number, entry, line) WHERE t.`+key+` = c.number`, numbers, entries, lines)
	if err != nil || tag.RowsAffected() == int64(len(closings)) {
		return nil, err
	}
	there, err := tx.Query(ctx, `SELECT `+key+` FROM roznamcha.`+t.name+` WHERE `+key+` = ANY($1)`, numbers)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(there, pgx.RowTo[int64])
	return without(closings, found), err
}

// without are the closings of other rows than those.
func without(closings []closing, found []int64) (left []closing) {
	there := make(map[int64]bool, len(found))
	for _, n := range found {
		there[n] = true
	}
	for _, c := range closings {
		if !there[c.number] {
			left = append(left, c)
		}
	}
	return left
}

func (tx *postgresTx) remove(ctx context.Context, t *table, numbers []int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM roznamcha.`+t.name+` WHERE `+t.key()+` = ANY($1)`, numbers)
	return err
}

func (tx *postgresTx) parked(ctx context.Context) ([]Parked, error) {
	rows, err := tx.Query(ctx, parkedQuery("roznamcha.parked"))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Parked, err error) {
		return p, row.Scan(&p.Table, &p.Number, &p.Entry, &p.Line, &p.Reason)
	})
}

func (tx *postgresTx) park(ctx context.Context, p Parked, at uint64) error {
	return tx.attempt(ctx, func() error {
		// A text of PostgreSQL has no NUL.
		_, err := tx.Exec(ctx, `INSERT INTO roznamcha.parked (tab, number, entry, line, reason, content, parked_entry)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			p.Table, p.Number, p.Entry, p.Line, strings.ReplaceAll(p.Reason, "\x00", "\uFFFD"), strings.ReplaceAll(p.content, "\x00", "\uFFFD"), at)
		return err
	})
}

func (tx *postgresTx) unpark(ctx context.Context, table string, numbers []int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM roznamcha.parked WHERE tab = $1 AND number = ANY($2)`, table, numbers)
	return err
}

func (tx *postgresTx) attempt(ctx context.Context, work func() error) error {
	tx.depth++
	defer func() { tx.depth-- }()
	name := fmt.Sprint("attempt", tx.depth)
	if _, err := tx.Exec(ctx, "SAVEPOINT "+name); err != nil {
		return err
	}
	if err := work(); err != nil {
		_, undo := tx.Exec(ctx, "ROLLBACK TO "+name+"; RELEASE "+name, pgx.QueryExecModeSimpleProtocol)
		return errors.Join(err, undo)
	}
	_, err := tx.Exec(ctx, "RELEASE "+name)
	return err
}

func (tx *postgresTx) commit(ctx context.Context) error { return tx.Commit(ctx) }

// rollback ends the transaction, unless it was committed.
func (tx *postgresTx) rollback() {
	ctx, cancel := context.WithTimeout(context.Background(), connectPatience)
	defer cancel()
	_ = tx.Rollback(ctx)
}

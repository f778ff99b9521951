package sink

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"roznamcha/domain"
)

// sqliteFile is a file of SQLite, 3.37 or later. Its schema's version is the
// file's user_version.
type sqliteFile struct {
	db   *sql.DB
	path string
	is   os.FileInfo // what was opened there
}

// busyPatience is how long another writer may have the file, in milliseconds.
const busyPatience = 10_000

func openSQLite(ctx context.Context, path string, create bool) (*Database, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, fmt.Errorf("database %s: there is no such file. Try: roznamcha sink %s, which makes it", path, path)
	}
	mode := "rw"
	if create {
		mode = "rwc"
	}
	query := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyPatience), "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-65536)", "wal_autocheckpoint(8000)",
	}}
	address := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", address.String())
	if err == nil {
		db.SetMaxOpenConns(1)
		err = reach(ctx, db)
	}
	var is os.FileInfo
	if err == nil {
		is, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("database %s: %w. Try: the path of an SQLite file in a directory that can be written to", path, err)
	}
	return &Database{&sqliteFile{db, path, is}, path}, nil
}

// errRemoved is the error for a file that nobody else can read any more: SQLite
// goes on writing into it.
var errRemoved = errors.New("the file was removed, or another took its place. Try: start the sink again")

// there tells whether the file is still the one at its path.
func (f *sqliteFile) there() error {
	now, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(f.is, now) {
		return errRemoved
	}
	return nil // who may not look there may still write
}

// reach makes the connection. SQLite says at once, whatever its busy_timeout, that
// a file is busy which another program is just making.
func reach(ctx context.Context, db *sql.DB) (err error) {
	for deadline := time.Now().Add(busyPatience * time.Millisecond); ; time.Sleep(waitEvery) {
		var said *sqlite.Error
		err = db.PingContext(ctx)
		if !errors.As(err, &said) || said.Code()&0xff != codes.SQLITE_BUSY || time.Now().After(deadline) {
			return err
		}
	}
}

// Close closes the file.
func (f *sqliteFile) Close() error { return f.db.Close() }

func (f *sqliteFile) sort(err error) trouble {
	var said *sqlite.Error
	switch {
	case !errors.As(err, &said):
		return other
	}
	switch said.Code() & 0xff { // the rest is which of a kind
	case codes.SQLITE_CONSTRAINT, codes.SQLITE_TOOBIG, codes.SQLITE_MISMATCH:
		return refused
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_IOERR, codes.SQLITE_FULL, codes.SQLITE_CANTOPEN:
		return away
	case codes.SQLITE_ERROR, codes.SQLITE_AUTH:
		return unclear
	}
	return other
}

func (f *sqliteFile) advice(err error) string {
	var said *sqlite.Error
	if !errors.As(err, &said) || said.Code()&0xff != codes.SQLITE_READONLY {
		return ""
	}
	return "a file, in a directory, that this user may write to"
}

func (f *sqliteFile) day(d domain.Day) any { return d.String() }

func (f *sqliteFile) list(values []string) any {
	b, _ := json.Marshal(values) // of strings
	return string(b)
}

func (f *sqliteFile) moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

func (f *sqliteFile) flag(is bool) any {
	if is {
		return int64(1)
	}
	return int64(0)
}

func (f *sqliteFile) migrations() []migration { return readMigrations("sqlite") }

func (f *sqliteFile) version(ctx context.Context) (version int, err error) {
	err = f.db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version)
	return version, err
}

func (f *sqliteFile) migrate(ctx context.Context, m migration) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var is int
	if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&is); err != nil || is >= m.version {
		return err // another program was first
	}
	if _, err := tx.ExecContext(ctx, m.text+fmt.Sprintf("\nPRAGMA user_version = %d", m.version)); err != nil {
		return err
	}
	return tx.Commit()
}

// Place is how far the database is.
func (f *sqliteFile) Place(ctx context.Context) (p Place, err error) {
	is, err := f.version(ctx)
	if err != nil || is == 0 {
		return p, err
	}
	var hash, first string
	var recorded, known sql.NullString
	err = f.db.QueryRowContext(ctx, placeQuery("place", is)).
		Scan(&p.Entry, &hash, &recorded, &known, &p.Rules, &p.State, &p.Ledger, &p.HomeCountry, &p.Zone, &first)
	if err == nil && recorded.Valid {
		p.Recorded, err = time.Parse(time.RFC3339Nano, recorded.String)
	}
	if err == nil && known.Valid {
		p.KnownUntil, err = time.Parse(time.RFC3339Nano, known.String)
	}
	p.Hash, p.First = hashOf(hash), hashOf(first)
	return p, err
}

// Parked are the rows that it refused.
func (f *sqliteFile) Parked(ctx context.Context) ([]Parked, error) {
	if is, err := f.version(ctx); err != nil || is == 0 {
		return nil, err
	}
	return sqliteParked(ctx, f.db)
}

func sqliteParked(ctx context.Context, q interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}) (list []Parked, err error) {
	rows, err := q.QueryContext(ctx, parkedQuery("parked"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Parked
		if err := rows.Scan(&p.Table, &p.Number, &p.Entry, &p.Line, &p.Reason); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

func (f *sqliteFile) begin(ctx context.Context) (transaction, error) {
	if err := f.there(); err != nil {
		return nil, err
	}
	conn, err := f.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &sqliteTx{Tx: tx, conn: conn}, nil
}

type sqliteTx struct {
	*sql.Tx
	conn  *sql.Conn
	depth int
}

func (tx *sqliteTx) move(ctx context.Context, from, to Place) (bool, error) {
	zone := to.Zone
	if zone == "" {
		zone = "UTC"
	}
	result, err := tx.ExecContext(ctx, `UPDATE place SET entry = ?3, sha256 = ?4, recorded = ?5, rules = ?6, state = ?7,
		ledger = ?8, home_country = ?9, zone = ?10, first_sha256 = ?11, known_until = max(coalesce(known_until, ''), ?12),
		moved = iif(entry = ?3, moved, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
		WHERE entry = ?1 AND sha256 = ?2 AND (SELECT user_version FROM pragma_user_version) <= ?13`,
		from.Entry, hexOf(from.Hash), to.Entry, hexOf(to.Hash), (*sqliteFile)(nil).moment(to.Recorded), to.Rules, to.State,
		to.Ledger, to.HomeCountry, zone, hexOf(to.First), (*sqliteFile)(nil).moment(to.KnownUntil), latest((*sqliteFile)(nil).migrations()))
	if err != nil {
		return false, err
	}
	moved, err := result.RowsAffected()
	return moved == 1, err
}

// unwatched is ctx for many short statements: the driver would start a goroutine
// for each to watch it.
func unwatched(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// insert hands the rows to the driver itself: database/sql looks at every value
// once more, which takes a tenth of the time.
func (tx *sqliteTx) insert(ctx context.Context, t *table, rows [][]any) error {
	query := `INSERT INTO ` + t.name + ` (` + strings.Join(t.columns, ", ") + `) VALUES (?` + strings.Repeat(", ?", len(t.columns)-1) + `)`
	return tx.conn.Raw(func(conn any) error {
		statement, err := conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		defer statement.Close()
		values := make([]driver.NamedValue, len(t.columns))
		for i, row := range rows {
			for n, value := range row {
				values[n] = driver.NamedValue{Ordinal: n + 1, Value: value}
			}
			if _, err := statement.(driver.StmtExecContext).ExecContext(unwatched(ctx), values); err != nil {
				return &rowError{i, err}
			}
		}
		return ctx.Err()
	})
}

func (tx *sqliteTx) close(ctx context.Context, t *table, closings []closing) (missing []closing, err error) {
	statement, err := tx.PrepareContext(ctx, `UPDATE `+t.name+` SET closed_entry = ?, closed_line = ? WHERE `+t.key()+` = ?`)
	if err != nil {
		return nil, err
	}
	defer statement.Close()
	for i, c := range closings {
		result, err := statement.ExecContext(unwatched(ctx), int64(c.at.Entry), int64(c.at.Line), c.number)
		if err != nil {
			return nil, &rowError{i, err}
		}
		if n, err := result.RowsAffected(); err == nil && n == 0 {
			missing = append(missing, c)
		}
	}
	return missing, ctx.Err()
}

// each runs a statement on every number.
func (tx *sqliteTx) each(ctx context.Context, query string, numbers []int64, more ...any) error {
	statement, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer statement.Close()
	for _, n := range numbers {
		if _, err := statement.ExecContext(unwatched(ctx), append([]any{n}, more...)...); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (tx *sqliteTx) remove(ctx context.Context, t *table, numbers []int64) error {
	return tx.each(ctx, `DELETE FROM `+t.name+` WHERE `+t.key()+` = ?1`, numbers)
}

func (tx *sqliteTx) unpark(ctx context.Context, table string, numbers []int64) error {
	return tx.each(ctx, `DELETE FROM parked WHERE number = ?1 AND tab = ?2`, numbers, table)
}

func (tx *sqliteTx) parked(ctx context.Context) ([]Parked, error) { return sqliteParked(ctx, tx) }

func (tx *sqliteTx) park(ctx context.Context, p Parked, at uint64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO parked (tab, number, entry, line, reason, content, parked_entry)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, p.Table, p.Number, int64(p.Entry), p.Line, p.Reason, p.content, int64(at))
	return err
}

func (tx *sqliteTx) attempt(ctx context.Context, work func() error) error {
	tx.depth++
	defer func() { tx.depth-- }()
	name := fmt.Sprint("attempt", tx.depth)
	if _, err := tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return err
	}
	if err := work(); err != nil {
		_, undo := tx.ExecContext(ctx, "ROLLBACK TO "+name+"; RELEASE "+name)
		return errors.Join(err, undo)
	}
	_, err := tx.ExecContext(ctx, "RELEASE "+name)
	return err
}

func (tx *sqliteTx) commit(context.Context) error { return tx.Commit() }

// rollback ends the transaction, unless it was committed.
func (tx *sqliteTx) rollback() { _, _ = tx.Rollback(), tx.conn.Close() }

package sink

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"roznamcha/domain"
)

// Database is a database that is fed, or asked how far it is. One goroutine at
// a time may use it.
type Database struct {
	engine
	// Name is how it is called in messages, without a password.
	Name string
}

// engine is what is asked of PostgreSQL and SQLite.
type engine interface {
	// Place is how far the database is; the zero Place where there is no schema.
	Place(ctx context.Context) (Place, error)
	// Parked are the rows that it refused, by table and number.
	Parked(ctx context.Context) ([]Parked, error)
	// Close ends the connection.
	Close() error

	migrations() []migration
	version(ctx context.Context) (int, error)
	// migrate runs m in a transaction, if the version is still the one before.
	migrate(ctx context.Context, m migration) error
	begin(ctx context.Context) (transaction, error)
	sort(err error) trouble
	// advice is what to try where an error is that a right is missing; else "".
	advice(err error) string

	// How values are written there.
	day(d domain.Day) any
	list(values []string) any
	moment(t time.Time) any
	flag(is bool) any
}

// transaction is one transaction. Nothing of it stands until commit.
type transaction interface {
	// move moves the place; false where it is not from any more, or the schema is of
	// a newer program.
	move(ctx context.Context, from, to Place) (bool, error)
	insert(ctx context.Context, t *table, rows [][]any) error
	// close closes rows and tells which are not there.
	close(ctx context.Context, t *table, closings []closing) (missing []closing, err error)
	remove(ctx context.Context, t *table, numbers []int64) error
	parked(ctx context.Context) ([]Parked, error)
	// park parks a row, unless it is.
	park(ctx context.Context, p Parked, at uint64) error
	unpark(ctx context.Context, table string, numbers []int64) error
	// attempt undoes what work did, and nothing else, where that is an error.
	attempt(ctx context.Context, work func() error) error
	commit(ctx context.Context) error
	rollback()
}

// trouble sorts the errors of a database by what the sink does next.
type trouble int

const (
	other   trouble = iota // stop
	refused                // this row, not the others: park it
	unclear                // a statement: where only a row can be to blame, refused
	away                   // wait, and try again
)

// Open opens a database: postgres://…, or the file of an SQLite database, as a
// path or sqlite:path. A file is made where there is none if create says so;
// nothing else is changed.
func Open(ctx context.Context, where string, create bool) (*Database, error) {
	if err := CheckName(where); err != nil {
		return nil, err
	}
	switch scheme, rest, ok := strings.Cut(where, ":"); {
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		return openPostgres(ctx, where)
	case ok && scheme == "sqlite":
		return openSQLite(ctx, filepath.Clean(strings.TrimPrefix(rest, "//")), create)
	}
	return openSQLite(ctx, where, create)
}

// CheckName is an ErrUnknownDatabase where Open would have one.
func CheckName(where string) error {
	scheme, _, ok := strings.Cut(where, ":")
	switch {
	case ok && scheme == "sqlite":
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		// It is taken apart before the @ that was meant, and would be told in parts.
		if u, err := url.Parse(where); err == nil && u.User == nil && strings.Contains(where, "@") && !u.Query().Has("user") {
			return fmt.Errorf("%w: what stands before the @ of that URL is no user and password. Try: / ? # and @ of a password written as %%2F, %%3F, %%23 and %%40", ErrUnknownDatabase)
		}
	case strings.Contains(where, "://"):
		return fmt.Errorf("database %s: %w. Try: postgres://user@host/database, or the path of an SQLite file", redact(where), ErrUnknownDatabase)
	case keywords.MatchString(where):
		return fmt.Errorf("%w: that looks like the keywords of a PostgreSQL connection. Try: postgres://user@host/database", ErrUnknownDatabase)
	case where == "":
		return fmt.Errorf("%w: its name is empty. Try: postgres://user@host/database, or the path of an SQLite file", ErrUnknownDatabase)
	}
	return nil
}

// keywords finds what other programs take as the name of a PostgreSQL database;
// here it would name a file, after a password maybe.
var keywords = regexp.MustCompile(`(^|\s)(host|hostaddr|dbname|user|password)\s*=`)

// ErrUnknownDatabase is the error for a database that is neither PostgreSQL nor
// SQLite.
var ErrUnknownDatabase = errors.New("want PostgreSQL or SQLite")

// advise is err with what to try where a right is missing.
func (db *Database) advise(err error) error {
	if try := db.advice(err); try != "" {
		return fmt.Errorf("%w. Try: %s", err, try)
	}
	return err
}

// redact is a URL without its password.
func redact(where string) string {
	u, err := url.Parse(where)
	if err != nil {
		return "that URL"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "that URL"
	}
	for _, secret := range []string{"password", "sslpassword"} {
		if query.Has(secret) {
			query.Set(secret, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}

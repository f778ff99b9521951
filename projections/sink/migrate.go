package sink

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

// migration brings a schema from the version before to its own.
type migration struct {
	version int
	text    string
}

// readMigrations are the files migrations/<engine>/<version>_<name>.sql, in
// order. A file that was released is never changed.
func readMigrations(engine string) (list []migration) {
	dir := "migrations/" + engine
	files, err := fs.ReadDir(migrationFiles, dir)
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		var m migration
		if m.version, err = strconv.Atoi(number); err != nil {
			break
		}
		text, _ := migrationFiles.ReadFile(dir + "/" + f.Name())
		m.text = string(text)
		list = append(list, m)
	}
	if err != nil {
		panic(err) // they are part of the program
	}
	slices.SortFunc(list, func(a, b migration) int { return cmp.Compare(a.version, b.version) })
	return list
}

// NewerSchemaError says that a database was made by a newer program.
type NewerSchemaError struct{ Is, Known int }

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the database has schema version %d, and this program knows versions up to %d. Try: a newer roznamcha, or another database", e.Is, e.Known)
}

// Migrate brings the schema to the version of this program. Several programs
// may do so at once.
func (db *Database) Migrate(ctx context.Context) error {
	return db.migrateTo(ctx, db.migrations())
}

func latest(list []migration) int { return list[len(list)-1].version }

// knownVersion is the schema's version; a *NewerSchemaError where it is later
// than those of list.
func (db *Database) knownVersion(ctx context.Context, list []migration) (int, error) {
	is, err := db.version(ctx)
	if known := latest(list); err == nil && is > known {
		err = &NewerSchemaError{is, known}
	}
	return is, err
}

func (db *Database) migrateTo(ctx context.Context, list []migration) error {
	is, err := db.knownVersion(ctx, list)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.version <= is {
			continue
		}
		if err := db.migrate(ctx, m); err != nil {
			return fmt.Errorf("migrate %s to schema version %d: %w", db.Name, m.version, err)
		}
	}
	return nil
}

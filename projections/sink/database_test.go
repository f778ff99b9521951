package sink

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"roznamcha/projections/sink/postgrestest"
)

// Who may not write is told what to ask for, whether nothing is there yet or
// everything.
func TestNoRightToWrite(t *testing.T) {
	l := newLedger(t, "test")
	refused := func(where string) {
		t.Helper()
		_, err := open(t, where).Feed(newContext(t), l, Options{Once: true})
		if err == nil || !strings.Contains(err.Error(), "Try: a ") {
			t.Errorf("%v", err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write to everything")
		}
		where := t.TempDir() + "/facts.db"
		feed(t, l, where, Options{})
		if err := os.Chmod(where, 0o400); err != nil {
			t.Fatal(err)
		}
		write(t, l, "junk")
		refused(where)
	})
	t.Run("postgres", func(t *testing.T) {
		where := postgrestest.Start(t).Database()
		query(t, where, `CREATE ROLE guest LOGIN`)
		guest := strings.Replace(where, "postgres://roznamcha@", "postgres://guest@", 1)
		refused(guest)
		feed(t, l, where, Options{})
		query(t, where, `GRANT USAGE ON SCHEMA roznamcha TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA roznamcha TO guest`)
		write(t, l, "junk")
		refused(guest)
	})
}

// What looks like a password is in no message and names no file.
func TestPasswordsAreNotTold(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, where := range []string{
		"postgres://u:secret@127.0.0.1:1/db", "postgres://u@127.0.0.1:1/db?password=secret", "postgres://u@127.0.0.1:1/db?sslpassword=secret",
		"postgres://u:secret@127.0.0.1:nowhere/db", "postgres://u:sec ret@h/db", "postgres://u:1#secret@127.0.0.1/db", "postgres://u:1/secret@127.0.0.1/db",
		"postgres://u:1?secret@127.0.0.1/db", "postgres://u@127.0.0.1:1/db?password=secret;1", "mysql://u:secret@h/db", "host=h user=u password=secret", "dbname=db password = 'secret'",
	} {
		_, err := Open(context.Background(), where, true)
		if err == nil || strings.Contains(err.Error(), "sec") || !strings.Contains(err.Error(), "Try: ") {
			t.Errorf("%s: %v", where, err)
		}
	}
	if files, err := os.ReadDir("."); err != nil || len(files) > 0 {
		t.Errorf("it made %v, %v", files, err)
	}
}

// A sink whose file was removed says so, instead of writing where nobody reads; a
// new start makes a new one.
func TestFileThatWasRemoved(t *testing.T) {
	l, where := newLedger(t, "test"), t.TempDir()+"/facts.db"
	feed(t, l, where, Options{})
	for _, do := range []func() error{
		func() error { return os.Remove(where) },
		func() error { return errors.Join(os.Rename(where, where+".old"), os.WriteFile(where, nil, 0o600)) },
	} {
		db := open(t, where)
		done, caughtUp := make(chan error, 1), make(chan struct{})
		go func() {
			_, err := db.Feed(newContext(t), l, Options{CaughtUp: func(Place) error { close(caughtUp); return nil }})
			done <- err
		}()
		<-caughtUp
		if err := do(); err != nil {
			t.Fatal(err)
		}
		write(t, l, "junk")
		if err := <-done; !errors.Is(err, errRemoved) {
			t.Errorf("%v", err)
		}
		for _, rest := range []string{"-wal", "-shm"} {
			_ = os.Remove(where + rest)
		}
		feed(t, l, where, Options{})
		same(t, l, where)
	}
}

// A file that another program is just making is waited for, though SQLite says at
// once that it is busy.
func TestFileThatIsBeingMade(t *testing.T) {
	where := t.TempDir() + "/facts.db"
	other, err := sql.Open("sqlite", "file:"+where)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	for _, text := range []string{"CREATE TABLE other (x)", "BEGIN IMMEDIATE"} {
		if _, err := other.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	committed := make(chan error, 1)
	time.AfterFunc(10*waitEvery, func() {
		_, err := other.Exec("COMMIT")
		committed <- err
	})
	db, err := Open(newContext(t), where, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-committed; err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

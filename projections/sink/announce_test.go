package sink

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// What a sink tells of its database is there for others while it runs and after
// it has ended: how far it is, and what is parked first.
func TestSinksAreKnown(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		nc, l := newServedLedger(t, "test")
		where := empty()
		if all, err := Sinks(newContext(t), nc); err != nil || len(all) > 0 {
			t.Errorf("before there is one: %v, %v", all, err)
		}
		feed(t, l, where, Options{})
		if isPostgres(where) {
			query(t, where, `ALTER TABLE roznamcha.facts ADD CONSTRAINT no CHECK (city <> 'Lahore') NOT VALID`)
		} else {
			query(t, where, `CREATE TRIGGER no BEFORE INSERT ON facts WHEN NEW.city = 'Lahore' BEGIN SELECT RAISE(ABORT, 'no Lahore'); END`)
		}
		known := func() Sink {
			t.Helper()
			all, err := Sinks(newContext(t), nc)
			if err != nil || len(all) > 1 {
				t.Fatalf("%v, %v", all, err)
			}
			return append(all, Sink{})[0]
		}
		ctx, stop := context.WithCancel(newContext(t))
		db := open(t, where)
		told, done := db.Announce(nc, l, "1.2.3", func(s string) { t.Error(s) }), make(chan error)
		go func() {
			at, err := db.Feed(ctx, l, Options{Stands: told.Tell})
			told.End(at, err)
			done <- err
		}()
		waitUntil(t, "it is known", func() bool { return known().Entry == 1 })
		for i, city := range []string{"Karachi", "Lahore", "Lahore"} {
			raid := &domain.RaidConducted{Common: domain.Common{Occurred: period("2025"), Place: domain.Location{City: city}}, Premises: domain.OtherPremises}
			write(t, l, lineOf(t, diaries[0], city+string(rune('0'+i)), uuid.NewSHA1(uuid.Nil, []byte{byte(i)}), raid))
		}
		waitUntil(t, "everything is told", func() bool { is := known(); return is.Entry == 4 && is.Parked == 2 })
		if is := known(); is.Ended || is.Silent(is.Told) || !is.Silent(is.Told.Add(time.Hour)) {
			t.Errorf("while it runs: %+v", is)
		}
		stop()
		err := <-done
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		is := known()
		if p := is.First; !is.Ended || is.Error != "" || is.Entry != 4 || p == nil || p.Entry != 3 || p.Line != 1 || p.Table != "facts" || p.Reason == "" {
			t.Errorf("after the end: %+v", is)
		}
		if is.Silent(is.Told.Add(time.Hour)) {
			t.Error("what ended is not silent")
		}
		if is.Database == "" || !strings.HasSuffix(is.Database, where[strings.LastIndex(where, "/"):]) {
			t.Errorf("it is called %s", is.Database)
		}

		db2 := open(t, where) // it ends before it knows anything
		told = db2.Announce(nc, l, "1.2.3", func(s string) { t.Error(s) })
		told.End(Place{}, errors.New("no"))
		if again := known(); again.PID != is.PID || again.Entry != 4 || again.Error != "" {
			t.Errorf("who knows nothing tells %+v", again)
		}
	})
}

// A bucket that was removed is made anew by who still has something to tell.
func TestBucketIsMadeAnew(t *testing.T) {
	nc, l := newServedLedger(t, "test")
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	told := open(t, t.TempDir()+"/facts.db").Announce(nc, l, "1.2.3", func(string) {})
	for entry := range uint64(2) {
		waitUntil(t, "it is known", func() bool {
			told.Tell(Standing{Place: Place{Mark: eventstore.Mark{Entry: entry + 1}}})
			all, err := Sinks(newContext(t), nc)
			return err == nil && len(all) == 1 && all[0].Entry == entry+1
		})
		if err := js.DeleteKeyValue(newContext(t), Bucket); err != nil {
			t.Fatal(err)
		}
	}
	told.End(Place{}, nil)
}

// A name that means another database on another machine has another key there.
func TestLocalDatabases(t *testing.T) {
	for where, want := range map[string]bool{
		"postgres://u@localhost/db": true, "postgres://u@127.0.0.1/db": true, "postgres://u@[::1]/db": true, "postgres:///db?host=/run/postgresql": true,
		"postgres://u@db.example/db": false, "postgres://u@10.0.0.1/db": false,
	} {
		config, err := pgx.ParseConfig(where)
		if err != nil {
			t.Fatal(err)
		}
		if is := (&Database{&postgres{config: config}, where}).local(); is != want {
			t.Errorf("%s: %v", where, is)
		}
	}
	if !open(t, t.TempDir()+"/facts.db").local() {
		t.Error("a file is not")
	}
}

// Who may not tell says so once, and is neither delayed nor ended.
func TestSinkThatMayNotTell(t *testing.T) {
	nc, l := newServedLedger(t, "test")
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream := jetstream.StreamConfig{Name: "KV_" + Bucket, Subjects: []string{"else"}, MaxMsgsPerSubject: -1} // no bucket
	if _, err := js.CreateStream(newContext(t), stream); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 9)
	where := t.TempDir() + "/facts.db"
	db := open(t, where)
	told := db.Announce(nc, l, "1.2.3", func(s string) { said <- s })
	at, err := db.Feed(newContext(t), l, Options{Once: true, Stands: told.Tell})
	if err != nil {
		t.Error(err)
	}
	if s := <-said; !strings.Contains(s, "Try: ") || !strings.Contains(s, Bucket) {
		t.Errorf("it says %q", s)
	}
	told.Tell(Standing{Place: at})
	told.End(at, nil)
	if len(said) > 0 {
		t.Errorf("and then %q", <-said)
	}
	same(t, l, where)
}

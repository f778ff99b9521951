package sink

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

// Bucket is the key-value bucket of JetStream in which sinks tell how their
// databases stand, a key a database. What its last sink told stays there after it
// has ended.
const Bucket = "roznamcha-sinks"

// Sink is what was last told of a database that is fed.
type Sink struct {
	// Key is its key in Bucket.
	Key string `json:"key"`
	// Database is its name, without a password; a file by its whole path.
	Database string `json:"database"`
	// Host, PID, Program and Started are of the process that told.
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Program string    `json:"program"`
	Started time.Time `json:"started"`
	// Entry is the last one that stands there, recorded at Recorded; up to
	// KnownUntil everything that was recorded does.
	Entry      uint64    `json:"entry"`
	Recorded   time.Time `json:"recorded,omitzero"`
	KnownUntil time.Time `json:"known_until,omitzero"`
	// Parked is how many rows are parked there, First the one of the earliest
	// position.
	Parked int     `json:"parked"`
	First  *Parked `json:"first_parked,omitempty"`
	// Away is why the database could not be asked.
	Away string `json:"away,omitempty"`
	// Ended tells that the process has ended, and Error why unless it was to.
	Ended bool   `json:"ended"`
	Error string `json:"error,omitempty"`
	// Told is when that was, by the clock of the ledger's server.
	Told time.Time `json:"told"`
}

// Silent tells whether a process that did not end was not heard of for so long
// that it must have been killed, or cut off.
func (s *Sink) Silent(now time.Time) bool { return !s.Ended && now.Sub(s.Told) > 3*pulseEvery }

// Announcer tells others how a database stands, while it is fed. It never delays
// the feeding.
type Announcer struct {
	nc     *nats.Conn
	ledger *eventstore.Ledger
	say    func(string)
	wake   chan struct{}
	done   chan struct{} // closed when everything is told

	mu    sync.Mutex // guards what follows
	is    Sink
	stood bool // it is known how the database stands
}

// Announce begins to tell of db, once it is told how it stands. Program is the
// program's version. Where it may not tell, say hears so, once.
func (db *Database) Announce(nc *nats.Conn, l *eventstore.Ledger, program string, say func(string)) *Announcer {
	a := &Announcer{nc: nc, ledger: l, say: say, wake: make(chan struct{}, 1), done: make(chan struct{})}
	a.is = Sink{Database: db.Name, PID: os.Getpid(), Program: program, Started: time.Now().UTC()}
	a.is.Host, _ = os.Hostname()
	if _, file := db.engine.(*sqliteFile); file {
		if path, err := filepath.Abs(db.Name); err == nil {
			a.is.Database = path
		}
	}
	where := a.is.Database
	if db.local() {
		where = a.is.Host + ":" + where
	}
	sum := sha256.Sum256([]byte(where))
	a.is.Key = hex.EncodeToString(sum[:8])
	go a.run()
	return a
}

// local tells whether the name means another database on another machine.
func (db *Database) local() bool {
	pg, ok := db.engine.(*postgres)
	if !ok {
		return true
	}
	host := pg.config.Host
	return strings.HasPrefix(host, "/") || host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Tell tells how the database stands.
func (a *Announcer) Tell(s Standing) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.is.Away = s.Away
	if s.Away == "" { // else nobody knows
		a.is.Parked, a.is.First = s.Parked, s.First
	}
	a.stood = true
	a.is.Entry, a.is.Recorded, a.is.KnownUntil = s.Entry, s.Recorded, s.KnownUntil
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Sink is what was told last.
func (a *Announcer) Sink() Sink {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.is
}

// endPatience is how long telling of the end may take.
const endPatience = 2 * time.Second

// End tells that the feeding has ended at a place, and why if that is an error.
func (a *Announcer) End(at Place, err error) {
	a.mu.Lock()
	if at.Entry > a.is.Entry {
		a.is.Entry, a.is.Recorded, a.is.KnownUntil = at.Entry, at.Recorded, at.KnownUntil
	}
	a.is.Ended = true
	if err != nil && !errors.Is(err, context.Canceled) {
		a.is.Error = err.Error()
	}
	a.mu.Unlock()
	close(a.wake)
	select {
	case <-a.done:
	case <-time.After(endPatience):
	}
}

// run tells what is new, until the end is told.
func (a *Announcer) run() {
	defer close(a.done)
	var kv jetstream.KeyValue
	said := false
	for more := true; more; {
		_, more = <-a.wake
		a.mu.Lock()
		is, stood := a.is, a.stood
		a.mu.Unlock()
		if !stood { // what another told is worth more
			continue
		}
		var err error
		if kv == nil {
			kv, err = makeBucket(a.nc, a.ledger)
		}
		if err == nil {
			value, _ := json.Marshal(is) // of texts and numbers
			ctx, cancel := context.WithTimeout(context.Background(), pulseEvery)
			_, err = kv.Put(ctx, is.Key, value)
			cancel()
		}
		if err != nil {
			kv = nil // it may be made anew
		}
		if err != nil && !said && a.nc.IsConnected() { // else it comes back
			said = true
			a.say(fmt.Sprintf("roznamcha status cannot show this sink: %v. Try: let its user write to the bucket %s", err, Bucket))
		}
	}
}

// makeBucket opens the bucket, and makes it where there is none, on as many
// servers as the ledger.
func makeBucket(nc *nats.Conn, l *eventstore.Ledger) (jetstream.KeyValue, error) {
	ctx, cancel := context.WithTimeout(context.Background(), pulseEvery)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	kv, err := js.KeyValue(ctx, Bucket)
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return kv, err
	}
	return l.MakeBucket(ctx, jetstream.KeyValueConfig{
		Bucket:      Bucket,
		Description: "Roznamcha: how the databases stand that its sinks feed, as they told last.",
	})
}

// askPatience is how long a server may take to tell of the sinks.
const askPatience = 2 * time.Second

// Sinks are the sinks that ever told of themselves on that server, in the order
// of their databases.
func Sinks(ctx context.Context, nc *nats.Conn) (all []Sink, err error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	kv, err := js.KeyValue(ctx, Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil
	}
	var values []jetstream.KeyValueEntry
	if err == nil {
		values, err = eventstore.BucketValues(ctx, kv)
	}
	if err != nil {
		return nil, fmt.Errorf("ask bucket %s for the sinks: %w", Bucket, err)
	}
	for _, value := range values {
		var one Sink
		if json.Unmarshal(value.Value(), &one) == nil {
			one.Told = value.Created().UTC()
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Sink) int {
		return cmp.Or(strings.Compare(a.Database, b.Database), strings.Compare(a.Host, b.Host))
	})
	return all, nil
}

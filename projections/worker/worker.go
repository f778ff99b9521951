package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// Config is how a worker works.
type Config struct {
	// Tables are what it keeps; DefaultTables if nil.
	Tables []Table
	// Version is that of its totals: projections.TotalsVersion if 0. Another one
	// rehearses a rebuild.
	Version int
	// Program is the program's version, as in semantic versioning.
	Program string
	// Start, unless nil, makes projections what they were at the last snapshot; its
	// answer is nil where there is none that is of use.
	Start func(context.Context, ...projections.Kept) (*projections.Start, error)
	// Log is told, in a line each, what goes wrong and is tried again. Nobody is
	// told if nil.
	Log io.Writer
	// Progress hears how far the catching up has come: the entry just read, and
	// the last one to read.
	Progress func(entry, tail uint64)
	// Ready is called once, when the worker has caught up with the ledger as it
	// was at the start, and answers.
	Ready func()

	// renew is how long a session with the bucket lasts; sessionFor if 0.
	renew time.Duration
}

// Worker keeps tables of one ledger current. It may be asked by any number of
// goroutines while it runs.
type Worker struct {
	nc     *nats.Conn
	ledger *eventstore.Ledger
	config Config
	prefix string
	fold   *fold
	began  time.Time
	id     string
	// caughtUp is closed when the fold has come to entry tail, the last one at
	// the start.
	tail     uint64
	caughtUp chan struct{}
	// pointer has a token when the pointer was seen.
	pointer chan struct{}

	mu     sync.Mutex // guards what follows
	tables map[string]*TableStatus
	// trouble is why nothing can be published now; "" where it can.
	trouble string
	// led is the prefix that the pointer named last; "" while none was seen.
	led      string
	answered map[string]int // questions, by code; "" for a table
}

// New is a worker on a ledger, over a connection of its own or another's. It does
// nothing before Run.
func New(nc *nats.Conn, l *eventstore.Ledger, config Config) (*Worker, error) {
	if config.Tables == nil {
		config.Tables = DefaultTables()
	}
	if config.Version == 0 {
		config.Version = projections.TotalsVersion
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	if config.renew == 0 {
		config.renew = sessionFor
	}
	w := &Worker{
		nc: nc, ledger: l, config: config, prefix: Prefix(config.Version), fold: newFold(), began: time.Now(), id: uuid.NewString(),
		caughtUp: make(chan struct{}), pointer: make(chan struct{}, 1), tables: map[string]*TableStatus{}, answered: map[string]int{},
	}
	for _, t := range config.Tables {
		if err := CheckName(t.Name); err != nil {
			return nil, err
		}
		if w.tables[t.Name] != nil {
			return nil, fmt.Errorf("table %s is named twice. Try: another name for one of them", t.Name)
		}
		w.tables[t.Name] = &TableStatus{Name: t.Name, Key: w.key(t.Name)}
	}
	return w, nil
}

func (w *Worker) key(name string) string { return w.prefix + "." + name }

// Run works until ctx ends, which is its error then, or an alarm:
// *ContradictionError, *eventstore.WentBackError, *eventstore.GapError,
// *OtherQuestionError. While the server is away it waits. A worker runs once.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.start(ctx); err != nil {
		return err
	}
	var err error
	if w.tail, err = w.ledger.Tail(ctx); err != nil {
		return err
	}
	if w.fold.entry() >= w.tail {
		close(w.caughtUp)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var works sync.WaitGroup
	defer works.Wait()
	for _, work := range []func(context.Context) error{w.follow, w.publish, w.offer} {
		works.Go(func() { stop(work(ctx)) })
	}
	works.Go(func() { w.attend(ctx) })
	works.Wait()
	err = context.Cause(ctx)
	w.leave(err)
	return err
}

// start makes the fold what it was at the last snapshot, if there is one.
func (w *Worker) start(ctx context.Context) error {
	if w.config.Start == nil {
		return nil
	}
	totals, exceptions := projections.NewTotals(), projections.NewExceptions()
	start, err := w.config.Start(ctx, totals, exceptions)
	if err != nil || start == nil {
		return err
	}
	last := start.Register.Last()
	return w.ledger.Read(ctx, last, last, func(e domain.Entry) error {
		w.fold.restore(start, totals, exceptions, eventstore.Mark{Entry: last, Hash: e.Hash()})
		return nil
	})
}

// follow folds the ledger, from where the fold stands.
func (w *Worker) follow(ctx context.Context) error {
	last, recorded := w.fold.last()
	return w.ledger.FollowAhead(ctx, last, recorded, func(e domain.Entry) error {
		if err := w.fold.apply(e); err != nil {
			return err
		}
		if e.Number <= w.tail && w.config.Progress != nil {
			w.config.Progress(e.Number, w.tail)
		}
		if e.Number == w.tail {
			close(w.caughtUp)
		}
		return nil
	})
}

// ready waits until the worker has caught up.
func (w *Worker) ready(ctx context.Context) error {
	select {
	case <-w.caughtUp:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Status is how a worker stands.
type Status struct {
	// ID is this run's, and no other's.
	ID      string    `json:"id"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Program string    `json:"program"`
	Started time.Time `json:"started"`
	// Prefix is where it publishes, and Current tells that readers are led there.
	Prefix  string `json:"prefix"`
	Current bool   `json:"current"`
	// Stats are of the ledger up to the last entry that was folded in.
	Stats projections.Stats `json:"ledger"`
	// EntriesRate and LinesRate are how many came in a second, over the last ten.
	EntriesRate float64 `json:"entries_rate"`
	LinesRate   float64 `json:"lines_rate"`
	// Trouble is why nothing can be published now.
	Trouble string        `json:"trouble,omitempty"`
	Tables  []TableStatus `json:"tables"`
	// Answered counts questions by the code of the answer, "" for a table.
	Answered map[string]int `json:"answered,omitempty"`
}

// TableStatus is how one of a worker's tables stands.
type TableStatus struct {
	Name string `json:"name"`
	Key  string `json:"key"`
	// Entry is the one that the bucket's table is of, whoever published it.
	Entry uint64 `json:"entry"`
	Bytes int    `json:"bytes"` // of the value that this worker published last
	// Published counts this worker's writes, Skipped those that were refused
	// since another worker had been there first.
	Published int    `json:"published"`
	Skipped   int    `json:"skipped"`
	Problem   string `json:"problem,omitempty"`
	// unwritten is why this worker's last write went wrong, where nothing newer has
	// been seen since.
	unwritten error
}

// Status is how the worker stands now.
func (w *Worker) Status() Status {
	s := Status{
		ID: w.id, PID: os.Getpid(), Program: w.config.Program, Started: w.began.UTC(), Prefix: w.prefix,
		Answered: map[string]int{},
	}
	s.Host, _ = os.Hostname()
	w.fold.mu.RLock()
	s.Stats = w.fold.stats
	s.EntriesRate, s.LinesRate = w.fold.pace.rate(time.Now())
	w.fold.mu.RUnlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Current, s.Trouble = w.led == w.prefix, w.trouble
	for _, t := range w.config.Tables {
		s.Tables = append(s.Tables, *w.tables[t.Name])
	}
	for code, n := range w.answered {
		s.Answered[code] = n
	}
	return s
}

// Exceptions are how many of each kind stand.
func (w *Worker) Exceptions() []projections.ExceptionCount {
	w.fold.mu.RLock()
	defer w.fold.mu.RUnlock()
	return w.fold.exceptions.Counts(0)
}

// Lag is how far a reader is behind its ledger.
type Lag struct {
	Entries uint64 `json:"entries"`
	// Seconds is how long ago the first entry that it lacks was recorded, by the
	// server's clock and this machine's.
	Seconds float64 `json:"seconds"`
}

// LagOf is the lag of who stands at an entry.
func LagOf(ctx context.Context, l *eventstore.Ledger, entry uint64) (Lag, error) {
	tail, err := l.Tail(ctx)
	if err != nil {
		return Lag{}, err
	}
	return LagBehind(ctx, l, tail, entry)
}

// LagBehind is the lag of who stood at an entry when the ledger ended at tail.
func LagBehind(ctx context.Context, l *eventstore.Ledger, tail, entry uint64) (lag Lag, err error) {
	if tail <= entry {
		return lag, nil
	}
	lag.Entries = tail - entry
	err = l.Read(ctx, entry+1, entry+1, func(e domain.Entry) error {
		lag.Seconds = math.Max(0, time.Since(e.Recorded).Seconds())
		return nil
	})
	return lag, err
}

// isAlarm tells whether err is one that ends a worker.
func isAlarm(err error) bool {
	var contradiction *ContradictionError
	var other *OtherQuestionError
	var back *eventstore.WentBackError
	var gap *eventstore.GapError
	return errors.As(err, &contradiction) || errors.As(err, &other) || errors.As(err, &back) || errors.As(err, &gap)
}

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore"
)

// asyncPending is how many messages the asynchronous publisher has on their way.
const asyncPending = 500

// answerTimeout is how long a hundred publishers may be at it beyond the time
// that is measured, before something is broken.
const answerTimeout = time.Minute

// cycles is how many answers for each publisher there must be in what is
// measured. Answers come in bursts, as many at once as there are publishers: of
// fewer, the figure would be of the moment at which it was taken.
const cycles = 4

// serviceVersion is what the service says here: nobody asks.
const serviceVersion = "0.0.0"

// echoSubject is of requests that are answered at once with echoReply: what
// asking takes by itself.
const echoSubject = "echo"

// echoReply is what the service answers for one event that it has recorded.
func echoReply() []byte {
	at := domain.Position{Entry: 100_000, Line: 1}
	recorded := eventstore.LineRuling{
		Position: at, Recorded: firstDay.Add(123456789), ID: uuid.Max, Ruling: domain.Ruling{Verdict: domain.Accepted},
	}
	reply := eventstore.Reply{
		Results: []eventstore.Result{eventstore.ResultOf(1, &recorded)},
		Marks:   []eventstore.Mark{{Entry: at.Entry}},
	}
	return reply.AppendJSON(nil)
}

// publisher hands in one submission and waits until it is durable, and is ruled
// accepted where there is anybody to rule.
type publisher func(ctx context.Context, submission []byte) error

// readier makes a publisher for each of writers; finish waits for what they leave
// on its way.
type readier func(ctx context.Context, a *appending, writers []*writer) (all []publisher, finish func(context.Context) error, err error)

// way is a way of getting events into the store.
type way struct {
	name, what string
	ready      readier
	// recorded tells that the events go into the ledger.
	recorded bool
	// bulk tells that bulk submissions go this way too, alone that there is only
	// ever one publisher, async that he waits for none but the oldest of
	// asyncPending.
	bulk, alone, async bool
	// ofRaw and ofAsync are what this way is held against; nil for none.
	ofRaw, ofAsync *way
}

// single and inBulk are the names of its results: of so many publishers of single
// events, and of one of submissions of so many.
func (w *way) single(publishers int) string { return fmt.Sprintf("append/%s/%d", w.name, publishers) }

func (w *way) inBulk(each int) string { return fmt.Sprintf("bulk/%s/%d", w.name, each) }

// against is what so many publishers of single events are held against: first
// raw with one, who is measured in any case.
func (w *way) against(publishers int) (all []baseline) {
	if w.ofRaw != nil {
		all = append(all, baseline{OneRaw, w.ofRaw.single(1)})
		if publishers > 1 {
			all = append(all, baseline{AsManyRaw, w.ofRaw.single(publishers)})
		}
	}
	if w.ofAsync != nil {
		all = append(all, baseline{OneAsync, w.ofAsync.single(1)})
	}
	return all
}

// pending is how many submissions of so many publishers may be on their way.
func (w *way) pending(publishers int) int {
	if w.async {
		return asyncPending
	}
	return publishers
}

// The ways that others are held against.
var (
	rawProcess   = &way{name: "raw-process", what: "raw, in process", ready: rawPublishers(false), bulk: true}
	asyncProcess = &way{name: "async-process", what: "raw asynchronous, in process", ready: asyncPublisher(false), alone: true, async: true}
	rawNetwork   = &way{name: "raw-network", what: "raw, network", ready: rawPublishers(true), bulk: true}
	asyncNetwork = &way{name: "async-network", what: "raw asynchronous, network", ready: asyncPublisher(true), alone: true, async: true}
)

// ways are all of them, each after its baselines.
var ways = []*way{
	rawProcess,
	asyncProcess,
	{name: "raw-read", what: "raw, then read, in process", ready: readPublisher, alone: true, ofRaw: rawProcess},
	{name: "recorder", what: "recorder, in process", ready: recorderPublishers, recorded: true, bulk: true, ofRaw: rawProcess, ofAsync: asyncProcess},
	rawNetwork,
	asyncNetwork,
	{name: "service", what: "service, network", ready: servicePublishers, recorded: true, bulk: true, ofRaw: rawNetwork, ofAsync: asyncNetwork},
	{name: "echo", what: "no store: request that is only answered", ready: echoPublishers},
}

// appending is where events are appended: one server, its ledger with a
// recorder and its service, and the raw stream beside it.
type appending struct {
	*site
	recorder *eventstore.Recorder
	service  *service.Service
	// process and network are connections that publishers have, made as needed.
	process, network []*nats.Conn
	// share is how many connections publishers over the network share; each has
	// its own if 0.
	share int
	// recorded are the writers of the ledger, raw their twins, who write the
	// same bytes into the raw stream.
	recorded, raw []*writer
}

func newAppending(ctx context.Context, dir string, f facts, publishers, share int) (*appending, error) {
	s, err := openSite(ctx, dir)
	if err != nil {
		return nil, err
	}
	a := &appending{site: s, share: share, recorded: newWriters(f, publishers), raw: newWriters(f, publishers)}
	if err := a.start(ctx); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (a *appending) start(ctx context.Context) (err error) {
	if err := a.makeRaw(ctx); err != nil {
		return err
	}
	if a.recorder, err = eventstore.NewRecorder(ctx, a.ledger, eventstore.RecorderConfig{}); err != nil {
		return err
	}
	if a.service, err = service.Start(a.nc, a.recorder, service.Options{Version: serviceVersion, Log: io.Discard}); err != nil {
		return err
	}
	reply := echoReply()
	if _, err := a.nc.Subscribe(echoSubject, func(m *nats.Msg) { _ = m.Respond(reply) }); err != nil { // it ends with the connection
		return err
	}
	return a.nc.Flush()
}

func (a *appending) close() (err error) {
	for _, nc := range a.network {
		nc.Close()
	}
	if a.service != nil {
		ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
		err = a.service.Stop(ctx)
		cancel()
	}
	if a.recorder != nil {
		err = errors.Join(err, a.recorder.Close())
	}
	return errors.Join(err, a.site.close())
}

// conns are the connections of n publishers, over the network or within the
// process.
func (a *appending) conns(network bool, n int) ([]*nats.Conn, error) {
	have, connect, different := &a.process, a.server.Connect, n
	if network {
		have, connect = &a.network, func() (*nats.Conn, error) { return eventstore.Connect(a.server.URL()) }
		if a.share > 0 {
			different = min(n, a.share)
		}
	}
	for len(*have) < different {
		nc, err := connect()
		if err != nil {
			return nil, err
		}
		*have = append(*have, nc)
	}
	all := make([]*nats.Conn, n)
	for i := range all {
		all[i] = (*have)[i%different]
	}
	return all, nil
}

func nothingLeft(context.Context) error { return nil }

func rawPublishers(network bool) readier {
	return func(_ context.Context, a *appending, writers []*writer) ([]publisher, func(context.Context) error, error) {
		conns, err := a.conns(network, len(writers))
		if err != nil {
			return nil, nil, err
		}
		all := make([]publisher, len(conns))
		for i, nc := range conns {
			js, err := jetstream.New(nc)
			if err != nil {
				return nil, nil, err
			}
			all[i] = func(ctx context.Context, submission []byte) error {
				_, err := js.Publish(ctx, rawSubject, submission)
				return err
			}
		}
		return all, nothingLeft, nil
	}
}

func asyncPublisher(network bool) readier {
	return func(_ context.Context, a *appending, _ []*writer) ([]publisher, func(context.Context) error, error) {
		conns, err := a.conns(network, 1)
		if err != nil {
			return nil, nil, err
		}
		publish, finish, err := publishAsync(conns[0], rawSubject, asyncPending)
		return []publisher{publish}, finish, err
	}
}

// readPublisher waits for the acknowledgement and then until a live reader has the
// message too. So much does writing and then ruling cost by itself, where a receipt
// is the ruling of the recorder's own reader.
func readPublisher(ctx context.Context, a *appending, _ []*writer) ([]publisher, func(context.Context) error, error) {
	conns, err := a.conns(false, 1)
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conns[0])
	if err != nil {
		return nil, nil, err
	}
	stream, err := js.Stream(ctx, rawStream)
	if err != nil {
		return nil, nil, err
	}
	read := make(chan uint64, 1) // there is never more than one on its way
	stop, err := follow(ctx, js, rawStream, stream.CachedInfo().State.LastSeq+1, func(m jetstream.Msg) {
		var number uint64
		if of, err := m.Metadata(); err == nil {
			number = of.Sequence.Stream
		}
		read <- number
	})
	if err != nil {
		return nil, nil, err
	}
	publish := func(ctx context.Context, submission []byte) error {
		ack, err := js.Publish(ctx, rawSubject, submission)
		if err != nil {
			return err
		}
		select {
		case number := <-read:
			if number != ack.Sequence {
				return fmt.Errorf("message %d was published and %d read", ack.Sequence, number)
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return []publisher{publish}, func(context.Context) error { stop(); return nil }, nil
}

func recorderPublishers(_ context.Context, a *appending, writers []*writer) ([]publisher, func(context.Context) error, error) {
	all := make([]publisher, len(writers))
	for i := range all {
		all[i] = func(ctx context.Context, submission []byte) error {
			receipt, err := a.recorder.Record(ctx, submission)
			if err != nil {
				return err
			}
			for i := range receipt.Rulings {
				if r := &receipt.Rulings[i]; r.Verdict != domain.Accepted {
					return fmt.Errorf("a new event is ruled %s: %w", r.Verdict, receipt.Err())
				}
			}
			return nil
		}
	}
	return all, nothingLeft, nil
}

// accepted is what the service answers for an event that is ruled so.
var accepted = []byte(`"ruling":"accepted"`)

// servicePublishers ask as a program in any language does, with one request.
func servicePublishers(_ context.Context, a *appending, writers []*writer) ([]publisher, func(context.Context) error, error) {
	conns, err := a.conns(true, len(writers))
	if err != nil {
		return nil, nil, err
	}
	all := make([]publisher, len(conns))
	for i, nc := range conns {
		subject := eventstore.RecordSubject(writers[i].diary)
		all[i] = func(ctx context.Context, submission []byte) error {
			reply, err := nc.RequestWithContext(ctx, subject, submission)
			if err != nil {
				return err
			}
			// Reading the answer as JSON would be the work of another machine.
			if len(reply.Header) > 0 || bytes.Count(reply.Data, accepted) != 1+bytes.Count(submission, []byte{'\n'}) {
				return fmt.Errorf("a new event is not accepted: %.300s", reply.Data)
			}
			return nil
		}
	}
	return all, nothingLeft, nil
}

// echoPublishers ask as servicePublishers do, and nothing is done.
func echoPublishers(_ context.Context, a *appending, writers []*writer) ([]publisher, func(context.Context) error, error) {
	conns, err := a.conns(true, len(writers))
	if err != nil {
		return nil, nil, err
	}
	all := make([]publisher, len(conns))
	for i, nc := range conns {
		all[i] = func(ctx context.Context, submission []byte) error {
			_, err := nc.RequestWithContext(ctx, echoSubject, submission)
			return err
		}
	}
	return all, nothingLeft, nil
}

// load has every publisher publish, one submission of so many events after the
// other, and gives the events a second that were answered, and what they took.
// That is of r.config.For, or until there are enough answers, after a while in
// which as many as can be pending are on their way.
func (r *run) load(parent context.Context, publishers []publisher, writers []*writer, each, pending int) (rate float64, took cost, err error) {
	limit := 2*r.config.For + answerTimeout*time.Duration(1+len(publishers)/100)
	limited, cancel := context.WithTimeoutCause(parent, limit, fmt.Errorf("there were not %d answers for each of %d publishers in %v", cycles, len(publishers), limit))
	defer cancel()
	ctx, stop := context.WithCancelCause(limited)
	defer stop(nil)
	var enough atomic.Bool
	counts := make([]count, len(publishers))
	var work sync.WaitGroup
	for i, publish := range publishers {
		work.Go(func() {
			var submission []byte
			for !enough.Load() {
				var persons int64
				submission, persons = writers[i].submission(submission[:0], each)
				if err := publish(ctx, submission); err != nil {
					stop(err)
					return
				}
				writers[i].accept(each, persons)
				counts[i].n.Add(int64(each))
			}
		})
	}
	sum := func() (n int64) {
		for i := range counts {
			n += counts[i].n.Load()
		}
		return n
	}
	// watch waits for so long or so many submissions, whichever is longer.
	watch := func(atLeast time.Duration, submissions int) (n int64, long time.Duration) {
		began, before := time.Now(), sum()
		sleep(ctx, atLeast)
		for n = sum() - before; n < int64(submissions*each) && ctx.Err() == nil; n = sum() - before {
			sleep(ctx, time.Millisecond)
		}
		return n, time.Since(began)
	}
	watch(r.config.For/4, pending)
	busy := cpuTime()
	n, long := watch(r.config.For, max(pending, cycles*len(publishers)))
	took = cost{cpuTime() - busy, int(n)}
	enough.Store(true)
	work.Wait()
	if parent.Err() != nil {
		return 0, took, parent.Err()
	}
	return float64(n) / long.Seconds(), took, context.Cause(ctx)
}

// count is a counter with a cache line of its own.
type count struct {
	n atomic.Int64
	_ [56]byte
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// syncs is how often a second so many bytes can be written to the end of a file
// in dir and synced, with nothing else around it.
func syncs(ctx context.Context, dir string, size int, long time.Duration) (rate float64, err error) {
	f, err := os.Create(filepath.Join(dir, "synced"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	line := make([]byte, size)
	began, n := time.Now(), 0
	for ; n == 0 || time.Since(began) < long && ctx.Err() == nil; n++ {
		if _, err := f.Write(line); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), ctx.Err()
}

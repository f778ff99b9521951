package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
	"roznamcha/projections"
	"roznamcha/projections/worker"
)

// patience is how long a test waits for what must come. It is a limit on a
// broken program, not on a slow machine.
const patience = 2 * time.Minute

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func waitUntil(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// house is a server with a ledger that is open.
type house struct {
	t      testing.TB
	opts   server.Options
	server *server.Server
	nc     *nats.Conn
	ledger *eventstore.Ledger
	raids  int
}

// newHouse starts one; most is how many bytes the server carries, 0 for 1 MiB.
func newHouse(t testing.TB, most int32) *house {
	t.Helper()
	h := &house{t: t, opts: server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, MaxPayload: most}}
	h.start()
	t.Cleanup(func() { h.stop() })
	h.nc = h.connect()
	var err error
	if h.ledger, err = eventstore.Create(soon(t), h.nc, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ledger.AppendFirst(soon(t), []byte(opening)); err != nil {
		t.Fatal(err)
	}
	return h
}

const opening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"test","data":{"name":"test","home":"PK","zone":"Asia/Karachi","rules":1}}`

func (h *house) start() {
	h.t.Helper()
	opts := h.opts
	s, err := server.NewServer(&opts)
	if err != nil {
		h.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		h.t.Fatal("the server does not start")
	}
	h.server, h.opts.Port = s, s.Addr().(*net.TCPAddr).Port
}

func (h *house) stop() {
	h.server.Shutdown()
	h.server.WaitForShutdown()
}

func (h *house) connect() *nats.Conn {
	h.t.Helper()
	nc, err := eventstore.Connect(h.server.ClientURL())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(nc.Close)
	return nc
}

// raid records one raid, and gives its entry.
func (h *house) raid(city string) uint64 {
	h.t.Helper()
	h.raids++
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%d", h.raids))
	entry, err := h.ledger.Append(soon(h.t), fmt.Appendf(nil, `{"specversion":"1.0","id":"%s","source":"/nccia/karachi","type":"raid.conducted","subject":"%d","data":{"occurred":"2025-06-03","place":{"country":"PK","city":"%s"},"premises":"other"}}`, id, h.raids, city))
	if err != nil {
		h.t.Fatal(err)
	}
	return entry
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a worker that runs.
type running struct {
	*worker.Worker
	stop  context.CancelFunc
	ended chan error
}

// work starts a worker with a connection of its own.
func (h *house) work(config worker.Config) *running {
	h.t.Helper()
	nc := h.connect()
	l, err := eventstore.Open(soon(h.t), nc)
	if err != nil {
		h.t.Fatal(err)
	}
	config.Program = "0.0.1"
	w, err := worker.New(nc, l, config)
	if err != nil {
		h.t.Fatal(err)
	}
	r := &running{Worker: w, ended: make(chan error, 1)}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() { r.ended <- w.Run(ctx) }()
	h.t.Cleanup(r.stop)
	return r
}

// end stops a worker, which must have had nothing to complain of.
func (r *running) end(t testing.TB) {
	t.Helper()
	r.stop()
	if err := <-r.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the worker ended: %v", err)
	}
}

// failed waits until a worker ends by itself, and says why.
func (r *running) failed(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(patience):
		t.Fatal("the worker goes on")
		return nil
	}
}

func (h *house) bucket() jetstream.KeyValue {
	h.t.Helper()
	js, err := jetstream.New(h.nc)
	if err != nil {
		h.t.Fatal(err)
	}
	var kv jetstream.KeyValue
	waitUntil(h.t, "the bucket", func() bool {
		kv, err = js.KeyValue(soon(h.t), worker.Bucket)
		return err == nil
	})
	return kv
}

// value is a table as who reads the bucket sees it.
type value struct {
	Stamp   worker.Stamp
	Problem string
	Rows    []struct {
		Labels []string
		Cells  []struct{ Text string }
	}
	Total    struct{ Cells []struct{ Text string } }
	Citation projections.Citation
}

// at is the value at a key; its entry is 0 where there is none.
func (h *house) at(key string) (v value, revision uint64) {
	h.t.Helper()
	e, err := h.bucket().Get(soon(h.t), key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return v, 0
	}
	if err == nil {
		err = json.Unmarshal(e.Value(), &v)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return v, e.Revision()
}

// await waits until the value at a key is of entry, or of a later one.
func (h *house) await(key string, entry uint64) (v value) {
	h.t.Helper()
	waitUntil(h.t, fmt.Sprintf("%s at entry %d", key, entry), func() bool {
		v, _ = h.at(key)
		return v.Stamp.Mark.Entry >= entry
	})
	return v
}

// replayed is the table of a query as a fresh replay has it.
func (h *house) replayed(q projections.Query) *projections.Table {
	h.t.Helper()
	totals := projections.NewTotals()
	reg, _, err := projections.Replay(soon(h.t), h.ledger, projections.ReplayOptions{}, totals)
	if err != nil {
		h.t.Fatal(err)
	}
	table, err := totals.Query(q)
	if err != nil {
		h.t.Fatal(err)
	}
	table.Cite(reg)
	return table
}

// forge puts what change makes of the value at a key in its place.
func (h *house) forge(key string, change func(*map[string]any)) []byte {
	h.t.Helper()
	kv := h.bucket()
	e, err := kv.Get(soon(h.t), key)
	if err != nil {
		h.t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(e.Value(), &v); err != nil {
		h.t.Fatal(err)
	}
	change(&v)
	b, err := json.Marshal(v)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := kv.Put(soon(h.t), key, b); err != nil {
		h.t.Fatal(err)
	}
	return b
}

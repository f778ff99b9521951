package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rogpeppe/go-internal/testscript"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/client"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections/worker"
)

// keptTables are what the workers of these tests keep, by key.
var keptTables = map[string][]string{
	"totals.r1.v1.all":     {},
	"totals.r1.v1.month":   {"--by", "month"},
	"totals.r1.v1.arrests": {"arrests", "--by", "unit,nationality"},
}

// work starts a worker that keeps them.
func (p inDir) work() *process {
	p.t.Helper()
	return p.start("work", "--table", "all", "--table", "month", "--table", "arrests=arrests --by unit,nationality")
}

// reader is another program that watches the bucket.
type reader struct {
	t      *testing.T
	nc     *nats.Conn
	cancel context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex
	last map[string]jetstream.KeyValueEntry
	// seen is when each entry was first in the table of everything.
	seen    map[uint64]time.Time
	upTo    uint64
	updates int
}

// read watches the bucket in dir, which must be there, until close.
func newReader(t *testing.T, dir string) *reader {
	t.Helper()
	nc := inDir{t, dir}.dial()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, nc: nc, ended: make(chan struct{}), last: map[string]jetstream.KeyValueEntry{}, seen: map[uint64]time.Time{}}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	var kv jetstream.KeyValue
	waitUntil(t, "the bucket", func() bool {
		kv, err = js.KeyValue(ctx, worker.Bucket)
		return err == nil
	})
	go func() {
		defer close(r.ended)
		back := nc.StatusChanged(nats.CONNECTED)
		for ctx.Err() == nil {
			r.watch(ctx, kv, back)
		}
	}()
	return r
}

// watch watches until ctx ends or the server was away: after that a watch may be
// silent for many seconds.
func (r *reader) watch(ctx context.Context, kv jetstream.KeyValue, back <-chan nats.Status) {
	watch, err := kv.Watch(ctx, "totals.r1.*.*")
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return
	}
	defer watch.Stop()
	for {
		select {
		case e, open := <-watch.Updates():
			if !open {
				return
			}
			r.see(e)
		case <-back:
			return
		case <-ctx.Done():
			return
		}
	}
}

// see holds what comes against what was there: it must not be older.
func (r *reader) see(e jetstream.KeyValueEntry) {
	if e == nil {
		return // everything that was there
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.updates++
	is := stampOf(e)
	if before := r.last[e.Key()]; before != nil {
		was := stampOf(before)
		if is.Mark.Entry < was.Mark.Entry || is.Mark.Entry == was.Mark.Entry && is.State != was.State || e.Revision() < before.Revision() {
			r.t.Errorf("%s went from entry %d (revision %d) to %d (revision %d)", e.Key(), was.Mark.Entry, before.Revision(), is.Mark.Entry, e.Revision())
		}
	}
	r.last[e.Key()] = e
	if e.Key() == "totals.r1.v1.all" {
		for ; r.upTo < is.Mark.Entry; r.upTo++ {
			r.seen[r.upTo+1] = now
		}
	}
}

func stampOf(e jetstream.KeyValueEntry) worker.Stamp {
	var v struct{ Stamp worker.Stamp }
	if err := json.Unmarshal(e.Value(), &v); err != nil {
		panic(fmt.Sprintf("%s: %v: %.200s", e.Key(), err, e.Value()))
	}
	return v.Stamp
}

// at is the entry that the table at a key is of.
func (r *reader) at(key string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last[key] == nil {
		return 0
	}
	return stampOf(r.last[key]).Mark.Entry
}

func (r *reader) close() {
	r.cancel()
	<-r.ended
	r.nc.Close()
}

// await waits until every table is of entry, or of a later one.
func (r *reader) await(entry uint64) {
	r.t.Helper()
	for key := range keptTables {
		waitUntil(r.t, fmt.Sprintf("%s at entry %d", key, entry), func() bool { return r.at(key) >= entry })
	}
}

// compare holds every table against what another process says.
func (r *reader) compare(p inDir) {
	r.t.Helper()
	for key, query := range keptTables {
		var kept, replayed map[string]any
		r.mu.Lock()
		err := json.Unmarshal(r.last[key].Value(), &kept)
		r.mu.Unlock()
		if err == nil {
			err = json.Unmarshal([]byte(p.must(append([]string{"totals", "--json"}, query...)...)), &replayed)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		delete(kept, "stamp")
		if !reflect.DeepEqual(kept, replayed) {
			r.t.Errorf("%s is\n%v\nand a replay says\n%v", key, kept, replayed)
		}
	}
}

// TestChangeIsSeenWithinASecond: with 200 events a second, what is recorded is in
// the bucket soon after. Half of it must be within a second wherever this runs;
// the figures are in the log.
func TestChangeIsSeenWithinASecond(t *testing.T) {
	long := 15 * time.Second
	if testing.Short() {
		long = 2 * time.Second
	}
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.must("open", "--name", "fast", "--country", "PK", "--zone", "Asia/Karachi")
	serve := p.serve()
	p.dial().Close()
	workers := []*process{p.work(), p.work(), p.work()}
	r := newReader(t, p.dir)
	waitUntil(t, "the first table", func() bool { return r.at("totals.r1.v1.all") > 0 })

	var mu sync.Mutex
	var recorded []eventstore.LineRuling
	var publishers sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	const many, each = 10, 20 // publishers, events a second
	for i := range many {
		publishers.Go(func() {
			diary := domain.Diary{Agency: "nccia", Unit: fmt.Sprintf("unit-%d", i)}
			c := client.New(r.nc, diary)
			defer c.Close()
			tick := time.NewTicker(time.Second / each)
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
				line, _, _ := strings.Cut(string(submissionOf(diary, 4*n)), "\n")
				receipt, err := c.Record(t.Context(), []byte(line))
				if err == nil {
					err = receipt.Err()
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				recorded = append(recorded, receipt.Rulings...)
				mu.Unlock()
			}
		})
	}
	publishers.Wait()
	entry, _, _ := p.cite()
	r.await(uint64(entry))
	r.compare(p)
	r.mu.Lock()
	var took []time.Duration
	for _, event := range recorded {
		took = append(took, r.seen[event.Position.Entry].Sub(event.Recorded))
	}
	r.mu.Unlock()
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	t.Logf("%d events in %v; seen after: p50 %v, p99 %v, at most %v; %d values published",
		len(took), long, p50, p99, took[len(took)-1], r.updates)
	if p50 > time.Second {
		t.Errorf("half of what is recorded is seen later than %v", p50)
	}
	for _, w := range workers {
		w.interrupt()
	}
	r.close()
	serve.interrupt()
}

// kept KEY REGEXP waits until what is kept at a key of the bucket, on the server
// that a running serve offers on $ROZNAMCHA_DIR, matches.
func kept(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: kept key regexp")
	}
	nc, err := embedded.Dial(ts.Getenv("ROZNAMCHA_DIR"))
	ts.Check(err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	ts.Check(err)
	want := regexp.MustCompile(args[1])
	var is string
	for began := time.Now(); !want.MatchString(is); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > patience {
			ts.Fatalf("%s is %q and never matched %q", args[0], is, args[1])
		}
		kv, err := js.KeyValue(context.Background(), worker.Bucket)
		if err != nil {
			continue
		}
		if e, err := kv.Get(context.Background(), args[0]); err == nil {
			is = string(e.Value())
		}
	}
}

// TestExamplesOfWork types the examples of work and promote, which need a serve
// that runs.
func TestExamplesOfWork(t *testing.T) {
	dir := t.TempDir()
	p := inDir{t, filepath.Join(dir, "data")}
	t.Setenv("ROZNAMCHA_DIR", p.dir)
	p.must("open", "--name", "examples", "--country", "PK", "--zone", "Asia/Karachi")
	serve := p.serve()
	p.dial().Close()
	root := (&program{}).root()
	examples := func(name string) (lines []string) {
		cmd, _, err := root.Find([]string{name})
		if err != nil || !cmd.HasExample() {
			t.Fatalf("%s: no example: %v", name, err)
		}
		for line := range strings.Lines(cmd.Example) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
		return lines
	}
	for _, line := range examples("work") {
		w := &process{t: t, Cmd: exec.CommandContext(t.Context(), "sh", "-c", "exec "+line), stderr: new(lockedBuffer)}
		w.Dir, w.Cmd.Stderr = dir, w.stderr
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		waitUntil(t, line, func() bool { return strings.Contains(w.stderr.String(), "tables: ") })
		for _, line := range examples("promote") {
			waitUntil(t, "the pointer", func() bool { code, _, _ := p.run("promote"); return code == 0 })
			typeExample(t, dir, line)
		}
		w.interrupt()
	}
	serve.interrupt()
}

// TestStatusOfTables: status says what readers of the tables find when nobody keeps
// them: how far behind they are, a pointer that leads nowhere, a bucket that loses
// them; and promote refuses what it cannot compare.
func TestStatusOfTables(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.opened("test")
	serve := p.serve()
	nc := p.dial()
	defer nc.Close()
	w := p.work()
	waitUntil(t, "the worker", func() bool { return strings.Contains(w.stderr.String(), "tables: ") })
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	says := func(want string) {
		t.Helper()
		waitUntil(t, want, func() bool { return strings.Contains(p.must("status"), want) })
	}
	says("readers are led to totals.r1.v1 · the oldest of 3, all, is of entry 1 · lag 0 entries, 0.0 s")
	w.interrupt()
	p.recordRaids("karachi", 1, 1)
	says("the oldest of 3, all, is of entry 1 · lag 1 entry, ")

	kv, err := js.KeyValue(t.Context(), worker.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(t.Context(), worker.CurrentKey, "nonsense"); err != nil {
		t.Fatal(err)
	}
	says(`readers are led to "nonsense", where there are none. Try: roznamcha promote`)
	w = p.start("work", "--table", "all", "--as-version", "2")
	waitUntil(t, "the worker", func() bool { return strings.Contains(w.stderr.String(), "tables: ") })
	waitUntil(t, "its trouble", func() bool { return strings.Contains(w.stderr.String(), "leads readers nowhere") })
	if code, out, errs := p.run("promote", "2"); code != exitFound || !strings.Contains(out, "nothing to hold totals.r1.v2 against. Try: --accept") {
		t.Errorf("promoted: exit code %d\n%s%s", code, out, errs)
	}
	p.must("promote", "2", "--accept")
	says("readers are led to totals.r1.v2 · the oldest of 1, all, is of entry 2 · ")

	stream, err := js.Stream(t.Context(), "KV_"+worker.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.MaxAge = time.Hour
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	says("tables      bucket roznamcha-tables is not safe for tables: max_age is 1h0m0s, must be 0s. Try: ")
	if code, _, errs := p.run("promote", "2"); code != exitFailed || !strings.Contains(errs, "max_age") {
		t.Errorf("promoted: exit code %d\n%s", code, errs)
	}
	w.interrupt()
	serve.interrupt()
}

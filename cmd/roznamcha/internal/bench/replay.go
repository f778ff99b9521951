package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// read measures all that reads, on one ledger after the other.
func (r *run) read(ctx context.Context) error {
	for i, each := range entrySizes {
		last := i == len(entrySizes)-1
		number := fmt.Sprint("/", each)
		if r.wants("replay/nothing"+number, "replay/totals"+number, "size/disk"+number, "size/memory"+number) || last && r.wants("start") {
			if err := r.readLedger(ctx, each, last); err != nil {
				return err
			}
		}
	}
	return nil
}

// readLedger fills a ledger with so many events an entry and measures what
// there is to measure with it; also the start of a recorder, if starts.
func (r *run) readLedger(ctx context.Context, each int, starts bool) (err error) {
	dir, remove, err := r.dir(fmt.Sprint("read-", each))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	writers := newWriters(r.facts, 60)
	if err := fill(ctx, dir, writers, r.eventsOf(each), each); err != nil {
		return err
	}
	if res := r.results[fmt.Sprint("size/disk/", each)]; res != nil {
		bytes, err := bytesOnDisk(dir)
		if err != nil {
			return err
		}
		r.add(res, float64(bytes)/float64(r.eventsOf(each)))
	}
	if err := r.replayLedger(ctx, dir, each, writers); err != nil || !starts {
		return err
	}
	return r.starts(ctx, dir, writers)
}

// replayLedger measures replays, and the consumer that does nothing.
func (r *run) replayLedger(ctx context.Context, dir string, each int, writers []*writer) (err error) {
	s, err := openSite(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r.report.Store.measuredOn(s)
	tail, err := s.ledger.Tail(ctx)
	if err != nil {
		return err
	}
	events := float64(r.eventsOf(each))
	name := func(what string) string { return fmt.Sprintf("%s/%d", what, each) }
	for round := range r.config.Rounds + 1 { // the first fills the caches
		if r.wants(name("replay/nothing")) {
			busy := cpuTime()
			took, err := doNothing(ctx, s.js, tail)
			if err != nil {
				return err
			}
			if res := r.results[name("replay/nothing")]; round > 0 {
				r.add(res, events/took.Seconds())
				res.spend(cost{cpuTime() - busy, r.eventsOf(each)})
			}
		}
		if round > 0 && !r.wants(name("replay/totals"), name("size/memory")) {
			continue
		}
		took, cpu, memory, err := r.replay(ctx, fmt.Sprintf("of %d an entry", each), s, writers, round == 0)
		if err != nil {
			return err
		}
		if round > 0 {
			if res := r.results[name("replay/totals")]; res != nil {
				r.add(res, events/took.Seconds())
				res.spend(cpu)
			}
			r.add(r.results[name("size/memory")], memory/events)
		}
	}
	return nil
}

// doNothing reads the stream up to an entry with the ordered consumer of
// nats.go, and does nothing with it.
func doNothing(ctx context.Context, js jetstream.JetStream, tail uint64) (took time.Duration, err error) {
	began := time.Now()
	done := make(chan struct{})
	n := uint64(0)
	stop, err := follow(ctx, js, eventstore.StreamName, 1, func(jetstream.Msg) {
		if n++; n == tail {
			close(done)
		}
	})
	if err != nil {
		return 0, err
	}
	defer stop()
	select {
	case <-done:
		return time.Since(began), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// replay replays into totals and gives the bytes that register and totals live
// in. It is an error where the ledger is not what writers have published; if
// report, that is a proof.
func (r *run) replay(ctx context.Context, ledger string, s *site, writers []*writer, report bool) (took time.Duration, spent cost, memory float64, err error) {
	totals, busy := projections.NewTotals(), cpuTime()
	reg, stats, err := projections.Replay(ctx, s.ledger, projections.ReplayOptions{}, totals)
	if err != nil {
		return 0, spent, 0, err
	}
	spent = cost{cpuTime() - busy, stats.Lines}
	with := liveHeap()
	proof, err := proofOf(ledger, reg, stats, totals, writers)
	if err != nil {
		return 0, spent, 0, err
	}
	runtime.KeepAlive(reg)
	runtime.KeepAlive(totals)
	if report {
		r.report.Proofs = append(r.report.Proofs, proof)
	}
	reg, totals = nil, nil
	return stats.Took, spent, with - liveHeap(), nil
}

// prove replays a ledger for a proof only.
func (r *run) prove(ctx context.Context, ledger string, s *site, writers []*writer) error {
	_, _, _, err := r.replay(ctx, ledger, s, writers, true)
	return err
}

// proofOf holds a replay against what was answered accepted.
func proofOf(ledger string, reg *domain.Register, stats projections.Stats, totals *projections.Totals, writers []*writer) (Proof, error) {
	table, err := totals.Query(projections.Query{Columns: []projections.Column{{Measure: projections.Arrests}}})
	if err != nil {
		return Proof{}, err
	}
	want, got := sumOf(writers), published{stats.Accepted - 1, table.Total.Cells[0].Sum.Value}
	if got != want || stats.Lines != stats.Accepted || stats.Entries != reg.Last() {
		return Proof{}, fmt.Errorf("the ledger %s does not hold what was published: %+v was answered accepted, %+v is there (%+v)", ledger, want, got, stats)
	}
	return Proof{Ledger: ledger, Entries: stats.Entries, Events: got.events, Persons: got.persons}, nil
}

// liveHeap is how many bytes live on the heap. Twice collected, the buffers
// that are kept for reuse are gone.
func liveHeap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

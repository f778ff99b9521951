package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"time"

	"roznamcha/cmd/roznamcha/internal/metrics"
	"roznamcha/cmd/roznamcha/internal/service"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections/worker"
)

// sampleServe is what the metrics of serve say now.
func (p *program) sampleServe(ctx context.Context, l *eventstore.Ledger, live *liveTotals, recording *service.Service, appends *metrics.Appends) (s metrics.Sample) {
	live.recorder.View(func(reg *domain.Register) {
		s.Stats = live.stats
		s.Stats.Entries = reg.Last()
		s.Exceptions = live.exceptions.Counts(0)
	})
	s.Lag, s.Snapshot = lagOf(ctx, l, s.Stats.Entries), p.snapshotSaved()
	counts := recording.Recorded()
	s.Appends, s.Codes = appends, map[domain.Code]uint64{eventstore.Busy: 0, eventstore.DiskFull: 0, eventstore.OutcomeUnknown: 0}
	maps.Copy(s.Codes, counts.Codes)
	s.Results = map[string]uint64{
		domain.Accepted.String(): counts.Accepted, domain.Duplicate.String(): counts.Duplicate,
		domain.Refused.String(): counts.Refused, eventstore.Unanswered: counts.Unanswered,
	}
	return s
}

// sampleWork is what the metrics of a worker say now.
func (p *program) sampleWork(ctx context.Context, l *eventstore.Ledger, w *worker.Worker) metrics.Sample {
	is := w.Status()
	return metrics.Sample{
		Stats: is.Stats, Lag: lagOf(ctx, l, is.Stats.Entries), Exceptions: w.Exceptions(),
		Tables: is.Tables, Answered: is.Answered, Publishing: is.Trouble == "", Current: is.Current,
		Snapshot: p.snapshotSaved(),
	}
}

// lagOf is the lag of who stands at an entry; nil where the server does not say.
func lagOf(ctx context.Context, l *eventstore.Ledger, entry uint64) *worker.Lag {
	lag, err := worker.LagOf(ctx, l, entry)
	if err != nil {
		return nil
	}
	return &lag
}

// snapshotSaved is when the snapshot was saved; zero where there is none.
func (p *program) snapshotSaved() (saved time.Time) {
	if info, err := os.Stat(p.snapshotPath()); err == nil {
		saved = info.ModTime()
	}
	return saved
}

// offerMetrics offers metrics at an address, "" for nowhere, until the function
// that it returns is called.
func (p *program) offerMetrics(address string, take metrics.Take) (end func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	offered, err := metrics.Serve(address, version(), take)
	if err != nil {
		return nil, &wrongUse{err}
	}
	fmt.Fprintf(p.errs, "metrics: %s\n", offered.URL())
	return func() { _ = offered.Close() }, nil
}

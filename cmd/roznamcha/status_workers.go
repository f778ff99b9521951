package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/nats-io/nats.go"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore"
	"roznamcha/projections/worker"
)

// workerStanding is how one worker stands, and how far it is behind.
type workerStanding struct {
	worker.Status
	Lag worker.Lag `json:"lag"`
}

// workersOf are the workers that answer, in the order of where they run.
func workersOf(ctx context.Context, nc *nats.Conn, l *eventstore.Ledger) (all []workerStanding, err error) {
	tail, err := l.Tail(ctx) // before the workers are: their answers take a while
	if err != nil {
		return nil, err
	}
	answers, err := worker.Workers(ctx, nc)
	for _, is := range answers {
		lag, err := worker.LagBehind(ctx, l, tail, is.Stats.Entries)
		if err != nil {
			return nil, err
		}
		all = append(all, workerStanding{is, lag})
	}
	slices.SortFunc(all, func(a, b workerStanding) int {
		return cmp.Or(cmp.Compare(a.Prefix, b.Prefix), cmp.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID))
	})
	return all, err
}

// addWorkers adds a line for each worker, and one for what hinders it.
func addWorkers(add func(name, format string, args ...any), workers []workerStanding) {
	for _, w := range workers {
		read := ""
		if !w.Current {
			read = " (readers are led elsewhere)"
		}
		add("worker", "%s %d · %s%s · entry %s · lag %s, %.1f s · %.1f entries/s, %.1f events/s",
			print.Clean(w.Host), w.PID, print.Clean(w.Prefix), read, print.Count(w.Stats.Entries),
			print.Plural(w.Lag.Entries, "entry"), w.Lag.Seconds, w.EntriesRate, w.LinesRate)
		if w.Trouble != "" {
			add("", "%s", print.Clean(w.Trouble))
		}
		for _, t := range w.Tables {
			if t.Problem != "" {
				add("", "table %s: %s", t.Name, print.Clean(t.Problem))
			}
		}
	}
}

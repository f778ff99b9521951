package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

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

// tablesStanding is what readers of the workers' tables find, and how far the
// oldest is behind. Problem is why that cannot be told.
type tablesStanding struct {
	*worker.Kept
	Lag     worker.Lag `json:"lag"`
	Problem string     `json:"problem,omitempty"`
}

// tablesKept is what readers find when the ledger ends at tail; nil where no worker
// ever published.
func tablesKept(ctx context.Context, nc *nats.Conn, l *eventstore.Ledger, tail uint64) *tablesStanding {
	kept, err := worker.Look(ctx, nc)
	if errors.Is(err, worker.ErrNoBucket) {
		return nil
	}
	is := &tablesStanding{Kept: kept}
	if err == nil {
		if oldest, ok := kept.Oldest(); ok {
			is.Lag, err = worker.LagBehind(ctx, l, tail, oldest.Entry)
		}
	}
	if err != nil { // the ledger's own standing is told all the same
		is.Problem = err.Error()
	}
	return is
}

// standingOfWorkers adds to is the workers that answer, in the order of where they
// run, those that do no more, and what readers find.
func (is *standing) standingOfWorkers(ctx context.Context, nc *nats.Conn, l *eventstore.Ledger) error {
	tail, err := l.Tail(ctx) // before the workers are: their answers take a while
	if err != nil {
		return err
	}
	is.Tables = tablesKept(ctx, nc, l, tail)
	answers, err := worker.Workers(ctx, nc)
	if err != nil {
		return err
	}
	if is.Gone, err = worker.WorkersGone(ctx, nc, answers); err != nil { // the others are told all the same
		is.GoneProblem = err.Error()
	}
	for _, w := range answers {
		lag, err := worker.LagBehind(ctx, l, tail, w.Stats.Entries)
		if err != nil {
			return err
		}
		is.Workers = append(is.Workers, workerStanding{w, lag})
	}
	slices.SortFunc(is.Workers, func(a, b workerStanding) int {
		return cmp.Or(cmp.Compare(a.Prefix, b.Prefix), cmp.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID))
	})
	return nil
}

// addTables adds a line for what readers find.
func addTables(add func(name, format string, args ...any), is *tablesStanding) {
	switch {
	case is == nil:
		return
	case is.Problem != "":
		add("tables", "%s", print.Clean(is.Problem))
		return
	}
	oldest, ok := is.Oldest()
	if !ok {
		add("tables", "readers are led to %s, where there are none. Try: roznamcha promote", print.Clean(strconv.Quote(is.Prefix)))
		return
	}
	add("tables", "readers are led to %s · the oldest of %d, %s, is of entry %s · lag %s, %.1f s",
		is.Prefix, len(is.Kept.Tables), oldest.Name, print.Count(oldest.Entry), print.Plural(is.Lag.Entries, "entry"), is.Lag.Seconds)
}

// mostGone is how many workers that answer no more a person is shown.
const mostGone = 5

// addGone adds a line for each worker that answers no more, the latest first.
func addGone(add func(name, format string, args ...any), gone []worker.Gone, problem string) {
	if problem != "" {
		add("workers", "which answer no more cannot be told: %s", print.Clean(problem))
	}
	for i, w := range gone {
		if i == mostGone {
			add("", "… and %s of the last day: --json shows all", print.Plural(len(gone)-i, "worker"))
			return
		}
		add("worker", "%s %d · %s · does not answer: last seen %s, at entry %s",
			print.Clean(w.Host), w.PID, print.Clean(w.Prefix), w.Seen.Format(time.RFC3339), print.Count(w.Stats.Entries))
		if w.Trouble != "" {
			add("", "%s", print.Clean(w.Trouble))
		}
	}
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

package main

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore"
	"roznamcha/projections/sink"
	"roznamcha/projections/worker"
)

// sinkTold is what was last told of a database that is fed, and how far that is
// behind.
type sinkTold struct {
	sink.Sink
	// Silent tells that its process was not heard of, though it did not end.
	Silent bool       `json:"silent,omitempty"`
	Lag    worker.Lag `json:"lag"`
}

// sinksOf are the sinks that ever told of themselves, against a ledger that ends
// as end says.
func sinksOf(ctx context.Context, nc *nats.Conn, l *eventstore.Ledger, end eventstore.Status) (all []sinkTold, err error) {
	told, err := sink.Sinks(ctx, nc)
	for _, one := range told {
		lag, err := worker.LagBehind(ctx, l, end.Entries, one.Entry)
		if err != nil {
			return nil, err
		}
		all = append(all, sinkTold{one, one.Silent(end.Asked), lag})
	}
	return all, err
}

// addSinks adds a line for each sink, and one for what is wrong with it.
func addSinks(add func(name, format string, args ...any), sinks []sinkTold, problem string) {
	if problem != "" {
		add("sinks", "cannot be told: %s", print.Clean(problem))
	}
	for _, s := range sinks {
		since := ""
		switch {
		case s.Ended:
			since = " · ended " + s.Told.Format(time.RFC3339)
		case s.Silent:
			since = " · not heard of since " + s.Told.Format(time.RFC3339)
		}
		add("sink", "%s · entry %s · lag %s, %.1f s · %d parked%s", print.Clean(s.Database), print.Count(s.Entry),
			print.Plural(s.Lag.Entries, "entry"), s.Lag.Seconds, s.Parked, since)
		if p := s.First; p != nil {
			add("", "parked first: row %d of %s, position %d:%d: %s", p.Number, p.Table, p.Entry, p.Line, print.Clean(p.Reason))
		}
		for _, trouble := range []string{s.Away, s.Error} {
			if trouble != "" {
				add("", "%s", print.Clean(trouble))
			}
		}
	}
}

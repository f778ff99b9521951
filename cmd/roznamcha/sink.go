package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roznamcha/cmd/roznamcha/internal/metrics"
	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/eventstore"
	"roznamcha/projections"
	"roznamcha/projections/sink"
)

func (p *program) sinkCommand() *cobra.Command {
	var once, status bool
	var metricsAt string
	var wait atLeast
	cmd := &cobra.Command{
		Use:   "sink DATABASE",
		Short: "Feed a database for BI tools and SQL",
		Long: `Feed facts, totals and exceptions into a database: PostgreSQL, named by a URL
(postgres://user@host/database; everything is in the schema roznamcha), or SQLite,
named by a file, which is made where there is none.

It goes on with what is recorded until interrupted; with --once it ends when the
database has what the ledger had at the start. Rows and place are written
together, so it may be killed at any moment, and several may feed one database.
Once the database has been reached it is waited for while it is away.

A row that the database refuses is parked in the table parked, with its position
and the reason, and the rest goes on; every start tries the parked rows again.
What is parked is missing from every sum.

roznamcha status shows the database, how far it is and what is parked there, also
when no sink feeds it any more. Where serve or work has left a snapshot in the
data directory a start reads the ledger from there, and else from entry 1.

--status tells how far the database is and what is parked there; --at-least too,
when it has an entry, such as that of a receipt, or "not yet" with exit code 1;
--within says how long to wait for it. Neither needs the ledger. Both, and
--once, end with exit code 3 where rows are parked.

What the tables mean is written in them: \d+ of psql, .schema of sqlite3.`,
		Example: `  roznamcha sink facts.db --once
  roznamcha sink facts.db --status
  roznamcha sink facts.db --at-least 2:1 --within 5s`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := wait.parse(cmd); err != nil {
				return err
			}
			switch {
			case wait.entry > 0:
				return p.waitForSink(cmd.Context(), args[0], wait)
			case status:
				return p.sinkStatus(cmd.Context(), args[0])
			}
			return p.sink(cmd.Context(), args[0], once, metricsAt)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&once, "once", false, "end when the database has what the ledger has now")
	flags.StringVar(&metricsAt, "metrics", "", "`ADDRESS` to offer metrics for Prometheus at, such as 127.0.0.1:9465")
	flags.BoolVar(&status, "status", false, "only tell how far the database is")
	wait.flags(cmd, "only tell how far the database is, when it has this `ENTRY`, or the position of a receipt such as 1234:2")
	cmd.MarkFlagsMutuallyExclusive("once", "status", "at-least")
	cmd.MarkFlagsMutuallyExclusive("metrics", "status", "at-least")
	return cmd
}

// openSink opens the database of that name.
func openSink(ctx context.Context, where string, create bool) (*sink.Database, error) {
	db, err := sink.Open(ctx, where, create)
	if errors.Is(err, sink.ErrUnknownDatabase) {
		return nil, &wrongUse{err}
	}
	return db, err
}

// waitForSink waits until a database has an entry.
func (p *program) waitForSink(ctx context.Context, where string, wait atLeast) error {
	waiting, cancel := context.WithTimeout(ctx, wait.within)
	defer cancel()
	asking, stop := context.WithTimeout(ctx, max(wait.within, sink.AnswerPatience))
	defer stop()
	return p.withSink(asking, where, func(db *sink.Database) error {
		at, err := db.Wait(waiting, wait.entry)
		var notYet *projections.NotYetError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &notYet):
			return fmt.Errorf("%s: %w; and see that a sink feeds it", db.Name, err)
		case err != nil:
			return fmt.Errorf("%s: %w", db.Name, err)
		}
		return p.printParked(asking, db, at)
	})
}

// sinkStatus tells how a database stands.
func (p *program) sinkStatus(ctx context.Context, where string) error {
	return p.withSink(ctx, where, func(db *sink.Database) error {
		at, err := db.Place(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", db.Name, err)
		}
		return p.printParked(ctx, db, at)
	})
}

// printParked prints how a database stands that is at a place; a *foundError
// where rows are parked.
func (p *program) printParked(ctx context.Context, db *sink.Database, at sink.Place) error {
	parked, err := db.Parked(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", db.Name, err)
	}
	if err := p.printSink(newSinkStanding(db, at, parked)); err != nil || len(parked) == 0 {
		return err
	}
	return &foundError{}
}

// withSink works on a database that is only asked.
func (p *program) withSink(ctx context.Context, where string, work func(*sink.Database) error) error {
	db, err := openSink(ctx, where, false)
	if err != nil {
		return err
	}
	return errors.Join(work(db), db.Close())
}

// sink feeds a database until it is done or interrupted.
func (p *program) sink(ctx context.Context, where string, once bool, metricsAt string) error {
	if err := p.checkDir(); err != nil {
		return err
	}
	if err := sink.CheckName(where); err != nil {
		return &wrongUse{err}
	}
	feed := func(ctx context.Context, s *session) error { return p.feedFrom(ctx, s, where, once, metricsAt) }
	var err error
	if once {
		err = p.withSession(ctx, feed)
	} else {
		err = p.withLasting(ctx, feed)
	}
	if ctx.Err() != nil && !once && errors.Is(err, context.Canceled) {
		err = nil // interrupted is how it ends
	}
	return err
}

// withLasting is withSession that waits for a server for as long as it is away.
func (p *program) withLasting(ctx context.Context, work func(context.Context, *session) error) error {
	s, err := p.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(work(ctx, s), s.close())
}

// feedFrom feeds the database where from the ledger of s. A file is made only
// when there is something to feed it.
func (p *program) feedFrom(ctx context.Context, s *session, where string, once bool, metricsAt string) error {
	if s.server != nil && !once {
		return wrong("nobody serves %s, so nothing can be recorded while the sink follows it. Try: roznamcha serve --dir %s beside it, or --once", p.dir, shellWord(p.dir))
	}
	l, err := s.open(ctx)
	if err != nil {
		return p.noLedger(err)
	}
	db, err := openSink(ctx, where, true)
	if err != nil {
		return err
	}
	told := db.Announce(s.nc, l, version(), p.say)
	offered, err := p.offerMetrics(metricsAt, func(ctx context.Context) metrics.Sample {
		is := told.Sink()
		return metrics.Sample{Stats: projections.Stats{Entries: is.Entry}, Lag: lagOf(ctx, l, is.Entry), Sink: &is}
	})
	if err != nil {
		told.End(sink.Place{}, err)
		return errors.Join(err, db.Close())
	}
	defer offered()
	err = p.feed(ctx, db, l, told, once)
	return wentAway(errors.Join(err, db.Close()))
}

// say says what a person should know.
func (p *program) say(message string) { fmt.Fprintln(p.errs, print.Clean(message)) }

// feed feeds db, and tells what a person should know.
func (p *program) feed(ctx context.Context, db *sink.Database, l *eventstore.Ledger, told *sink.Announcer, once bool) error {
	progress := p.progress("entries")
	defer progress.Done()
	live := false
	at, err := db.Feed(ctx, l, sink.Options{
		Once: once,
		Say:  p.say,
		Start: func(ctx context.Context, entry uint64, kept ...projections.Kept) (*projections.Start, error) {
			return p.start(ctx, l, projections.AsOfEntry(entry), kept...)
		},
		Stands: told.Tell,
		Progress: func(entry, tail uint64) {
			if !live {
				progress.Update(int64(entry), float64(entry)/float64(tail))
			}
		},
		CaughtUp: func(at sink.Place) error {
			live = true
			progress.Done()
			if once {
				return nil
			}
			parked, err := db.Parked(ctx)
			if err != nil {
				return nil // it goes away: said elsewhere
			}
			_, err = fmt.Fprintf(p.out, "%s has everything up to entry %s%s; following\n", db.Name, print.Count(at.Entry), parkedText(parked))
			return err
		},
	})
	told.End(at, err)
	if err != nil || !once {
		return err
	}
	return p.printParked(ctx, db, at)
}

func parkedText(parked []sink.Parked) string {
	if len(parked) == 0 {
		return ""
	}
	return ", but for " + print.Plural(len(parked), "parked row")
}

// sinkStanding is how a database stands.
type sinkStanding struct {
	Database string    `json:"database"`
	Entry    uint64    `json:"entry"`
	Recorded time.Time `json:"recorded,omitzero"`
	// KnownUntil is up to when everything that was recorded is there.
	KnownUntil time.Time     `json:"known_until,omitzero"`
	Ledger     string        `json:"ledger,omitempty"`
	Rules      int           `json:"rules,omitempty"`
	State      string        `json:"state,omitempty"`
	Parked     []sink.Parked `json:"parked"`
}

func newSinkStanding(db *sink.Database, at sink.Place, parked []sink.Parked) sinkStanding {
	return sinkStanding{db.Name, at.Entry, at.Recorded, at.KnownUntil, at.Ledger, at.Rules, at.State, append([]sink.Parked{}, parked...)}
}

// maxParkedShown is how many parked rows a person is shown.
const maxParkedShown = 10

// printSink prints it, for a person in a few lines.
func (p *program) printSink(is sinkStanding) error {
	if p.json {
		return print.JSON(p.out, is)
	}
	var b strings.Builder
	if is.Entry == 0 {
		fmt.Fprintf(&b, "%s has nothing yet\n", is.Database)
	} else {
		fmt.Fprintf(&b, "%s has everything up to entry %s%s\n", is.Database, print.Count(is.Entry), parkedText(is.Parked))
	}
	for i, parked := range is.Parked {
		if i == maxParkedShown {
			fmt.Fprintf(&b, "… and %s: SELECT * FROM parked\n", print.Plural(len(is.Parked)-i, "more row"))
			break
		}
		fmt.Fprintf(&b, "parked: row %d of %s, position %d:%d: %s\n", parked.Number, parked.Table, parked.Entry, parked.Line, print.Clean(parked.Reason))
	}
	if is.Entry > 0 {
		fmt.Fprintln(&b, print.Clean(citationLine(projections.Citation{Ledger: is.Ledger, Entry: is.Entry, Recorded: is.Recorded, Rules: is.Rules, State: is.State})))
	}
	_, err := fmt.Fprint(p.out, b.String())
	return err
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/natscontext"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
	"roznamcha/projections"
)

const (
	// busyPatience is how long a command waits for another command that has the
	// data directory and will be done in a moment.
	busyPatience = 10 * time.Second
	// awayPatience is how long a command that wants an answer now waits for a
	// server that went away.
	awayPatience = 10 * time.Second
)

// session is a connection to the server that keeps the ledger.
type session struct {
	nc *nats.Conn
	// server is the one that this command runs for itself; nil for another's.
	server *embedded.Server
	// room refuses to record where the disk of this machine is nearly full; nil
	// for a server elsewhere.
	room func() error
	// highWater is the file that says how far the ledger was read; "" for none.
	// Who runs the server moves it on, or who was told to with --dir.
	highWater string
	keeps     bool
}

// highWaterFile is its name in the data directory.
const highWaterFile = "high-water.json"

// withLedger opens the ledger that is there, works on it, and leaves nothing
// running behind. The context of work also ends when the server stays away.
func (p *program) withLedger(ctx context.Context, work func(context.Context, *eventstore.Ledger) error) error {
	return p.withLedgerThatHas(ctx, &atLeast{}, work)
}

// withLedgerThatHas is withLedger once the ledger has the entry that is waited
// for, if one is.
func (p *program) withLedgerThatHas(ctx context.Context, wait *atLeast, work func(context.Context, *eventstore.Ledger) error) error {
	if err := p.checkDir(); err != nil {
		return err
	}
	defer p.saveRead(ctx)
	return p.withSession(ctx, func(ctx context.Context, s *session) error {
		l, err := s.open(ctx)
		if err != nil {
			return p.noLedger(err)
		}
		if s.server != nil {
			wait.within = 0 // nobody else can record while it runs here
		}
		if err = wait.until(ctx, l); err == nil {
			err = work(ctx, l)
		}
		return wentAway(err)
	})
}

// wentAway tells of a ledger that was open and is there no more, which another
// one would not mend.
func wentAway(err error) error {
	if !errors.Is(err, eventstore.ErrNoLedger) {
		return err
	}
	return fmt.Errorf("the ledger went away: it was open, and the server has no stream %s any more; what was not answered may have been recorded or not. Try: stop whatever records, and restore the server's store from a copy", eventstore.StreamName)
}

// joinOther joins err with what closing something said, unless that is why
// there is an err.
func joinOther(err, closing error) error {
	if closing == nil || errors.Is(err, closing) {
		return err
	}
	return errors.Join(err, closing)
}

// withSession connects, works, and disconnects.
func (p *program) withSession(ctx context.Context, work func(context.Context, *session) error) error {
	s, err := p.connect(ctx)
	if err != nil {
		return err
	}
	watched, stop := watch(ctx, s.nc)
	err = work(watched, s)
	if cause := context.Cause(watched); errors.Is(cause, eventstore.ErrUnavailable) && err != nil {
		err = cause
	}
	stop()
	return errors.Join(err, s.close())
}

// connect finds the server: the one that --nats or --context names, the one of
// a running serve on the data directory, or one of its own.
func (p *program) connect(ctx context.Context) (*session, error) {
	if p.remote() {
		return p.connectNamed()
	}
	for began, told := time.Now(), false; ; {
		nc, server, err := embedded.Attach(ctx, p.dir, embedded.Options{})
		var used *embedded.InUseError
		switch {
		case err == nil && server == nil:
			return &session{nc: nc, room: p.room, highWater: p.highWater()}, nil
		case err == nil:
			return p.ownSession(nc, server), nil
		case !errors.As(err, &used) || used.Serving || time.Since(began) > busyPatience:
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !told {
			told = true
			p.note("waiting for process %d, which has %s …", used.PID, p.dir)
		}
	}
}

// ownSession is a session with a server of this program.
func (p *program) ownSession(nc *nats.Conn, server *embedded.Server) *session {
	return &session{nc: nc, server: server, room: server.Room, highWater: p.highWater(), keeps: true}
}

// connectNamed connects to the server that --nats or --context names. Where
// --dir is given too, the high-water file is kept there.
func (p *program) connectNamed() (*session, error) {
	s := &session{}
	if p.dirGiven {
		if _, err := os.Stat(filepath.Join(p.dir, "jetstream")); err == nil {
			return nil, wrong("%s holds a ledger of its own, and --nats or --context names another. Try: without one of them", p.dir)
		}
		if err := os.MkdirAll(p.dir, 0o755); err != nil {
			return nil, fmt.Errorf("%w. Try: another --dir, which keeps the high-water file", err)
		}
		s.highWater, s.keeps = p.highWater(), true
	}
	var err error
	s.nc, err = p.connectRemote()
	return s, err
}

func (p *program) highWater() string { return filepath.Join(p.dir, highWaterFile) }

// room tells whether there is room to record in the data directory.
func (p *program) room() error { return embedded.Room(p.dir) }

// remote tells whether the ledger is on a server that was named.
func (p *program) remote() bool { return p.nats != "" || p.context != "" }

func (p *program) connectRemote() (*nats.Conn, error) {
	if p.nats != "" {
		return eventstore.Connect(p.nats)
	}
	nc, settings, err := natscontext.Connect(p.context, eventstore.ConnectOptions()...)
	switch {
	case err != nil && (strings.HasPrefix(err.Error(), "unknown context") || strings.HasPrefix(err.Error(), "invalid context")):
		return nil, fmt.Errorf("%w. Try: nats context ls", err)
	case err != nil:
		return nil, eventstore.ConnectError("context "+p.context, err)
	case settings.JSDomain != "" || settings.JSAPIPrefix != "":
		nc.Close()
		return nil, fmt.Errorf("context %s names a JetStream domain or prefix, which the ledger cannot be reached through. Try: a context of the server that keeps it", p.context)
	}
	return nc, nil
}

// open opens the ledger that is there, and sees that it did not go back.
func (s *session) open(ctx context.Context) (*eventstore.Ledger, error) {
	return s.opened(ctx, func() (*eventstore.Ledger, error) { return eventstore.Open(ctx, s.nc) })
}

// create is open that makes the ledger's stream where there is none, and never
// was.
func (s *session) create(ctx context.Context, replicas int) (*eventstore.Ledger, error) {
	l, err := s.open(ctx)
	if !errors.Is(err, eventstore.ErrNoLedger) {
		return l, err
	}
	if s.room != nil {
		if err := s.room(); err != nil {
			return nil, err
		}
	}
	return s.opened(ctx, func() (*eventstore.Ledger, error) { return eventstore.Create(ctx, s.nc, replicas) })
}

func (s *session) opened(ctx context.Context, open func() (*eventstore.Ledger, error)) (*eventstore.Ledger, error) {
	l, err := open()
	if errors.Is(err, eventstore.ErrNoLedger) {
		return nil, cmp.Or(eventstore.CheckLost(s.highWater), err)
	}
	if err != nil {
		return nil, err
	}
	if s.room != nil {
		l.Guard(s.room)
	}
	return l, s.stands(ctx, l)
}

// stands tells whether l reaches its high-water mark.
func (s *session) stands(ctx context.Context, l *eventstore.Ledger) error {
	switch {
	case s.highWater == "":
		return nil
	case s.keeps:
		return l.KeepHighWater(ctx, s.highWater)
	}
	return l.CheckHighWater(ctx, s.highWater)
}

// close ends the connection, and the server if it is this command's own.
func (s *session) close() error {
	s.nc.Close()
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}

// checkDir sees that there may be a ledger in the data directory, so that a
// question makes no new one.
func (p *program) checkDir() error {
	if p.remote() {
		return nil
	}
	_, err := os.Stat(filepath.Join(p.dir, "jetstream"))
	if errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(eventstore.CheckLost(p.highWater()), p.noLedger(eventstore.ErrNoLedger))
	}
	if err != nil {
		return fmt.Errorf("data directory %s: %w. Try: another --dir", p.dir, err)
	}
	return nil
}

// noLedger says where there is no ledger, and how to make one.
func (p *program) noLedger(err error) error {
	if !errors.Is(err, eventstore.ErrNoLedger) {
		return err
	}
	where, flag := "in "+p.dir, "--dir "+shellWord(p.dir)
	switch {
	case p.nats != "":
		where, flag = "on that server", "--nats URL"
	case p.context != "":
		where, flag = "on the server of context "+p.context, "--context "+shellWord(p.context)
	}
	return fmt.Errorf("%w %s. Try: roznamcha open --name NAME --country PK --zone Asia/Karachi %s", eventstore.ErrNoLedger, where, flag)
}

// watch is ctx that also ends when nc has no server for awayPatience.
func watch(ctx context.Context, nc *nats.Conn) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	changes := nc.StatusChanged(nats.RECONNECTING, nats.CONNECTED)
	go func() {
		var away <-chan time.Time // nil while there is a server
		for {
			select {
			case <-watched.Done():
				return
			case status, open := <-changes:
				switch {
				case !open:
					return
				case status == nats.CONNECTED:
					away = nil
				case away == nil:
					away = time.After(awayPatience)
				}
			case <-away:
				cancel(&eventstore.Error{
					Op: "wait for the server", Kind: eventstore.ErrUnavailable, Err: nc.LastError(),
					Try: "the same again when it runs; what was recorded before stays",
				})
			}
		}
	}()
	return watched, func() { cancel(nil) }
}

// replay reads the ledger into projections that are new, from the snapshot on
// where that has them all, and shows the progress to who waits at a terminal.
func (p *program) replay(ctx context.Context, l *eventstore.Ledger, asOf projections.AsOf, ps ...projections.Projection) (*domain.Register, projections.Stats, error) {
	opts := projections.ReplayOptions{AsOf: asOf}
	began := time.Now()
	kept, worth := projections.Keepable(ps...)
	if worth && len(kept) > 0 {
		var more []projections.Kept
		var err error
		if worth = asOf.IsZero(); worth {
			more, worth, err = p.readOn(ctx, l, kept)
		}
		if kept = append(kept, more...); err == nil {
			opts.From, err = p.start(ctx, l, asOf, kept...)
		}
		if err != nil {
			return domain.NewRegister(), projections.Stats{}, err
		}
		if opts.From == nil { // one that is there is of no use, and would be tried again
			worth = asOf.IsZero()
		}
		for _, one := range more {
			ps = append(ps, one)
		}
	}
	progress := p.progress("entries")
	defer progress.Done()
	opts.Progress = func(entry, tail uint64) { progress.Update(int64(entry), float64(entry)/float64(tail)) }
	reg, stats, err := projections.Replay(ctx, l, opts, ps...)
	stats.Took = time.Since(began)
	if err == nil && worth {
		p.keep(reg, stats, kept)
	}
	return reg, stats, err
}

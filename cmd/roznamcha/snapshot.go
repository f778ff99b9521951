package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// snapshotFile is its name in the data directory. It is a start for what would
// otherwise read the ledger from its first entry, and may be deleted.
const snapshotFile = "snapshot"

// When a snapshot is worth its writing.
const (
	// slowReplay is how long a replay takes that is not to be repeated, and
	// farLines how many lines after a snapshot make a new one worth it.
	slowReplay = time.Second
	farLines   = 200_000
	// snapshotLines is how many lines serve reads at least between two, and
	// snapshotShare which part of all lines; snapshotEvery how much time there is
	// at least between them.
	snapshotLines = 50_000
	snapshotShare = 20
	snapshotEvery = 5 * time.Minute
	// easeMost is how long the writing of one waits at most after a megabyte.
	easeMost = 20 * time.Millisecond
)

// snapshotPath is the snapshot file; "" for a ledger that was named without a
// directory of this machine.
func (p *program) snapshotPath() string {
	if p.remote() && !p.dirGiven {
		return ""
	}
	return filepath.Join(p.dir, snapshotFile)
}

// readOn are what the snapshot file holds besides asked, for a command that reads
// l into asked and has far to read: it reads them on, so that what it saves in the
// end is no less. Where there is no file it saves what it was asked, and worth is
// false where it has not far to read, and saves nothing.
func (p *program) readOn(ctx context.Context, l *eventstore.Ledger, asked []projections.Kept) (more []projections.Kept, worth bool, err error) {
	path := p.snapshotPath()
	if path == "" {
		return nil, false, nil
	}
	saved, err := projections.OpenSnapshot(path)
	if err != nil {
		return nil, true, nil // of no use, which start tells
	}
	defer saved.Close()
	tail, err := l.Tail(ctx)
	if err != nil {
		return nil, false, err
	}
	if has, _ := saved.Has(asked...); has && saved.LinesTo(tail) < farLines {
		return nil, false, nil
	}
	for _, one := range []projections.Kept{projections.NewTotals(), projections.NewExceptions(), projections.NewAmendments()} {
		same := func(k projections.Kept) bool { return reflect.TypeOf(k) == reflect.TypeOf(one) }
		if has, _ := saved.Has(one); has && !slices.ContainsFunc(asked, same) {
			more = append(more, one)
		}
	}
	return more, true, nil
}

// start makes ps, which are new, what they were after the entry of the snapshot,
// if there is one that is of use; nil where there is none, and reading begins at
// entry 1. That its entry is not in the ledger any more is an alarm.
func (p *program) start(ctx context.Context, l *eventstore.Ledger, asOf projections.AsOf, ps ...projections.Kept) (*projections.Start, error) {
	path := p.snapshotPath()
	if path == "" {
		return nil, nil
	}
	return p.orReplaced(path, func() (*projections.Start, error) { return startFrom(ctx, l, path, asOf, ps) })
}

// orReplaced tries to start from the file at path; once more where it is of no
// use, and another took its place meanwhile.
func (p *program) orReplaced(path string, try func() (*projections.Start, error)) (*projections.Start, error) {
	var unusable *projections.UnusableError
	for again := true; ; again = false {
		was, _ := os.Stat(path)
		start, err := try()
		if !errors.As(err, &unusable) {
			return start, err
		}
		if is, _ := os.Stat(path); !again || os.SameFile(was, is) {
			fmt.Fprintln(p.errs, print.Clean(err.Error()+"; the ledger is read from its first entry"))
			return nil, nil
		}
	}
}

// startFrom is start from the file at path. Where that is of no use, the error is
// a *projections.UnusableError; nothing and no error where ps are not in it.
func startFrom(ctx context.Context, l *eventstore.Ledger, path string, asOf projections.AsOf, ps []projections.Kept) (*projections.Start, error) {
	saved, err := projections.OpenSnapshot(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer saved.Close()
	if err := holds(ctx, l, saved, path); err != nil || !saved.Known(asOf) {
		return nil, err
	}
	if has, err := saved.Has(ps...); !has {
		return nil, err
	}
	return saved.Restore(ps...)
}

// holds sees that a snapshot is of l, and l has its last entry as it was: the
// error is a *projections.UnusableError where it is of another ledger, an alarm
// where this one went back.
func holds(ctx context.Context, l *eventstore.Ledger, saved *projections.SavedSnapshot, path string) error {
	var back *eventstore.WentBackError
	err := l.Holds(ctx, saved.First())
	if errors.As(err, &back) && back.Tail >= back.Had {
		return &projections.UnusableError{Path: path, Why: "it is of another ledger"}
	}
	if err == nil {
		err = l.Holds(ctx, saved.Mark())
	}
	if errors.As(err, &back) {
		err = fmt.Errorf("%w; where the loss is known and accepted, move %s away", back, path)
	}
	return err
}

// keep takes a snapshot of what was replayed, so that the next start is quick,
// where that took long; saveRead saves it. Nobody uses reg and ps any more but to
// look at them.
func (p *program) keep(reg *domain.Register, stats projections.Stats, ps []projections.Kept) {
	if stats.Took >= slowReplay && len(ps) > 0 {
		p.read = projections.TakeSnapshot(reg, stats, ps...)
	}
}

// saveRead saves what was kept, when the answer is out and the server is left to
// others. Interrupted it leaves the file that is there.
func (p *program) saveRead(ctx context.Context) {
	if path := p.snapshotPath(); path != "" && p.read != nil && ctx.Err() == nil {
		p.note("saving a snapshot, so that the next start is quick")
		p.save(p.read, path, func() error { return cmp.Or(ctx.Err(), p.room()) })
	}
	p.read = nil
}

// save saves s, and says so where that does not succeed.
func (p *program) save(s *projections.Snapshot, path string, check func() error) (done bool) {
	_, err := s.Save(path, check)
	if err != nil && !errors.Is(err, projections.ErrSaving) && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(p.errs, print.Clean(err.Error()+"; the next start takes longer"))
	}
	return err == nil
}

// snapshots saves what a serve keeps current.
type snapshots struct {
	p    *program
	path string
	live *liveTotals
	// lines is how many lines there were at the last one, taken at that time.
	lines int
	taken time.Time
}

// start makes what is live what it was at the last snapshot, if one is of use;
// nil where it is not.
func (s *snapshots) start(ctx context.Context, l *eventstore.Ledger) (*domain.Register, error) {
	start, err := s.p.start(ctx, l, projections.AsOf{}, s.live.kept()...)
	if start == nil {
		return nil, err
	}
	s.lines, s.live.stats = start.Stats.Lines, start.Stats
	return start.Register, nil
}

// run is keep on a goroutine of its own; stop ends it, when what it may be
// saving is saved.
func (s *snapshots) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { s.keep(ctx) })
	return func() {
		cancel()
		work.Wait()
	}
}

// keep saves a snapshot whenever that is worth it, until ctx is done.
func (s *snapshots) keep(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if time.Since(s.taken) >= snapshotEvery {
			s.save(func(all int) int { return max(snapshotLines, all/snapshotShare) }, s.atEase(ctx))
		}
	}
}

// end saves a last snapshot, for the next start.
func (s *snapshots) end() { s.save(func(int) int { return snapshotLines }, s.p.room) }

// atEase leaves the disk to the recorder for as long as it was just in use. It
// does not go on when ctx is done: the last snapshot is not to wait for this one.
func (s *snapshots) atEase(ctx context.Context) (check func() error) {
	began := time.Now()
	return func() error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(time.Since(began), easeMost)):
		}
		began = time.Now()
		return s.p.room()
	}
}

// save saves a snapshot if there are so many new lines. Recording goes on
// meanwhile; it waits while the snapshot is taken, and not while it is written.
func (s *snapshots) save(lines func(all int) int, check func() error) {
	if s.path == "" {
		return
	}
	var snapshot *projections.Snapshot
	before := s.lines
	s.live.recorder.View(func(reg *domain.Register) {
		if n := s.live.stats.Lines; n-s.lines >= lines(n) {
			s.lines = n
			snapshot = projections.TakeSnapshot(reg, s.live.stats, s.live.kept()...)
		}
	})
	if snapshot == nil {
		return
	}
	s.taken = time.Now()
	if !s.p.save(snapshot, s.path, check) {
		s.lines = before
	}
	s.live.recorder.View(func(*domain.Register) { snapshot.Release() })
}

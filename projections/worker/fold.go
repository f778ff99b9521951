package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// remembered is of how many entries a fold knows the state hash.
const remembered = 4096

// fold is the register and the projections at one entry. Its reader moves it on;
// who looks does so within view.
type fold struct {
	mu         sync.RWMutex
	register   *domain.Register
	totals     *projections.Totals
	exceptions *projections.Exceptions
	stats      projections.Stats
	places     [remembered]place // by entry
	pace       pace

	// moved has a token when an entry came; came is closed by the next one.
	moved chan struct{}
	came  chan struct{}
}

// place is an entry, and the state after it.
type place struct {
	mark  eventstore.Mark
	state [sha256.Size]byte
}

func newFold() *fold {
	return &fold{
		register:   domain.NewRegister(),
		totals:     projections.NewTotals(),
		exceptions: projections.NewExceptions(),
		moved:      make(chan struct{}, 1),
		came:       make(chan struct{}),
	}
}

// restore goes on from a start, whose last entry is at mark, with the projections
// that it filled.
func (f *fold) restore(start *projections.Start, totals *projections.Totals, exceptions *projections.Exceptions, mark eventstore.Mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.register, f.totals, f.exceptions, f.stats = start.Register, totals, exceptions, start.Stats
	f.places[mark.Entry%remembered] = place{mark, start.Register.Hash()}
}

// apply folds the next entry in.
func (f *fold) apply(e domain.Entry) error {
	mark := eventstore.Mark{Entry: e.Number, Hash: e.Hash()}
	f.mu.Lock()
	defer f.mu.Unlock()
	lines := f.stats.Lines
	if err := projections.Fold(f.register, e, f.totals, f.exceptions, &f.stats); err != nil {
		return err
	}
	f.stats.Entries, f.stats.Recorded = e.Number, e.Recorded
	f.places[e.Number%remembered] = place{mark, f.register.Hash()}
	f.pace.add(time.Now(), f.stats.Lines-lines)
	select {
	case f.moved <- struct{}{}:
	default:
	}
	close(f.came)
	f.came = make(chan struct{})
	return nil
}

// entry is the last one.
func (f *fold) entry() uint64 {
	entry, _ := f.last()
	return entry
}

// last is the last entry, and when it was recorded.
func (f *fold) last() (entry uint64, recorded time.Time) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.register.Last(), f.register.Recorded()
}

// now is the place where the fold stands; the caller has the lock.
func (f *fold) now() place { return f.places[f.register.Last()%remembered] }

// at is the place of an entry that is not too long ago.
func (f *fold) at(entry uint64) (p place, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	p = f.places[entry%remembered]
	return p, p.mark.Entry == entry
}

// wait returns when entry is folded in, or *projections.NotYetError when ctx ends before.
func (f *fold) wait(ctx context.Context, entry uint64) error {
	for {
		f.mu.RLock()
		now, came := f.register.Last(), f.came
		f.mu.RUnlock()
		if now >= entry {
			return nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return &projections.NotYetError{Want: entry, Now: now}
		}
	}
}

// value answers q, stamped with s and the place; the caller has the lock. Where
// there is no table the value says why.
func (f *fold) value(s Stamp, q projections.Query, most int) (stamped, error) {
	at := f.now()
	s.Projection, s.Rules, s.Mark, s.State = "totals", domain.RulesVersion, at.mark, hex.EncodeToString(at.state[:])
	t, err := f.totals.Query(q)
	if err != nil {
		return newStamped(s, nil, err.Error(), most)
	}
	t.Cite(f.register)
	return newStamped(s, t, "", most)
}

// paceSeconds is over how long a pace is measured.
const paceSeconds = 10

// pace counts what came in the last seconds.
type pace struct {
	seconds [paceSeconds + 1]struct {
		second         int64
		entries, lines int
	}
}

func (p *pace) add(now time.Time, lines int) {
	second := now.Unix()
	s := &p.seconds[second%int64(len(p.seconds))]
	if s.second != second {
		s.second, s.entries, s.lines = second, 0, 0
	}
	s.entries++
	s.lines += lines
}

// rate is how much came a second, over the last ten whole ones.
func (p *pace) rate(now time.Time) (entries, lines float64) {
	for i := range p.seconds {
		if ago := now.Unix() - p.seconds[i].second; ago > 0 && ago <= paceSeconds {
			entries += float64(p.seconds[i].entries) / paceSeconds
			lines += float64(p.seconds[i].lines) / paceSeconds
		}
	}
	return entries, lines
}

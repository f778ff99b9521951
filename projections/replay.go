package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// ReplayOptions say how much of a ledger to replay.
type ReplayOptions struct {
	// AsOf ends the replay at the last entry that was known then; zero is the
	// tail at the time of the call. Before the first entry there is no ledger,
	// and the replay is an error.
	AsOf AsOf
	// From, unless nil, is what the replay goes on from, with projections that
	// were restored with it: an entry that AsOf knows and Ledger.Holds. It is used
	// up.
	From *Start
	// Progress, unless nil, is told of every entry when it is done, and of the
	// last that there may be. It is called often and should be quick.
	Progress func(entry, tail uint64)
}

// Start is a register that has read a ledger up to some entry, and what was
// counted in it.
type Start struct {
	Register *domain.Register
	Stats    Stats
}

// Stats is what a replay has seen. It is a projection itself.
type Stats struct {
	// Entries is the number of the last entry, recorded at Recorded.
	Entries  uint64    `json:"entries"`
	Recorded time.Time `json:"recorded,omitzero"`
	// Lines is how many lines there were, and the rest what was ruled on them.
	Lines        int `json:"lines"`
	Accepted     int `json:"accepted"`
	Duplicates   int `json:"duplicates"`
	Refused      int `json:"refused"`
	Unrecognised int `json:"unrecognised"`
	// Snapshot is the entry of the snapshot that the replay went on from, 0 for
	// none, and Before how many of the lines were in it.
	Snapshot uint64 `json:"snapshot,omitempty"`
	Before   int    `json:"before,omitempty"`
	// Took is how long the replay took, by this machine's clock.
	Took time.Duration `json:"took_ns"`
}

// Apply counts one ruling.
func (s *Stats) Apply(r *domain.Ruled) {
	s.Entries, s.Recorded = r.Position.Entry, r.Recorded
	s.Lines++
	switch r.Verdict {
	case domain.Accepted:
		s.Accepted++
	case domain.Duplicate:
		s.Duplicates++
	case domain.Refused:
		s.Refused++
	case domain.Unrecognised:
		s.Unrecognised++
	}
}

// Fold rules on one entry, which must be the next, and hands every ruling to
// each projection. Start, catch-up and live reading all go through it.
func Fold(reg *domain.Register, e domain.Entry, ps ...Projection) error {
	return reg.Apply(e, func(r *domain.Ruled) {
		for _, p := range ps {
			p.Apply(r)
		}
	})
}

// errKnown ends a replay at what was known.
var errKnown = errors.New("the rest was not known")

// Replay reads the ledger from entry 1 on, or on from opts.From, in order, into a
// register and hands each ruling to every projection. It returns the register as
// it stands after the last entry read; with an error, register and projections
// stand there too and belong to no answer.
func Replay(ctx context.Context, l *eventstore.Ledger, opts ReplayOptions, ps ...Projection) (*domain.Register, Stats, error) {
	start := time.Now()
	reg, stats := domain.NewRegister(), Stats{}
	if opts.From != nil {
		reg, stats = opts.From.Register, opts.From.Stats
	}
	tail, err := l.Tail(ctx)
	if err != nil {
		return reg, stats, err
	}
	if entry := opts.AsOf.Entry(); entry > tail {
		return reg, stats, fmt.Errorf("as of entry %d: the ledger ends at entry %d. Try: an entry up to that, or a day", entry, tail)
	} else if entry > 0 {
		tail = entry
	}
	all := append([]Projection{&stats}, ps...)
	err = l.ReadAhead(ctx, reg.Last(), reg.Recorded(), tail, func(e domain.Entry) error {
		switch {
		case opts.AsOf.Knows(e.Number, e.Recorded, reg.Zone()):
		case e.Number == 1:
			return fmt.Errorf("as of %s: the ledger was not open then, its first entry is of %s. Try: that time, or later", opts.AsOf, e.Recorded.UTC().Format(time.RFC3339Nano))
		default:
			return errKnown
		}
		if err := Fold(reg, e, all...); err != nil {
			return err
		}
		for _, p := range all {
			if onlooker, ok := p.(Onlooker); ok {
				onlooker.Look(reg)
			}
		}
		if opts.Progress != nil {
			opts.Progress(e.Number, tail)
		}
		return nil
	})
	if errors.Is(err, errKnown) {
		err = nil
	}
	stats.Took = time.Since(start)
	return reg, stats, err
}

package eventstore

import (
	"context"
	"errors"
	"math"
	"time"

	"roznamcha/domain"
)

// Read hands the entries from..to, both included, to visit in order. Entries
// after the tail at the time of the call are not waited for. A payload belongs
// to the visitor: it is never used again.
//
// *GapError where entries are missing; the visitor's error as it is.
func (l *Ledger) Read(ctx context.Context, from, to uint64, visit func(domain.Entry) error) error {
	tail, err := l.Tail(ctx)
	if err != nil {
		return err
	}
	return l.read(ctx, from, min(to, tail), visit)
}

// Follow is Read that does not end at the tail: it hands over what is there
// and then what comes, until ctx is done or visit fails. While the server is
// away it waits, and goes on with the next entry when it is back.
//
// *GapError and *WentBackError are alarms; ErrNoLedger when the stream is gone.
func (l *Ledger) Follow(ctx context.Context, from uint64, visit func(domain.Entry) error) error {
	return l.read(ctx, from, math.MaxUint64, visit)
}

// errSkipped ends a session that left entries out.
var errSkipped = errors.New("entries were skipped")

// place is where a reader stands.
type place struct {
	// next is the number of the entry that it wants.
	next uint64
	// recorded is the latest server time before that.
	recorded time.Time
}

func (l *Ledger) read(ctx context.Context, from, to uint64, visit func(domain.Entry) error) error {
	from = max(1, from)
	if from > to {
		return nil
	}
	recorded, err := l.recordedBefore(ctx, from)
	if err != nil {
		return err
	}
	at := &place{from, recorded}
	return persist(ctx, func() (further bool, err error) {
		before := at.next
		err = l.readSession(ctx, at, to, visit)
		return at.next > before, err
	})
}

// persist runs one session after another until one ends otherwise than by the
// server being away; session tells whether it came any further. errDone becomes
// nil.
func persist(ctx context.Context, session func() (further bool, err error)) error {
	var wait backoff
	for {
		further, err := session()
		if further {
			wait = backoff{}
		}
		switch {
		case errors.Is(err, errDone):
			return nil
		case errors.Is(err, errSkipped):
			continue // lost on the way, or a gap: the next session tells
		case !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrNoJetStream):
			return err
		}
		if err := wait.next(ctx); err != nil {
			return err
		}
	}
}

// readSession hands over entries from at on and moves at.
func (l *Ledger) readSession(ctx context.Context, at *place, to uint64, visit func(domain.Entry) error) error {
	if err := l.checkStands(ctx, at.next); err != nil {
		return err
	}
	first := true
	return l.session(ctx, start{entry: at.next}, func(m message) error {
		if m.entry != at.next {
			if first {
				return &GapError{at.next, m.entry}
			}
			return errSkipped
		}
		first = false
		if m.time.After(at.recorded) {
			at.recorded = m.time
		}
		entry := domain.Entry{Number: m.entry, Subject: m.msg.Subject, Recorded: at.recorded, Payload: m.msg.Data}
		if err := visit(entry); err != nil {
			return err
		}
		at.next++
		if m.entry == to {
			return errDone
		}
		return nil
	})
}

// checkStands asks the stream's leader whether the ledger still begins at its
// beginning and reaches to where it was read.
func (l *Ledger) checkStands(ctx context.Context, next uint64) error {
	info, err := l.info(ctx, "read")
	if err != nil {
		return err
	}
	if first := info.State.FirstSeq; first > 1 {
		return &GapError{1, first}
	}
	if tail := info.State.LastSeq; tail < next-1 {
		return &WentBackError{next - 1, tail}
	}
	return nil
}

// backoff spaces attempts on a server that is away: 50 ms at first, a second
// at most.
type backoff struct{ last time.Duration }

// next waits, or gives ctx's error.
func (b *backoff) next(ctx context.Context) error {
	b.last = min(max(50*time.Millisecond, 2*b.last), time.Second)
	timer := time.NewTimer(b.last)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

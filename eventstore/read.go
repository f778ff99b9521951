package eventstore

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
)

// Read hands the entries from..to, both included, to visit in order. Entries
// after the tail at the time of the call are not waited for. Nobody may change a
// payload: after a cut connection the reader holds the last one against the ledger.
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
	// last is the message before next, once one was read: the next session
	// begins by seeing that it is still the same.
	last message
}

// entry is m as an entry: recorded time never runs back, though the server's
// clock may.
func (p *place) entry(m message) domain.Entry {
	if m.time.After(p.recorded) {
		p.recorded = m.time
	}
	return domain.Entry{Number: m.entry, Subject: m.msg.Subject, Recorded: p.recorded, Payload: m.msg.Data}
}

func (l *Ledger) read(ctx context.Context, from, to uint64, visit func(domain.Entry) error) error {
	if from > to {
		return nil
	}
	recorded, err := l.recordedBefore(ctx, from)
	if err != nil {
		return err
	}
	return l.readFrom(ctx, place{next: max(1, from), recorded: recorded}, to, visit)
}

// readFrom is read from where a reader stands.
func (l *Ledger) readFrom(ctx context.Context, from place, to uint64, visit func(domain.Entry) error) error {
	if from.next > to {
		return nil
	}
	at := &from
	return persist(ctx, func() (further bool, err error) {
		before := at.next
		err = l.readSession(ctx, at, to, visit)
		if l.nc.IsClosed() && errors.Is(err, ErrUnavailable) { // it does not come back
			err = fail("read", ErrRejected, notConnected(l.nc))
		}
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
	first, from := true, at.next
	if at.last.msg != nil {
		from = at.last.entry
	}
	return l.session(ctx, start{entry: from}, func(m message) error {
		if first && m.entry == from && from < at.next {
			if !m.time.Equal(at.last.time) || !bytes.Equal(m.msg.Data, at.last.msg.Data) {
				return &WentBackError{m.entry, m.entry}
			}
			return nil
		}
		if m.entry != at.next {
			if first {
				return &GapError{at.next, m.entry}
			}
			return errSkipped
		}
		first = false
		if err := visit(at.entry(m)); err != nil {
			return err
		}
		at.next, at.last = at.next+1, m
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
	if info.State.LastSeq < next-1 && info.Cluster != nil && len(info.Cluster.Replicas) > 0 {
		if info, err = l.infoAgain(ctx); err != nil {
			return err
		}
	}
	if first := info.State.FirstSeq; first > 1 {
		return &GapError{1, first}
	}
	if tail := info.State.LastSeq; tail < next-1 {
		return &WentBackError{next - 1, tail}
	}
	if info.State.NumDeleted > 0 {
		return l.firstGap(ctx)
	}
	return nil
}

// infoAgain is info after a moment. A leader that was stopped, and goes on,
// could be believed once, before it hears of its successor: no alarm for that.
func (l *Ledger) infoAgain(ctx context.Context) (*jetstream.StreamInfo, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
		return l.info(ctx, "read")
	}
}

// firstGap is the alarm about the first of the entries that the stream itself
// says it has lost.
func (l *Ledger) firstGap(ctx context.Context) error {
	info, err := l.info(ctx, "read", jetstream.WithDeletedDetails(true))
	if err != nil {
		return err
	}
	lost := info.State.Deleted
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(lost)
	next := lost[0] + 1
	for _, n := range lost[1:] {
		if n == next {
			next++
		}
	}
	return &GapError{lost[0], next}
}

// backoff spaces attempts on a server that is away: 50 ms at first, a quarter
// of a second at most.
type backoff struct{ last time.Duration }

// next waits, or gives ctx's error.
func (b *backoff) next(ctx context.Context) error {
	b.last = min(max(50*time.Millisecond, 2*b.last), 250*time.Millisecond)
	timer := time.NewTimer(b.last)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

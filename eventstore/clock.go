package eventstore

import (
	"context"
	"time"
)

// clockSlack is how far a server's clock may have run back, stepped or with a
// new leader, for recorded times still to be exact. The recorded time of an
// entry is the latest server time up to it; looking this much further back
// finds it without reading everything before.
const clockSlack = time.Minute

// EntryAt is the number of the last entry recorded not later than t, 0 if
// there is none. It reads the numbers of the minute before t.
func (l *Ledger) EntryAt(ctx context.Context, t time.Time) (uint64, error) {
	tail, err := l.Tail(ctx)
	if err != nil || tail == 0 {
		return 0, err
	}
	entry := tail
	err = l.times(ctx, start{time: t.Add(-clockSlack), timesTo: tail}, func(m message) error {
		if m.time.After(t) {
			entry = m.entry - 1
			return errDone
		}
		return nil
	})
	return entry, err
}

// recordedBefore is the recorded time of the entry before from; zero where
// there is none.
func (l *Ledger) recordedBefore(ctx context.Context, from uint64) (recorded time.Time, err error) {
	if from <= 1 {
		return recorded, nil
	}
	err = l.times(ctx, start{entry: from - 1, timesTo: from - 1}, func(m message) error {
		recorded = m.time
		return errDone
	})
	if err != nil || recorded.IsZero() {
		return recorded, err
	}
	err = l.times(ctx, start{time: recorded.Add(-clockSlack), timesTo: from - 1}, func(m message) error {
		if m.time.After(recorded) {
			recorded = m.time
		}
		return nil
	})
	return recorded, err
}

// times runs visit over the numbers and times from at on, up to at.timesTo or
// until visit gives errDone. When the connection is cut it starts over.
func (l *Ledger) times(ctx context.Context, at start, visit func(message) error) error {
	return persist(ctx, func() (further bool, err error) {
		if err := l.checkStands(ctx, at.timesTo+1); err != nil {
			return false, err
		}
		return false, l.session(ctx, at, visit)
	})
}

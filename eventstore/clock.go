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
	entry, err := l.Tail(ctx)
	if err != nil || entry == 0 {
		return 0, err
	}
	err = l.times(ctx, start{time: t.Add(-clockSlack)}, func(m message) error {
		if m.time.After(t) {
			entry = m.entry - 1
			return errDone
		}
		entry = max(entry, m.entry)
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
	err = l.times(ctx, start{entry: from - 1}, func(m message) error {
		recorded = m.time
		return errDone
	})
	if err != nil || recorded.IsZero() {
		return recorded, err
	}
	err = l.times(ctx, start{time: recorded.Add(-clockSlack)}, func(m message) error {
		if m.entry >= from {
			return errDone
		}
		if m.time.After(recorded) {
			recorded = m.time
		}
		return nil
	})
	return recorded, err
}

// times runs visit over the numbers and times of what is there now, from at on,
// until visit gives errDone. When the connection is cut it starts over.
func (l *Ledger) times(ctx context.Context, at start, visit func(message) error) error {
	at.timesOnly = true
	return persist(ctx, func() (further bool, err error) {
		return false, l.session(ctx, at, visit)
	})
}

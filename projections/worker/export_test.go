package worker

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Renewing is c with sessions that last d.
func (c Config) Renewing(d time.Duration) Config {
	c.renew = d
	return c
}

// PutLate does what a worker does that was stopped after it had made its first
// table and before it wrote it, when the key was at revision.
func (w *Worker) PutLate(ctx context.Context, kv jetstream.KeyValue, revision uint64) error {
	k, s := w.lateKeeper(kv)
	s.revision = revision
	values, err := k.make(k.slots)
	if err != nil {
		return err
	}
	return k.put(ctx, s, values[0])
}

// RoundLate does what a worker does that was stopped, and sees what is there now
// before it writes.
func (w *Worker) RoundLate(ctx context.Context, kv jetstream.KeyValue) error {
	k, s := w.lateKeeper(kv)
	e, err := kv.Get(ctx, s.key)
	if err != nil {
		return err
	}
	k.see(e)
	for range 2 {
		if _, err = k.round(ctx); err != nil {
			return err
		}
		s.seen = s.seen.Add(-2 * stampEvery)
	}
	return nil
}

func (w *Worker) lateKeeper(kv jetstream.KeyValue) (*keeper, *slot) {
	t := w.config.Tables[0]
	k := &keeper{Worker: w, kv: kv, most: 1 << 20, slots: []*slot{{Table: t, key: w.key(t.Name)}}}
	return k, k.slots[0]
}

// Session publishes until something goes wrong, as a worker that is connected
// again.
func (w *Worker) Session(ctx context.Context) error { return w.session(ctx) }

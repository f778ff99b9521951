package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

const (
	// AttendanceBucket is the key-value bucket in which every worker leaves how it
	// stands, under its ID, for whoever looks for it when it answers no more. One
	// that ends as it should takes that away. It is kept for a day.
	AttendanceBucket = "roznamcha-workers"
	attendanceFor    = 24 * time.Hour
	// attendEvery is how often that is.
	attendEvery = 10 * time.Second
)

// attend leaves how the worker stands, at once, when it has caught up and from
// time to time, until ctx ends. What cannot be left is
// left out: tables matter more.
func (w *Worker) attend(ctx context.Context) {
	tick := time.NewTicker(attendEvery)
	defer tick.Stop()
	for caughtUp := w.caughtUp; ; {
		_ = w.sign(ctx, w.Status())
		select {
		case <-caughtUp:
			caughtUp = nil
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// leave takes it away, or leaves why the worker ended by itself.
func (w *Worker) leave(why error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if w.nc.Status() != nats.CONNECTED {
		return
	}
	if !errors.Is(why, context.Canceled) {
		is := w.Status()
		is.Trouble = why.Error()
		_ = w.sign(ctx, is)
		return
	}
	if kv, err := attendance(ctx, w.nc); err == nil {
		_ = kv.Purge(ctx, w.id)
	}
}

// sign leaves a status. The bucket is made where there is none, on as many servers
// as the ledger.
func (w *Worker) sign(ctx context.Context, is Status) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	kv, err := attendance(ctx, w.nc)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = w.ledger.MakeBucket(ctx, jetstream.KeyValueConfig{
			Bucket: AttendanceBucket, Description: "Roznamcha: how each worker stood last.", TTL: attendanceFor,
		})
	}
	if err != nil {
		return err
	}
	value, err := marshal(is)
	if err == nil {
		_, err = kv.Put(ctx, w.id, value)
	}
	return err
}

func attendance(ctx context.Context, nc *nats.Conn) (jetstream.KeyValue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	return js.KeyValue(ctx, AttendanceBucket)
}

// Gone is a worker that answers no more: it was killed, or cannot be reached.
type Gone struct {
	Status
	// Seen is when it was left, by the server's clock.
	Seen time.Time `json:"last_seen"`
}

// WorkersGone are the workers of the last day that did not end as they should and
// are not among those that answer, the latest first.
func WorkersGone(ctx context.Context, nc *nats.Conn, answer []Status) (gone []Gone, err error) {
	kv, err := attendance(ctx, nc)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", AttendanceBucket, err)
	}
	// All at once: a worker that fails and is restarted all day leaves thousands.
	left, err := eventstore.BucketValues(ctx, kv)
	if err != nil {
		return nil, err
	}
	for _, e := range left {
		is := Gone{Seen: e.Created().UTC()}
		if json.Unmarshal(e.Value(), &is.Status) != nil || is.ID != e.Key() {
			continue
		}
		if !slices.ContainsFunc(answer, func(s Status) bool { return s.ID == is.ID }) {
			gone = append(gone, is)
		}
	}
	slices.SortFunc(gone, func(a, b Gone) int { return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.ID, b.ID)) })
	return gone, nil
}

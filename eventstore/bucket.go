package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// MakeBucket makes a key-value bucket on disk, on as many servers as the ledger,
// unless there is one of that name: then it opens that.
func (l *Ledger) MakeBucket(ctx context.Context, config jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	status, err := l.Status(ctx)
	if err != nil {
		return nil, err
	}
	config.Storage, config.Replicas = jetstream.FileStorage, status.Replicas
	kv, err := l.js.CreateKeyValue(ctx, config)
	if errors.Is(err, jetstream.ErrBucketExists) {
		return l.js.KeyValue(ctx, config.Bucket)
	}
	if err != nil {
		return nil, fmt.Errorf("make bucket %s: %w", config.Bucket, err)
	}
	return kv, nil
}

// BucketValues are all values that a bucket has now. A list that was cut off is an
// error, that of ctx or nats.ErrConnectionClosed.
func BucketValues(ctx context.Context, kv jetstream.KeyValue) (all []jetstream.KeyValueEntry, err error) {
	values, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read bucket %s: %w", kv.Bucket(), err)
	}
	defer func() { _ = values.Stop() }()
	for {
		select {
		case value, more := <-values.Updates():
			switch {
			case !more:
				return nil, fmt.Errorf("read bucket %s: %w", kv.Bucket(), cmp.Or(ctx.Err(), nats.ErrConnectionClosed))
			case value == nil: // that is all
				return all, nil
			}
			all = append(all, value)
		case <-ctx.Done():
			return nil, fmt.Errorf("read bucket %s: %w", kv.Bucket(), ctx.Err())
		}
	}
}

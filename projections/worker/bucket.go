package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

// openBucket opens the bucket; where there is none ErrNoBucket.
func openBucket(ctx context.Context, nc *nats.Conn) (jetstream.KeyValue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	kv, err := js.KeyValue(ctx, Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, ErrNoBucket
	}
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", Bucket, err)
	}
	return kv, nil
}

// ErrNoBucket: no worker ever published here.
var ErrNoBucket = errors.New("there is no bucket " + Bucket + ": no worker has published here. Try: roznamcha work")

// makeBucket opens the bucket, and makes it where there is none, on as many
// servers as the ledger. It is on disk, and keeps one value a key.
func makeBucket(ctx context.Context, nc *nats.Conn, l *eventstore.Ledger) (jetstream.KeyValue, error) {
	kv, err := openBucket(ctx, nc)
	if !errors.Is(err, ErrNoBucket) {
		return kv, err
	}
	status, err := l.Status(ctx)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	_, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:      Bucket,
		Description: "Roznamcha: tables of totals, published by its workers. They can be made again from the ledger.",
		Storage:     jetstream.FileStorage,
		Replicas:    status.Replicas,
	})
	if err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
		return nil, fmt.Errorf("make bucket %s: %w", Bucket, err)
	}
	return openBucket(ctx, nc)
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

// openBucket opens the bucket: ErrNoBucket where there is none, *BucketError where
// it does not keep what is put there.
func openBucket(ctx context.Context, nc *nats.Conn) (jetstream.KeyValue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	kv, err := js.KeyValue(ctx, Bucket)
	switch {
	case errors.Is(err, jetstream.ErrBucketNotFound):
		return nil, ErrNoBucket
	case errors.Is(err, jetstream.ErrBadBucket):
		return nil, &BucketError{"max_msgs_per_subject", "unlimited", "1"}
	case err != nil:
		return nil, fmt.Errorf("open bucket %s: %w", Bucket, err)
	}
	return kv, checkBucket(ctx, kv)
}

// BucketError says that the bucket could lose a table without a word, or hold
// what was not put there. Nothing is published until it is mended.
type BucketError struct {
	// Setting is its name in the configuration of the bucket's stream.
	Setting  string
	Is, Want string
}

func (e *BucketError) Error() string {
	return fmt.Sprintf("bucket %s is not safe for tables: %s is %s, must be %s. Try: mend it (nats stream edit KV_%s); or delete it (nats kv rm %s), and workers make it again", Bucket, e.Setting, e.Is, e.Want, Bucket, Bucket)
}

// checkBucket refuses a bucket that is not safe. How many servers keep it, on
// what, how much and with how many older values is its operator's choice: what
// does not fit is refused, and told.
func checkBucket(ctx context.Context, kv jetstream.KeyValue) error {
	status, err := kv.Status(ctx)
	if err != nil {
		return fmt.Errorf("look at bucket %s: %w", Bucket, err)
	}
	is := status.(*jetstream.KeyValueBucketStatus).StreamInfo().Config
	for _, s := range []struct {
		setting  string
		is, want any
	}{
		{"max_age", is.MaxAge, time.Duration(0)},
		{"discard", is.Discard, jetstream.DiscardNew},
		{"retention", is.Retention, jetstream.LimitsPolicy},
		{"subjects", strings.Join(is.Subjects, ","), "$KV." + Bucket + ".>"},
		{"mirror", is.Mirror != nil, false},
		{"sources", len(is.Sources), 0},
		{"subject_transform", is.SubjectTransform != nil, false},
	} {
		if s.is != s.want {
			return &BucketError{s.setting, fmt.Sprint(s.is), fmt.Sprint(s.want)}
		}
	}
	return nil
}

// ErrNoBucket: no worker ever published here.
var ErrNoBucket = errors.New("there is no bucket " + Bucket + ": no worker has published here. Try: roznamcha work")

// makeBucket opens the bucket, and makes it where there is none. It keeps one value
// a key.
func makeBucket(ctx context.Context, nc *nats.Conn, l *eventstore.Ledger) (jetstream.KeyValue, error) {
	kv, err := openBucket(ctx, nc)
	if !errors.Is(err, ErrNoBucket) {
		return kv, err
	}
	if _, err := l.MakeBucket(ctx, jetstream.KeyValueConfig{
		Bucket: Bucket, Description: "Roznamcha: tables of totals, published by its workers. They can be made again from the ledger.",
	}); err != nil {
		return nil, err
	}
	return openBucket(ctx, nc)
}

package eventstore_test

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

// TestBucket: a bucket is made once, its values are those that stand, and a list
// that was cut off is an error.
func TestBucket(t *testing.T) {
	_, nc := startServer(t)
	l := opened(t, nc)
	config := jetstream.KeyValueConfig{Bucket: "test"}
	kv, err := l.MakeBucket(soon(t), config)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := eventstore.BucketValues(soon(t), kv); err != nil || len(all) != 0 {
		t.Errorf("when it is empty: %v, %v", all, err)
	}
	for _, key := range []string{"a", "b"} {
		if _, err := kv.Put(soon(t), key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	if err := kv.Delete(soon(t), "a"); err != nil {
		t.Fatal(err)
	}
	again, err := l.MakeBucket(soon(t), config)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := eventstore.BucketValues(soon(t), again); err != nil || len(all) != 1 || all[0].Key() != "b" {
		t.Errorf("a was deleted: %v, %v", all, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if all, err := eventstore.BucketValues(ctx, kv); err == nil {
		t.Errorf("cut off: %v", all)
	}
}

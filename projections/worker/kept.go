package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Kept is what readers of the bucket find, whether or not a worker runs.
type Kept struct {
	// Prefix is what the pointer says; it leads nowhere where there are no Tables.
	Prefix string `json:"prefix"`
	// Tables are those there, by name.
	Tables []KeptTable `json:"tables"`
}

// KeptTable is one of them.
type KeptTable struct {
	Name string `json:"name"`
	// Entry is the one that it is of; 0 where what is there is no table.
	Entry   uint64 `json:"entry"`
	Problem string `json:"problem,omitempty"`
}

// Oldest is the table of the lowest entry; false where there are none.
func (k *Kept) Oldest() (t KeptTable, ok bool) {
	if len(k.Tables) == 0 {
		return t, false
	}
	return slices.MinFunc(k.Tables, func(a, b KeptTable) int { return int(a.Entry) - int(b.Entry) }), true
}

// Look tells what readers find. ErrNoBucket, *BucketError.
func Look(ctx context.Context, nc *nats.Conn) (*Kept, error) {
	kv, err := openBucket(ctx, nc)
	if err != nil {
		return nil, err
	}
	k := &Kept{}
	pointer, err := kv.Get(ctx, CurrentKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return k, nil
	case err != nil:
		return nil, fmt.Errorf("key %s: %w", CurrentKey, err)
	}
	if k.Prefix = string(pointer.Value()); !isPrefix(k.Prefix) {
		return k, nil
	}
	keys, err := tableKeys(ctx, kv, k.Prefix)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		e, err := kv.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key, err)
		}
		stamp, problem := readStamp(e.Value())
		k.Tables = append(k.Tables, KeptTable{strings.TrimPrefix(key, k.Prefix+"."), stamp.Mark.Entry, problem})
	}
	return k, nil
}

// tableKeys are the keys of the tables of a prefix, or of any for totals.*.*, in
// order.
func tableKeys(ctx context.Context, kv jetstream.KeyValue, prefix string) (all []string, err error) {
	keys, err := kv.ListKeysFiltered(ctx, prefix+".*")
	if err != nil {
		return nil, fmt.Errorf("list bucket %s: %w", Bucket, err)
	}
	for key := range keys.Keys() {
		all = append(all, key)
	}
	if err := ctx.Err(); err != nil { // the list ends then, too
		return nil, fmt.Errorf("list bucket %s: %w", Bucket, err)
	}
	slices.Sort(all)
	return all, nil
}

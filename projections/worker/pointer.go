package worker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// pointer is what a keeper knows of the key totals.current.
type pointer struct {
	// value is what is there, "" for nothing, at revision.
	value    string
	revision uint64
	// lost is why this worker cannot put it back; "" where it can. The next
	// session tries again.
	lost string
}

var isPrefix = regexp.MustCompile(`^totals\.r[0-9]+\.v[0-9]+$`).MatchString

// seePointer takes in what the watch tells of the pointer. One that was deleted, or
// leads nowhere, leaves readers where they were: point puts it back.
func (k *keeper) seePointer(e jetstream.KeyValueEntry) {
	k.pointer = pointer{revision: e.Revision()}
	if e.Operation() == jetstream.KeyValuePut {
		k.pointer.value = string(e.Value())
	}
	if isPrefix(k.pointer.value) {
		k.leads(k.pointer.value)
		k.report() // that it was lost is over
	}
}

// leads keeps where the pointer leads.
func (k *keeper) leads(to string) {
	k.mu.Lock()
	k.led = to
	k.mu.Unlock()
	k.pointed()
}

// point puts the pointer back where it was seen last, if it leads nowhere. A
// worker that never saw it leads readers to its own version where there is no
// other; where there is, a person must say which.
func (k *keeper) point(ctx context.Context) error {
	if isPrefix(k.pointer.value) || k.pointer.lost != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	k.mu.Lock()
	to := k.led
	k.mu.Unlock()
	if to == "" {
		other, err := k.otherVersion(ctx)
		if err != nil {
			return err
		}
		if other != "" {
			k.pointer.lost = fmt.Sprintf("key %s leads readers nowhere (%.100q), and there are tables of %s and of %s. Try: roznamcha promote VERSION --accept", CurrentKey, k.pointer.value, other, k.prefix)
			k.report()
			return nil
		}
		to = k.prefix
	}
	revision, err := k.kv.Update(ctx, CurrentKey, []byte(to), k.pointer.revision)
	switch {
	case errors.Is(err, jetstream.ErrKeyRevisionMismatch): // another has; the watch tells
		k.pointer.value = to
		return nil
	case isRefused(err):
		k.pointer.lost = fmt.Sprintf("key %s leads readers nowhere (%.100q): %v", CurrentKey, k.pointer.value, err)
		k.report()
		return nil
	case err != nil:
		return fmt.Errorf("key %s: %w", CurrentKey, err)
	case k.pointer.revision > 0:
		fmt.Fprintf(k.config.Log, "key %s led readers nowhere (%.100q); it leads to %s again\n", CurrentKey, k.pointer.value, to)
	}
	k.pointer = pointer{value: to, revision: revision}
	k.leads(to)
	return nil
}

// otherVersion is the prefix of a table of another version; "" where there is none.
func (k *keeper) otherVersion(ctx context.Context) (string, error) {
	keys, err := tableKeys(ctx, k.kv, "totals.*.*")
	for _, key := range keys {
		if prefix := key[:strings.LastIndex(key, ".")]; prefix != k.prefix {
			return prefix, nil
		}
	}
	return "", err
}

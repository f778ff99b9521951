package sink

import (
	"context"
	"path/filepath"
	"testing"

	"roznamcha/eventstore"
	"roznamcha/projections"
)

// A sink that starts from a snapshot reads the rest only, and the tables are a
// fresh replay; where the snapshot is of no use it reads everything.
func TestStartFromASnapshot(t *testing.T) {
	onEach(t, func(t *testing.T, empty func() string) {
		l := newLedger(t, "test")
		h := newHistory(t, l)
		h.entries(20)
		where, behind := empty(), empty()
		feed(t, l, behind, Options{})
		h.entries(10)
		start, of := snapshotStart(t, l)
		first := uint64(0)
		o := Options{Start: start, Progress: func(entry, _ uint64) {
			if first == 0 {
				first = entry
			}
		}}
		reads := func(where, what string, from uint64) {
			t.Helper()
			first = 0
			feed(t, l, where, o)
			if first != from {
				t.Errorf("%s: it reads from entry %d, want %d", what, first, from)
			}
			same(t, l, where)
		}
		reads(behind, "behind the snapshot", 1)
		reads(where, "a new database", 1)
		reads(where, "at the snapshot", 0)
		h.entries(10)
		reads(where, "after the snapshot", of+1)
		query(t, where, "DELETE FROM "+prefix(where)+"facts WHERE fact = 2")
		query(t, where, "INSERT INTO "+prefix(where)+"parked VALUES ('facts', 2, 3, 1, 'no', '{}', 3)")
		reads(where, "with a parked fact", of+1)
		query(t, where, "DELETE FROM "+prefix(where)+"entries WHERE entry = 2")
		query(t, where, "INSERT INTO "+prefix(where)+"parked VALUES ('entries', 2, 2, 1, 'no', '{}', 3)")
		reads(where, "with a parked entry", 1)
	})
}

// snapshotStart saves a snapshot of l as it is, and starts from it as the program
// does.
func snapshotStart(t *testing.T, l *eventstore.Ledger) (start func(context.Context, uint64, ...projections.Kept) (*projections.Start, error), of uint64) {
	t.Helper()
	totals, exceptions := projections.NewTotals(), projections.NewExceptions()
	reg, stats, err := projections.Replay(newContext(t), l, projections.ReplayOptions{}, totals, exceptions)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "snapshot")
	if _, err := projections.TakeSnapshot(reg, stats, totals, exceptions).Save(path, nil); err != nil {
		t.Fatal(err)
	}
	return func(_ context.Context, entry uint64, kept ...projections.Kept) (*projections.Start, error) {
		saved, err := projections.OpenSnapshot(path)
		if err != nil {
			return nil, err
		}
		defer saved.Close()
		if !saved.Known(projections.AsOfEntry(entry)) {
			return nil, nil
		}
		return saved.Restore(kept...)
	}, reg.Last()
}

package projections

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// patience is how long a test waits for what must come. It is a limit on a
// broken program, not on a slow machine.
const patience = 2 * time.Minute

// ledger is a real ledger with the same entries.
func ledger(t testing.TB, payloads [][]byte) (*eventstore.Ledger, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	server, err := embedded.Start(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventstore.Create(ctx, nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range payloads {
		if _, err := l.Append(ctx, payload); err != nil {
			t.Fatal(err)
		}
	}
	return l, ctx
}

// A replay from the stream ends where the fold in memory ended: the same state
// hash, the same table; and as of an earlier entry, as it was then.
func TestReplay(t *testing.T) {
	byHand := &Stats{}
	b := newBook(t, byHand)
	var hashes [][32]byte
	var tables []string
	note := func() {
		hashes = append(hashes, b.reg.Hash())
		tables = append(tables, b.ask("raids", "city", "").Citation.Table)
	}
	note()
	first := raid(karachi, "1", "Karachi", "2025-06-03")
	b.write(first, raid(karachi, "2", "Lahore", "2025-06-03"))
	note()
	b.lines("junk", b.line(first))
	note()
	b.write(b.correct(first, raid(karachi, "1", "Multan", "2025-06-03").Data))
	note()
	b.lines(b.line(first), strings.Replace(b.line(raid(karachi, "9", "", "2025")), "raid.c", "raid.d", 1))
	note()

	l, ctx := ledger(t, b.payloads)
	for entry, hash := range hashes {
		opts := ReplayOptions{}
		if entry+1 < len(hashes) {
			opts.AsOf = AsOfEntry(uint64(entry + 1))
		}
		totals, seen := NewTotals(), []uint64{}
		opts.Progress = func(entry, tail uint64) { seen = append(seen, entry, tail) }
		reg, stats, err := Replay(ctx, l, opts, totals)
		if err != nil {
			t.Fatal(err)
		}
		if reg.Last() != uint64(entry+1) || stats.Entries != reg.Last() {
			t.Errorf("as of %d: the register ends at %d, %+v", entry+1, reg.Last(), stats)
		}
		table, err := totals.Query(Query{Columns: []Column{{Measure: Raids}}, By: []Dimension{City}})
		if err != nil {
			t.Fatal(err)
		}
		if table.Citation.Table != tables[entry] {
			t.Errorf("as of %d: another table than then\n%s", entry+1, draw(table))
		}
		if n := len(seen); n != 2*(entry+1) || seen[n-2] != uint64(entry+1) || seen[n-1] != uint64(entry+1) {
			t.Errorf("as of %d: progress %d", entry+1, seen)
		}
		if table.Cite(reg); table.Citation.State == "" || table.Citation.Recorded.IsZero() {
			t.Errorf("it cites %+v", table.Citation)
		}
		stats.Took, stats.Recorded, byHand.Recorded = 0, time.Time{}, time.Time{}
		if entry+1 == len(hashes) && (stats != *byHand || stats.Lines != 8 || stats.Accepted != 4 || stats.Duplicates != 2 || stats.Refused != 1 || stats.Unrecognised != 1) {
			t.Errorf("seen %+v, by hand %+v", stats, *byHand)
		}
		if reg.Hash() != hash {
			t.Errorf("as of %d: another state hash than then", entry+1)
		}
	}
}

// As of a time: the last entry that was not recorded later.
func TestReplayAsOfATime(t *testing.T) {
	b := newBook(t)
	for i := range 5 {
		b.write(raid(karachi, string(rune('1'+i)), "", "2025"))
	}
	l, ctx := ledger(t, b.payloads)
	var recorded []time.Time
	err := l.Read(ctx, 1, 6, func(e domain.Entry) error { recorded = append(recorded, e.Recorded); return nil })
	if err != nil {
		t.Fatal(err)
	}
	replay := func(asOf string) uint64 {
		a, err := ParseAsOf(asOf)
		if err != nil {
			t.Fatal(err)
		}
		reg, _, err := Replay(ctx, l, ReplayOptions{AsOf: a}, NewTotals())
		if err != nil {
			t.Fatal(err)
		}
		return reg.Last()
	}
	for i, at := range recorded {
		want := uint64(i + 1)
		for int(want) < len(recorded) && recorded[want].Equal(at) {
			want++
		}
		if got := replay(at.Format(time.RFC3339Nano)); got != want {
			t.Errorf("as of the time of entry %d: entry %d", i+1, got)
		}
	}
	for _, before := range []string{recorded[0].Add(-time.Nanosecond).Format(time.RFC3339Nano), "2001-02-03"} {
		a, err := ParseAsOf(before)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = Replay(ctx, l, ReplayOptions{AsOf: a}, NewTotals())
		if want := "the ledger was not open then, its first entry is of " + recorded[0].UTC().Format(time.RFC3339Nano); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("as of %s: error %v, want %q", before, err, want)
		}
	}
	if got := replay("2999-12-31"); got != 6 {
		t.Errorf("in the future: entry %d", got)
	}
}

func TestReplayOfWhatIsNotThere(t *testing.T) {
	l, ctx := ledger(t, nil)
	totals := NewTotals()
	reg, stats, err := Replay(ctx, l, ReplayOptions{}, totals)
	if err != nil || reg.Last() != 0 || stats.Lines != 0 {
		t.Errorf("an empty ledger: entry %d, %+v, %v", reg.Last(), stats, err)
	}
	table, err := totals.Query(Query{By: []Dimension{City}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := table.Title(), "occurred at any time (UTC) · as known at entry 0"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	if _, _, err := Replay(ctx, l, ReplayOptions{AsOf: AsOfEntry(7)}); err == nil || !strings.Contains(err.Error(), "the ledger ends at entry 0") {
		t.Errorf("as of entry 7: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := Replay(ended, l, ReplayOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

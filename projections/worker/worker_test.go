package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
	"roznamcha/projections"
	"roznamcha/projections/worker"
)

const city = "totals.r1.v1.city"

var byCity = projections.Query{By: []projections.Dimension{projections.City}}

// TestTablesAreThoseOfAReplay: what is published is what a fresh replay says,
// with a stamp that names the last entry and the state; and moves on with it.
func TestTablesAreThoseOfAReplay(t *testing.T) {
	h := newHouse(t, 0)
	h.raid("Karachi")
	w := h.work(worker.Config{})
	for _, place := range []string{"Lahore", "Karachi", "Quetta"} {
		entry := h.raid(place)
		for _, table := range worker.DefaultTables() {
			h.await("totals.r1.v1."+table.Name, entry)
			e, err := h.bucket().Get(soon(t), "totals.r1.v1."+table.Name)
			if err != nil {
				t.Fatal(err)
			}
			want := h.replayed(table.Query)
			var v worker.Stamp
			var members map[string]json.RawMessage
			if err := json.Unmarshal(e.Value(), &members); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(members["stamp"], &v); err != nil {
				t.Fatal(err)
			}
			delete(members, "stamp")
			if v.State != want.Citation.State || v.Mark.Entry != entry || v.Name != table.Name || v.Rules != 1 || v.Version != 1 {
				t.Errorf("%s: stamped %+v, the replay is cited %+v", table.Name, v, want.Citation)
			}
			if err := h.ledger.Holds(soon(t), v.Mark); err != nil {
				t.Error(err)
			}
			got, _ := json.Marshal(members)
			var again map[string]json.RawMessage
			b, _ := json.Marshal(want)
			_ = json.Unmarshal(b, &again)
			wanted, _ := json.Marshal(again)
			if !bytes.Equal(got, wanted) {
				t.Errorf("%s: kept\n%s\nreplayed\n%s", table.Name, got, wanted)
			}
		}
	}
	pointer, err := h.bucket().Get(soon(t), worker.CurrentKey)
	if err != nil || string(pointer.Value()) != "totals.r1.v1" {
		t.Errorf("the pointer is %v: %v", pointer, err)
	}
	w.end(t)
}

// TestOneWriteForMany: of several workers at the same entry one writes, and the
// same bytes as the others would.
func TestOneWriteForMany(t *testing.T) {
	h := newHouse(t, 0)
	entry := h.raid("Karachi")
	var all []*running
	for range 3 {
		all = append(all, h.work(worker.Config{Tables: []worker.Table{{Name: "city", Query: byCity}}}))
	}
	for range 5 {
		h.await(city, entry)
		entry = h.raid("Karachi")
	}
	h.await(city, entry)
	kv := h.bucket()
	status, err := kv.Status(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := kv.Get(soon(t), city)
	published := 0
	waitUntil(t, "every worker sees the last table", func() bool {
		published = 0
		for _, w := range all {
			is := w.Status().Tables[0]
			if is.Entry != entry {
				return false
			}
			published += is.Published
		}
		return true
	})
	// One revision is the pointer's.
	if writes := int(e.Revision()) - 1; published != writes || writes > 6 {
		t.Errorf("%d tables published, %d writes in the bucket (%d values), for 6 entries", published, writes, status.Values())
	}
	for _, w := range all {
		w.end(t)
	}
}

// TestAlarms: what is kept at a key and cannot be true ends the worker, which
// leaves it as it is.
func TestAlarms(t *testing.T) {
	stamp := func(v *map[string]any) map[string]any { return (*v)["stamp"].(map[string]any) }
	mark := func(v *map[string]any) map[string]any { return stamp(v)["mark"].(map[string]any) }
	zeros := strings.Repeat("00", 32)
	for name, c := range map[string]struct {
		change func(*map[string]any)
		alarm  any
		says   string
	}{
		"another state":      {func(v *map[string]any) { stamp(v)["state"] = zeros }, new(*worker.ContradictionError), "its state hashes to"},
		"another table":      {func(v *map[string]any) { (*v)["rows"] = nil }, new(*worker.ContradictionError), "value"},
		"another entry":      {func(v *map[string]any) { mark(v)["sha256"] = zeros }, new(*eventstore.WentBackError), "the ledger went back: entry 2 is not the one that it was"},
		"an entry not there": {func(v *map[string]any) { mark(v)["entry"] = 9 }, new(*eventstore.WentBackError), "the ledger went back: it ends at entry 2, and entries 3 to 9 are missing"},
		"another question":   {func(v *map[string]any) { stamp(v)["question"] = map[string]any{"by": "unit"} }, new(*worker.OtherQuestionError), "another question"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, 0)
			entry := h.raid("Karachi")
			first := h.work(worker.Config{})
			h.await(city, entry)
			first.end(t)
			forged := h.forge(city, c.change)
			second := h.work(worker.Config{})
			err := second.failed(t)
			if !errors.As(err, c.alarm) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "Try: ") {
				t.Errorf("the worker ended: %v", err)
			}
			if e, err := h.bucket().Get(soon(t), city); err != nil || !bytes.Equal(e.Value(), forged) {
				t.Errorf("it was written over: %s, %v", e.Value(), err)
			}
		})
	}
}

// TestAlarmWhileRunning: a worker that runs sees another's contradiction.
func TestAlarmWhileRunning(t *testing.T) {
	h := newHouse(t, 0)
	entry := h.raid("Karachi")
	w := h.work(worker.Config{})
	h.await(city, entry)
	h.forge(city, func(v *map[string]any) { (*v)["stamp"].(map[string]any)["state"] = strings.Repeat("ab", 32) })
	var alarm *worker.ContradictionError
	if err := w.failed(t); !errors.As(err, &alarm) || alarm.Key != city || alarm.Entry != entry {
		t.Errorf("the worker ended: %v", err)
	}
}

// TestTooLarge: a table that the server cannot carry is told of at its key, and
// holds up no other.
func TestTooLarge(t *testing.T) {
	h := newHouse(t, 8<<10)
	var entry uint64
	for i := range 200 {
		entry = h.raid(fmt.Sprintf("City %03d", i))
	}
	w := h.work(worker.Config{})
	if v := h.await(city, entry); !strings.HasPrefix(v.Problem, "the table is larger than ") || v.Rows != nil {
		t.Errorf("too large is published as %+v", v)
	}
	if v := h.await("totals.r1.v1.all", entry); v.Problem != "" || v.Total.Cells[0].Text != "200" {
		t.Errorf("all: %+v", v)
	}
	waitUntil(t, "the status tells", func() bool {
		told := true
		for _, is := range w.Status().Tables {
			told = told && (is.Problem != "") == (is.Name == "city")
		}
		return told
	})
	w.end(t)
}

// TestBucketIsMadeAgain: a bucket that was deleted, and a key that was, are there
// again, and the worker goes on.
func TestBucketIsMadeAgain(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{})
	h.await(city, h.raid("Karachi"))
	if err := h.bucket().Delete(soon(t), city); err != nil {
		t.Fatal(err)
	}
	h.await(city, 2)
	js, err := jetstream.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteKeyValue(soon(t), worker.Bucket); err != nil {
		t.Fatal(err)
	}
	entry := h.raid("Lahore")
	if v := h.await(city, entry); v.Total.Cells[0].Text != "2" {
		t.Errorf("after that: %+v", v)
	}
	waitUntil(t, "no trouble", func() bool { return w.Status().Trouble == "" })
	w.end(t)
}

// TestServerRestarted: a worker goes on by itself.
func TestServerRestarted(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{})
	h.await(city, h.raid("Karachi"))
	h.stop()
	h.start()
	waitUntil(t, "the server", func() bool { return h.nc.Stats().Reconnects > 0 && h.nc.IsConnected() })
	if v := h.await(city, h.raid("Lahore")); v.Total.Cells[0].Text != "2" {
		t.Errorf("after that: %+v", v)
	}
	waitUntil(t, "a question is answered", func() bool {
		_, err := h.nc.Request(worker.QuerySubject, nil, time.Second)
		return err == nil
	})
	w.end(t)
}

// TestStampMovesWithoutAChange: what changes no cell moves the stamp, and the
// hash of the cells stays.
func TestStampMovesWithoutAChange(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{})
	was := h.await(city, h.raid("Karachi"))
	h.raids-- // the same again: a duplicate
	entry := h.raid("Karachi")
	is := h.await(city, entry)
	if is.Stamp.Cells != was.Stamp.Cells || is.Stamp.State == was.Stamp.State {
		t.Errorf("a duplicate moves %+v to %+v", was.Stamp, is.Stamp)
	}
	w.end(t)
}

// TestWrongTables: a name that is no part of a key, or is there twice, is told.
func TestWrongTables(t *testing.T) {
	h := newHouse(t, 0)
	for _, tables := range [][]worker.Table{{{Name: "A b"}}, {{Name: ""}}, {{Name: "x"}, {Name: "x"}}} {
		if _, err := worker.New(h.nc, h.ledger, worker.Config{Tables: tables}); err == nil || !strings.Contains(err.Error(), "Try: ") {
			t.Errorf("%v: %v", tables, err)
		}
	}
}

// TestLateWorkerWritesNothing: what a worker made before another was there with
// more is not written, whether it looks again first or not.
func TestLateWorkerWritesNothing(t *testing.T) {
	h := newHouse(t, 0)
	tables := []worker.Table{{Name: "city", Query: byCity}}
	late := h.work(worker.Config{Tables: tables})
	h.await(city, h.raid("Karachi"))
	_, revision := h.at(city)
	late.end(t) // and stands at entry 2
	next := h.work(worker.Config{Tables: tables})
	h.await(city, h.raid("Lahore"))
	next.end(t)
	_, before := h.at(city)
	skipped := late.Status().Tables[0].Skipped
	if err := late.PutLate(soon(t), h.bucket(), revision); err != nil {
		t.Error(err)
	}
	if err := late.RoundLate(soon(t), h.bucket()); err != nil {
		t.Error(err)
	}
	if v, after := h.at(city); after != before || v.Stamp.Mark.Entry != 3 {
		t.Errorf("entry %d, revision %d, after entry 3, revision %d", v.Stamp.Mark.Entry, after, before)
	}
	if is := late.Status().Tables[0]; is.Skipped != skipped+1 {
		t.Errorf("%d writes were refused, then %d", skipped, is.Skipped)
	}
}

// TestNothingIsPublishedOfALedgerThatWentBack: where the server comes back with
// an older store, in which there is no bucket yet, the worker publishes nothing of
// what it has read: its entries may be others tomorrow.
func TestNothingIsPublishedOfALedgerThatWentBack(t *testing.T) {
	h := newHouse(t, 0)
	h.stop()
	store, older := h.opts.StoreDir, t.TempDir()
	if err := os.CopyFS(older, os.DirFS(store)); err != nil {
		t.Fatal(err)
	}
	h.start()
	w := h.work(worker.Config{})
	waitUntil(t, "the server", func() bool { return h.ledger.Holds(soon(t), eventstore.Mark{}) == nil })
	h.await(city, h.raid("Karachi"))
	w.end(t)
	h.stop()
	h.opts.StoreDir = older
	h.start()
	var err error
	var back *eventstore.WentBackError
	waitUntil(t, "the server with the older store", func() bool {
		err = w.Session(soon(t))
		return errors.As(err, &back)
	})
	if back.Had != 2 || !strings.Contains(err.Error(), "Try: ") {
		t.Errorf("the session ended: %v", err)
	}
	js, err := jetstream.New(h.connect())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.KeyValue(soon(t), worker.Bucket); !errors.Is(err, jetstream.ErrBucketNotFound) {
		t.Errorf("there is a bucket: %v", err)
	}
}

// TestLedgerGoesBackUnderAWorker: the worker that runs ends with the alarm when the
// server comes back with an older store, also where that has grown past what was
// read meanwhile; it publishes nothing of it, and says so for whoever asks.
func TestLedgerGoesBackUnderAWorker(t *testing.T) {
	for name, more := range map[string]int{"shorter": 0, "longer": 5} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, 0)
			h.stop()
			older := t.TempDir()
			if err := os.CopyFS(older, os.DirFS(h.opts.StoreDir)); err != nil {
				t.Fatal(err)
			}
			h.start()
			waitUntil(t, "the server", func() bool { return h.ledger.Holds(soon(t), eventstore.Mark{}) == nil })
			w := h.work(worker.Config{})
			h.await(city, h.raid("Karachi"))
			h.stop()
			h.opts.StoreDir = older
			port := h.opts.Port
			if h.opts.Port = -1; more > 0 { // where the worker does not find it
				h.start()
				nc := h.connect()
				l, err := eventstore.Open(soon(t), nc)
				if err != nil {
					t.Fatal(err)
				}
				was := h.ledger
				h.ledger = l
				for range more {
					h.raid("Lahore")
				}
				h.ledger = was
				h.stop()
			}
			h.opts.Port = port
			h.start()
			var back *eventstore.WentBackError
			if err := w.failed(t); !errors.As(err, &back) || !strings.Contains(err.Error(), "Try: ") {
				t.Errorf("the worker ended: %v", err)
			}
			js, err := jetstream.New(h.connect())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := js.KeyValue(soon(t), worker.Bucket); !errors.Is(err, jetstream.ErrBucketNotFound) {
				t.Errorf("there is a bucket: %v", err)
			}
		})
	}
}

// TestServerAwayForLong: a worker whose server does not come back waits, says once
// that it cannot publish; it goes on when the server is there.
func TestServerAwayForLong(t *testing.T) {
	h := newHouse(t, 0)
	var log lines
	w := h.work(worker.Config{Log: &log}.Renewing(time.Second))
	h.await(city, h.raid("Karachi"))
	h.stop()
	waitUntil(t, "it says so", func() bool { return w.Status().Trouble != "" })
	select {
	case err := <-w.ended:
		t.Fatalf("it ended: %v", err)
	case <-time.After(8 * time.Second): // more than one try to publish takes
	}
	if said := log.String(); strings.Count(said, "\n") > 3 {
		t.Errorf("it says\n%s", said)
	}
	h.start()
	waitUntil(t, "the server", func() bool { return h.nc.IsConnected() })
	h.await(city, h.raid("Lahore"))
	waitUntil(t, "no trouble", func() bool { return w.Status().Trouble == "" })
	w.end(t)
}

// TestStartFromASnapshot: a worker that begins with a snapshot keeps the same
// bytes as one that read everything: they would contradict each other.
func TestStartFromASnapshot(t *testing.T) {
	h := newHouse(t, 0)
	h.raid("Karachi")
	entry := h.raid("Lahore")
	totals, exceptions := projections.NewTotals(), projections.NewExceptions()
	reg, stats, err := projections.Replay(soon(t), h.ledger, projections.ReplayOptions{}, totals, exceptions)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "snapshot")
	if _, err := projections.TakeSnapshot(reg, stats, totals, exceptions).Save(path, nil); err != nil {
		t.Fatal(err)
	}
	all := h.work(worker.Config{})
	h.await(city, entry)
	restore := func(_ context.Context, ps ...projections.Kept) (*projections.Start, error) {
		saved, err := projections.OpenSnapshot(path)
		if err != nil {
			return nil, err
		}
		defer saved.Close()
		return saved.Restore(ps...)
	}
	restored := h.work(worker.Config{Start: restore})
	// What was filled and is of no use leaves nothing behind.
	useless := h.work(worker.Config{Start: func(ctx context.Context, ps ...projections.Kept) (*projections.Start, error) {
		_, err := restore(ctx, ps...)
		return nil, err
	}})
	for _, place := range []string{"", "Quetta", "Karachi"} {
		if place != "" {
			entry = h.raid(place)
		}
		waitUntil(t, "every worker holds it against its own", func() bool {
			for _, w := range []*running{all, restored, useless} {
				if is := w.Status(); is.Stats.Entries != entry || is.Tables[1].Entry != entry {
					return false
				}
			}
			return true
		})
	}
	if is := restored.Status(); is.Stats.Lines != 5 || is.Stats.Accepted != 5 {
		t.Errorf("counted %+v", is.Stats)
	}
	all.end(t)
	restored.end(t)
	useless.end(t)
}

// TestOneTableThatCannotBeWritten: the others are kept current, the status says
// which one and why, and that the trouble is over when it is.
func TestOneTableThatCannotBeWritten(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{Tables: []worker.Table{{Name: "city", Query: byCity}, {Name: "all"}}})
	h.await(city, h.raid("Karachi"))
	h.await("totals.r1.v1.all", 2)
	js, err := jetstream.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	carry := func(most int32) {
		stream, err := js.Stream(soon(t), "KV_"+worker.Bucket)
		if err != nil {
			t.Fatal(err)
		}
		config := stream.CachedInfo().Config
		config.MaxMsgSize = most
		if _, err := js.UpdateStream(soon(t), config); err != nil {
			t.Fatal(err)
		}
	}
	carry(4 << 10)
	var entry uint64
	for i := range 100 {
		entry = h.raid(fmt.Sprintf("City %03d", i))
	}
	h.await("totals.r1.v1.all", entry)
	waitUntil(t, "the trouble is told", func() bool { return strings.Contains(w.Status().Trouble, "key "+city+": ") })
	carry(-1)
	h.await(city, entry)
	waitUntil(t, "no trouble", func() bool { return w.Status().Trouble == "" })
	w.end(t)
}

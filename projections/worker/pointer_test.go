package worker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/projections/worker"
)

// pointer is where readers are led, "" for nowhere.
func (h *house) pointer() string {
	h.t.Helper()
	e, err := h.bucket().Get(soon(h.t), worker.CurrentKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return ""
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return string(e.Value())
}

// spoil deletes the pointer or writes what is no prefix into it.
func (h *house) spoil(value string) {
	h.t.Helper()
	kv := h.bucket()
	err := kv.Delete(soon(h.t), worker.CurrentKey)
	if value != "" {
		_, err = kv.Put(soon(h.t), worker.CurrentKey, []byte(value))
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// TestPointerIsPutBack: a pointer that somebody deletes, or writes nonsense into,
// leads to where it led, whichever worker is first; and questions are answered all
// the while by the version that readers were led to.
func TestPointerIsPutBack(t *testing.T) {
	h := newHouse(t, 0)
	old := h.work(worker.Config{})
	h.await(city, h.raid("Karachi"))
	next := h.work(worker.Config{Version: 2})
	h.await("totals.r1.v2.city", 2)
	h.ask("")
	for _, value := range []string{"", "nonsense", "totals.r1.v1.city", ""} {
		h.spoil(value)
		waitUntil(t, "it is put back", func() bool { return h.pointer() == "totals.r1.v1" })
		if !old.Status().Current || next.Status().Current {
			t.Errorf("%q: readers are led elsewhere", value)
		}
		if m, err := h.nc.Request(worker.QuerySubject, nil, patience); err != nil || !strings.Contains(string(m.Data), `"version":1`) {
			t.Errorf("%q: answered %v, %v", value, m, err)
		}
	}
	// The whole bucket, too.
	js, err := jetstream.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteKeyValue(soon(t), worker.Bucket); err != nil {
		t.Fatal(err)
	}
	h.raid("Lahore")
	waitUntil(t, "it is made again", func() bool { return h.pointer() == "totals.r1.v1" })
	old.end(t)
	next.end(t)
}

// TestPointerThatNobodyKnows: workers that never saw where the pointer led do not
// choose between versions; they say so until a person does. One version alone is
// led to.
func TestPointerThatNobodyKnows(t *testing.T) {
	h := newHouse(t, 0)
	entry := h.raid("Karachi")
	for version, key := range map[int]string{1: city, 2: "totals.r1.v2.city"} {
		w := h.work(worker.Config{Version: version})
		h.await(key, entry)
		w.end(t)
	}
	for _, value := range []string{"", "nonsense"} {
		h.spoil(value)
		w := h.work(worker.Config{Version: 2})
		waitUntil(t, "it says so", func() bool {
			return strings.Contains(w.Status().Trouble, "leads readers nowhere") && strings.Contains(w.Status().Trouble, "Try: roznamcha promote")
		})
		entry = h.raid("Lahore")
		h.await("totals.r1.v2.city", entry)
		if is := h.pointer(); is != value || w.Status().Current || w.Status().Trouble == "" {
			t.Errorf("%q became %q: %+v", value, is, w.Status())
		}
		if _, err := h.nc.Request(worker.QuerySubject, nil, patience); !errors.Is(err, nats.ErrNoResponders) {
			t.Errorf("a question is answered: %v", err)
		}
		p, err := worker.ComparePromotion(soon(t), h.nc, 2)
		if err != nil || p.From != "" || p.Same() || p.Moved {
			t.Fatalf("compared: %+v, %v", p, err)
		}
		if err := p.Move(soon(t)); err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "readers are led there", func() bool { return w.Status().Current && w.Status().Trouble == "" })
		w.end(t)
	}
	if _, err := worker.ComparePromotion(soon(t), h.nc, 3); err == nil || !strings.Contains(err.Error(), "no worker of version 3 answers. Try: ") {
		t.Errorf("promoted to nobody: %v", err)
	}
}

// TestPointerToNoTables: where readers are led to nothing, nothing is the same as
// what a worker has.
func TestPointerToNoTables(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{})
	h.await(city, h.raid("Karachi"))
	h.spoil("totals.r1.v9")
	waitUntil(t, "the worker sees it", func() bool { return !w.Status().Current })
	p, err := worker.ComparePromotion(soon(t), h.nc, 1)
	if err != nil || p.From != "totals.r1.v9" || p.Same() || p.Moved {
		t.Errorf("compared: %+v, %v", p, err)
	}
	w.end(t)
}

// TestNobodyIsLeftWithoutAnAnswer: while readers are led from one version to
// another and back, every question is answered.
func TestNobodyIsLeftWithoutAnAnswer(t *testing.T) {
	h := newHouse(t, 0)
	old, next := h.work(worker.Config{}), h.work(worker.Config{Version: 2})
	entry := h.raid("Karachi")
	for _, table := range worker.DefaultTables() {
		h.await("totals.r1.v1."+table.Name, entry)
		h.await("totals.r1.v2."+table.Name, entry)
	}
	h.ask("")
	stop, asked := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				asked <- n
				return
			default:
			}
			if _, err := h.nc.Request(worker.QuerySubject, nil, patience); err != nil {
				t.Errorf("question %d: %v", n, err)
			}
		}
	}()
	for version := range 6 {
		version = 1 + version%2
		p, err := worker.ComparePromotion(soon(t), h.nc, version)
		if err == nil && !p.Moved {
			err = p.Move(soon(t))
		}
		if err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "both know", func() bool {
			return old.Status().Current == (version == 1) && next.Status().Current == (version == 2)
		})
		time.Sleep(50 * time.Millisecond) // and somewhere in the hand-over
	}
	close(stop)
	t.Logf("%d questions", <-asked)
	old.end(t)
	next.end(t)
}

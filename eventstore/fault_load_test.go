package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// load is publishers that record raids one after the other, each in a diary of
// its own, and keep what they were told. What is not answered in time they
// submit again, the same bytes, until it is.
type load struct {
	t     testing.TB
	stop  chan struct{}
	works sync.WaitGroup
	// answers counts receipts, retries what was submitted again.
	answers, retries atomic.Int64

	mu sync.Mutex
	// told are the rulings of all receipts, by line.
	told map[string][]eventstore.LineRuling
	// given is how many raids each diary has.
	given map[string]int
}

// startLoad starts n publishers; of gives the recorder that one uses for its
// next raid.
func startLoad(t testing.TB, n int, limit time.Duration, of func(publisher, raid int) *eventstore.Recorder) *load {
	w := &load{t: t, stop: make(chan struct{}), told: map[string][]eventstore.LineRuling{}, given: map[string]int{}}
	for i := range n {
		w.works.Go(func() { w.publish(i, limit, of) })
	}
	return w
}

func (w *load) publish(i int, limit time.Duration, of func(publisher, raid int) *eventstore.Recorder) {
	diary := fmt.Sprintf("/nccia/unit-%d", i)
	for n := 0; ; n++ {
		select {
		case <-w.stop:
			w.mu.Lock()
			w.given[diary] = n
			w.mu.Unlock()
			return
		default:
		}
		if !w.record(raid(diary, n), limit, func() *eventstore.Recorder { return of(i, n) }) {
			return
		}
	}
}

// record records one line until it has its receipt.
func (w *load) record(line string, limit time.Duration, of func() *eventstore.Recorder) bool {
	for began := time.Now(); time.Since(began) < patience; w.retries.Add(1) {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		receipt, err := of().Record(ctx, []byte(line))
		cancel()
		switch {
		case err == nil && receipt.Err() == nil:
			w.mu.Lock()
			w.told[line] = append(w.told[line], receipt.Rulings[0])
			w.mu.Unlock()
			w.answers.Add(1)
			return true
		case err == nil:
			err = receipt.Err()
		case errors.Is(err, eventstore.ErrUnknownOutcome), errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrBusy):
			continue // all of them say: the same again
		}
		w.t.Errorf("%.100s: %v", line, err)
		return false
	}
	w.t.Errorf("no receipt within %v: %.100s", patience, line)
	return false
}

// more waits until there are n receipts more than now.
func (w *load) more(n int64) {
	w.t.Helper()
	want := w.answers.Load() + n
	for began := time.Now(); w.answers.Load() < want; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience || w.t.Failed() {
			w.t.Fatalf("%d receipts within %v, want %d more", w.answers.Load(), patience, n)
		}
	}
}

// end lets every publisher finish its last raid.
func (w *load) end() {
	close(w.stop)
	w.works.Wait()
}

// check replays the ledger: every raid is accepted exactly once, where its
// publisher was told, nothing is refused, and every receipt is what the replay
// rules.
func (w *load) check(l *eventstore.Ledger) {
	w.t.Helper()
	rulings, reg := replay(w.t, l)
	said := map[domain.Position]eventstore.LineRuling{}
	for _, r := range rulings {
		said[r.Position] = r
	}
	raids, duplicates := 0, 0
	for diary, n := range w.given {
		for i := range n {
			raids++
			name := domain.RecordName{Kind: "raid", Diary: mustDiary(w.t, diary), ID: fmt.Sprintf("%06d", i)}
			standing, ok := reg.Lookup(name)
			told := w.told[raid(diary, i)]
			if !ok || len(told) != 1 {
				w.t.Errorf("%s: in the ledger: %v, receipts: %d", name, ok, len(told))
				continue
			}
			at := told[0].Position
			if told[0].Verdict == domain.Duplicate {
				duplicates++
				at = told[0].First
			}
			if at != standing.Position {
				w.t.Errorf("%s: told %s, it stands at %s", name, at, standing.Position)
			}
			if r := told[0]; !r.Position.IsZero() && r != said[r.Position] {
				w.t.Errorf("%s: told %s, a replay says %s", name, asJSON(r), asJSON(said[r.Position]))
			}
		}
	}
	if got := count(rulings, domain.Accepted); got != raids+1 {
		w.t.Errorf("%d accepted, want %d raids and the opening", got, raids)
	}
	if got := count(rulings, domain.Refused); got != 0 {
		w.t.Errorf("%d refused", got)
	}
	w.t.Logf("%d raids recorded and answered, %d submitted again, %d of them answered as duplicates; %d lines written twice; %d entries",
		raids, w.retries.Load(), duplicates, count(rulings, domain.Duplicate), reg.Last())
}

func mustDiary(t testing.TB, s string) domain.Diary {
	t.Helper()
	d, err := domain.ParseDiary(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sameState sees that a recorder that has read everything is where a replay is.
func sameState(t testing.TB, l *eventstore.Ledger, recorders ...*eventstore.Recorder) {
	t.Helper()
	_, reg := replay(t, l)
	for i, r := range recorders {
		if err := r.Refresh(soon(t)); err != nil {
			t.Errorf("recorder %d: %v", i, err)
		}
		r.View(func(own *domain.Register) {
			if own.Last() != reg.Last() || own.Hash() != reg.Hash() {
				t.Errorf("recorder %d: its state at %d differs from a replay's at %d", i, own.Last(), reg.Last())
			}
		})
	}
}

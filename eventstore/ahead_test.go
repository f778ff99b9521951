package eventstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// publishMany writes entries faster than Append, in their order.
func publishMany(t testing.TB, js jetstream.JetStream, payloads [][]byte) {
	t.Helper()
	for i, payload := range payloads {
		if _, err := js.PublishAsync(domain.EntrySubject, payload); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 999 || i == len(payloads)-1 {
			<-js.PublishAsyncComplete()
		}
	}
}

// mixed are payloads of a few bytes with some among them that fill a handful
// alone, beginning with the opening.
func mixed(n int) [][]byte {
	payloads := [][]byte{[]byte(opening)}
	for i := 1; i < n; i++ {
		payload := []byte(raid("/nccia/karachi", i))
		if i%101 == 0 {
			payload = bytes.Repeat(append(payload, "\n\n"...), 900)
		}
		payloads = append(payloads, payload)
	}
	return payloads
}

func mixedLedger(t testing.TB, n int) *eventstore.Ledger {
	t.Helper()
	l, nc := emptyLedger(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	publishMany(t, js, mixed(n))
	return l
}

// ReadAhead hands over what Read hands over, and entries that are read already.
func TestReadAheadIsRead(t *testing.T) {
	const entries = 1000
	l := mixedLedger(t, entries)
	all, err := read(t, l, 1, entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ from, to uint64 }{
		{1, entries}, {1, 1}, {1, 64}, {1, 65}, {2, 129}, {101, 103}, {entries, entries}, {3, entries + 5}, {entries + 1, entries + 5}, {7, 6},
	} {
		t.Run(fmt.Sprintf("%d-%d", test.from, test.to), func(t *testing.T) {
			last, want := domain.Entry{}, all[test.from-1:max(test.from-1, min(test.to, entries))]
			if test.from > 1 {
				last = all[test.from-2]
			}
			n := 0
			err := l.ReadAhead(soon(t), last.Number, last.Recorded, test.to, func(e domain.Entry) error {
				if w := want[n]; e.Number != w.Number || e.Subject != w.Subject || !e.Recorded.Equal(w.Recorded) || !bytes.Equal(e.Payload, w.Payload) || e.Hash() != w.Hash() {
					return fmt.Errorf("entry %d where Read has entry %d", e.Number, w.Number)
				}
				n++
				return nil
			})
			if err != nil || n != len(want) {
				t.Errorf("visited %d of %d, %v", n, len(want), err)
			}
		})
	}
}

// A register rules on what was read ahead as on what was not.
func TestWhatWasReadAheadIsRuledAlike(t *testing.T) {
	l := mixedLedger(t, 300)
	rulings, want := replay(t, l)
	reg, lines := domain.NewRegister(), 0
	err := l.ReadAhead(soon(t), 0, time.Time{}, want.Last(), func(e domain.Entry) error {
		return reg.Apply(e, func(*domain.Ruled) { lines++ })
	})
	if err != nil || reg.Hash() != want.Hash() || lines != len(rulings) {
		t.Errorf("%d lines, %v, the same hash: %v", lines, err, reg.Hash() == want.Hash())
	}
}

// The visitor's error, and the end of the context, end the reading at once:
// nothing is visited after it, and nothing goes on by itself.
func TestReadAheadEnds(t *testing.T) {
	const entries = 1000
	l := mixedLedger(t, entries)
	enough := errors.New("enough")
	for _, last := range []uint64{1, 63, 64, 65, 202, entries - 1, entries} {
		for _, cancelled := range []bool{false, true} {
			t.Run(fmt.Sprint(last, cancelled), func(t *testing.T) {
				ctx, cancel := context.WithCancel(soon(t))
				defer cancel()
				var visited []uint64
				err := l.ReadAhead(ctx, 0, time.Time{}, entries, func(e domain.Entry) error {
					visited = append(visited, e.Number)
					switch {
					case e.Number < last:
						return nil
					case cancelled:
						cancel()
						return nil
					}
					return enough
				})
				switch {
				case cancelled && last < entries && !errors.Is(err, context.Canceled):
					t.Errorf("cancelled: %v", err)
				case !cancelled && err != enough:
					t.Errorf("got %v, want the visitor's error as it is", err)
				}
				equal(t, "visited", visited, sequence(1, last))
				eventually(t, "its goroutines end", func() bool { return !strings.Contains(goroutines(), "(*ahead)") })
			})
		}
	}
}

// goroutines is what all goroutines do now.
func goroutines() string {
	stacks := make([]byte, 1<<20)
	return string(stacks[:runtime.Stack(stacks, true)])
}

// What stands before a gap is visited, nothing behind it, and the gap is the
// error. The entry is lost while the first is visited, when so far ahead nothing
// has been read yet.
func TestReadAheadUpToAGap(t *testing.T) {
	_, nc := startServer(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c := safeConfig()
	c.DenyDelete = false
	stream, err := js.CreateStream(soon(t), c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventstore.OpenUnchecked(nc)
	if err != nil {
		t.Fatal(err)
	}
	const entries, lost = 60, 50
	publishMany(t, js, slices.Repeat([][]byte{bytes.Repeat([]byte("y"), 900_000)}, entries))
	var visited []uint64
	err = l.ReadAhead(soon(t), 0, time.Time{}, entries, func(e domain.Entry) error {
		visited = append(visited, e.Number)
		if e.Number == 1 {
			return stream.DeleteMsg(soon(t), lost)
		}
		return nil
	})
	var gap *eventstore.GapError
	if !errors.As(err, &gap) || *gap != (eventstore.GapError{Want: lost, Got: lost + 1}) {
		t.Errorf("got %v, want the gap at entry %d", err, lost)
	}
	equal(t, "visited", visited, sequence(1, lost-1))
}

// A server that goes away while entries are read ahead is waited for, and no
// entry comes twice.
func TestReadAheadOutlivesTheServer(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	l := opened(t, dialled(t, dir))
	const entries = 60
	for range entries - 1 {
		if _, err := l.Append(soon(t), bytes.Repeat([]byte("y"), 900_000)); err != nil {
			t.Fatal(err)
		}
	}
	var visited []uint64
	err := l.ReadAhead(soon(t), 0, time.Time{}, entries, func(e domain.Entry) error {
		visited = append(visited, e.Number)
		if e.Number != 3 {
			return nil
		}
		err := s.Close()
		s = serve(t, dir)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	equal(t, "visited", visited, sequence(1, entries))
}

// Recorders that start while others write go over from what was there to what
// comes without losing an entry or seeing one twice.
func TestRecorderGoesOverToWhatComes(t *testing.T) {
	l, _ := openLedger(t)
	const entries, recorders = 600, 12
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range entries - 1 {
			if _, err := l.Append(soon(t), []byte(raid("/nccia/karachi", i))); err != nil {
				t.Error(err)
				return
			}
		}
	})
	ruled := make([][]uint64, recorders)
	for i := range recorders {
		r := newRecorder(t, l, eventstore.RecorderConfig{Rulings: func(line *domain.Ruled) {
			ruled[i] = append(ruled[i], line.Position.Entry)
		}})
		defer func() {
			eventually(t, "it reads the last entry", func() (all bool) {
				r.View(func(reg *domain.Register) { all = reg.Last() == entries })
				return all
			})
			r.View(func(*domain.Register) { equal(t, "ruled", ruled[i], sequence(1, entries)) })
		}()
	}
	writing.Wait()
}

package eventstore_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"roznamcha/eventstore"
)

// rounds is how often a fault is made: fewer with -short.
func rounds(all int) int {
	if testing.Short() {
		return max(1, all/10)
	}
	return all
}

// newChance is a source of random numbers, its seed in the log.
func newChance(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestServerKilledUnderLoad kills an external nats-server at random moments,
// also while it is starting: the recorders in this process outlive it, every
// raid is recorded exactly once, and every receipt holds.
func TestServerKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s := newNATSServer(t, "alone")
	s.configure()
	s.start()
	chance := newChance(t)
	ledgerAt := func() *eventstore.Ledger {
		nc := connectTo(t, s.url())
		var l *eventstore.Ledger
		settles(t, "the ledger", func(ctx context.Context) (err error) {
			l, err = eventstore.Create(ctx, nc, 1)
			return err
		})
		return l
	}
	look := ledgerAt()
	if _, err := look.AppendFirst(soon(t), []byte(opening)); err != nil {
		t.Fatal(err)
	}
	recorders := []*eventstore.Recorder{
		newRecorder(t, ledgerAt(), eventstore.RecorderConfig{}),
		newRecorder(t, ledgerAt(), eventstore.RecorderConfig{}),
	}
	w := startLoad(t, 16, 100*time.Millisecond, func(publisher, n int) *eventstore.Recorder { return recorders[(publisher+n)%2] })
	const all = 24
	early := 0
	for range rounds(all) {
		w.more(int64(1 + chance.IntN(2000)))
		s.kill()
		if chance.IntN(4) == 0 { // once more, before it is ready
			early++
			s.start()
			time.Sleep(time.Duration(chance.IntN(40)) * time.Millisecond)
			s.kill()
		}
		s.start()
	}
	w.more(100)
	w.end()
	t.Logf("killed %d times, %d times more while it was starting", rounds(all), early)
	w.check(look)
	sameState(t, look, recorders...)
}

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
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
	const all = 50
	early := 0
	for range rounds(all) {
		w.more(int64(1 + chance.IntN(500)))
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

// TestServerWithoutJetStream: the server comes back and keeps no streams. Who
// stops waiting is told so, the first and those behind him, until it does.
func TestServerWithoutJetStream(t *testing.T) {
	t.Parallel()
	s := newNATSServer(t, "alone")
	s.configure()
	s.start()
	s.ready()
	nc := connectTo(t, s.url())
	r := newRecorder(t, opened(t, nc), eventstore.RecorderConfig{})
	s.kill()
	if err := os.WriteFile(s.configFile(), fmt.Appendf(nil, "listen: %q\nlog_file: %q\n", s.client, filepath.Join(s.dir, "log")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	var pending []*eventstore.Pending
	const n = 3
	for i := range n {
		p := submit(t, r, raid("/nccia/karachi", i))
		settles(t, "the reason", func(context.Context) error {
			hurry, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			defer cancel()
			_, err := p.Receipt(hurry)
			if !errors.Is(err, eventstore.ErrUnknownOutcome) {
				t.Fatal(err)
			}
			if says := err.Error(); !strings.Contains(says, "JetStream is not enabled. Try: ") {
				return err
			}
			return nil
		})
		pending = append(pending, p)
	}
	s.kill()
	s.configure()
	s.start()
	for _, p := range pending {
		if got := brief(receiptOf(t, p)); !strings.HasPrefix(got, "accepted ") {
			t.Error(got)
		}
	}
	checkOnce(t, ledgerOf(t, nc), n)
}

package embedded

import (
	"errors"
	"strings"
	"testing"
	"time"

	"roznamcha/eventstore"
)

// TestCannotWrite: room mends only what failed for want of it, and not where an
// entry may stand in the file and not on the disk. Whatever it is, nobody
// records meanwhile.
func TestCannotWrite(t *testing.T) {
	const path = "/d/jetstream/$G/streams/LEDGER/msgs/1.blk: "
	for reason, want := range map[string]error{
		"write " + path + "no space left on device": eventstore.ErrDiskFull,
		"open " + path + "no space left on device":  eventstore.ErrDiskFull,
		"write " + path + "disk quota exceeded":     eventstore.ErrDiskFull,
		"sync " + path + "no space left on device":  eventstore.ErrRejected,
		"write " + path + "input/output error":      eventstore.ErrRejected,
	} {
		s := &Server{dir: t.TempDir(), reserve: 1}
		if err := s.Room(); err != nil {
			t.Fatal(err)
		}
		err := s.cannotWrite("JetStream stream '$G > LEDGER' write error: " + reason)
		s.stuck.Store(&err)
		if got := s.Room(); got != err || !errors.Is(got, want) || !strings.Contains(got.Error(), "Try: ") {
			t.Errorf("%s: Room says %v, want %v", reason, got, want)
		}
	}
}

// TestWellAgain: what kept from recording does so no longer when the server's
// health does not tell of it any more.
func TestWellAgain(t *testing.T) {
	s, err := Start(t.TempDir(), Options{Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.cannotWrite("JetStream stream '$G > KV_gone' write error: input/output error")
	s.stuck.Store(&err)
	s.trouble <- struct{}{}
	for began := time.Now(); s.Room() != nil; time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal(s.Room())
		}
	}
}

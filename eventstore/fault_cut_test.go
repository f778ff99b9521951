package eventstore_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

// TestConnectionCut damages the way to an external server under load, in every
// way that a network knows, for a second or until it is noticed. One recorder
// of two goes through the damaged cable; every raid is recorded exactly once.
func TestConnectionCut(t *testing.T) {
	t.Parallel()
	s := newNATSServer(t, "alone")
	s.configure()
	s.start()
	s.ready()
	nc := connectTo(t, s.url())
	look := opened(t, nc)
	cable, address := newCableTo(t, s.url())
	cut := connectTo(t, address)
	l, err := eventstore.Open(soon(t), cut)
	if err != nil {
		t.Fatal(err)
	}
	far := newRecorder(t, l, eventstore.RecorderConfig{})
	w := startLoad(t, 8, 500*time.Millisecond, func(int, int) *eventstore.Recorder { return far })

	const short = time.Second
	for _, fault := range []struct {
		name   string
		damage func()
		// noticed tells that the connection is given up by itself: nothing mends it.
		noticed bool
	}{
		{"cut", cable.cut, false},
		{"unplugged", cable.unplug, false},
		{"held", cable.hold, false},
		{"nothing comes back", func() { cable.lose(true, false) }, true},
		{"nothing gets there", func() { cable.lose(false, true) }, true},
		{"nothing either way", func() { cable.lose(true, true) }, true},
	} {
		for range rounds(2) {
			w.more(500)
			before, retries, began := cut.Stats().Reconnects, w.retries.Load(), time.Now()
			fault.damage()
			if !fault.noticed {
				time.Sleep(short)
				cable.mend()
			}
			w.more(500)
			t.Logf("%s: %d receipts after %v; %d reconnects, %d submitted again", fault.name, 500, time.Since(began).Round(time.Millisecond), cut.Stats().Reconnects-before, w.retries.Load()-retries)
			if fault.noticed {
				break // it takes as long as pings take
			}
		}
	}
	w.end()
	w.check(look)
	sameState(t, look, far)
}

// TestServerThatHoldsBack: a server that sends heartbeats and no entries, as one
// does whose own copy of the ledger is stuck, does not hold up a reader. Here it
// is a consumer that was paused.
func TestServerThatHoldsBack(t *testing.T) {
	t.Parallel()
	l, nc := openLedger(t)
	r := newRecorder(t, l, eventstore.RecorderConfig{})
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	record(t, r, raid("/nccia/karachi", 1))
	stream, err := js.Stream(soon(t), eventstore.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	paused := 0
	for info := range stream.ListConsumers(soon(t)).Info() {
		if _, err := stream.PauseConsumer(soon(t), info.Name, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		paused++
	}
	if paused == 0 {
		t.Fatal("the recorder has no reader")
	}
	began := time.Now()
	if got := brief(record(t, r, raid("/nccia/karachi", 2))); got != "accepted 3:1" {
		t.Error(got)
	}
	t.Logf("a receipt after %v", time.Since(began).Round(time.Millisecond))
}

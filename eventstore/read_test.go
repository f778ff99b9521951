package eventstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

func appendN(t testing.TB, l *eventstore.Ledger, n int) {
	t.Helper()
	for i := range n {
		if _, err := l.Append(soon(t), fmt.Appendf(nil, "payload %d", i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFollow(t *testing.T) {
	l, _ := emptyLedger(t)
	appendN(t, l, 10)
	stop := errors.New("enough")
	var got []uint64
	err := l.Follow(soon(t), 4, func(e domain.Entry) error {
		got = append(got, e.Number)
		if e.Number == 10 {
			appendN(t, l, 5) // while the follower is at the tail
		}
		if e.Number == 15 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want the visitor's error", err)
	}
	equal(t, "followed", got, sequence(4, 15))
}

func TestFollowEndsWithItsContext(t *testing.T) {
	l, _ := emptyLedger(t)
	appendN(t, l, 1)
	ctx, cancel := context.WithCancel(context.Background())
	err := l.Follow(ctx, 1, func(domain.Entry) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestVisitorsErrorEndsReading(t *testing.T) {
	l, _ := emptyLedger(t)
	appendN(t, l, 3)
	stop, visits := errors.New("stop"), 0
	err := l.Read(soon(t), 1, 3, func(domain.Entry) error { visits++; return stop })
	if !errors.Is(err, stop) || visits != 1 {
		t.Errorf("%d visits, %v", visits, err)
	}
}

// TestReadManyAndLarge needs many pulls: by messages, and by bytes.
func TestReadManyAndLarge(t *testing.T) {
	l, nc := emptyLedger(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	const small, large = 21_000, 20
	for i := range small {
		if _, err := js.PublishAsync(domain.EntrySubject, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if i%2000 == 0 {
			<-js.PublishAsyncComplete()
		}
	}
	<-js.PublishAsyncComplete()
	big := bytes.Repeat([]byte("y"), 900_000)
	for range large {
		if _, err := l.Append(soon(t), big); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := read(t, l, 1, small+large)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "entries", numbers(entries), sequence(1, small+large))
	if last := entries[len(entries)-1]; !bytes.Equal(last.Payload, big) {
		t.Errorf("last payload has %d bytes", len(last.Payload))
	}
}

// TestStatusInAnEntry: what a trusted writer put into the stream may look like
// the server's words about a pull.
func TestStatusInAnEntry(t *testing.T) {
	l, nc := emptyLedger(t)
	for _, status := range []string{"100", "404", "408", "409", "503"} {
		m := nats.NewMsg("ledger.diary.nccia.karachi")
		m.Header.Set("Status", status)
		m.Header.Set("Nats-Pending-Messages", "10000")
		if _, err := nc.RequestMsg(m, patience); err != nil {
			t.Fatal(err)
		}
	}
	appendN(t, l, 1)
	entries, err := read(t, l, 1, 6)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "entries", numbers(entries), sequence(1, 6))
}

// TestGap: a stream that lets messages be deleted is refused by Open, and if
// one is read all the same, a missing entry is the alarm and nothing after it
// is handed out.
func TestGap(t *testing.T) {
	for _, test := range []struct {
		name    string
		damage  func(context.Context, jetstream.Stream) error
		from    uint64
		want    eventstore.GapError
		visited []uint64
	}{
		{"in the middle", func(ctx context.Context, s jetstream.Stream) error { return s.DeleteMsg(ctx, 5) }, 1, eventstore.GapError{Want: 5, Got: 6}, nil},
		{"at the end", func(ctx context.Context, s jetstream.Stream) error { return s.DeleteMsg(ctx, 10) }, 1, eventstore.GapError{Want: 10, Got: 11}, nil},
		{"before where reading begins", func(ctx context.Context, s jetstream.Stream) error { return s.DeleteMsg(ctx, 5) }, 7, eventstore.GapError{Want: 5, Got: 6}, nil},
		{"where reading begins", func(ctx context.Context, s jetstream.Stream) error { return s.DeleteMsg(ctx, 5) }, 5, eventstore.GapError{Want: 5, Got: 6}, nil},
		{"at the beginning", func(ctx context.Context, s jetstream.Stream) error {
			return s.Purge(ctx, jetstream.WithPurgeSequence(3))
		}, 1, eventstore.GapError{Want: 1, Got: 3}, nil},
		{"at the beginning, read from later", func(ctx context.Context, s jetstream.Stream) error {
			return s.Purge(ctx, jetstream.WithPurgeSequence(3))
		}, 7, eventstore.GapError{Want: 1, Got: 3}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, nc := startServer(t)
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			c := safeConfig()
			c.DenyDelete, c.DenyPurge = false, false
			stream, err := js.CreateStream(soon(t), c)
			if err != nil {
				t.Fatal(err)
			}
			l, err := eventstore.OpenUnchecked(nc)
			if err != nil {
				t.Fatal(err)
			}
			appendN(t, l, 10)
			if err := test.damage(soon(t), stream); err != nil {
				t.Fatal(err)
			}
			var visited []uint64
			err = l.Read(soon(t), test.from, 10, func(e domain.Entry) error {
				visited = append(visited, e.Number)
				return nil
			})
			var gap *eventstore.GapError
			if !errors.As(err, &gap) || *gap != test.want {
				t.Errorf("got %v, want %+v", err, test.want)
			}
			equal(t, "visited", visited, test.visited)
		})
	}
}

func TestFollowBeyondTheTailWentBack(t *testing.T) {
	l, _ := emptyLedger(t)
	appendN(t, l, 3)
	err := l.Follow(soon(t), 9, func(domain.Entry) error { return nil })
	var back *eventstore.WentBackError
	if !errors.As(err, &back) || *back != (eventstore.WentBackError{Had: 8, Tail: 3}) {
		t.Errorf("got %v, want: had 8, tail 3", err)
	}
}

func TestEntryAt(t *testing.T) {
	l, _ := emptyLedger(t)
	if n, err := l.EntryAt(soon(t), time.Now()); n != 0 || err != nil {
		t.Errorf("of an empty ledger: %d, %v", n, err)
	}
	appendN(t, l, 20)
	entries, err := read(t, l, 1, 20)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		for _, test := range []struct {
			t    time.Time
			want uint64
		}{
			{e.Recorded, e.Number}, {e.Recorded.Add(-1), e.Number - 1}, {e.Recorded.Add(1), e.Number},
		} {
			n, err := l.EntryAt(soon(t), test.t)
			if n != test.want || err != nil {
				t.Errorf("entry %d: at %v got %d, %v; want %d", i+1, test.t, n, err, test.want)
			}
		}
	}
	for when, want := range map[time.Duration]uint64{-24 * time.Hour: 0, time.Hour: 20, 2 * eventstore.ClockSlack: 20} {
		if n, err := l.EntryAt(soon(t), time.Now().Add(when)); n != want || err != nil {
			t.Errorf("%v from now: %d, %v; want %d", when, n, err, want)
		}
	}
}

// TestRecordedFromTheMiddle: who begins in the middle sees the same recorded
// times.
func TestRecordedFromTheMiddle(t *testing.T) {
	l, _ := emptyLedger(t)
	appendN(t, l, 20)
	all, err := read(t, l, 1, 20)
	if err != nil {
		t.Fatal(err)
	}
	for from := range all {
		some, err := read(t, l, uint64(from+1), 20)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range some {
			if !e.Recorded.Equal(all[from+i].Recorded) {
				t.Errorf("from %d: entry %d recorded %v, want %v", from+1, e.Number, e.Recorded, all[from+i].Recorded)
			}
		}
	}
}

// TestFollowOutlivesTheServer stops the server under a follower and starts
// another on the same directory.
func TestFollowOutlivesTheServer(t *testing.T) {
	dir := t.TempDir()
	serve := func() (*embedded.Server, *eventstore.Ledger) {
		s, err := embedded.Start(dir, embedded.Options{Serving: true})
		if err != nil {
			t.Fatal(err)
		}
		nc, err := s.Connect()
		if err != nil {
			t.Fatal(err)
		}
		l, err := eventstore.Create(soon(t), nc, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s, l
	}
	s, l := serve()
	appendN(t, l, 10)
	nc, err := embedded.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	follower, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("enough")
	var got []uint64
	err = follower.Follow(soon(t), 1, func(e domain.Entry) error {
		got = append(got, e.Number)
		switch e.Number {
		case 10, 20, 30:
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s, l = serve()
			appendN(t, l, 10)
		case 40:
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	equal(t, "followed", got, sequence(1, 40))
	_ = s.Close()
}

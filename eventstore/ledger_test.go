package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

func TestOpenWithoutLedger(t *testing.T) {
	_, nc := startServer(t)
	_, err := eventstore.Open(soon(t), nc)
	if !errors.Is(err, eventstore.ErrNoLedger) || !strings.Contains(err.Error(), "Try: open one") {
		t.Errorf("got %v, want ErrNoLedger and what to try", err)
	}
}

func TestCreateTwiceOpens(t *testing.T) {
	_, nc := startServer(t)
	for range 2 {
		l, err := eventstore.Create(soon(t), nc, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(soon(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	l, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	if tail, err := l.Tail(soon(t)); tail != 2 || err != nil {
		t.Errorf("tail %d, %v; want 2: the second Create must not have made a new stream", tail, err)
	}
}

// TestUnsafeStreams makes a stream with each setting that could lose or change
// an entry: Open and Create name it.
func TestUnsafeStreams(t *testing.T) {
	type config = jetstream.StreamConfig
	for _, test := range []struct {
		setting, is string
		change      func(*config)
	}{
		{"storage", "Memory", func(c *config) { c.Storage = jetstream.MemoryStorage }},
		{"retention", "WorkQueue", func(c *config) { c.Retention = jetstream.WorkQueuePolicy }},
		{"retention", "Interest", func(c *config) { c.Retention = jetstream.InterestPolicy }},
		{"max_age", "24h0m0s", func(c *config) { c.MaxAge = 24 * time.Hour }},
		{"max_msgs", "1000", func(c *config) { c.MaxMsgs = 1000 }},
		{"max_bytes", "1048576", func(c *config) { c.MaxBytes = 1 << 20 }},
		{"max_msgs_per_subject", "1", func(c *config) { c.MaxMsgsPerSubject = 1 }},
		{"discard", "DiscardOld", func(c *config) { c.Discard = jetstream.DiscardOld }},
		{"deny_delete", "false", func(c *config) { c.DenyDelete = false }},
		{"deny_purge", "false", func(c *config) { c.DenyPurge = false }},
		{"allow_rollup_hdrs", "true", func(c *config) { c.AllowRollup, c.DenyPurge = true, false }},
		{"allow_msg_ttl", "true", func(c *config) { c.AllowMsgTTL = true }},
		{"mirror", "OTHER", func(c *config) { c.Mirror, c.Subjects = &jetstream.StreamSource{Name: "OTHER"}, nil }},
		{"sources", "OTHER", func(c *config) { c.Sources = []*jetstream.StreamSource{{Name: "OTHER"}} }},
		{"subjects", "[ledger.>]", func(c *config) { c.Subjects = []string{"ledger.>"} }},
		{"subjects", "[ledger.entry]", func(c *config) { c.Subjects = []string{"ledger.entry"} }},
		{"subjects", "[ledger.diary.*.* ledger.entry other]", func(c *config) { c.Subjects = append([]string{"other"}, c.Subjects...) }},
		{"subject_transform", "ledger.entry to ledger.diary.a.b", func(c *config) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "ledger.entry", Destination: "ledger.diary.a.b"}
		}},
		{"allow_msg_counter", "true", func(c *config) { c.AllowMsgCounter, c.Discard = true, jetstream.DiscardOld }},
		{"allow_msg_schedules", "true", func(c *config) { c.AllowMsgSchedules, c.Discard = true, jetstream.DiscardOld }},
		{"first_seq", "7", func(c *config) { c.FirstSeq = 7 }},
		{"no_ack", "true", func(c *config) { c.NoAck = true }},
		{"persist_mode", "Async", func(c *config) { c.PersistMode = jetstream.AsyncPersistMode }},
		{"max_msg_size", "100", func(c *config) { c.MaxMsgSize = 100 }},
		{"max_consumers", "1", func(c *config) { c.MaxConsumers = 1 }},
		{"consumer_limits", "1m0s and 0 pending", func(c *config) { c.ConsumerLimits.InactiveThreshold = time.Minute }},
		{"allow_direct", "false", func(c *config) { c.AllowDirect = false }},
		{"republish", "to elsewhere", func(c *config) { c.RePublish = &jetstream.RePublish{Source: "ledger.entry", Destination: "elsewhere"} }},
	} {
		t.Run(test.setting+" "+test.is, func(t *testing.T) {
			_, nc := startServer(t)
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			c := safeConfig()
			test.change(&c)
			if _, err := js.CreateStream(soon(t), c); err != nil {
				t.Fatal(err)
			}
			for name, open := range map[string]func() (*eventstore.Ledger, error){
				"Open":   func() (*eventstore.Ledger, error) { return eventstore.Open(soon(t), nc) },
				"Create": func() (*eventstore.Ledger, error) { return eventstore.Create(soon(t), nc, 1) },
			} {
				_, err := open()
				var unsafe *eventstore.UnsafeError
				if !errors.As(err, &unsafe) || unsafe.Setting != test.setting || unsafe.Is != test.is {
					t.Errorf("%s: got %v, want setting %s is %s", name, err, test.setting, test.is)
				}
			}
		})
	}
}

// TestSealed: nothing can be recorded in a sealed stream.
func TestSealed(t *testing.T) {
	_, nc := startServer(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c := safeConfig()
	if _, err := js.CreateStream(soon(t), c); err != nil {
		t.Fatal(err)
	}
	c.Sealed = true
	if _, err := js.UpdateStream(soon(t), c); err != nil {
		t.Fatal(err)
	}
	_, err = eventstore.Open(soon(t), nc)
	var unsafe *eventstore.UnsafeError
	if !errors.As(err, &unsafe) || unsafe.Setting != "sealed" {
		t.Errorf("got %v, want setting sealed", err)
	}
}

// TestHarmlessSettings opens a stream that differs only where it may.
func TestHarmlessSettings(t *testing.T) {
	_, nc := startServer(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c := safeConfig()
	c.Duplicates, c.Compression, c.AllowAtomicPublish, c.AllowBatchPublish = time.Hour, jetstream.S2Compression, true, true
	c.Description, c.Metadata = "another", map[string]string{"a": "b"}
	if _, err := js.CreateStream(soon(t), c); err != nil {
		t.Fatal(err)
	}
	if _, err := eventstore.Open(soon(t), nc); err != nil {
		t.Error(err)
	}
}

// safeConfig is written out again here: a mistake in the program's own must not
// hide itself.
func safeConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: "LEDGER", Subjects: []string{"ledger.entry", "ledger.diary.*.*"},
		Discard: jetstream.DiscardNew, DenyDelete: true, DenyPurge: true, AllowDirect: true,
	}
}

func TestAppendAndRead(t *testing.T) {
	l, _ := emptyLedger(t)
	if tail, err := l.Tail(soon(t)); tail != 0 || err != nil {
		t.Fatalf("tail of an empty ledger: %d, %v", tail, err)
	}
	before := time.Now().Add(-time.Second)
	for i := uint64(1); i <= 100; i++ {
		entry, err := l.Append(soon(t), fmt.Appendf(nil, "payload %d", i))
		if entry != i || err != nil {
			t.Fatalf("append %d: entry %d, %v", i, entry, err)
		}
	}
	for _, test := range []struct{ from, to, first, last uint64 }{
		{1, 100, 1, 100}, {0, 3, 1, 3}, {42, 42, 42, 42}, {90, 1000, 90, 100}, {101, 1000, 0, 0}, {5, 4, 0, 0},
	} {
		entries, err := read(t, l, test.from, test.to)
		if err != nil {
			t.Fatal(err)
		}
		var want []uint64
		if test.first > 0 {
			want = sequence(test.first, test.last)
		}
		equal(t, fmt.Sprintf("entries %d to %d", test.from, test.to), numbers(entries), want)
		recorded := before
		for _, e := range entries {
			if want := fmt.Sprintf("payload %d", e.Number); string(e.Payload) != want || e.Subject != domain.EntrySubject {
				t.Errorf("entry %d: %q on %s", e.Number, e.Payload, e.Subject)
			}
			if e.Recorded.Before(recorded) || e.Recorded.After(time.Now().Add(time.Minute)) || e.Recorded.Location() != time.UTC {
				t.Errorf("entry %d: recorded %v after %v", e.Number, e.Recorded, recorded)
			}
			recorded = e.Recorded
		}
	}
}

// TestAppendLeavesNoHeaders looks at the stored message itself.
func TestAppendLeavesNoHeaders(t *testing.T) {
	l, nc := emptyLedger(t)
	if _, err := l.Append(soon(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := js.OrderedConsumer(soon(t), "LEDGER", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Next()
	if err != nil || len(m.Headers()) != 0 {
		t.Errorf("message %v, %v; want no headers", m, err)
	}
}

func TestAppendFirst(t *testing.T) {
	l, _ := emptyLedger(t)
	if entry, err := l.AppendFirst(soon(t), []byte("x")); entry != 1 || err != nil {
		t.Fatalf("entry %d, %v", entry, err)
	}
	if _, err := l.AppendFirst(soon(t), []byte("y")); !errors.Is(err, eventstore.ErrNotEmpty) {
		t.Errorf("got %v, want ErrNotEmpty", err)
	}
	if tail, _ := l.Tail(soon(t)); tail != 1 {
		t.Errorf("tail %d, want 1", tail)
	}
}

func TestAppendErrors(t *testing.T) {
	l, nc := emptyLedger(t)
	if _, err := l.Append(soon(t), make([]byte, domain.MaxEntryBytes+1)); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("too large: got %v", err)
	}
	if _, err := l.Append(soon(t), make([]byte, domain.MaxEntryBytes)); err != nil {
		t.Errorf("as large as may be: %v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Append(ended, []byte("x")); !errors.Is(err, context.Canceled) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("context ended before: got %v", err)
	}
	full := errors.New("no room")
	l.Guard(func() error { return full })
	if _, err := l.Append(soon(t), []byte("x")); !errors.Is(err, full) {
		t.Errorf("guarded: got %v", err)
	}
	l.Guard(nil)
	nc.Close()
	if _, err := l.Append(soon(t), []byte("x")); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("connection closed: got %v", err)
	}
	l, _ = emptyLedger(t)
	if tail, _ := l.Tail(soon(t)); tail != 0 {
		t.Errorf("tail %d: something was recorded", tail)
	}
}

// TestAppendIsNotSentLater: on a connection that would keep what it cannot send
// (the default of nats.go, not ConnectOptions) an append fails at once while the
// server is away, and does not come into the ledger when it is back.
func TestAppendIsNotSentLater(t *testing.T) {
	s, direct := startServer(t)
	if _, err := eventstore.Create(soon(t), direct, 1); err != nil {
		t.Fatal(err)
	}
	cable, address := newCable(t, s)
	nc, err := nats.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	l, err := eventstore.Open(soon(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	away, back := nc.StatusChanged(nats.RECONNECTING), nc.StatusChanged(nats.CONNECTED)
	cable.cut()
	<-away
	if nc.Status() == nats.CONNECTED {
		t.Skip("it is back already")
	}
	if _, err := l.Append(soon(t), []byte("x")); !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	<-back
	if tail, err := l.Tail(soon(t)); tail != 0 || err != nil {
		t.Errorf("tail %d, %v: it was sent later", tail, err)
	}
}

// TestAppendUnknownOutcome: nobody answers, and the caller stops waiting.
func TestAppendUnknownOutcome(t *testing.T) {
	_, nc := startServer(t)
	silent, err := nc.SubscribeSync(domain.EntrySubject) // takes it and says nothing
	if err != nil {
		t.Fatal(err)
	}
	l, err := eventstore.OpenUnchecked(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = silent.NextMsg(patience)
		cancel()
	}()
	_, err = l.Append(ctx, []byte("x"))
	if !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrUnknownOutcome", err)
	}
}

func TestStatus(t *testing.T) {
	l, nc := openLedger(t)
	if _, err := l.Append(soon(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	s, err := l.Status(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Stream != "LEDGER" || s.Entries != 2 || s.Missing != 0 || s.Bytes == 0 || s.Replicas != 1 || s.Current != 1 ||
		s.First.IsZero() || s.Last.Before(s.First) || s.Server.Version == "" || s.Server.URL != withoutToken(nc) {
		t.Errorf("status %+v", s)
	}
}

func withoutToken(nc *nats.Conn) string {
	url := nc.ConnectedUrl()
	if i := strings.Index(url, "@"); i >= 0 {
		return "nats://" + url[i+1:]
	}
	return url
}

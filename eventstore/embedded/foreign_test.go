package embedded_test

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// foreign starts a server as somebody else might run it.
func foreign(t testing.TB, change func(*server.Options)) *nats.Conn {
	t.Helper()
	opts := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true}
	change(opts)
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	nc, err := eventstore.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestNoJetStream(t *testing.T) {
	nc := foreign(t, func(o *server.Options) { o.JetStream = false })
	for name, open := range map[string]func() error{
		"Open":   func() error { _, err := eventstore.Open(soon(t), nc); return err },
		"Create": func() error { _, err := eventstore.Create(soon(t), nc, 1); return err },
	} {
		if err := open(); !errors.Is(err, eventstore.ErrNoJetStream) || !strings.Contains(err.Error(), "Try: ") {
			t.Errorf("%s: got %v, want ErrNoJetStream and what to try", name, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	_ = taken.Close()
	for _, test := range []struct{ url, says string }{
		{"nats://secret@" + address, "connect to nats://" + address + ": the server cannot be reached"},
		{"nats://no-such-host.invalid:4222", "the server cannot be reached"},
		{"nats://secret@127.0.0.1:port", "connect to nats://127.0.0.1:port: that is no address"},
	} {
		_, err := eventstore.Connect(test.url)
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "Try: ") {
			t.Errorf("%s: got %v, want %q and what to try", test.url, err, test.says)
		}
		if unavailable := strings.Contains(test.says, "cannot be reached"); errors.Is(err, eventstore.ErrUnavailable) != unavailable {
			t.Errorf("%s: got %v, want ErrUnavailable %v", test.url, err, unavailable)
		}
	}
}

// TestMessageLargerThanAPull: on a server that takes such messages a trusted
// writer may have put one into the stream; it is read like any other.
func TestMessageLargerThanAPull(t *testing.T) {
	nc := foreign(t, func(o *server.Options) { o.MaxPayload = 32 << 20 })
	l := ledger(t, nc)
	sizes := []int{10, 6 << 20, 10, 20 << 20, 5 << 20, 10}
	for _, size := range sizes {
		if _, err := nc.Request("ledger.diary.nccia.karachi", bytes.Repeat([]byte("x"), size), patience); err != nil {
			t.Fatal(err)
		}
	}
	var got []int
	err := l.Read(soon(t), 1, uint64(len(sizes)), func(e domain.Entry) error {
		got = append(got, len(e.Payload))
		return nil
	})
	if err != nil || len(got) != len(sizes) {
		t.Fatalf("read sizes %v, %v", got, err)
	}
	for i := range got {
		if got[i] != sizes[i] {
			t.Errorf("entry %d has %d bytes, want %d", i+1, got[i], sizes[i])
		}
	}
}

// TestServerTakesLess: an entry that the server does not take is refused as too
// large, and nothing of it is recorded.
func TestServerTakesLess(t *testing.T) {
	nc := foreign(t, func(o *server.Options) { o.MaxPayload = 10_000 })
	l := ledger(t, nc)
	if _, err := l.Append(soon(t), make([]byte, 20_000)); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if tail, err := l.Tail(soon(t)); tail != 0 || err != nil {
		t.Errorf("tail %d, %v", tail, err)
	}
}

// TestMayNotPublish: a server does not answer who may not publish; the error
// tells what it has said.
func TestMayNotPublish(t *testing.T) {
	t.Parallel() // it waits for an answer that does not come
	nc := foreign(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "reader", Password: "reader", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Deny: []string{"ledger.>"}},
		}}}
		o.NoAuthUser = "reader"
	})
	l := ledger(t, nc)
	if _, err := l.Append(soon(t), []byte("x")); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("got %v, want the permissions violation in it", err)
	}
	if tail, err := l.Tail(soon(t)); tail != 0 || err != nil {
		t.Errorf("tail %d, %v", tail, err)
	}
}

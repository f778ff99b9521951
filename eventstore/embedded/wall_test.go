package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
	"roznamcha/eventstore/embedded/smalldisk"
)

const opening = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000000","source":"/ledger/office","type":"ledger.opened","subject":"test","data":{"name":"test","home":"PK","zone":"Asia/Karachi","rules":1}}`

// raid is a line: the raid numbered n of a diary, always with the same id.
func raid(unit string, n int) []byte {
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", unit, n))
	return fmt.Appendf(nil, `{"specversion":"1.0","id":"%s","source":"/nccia/%s","type":"raid.conducted","subject":"%06d","data":{"occurred":"2025-06-03","place":{"country":"PK","city":"Karachi"},"premises":"call-centre"}}`, id, unit, n)
}

// raids are the raids numbered from..to, more than fits into what a file on a
// full disk has left of its last page when they are many.
func raids(unit string, from, to int) []byte {
	var lines [][]byte
	for n := from; n <= to; n++ {
		lines = append(lines, raid(unit, n))
	}
	return bytes.Join(lines, []byte("\n"))
}

// opened is the ledger on nc, with its opening as entry 1.
func opened(t testing.TB, nc *nats.Conn) *eventstore.Ledger {
	t.Helper()
	l := ledger(t, nc)
	if _, err := l.AppendFirst(soon(t), []byte(opening)); err != nil && !errors.Is(err, eventstore.ErrNotEmpty) {
		t.Fatal(err)
	}
	return l
}

func recorder(t testing.TB, l *eventstore.Ledger) *eventstore.Recorder {
	t.Helper()
	r, err := eventstore.NewRecorder(soon(t), l, eventstore.RecorderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// until waits for a condition that must come.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
	}
}

// entries reads the whole ledger.
func entries(t testing.TB, l *eventstore.Ledger) (entries []domain.Entry) {
	t.Helper()
	tail, err := l.Tail(soon(t))
	if err == nil {
		err = l.Read(soon(t), 1, tail, func(e domain.Entry) error { entries = append(entries, e); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

const mib = 1 << 20

// hitTheWall publishes as a trusted writer, whom no guard holds back, until the
// server cannot write any more.
func hitTheWall(t testing.TB, s *embedded.Server, nc *nats.Conn) {
	t.Helper()
	for s.Stuck() == nil {
		if err := nc.Publish("ledger.diary.nccia.islamabad", bytes.Repeat([]byte("x"), 64<<10)); err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWall: other programs take the disk to its end and the server runs into it.
// Who reads goes on; who records is told; and when there is room everything goes
// on by itself, with the same connections.
func TestWall(t *testing.T) {
	smalldisk.Run(t, 64*mib, func(t *testing.T, disk *smalldisk.Disk) {
		s := start(t, disk.Dir, embedded.Options{Serving: true, Reserve: 8 * mib})
		within := connect(t, s)
		l := opened(t, within)
		l.Guard(s.Room)
		dialled, err := embedded.Dial(disk.Dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(dialled.Close)
		other := ledger(t, dialled)
		r := recorder(t, l)
		url, followed := s.URL(), make(chan uint64, 1000)
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		go func() {
			_ = other.Follow(ctx, 1, func(e domain.Entry) error { followed <- e.Number; return nil })
		}()
		const rounds = 3
		for n := range rounds {
			if rc, err := r.Record(soon(t), raid("karachi", n)); err != nil || rc.Err() != nil {
				t.Fatalf("round %d: %v, %v", n, err, rc.Err())
			}
			disk.Fill(t, 0)
			hitTheWall(t, s, within)
			before := entries(t, other) // reading goes on
			_, err := r.Record(soon(t), raid("lahore", n))
			if says := fmt.Sprint(err); !errors.Is(err, eventstore.ErrDiskFull) || !strings.Contains(says, "are free, 8 MiB are kept in reserve") || !strings.Contains(says, "Try: ") {
				t.Fatalf("round %d: record on the full disk: %v; want ErrDiskFull, how much is free and kept, and what to try", n, err)
			}
			receipt, err := r.Check(domain.Diary{Agency: "nccia", Unit: "lahore"}, raid("lahore", n))
			if err != nil || receipt.Err() != nil {
				t.Error("the door refuses what will go on")
			}
			disk.Clear(t)
			until(t, "the server writes again", func() bool { return s.Room() == nil })
			rc, err := r.Record(soon(t), raid("lahore", n))
			if err != nil || rc.Err() != nil {
				t.Fatalf("round %d: with room again: %v, %v", n, err, rc.Err())
			}
			after := entries(t, other)
			for i, e := range before {
				if a := after[i]; a.Number != e.Number || !bytes.Equal(a.Payload, e.Payload) {
					t.Fatalf("round %d: entry %d is another", n, e.Number)
				}
			}
			if _, err := embedded.Start(disk.Dir, embedded.Options{}); err == nil || s.URL() != url {
				t.Fatalf("the directory was given away (%v), or the server is at %s and not at %s", err, s.URL(), url)
			}
			t.Logf("round %d: %d entries before, %d after, free %d KiB", n, len(before), len(after), disk.Free(t)>>10)
		}
		tail, err := l.Tail(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		for want := uint64(1); want <= tail; want++ {
			if got := <-followed; got != want {
				t.Fatalf("the follower came to entry %d, want %d", got, want)
			}
		}
		sameState(t, r, l)
	})
}

// sameState: the recorder's state is that of a replay.
func sameState(t testing.TB, r *eventstore.Recorder, l *eventstore.Ledger) *domain.Register {
	t.Helper()
	replayed := domain.NewRegister()
	for _, e := range entries(t, l) {
		if err := replayed.Apply(e, func(*domain.Ruled) {}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the recorder has read everything", func() (read bool) {
		r.View(func(own *domain.Register) { read = own.Last() == replayed.Last() })
		return read
	})
	r.View(func(own *domain.Register) {
		if own.Hash() != replayed.Hash() {
			t.Errorf("at entry %d the recorder's state differs from a replay's", own.Last())
		}
	})
	return replayed
}

// TestWallUnderLoad: the disk is taken to its end at moments that nobody chose,
// between a guard's look and the write too. Every submission that was answered
// is in the ledger exactly once, and what was not is when it is tried again.
func TestWallUnderLoad(t *testing.T) {
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	smalldisk.Run(t, 64*mib, func(t *testing.T, disk *smalldisk.Disk) {
		s := start(t, disk.Dir, embedded.Options{Reserve: 8 * mib})
		l := opened(t, connect(t, s))
		l.Guard(s.Room)
		r := recorder(t, l)
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		const units = 8
		var work sync.WaitGroup
		var mu sync.Mutex
		answered, full, unknown := 0, 0, 0
		done := make([]int, units)
		for u := range units {
			work.Go(func() {
				for ctx.Err() == nil {
					rc, err := r.Record(context.Background(), raid(fmt.Sprintf("unit-%d", u), done[u]))
					mu.Lock()
					switch {
					case errors.Is(err, eventstore.ErrDiskFull) && !errors.Is(err, eventstore.ErrUnknownOutcome):
						full++
					case errors.Is(err, eventstore.ErrUnknownOutcome):
						unknown++
					case err != nil || rc.Err() != nil:
						t.Errorf("unit %d, event %d: %v, %v", u, done[u], err, rc.Err())
						stop()
					default:
						answered++
						done[u]++
					}
					mu.Unlock()
				}
			})
		}
		hits := 0
		count := func() int { mu.Lock(); defer mu.Unlock(); return answered }
		for round := range rounds {
			n := count()
			until(t, "recording goes on", func() bool { return count() > n+50 || ctx.Err() != nil })
			wasFull := func() int { mu.Lock(); defer mu.Unlock(); return full }()
			disk.Fill(t, 0)
			until(t, "recording is refused", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return full > wasFull || s.Stuck() != nil || ctx.Err() != nil
			})
			if s.Stuck() != nil {
				hits++
			}
			disk.Clear(t)
			until(t, fmt.Sprintf("room after round %d", round), func() bool { return s.Room() == nil })
		}
		n := count()
		until(t, "recording goes on", func() bool { return count() > n+50 || ctx.Err() != nil })
		stop()
		work.Wait()
		replayed := sameState(t, r, l)
		for u := range units {
			for i := range done[u] {
				name := domain.RecordName{Kind: "raid", Diary: domain.Diary{Agency: "nccia", Unit: fmt.Sprintf("unit-%d", u)}, ID: fmt.Sprintf("%06d", i)}
				if _, ok := replayed.Lookup(name); !ok {
					t.Errorf("%s was answered and is not in the ledger", name)
				}
			}
		}
		t.Logf("%d rounds, in %d the server itself ran into the wall: %d answered, %d refused for want of room, %d of unknown outcome", rounds, hits, answered, full, unknown)
	})
}

// TestWallInFlight: an append that was on its way when the disk came to its end
// is answered as unknown, with the reason; what waits behind it as disk-full.
// The same again, with room, is recorded once.
func TestWallInFlight(t *testing.T) {
	t.Parallel() // it waits for an answer that does not come
	smalldisk.Run(t, 64*mib, func(t *testing.T, disk *smalldisk.Disk) {
		s := start(t, disk.Dir, embedded.Options{Reserve: 8 * mib})
		l := opened(t, connect(t, s))
		var looked atomic.Bool
		l.Guard(func() error {
			if looked.Swap(true) {
				return s.Room()
			}
			disk.Fill(t, 0) // between the look and the write
			return nil
		})
		r := recorder(t, l)
		caught := make(chan error, 1)
		go func() {
			_, err := r.Record(soon(t), raids("karachi", 1, 50))
			caught <- err
		}()
		until(t, "the server runs into the wall", func() bool { return s.Stuck() != nil })
		_, err := r.Record(soon(t), raid("karachi", 51))
		if !errors.Is(err, eventstore.ErrDiskFull) || errors.Is(err, eventstore.ErrUnknownOutcome) {
			t.Errorf("what came later: %v, want ErrDiskFull", err)
		}
		if err := <-caught; !errors.Is(err, eventstore.ErrDiskFull) || !errors.Is(err, eventstore.ErrUnknownOutcome) {
			t.Errorf("what was on its way: %v, want ErrUnknownOutcome because of ErrDiskFull", err)
		}
		disk.Clear(t)
		until(t, "room", func() bool { return s.Room() == nil })
		for _, c := range []struct {
			want  string
			again []byte
		}{{"2:50", raids("karachi", 1, 50)}, {"3:1", raid("karachi", 51)}} {
			rc, err := r.Record(soon(t), c.again)
			if err != nil || rc.Err() != nil {
				t.Fatalf("with room: %v, %v", err, rc.Err())
			}
			last := rc.Rulings[len(rc.Rulings)-1]
			if last.Verdict != domain.Accepted || last.Position.String() != c.want {
				t.Errorf("with room: %v at %v, want accepted at %s", last.Verdict, last.Position, c.want)
			}
		}
		sameState(t, r, l)
	})
}

// TestWallElsewhere: a server that somebody else runs came to the end of its
// disk. Its recorder says what to do, and goes on when that was done.
func TestWallElsewhere(t *testing.T) {
	t.Parallel() // as above
	smalldisk.Run(t, 64*mib, func(t *testing.T, disk *smalldisk.Disk) {
		run := func(port int) *server.Server {
			s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: disk.Dir, JetStreamMaxStore: 1 << 40, SyncAlways: true, NoSigs: true, NoLog: true})
			if err != nil {
				t.Fatal(err)
			}
			s.Start()
			t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
			if !s.ReadyForConnections(patience) {
				t.Fatal("the server is not ready")
			}
			return s
		}
		s := run(server.RANDOM_PORT)
		nc, err := eventstore.Connect(s.ClientURL())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		l := opened(t, nc)
		r := recorder(t, l)
		disk.Fill(t, 0)
		_, err = r.Record(soon(t), raids("karachi", 1, 50))
		says := fmt.Sprint(err)
		if !errors.Is(err, eventstore.ErrUnknownOutcome) || !strings.Contains(says, "is there and has not answered") || !strings.Contains(says, "make room and then restart the server") {
			t.Errorf("got %v; want ErrUnknownOutcome, and what to do about the server", err)
		}
		t.Log(err)
		disk.Clear(t)
		port := s.Addr().(*net.TCPAddr).Port
		s.Shutdown()
		s.WaitForShutdown()
		run(port)
		rc, err := r.Record(soon(t), raids("karachi", 1, 50))
		if err != nil || rc.Err() != nil {
			t.Errorf("after the restart: %v, %v", err, rc.Err())
		}
		if got := sameState(t, r, l).Last(); got != 2 {
			t.Errorf("%d entries, want the opening and one", got)
		}
	})
}

// TestFullFromTheStart: on a disk that is full to the last byte what is there is
// served and read, and nothing is recorded; even where the lock file is gone.
func TestFullFromTheStart(t *testing.T) {
	smalldisk.Run(t, 32*mib, func(t *testing.T, disk *smalldisk.Disk) {
		s := start(t, disk.Dir, embedded.Options{Reserve: 1 * mib})
		opened(t, connect(t, s))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, serving := range []bool{true, false} {
			if !serving {
				if err := os.Remove(filepath.Join(disk.Dir, "lock")); err != nil {
					t.Fatal(err)
				}
			}
			disk.Fill(t, 0)
			s := start(t, disk.Dir, embedded.Options{Serving: serving, Reserve: 1 * mib})
			l := ledger(t, connect(t, s))
			l.Guard(s.Room)
			if got := len(entries(t, l)); got != 1 {
				t.Errorf("%d entries, want the opening", got)
			}
			if _, err := recorder(t, l).Record(soon(t), raid("karachi", 1)); !errors.Is(err, eventstore.ErrDiskFull) {
				t.Errorf("record: %v, want ErrDiskFull", err)
			}
			if serving {
				nc, err := embedded.Dial(disk.Dir)
				if err != nil {
					t.Fatal(err)
				}
				nc.Close()
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if left, err := filepath.Glob(addressFile(disk.Dir) + "*"); err != nil || len(left) > 0 {
				t.Errorf("on the full disk %v was left (%v)", left, err)
			}
		}
		if _, err := embedded.Start(filepath.Join(disk.Dir, "new"), embedded.Options{Serving: true}); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "Try: make room") {
			t.Errorf("serve a new directory: %v, want that there is no space, and what to try", err)
		}
		disk.Clear(t)
		s = start(t, disk.Dir, embedded.Options{Reserve: 1 * mib})
		l := ledger(t, connect(t, s))
		l.Guard(s.Room)
		if rc, err := recorder(t, l).Record(soon(t), raid("karachi", 1)); err != nil || rc.Err() != nil {
			t.Errorf("with room: %v, %v", err, rc.Err())
		}
	})
}

// TestKilledWhileMakingAStream: what a program left that was killed within Create,
// or while it made a bucket, holds nothing, and is no obstacle.
func TestKilledWhileMakingAStream(t *testing.T) {
	for _, left := range []string{"", "meta.inf"} {
		dir := t.TempDir()
		halfMade := func(stream string) {
			at := filepath.Join(dir, "jetstream", "$G", "streams", stream)
			if err := os.MkdirAll(filepath.Join(at, "msgs"), 0o700); err != nil {
				t.Fatal(err)
			}
			if left == "" {
				return
			}
			if err := os.WriteFile(filepath.Join(at, left), []byte(`{"name":"LEDGER"`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		halfMade(eventstore.StreamName)
		s := start(t, dir, embedded.Options{})
		if got := len(entries(t, opened(t, connect(t, s)))); got != 1 {
			t.Errorf("%q was left: %d entries, want the opening", left, got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		halfMade("KV_half")
		l := ledger(t, connect(t, start(t, dir, embedded.Options{})))
		if got := len(entries(t, l)); got != 1 {
			t.Errorf("%q was left of a bucket: %d entries, want the opening", left, got)
		}
		if _, err := l.MakeBucket(soon(t), jetstream.KeyValueConfig{Bucket: "half"}); err != nil {
			t.Errorf("%q was left of a bucket, which cannot be made: %v", left, err)
		}
	}
}

// TestKilledWhileStarting: the server tries whether it may write to its store, and
// one that is killed then leaves a file there, which is no account.
func TestKilledWhileStarting(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, embedded.Options{})
	opened(t, connect(t, s))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "jetstream", "_test_3558418140")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := ledger(t, connect(t, start(t, dir, embedded.Options{})))
	if got := len(entries(t, l)); got != 1 {
		t.Errorf("%d entries, want the opening", got)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there, and the server is not well by its own account: %v", err)
	}
}

// TestAStreamWithMessagesIsKept: one that cannot be opened is an alarm, whatever it
// and the directory are called, and left as it is.
func TestAStreamWithMessagesIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data[1]")
	const name = "of[another]"
	s := start(t, dir, embedded.Options{})
	js, err := jetstream.New(connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(soon(t), jetstream.StreamConfig{Name: name, Subjects: []string{"another"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(soon(t), "another", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stream := filepath.Join(dir, "jetstream", "$G", "streams", name)
	if err := os.WriteFile(filepath.Join(stream, "meta.inf"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(dir, embedded.Options{}); err == nil || !strings.Contains(err.Error(), "the store is damaged") {
		t.Errorf("started: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(stream, "msgs")); err != nil || len(left) == 0 {
		t.Errorf("%d files of its messages are left, %v", len(left), err)
	}
}

// TestErrorsThatAreNoWall: whatever else the server logs as an error, such as a
// wrong token, while a stream is being made is no reason to refuse an entry: its
// directory is there before the server knows of it.
func TestErrorsThatAreNoWall(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, embedded.Options{Serving: true})
	nc := connect(t, s)
	l := opened(t, nc)
	l.Guard(s.Room)
	r := recorder(t, l)
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var strangers sync.WaitGroup
	var refused atomic.Int64
	defer strangers.Wait()
	defer close(stop)
	strangers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if knock(u.Host) {
				refused.Add(1)
			}
		}
	})
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	const buckets = 50
	for n := range buckets {
		if _, err := js.CreateKeyValue(soon(t), jetstream.KeyValueConfig{Bucket: fmt.Sprintf("b%d", n)}); err != nil {
			t.Fatal(err)
		}
		if rc, err := r.Record(soon(t), raid("karachi", n)); err != nil || rc.Err() != nil {
			t.Fatalf("with %d buckets and %d wrong tokens: %v, %v", n+1, refused.Load(), err, rc.Err())
		}
	}
	half := filepath.Join(dir, "jetstream", "$G", "streams", "KV_half")
	if err := os.Mkdir(half, 0o700); err != nil { // as long as it takes
		t.Fatal(err)
	}
	n := refused.Load()
	until(t, "some are refused", func() bool { return refused.Load() > n+20 })
	if rc, err := r.Record(soon(t), raid("karachi", buckets)); err != nil || rc.Err() != nil {
		t.Errorf("while one is being made: %v, %v", err, rc.Err())
	}
	t.Logf("%d buckets made while %d wrong tokens were refused", buckets, refused.Load())
}

// knock asks to be let in with a token of an earlier start, and tells whether it
// heard that it is not.
func knock(address string) (refused bool) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	defer c.Close()
	_, _ = c.Write([]byte("CONNECT {\"verbose\":false,\"auth_token\":\"old\"}\r\nPING\r\n"))
	said, _ := io.ReadAll(c)
	return bytes.Contains(said, []byte("Authorization Violation"))
}

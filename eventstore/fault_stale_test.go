package eventstore_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// TestFarBehindFollower stops a follower, has thousands of entries written, and
// lets it go on with readers that it was given meanwhile: each reads all of the
// ledger that its leader has.
func TestFarBehindFollower(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	const readers, behind = 24, 5000
	total := 0
	for round := 0; round < rounds(3) || total == 0; round++ {
		if round == 20 {
			t.Fatal("no reader was given to the follower: this tests nothing")
		}
		c.current(t)
		leader, followers := c.leader(t)
		far := followers[round%2]
		l, nc := connectOnly(t, leader)
		asking, given := spyOnReaders(t, c, far)
		far.pause()
		written := publishN(t, nc, behind)
		middle, last := written[behind/2], written[behind-1]
		at := entryTime(t, nc, middle)

		type answer struct {
			at   uint64
			read []uint64
			err  error
		}
		answers := make(chan answer, readers)
		for i := range readers {
			go func() {
				var a answer
				if i%2 == 0 {
					a.at, a.err = l.EntryAt(soon(t), at)
				} else {
					a.err = l.Read(soon(t), middle, last, func(e domain.Entry) error {
						a.read = append(a.read, e.Number)
						return nil
					})
				}
				answers <- a
			}()
		}
		settles(t, "most readers are on their way", func(context.Context) error {
			if n := asking.Load(); n < readers { // a reader may ask more than once
				return fmt.Errorf("asked %d times", n)
			}
			return nil
		})
		far.resume()
		for range readers {
			a := <-answers
			if a.err != nil {
				t.Error(a.err)
			}
			if a.at != 0 && a.at != middle {
				t.Errorf("entry at the time of %d of %d: %d", middle, last, a.at)
			}
			if a.read != nil {
				equal(t, "read", a.read, sequence(middle, last))
			}
		}
		nc.Close()
		t.Logf("%d readers were given to the follower that was %d entries behind", given.Load(), behind)
		total += int(given.Load())
	}
}

// spyOnReaders counts how often somebody asks for a reader, and is given one at
// the server far.
func spyOnReaders(t testing.TB, c cluster, far *natsServer) (asking, given *atomic.Int64) {
	t.Helper()
	asking, given = new(atomic.Int64), new(atomic.Int64)
	leader, _ := c.leader(t)
	nc := connectTo(t, leader.url(), nats.IgnoreDiscoveredServers())
	_, err1 := nc.Subscribe("$JS.API.CONSUMER.CREATE."+eventstore.StreamName+".>", func(*nats.Msg) { asking.Add(1) })
	_, err2 := nc.Subscribe("_INBOX.>", func(m *nats.Msg) {
		var answer struct {
			Type    string
			Cluster struct{ Leader string }
		}
		if json.Unmarshal(m.Data, &answer) == nil && strings.HasSuffix(answer.Type, ".consumer_create_response") && answer.Cluster.Leader == far.name {
			given.Add(1)
		}
	})
	if err := errors.Join(err1, err2, nc.Flush()); err != nil {
		t.Fatal(err)
	}
	return asking, given
}

// publishN writes n entries and gives their numbers.
func publishN(t testing.TB, nc *nats.Conn, n int) (numbers []uint64) {
	t.Helper()
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1000))
	if err != nil {
		t.Fatal(err)
	}
	var acks []jetstream.PubAckFuture
	for i := range n {
		ack, err := js.PublishAsync(domain.EntrySubject, fmt.Appendf(nil, "payload %d", i))
		if err != nil {
			t.Fatal(err)
		}
		acks = append(acks, ack)
	}
	for _, ack := range acks {
		select {
		case a := <-ack.Ok():
			numbers = append(numbers, a.Sequence)
		case err := <-ack.Err():
			t.Fatal(err)
		}
	}
	return numbers
}

// entryTime is the server time of an entry, from the stream's leader.
func entryTime(t testing.TB, nc *nats.Conn, entry uint64) (at time.Time) {
	t.Helper()
	answer, err := nc.RequestWithContext(soon(t), "$JS.API.STREAM.MSG.GET."+eventstore.StreamName, fmt.Appendf(nil, `{"seq":%d}`, entry))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Message struct{ Time time.Time } }
	if err := json.Unmarshal(answer.Data, &got); err != nil || got.Message.Time.IsZero() {
		t.Fatalf("%v: %s", err, answer.Data)
	}
	return got.Message.Time
}

// TestReadersServerStops stops the follower that a recorder reads through, and
// leaves it so: the receipts come all the same.
func TestReadersServerStops(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for i := range rounds(2) {
		c.current(t)
		leader, _ := c.leader(t)
		r, readsAt := recorderReadingAt(t, c, leader)
		record(t, r, raid("/nccia/karachi", 2*i))
		readsAt.pause()
		began := time.Now()
		if got := brief(record(t, r, raid("/nccia/karachi", 2*i+1))); !strings.HasPrefix(got, "accepted ") {
			t.Error(got)
		}
		t.Logf("its reader's server stopped: a receipt after %v", time.Since(began).Round(time.Millisecond))
		readsAt.resume()
		_ = r.Close()
	}
}

// recorderReadingAt is a recorder that is connected to the leader, and reads
// through a follower.
func recorderReadingAt(t testing.TB, c cluster, leader *natsServer) (*eventstore.Recorder, *natsServer) {
	t.Helper()
	l, nc := connectOnly(t, leader)
	for range 50 {
		r := newRecorder(t, l, eventstore.RecorderConfig{})
		for _, name := range readersAt(t, nc) {
			for _, s := range c {
				if s.name == name && s != leader {
					return r, s
				}
			}
		}
		_ = r.Close()
	}
	t.Fatal("every recorder reads through the leader")
	return nil, nil
}

// readersAt are the servers that the ledger's readers are on.
func readersAt(t testing.TB, nc *nats.Conn) (names []string) {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(soon(t), eventstore.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	list := stream.ListConsumers(soon(t))
	for info := range list.Info() {
		if info.NumWaiting > 0 { // else nobody reads there any more
			names = append(names, info.Cluster.Leader)
		}
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestFollowerAloneDoesNotAnswer stops a follower while the others go on, and
// then leaves it alone: what it has is not the ledger. Who asks hears that
// nobody can tell, a recorder that had read more waits, and goes on when the
// others are back.
func TestFollowerAloneDoesNotAnswer(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.current(t)
	leader, followers := c.leader(t)
	far, other := followers[0], followers[1]
	r, _ := recorderOn(t, c.urls())
	viaFar, farConn := connectOnly(t, far, nats.PingInterval(time.Hour))
	far.pause()
	// More than can be on its way to the follower: a connection holds up to some
	// 40 MB, and servers compress what they send each other.
	const n = 70
	noise, chunk := rand.NewChaCha8([32]byte{}), make([]byte, 675_000)
	for i := range n {
		_, _ = noise.Read(chunk) // it never fails
		record(t, r, strings.Replace(raid("/nccia/karachi", i), `"data":{`, `"data":{"unknown":"`+base64.RawURLEncoding.EncodeToString(chunk)+`",`, 1))
	}
	leader.kill()
	other.kill()
	far.resume()
	var alone jetstream.StreamInfo
	settles(t, "the follower answers for itself", func(ctx context.Context) error {
		answer, err := farConn.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+eventstore.StreamName, nil)
		if err == nil && !strings.Contains(string(answer.Data), `"state"`) {
			err = errors.New(string(answer.Data))
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(answer.Data, &alone)
	})
	if alone.State.LastSeq > n {
		t.Errorf("the follower has all %d entries: this tests nothing", alone.State.LastSeq)
	}
	t.Logf("the follower has %d of %d entries", alone.State.LastSeq, n+1)
	ask, cancel := context.WithTimeout(soon(t), 3*time.Second)
	defer cancel()
	if tail, err := viaFar.Tail(ask); err == nil {
		t.Errorf("it says that the ledger ends at %d", tail)
	}
	p := submit(t, r, raid("/nccia/karachi", n))
	leader.start()
	other.start()
	if got := brief(receiptOf(t, p)); !strings.HasPrefix(got, "accepted ") {
		t.Error(got)
	}
	if err := r.Err(); err != nil {
		t.Errorf("the recorder has stopped: %v", err)
	}
	checkOnce(t, viaFar, n+1)
}

// TestLeaderThatWasStopped stops the leader until the others have another one
// and lets it go on with questions at its door: it does not answer them with
// what it has.
func TestLeaderThatWasStopped(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.current(t)
	old, _ := c.leader(t)
	look := ledgerOf(t, connectTo(t, c.urls()))
	viaOld, oldConn := connectOnly(t, old, nats.PingInterval(time.Hour))
	old.pause()
	settles(t, "another leader", func(ctx context.Context) error {
		_, err := look.Append(ctx, []byte("written after the leader was stopped"))
		return err
	})
	tail, err := look.Tail(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	const questions = 50
	answers := make(chan error, questions)
	before := oldConn.Stats().OutMsgs
	for range questions {
		go func() {
			got, err := viaOld.Tail(soon(t))
			if err == nil && got < tail {
				err = fmt.Errorf("the ledger ends at %d, it said %d", tail, got)
			}
			answers <- err
		}()
	}
	settles(t, "the questions are at its door", func(context.Context) error {
		if n := oldConn.Stats().OutMsgs - before; n < questions {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	old.resume()
	for range questions {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d questions were at the door of the leader that had been stopped", questions)
}

// TestLeaderThatHearsOfNobody: a leader that the others have not answered for a
// while may have been replaced. It still says that it leads, and is not believed.
func TestLeaderThatHearsOfNobody(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.current(t)
	leader, followers := c.leader(t)
	l, nc := connectOnly(t, leader)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range followers {
		s.pause()
	}
	settles(t, "the leader has not heard of the others for a while", func(ctx context.Context) error {
		stream, err := js.Stream(ctx, eventstore.StreamName)
		if err != nil {
			return err
		}
		info := stream.CachedInfo().Cluster
		for _, other := range info.Replicas {
			if info.Leader != leader.name || other.Active < 4*time.Second {
				return fmt.Errorf("%s leads, and has heard of %s %v ago", info.Leader, other.Name, other.Active)
			}
		}
		return nil
	})
	ask, cancel := context.WithTimeout(soon(t), 2*time.Second)
	defer cancel()
	tail, err := l.Tail(ask)
	if !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("tail %d, %v; want ErrUnavailable", tail, err)
	}
	t.Logf("a leader that %d of %d others have not answered says: %v", len(followers), len(c)-1, err)
	for _, s := range followers {
		s.resume()
	}
	settles(t, "the ledger's end", func(ctx context.Context) error {
		tail, err := l.Tail(ctx)
		if err == nil && tail != 1 {
			t.Fatalf("tail %d, want 1", tail)
		}
		return err
	})
}

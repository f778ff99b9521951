package eventstore_test

import (
	"context"
	"encoding/json"
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

// TestFarBehindFollower stops a follower, has thousands of entries written, and
// lets it go on with readers that it was given meanwhile: each reads all of the
// ledger that its leader has.
func TestFarBehindFollower(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	const readers, behind = 24, 5000
	for round := range rounds(3) {
		c.current(t)
		leader, followers := c.leader(t)
		far := followers[round%2]
		l, nc := connectOnly(t, leader)
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
		asked := make(chan struct{}, readers)
		for i := range readers {
			go func() {
				var a answer
				asked <- struct{}{}
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
			<-asked
		}
		time.Sleep(200 * time.Millisecond) // most are on their way; a few more or less are as good
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
	}
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
	const n = 30
	for i := range n { // more than can be on its way to the follower
		record(t, r, strings.Replace(raid("/nccia/karachi", i), `"data":{`, `"data":{"unknown":"`+strings.Repeat("x", 900_000)+`",`, 1))
	}
	leader.kill()
	other.kill()
	far.resume()
	settles(t, "the follower answers for itself", func(ctx context.Context) error {
		answer, err := farConn.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+eventstore.StreamName, nil)
		if err == nil && !strings.Contains(string(answer.Data), `"state"`) {
			err = errors.New(string(answer.Data))
		}
		return err
	})
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
	viaOld, _ := connectOnly(t, old, nats.PingInterval(time.Hour))
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
	asked := make(chan struct{}, questions)
	for range questions {
		go func() {
			asked <- struct{}{}
			got, err := viaOld.Tail(soon(t))
			if err == nil && got < tail {
				err = fmt.Errorf("the ledger ends at %d, it said %d", tail, got)
			}
			answers <- err
		}()
		<-asked
	}
	time.Sleep(100 * time.Millisecond) // most are on their way; a few more or less are as good
	old.resume()
	for range questions {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
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
	if tail, err := l.Tail(ask); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("tail %d, %v; want ErrUnavailable", tail, err)
	}
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

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/eventstore"
)

// cluster is three servers.
type cluster []*natsServer

// startCluster starts three servers and makes a ledger with its opening on all
// of them.
func startCluster(t testing.TB) cluster {
	t.Helper()
	var c cluster
	for _, name := range []string{"one", "two", "three"} {
		s := newNATSServer(t, name)
		s.route = freeAddress(t)
		c = append(c, s)
	}
	for _, s := range c {
		s.configure(c...)
		s.start()
	}
	nc := connectTo(t, c.urls())
	defer nc.Close()
	settles(t, "a ledger with three replicas", func(ctx context.Context) error {
		l, err := eventstore.Create(ctx, nc, 3)
		if err != nil {
			return err
		}
		if _, err = l.AppendFirst(ctx, []byte(opening)); errors.Is(err, eventstore.ErrNotEmpty) {
			return nil
		}
		return err
	})
	return c
}

// urls are the addresses of all servers.
func (c cluster) urls() string {
	var urls []string
	for _, s := range c {
		urls = append(urls, s.url())
	}
	return strings.Join(urls, ",")
}

// leader is the server that leads the ledger's stream, followers the others.
func (c cluster) leader(t testing.TB) (leader *natsServer, followers []*natsServer) {
	t.Helper()
	nc := connectTo(t, c.urls())
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	settles(t, "a leader", func(ctx context.Context) error {
		stream, err := js.Stream(ctx, eventstore.StreamName)
		if err != nil {
			return err
		}
		leader, followers = nil, nil
		for _, s := range c {
			if s.name == stream.CachedInfo().Cluster.Leader {
				leader = s
			} else {
				followers = append(followers, s)
			}
		}
		if leader == nil {
			return errors.New("there is none")
		}
		return nil
	})
	return leader, followers
}

// connectOnly connects to one server and stays with it.
func connectOnly(t testing.TB, s *natsServer, opts ...nats.Option) (*eventstore.Ledger, *nats.Conn) {
	t.Helper()
	nc := connectTo(t, s.url(), append(opts, nats.IgnoreDiscoveredServers())...)
	return ledgerOf(t, nc), nc
}

// recorderOn is a recorder with a connection of its own to any of the servers.
func recorderOn(t testing.TB, urls string) (*eventstore.Recorder, *eventstore.Ledger) {
	t.Helper()
	nc := connectTo(t, urls)
	l := ledgerOf(t, nc)
	return newRecorder(t, l, eventstore.RecorderConfig{}), l
}

// current waits until every server has everything.
func (c cluster) current(t testing.TB) {
	t.Helper()
	nc := connectTo(t, c.urls())
	defer nc.Close()
	l := ledgerOf(t, nc)
	settles(t, "three servers that have everything", func(ctx context.Context) error {
		s, err := l.Status(ctx)
		if err == nil && s.Current < len(c) {
			err = fmt.Errorf("%d of %d are current", s.Current, len(c))
		}
		return err
	})
}

// TestClusterUnderLoad kills the leader of a cluster of three under load, again
// and again, and a follower, and restarts it; and of another cluster stops the
// leader, so that it believes that it still leads when it goes on, and a follower,
// which then is far behind. Recorders on connections of their own go on; every
// raid is recorded exactly once.
func TestClusterUnderLoad(t *testing.T) {
	t.Parallel()
	var clusters sync.WaitGroup // at the same time: they mostly wait for another leader
	for _, fault := range []struct {
		what         string
		damage, mend func(*natsServer)
	}{
		{"killed", (*natsServer).kill, (*natsServer).start},
		{"stopped", (*natsServer).pause, (*natsServer).resume},
	} {
		clusters.Go(func() {
			t.Run(fault.what, func(t *testing.T) { clusterUnderLoad(t, fault.what, fault.damage, fault.mend) })
		})
	}
	clusters.Wait()
}

func clusterUnderLoad(t *testing.T, what string, damage, mend func(*natsServer)) {
	c := startCluster(t)
	one, look := recorderOn(t, c.urls())
	two, _ := recorderOn(t, c.urls())
	w := startLoad(t, 16, 2*time.Second, func(publisher, _ int) *eventstore.Recorder {
		return []*eventstore.Recorder{one, two}[publisher%2]
	})
	victims := []string{"the leader", "a follower", "the leader", "the leader"}
	for _, who := range victims[:rounds(len(victims))] {
		c.current(t)
		w.more(500)
		s, followers := c.leader(t)
		if who == "a follower" {
			s = followers[0]
		}
		began, retries := time.Now(), w.retries.Load()
		damage(s)
		w.more(500)
		took := time.Since(began)
		w.more(1000)
		mend(s)
		w.more(500)
		t.Logf("%s %s: 500 receipts after %v, %d submitted again", who, what, took.Round(time.Millisecond), w.retries.Load()-retries)
	}
	w.end()
	w.check(look)
	sameState(t, look, one, two)
}

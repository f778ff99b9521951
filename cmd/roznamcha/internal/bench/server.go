package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/eventstore/embedded"
)

// site is a server as the program has one, and a ledger on it.
type site struct {
	server *embedded.Server
	nc     *nats.Conn
	js     jetstream.JetStream
	ledger *eventstore.Ledger
}

// openSite starts a server on dir and opens the ledger there, or makes one. The
// caller closes it.
func openSite(ctx context.Context, dir string) (*site, error) {
	s := new(site)
	var err error
	if s.server, err = embedded.Start(dir, embedded.Options{}); err != nil {
		return nil, err
	}
	if err := s.open(ctx, filepath.Join(dir, "high-water.json")); err != nil {
		return nil, errors.Join(err, s.server.Close())
	}
	return s, nil
}

func (s *site) open(ctx context.Context, highWater string) (err error) {
	if s.nc, err = s.server.Connect(); err != nil {
		return err
	}
	if s.js, err = jetstream.New(s.nc); err != nil {
		return err
	}
	if s.ledger, err = eventstore.Create(ctx, s.nc, 1); err != nil {
		return err
	}
	s.ledger.Guard(s.server.Room)
	if err := s.ledger.KeepHighWater(ctx, highWater); err != nil {
		return err
	}
	tail, err := s.ledger.Tail(ctx)
	if err != nil || tail > 0 {
		return err
	}
	line, err := opening()
	if err != nil {
		return err
	}
	_, err = s.ledger.AppendFirst(ctx, line)
	return err
}

// close ends the server and its connections.
func (s *site) close() error { return s.server.Close() }

// rawStream and rawSubject are of a stream just as the ledger, for those who
// publish without a recorder.
const (
	rawStream  = "RAW"
	rawSubject = "raw.entry"
)

// makeRaw makes the raw stream, with every setting that the ledger's has.
func (s *site) makeRaw(ctx context.Context) error {
	stream, err := s.js.Stream(ctx, eventstore.StreamName)
	if err != nil {
		return err
	}
	cfg := stream.CachedInfo().Config
	cfg.Name, cfg.Description, cfg.Subjects, cfg.Metadata = rawStream, "", []string{rawSubject}, nil
	_, err = s.js.CreateStream(ctx, cfg)
	return err
}

// fillPending is how many entries may be on their way while a ledger is filled.
const fillPending = 2000

// fill makes a ledger in dir, of an opening and so many events, each of them a
// submission, each so many an entry, and of all diaries in turn. It is only
// there to be read, so its server need not sync.
func fill(ctx context.Context, dir string, writers []*writer, events, each int) error {
	unsynced, err := server.NewServer(&server.Options{
		ServerName: "roznamcha", DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
		SyncInterval: time.Hour,
	})
	if err != nil {
		return err
	}
	unsynced.Start()
	defer unsynced.WaitForShutdown()
	defer unsynced.Shutdown()
	if !unsynced.ReadyForConnections(time.Minute) {
		return errors.New("start a server to fill a ledger: it is not ready after a minute")
	}
	nc, err := nats.Connect("", append(eventstore.ConnectOptions(), nats.InProcessServer(unsynced))...)
	if err != nil {
		return err
	}
	defer nc.Close()
	s := &site{nc: nc}
	if s.ledger, err = eventstore.Create(ctx, nc, 1); err != nil {
		return err
	}
	line, err := opening()
	if err != nil {
		return err
	}
	if _, err := s.ledger.AppendFirst(ctx, line); err != nil {
		return err
	}
	publish, wait, err := publishAsync(nc, domain.EntrySubject, fillPending)
	if err != nil {
		return err
	}
	var payload []byte
	for done, turn := 0, 0; done < events; {
		payload = nil // the one before is still on its way
		n := min(each, events-done)
		for range n {
			if len(payload) > 0 {
				payload = append(payload, "\n\n"...)
			}
			w := writers[turn%len(writers)]
			turn++
			var persons int64
			payload, persons = w.next(payload)
			w.accept(1, persons)
		}
		if err := publish(ctx, payload); err != nil {
			return fmt.Errorf("fill a ledger: %w", err)
		}
		done += n
	}
	return wait(ctx)
}

// publishAsync publishes on subject without waiting for each acknowledgement:
// for the oldest one, where more than pending are on their way. wait waits for
// all.
func publishAsync(nc *nats.Conn, subject string, pending int) (publish func(context.Context, []byte) error, wait func(context.Context) error, err error) {
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(2*pending))
	if err != nil {
		return nil, nil, err
	}
	sent := make([]jetstream.PubAckFuture, 0, pending)
	oldest := 0 // in sent, once that is full
	await := func(ctx context.Context, f jetstream.PubAckFuture) error {
		select {
		case <-f.Ok():
			return nil
		case err := <-f.Err():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	publish = func(ctx context.Context, payload []byte) error {
		f, err := js.PublishAsync(subject, payload)
		if err != nil {
			return err
		}
		if len(sent) < pending {
			sent = append(sent, f)
			return nil
		}
		err = await(ctx, sent[oldest])
		sent[oldest] = f
		oldest = (oldest + 1) % pending
		return err
	}
	wait = func(ctx context.Context) error {
		for _, f := range sent {
			if err := await(ctx, f); err != nil {
				return err
			}
		}
		return nil
	}
	return publish, wait, nil
}

// A reader of nats.go asks for as much at a time as ours does.
const (
	pullMessages = 20_000
	pullBytes    = 8 << 20
)

// follow hands a stream's messages from one number on to visit, with the ordered
// consumer of nats.go, until stop.
func follow(ctx context.Context, js jetstream.JetStream, stream string, from uint64, visit func(jetstream.Msg)) (stop func(), err error) {
	consumer, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
	})
	if err != nil {
		return nil, err
	}
	consuming, err := consumer.Consume(visit, jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes))
	if err != nil {
		return nil, err
	}
	return func() {
		consuming.Stop()
		<-consuming.Closed()
	}, nil
}

// bytesOnDisk is what the files of the ledger's messages take, in a store that
// no server has open.
func bytesOnDisk(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(filepath.Join(dir, "jetstream"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}

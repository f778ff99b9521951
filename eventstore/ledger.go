package eventstore

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StreamName is the name of the stream that is the ledger.
const StreamName = "LEDGER"

// askTimeout is how long a question to the server may take where the caller's
// context sets no limit.
const askTimeout = 10 * time.Second

// ackTimeout is how long an append waits for its acknowledgement before its
// outcome is called unknown.
const ackTimeout = 5 * time.Second

// Ledger is the stream on one connection. It may be used by many goroutines.
// The connection stays its owner's to close.
type Ledger struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	guard guard
	// highWater is the file that recorders move on; nil for none.
	highWater *highWater
}

// Open opens the ledger that is there. ErrNoLedger where there is none,
// *UnsafeError where its stream could lose or change what was recorded.
func Open(ctx context.Context, nc *nats.Conn) (*Ledger, error) {
	const op = "open the ledger"
	l, err := newLedger(op, nc)
	if err != nil {
		return nil, err
	}
	info, err := l.info(ctx, op)
	if err != nil {
		return nil, err
	}
	if err := checkSafe(info.Config); err != nil {
		return nil, err
	}
	return l, nil
}

// Create makes the ledger's stream, ledger-safe, on so many servers (1 where
// there is no cluster), or opens the one that is there, whatever its replicas.
// The configuration is read back and checked as in Open: a server may know
// settings of its own.
func Create(ctx context.Context, nc *nats.Conn, replicas int) (*Ledger, error) {
	const op = "create the ledger"
	l, err := newLedger(op, nc)
	if err != nil {
		return nil, err
	}
	ask, cancel := limit(ctx)
	defer cancel()
	_, err = l.js.CreateStream(ask, safeStream(replicas))
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return nil, translate(ctx, op, err)
	}
	return Open(ctx, nc)
}

// Guard has appends ask check first; its error refuses the append before anything
// is sent. Where it finds nothing it is not asked again for 10 ms. Set it before
// the first append: it is how a ledger on a disk of this machine stops before that
// disk is full.
func (l *Ledger) Guard(check func() error) { l.guard.check = check }

// Tail is the number of the last entry now, 0 when there is none.
func (l *Ledger) Tail(ctx context.Context) (uint64, error) {
	info, err := l.info(ctx, "look at the ledger's end")
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

func newLedger(op string, nc *nats.Conn) (*Ledger, error) {
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(ackTimeout))
	if err != nil {
		return nil, fail(op, ErrRejected, err)
	}
	return &Ledger{nc: nc, js: js}, nil
}

// limit is ctx with a time limit for one question.
func limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, askTimeout)
}

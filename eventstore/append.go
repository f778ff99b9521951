package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
)

// Append writes one entry on ledger.entry, with no headers and no expectation,
// and gives its number. When it returns without an error the entry is as
// durable as the server's sync setting makes it; the embedded server and every
// server that syncs always has it on disk, a cluster on a majority of disks.
//
// ErrUnknownOutcome: it may be in the ledger or not, or come into it yet; the
// same payload may be appended again. Any other error: it is not there.
func (l *Ledger) Append(ctx context.Context, payload []byte) (entry uint64, err error) {
	return l.append(ctx, "append", payload)
}

// AppendFirst is Append for the ledger's first entry, the opening. ErrNotEmpty
// where there is one: of several who race one wins. After ErrUnknownOutcome
// read entry 1.
func (l *Ledger) AppendFirst(ctx context.Context, payload []byte) (entry uint64, err error) {
	return l.append(ctx, "append the first entry", payload, jetstream.WithExpectLastSequence(0))
}

func (l *Ledger) append(ctx context.Context, op string, payload []byte, opts ...jetstream.PublishOpt) (uint64, error) {
	s, err := l.send(ctx, op, payload, opts...)
	if err != nil {
		return 0, err
	}
	return s.acknowledged(ctx)
}

// sent is an append on its way.
type sent struct {
	l      *Ledger
	op     string
	future jetstream.PubAckFuture
	// before is the connection's last error when it was sent.
	before error
}

// send sends an entry. An error says that nothing was sent.
func (l *Ledger) send(ctx context.Context, op string, payload []byte, opts ...jetstream.PublishOpt) (*sent, error) {
	if len(payload) > domain.MaxEntryBytes {
		return nil, fail(op, ErrTooLarge, fmt.Errorf("%d bytes; an entry has at most %d", len(payload), domain.MaxEntryBytes))
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if err := l.guard.ask(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if l.nc.Status() != nats.CONNECTED {
		return nil, fail(op, ErrUnavailable, notConnected(l.nc))
	}
	before := l.nc.LastError()
	// The future fails at once when the connection is cut, and after
	// ackTimeout.
	future, err := l.js.PublishMsgAsync(&nats.Msg{Subject: domain.EntrySubject, Data: payload}, opts...)
	if err != nil {
		return nil, translate(ctx, op, err)
	}
	return &sent{l, op, future, before}, nil
}

// guardRest is how long a guard is believed that has let an append pass. No disk
// takes as much in that time as is kept in reserve, and asking is a twentieth of
// what an append takes.
const guardRest = 10 * time.Millisecond

// guard stands before every append.
type guard struct {
	check func() error // see Ledger.Guard; nil for none
	// passed is when it last found nothing, since started.
	passed atomic.Int64
}

// started is when this program was, for times that no clock runs back in.
var started = time.Now()

// ask is the guard's error, if it has one.
func (g *guard) ask() error {
	if g.check == nil {
		return nil
	}
	now := int64(time.Since(started))
	if passed := g.passed.Load(); passed > 0 && now < passed+int64(guardRest) {
		return nil
	}
	if err := g.check(); err != nil {
		return err
	}
	g.passed.Store(now)
	return nil
}

// acknowledged waits for the number that the entry has been given.
func (s *sent) acknowledged(ctx context.Context) (entry uint64, err error) {
	select {
	case ack := <-s.future.Ok():
		return ack.Sequence, nil
	case err := <-s.future.Err():
		return 0, s.l.appendError(ctx, s.op, err, s.before)
	case <-ctx.Done():
		return 0, fail(s.op, ErrUnknownOutcome, ctx.Err())
	}
}

// appendError sorts why no acknowledgement came. The entry is surely not there
// only where nobody listened, the server gave a definite answer, or it has said
// since then that publishing is not allowed; a server that could not finish (code
// 5xx) may find the entry on its disk later.
func (l *Ledger) appendError(ctx context.Context, op string, err, before error) error {
	var api *jetstream.APIError
	definite := errors.As(err, &api) && !errors.Is(kindOf(err), ErrUnavailable)
	if definite || errors.Is(err, jetstream.ErrNoStreamResponse) {
		return translate(ctx, op, err)
	}
	last := l.nc.LastError()
	if last != before && errors.Is(last, nats.ErrPermissionViolation) && strings.Contains(last.Error(), domain.EntrySubject) {
		return fail(op, ErrDenied, last)
	}
	if errors.Is(err, jetstream.ErrAsyncPublishTimeout) && l.nc.Status() == nats.CONNECTED {
		e := fail(op, ErrUnknownOutcome, errSilentAppend)
		e.Try = "look at the server's log: if its disk was full, make room and then restart the server, for it writes no more before that; and submit the same events again, with the same ids"
		return e
	}
	return fail(op, ErrUnknownOutcome, err)
}

// errSilentAppend: the connection stands, and the server has not answered an
// append. One whose disk was full never does, until it is restarted.
var errSilentAppend = fmt.Errorf("the server is there and has not answered in %v", ackTimeout)

// notConnected says why nc has no server now.
func notConnected(nc *nats.Conn) error {
	if err := nc.LastError(); err != nil {
		return err
	}
	return nats.ErrDisconnected
}

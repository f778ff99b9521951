package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// Client records for one diary. Its methods may be called by any number of
// goroutines: what they hand in at the same time travels together.
type Client struct {
	diary         domain.Diary
	record, check *lane
}

// New is a client for a diary on a connection, which stays its caller's and may
// carry other things. Nothing is sent yet. The connection needs permission to
// publish on record.<agency>.<unit> (and check.<agency>.<unit>, for Check) and to
// subscribe to its own inboxes; a prefix for those is set on the connection
// (nats.CustomInboxPrefix).
func New(nc *nats.Conn, diary domain.Diary) *Client {
	return &Client{diary, newLane(nc, eventstore.RecordSubject(diary)), newLane(nc, eventstore.CheckSubject(diary))}
}

// Record hands in one submission and waits for its receipt. The submission is
// lines of one CloudEvent each, one event spread over lines, or a JSON array of
// events; all its events are recorded or none. Several, with a blank line between,
// as the service takes them in one request, are refused as Malformed, and nothing
// is sent: they stand or fall alone, and each has a receipt.
//
// A refusal is no error: Receipt.Err tells. As long as ctx lasts, what could not
// be answered is asked again; so a Record may block until then. Then, or where
// asking again does not help, the error is one of package eventstore:
//
//   - ErrUnknownOutcome: it may be recorded or not. Record the same bytes again,
//     in this or another program, now or next year: what is recorded is answered
//     as a duplicate, with its first position. An alarm of the recorder (a gap, a
//     ledger that went back) is one too, and its text says to stop recording.
//   - ErrBusy, ErrUnavailable, ErrDiskFull: nothing was recorded; the same again
//     can help later.
//   - ErrClosed: nothing was recorded, nor will be on this client: it was closed, or
//     its connection was, whose last error it tells. Make a new client on a new
//     connection.
//   - the others: nothing was recorded, and something must be changed first.
//
// A submission whose answer was lost on the way and that was asked again is
// answered as a duplicate too: Receipt.Err is nil, and the first position is where
// it stands.
func (c *Client) Record(ctx context.Context, submission []byte) (eventstore.Receipt, error) {
	return c.record.ask(ctx, submission)
}

// Check answers as Record would, for one submission too, as the ledger stands now,
// and records nothing: no ruling has a position, but a duplicate of what is there
// has its first. It looks at each submission alone: what another Check was asked
// about is not there.
func (c *Client) Check(ctx context.Context, submission []byte) (eventstore.Receipt, error) {
	return c.check.ask(ctx, submission)
}

// RecordEvents records events as one submission. An event without an id is given
// one, a UUID of version 7, and one without a source that of the client's diary;
// they are written into it, so that recording the same events again is safe. An
// event that is nil, or breaks the rules of the line, is an error, a
// *domain.Refusal, and nothing was sent; for the rest see Record.
func (c *Client) RecordEvents(ctx context.Context, events ...*domain.Event) (eventstore.Receipt, error) {
	var submission []byte
	for i, e := range events {
		if err := c.complete(e); err != nil {
			return eventstore.Receipt{}, err
		}
		if i > 0 {
			submission = append(submission, '\n')
		}
		var err error
		if submission, err = domain.AppendEvent(submission, e); err != nil {
			return eventstore.Receipt{}, fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	return c.Record(ctx, submission)
}

// complete gives e, if there is one, what its writer may leave out.
func (c *Client) complete(e *domain.Event) (err error) {
	if e == nil {
		return nil
	}
	if e.Source.IsZero() {
		e.Source = c.diary
	}
	if e.Type == 0 && e.Data != nil {
		e.Type = e.Data.Type()
	}
	if e.ID == uuid.Nil {
		if e.ID, err = uuid.NewV7(); err != nil {
			return fmt.Errorf("mint an id: %w", err)
		}
	}
	return nil
}

// Close ends the client: who waits, and who comes later, is answered ErrClosed, or
// ErrUnknownOutcome where it may be recorded. The connection stays open.
func (c *Client) Close() {
	c.record.close()
	c.check.close()
}

// fail makes an error of package eventstore.
func fail(kind, err error) error {
	try := eventstore.CodeInfoOf(eventstore.CodeOf(kind)).Cure
	if kind == eventstore.ErrClosed { // not the recorder
		try = "make a new client on a new connection"
	}
	return &eventstore.Error{Op: "record", Kind: kind, Err: err, Try: try}
}

// errClosed is why a client that was closed does not answer.
var errClosed = errors.New("the client was closed")

// closedConnection is why a client on nc, which is closed, does not answer.
func closedConnection(nc *nats.Conn) error {
	if last := nc.LastError(); last != nil && last != nats.ErrConnectionClosed {
		return fmt.Errorf("%w, its last error: %w", nats.ErrConnectionClosed, last)
	}
	return nats.ErrConnectionClosed
}

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Try again, the same as before: nothing was recorded.
var (
	// ErrBusy: the recorder's queue is full.
	ErrBusy = errors.New("the recorder is busy")
	// ErrUnavailable: no server answers, or it cannot just now.
	ErrUnavailable = errors.New("the server cannot be reached")
	// ErrDiskFull: recording stops before the disk is full, and goes on when
	// there is room.
	ErrDiskFull = errors.New("the disk is full")
)

// Ask again with the same ids: the event may be recorded or not.
var (
	// ErrUnknownOutcome: the answer did not come in time. Submitting the same
	// events again is safe and tells: what is recorded is ruled a duplicate.
	ErrUnknownOutcome = errors.New("outcome unknown")
)

// Change something first: nothing was recorded, and the same again would fail
// again.
var (
	// ErrNoLedger: the server has no stream named LEDGER.
	ErrNoLedger = errors.New("there is no ledger")
	// ErrNotEmpty: AppendFirst found an entry. The loser of that race reads
	// entry 1 and goes on, or stops if it differs.
	ErrNotEmpty = errors.New("the ledger is not empty")
	// ErrTooLarge: the entry is larger than the ledger or the server takes.
	ErrTooLarge = errors.New("too large")
	// ErrNoJetStream: the server or the account has no JetStream.
	ErrNoJetStream = errors.New("JetStream is not enabled")
	// ErrDenied: the server does not let this user in, or not do this.
	ErrDenied = errors.New("access denied")
	// ErrRejected: the server refuses for a reason of its own.
	ErrRejected = errors.New("the server refuses")
)

// Stop.
var (
	// ErrClosed: the recorder was closed; or the client that asks one, or its
	// connection.
	ErrClosed = errors.New("recording has ended")
)

// UnsafeError says that a stream is not ledger-safe: it could lose or change
// what was recorded. Stop, and mend the stream by hand.
type UnsafeError struct {
	// Setting is its name in the stream's configuration, such as "max_age".
	Setting string
	// Is and Want are its value and what a ledger needs.
	Is, Want string
}

func (e *UnsafeError) Error() string {
	return fmt.Sprintf("stream %s is not ledger-safe: %s is %s, must be %s. Try: mend it with the server's own tools (nats stream edit), or keep the ledger on another server", StreamName, e.Setting, e.Is, e.Want)
}

// GapError is the alarm that entries are missing: Want should have come, Got
// did. Stop: no total over such a ledger is true.
type GapError struct{ Want, Got uint64 }

func (e *GapError) Error() string {
	return fmt.Sprintf("the ledger has a gap: %s missing. %s", entries(e.Want, e.Got-1), restore(e.Got-1))
}

// restore is what to do when entry n is missing. A copy of the whole data
// directory has the high-water file of then, which is content with less.
func restore(n uint64) string {
	return fmt.Sprintf("Try: stop recording, keep the store as it is, restore it (jetstream/ alone) from a copy that reaches entry %d, and leave high-water.json where it is", n)
}

// entries names the entries from..to, as the subject of what they are.
func entries(from, to uint64) string {
	if from >= to {
		return fmt.Sprintf("entry %d is", from)
	}
	return fmt.Sprintf("entries %d to %d are", from, to)
}

// WentBackError is the alarm that the ledger is shorter than it was, or another
// one: Had was read, or asked for as the next after one that was, and now Tail
// is the last, or Had itself has other bytes (Tail is not below it). Stop:
// numbers have been, or would be, given a second time.
type WentBackError struct{ Had, Tail uint64 }

func (e *WentBackError) Error() string {
	if e.Tail >= e.Had {
		return fmt.Sprintf("the ledger went back: entry %d is not the one that it was. %s", e.Had, restore(e.Had))
	}
	return fmt.Sprintf("the ledger went back: it ends at entry %d, and %s missing. %s", e.Tail, entries(e.Tail+1, e.Had), restore(e.Had))
}

// Error is a failed operation. Kind is one of the sentinels of this package
// and decides what to do next; errors.Is finds it and the cause.
type Error struct {
	// Op is what was attempted, such as "append".
	Op   string
	Kind error
	// Err is the cause; may be nil.
	Err error
	// Try is what a person may do; may be "".
	Try string
}

func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.Error()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Try != "" {
		s += ". Try: " + e.Try
	}
	return s
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// tries is the advice that goes with a kind.
var tries = map[error]string{
	ErrBusy:           "submit it again in a moment",
	ErrUnavailable:    "check that the server runs and can be reached, then the same again",
	ErrDiskFull:       "make room on the disk of the ledger, then the same again",
	ErrUnknownOutcome: "submit the same events again, with the same ids: what is recorded is answered as a duplicate",
	ErrNoLedger:       "open one with roznamcha open, or name another server or directory",
	ErrTooLarge:       "submit fewer events at a time; let the server's max_payload be 1 MiB at least",
	ErrNoJetStream:    "start the server with JetStream (nats-server -js), or use an account that has it",
	ErrDenied:         "check the token or credentials, and that they may use this ledger",
}

func fail(op string, kind, err error) *Error { return &Error{op, kind, err, tries[kind]} }

// translate turns an error of NATS into one of this package. When ctx is what
// ended the operation, its error comes back as it is.
func translate(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%s: %w", op, err)
	}
	kind := kindOf(err)
	switch {
	case kind == ErrNoLedger, kind == ErrNotEmpty, kind == ErrNoJetStream:
		err = nil // that says it all
	case errors.Is(err, nats.ErrReconnectBufExceeded): // there is no such buffer; see ConnectOptions
		err = nats.ErrDisconnected
	}
	e := fail(op, kind, err)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeNoReplicas {
		e.Try = "--replicas 1, or a cluster of three servers"
	}
	return e
}

// unknown turns the reason why the recorder ended into the answer for what was
// sent and not answered. An alarm stays what it is.
func unknown(cause error) error {
	var gap *GapError
	var back *WentBackError
	if errors.As(cause, &gap) || errors.As(cause, &back) {
		return cause
	}
	return fail("record", ErrUnknownOutcome, cause)
}

// kindOf sorts an error of NATS by what the caller does next.
func kindOf(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return kindOfAPI(api)
	}
	var dial net.Error
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return ErrNoLedger
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return ErrNoJetStream
	case errors.Is(err, nats.ErrMaxPayload):
		return ErrTooLarge
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrPermissionViolation):
		return ErrDenied
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, nats.ErrDisconnected), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrNoServers),
		errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrStaleConnection), errors.As(err, &dial),
		errors.Is(err, jetstream.ErrNoStreamResponse): // a stream between two leaders
		return ErrUnavailable
	}
	return ErrRejected
}

// The server's own codes that nats.go has no name for.
const (
	codeAccountResources = 10002
	codeNoResources      = 10023
	codeNoMemory         = 10028
	codeNoStorage        = 10047
	codeNoReplicas       = 10074 // more than one, without a cluster
)

// kindOfAPI sorts an answer of the server's JetStream.
func kindOfAPI(api *jetstream.APIError) error {
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamNotFound:
		return ErrNoLedger
	case jetstream.JSErrCodeJetStreamNotEnabled, jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		return ErrNoJetStream
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return ErrNotEmpty // the only expectation that is ever sent
	case jetstream.JSErrCodeStreamMessageExceedsMaximum:
		return ErrTooLarge
	case codeAccountResources, codeNoResources, codeNoMemory, codeNoStorage:
		return ErrDiskFull
	case codeNoReplicas:
		return ErrRejected
	}
	if api.Code >= 500 {
		return ErrUnavailable
	}
	return ErrRejected
}

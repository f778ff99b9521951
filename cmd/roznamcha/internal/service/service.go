// Package service owns how the recorder is asked over NATS: a micro service that
// takes requests to record and to check, hands their submissions to a recorder,
// and answers each with what became of every event. It leaves to its caller the
// connection and the recorder; what a reply looks like is eventstore.Reply.
//
//	request ─► handler ─► recorder.TrySubmitAs ─┬─► answered at the door ───► reply
//	                                            ├─► waits for its entry ─► replier ─► reply
//	                                            └─► stale: asked again, in one of a few goroutines
//
// The handler waits for nothing, and there is no goroutine a request. Whatever
// waits is bounded: past the bound the answer is busy.
//
// Nothing of a request but its body is looked at or kept: no header, and of the
// reply subject only that it is somebody's inbox.
//
// # Known holes
//
// A request that the connection drops, because the service does not keep up,
// has no answer; who asked asks again. So who may publish on one diary's subject,
// sends faster than is answered and waits for no answer, takes the place of all
// others: one connection with 400,000 requests a second and more leaves a good
// publisher no answer, or one in seconds. (On two cores neither a queue and a
// turn for each diary behind the handler helped, nor more room before it.) The log
// says that requests were dropped, and of what it refuses how much and, of one,
// the diary; nats service stats has the counts. An operator takes the permission
// to publish on that subject away.
//
// The service's own verbs ($SRV.>) answer to any reply subject: who may ask them
// in the account of the ledger can let an answer be published into the ledger,
// where it is a refused line. In that account they are for operators only.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// Name is the service's, as in nats service info.
const Name = "roznamcha"

// The subjects of the requests, of every diary.
var (
	anyDiary      = domain.Diary{Agency: "*", Unit: "*"}
	RecordSubject = eventstore.RecordSubject(anyDiary)
	CheckSubject  = eventstore.CheckSubject(anyDiary)
)

const (
	// DefaultPatience is how long a request waits for its entry where Options
	// do not say: what is not known then is answered outcome-unknown.
	DefaultPatience = 10 * time.Second
	// mostWaiting is how many requests may wait for their entries.
	mostWaiting = eventstore.DefaultQueue
	// mostAsking is how many requests may be asked again at the same time.
	mostAsking = 64
	// mostPending and mostPendingBytes are how many requests, and bytes of them,
	// may be on the way to each handler.
	mostPending      = 16 << 10
	mostPendingBytes = 64 * domain.MaxEntryBytes
)

// Options are how the service is offered.
type Options struct {
	// Version is the program's, as in semantic versioning.
	Version string
	// Log is told, in a line a second at most, how much was refused or left
	// unanswered; nothing waits for it. Nobody is told if nil.
	Log io.Writer
	// Patience is how long a request waits for its entry; DefaultPatience if 0.
	Patience time.Duration
}

// Service offers one recorder. Several services, of as many recorders on one
// ledger, share the requests.
type Service struct {
	nc       *nats.Conn
	recorder *eventstore.Recorder
	patience time.Duration
	micro    micro.Service

	record, check tally
	refusals      *refusals

	// waiting are the requests that wait for their entries, in that order; only
	// the record handler adds to it.
	waiting chan *request
	// asking has a token for every request that is being asked again.
	asking chan struct{}
	// stopping is closed when no handler adds any more; patient ends when nothing
	// is to be waited for any more.
	stopping chan struct{}
	patient  context.Context
	hurry    context.CancelFunc
	work     sync.WaitGroup
}

// Start offers the recorder on nc until Stop. A server that does not carry what
// requests and answers may have is an eventstore.ErrTooLarge, one that does not
// let nc hear the requests an eventstore.ErrDenied.
func Start(nc *nats.Conn, recorder *eventstore.Recorder, opts Options) (*Service, error) {
	if most := nc.MaxPayload(); most < domain.MaxEntryBytes {
		return nil, &eventstore.Error{
			Op: "offer the recorder as a service", Kind: eventstore.ErrTooLarge,
			Err: fmt.Errorf("a request or an answer may have 1,048,576 bytes, and the server's max_payload is %d", most),
			Try: "let the server's max_payload be 1 MiB at least",
		}
	}
	s := &Service{
		nc: nc, recorder: recorder, patience: opts.Patience,
		refusals: newRefusals(cmp.Or(opts.Log, io.Discard)),
		waiting:  make(chan *request, mostWaiting),
		asking:   make(chan struct{}, mostAsking),
		stopping: make(chan struct{}),
	}
	s.patient, s.hurry = context.WithCancel(context.Background())
	if s.patience == 0 {
		s.patience = DefaultPatience
	}
	s.work.Go(s.reply)
	go s.refusals.write()
	if err := s.offer(opts.Version); err != nil {
		close(s.stopping)
		s.work.Wait()
		close(s.refusals.stopping)
		return nil, fmt.Errorf("offer the recorder as a service: %w", err)
	}
	return s, nil
}

// offer registers the service and waits until the server knows of it.
func (s *Service) offer(version string) (err error) {
	s.micro, err = micro.AddService(s.nc, micro.Config{
		Name:        Name,
		Version:     version,
		Description: "records events in the ledger of enforcement actions",
		Metadata: map[string]string{
			"schema": "roznamcha schema --asyncapi",
			"types":  "roznamcha schema TYPE",
			"codes":  "roznamcha schema --codes",
		},
		StatsHandler: s.stats,
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) {
			s.refusals.drop(err.Subject, err.Description)
		},
	})
	if err != nil {
		return err
	}
	about := map[string]string{ // nats service info cuts what is longer than 48
		"request":    "one CloudEvent, lines of them, or a JSON array",
		"submission": "its lines, all or none; a blank line ends it",
		"limits":     "1,000 events and 1 MiB a request",
		"reply":      `{"results":[…]}, one result an event`,
		"headers":    "only where an event is refused or unanswered",
		"stats":      "data counts the results by ruling and code",
		"times":      "errors and times are of what the door answers",
	}
	limits := micro.WithEndpointPendingLimits(mostPending, mostPendingBytes)
	err = errors.Join(
		s.micro.AddEndpoint("record", micro.HandlerFunc(s.handleRecord), micro.WithEndpointSubject(RecordSubject), micro.WithEndpointMetadata(about), limits),
		s.micro.AddEndpoint("check", micro.HandlerFunc(s.handleCheck), micro.WithEndpointSubject(CheckSubject), micro.WithEndpointMetadata(about), limits),
	)
	if err == nil {
		err = s.nc.Flush()
	}
	if err == nil {
		err = s.permitted()
	}
	if err != nil {
		return errors.Join(err, s.micro.Stop())
	}
	return nil
}

// permitted tells whether the server lets the service hear its requests: it has
// said so before it answered the flush.
func (s *Service) permitted() error {
	err := s.nc.LastError()
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	for _, subject := range []string{RecordSubject, CheckSubject} {
		if strings.Contains(err.Error(), strconv.Quote(subject)) {
			return &eventstore.Error{
				Op: "subscribe", Kind: eventstore.ErrDenied, Err: err,
				Try: "permit this user to subscribe to " + RecordSubject + " and " + CheckSubject + ", or connect as one who may",
			}
		}
	}
	return nil
}

// Stop takes no more requests and returns when every one that was taken is
// answered. When ctx ends before, what is not known yet is answered
// outcome-unknown, and what the log has not taken is not told; ctx must have a
// deadline. The recorder must not be closed before.
func (s *Service) Stop(ctx context.Context) error {
	err := s.micro.Stop()
	// What the server had sent before it heard of that is here after a round
	// trip, and handled when every subscription has come to the barrier.
	err = errors.Join(err, s.flush(ctx))
	handled := make(chan struct{})
	if s.nc.Barrier(func() { close(handled) }) == nil {
		select {
		case <-handled:
		case <-ctx.Done():
		}
	}
	close(s.stopping)
	defer s.hurry()
	context.AfterFunc(ctx, s.hurry)
	s.work.Wait()
	err = errors.Join(err, s.flush(ctx))
	s.refusals.stop(ctx)
	return err
}

// flush waits until the server has everything that was sent, if it is there.
func (s *Service) flush(ctx context.Context) error {
	if !s.nc.IsConnected() {
		return nil
	}
	return s.nc.FlushWithContext(ctx)
}

// handleRecord takes one request to record.
func (s *Service) handleRecord(req micro.Request) {
	q := s.take(req, &s.record)
	switch {
	case q == nil: // that was all
	case len(s.waiting) == cap(s.waiting):
		q.fail(errTooMany)
		s.answerNow(req, q)
	default:
		q.submit(s.recorder)
		switch {
		case q.stale():
			s.again(req, q)
		case q.ready():
			s.answerNow(req, q)
		default:
			s.waiting <- q
		}
	}
}

// handleCheck takes one request to check.
func (s *Service) handleCheck(req micro.Request) {
	q := s.take(req, &s.check)
	if q == nil {
		return
	}
	q.look(s.recorder)
	if q.stale() {
		s.again(req, q)
		return
	}
	s.answerNow(req, q)
}

// errTooMany is the answer where a bound of the service is reached. Nothing was
// recorded.
var errTooMany = &eventstore.Error{Op: "record", Kind: eventstore.ErrBusy}

// take reads a request. Where there is nothing to ask the recorder it is
// answered, and nil.
func (s *Service) take(req micro.Request, count *tally) *request {
	q := &request{reply: req.Reply(), count: count, deadline: time.Now().Add(s.patience)}
	var refusal *domain.Refusal
	if !eventstore.IsInbox(q.reply) {
		refusal = &domain.Refusal{Code: eventstore.Rejected, Detail: "reply subject " + q.reply + " is no inbox"}
		q.reply = ""
	} else if q.diary, refusal = diaryOf(req.Subject()); refusal == nil {
		refusal = q.read(req.Data())
	}
	if refusal == nil {
		return q
	}
	q.refuse(refusal)
	s.answerNow(req, q)
	return nil
}

// again asks again for what was refused for the state read so far.
func (s *Service) again(req micro.Request, q *request) {
	select {
	case s.asking <- struct{}{}:
	default:
		q.failStale(errTooMany)
		s.answerNow(req, q)
		return
	}
	s.work.Go(func() {
		defer func() { <-s.asking }()
		ctx, cancel := context.WithDeadline(s.patient, q.deadline)
		defer cancel()
		if q.count == &s.check {
			q.lookAgain(ctx, s.recorder)
		} else {
			q.submitAgain(ctx, s.recorder)
		}
		s.answer(q)
	})
}

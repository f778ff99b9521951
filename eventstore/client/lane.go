package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

const (
	// mostFlights is how many requests of a lane are on their way at once; what
	// is handed in meanwhile gathers for the next. (Measured with 64 callers: one
	// or two fill the entries as well, four are a third slower.)
	mostFlights = 2
	// patience is how long a request waits for its answer: a little more than
	// the service takes to say that it does not know.
	patience = 12 * time.Second
	// afterCut is how long it waits once the connection was cut and is back: the
	// answer may have been lost with it.
	afterCut = time.Second
	// lookEvery is how often it is looked whether a request waits too long.
	lookEvery = 250 * time.Millisecond
	// The pause after trouble doubles from the shortest to the longest.
	shortestPause = 10 * time.Millisecond
	longestPause  = time.Second
)

// lane carries the submissions for one subject. It has no goroutine: it is moved
// on by who hands in, by the answers, and by two timers.
type lane struct {
	nc       *nats.Conn
	subject  string
	patience time.Duration // as the constant, but in tests

	mu sync.Mutex
	// inbox is what the reply subjects begin with, sub the subscription to them;
	// nil before the first request, and after one whose answer may not be heard.
	inbox string
	sub   *nats.Subscription
	// waiting are the calls that are to be sent, the oldest first.
	waiting []*call
	flights map[uint64]*flight
	last    uint64 // number of a flight
	// trouble is why the last request was not answered; nil when all is well.
	// While paused nothing is sent.
	trouble error
	paused  bool
	pause   time.Duration
	// looking tells that look will run.
	looking bool
	// lastError is the connection's last error at the time of the last look.
	lastError error
	// closed is why nothing is sent any more; nil before.
	closed error
}

func newLane(nc *nats.Conn, subject string) *lane {
	return &lane{nc: nc, subject: subject, patience: patience, flights: map[uint64]*flight{}, lastError: nc.LastError()}
}

// ask hands in a submission and waits until it is answered or ctx ends.
func (l *lane) ask(ctx context.Context, submission []byte) (eventstore.Receipt, error) {
	k, refusal := newCall(submission)
	if refusal != nil {
		return refused(refusal), nil
	}
	if err := ctx.Err(); err != nil {
		return eventstore.Receipt{}, fail(eventstore.ErrUnavailable, fmt.Errorf("it was not asked: %w", err))
	}
	if most := l.nc.MaxPayload(); most > 0 && int64(len(k.lines)) > most {
		return eventstore.Receipt{}, fail(eventstore.ErrTooLarge, fmt.Errorf("%d bytes; the server takes %d", len(k.lines), most))
	}
	l.mu.Lock()
	l.waiting = append(l.waiting, k)
	l.move()
	if !k.wait(ctx) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.leave(k, ctx.Err())
	}
	return k.receipt, k.err
}

// leave answers who does not wait any longer.
func (l *lane) leave(k *call, why error) {
	kind := eventstore.ErrBusy // others go before it
	if l.trouble != nil {
		why = fmt.Errorf("%w (%w)", why, l.trouble)
		if !errors.Is(l.trouble, eventstore.ErrBusy) {
			kind = eventstore.ErrUnavailable
		}
	}
	k.giveUp(kind, why)
	if i := slices.Index(l.waiting, k); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
}

// move sends what can be sent. It is called with mu held, and gives it back.
func (l *lane) move() {
	for {
		f := l.next()
		l.mu.Unlock()
		if f == nil {
			return
		}
		err := l.send(f)
		l.mu.Lock()
		if err != nil {
			l.notSent(f, err)
		}
	}
}

// next makes a flight of what waits; nil where there is none, or now is not the
// time. Where there is no more time, everything is answered.
func (l *lane) next() *flight {
	if l.closed == nil && l.nc.IsClosed() {
		l.closed = closedConnection(l.nc)
	}
	if l.closed != nil {
		l.end()
		return nil
	}
	if l.paused || len(l.flights) >= mostFlights {
		return nil
	}
	f := &flight{calls: l.gather()}
	if len(f.calls) == 0 {
		return nil
	}
	if !l.nc.IsConnected() {
		l.again(f.calls, eventstore.ErrUnavailable, nats.ErrDisconnected)
		return nil
	}
	if err := l.subscribe(); err != nil {
		l.again(f.calls, eventstore.ErrUnavailable, err)
		return nil
	}
	for _, k := range f.calls {
		k.before, k.maybe = k.maybe, true
	}
	l.last++
	f.number, f.reply = l.last, l.inbox+strconv.FormatUint(l.last, 36)
	f.deadline = time.Now().Add(l.patience)
	f.reconnects = l.nc.Stats().Reconnects
	l.flights[f.number] = f
	if !l.looking {
		l.looking = true
		time.AfterFunc(lookEvery, l.look)
	}
	return f
}

// gather takes from what waits as much as goes into one request.
func (l *lane) gather() []*call {
	most := min(int(l.nc.MaxPayload()), domain.MaxEntryBytes)
	taken, n, lines, size := l.waiting[:0], 0, 0, 0
	for _, k := range l.waiting {
		if !k.over {
			if lines += k.count; len(taken) > 0 && (lines > domain.MaxLines || size+len(k.lines) > most) {
				break
			}
			size += len(k.lines) + len("\n\n")
			taken = append(taken, k)
		}
		n++
	}
	if n == len(l.waiting) {
		l.waiting = nil
	} else {
		l.waiting = l.waiting[n:]
	}
	return slices.Clip(taken)
}

// subscribe makes the subscription to the replies, unless there is one.
func (l *lane) subscribe() (err error) {
	if l.sub != nil {
		return nil
	}
	inbox := l.nc.NewInbox()
	if l.sub, err = l.nc.Subscribe(inbox+".*", l.answered); err == nil {
		l.inbox = inbox + "."
	}
	return err
}

// bodies are buffers for requests of several calls.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// send sends f. An error says that it was not sent.
func (l *lane) send(f *flight) error {
	if len(f.calls) == 1 {
		return l.nc.PublishRequest(l.subject, f.reply, f.calls[0].lines)
	}
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	*buf = f.body((*buf)[:0])
	return l.nc.PublishRequest(l.subject, f.reply, *buf)
}

// notSent takes back a flight that never left.
func (l *lane) notSent(f *flight, err error) {
	if !l.land(f) {
		return
	}
	f.notTaken()
	if errors.Is(err, nats.ErrMaxPayload) {
		l.fail(f.calls, eventstore.ErrTooLarge, err)
		return
	}
	l.again(f.calls, eventstore.ErrUnavailable, err)
}

// land takes f from those on their way; false where it is none.
func (l *lane) land(f *flight) bool {
	_, there := l.flights[f.number]
	delete(l.flights, f.number)
	return there
}

// answered is called by the connection with a reply.
func (l *lane) answered(m *nats.Msg) {
	number, err := strconv.ParseUint(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:], 36, 64)
	l.mu.Lock()
	f := l.flights[number]
	if err != nil || f == nil { // it comes too late
		l.mu.Unlock()
		return
	}
	l.land(f)
	l.mu.Unlock()

	nobody := len(m.Data) == 0 && m.Header.Get("Status") == "503"
	var reply eventstore.Reply
	if !nobody {
		reply, err = eventstore.ParseReply(m.Data)
	}

	l.mu.Lock()
	switch {
	case nobody:
		f.notTaken()
		l.again(f.calls, eventstore.ErrUnavailable, fmt.Errorf("nobody answers on %s: no recorder is served there", l.subject))
	case err != nil:
		l.fail(f.calls, eventstore.ErrUnknownOutcome, fmt.Errorf("the reply on %s is none: %w", l.subject, err))
	default:
		if calls, trouble := f.settle(&reply); len(calls) > 0 {
			l.again(calls, trouble.Kind, trouble.Err)
		} else if !l.paused {
			l.trouble, l.pause = nil, 0
		}
	}
	l.move()
}

// again puts calls back in front of what waits, and pauses; kind and err are why.
func (l *lane) again(calls []*call, kind, err error) {
	l.waiting = append(calls, l.waiting...)
	if l.trouble = kind; err != nil {
		l.trouble = fmt.Errorf("%w: %w", kind, err)
	}
	if l.paused {
		return
	}
	l.paused = true
	l.pause = min(max(2*l.pause, shortestPause), longestPause)
	time.AfterFunc(l.pause/2+rand.N(l.pause), l.goOn)
}

// goOn ends a pause.
func (l *lane) goOn() {
	l.mu.Lock()
	l.paused = false
	l.move()
}

// look takes back the requests that wait too long, and those that the server
// did not permit.
func (l *lane) look() {
	l.mu.Lock()
	if l.looking = len(l.flights) > 0; !l.looking {
		l.mu.Unlock()
		return
	}
	time.AfterFunc(lookEvery, l.look)
	denied, why := l.denied()
	now, cuts := time.Now(), l.nc.Stats().Reconnects
	for _, f := range l.flights {
		if f.reconnects != cuts {
			f.reconnects, f.cut = cuts, true
			f.deadline = now.Add(min(afterCut, time.Until(f.deadline)))
		}
		switch {
		case denied != nil:
			l.land(f)
			if !f.cut { // else it went before the server denied anything
				f.notTaken()
			}
			l.fail(f.calls, denied, why)
		case now.After(f.deadline):
			l.land(f)
			l.again(f.calls, eventstore.ErrUnavailable, fmt.Errorf("no answer on %s", l.subject))
		}
	}
	l.move()
}

// denied is what to answer, and why, where the server has said, since the last
// look, that this lane may not publish its requests or not hear the answers.
func (l *lane) denied() (kind, why error) {
	err := l.nc.LastError()
	if err == l.lastError {
		return nil, nil
	}
	l.lastError = err
	switch {
	case !errors.Is(err, nats.ErrPermissionViolation):
	case strings.Contains(err.Error(), `"`+l.subject+`"`):
		return eventstore.ErrDenied, err
	case l.sub != nil && strings.Contains(err.Error(), `"`+l.inbox):
		// The server says it once: the next request subscribes anew.
		_ = l.sub.Unsubscribe()
		l.sub = nil
		return eventstore.ErrUnknownOutcome, err // the request went, the answer does not come
	}
	return nil, nil
}

// fail answers calls with kind, or that they may be recorded.
func (l *lane) fail(calls []*call, kind, why error) {
	for _, k := range calls {
		k.giveUp(kind, why)
	}
}

// close ends the lane for its owner.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		l.closed = errClosed
	}
	l.end()
	if l.sub != nil {
		_ = l.sub.Unsubscribe()
	}
}

// end answers everything that is not answered, with why the lane is closed.
func (l *lane) end() {
	for _, f := range l.flights {
		l.waiting = append(l.waiting, f.calls...)
	}
	clear(l.flights)
	for _, k := range l.waiting {
		k.giveUp(eventstore.ErrClosed, l.closed)
	}
	l.waiting = nil
}

package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A reader keeps two pulls open, so that the server always has one to fill: at
// most 20,000 messages or 8 MiB on their way, whichever is less.
const (
	pullMessages = 10_000
	pullBytes    = 4 << 20
)

const (
	// pullExpires is how long the server holds a pull that it cannot fill.
	pullExpires = 30 * time.Second
	// heartbeat is how often the server says that it holds one. A session in
	// which nothing was heard for as long as silence is over: its server was
	// stopped or cut off, and a receipt may wait for it. The others of a cluster
	// take three seconds to notice, and would give the next session to it.
	heartbeat = time.Second
	silence   = 4 * heartbeat
	// lookAfter is after how many heartbeats without a message the leader is asked
	// whether there is one.
	lookAfter = 5
	// openTimeout is how long a cluster may take to begin a session. It may have
	// given it to a server that was just stopped, and will not do so twice.
	openTimeout = 3 * time.Second
	// forgetAfter is when the server drops a consumer that nobody pulls from.
	forgetAfter = time.Minute
)

// Why a session ended.
var (
	errDone   = errors.New("read enough")
	errCut    = errors.New("the connection was cut")
	errSilent = errors.New("the server has gone silent")
	errBehind = errors.New("the server is behind the others")
)

// start is where a session begins: at an entry number, or at the first message
// not earlier than a server time.
type start struct {
	entry uint64
	time  time.Time
	// timesTo is for those who want only numbers and times, up to an entry that is
	// there: without payloads, and ending with errDone after that entry, or at once
	// where reading would begin after it.
	timesTo uint64
}

// message is one message of the stream.
type message struct {
	entry uint64
	time  time.Time
	msg   *nats.Msg
}

// session is one ephemeral consumer on the stream: unfiltered, without
// acknowledgements, in memory, on one server. It lives as long as the
// connection; who reads on begins another. That is the ordered consumer of
// nats.go, but with a context, with the end of a session seen at once, and
// without taking an entry whose headers look like a server's status for one.
//
// Of a cluster that server may be any that keeps the ledger, and may not have
// all of it yet. So a session ends only where its reader knows that the ledger
// does, never where that server has no more.
type session struct {
	l    *Ledger
	name string // of the consumer
	// next is the subject that pulls are asked for on, inbox where they are
	// answered, msgs what has come there.
	next, inbox string
	sub         *nats.Subscription
	msgs        chan *nats.Msg
	// cut hears when the connection is cut, tick when silence is too long.
	cut  chan nats.Status
	tick *time.Ticker
	// last is the last entry that came, or the one before the first to come; idle
	// counts heartbeats since.
	last uint64
	idle int
	// promised is how many messages the server may still send.
	promised int
	// maxBytes is of one pull. It grows when a single message is larger.
	maxBytes int
}

// session runs visit over the messages from at on, live, until ctx is done,
// visit fails, or the connection or the server's side of the session ends.
// Whatever it is, the error says it; it is never nil.
func (l *Ledger) session(ctx context.Context, at start, visit func(message) error) error {
	s, err := l.newSession(ctx, at)
	if err != nil {
		return err
	}
	defer s.end()
	if at.timesTo > 0 && s.last >= at.timesTo {
		return errDone
	}
	for {
		if err := s.pull(); err != nil {
			return translate(ctx, "read", err)
		}
		msg, err := s.receive(ctx)
		if err != nil {
			return err
		}
		if msg.Reply == "" { // what the stream holds has a reply subject
			if err := s.status(msg); err != nil {
				return err
			}
			if err := s.checkIdle(ctx); err != nil {
				return err
			}
			continue
		}
		m, err := parseMessage(msg)
		if err != nil {
			return fail("read", ErrRejected, err)
		}
		s.promised--
		s.last, s.idle = m.entry, 0
		if err := visit(m); err != nil {
			return err
		}
		if at.timesTo > 0 && m.entry >= at.timesTo {
			return errDone
		}
	}
}

func (l *Ledger) newSession(ctx context.Context, at start) (*session, error) {
	cfg := jetstream.ConsumerConfig{
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: forgetAfter,
		HeadersOnly:       at.timesTo > 0,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       at.entry,
	}
	if at.entry == 0 {
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &at.time
	}
	s := &session{
		l:        l,
		inbox:    l.nc.NewInbox(),
		msgs:     make(chan *nats.Msg, 2*pullMessages+100), // and words about the pulls
		cut:      l.nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED),
		tick:     time.NewTicker(silence),
		maxBytes: pullBytes,
	}
	if err := s.open(ctx, cfg); err != nil {
		s.end()
		err = translate(ctx, "read", err)
		if errors.Is(err, ErrDiskFull) { // no disk: a reader needs a server that has room for its place
			err = fail("read", ErrUnavailable, err)
		}
		return nil, err
	}
	return s, nil
}

// open makes the consumer and listens.
func (s *session) open(ctx context.Context, cfg jetstream.ConsumerConfig) error {
	patience := askTimeout
	if s.l.nc.ConnectedClusterName() != "" {
		patience = openTimeout
	}
	ask, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cons, err := s.l.js.CreateConsumer(ask, StreamName, cfg)
	if err != nil {
		return err
	}
	info := cons.CachedInfo()
	s.name, s.last = info.Name, info.Delivered.Stream
	s.next = "$JS.API.CONSUMER.MSG.NEXT." + StreamName + "." + info.Name
	s.sub, err = s.l.nc.ChanSubscribe(s.inbox, s.msgs)
	return err
}

// end lets the server forget the consumer; if that does not reach it, it does
// so by itself.
func (s *session) end() {
	s.tick.Stop()
	s.l.nc.RemoveStatusListener(s.cut)
	if s.sub != nil {
		_ = s.sub.Unsubscribe()
	}
	if s.name == "" || s.l.nc.Status() != nats.CONNECTED {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.l.js.DeleteConsumer(ctx, StreamName, s.name)
}

// receive waits for what the server sends next.
func (s *session) receive(ctx context.Context) (*nats.Msg, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case msg := <-s.msgs: // there mostly is one
		return msg, nil
	default:
	}
	s.tick.Reset(silence)
	select {
	case msg := <-s.msgs:
		return msg, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.cut:
		return nil, fail("read", ErrUnavailable, errCut)
	case <-s.tick.C:
		return nil, fail("read", ErrUnavailable, errSilent)
	}
}

// pull keeps two pulls open.
func (s *session) pull() error {
	for s.promised <= pullMessages {
		request, err := json.Marshal(map[string]any{
			"batch":          pullMessages,
			"max_bytes":      s.maxBytes,
			"expires":        pullExpires,
			"idle_heartbeat": heartbeat,
		})
		if err != nil {
			return err
		}
		if err := s.l.nc.PublishRequest(s.next, s.inbox, request); err != nil {
			return err
		}
		s.promised += pullMessages
	}
	return nil
}

// status reads what the server says about a pull: that it still holds it (100),
// or that it ended, with what is left of it. Anything else ends the session.
func (s *session) status(msg *nats.Msg) error {
	const left, leftBytes = "Nats-Pending-Messages", "Nats-Pending-Bytes"
	code, words := msg.Header.Get("Status"), msg.Header.Get("Description")
	if code == "100" {
		s.idle++
		return nil
	}
	n, err := strconv.Atoi(msg.Header.Get(left))
	if err != nil {
		kind := ErrUnavailable
		if code == "400" || strings.HasPrefix(words, "Exceeded") { // a limit of that server
			kind = ErrRejected
		}
		return fail("read", kind, fmt.Errorf("the server ended the reading: %s %s", code, words))
	}
	s.promised -= n
	if n == pullMessages && code == "409" && msg.Header.Get(leftBytes) == strconv.Itoa(s.maxBytes) {
		s.maxBytes *= 2 // the next message alone is too large for a pull
	}
	return nil
}

// checkIdle ends a session whose server holds a pull though the ledger has
// more: one that lags, or hangs with its disk.
func (s *session) checkIdle(ctx context.Context) error {
	if s.idle < lookAfter {
		return nil
	}
	s.idle = 0
	tail, err := s.l.Tail(ctx)
	if err == nil && tail > s.last {
		if err = s.l.gives(ctx, s.last+1); err == nil { // *GapError: it is damaged
			err = fail("read", ErrUnavailable, errBehind)
		}
	}
	return err
}

// parseMessage reads the numbers from the reply subject of a delivered message:
//
//	$JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<nanoseconds>.<pending>
//	$JS.ACK.<domain>.<account>.<the same seven>[.<anything>]
func parseMessage(msg *nats.Msg) (message, error) {
	const short, long = 9, 11 // tokens
	var dots [long + 1]int
	n := 0
	for i := 0; i < len(msg.Reply) && n < len(dots); i++ {
		if msg.Reply[i] == '.' {
			dots[n] = i
			n++
		}
	}
	entry, nanos := 5, 7 // token numbers, from 0
	if tokens := n + 1; tokens >= long {
		entry, nanos = 7, 9
	} else if tokens != short {
		return message{}, errors.New("not a message of a stream: " + msg.Reply)
	}
	token := func(i int) (uint64, error) {
		end := len(msg.Reply)
		if i < n {
			end = dots[i]
		}
		return strconv.ParseUint(msg.Reply[dots[i-1]+1:end], 10, 64)
	}
	e, err1 := token(entry)
	t, err2 := token(nanos)
	if err := errors.Join(err1, err2); err != nil {
		return message{}, errors.New("not a message of a stream: " + msg.Reply)
	}
	return message{e, time.Unix(0, int64(t)).UTC(), msg}, nil
}

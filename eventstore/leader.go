package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A question to a cluster is lost with the server that leads, or is about to:
// so it is asked again, after askAgain and then twice that, until the caller's
// limit. A server alone answers the first.
const askAgain = 2 * time.Second

// quorumSilence is how long the others may have said nothing to a leader that
// is believed. They do so every second, and elect another one after four.
const quorumSilence = 3 * time.Second

// confirmAfter is how long after an answer a cluster is asked for a second one,
// which is believed. A leader that was stopped, and goes on, answers what has
// come to its door before it hears of its successor.
const confirmAfter = 100 * time.Millisecond

// errNoLeader: a server answered for itself.
var errNoLeader = errors.New("no server leads the ledger's stream just now")

// info asks the stream's leader for its configuration and state.
//
// Only who leads is believed: in a cluster a follower that knows of no leader
// answers too, with what it has itself, and a leader that was stopped or cut
// off believes for a while that it still is one. ErrUnavailable where there is
// none within the limit of ctx, or of one question.
func (l *Ledger) info(ctx context.Context, op string, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	ask, cancel := limit(ctx)
	defer cancel()
	var wait backoff
	for patience, confirmed := askAgain, false; ; {
		once, cancel := context.WithTimeout(ask, patience)
		info, err := l.askStream(once, opts)
		lost := err != nil && once.Err() != nil
		cancel()
		switch {
		case err == nil && leads(info.Cluster):
			if confirmed || info.Cluster == nil || len(info.Cluster.Replicas) == 0 {
				return info, nil
			}
			confirmed = true
			time.Sleep(confirmAfter)
			continue
		case err == nil:
			err = fail(op, ErrUnavailable, errNoLeader)
		default:
			err = translate(ctx, op, err)
		}
		switch {
		case lost:
			patience *= 2
		case !errors.Is(err, errNoLeader):
			return nil, err
		}
		if wait.next(ask) != nil {
			return nil, err
		}
	}
}

// askStream asks once, whoever answers.
func (l *Ledger) askStream(ctx context.Context, opts []jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	stream, err := l.js.Stream(ctx, StreamName)
	if err != nil {
		return nil, err
	}
	if len(opts) == 0 {
		return stream.CachedInfo(), nil
	}
	return stream.Info(ctx, opts...)
}

// leads tells whether the server that gave c leads its stream: it says so, and
// has heard of a majority just now.
func leads(c *jetstream.ClusterInfo) bool {
	if c == nil {
		return true // a server alone
	}
	heard := 1
	for _, other := range c.Replicas {
		if other.Active < quorumSilence {
			heard++
		}
	}
	return c.Leader != "" && heard > (len(c.Replicas)+1)/2
}

// gives asks the stream's leader for entry n, which it says to have: *GapError
// where it cannot give it. A server that finds its last message damaged goes on
// counting it, and leaves who reads waiting for it
// (nats-server 2.15: the index says what is there, the block is read later).
func (l *Ledger) gives(ctx context.Context, n uint64) error {
	ask, cancel := limit(ctx)
	defer cancel()
	question, err := json.Marshal(map[string]uint64{"seq": n})
	if err != nil {
		return err
	}
	msg, err := l.nc.RequestWithContext(ask, "$JS.API.STREAM.MSG.GET."+StreamName, question)
	if err != nil {
		return translate(ctx, "read", err)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return fail("read", ErrRejected, err)
	}
	switch {
	case answer.Error == nil:
		return nil
	case answer.Error.ErrorCode != jetstream.JSErrCodeMessageNotFound:
		return translate(ctx, "read", answer.Error)
	}
	tail, err := l.Tail(ctx) // of whoever leads by now
	if err == nil && tail >= n {
		err = &GapError{n, n + 1}
	}
	return err
}

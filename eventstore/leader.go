package eventstore

import (
	"context"
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

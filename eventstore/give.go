package eventstore

import (
	"context"
	"encoding/json"

	"github.com/nats-io/nats.go/jetstream"
)

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

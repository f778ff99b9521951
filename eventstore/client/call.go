package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// call is one submission that somebody waits for.
type call struct {
	lines []byte // of one event each, none blank
	count int    // of lines
	done  chan struct{}

	// What follows belongs to the lane's mutex until done is closed.

	// maybe tells that it may be recorded: it was sent, and the answer is not
	// known. before is what maybe was before it was sent last.
	maybe, before bool
	// over is set when it is answered, or nobody waits for it any more.
	over    bool
	receipt eventstore.Receipt
	err     error
}

// newCall reads a submission, of which nothing is kept.
func newCall(submission []byte) (*call, *domain.Refusal) {
	k := &call{done: make(chan struct{})}
	parts := 0
	refusal := eventstore.Submissions(submission, func(_ int, lines []byte) {
		parts++
		k.lines = append(k.lines[:0], lines...)
	})
	if parts > 1 && json.Valid(submission) { // one event, spread over lines of which some are blank
		k.lines, _ = domain.Compact(k.lines[:0], submission) // valid JSON has nothing that it minds
		parts = 1
	}
	switch {
	case refusal != nil:
	case parts > 1:
		refusal = &domain.Refusal{Code: domain.Malformed, Detail: fmt.Sprintf("a blank line stands between submissions, and here are %d: hand in each alone", parts)}
	case bytes.HasPrefix(bytes.TrimLeft(k.lines, " \t"), []byte("[")): // a body would begin as an array
		refusal = &domain.Refusal{Code: domain.Malformed, Detail: "an event is a JSON object"}
	}
	k.count = 1 + bytes.Count(k.lines, []byte("\n"))
	return k, refusal
}

// refused is the receipt of a submission that is not sent.
func refused(why *domain.Refusal) eventstore.Receipt {
	return eventstore.Receipt{Rulings: []eventstore.LineRuling{{Ruling: domain.Ruling{
		Verdict: domain.Refused, Code: why.Code, Field: why.Field, Detail: why.Detail,
	}}}}
}

// finish answers k, unless it is over.
func (k *call) finish(receipt eventstore.Receipt, err error) {
	if !k.over {
		k.over, k.receipt, k.err = true, receipt, err
		close(k.done)
	}
}

// giveUp answers k for who does not wait any longer: with kind where surely
// nothing of it was recorded.
func (k *call) giveUp(kind, why error) {
	if k.maybe {
		kind = eventstore.ErrUnknownOutcome
	}
	k.finish(eventstore.Receipt{}, fail(kind, why))
}

// settle answers k with its results in reply; where it is to be asked again it is not, and
// trouble says why.
func (k *call) settle(reply *eventstore.Reply, results []eventstore.Result) (trouble *eventstore.Error) {
	rulings := make([]eventstore.LineRuling, len(results))
	for i := range results {
		ruling, ok := results[i].LineRuling()
		if !ok {
			return k.unanswered(&results[i])
		}
		rulings[i] = ruling
	}
	if len(results) != k.count && (len(results) != 1 || rulings[0].Verdict != domain.Refused) {
		err := fmt.Errorf("the reply has %d results for %d events", len(results), k.count)
		k.finish(eventstore.Receipt{}, fail(eventstore.ErrUnknownOutcome, err))
		return nil
	}
	k.finish(eventstore.Receipt{Rulings: rulings, Mark: reply.MarkOf(rulings)}, nil)
	return nil
}

// unanswered decides whether asking again can help soon: a full disk must be
// seen to, and an alarm be looked at.
func (k *call) unanswered(r *eventstore.Result) (trouble *eventstore.Error) {
	if r.Ruling != eventstore.Unanswered {
		k.giveUp(eventstore.ErrUnknownOutcome, fmt.Errorf("the reply has a ruling %q", r.Ruling))
		return nil
	}
	err := r.Err()
	switch r.Code {
	case eventstore.OutcomeUnknown:
		return err
	case eventstore.Busy, eventstore.Unavailable, eventstore.Closed:
		k.maybe = k.before
		return err
	case eventstore.Gap, eventstore.WentBack: // the answer to what is in the ledger, too
	default:
		k.maybe = k.before // an earlier request may have recorded it
	}
	if k.maybe {
		err.Kind = eventstore.ErrUnknownOutcome
	}
	if err.Try == "" { // the answer of another version may say none
		err.Try = eventstore.CodeInfoOf(r.Code).Cure
	}
	k.finish(eventstore.Receipt{}, err)
	return nil
}

// flight is a request on its way, with the calls that travel in it.
type flight struct {
	number   uint64
	reply    string // the subject of its answer
	calls    []*call
	deadline time.Time
	// reconnects is how often the connection had been cut when it was last looked
	// at, cut whether that was after it was sent.
	reconnects uint64
	cut        bool
}

// notTaken tells that nobody took f: its calls are as before.
func (f *flight) notTaken() {
	for _, k := range f.calls {
		k.maybe = k.before
	}
}

// body appends the lines of its calls, a blank line between them.
func (f *flight) body(dst []byte) []byte {
	for i, k := range f.calls {
		if i > 0 {
			dst = append(dst, "\n\n"...)
		}
		dst = append(dst, k.lines...)
	}
	return dst
}

// settle gives each call its results, and gives back those to be asked again.
func (f *flight) settle(reply *eventstore.Reply) (again []*call, trouble *eventstore.Error) {
	whole := len(f.calls) > 1 && isWhole(reply.Results)
	results, first := reply.Results, 1
	for _, k := range f.calls {
		n := 0
		for n < len(results) && results[n].Line < first+k.count {
			n++
		}
		mine := results[:n]
		if whole {
			mine = reply.Results
		}
		if err := k.settle(reply, mine); err != nil {
			again, trouble = append(again, k), err
		}
		results = results[n:]
		first += k.count + 1
	}
	return again, trouble
}

// isWhole tells whether results, of a request with several submissions, are one
// for all of them.
func isWhole(results []eventstore.Result) bool {
	return len(results) == 1 && results[0].Line == 1 &&
		(results[0].Ruling == eventstore.Unanswered || results[0].Ruling == domain.Refused.String())
}

// wait waits until k is answered; false where ctx ends first.
func (k *call) wait(ctx context.Context) bool {
	select {
	case <-k.done:
		return true
	default:
	}
	select {
	case <-k.done:
		return true
	case <-ctx.Done():
		return false
	}
}

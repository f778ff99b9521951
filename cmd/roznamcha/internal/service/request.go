package service

import (
	"context"
	"slices"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// request is one request on its way to its answer. It belongs to the handler,
// then to the replier or to the goroutine that asks again.
type request struct {
	reply    string // where the answer goes; "" where nobody waits for it
	diary    domain.Diary
	deadline time.Time
	count    *tally // of its endpoint

	parts []part
	one   [1]part // what parts is mostly
	// refused is why there are none.
	refused *domain.Refusal
}

// part is one submission of a request.
type part struct {
	line  int // the number of its first line
	lines []byte

	// One of these: it is pending, or there is a receipt, or none for err.
	pending *eventstore.Pending
	receipt eventstore.Receipt
	err     error
}

// read takes the submissions of a body.
func (q *request) read(body []byte) *domain.Refusal {
	q.parts = q.one[:0]
	return eventstore.Submissions(body, func(line int, submission []byte) {
		q.parts = append(q.parts, part{line: line, lines: submission})
	})
}

// refuse gives every event the same answer.
func (q *request) refuse(why *domain.Refusal) { q.parts, q.refused = nil, why }

// fail leaves everything unanswered.
func (q *request) fail(err error) {
	for i := range q.parts {
		q.parts[i].err = err
	}
}

// failStale leaves what is stale unanswered.
func (q *request) failStale(err error) {
	for i := range q.parts {
		if p := &q.parts[i]; p.stale() {
			p.pending, p.err = nil, err
		}
	}
}

// submit hands the parts to the recorder, several of them so that they go into
// few entries.
func (q *request) submit(r *eventstore.Recorder) {
	if len(q.parts) == 1 {
		p := &q.parts[0]
		p.pending, p.err = r.TrySubmitAs(q.diary, p.lines)
		return
	}
	_ = r.Gather(func() error {
		for i := range q.parts {
			p := &q.parts[i]
			p.pending, p.err = r.TrySubmitAs(q.diary, p.lines)
		}
		return nil
	})
}

// submitAgain asks again for the parts that are stale, each when those before it
// are answered: they may be what it depends on.
func (q *request) submitAgain(ctx context.Context, r *eventstore.Recorder) {
	for i := range q.parts {
		p := &q.parts[i]
		if !p.stale() {
			if p.pending != nil {
				_, _ = p.pending.Receipt(ctx)
			}
			continue
		}
		p.pending, p.err = r.SubmitAs(ctx, q.diary, p.lines)
		if p.pending != nil {
			_, _ = p.pending.Receipt(ctx)
		}
	}
}

// look checks the parts.
func (q *request) look(r *eventstore.Recorder) {
	for i := range q.parts {
		p := &q.parts[i]
		p.receipt, p.err = r.Check(q.diary, p.lines)
	}
}

// lookAgain is look with everything read that is in the ledger.
func (q *request) lookAgain(ctx context.Context, r *eventstore.Recorder) {
	if err := r.Refresh(ctx); err != nil {
		q.failStale(err)
		return
	}
	q.look(r)
}

// stale tells whether a part was refused for the state that was read so far.
func (q *request) stale() bool {
	for i := range q.parts {
		if q.parts[i].stale() {
			return true
		}
	}
	return false
}

func (p *part) stale() bool {
	if p.pending != nil {
		return p.pending.Stale()
	}
	return p.err == nil && p.receipt.Stale()
}

// ready tells whether every part is answered.
func (q *request) ready() bool {
	for i := range q.parts {
		if p := q.parts[i].pending; p != nil {
			select {
			case <-p.Done():
			default:
				return false
			}
		}
	}
	return true
}

// results writes what became of every event; a part that is not answered by now
// has an unknown outcome.
func (q *request) results(to *eventstore.Reply) {
	if q.refused != nil {
		to.Results = append(to.Results, eventstore.ResultOf(1, &eventstore.LineRuling{Ruling: domain.Ruling{
			Verdict: domain.Refused, Code: q.refused.Code, Detail: q.refused.Detail,
		}}))
	}
	for i := range q.parts {
		p := &q.parts[i]
		if p.pending != nil {
			p.receipt, p.err = p.pending.Receipt(tooLate)
		}
		if p.err != nil {
			to.Results = append(to.Results, eventstore.UnansweredResult(p.line, p.err))
			continue
		}
		for j := range p.receipt.Rulings {
			to.Results = append(to.Results, eventstore.ResultOf(p.line+j, &p.receipt.Rulings[j]))
		}
		if m := p.receipt.Mark; !m.IsZero() && !slices.Contains(to.Marks, m) {
			to.Marks = append(to.Marks, m)
		}
	}
}

// tooLate is a context that has ended.
var tooLate = func() context.Context {
	ctx, cancel := context.WithDeadline(context.Background(), time.Time{})
	cancel()
	return ctx
}()

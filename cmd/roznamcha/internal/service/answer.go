package service

import (
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"roznamcha/eventstore"
)

// reply is the replier: it answers the requests that wait, in the order in which
// they came, which is that of their entries.
func (s *Service) reply() {
	timer := time.NewTimer(s.patience)
	for {
		select {
		case q := <-s.waiting:
			s.await(q, timer)
			s.answer(q)
			continue
		case <-s.stopping:
		}
		select {
		case q := <-s.waiting:
			s.await(q, timer)
			s.answer(q)
		default:
			return
		}
	}
}

// await returns when every part of q is answered, or it is too late.
func (s *Service) await(q *request, timer *time.Timer) {
	for i := range q.parts {
		p := q.parts[i].pending
		if p == nil {
			continue
		}
		select {
		case <-p.Done():
			continue
		default:
		}
		timer.Reset(time.Until(q.deadline))
		select {
		case <-p.Done():
		case <-timer.C:
			return
		case <-s.patient.Done():
			return
		}
	}
}

// draft is where an answer is written.
type draft struct {
	eventstore.Reply
	body []byte
}

var drafts = sync.Pool{New: func() any { return new(draft) }}

// answer answers from outside a handler.
func (s *Service) answer(q *request) {
	d, header := s.draft(q)
	defer drafts.Put(d)
	if q.reply == "" {
		return
	}
	// Where it cannot be sent who asked gets no answer and asks again.
	_ = s.nc.PublishMsg(&nats.Msg{Subject: q.reply, Header: header, Data: d.body})
}

// answerNow answers from within the handler of req, whose errors the service
// counts too.
func (s *Service) answerNow(req micro.Request, q *request) {
	d, header := s.draft(q)
	defer drafts.Put(d)
	switch {
	case q.reply == "":
	case header == nil:
		_ = req.Respond(d.body)
	default:
		_ = req.Error(header.Get(micro.ErrorCodeHeader), header.Get(micro.ErrorHeader), d.body, micro.WithHeaders(micro.Headers(header)))
	}
}

// draft writes the answer to q and counts what it says. Where not all is well
// the header tells of the result that decides; else it is nil.
func (s *Service) draft(q *request) (d *draft, header nats.Header) {
	d = drafts.Get().(*draft)
	d.Results, d.Marks = d.Results[:0], d.Marks[:0]
	q.results(&d.Reply)
	q.count.add(d.Results)
	if i := d.Deciding(); i >= 0 {
		why := &d.Results[i]
		header = nats.Header{
			micro.ErrorCodeHeader:  {string(why.Code)},
			micro.ErrorHeader:      {why.Sentence()},
			eventstore.RetryHeader: {strconv.FormatBool(why.Retry)},
		}
		if q.count == &s.record {
			s.refusals.add(q.diary, &d.Reply)
		}
	}
	d.body = d.AppendJSON(d.body[:0])
	return d, header
}

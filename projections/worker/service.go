package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"roznamcha/eventstore"
)

const (
	// ServiceName is the micro service that every worker is; its statistics have
	// its Status as data.
	ServiceName = "roznamcha-worker"
	// TotalsName is the micro service of the workers whose version readers are
	// led to, and QuerySubject where it is asked.
	TotalsName   = "roznamcha-totals"
	QuerySubject = "totals.query"
	// handover is how long a version that readers were led away from goes on
	// answering, so that there is no moment when nobody does.
	handover = time.Second
	// mostWaiting is how many questions a worker holds at the same time.
	mostWaiting = 256
)

// VersionSubject is where the workers of a version are asked, whether or not
// readers are led to it.
func VersionSubject(version int) string { return Prefix(version) + ".query" }

// offer answers questions until ctx ends.
func (w *Worker) offer(ctx context.Context) error {
	o := &offered{Worker: w, ctx: ctx, waiting: make(chan struct{}, mostWaiting)}
	own, err := o.service(ServiceName, VersionSubject(w.config.Version))
	if err != nil {
		return err
	}
	defer func() { _ = own.Stop() }()
	if err := w.ready(ctx); err != nil {
		return err
	}
	if w.config.Ready != nil {
		w.config.Ready()
	}
	var led micro.Service // while readers are led here, and until others answer
	defer func() {
		if led != nil {
			_ = led.Stop()
		}
	}()
	var over <-chan time.Time // when that ends
	for {
		w.mu.Lock()
		current := w.led == w.prefix
		w.mu.Unlock()
		switch {
		case current && led == nil:
			if led, err = o.service(TotalsName, QuerySubject); err != nil {
				return err
			}
		case current:
			over = nil
		case led != nil && over == nil: // the pointer is seen again and again
			over = time.After(handover)
		}
		select {
		case <-w.pointer:
		case <-over:
			_ = led.Stop()
			led, over = nil, nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pointed wakes offer.
func (w *Worker) pointed() {
	select {
	case w.pointer <- struct{}{}:
	default:
	}
}

// offered is a worker's answering side.
type offered struct {
	*Worker
	ctx     context.Context
	waiting chan struct{} // a token for every question
}

// service offers the worker under a name, at a subject.
func (o *offered) service(name, subject string) (micro.Service, error) {
	s, err := micro.AddService(o.nc, micro.Config{
		Name: name, Version: o.config.Program,
		Description:  "answers with tables of totals, and keeps them in bucket " + Bucket,
		Metadata:     map[string]string{"prefix": o.prefix},
		StatsHandler: func(*micro.Endpoint) any { return o.Status() },
	})
	if err != nil {
		return nil, fmt.Errorf("offer the worker as a service: %w", err)
	}
	err = s.AddEndpoint("query", micro.HandlerFunc(o.handle), micro.WithEndpointSubject(subject), micro.WithEndpointMetadata(map[string]string{
		"request": `JSON, all of it optional: {"columns","by","where","period","clock","year_starts","as_of","at_least","within"}, as totals takes them`,
		"reply":   "the table as totals --json prints it, with a stamp",
	}))
	return s, err
}

// handle takes one question. It waits for nothing itself.
func (o *offered) handle(req micro.Request) {
	if !eventstore.IsInbox(req.Reply()) {
		return
	}
	select {
	case o.waiting <- struct{}{}:
	default:
		o.refuse(req, &refusal{CodeBusy, errors.New("too many questions wait. Try: the same again in a moment")})
		return
	}
	go func() {
		defer func() { <-o.waiting }()
		var asked Request
		want, err := asked.read(req.Data())
		if err != nil {
			o.refuse(req, wrong(err))
			return
		}
		body, err := o.answer(o.ctx, want, int(o.nc.MaxPayload())-mostHeader)
		if err != nil {
			o.refuse(req, err)
			return
		}
		o.tally("")
		_ = req.Respond(body)
	}()
}

// answerJSON is an answer that is no table.
type answerJSON struct {
	Error struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
		// Entry is where the totals stand.
		Entry uint64 `json:"entry"`
	} `json:"error"`
}

func (o *offered) refuse(req micro.Request, err error) {
	var a answerJSON
	a.Error.Code, a.Error.Detail, a.Error.Entry = codeOf(err), err.Error(), o.fold.entry()
	body, _ := marshal(a) // of texts and a number
	o.tally(a.Error.Code)
	_ = req.Error(a.Error.Code, fmt.Sprintf("%.500s", a.Error.Detail), body)
}

func (o *offered) tally(code string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answered[code]++
}

// silence is how long Workers waits for one more.
const silence = 300 * time.Millisecond

// Workers asks all workers that can be reached how they stand. What was killed or
// hangs does not answer, and is not there. It takes no longer than a few tenths
// of a second.
func Workers(ctx context.Context, nc *nats.Conn) (all []Status, err error) {
	subject, err := micro.ControlSubject(micro.StatsVerb, ServiceName, "")
	if err != nil {
		return nil, err
	}
	inbox := nc.NewRespInbox()
	answers, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("ask the workers: %w", err)
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := nc.PublishRequest(subject, inbox, nil); err != nil {
		return nil, fmt.Errorf("ask the workers: %w", err)
	}
	for {
		ask, cancel := context.WithTimeout(ctx, silence)
		m, err := answers.NextMsgWithContext(ask)
		cancel()
		switch {
		case ctx.Err() != nil:
			return all, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrNoResponders):
			return all, nil
		case err != nil:
			return all, fmt.Errorf("ask the workers: %w", err)
		case len(m.Data) == 0 && m.Header.Get("Status") == "503":
			return all, nil
		}
		var stats struct {
			Endpoints []struct {
				Data Status `json:"data"`
			} `json:"endpoints"`
		}
		if json.Unmarshal(m.Data, &stats) == nil && len(stats.Endpoints) > 0 {
			all = append(all, stats.Endpoints[0].Data)
		}
	}
}

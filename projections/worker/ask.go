package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"roznamcha/projections"
)

// MaxWithin is the longest time that a question may wait.
const MaxWithin = time.Minute

// Request is what a worker is asked over NATS, as JSON: a question, and how new
// the answer must be. An empty request asks for the table of everything.
type Request struct {
	Question
	// AsOf is an entry, a day or a time, as totals --as-of takes it; "" is now.
	AsOf string `json:"as_of,omitempty"`
	// AtLeast is an entry, or a receipt's position such as "1234:2", that must be
	// in the totals; nil is none.
	AtLeast *string `json:"at_least,omitempty"`
	// Within is how long to wait for that, such as "5s"; "" is not at all. At
	// most MaxWithin.
	Within string `json:"within,omitempty"`
}

// The codes of answers that are no table.
const (
	// CodeWrong: the request cannot be read, or asks what cannot be answered.
	CodeWrong = "wrong-question"
	// CodeNotYet: the totals are not at least as new as was asked for.
	CodeNotYet = "not-yet"
	// CodeTooLarge: the table is larger than the server carries.
	CodeTooLarge = "too-large"
	// CodeBusy: too many questions wait. Ask again in a moment.
	CodeBusy = "busy"
	// CodeUnavailable: the worker cannot reach the ledger. Ask again.
	CodeUnavailable = "unavailable"
)

// refusal is an answer that is no table.
type refusal struct {
	code string
	err  error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func wrong(err error) error { return &refusal{CodeWrong, err} }

// codeOf is the code of why there is no table.
func codeOf(err error) string {
	var refused *refusal
	var notYet *projections.NotYetError
	switch {
	case errors.As(err, &notYet):
		return CodeNotYet
	case errors.As(err, &refused):
		return refused.code
	}
	return CodeUnavailable
}

// wanted is a request that was read.
type wanted struct {
	query   projections.Query
	asOf    projections.AsOf
	atLeast uint64
	within  time.Duration
}

func (r *Request) read(body []byte) (want wanted, err error) {
	if len(body) > 0 {
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(r); err != nil {
			return want, fmt.Errorf("%w. Try: "+`{"by":"city","at_least":"1234:2","within":"5s"}`, err)
		}
	}
	if want.query, err = r.Query(); err != nil {
		return want, err
	}
	if want.asOf, err = projections.ParseAsOf(r.AsOf); err != nil {
		return want, err
	}
	if r.AtLeast != nil {
		if want.atLeast, err = projections.ParseAtLeast(*r.AtLeast); err != nil {
			return want, err
		}
	}
	if r.Within != "" {
		want.within, err = time.ParseDuration(r.Within)
		if err == nil && (want.within < 0 || want.within > MaxWithin) {
			err = fmt.Errorf("within %s: want up to %s", r.Within, MaxWithin)
		}
	}
	return want, err
}

// answer is the table that was asked for, when the fold is as new as that.
func (w *Worker) answer(ctx context.Context, want wanted, most int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, want.within)
	defer cancel()
	if err := w.fold.wait(ctx, max(want.atLeast, w.tail)); err != nil {
		return nil, err
	}
	entry, err := w.knownAt(want.asOf)
	if err != nil {
		return nil, err
	}
	if err := w.fold.wait(ctx, entry); err != nil {
		return nil, err
	}
	want.query.AsOf = entry
	w.fold.mu.RLock()
	defer w.fold.mu.RUnlock()
	v, err := w.fold.value(Stamp{Version: w.config.Version, Question: QuestionOf(want.query)}, want.query, most)
	if err == nil && v.problem != "" {
		code := CodeWrong
		if strings.HasPrefix(v.problem, tooLarge) {
			code = CodeTooLarge
		}
		err = &refusal{code, errors.New(v.problem)}
	}
	return v.bytes, err
}

// knownAt is the entry that asOf means; 0 for the last that is folded in.
func (w *Worker) knownAt(asOf projections.AsOf) (uint64, error) {
	if entry := asOf.Entry(); entry > 0 || asOf.IsZero() {
		return entry, nil
	}
	w.fold.mu.RLock()
	zone := w.fold.totals.Zone()
	w.fold.mu.RUnlock()
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	entry, err := w.ledger.EntryAt(ctx, asOf.Until(zone))
	if err == nil && entry == 0 {
		err = wrong(fmt.Errorf("as of %s: the ledger was not open then. Try: a later time", asOf))
	}
	return entry, err
}

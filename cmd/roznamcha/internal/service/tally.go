package service

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/micro"

	"roznamcha/cmd/roznamcha/internal/print"
	"roznamcha/domain"
	"roznamcha/eventstore"
)

// tally counts the results of one endpoint.
type tally struct {
	mu     sync.Mutex
	counts Counts
}

// Counts are the results of an endpoint since the start, by ruling and by code:
// what the service adds to its statistics (nats service stats, "data").
type Counts struct {
	Accepted   uint64                 `json:"accepted"`
	Duplicate  uint64                 `json:"duplicate"`
	Refused    uint64                 `json:"refused"`
	Unanswered uint64                 `json:"unanswered"`
	Codes      map[domain.Code]uint64 `json:"codes,omitempty"`
}

func (t *tally) add(results []eventstore.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range results {
		r := &results[i]
		switch r.Ruling {
		case domain.Accepted.String():
			t.counts.Accepted++
		case domain.Duplicate.String():
			t.counts.Duplicate++
		case eventstore.Unanswered:
			t.counts.Unanswered++
		default:
			t.counts.Refused++
		}
		if r.Code != "" {
			if t.counts.Codes == nil {
				t.counts.Codes = map[domain.Code]uint64{}
			}
			t.counts.Codes[r.Code]++
		}
	}
}

func (t *tally) read() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.Codes = maps.Clone(c.Codes)
	return c
}

// Recorded counts what became of the events that the service was asked to record.
func (s *Service) Recorded() Counts { return s.record.read() }

// stats is what the service's statistics have on an endpoint.
func (s *Service) stats(e *micro.Endpoint) any {
	if e.Name == "check" {
		return s.check.read()
	}
	return s.record.read()
}

// logEvery is how often a line on refusals is written at most.
const logEvery = time.Second

// refusals tells the log what was refused or left unanswered: how many by code,
// and one of them, never a line a request. One goroutine writes, so that who
// reads the log, or does not, holds nobody else up: what comes while a line is
// being written is for the next.
type refusals struct {
	log io.Writer
	// wake has a token while there is something to tell.
	wake chan struct{}
	// stopping is closed when nothing comes any more, ended when all is written.
	stopping, ended chan struct{}

	mu      sync.Mutex
	counts  map[domain.Code]int
	example string // one of them; "" while there is none
	dropped string // what the connection dropped last; "" for nothing
}

func newRefusals(log io.Writer) *refusals {
	return &refusals{
		log: log, counts: map[domain.Code]int{},
		wake: make(chan struct{}, 1), stopping: make(chan struct{}), ended: make(chan struct{}),
	}
}

func (r *refusals) add(diary domain.Diary, reply *eventstore.Reply) {
	defer r.tell()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.example == "" {
		one := &reply.Results[reply.Deciding()]
		r.example = diary.String()
		if diary.IsZero() {
			r.example = "a request to no diary"
		}
		r.example += ", " + one.Sentence()
	}
	for i := range reply.Results {
		if code := reply.Results[i].Code; code != "" {
			r.counts[code]++
		}
	}
}

// drop tells of requests that never came to a handler.
func (r *refusals) drop(subject, why string) {
	defer r.tell()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped = "the service on " + subject + ": " + why + ": who had no answer asks again"
}

// tell wakes write.
func (r *refusals) tell() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// write writes the log until stop, and then what is left.
func (r *refusals) write() {
	defer close(r.ended)
	for stopping := false; !stopping; {
		select {
		case <-r.wake:
			select { // more comes, for the same line
			case <-time.After(logEvery):
			case <-r.stopping:
			}
		case <-r.stopping:
			stopping = true
		}
		for _, line := range r.take() {
			fmt.Fprintln(r.log, print.Clean(line))
		}
	}
}

// take takes what there is to tell.
func (r *refusals) take() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped != "" {
		lines = append(lines, r.dropped)
		r.dropped = ""
	}
	if r.example == "" {
		return lines
	}
	codes := slices.SortedFunc(maps.Keys(r.counts), func(a, b domain.Code) int {
		return cmp.Or(cmp.Compare(r.counts[b], r.counts[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(codes))
	for i, code := range codes {
		parts[i] = fmt.Sprintf("%d %s", r.counts[code], code)
	}
	lines = append(lines, "refused or unanswered: "+strings.Join(parts, ", ")+"; such as "+r.example)
	clear(r.counts)
	r.example = ""
	return lines
}

// stop waits until all is written, or ctx ends: nobody may be reading.
func (r *refusals) stop(ctx context.Context) {
	close(r.stopping)
	select {
	case <-r.ended:
	case <-ctx.Done():
	}
}

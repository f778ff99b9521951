package service

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
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
		switch {
		case r.Ruling == eventstore.Unanswered:
			t.counts.Unanswered++
		case r.Code != "":
			t.counts.Refused++
		case r.First.IsZero():
			t.counts.Accepted++
		default:
			t.counts.Duplicate++
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
// and one of them, never a line a request.
type refusals struct {
	log io.Writer

	mu      sync.Mutex
	counts  map[domain.Code]int
	example string
	timer   *time.Timer // nil while there is nothing to tell
}

func (r *refusals) add(diary domain.Diary, reply *eventstore.Reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		r.counts = map[domain.Code]int{}
		one := &reply.Results[reply.Deciding()]
		r.example = diary.String()
		if diary.IsZero() {
			r.example = "a request to no diary"
		}
		if one.ID != uuid.Nil {
			r.example += " " + one.ID.String()
		}
		r.example += ": " + one.Sentence()
		r.timer = time.AfterFunc(logEvery, r.flush)
	}
	for i := range reply.Results {
		if code := reply.Results[i].Code; code != "" {
			r.counts[code]++
		}
	}
}

// flush writes the line, if there is something to tell.
func (r *refusals) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		return
	}
	r.timer.Stop()
	r.timer = nil
	codes := slices.SortedFunc(maps.Keys(r.counts), func(a, b domain.Code) int {
		return cmp.Or(cmp.Compare(r.counts[b], r.counts[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(codes))
	for i, code := range codes {
		parts[i] = fmt.Sprintf("%d %s", r.counts[code], code)
	}
	r.say("not recorded: " + strings.Join(parts, ", ") + "; such as " + r.example)
}

// say writes one line.
func (r *refusals) say(line string) {
	if r.log != nil {
		fmt.Fprintln(r.log, print.Clean(line))
	}
}

package projections

import (
	"time"

	"roznamcha/domain"
)

// span is the first and last day of when facts happened, or were reported, both
// included. An open end is domain.MinDay or domain.MaxDay, and what is undated
// has both.
type span struct{ from, to domain.Day }

// undated is the number of the span of what has no date.
const undated = 0

var wholeTime = span{domain.MinDay, domain.MaxDay}

// spans numbers the spans that occur.
type spans struct {
	zone *time.Location
	all  []span
	ids  map[span]uint32

	last       span // the one asked for last: facts come in the order of days
	lastNumber uint32
}

func newSpans() *spans {
	return &spans{zone: time.UTC, all: []span{wholeTime}, ids: map[span]uint32{wholeTime: undated}, last: wholeTime}
}

// number is the span of p in the ledger's zone; undated where p is unknown or
// not given.
func (s *spans) number(p domain.Period) uint32 {
	from, to := p.Days(s.zone)
	at := span{from, to}
	switch at {
	case wholeTime:
		return undated
	case s.last:
		return s.lastNumber
	}
	id, ok := s.ids[at]
	if !ok {
		id = uint32(len(s.all))
		s.all = append(s.all, at)
		s.ids[at] = id
	}
	s.last, s.lastNumber = at, id
	return id
}

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
	// days are 1 + the numbers of the spans of a single day, which most are,
	// by the day counted from firstDay.
	days []uint32
}

// firstDay and lastDay are the days that have a place in spans.days.
var (
	firstDay = domain.MakeDay(1950, time.January, 1)
	lastDay  = domain.MakeDay(2049, time.December, 31)
)

func newSpans() *spans {
	return &spans{
		zone: time.UTC,
		all:  []span{wholeTime},
		ids:  map[span]uint32{wholeTime: undated},
		days: make([]uint32, lastDay-firstDay+1),
	}
}

// number is the span of p in the ledger's zone; undated where p is unknown or
// not given.
func (s *spans) number(p domain.Period) uint32 {
	if p.IsZero() {
		return undated
	}
	from, to := p.Days(s.zone)
	if from != to || from < firstDay || from > lastDay {
		return s.find(span{from, to})
	}
	day := &s.days[from-firstDay]
	if *day == 0 {
		*day = 1 + s.find(span{from, to})
	}
	return *day - 1
}

// find is the number of a span, the next if it is new.
func (s *spans) find(at span) uint32 {
	id, ok := s.ids[at]
	if !ok {
		id = uint32(len(s.all))
		s.all = append(s.all, at)
		s.ids[at] = id
	}
	return id
}

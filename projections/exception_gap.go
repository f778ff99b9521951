package projections

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"roznamcha/domain"
)

// numbers follow the ids of records that are running numbers, such as 0007,
// KHI-7 or 2025-000007: digits at the end of at most 15 places and before them
// no others, but for a year. So 0007-A1, 97-2025 and UUIDs are none. Ids of one
// kind and diary that are alike before the number are a series, and what lies
// between two of its numbers is in it too.
//
// A hole is opened by the record that leaves it behind, however large it is,
// and settled by the one that fills the last of it. A record that is retracted
// keeps its number. It takes about 100 bytes a series, 50 a hole, and 40 for
// every number that came late.
type numbers struct {
	series map[seriesKey]*series
	count  map[uint32]int // series by family
	holes  []hole         // by the link of their exception's row
}

// maxSeries is how many series are followed of one kind and diary. Of ids that
// differ more they are no series but names.
const maxSeries = 1000

type seriesKey struct {
	family uint32
	before string
}

// series is ids that are alike before the number.
type series struct {
	first, last uint64
	width       int   // to which its numbers are filled up with zeros, at least
	holes       []int // in the order of their numbers
}

// hole is numbers that are missing: from first to last, but for those that came.
type hole struct {
	series      *series
	key         seriesKey
	first, last uint64
	came        map[uint64]domain.Place
	exception   int
}

func newNumbers() *numbers {
	return &numbers{series: make(map[seriesKey]*series), count: make(map[uint32]int)}
}

// runningNumber reads the running number of an id and what stands before it.
func runningNumber(id string) (before string, n uint64, ok bool) {
	before = strings.TrimRight(id, "0123456789")
	digits := id[len(before):]
	if digits == "" || len(digits) > 15 || !numberless(before) {
		return "", 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return before, n, err == nil
}

// numberless tells whether s has no digits, but for one year.
func numberless(s string) bool {
	const digits = "0123456789"
	at := strings.IndexAny(s, digits)
	if at < 0 {
		return true
	}
	rest := strings.TrimLeft(s[at:], digits)
	year := s[at : len(s)-len(rest)]
	return len(year) == 4 && (year[:2] == "19" || year[:2] == "20") && !strings.ContainsAny(rest, digits)
}

// enumerate enters the id of a new record.
func (x *Exceptions) enumerate(record uint32, id string, place domain.Place) {
	before, n, ok := runningNumber(id)
	if !ok {
		return
	}
	key := seriesKey{x.names.rows[record].family, before}
	s := x.numbers.series[key]
	if s == nil {
		if x.numbers.count[key.family] == maxSeries {
			return
		}
		x.numbers.count[key.family]++
		key.before = strings.Clone(before)
		s = &series{first: n, last: n}
		x.numbers.series[key] = s
	}
	if digits := id[len(before):]; digits[0] == '0' {
		s.width = max(s.width, len(digits))
	}
	switch {
	case n > s.last:
		s.last, n = n, s.last
		x.leaveHole(record, s, key, n+1, s.last-1, place)
	case n < s.first:
		s.first, n = n, s.first
		x.leaveHole(record, s, key, s.first+1, n-1, place)
	default:
		x.fill(s, n, place)
	}
}

// leaveHole raises the exception that numbers are missing, if any are.
func (x *Exceptions) leaveHole(record uint32, s *series, key seriesKey, first, last uint64, place domain.Place) {
	if first > last {
		return
	}
	i := len(x.numbers.holes)
	row := exceptionRow{opened: place, record: record, link: uint32(i), exceptionSort: exceptionSort{kind: SequenceGap}}
	x.numbers.holes = append(x.numbers.holes, hole{s, key, first, last, nil, x.raise(row, nil)})
	at := 0
	if len(s.holes) > 0 && x.numbers.holes[s.holes[0]].first < first {
		at = len(s.holes)
	}
	s.holes = slices.Insert(s.holes, at, i)
}

// fill takes a number out of the hole that it is missing from, if it is.
func (x *Exceptions) fill(s *series, n uint64, place domain.Place) {
	at, _ := slices.BinarySearchFunc(s.holes, n, func(i int, n uint64) int {
		if x.numbers.holes[i].last < n {
			return -1
		}
		return 1
	})
	if at == len(s.holes) {
		return
	}
	h := &x.numbers.holes[s.holes[at]]
	if n < h.first {
		return
	}
	if h.came == nil {
		h.came = make(map[uint64]domain.Place)
	}
	if _, again := h.came[n]; again { // 7 and 007
		return
	}
	h.came[n] = place
	if uint64(len(h.came)) == h.last-h.first+1 {
		x.settle(h.exception, place)
		s.holes = slices.Delete(s.holes, at, at+1)
	}
}

// maxRuns is how many runs of missing numbers are told.
const maxRuns = 5

// missing says what was missing of a hole as known at an entry, 0 for now; all
// of it if nothing is any more.
func (x *Exceptions) missing(i uint32, asOf uint64) string {
	h := &x.numbers.holes[i]
	var came []uint64
	for n, place := range h.came {
		if asOf == 0 || place.Entry() <= asOf {
			came = append(came, n)
		}
	}
	count := h.last - h.first + 1 - uint64(len(came))
	if count == 0 {
		came, count = nil, h.last-h.first+1
	}
	slices.Sort(came)
	var runs []string
	from := h.first
	for _, n := range append(came, h.last+1) {
		if n > from {
			runs = append(runs, h.run(from, n-1))
		}
		from = n + 1
	}
	if len(runs) > maxRuns {
		runs = append(runs[:maxRuns], "…")
	}
	says := "no " + strings.Join(runs, ", ")
	if count > 1 {
		says += fmt.Sprintf(" (%d numbers)", count)
	}
	return says
}

// run writes one number, or from one to another, as the series does.
func (h *hole) run(from, to uint64) string {
	text := func(n uint64) string { return fmt.Sprintf("%s%0*d", h.key.before, h.series.width, n) }
	if from == to {
		return text(from)
	}
	return text(from) + " to " + text(to)
}

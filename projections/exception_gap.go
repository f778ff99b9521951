package projections

import (
	"fmt"
	"hash/maphash"
	"math/bits"
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
// keeps its number, but a series ends with records that stand: where the one
// with the greatest number (or the least) is retracted, the end goes back to the
// greatest that stands, and the holes beyond it are settled, for who typed
// 99999999 has put it right. Once that record is reinstated they open again.
//
// Where a diary holds a part of numbers that others share, or writes dates for
// ids, next to nothing in a series is a gap. One with as many as manyHoles
// holes, and more than one to every two of its numbers, is no running number: it
// is dropped from there on, and its exceptions are settled there. That is judged
// by the holes, not by the numbers in them: else one mistyped id would silence a
// diary.
//
// It takes about 100 bytes a series, 50 a hole, and 40 for every number that came
// late or was retracted beyond an end.
type numbers struct {
	series map[seriesKey]*series
	count  map[uint32]int // series by family
	holes  []hole         // by the link of their exception's row
	// dropped are the series that are no running numbers, in the order in which
	// that turned out.
	dropped []droppedSeries
}

const (
	// maxSeries is how many series are followed of one kind and diary. Of ids
	// that differ more they are no series but names.
	maxSeries = 1000
	// manyHoles is how many holes a series may have however few its numbers are.
	manyHoles = 100
)

type seriesKey struct {
	family uint32
	before string
}

// series is ids that are alike before the number.
type series struct {
	key seriesKey
	// first and last are the least and the greatest number that stands; first
	// is after last where none does.
	first, last uint64
	beyond      []uint64 // those of retracted records before first and after last
	count       int      // of records
	widths      uint16   // a bit for each number of places that an id with zeros before it has
	holes       []int    // in the order of their numbers
	dropped     bool
}

// droppedSeries is a series that is followed no more from a place on.
type droppedSeries struct {
	key seriesKey
	at  domain.Place
}

// hole is numbers that are missing: from first to last, but for those that came.
type hole struct {
	series      *series
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
	s := x.seriesOf(record, before)
	if s == nil {
		key := seriesKey{x.names.rows[record].family, strings.Clone(before)}
		if x.numbers.count[key.family] == maxSeries {
			return
		}
		x.numbers.count[key.family]++
		s = &series{key: key, first: 1, last: 0}
		x.numbers.series[key] = s
	}
	if s.dropped {
		return
	}
	s.count++
	if digits := id[len(before):]; digits[0] == '0' {
		s.widths |= 1 << len(digits)
	}
	x.extend(record, s, n, place)
}

// seriesOf is the series that a record belongs to; nil where there is none.
func (x *Exceptions) seriesOf(record uint32, before string) *series {
	return x.numbers.series[seriesKey{x.names.rows[record].family, before}]
}

// extend lets a record of number n stand in its series.
func (x *Exceptions) extend(record uint32, s *series, n uint64, place domain.Place) {
	switch first, last := s.first, s.last; {
	case first > last:
		s.first, s.last = n, n
	case n > last:
		s.last = n
		x.leaveHole(record, s, last+1, n-1, s.within(last+1, n-1, place), place)
	case n < first:
		s.first = n
		x.leaveHole(record, s, n+1, first-1, s.within(n+1, first-1, place), place)
	default:
		x.fill(s, n, place)
	}
	s.beyond = slices.DeleteFunc(s.beyond, func(b uint64) bool { return s.first <= b && b <= s.last })
	if len(s.holes) >= manyHoles && 2*len(s.holes) > s.count {
		x.drop(s, place)
	}
}

// within are the numbers of retracted records from first to last, as having
// come at a place.
func (s *series) within(first, last uint64, place domain.Place) (came map[uint64]domain.Place) {
	for _, n := range s.beyond {
		if first <= n && n <= last {
			if came == nil {
				came = make(map[uint64]domain.Place)
			}
			came[n] = place
		}
	}
	return came
}

// drop follows a series no more.
func (x *Exceptions) drop(s *series, place domain.Place) {
	for _, i := range s.holes {
		x.settle(x.numbers.holes[i].exception, place)
	}
	s.holes, s.beyond, s.dropped = nil, nil, true
	x.numbers.dropped = append(x.numbers.dropped, droppedSeries{s.key, place})
}

// DroppedSeries is ids that are alike before a number and turned out to be no
// running numbers: their gaps are no exceptions.
type DroppedSeries struct {
	Kind domain.Kind `json:"kind"`
	// Diary is such as "/nccia/karachi".
	Diary string `json:"diary"`
	// Before is what stands before the number, "" for nothing.
	Before string `json:"before,omitempty"`
	// At is the position at which it turned out.
	At domain.Position `json:"at"`
}

// Dropped are the series that had turned out to be no running numbers as known
// at an entry, 0 for now.
func (x *Exceptions) Dropped(asOf uint64) (list []DroppedSeries) {
	if x.numbers == nil {
		return nil
	}
	for _, d := range x.numbers.dropped {
		if asOf == 0 || d.at.Entry() <= asOf {
			f := x.names.families[d.key.family]
			list = append(list, DroppedSeries{f.kind, f.diary.String(), d.key.before, d.at.Position()})
		}
	}
	return list
}

// leaveHole raises the exception that numbers are missing, if any are but for
// those that came.
func (x *Exceptions) leaveHole(record uint32, s *series, first, last uint64, came map[uint64]domain.Place, place domain.Place) {
	if first > last || uint64(len(came)) == last-first+1 {
		return
	}
	i := len(x.numbers.holes)
	row := exceptionRow{opened: place, record: record, link: uint32(i), exceptionSort: exceptionSort{kind: SequenceGap}}
	x.numbers.holes = append(x.numbers.holes, hole{s, first, last, came, x.raise(row, nil)})
	at := 0
	if len(s.holes) > 0 && x.numbers.holes[s.holes[0]].first < first {
		at = len(s.holes)
	}
	s.holes = slices.Insert(s.holes, at, i)
}

// holeOf is the place in s.holes of the hole that has n, or of the first after
// it; has tells which.
func (x *Exceptions) holeOf(s *series, n uint64) (at int, has bool) {
	at, _ = slices.BinarySearchFunc(s.holes, n, func(i int, n uint64) int {
		if x.numbers.holes[i].last < n {
			return -1
		}
		return 1
	})
	return at, at < len(s.holes) && n >= x.numbers.holes[s.holes[at]].first
}

// fill takes a number out of the hole that it is missing from, if it is.
func (x *Exceptions) fill(s *series, n uint64, place domain.Place) {
	at, missing := x.holeOf(s, n)
	if !missing {
		return
	}
	h := &x.numbers.holes[s.holes[at]]
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

// renumber enters that a record was retracted, or has come back.
func (x *Exceptions) renumber(record uint32, state recordState, place domain.Place) {
	before, n, ok := runningNumber(string(x.names.id(x.names.rows[record])))
	if !ok {
		return
	}
	s := x.seriesOf(record, before)
	switch {
	case s == nil || s.dropped:
	case state == standing:
		x.extend(record, s, n, place)
	case n == s.last || n == s.first:
		x.pullBack(s, n != s.last, place)
	}
}

// pullBack lets a series end (or begin) with a number that stands.
func (x *Exceptions) pullBack(s *series, up bool, place domain.Place) {
	from, step := s.last, ^uint64(0) // one less
	if up {
		from, step = s.first, 1
	}
	end := uint32(0)
	for n := from; end == 0; n += step {
		if n = x.present(s, n, up); n > s.last || n < s.first { // below 0 is above all
			break
		}
		switch end = x.holder(s, n); {
		case end == 0:
			s.beyond = append(s.beyond, n)
		case up:
			s.first = n
		default:
			s.last = n
		}
	}
	if end == 0 {
		s.first, s.last = 1, 0
	}
	if s.first > s.last || from < s.first || from > s.last {
		x.cut(s, end, place)
	}
}

// present is the next number from n on, up or down, that a record has.
func (x *Exceptions) present(s *series, n uint64, up bool) uint64 {
	at, missing := x.holeOf(s, n)
	if !missing {
		return n
	}
	h := &x.numbers.holes[s.holes[at]]
	next := h.first - 1
	if up {
		next = h.last + 1
	}
	for came := range h.came {
		if up && n <= came && came < next || !up && next < came && came <= n {
			next = came
		}
	}
	return next
}

// holder is the record that stands with a number, of several that with the
// fewest zeros before it; 0 for none.
func (x *Exceptions) holder(s *series, n uint64) uint32 {
	digits := strconv.FormatUint(n, 10)
	for width := len(digits); width <= 15; width++ {
		if width > len(digits) && s.widths&(1<<width) == 0 {
			continue
		}
		id := s.key.before + strings.Repeat("0", width-len(digits)) + digits
		if record := x.names.find(s.key.family, id); record != 0 && x.links.node(record).state == standing {
			return record
		}
	}
	return 0
}

// find is the number of the name of that id; 0 if it has none.
func (s *names) find(family uint32, id string) uint32 {
	return s.slots[s.slot(family, maphash.String(s.seed, id), func(one name) bool { return string(s.id(one)) == id })]
}

// cut settles the holes that are no more between the ends of a series. Of one
// that goes over an end what is left inside is a hole again, left by the record
// that is the end now.
func (x *Exceptions) cut(s *series, end uint32, place domain.Place) {
	for _, i := range slices.Clone(s.holes) {
		h := x.numbers.holes[i]
		if s.first < h.first && h.last < s.last {
			continue
		}
		x.settle(h.exception, place)
		at := slices.Index(s.holes, i)
		s.holes = slices.Delete(s.holes, at, at+1)
		if end == 0 || h.first >= s.last || h.last <= s.first {
			continue
		}
		left := hole{first: max(h.first, s.first+1), last: min(h.last, s.last-1)}
		for n, came := range h.came {
			if left.first <= n && n <= left.last {
				if left.came == nil {
					left.came = make(map[uint64]domain.Place)
				}
				left.came[n] = came
			}
		}
		x.leaveHole(end, s, left.first, left.last, left.came, place)
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
		says += " (" + domain.FormatGrouped(int64(count), 0) + " numbers)"
	}
	return says
}

// run writes one number, or from one to another, as the series does.
func (h *hole) run(from, to uint64) string {
	text := func(n uint64) string {
		return fmt.Sprintf("%s%0*d", h.series.key.before, max(0, bits.Len16(h.series.widths)-1), n)
	}
	if from == to {
		return text(from)
	}
	return text(from) + " to " + text(to)
}

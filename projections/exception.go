package projections

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"roznamcha/domain"
)

// ExceptionKind is what a reader must know.
type ExceptionKind uint8

// The kinds of exceptions.
const (
	// RefusedLine: a line that stands in the stream and has no effect. It is
	// never settled.
	RefusedLine ExceptionKind = iota
	// UnrecognisedLine: a line of a type that these rules do not know.
	UnrecognisedLine
	// DanglingLink: a link to, or from, a record that is not there. It is
	// settled when the record arrives, or when the link goes away.
	DanglingLink
	// RetractedLink: a link to a record that is retracted. It is settled when
	// the record is brought back, or when the link goes away.
	RetractedLink
	// DatedAhead: what is said to have occurred, or to have been registered or
	// reported, after the day on which it was recorded, or in an interval that
	// ends after it. It is settled by a correction or a retraction.
	DatedAhead
)

var exceptionWords = [...]string{"refused", "unrecognised", "dangling-link", "link-to-retracted", "dated-ahead"}

// String is the kind's word.
func (k ExceptionKind) String() string { return exceptionWords[k] }

// MarshalText writes the kind's word.
func (k ExceptionKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Exception is what a reader must know and no total hides.
type Exception struct {
	Kind ExceptionKind `json:"kind"`
	// Code is why a line was refused.
	Code domain.Code `json:"code,omitempty"`
	// Opened is the position that raised it, Settled the one that settled it;
	// zero while it stands.
	Opened  domain.Position `json:"opened"`
	Settled domain.Position `json:"settled,omitzero"`
	// Record is the record that it is about, where there is one and, for a
	// refused line, where the detail is kept.
	Record domain.RecordName `json:"record,omitzero"`
	// Link is the record that is missing or retracted.
	Link domain.RecordName `json:"link,omitzero"`
	// Lines is how many lines were refused: the line itself and those of its
	// submission that were refused with it.
	Lines int `json:"lines,omitempty"`
	// Detail is what is wrong, for a person to read. It is kept for the first
	// thousand of each kind and code; the line itself stays in the ledger.
	Detail string `json:"detail,omitempty"`
}

// MarshalJSON writes records by their full names.
func (e Exception) MarshalJSON() ([]byte, error) {
	type plain Exception
	out := struct {
		plain
		Record string `json:"record,omitempty"`
		Link   string `json:"link,omitempty"`
	}{plain: plain(e)}
	if !e.Record.IsZero() {
		out.Record = e.Record.String()
	}
	if !e.Link.IsZero() {
		out.Link = e.Link.String()
	}
	return json.Marshal(out)
}

const (
	// maxDetails is how many details are kept of each kind and code.
	maxDetails = 1000
	// maxDetail is how many bytes of each.
	maxDetail = 200
)

// Exceptions are all exceptions of a ledger, those that were settled too. An
// exception takes 32 bytes; what is known of records and their links takes
// about 40 bytes a record and 24 a link.
type Exceptions struct {
	rows    []exceptionRow
	details []string // by number; 0 is none
	kept    map[exceptionSort]int
	names   *names
	links   links
	ahead   map[uint32]int // the open exception of a record that is dated ahead
	zone    *time.Location
	codes   map[domain.Code]uint8 // by their place in domain.CodeInfos

	// Of the submission at hand: the last refused line, -1 for none, and how
	// many lines wait for the refused line that they were refused with.
	submission domain.Position
	refused    int
	waiting    int
}

// exceptionRow is an Exception, small.
type exceptionRow struct {
	opened, settled domain.Place
	record, link    uint32 // names
	detail          uint32
	lines           uint16
	exceptionSort
}

// exceptionSort is what exceptions are counted by.
type exceptionSort struct {
	kind ExceptionKind
	code uint8
}

// NewExceptions is the exceptions of no entry.
func NewExceptions() *Exceptions {
	x := &Exceptions{
		details: []string{""},
		kept:    make(map[exceptionSort]int),
		names:   newNames(),
		ahead:   make(map[uint32]int),
		zone:    time.UTC,
		codes:   make(map[domain.Code]uint8),
		refused: -1,
	}
	for i, info := range domain.CodeInfos {
		x.codes[info.Code] = uint8(i)
	}
	return x
}

// Apply folds one ruling in.
func (x *Exceptions) Apply(r *domain.Ruled) {
	if r.Submission != x.submission {
		x.submission, x.refused, x.waiting = r.Submission, -1, 0
	}
	switch r.Verdict {
	case domain.Accepted:
		x.accepted(r)
	case domain.Refused:
		x.refuse(r)
	case domain.Unrecognised:
		x.raise(exceptionRow{opened: r.Position.Place(), exceptionSort: exceptionSort{kind: UnrecognisedLine}}, x.wrong(r))
	}
}

// refuse counts a refused line; one that was refused with another is counted
// with that, the last before it in their submission or the first after it.
func (x *Exceptions) refuse(r *domain.Ruled) {
	switch {
	case r.Code != domain.WithRefused:
		sort := exceptionSort{RefusedLine, x.codes[r.Code]}
		lines := uint16(1 + x.waiting)
		x.refused = x.raise(exceptionRow{opened: r.Position.Place(), lines: lines, exceptionSort: sort}, x.wrong(r))
		x.waiting = 0
	case x.refused >= 0:
		x.rows[x.refused].lines++
	default:
		x.waiting++
	}
}

// raise enters an exception and returns its number. While there is room for
// details of its sort, explain, unless nil, gives it one.
func (x *Exceptions) raise(row exceptionRow, explain func(*exceptionRow) string) int {
	if explain != nil && x.kept[row.exceptionSort] < maxDetails {
		x.kept[row.exceptionSort]++
		x.details = append(x.details, explain(&row))
		row.detail = uint32(len(x.details) - 1)
	}
	x.rows = append(x.rows, row)
	return len(x.rows) - 1
}

// wrong explains a line with something wrong in it.
func (x *Exceptions) wrong(r *domain.Ruled) func(*exceptionRow) string {
	return func(row *exceptionRow) string {
		if r.Event != nil && r.Event.Type.MakesRecord() && r.Event.Subject != "" {
			row.record = x.names.number(r.Event.Record())
		}
		return detailOf(r)
	}
}

// detailOf is what is wrong with a line, not too long.
func detailOf(r *domain.Ruled) string {
	detail := r.Detail
	if r.Field != "" {
		detail = strings.TrimSuffix(r.Field+": "+detail, ": ")
	}
	if len(detail) > maxDetail {
		detail = strings.ToValidUTF8(detail[:maxDetail], "") + "…"
	}
	return strings.Clone(detail) // it may be part of an entry
}

// settle ends an exception at a place.
func (x *Exceptions) settle(i int, place domain.Place) { x.rows[i].settled = place }

// accepted follows what an accepted event does to records, dates and links.
func (x *Exceptions) accepted(r *domain.Ruled) {
	place := r.Position.Place()
	if opened, ok := r.Fact.(*domain.LedgerOpened); ok {
		if zone, err := domain.LoadZone(opened.Zone); err == nil { // the codec has tried it
			x.zone = zone
		}
	}
	switch data := r.Event.Data.(type) {
	case *domain.RecordLinked:
		x.link(x.names.number(data.From), x.names.number(data.To), true, place)
		return
	case *domain.RecordUnlinked:
		x.unlink(x.names.number(data.From), x.names.number(data.To), place)
		return
	}
	switch r.Change {
	case domain.Created, domain.Corrected, domain.Reinstated:
		record := x.names.number(r.Name)
		x.setState(record, standing, place)
		x.stand(record, r, place)
	case domain.Retracted:
		record := x.names.number(r.Name)
		x.undate(record, place)
		x.setState(record, retracted, place)
	}
}

// stand looks at a record's new version.
func (x *Exceptions) stand(record uint32, r *domain.Ruled, place domain.Place) {
	x.relink(record, linksOf(r.Fact, r.Name.Diary), place)
	if !r.Fact.Type().Counts() {
		return
	}
	x.undate(record, place)
	today := domain.DayOf(r.Recorded, x.zone)
	common := r.Fact.Shared()
	if c, ok := r.Fact.(*domain.CaseRegistered); ok {
		x.date(record, "registered", c.Registered, today, place)
	}
	x.date(record, "occurred", common.Occurred, today, place)
	x.date(record, "reported", common.Reported, today, place)
}

// date raises an exception where p, when a record's fact happened in some way,
// is ahead of today. One is enough for a record.
func (x *Exceptions) date(record uint32, happened string, p domain.Period, today domain.Day, place domain.Place) {
	from, to := p.Days(x.zone)
	over := p.IsInterval() && to > today && to != domain.MaxDay // a year or month merely has today in it
	if from <= today && !over {
		return
	}
	if _, ok := x.ahead[record]; ok {
		return
	}
	row := exceptionRow{opened: place, record: record, exceptionSort: exceptionSort{kind: DatedAhead}}
	x.ahead[record] = x.raise(row, func(*exceptionRow) string {
		return happened + " " + p.String() + ", recorded on " + today.String()
	})
}

// undate settles what stands against a record's dates.
func (x *Exceptions) undate(record uint32, place domain.Place) {
	if i, ok := x.ahead[record]; ok {
		x.settle(i, place)
		delete(x.ahead, record)
	}
}

// Standing are the exceptions that stood as known at an entry, 0 for now, in
// the order in which they were raised.
func (x *Exceptions) Standing(asOf uint64) iter.Seq[Exception] {
	return x.all(func(row *exceptionRow) bool { return row.stands(asOf) })
}

// all are the exceptions that pass. One that was settled within its own entry
// was never to be seen.
func (x *Exceptions) all(pass func(*exceptionRow) bool) iter.Seq[Exception] {
	return func(yield func(Exception) bool) {
		for i := range x.rows {
			if row := &x.rows[i]; row.lasted() && pass(row) && !yield(x.exception(row)) {
				return
			}
		}
	}
}

func (r *exceptionRow) lasted() bool {
	return r.settled == 0 || r.settled.Entry() > r.opened.Entry()
}

// stands tells whether r stood as known at an entry.
func (r *exceptionRow) stands(asOf uint64) bool {
	if asOf == 0 {
		return r.settled == 0
	}
	return r.opened.Entry() <= asOf && (r.settled == 0 || r.settled.Entry() > asOf)
}

// exception is row in full.
func (x *Exceptions) exception(row *exceptionRow) Exception {
	e := Exception{
		Kind:    row.kind,
		Opened:  row.opened.Position(),
		Settled: row.settled.Position(),
		Record:  x.names.name(row.record),
		Link:    x.names.name(row.link),
		Lines:   int(row.lines),
		Detail:  x.details[row.detail],
	}
	if row.kind == RefusedLine {
		e.Code = domain.CodeInfos[row.code].Code
	}
	return e
}

// ExceptionCount is how many exceptions there are of a kind and, for refused
// lines, a code.
type ExceptionCount struct {
	Kind ExceptionKind `json:"kind"`
	Code domain.Code   `json:"code,omitempty"`
	// Standing are those that stand, Settled those that did and do no more.
	Standing int `json:"standing"`
	Settled  int `json:"settled"`
	// Lines is how many lines were refused, those of the same submissions too.
	Lines int `json:"lines,omitempty"`
	// First is the position of the first that stands, or else that stood.
	First domain.Position `json:"first"`
}

// Counts are the exceptions as known at an entry, 0 for now, by kind and code.
func (x *Exceptions) Counts(asOf uint64) []ExceptionCount {
	counts := make(map[exceptionSort]*ExceptionCount)
	for i := range x.rows {
		row := &x.rows[i]
		if !row.lasted() || asOf != 0 && row.opened.Entry() > asOf {
			continue
		}
		c := counts[row.exceptionSort]
		if c == nil {
			one := x.exception(row)
			c = &ExceptionCount{Kind: one.Kind, Code: one.Code, First: one.Opened}
			counts[row.exceptionSort] = c
		}
		if !row.stands(asOf) {
			c.Settled++
			continue
		}
		if c.Standing++; c.Standing == 1 {
			c.First = row.opened.Position()
		}
		c.Lines += int(row.lines)
	}
	list := make([]ExceptionCount, 0, len(counts))
	for _, c := range counts {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b ExceptionCount) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(x.codes[a.Code], x.codes[b.Code]))
	})
	return list
}

package projections

import (
	"encoding/json"
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
	// RetractedLink: a link to a record that is retracted, or one that was
	// recorded from it. It is settled when the record is brought back, when the
	// other is retracted too, or when the link goes away.
	RetractedLink
	// DatedAhead: what is said to have occurred, or to have been registered or
	// reported, after the day on which it was recorded, or in an interval that
	// ends after it. It is settled by a correction or a retraction.
	DatedAhead
	// LookAlike: a record that looks like one of another diary, and may be the
	// same action told twice: an offer to match them. It is settled by a match,
	// by a correction after which they look alike no more, or by a retraction.
	LookAlike
	// SequenceGap: numbers that are missing between the ids of a diary's
	// records. It is settled when the last of them has come, when the record
	// that made it a gap is retracted, or when the ids turn out to be no running
	// numbers.
	SequenceGap
)

var exceptionWords = [...]string{"refused", "unrecognised", "dangling-link", "link-to-retracted", "dated-ahead", "look-alike", "sequence-gap"}

// ExceptionKinds are all kinds, in their order.
func ExceptionKinds() []ExceptionKind {
	kinds := make([]ExceptionKind, len(exceptionWords))
	for i := range kinds {
		kinds[i] = ExceptionKind(i)
	}
	return kinds
}

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
	// refused line, where the detail is kept. Of two that look alike it is the
	// one told later, of a gap the one that left it.
	Record domain.RecordName `json:"record,omitzero"`
	// Link is the record that is missing or retracted, or looks like Record.
	Link domain.RecordName `json:"link,omitzero"`
	// Lines is how many lines were refused: the line itself and those of its
	// submission that were refused with it.
	Lines int `json:"lines,omitempty"`
	// Detail is what is wrong, for a person to read. It is kept for the first
	// thousand of each kind and code, and for every look-alike and gap; the line
	// itself stays in the ledger.
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

// Exceptions are the exceptions of a ledger, those that were settled too. An
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
	// onSettle is told of every exception that is settled; nil for nobody.
	onSettle func(n int, at domain.Place)
	held     exceptionsHeld

	// These are nil where they are not followed.
	alikes  *alikes
	numbers *numbers
	dates   *dates

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

// NewAllExceptions is the exceptions of no entry, of every kind and by period.
// Where nothing is wrong that takes about 30 bytes a record more than
// NewExceptions, and 100 to 200 for each that looks alike or leaves a gap.
func NewAllExceptions() *Exceptions {
	x := NewExceptions()
	x.alikes, x.numbers, x.dates = newAlikes(), newNumbers(), newDates()
	return x
}

// NewExceptions is the exceptions of no entry, of the kinds that cost little to
// follow: all but LookAlike and SequenceGap. No period can be asked for.
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
		x.rows[x.refused].lines++ // of this very entry: no snapshot has it
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
func (x *Exceptions) settle(i int, place domain.Place) {
	x.held.rows.Before(uint32(i))
	x.rows[i].settled = place
	if x.onSettle != nil {
		x.onSettle(i, place)
	}
}

// accepted follows what an accepted event does to records, dates and links.
func (x *Exceptions) accepted(r *domain.Ruled) {
	place := r.Position.Place()
	if opened, ok := r.Fact.(*domain.LedgerOpened); ok {
		x.zone = opened.Location()
		if x.alikes != nil {
			x.dates.spans.zone = x.zone
			x.alikes.home = domain.Country(strings.Clone(string(opened.HomeCountry)))
		}
	}
	switch data := r.Event.Data.(type) {
	case *domain.RecordLinked:
		x.link(x.names.number(data.From), x.names.number(data.To), true, place)
		return
	case *domain.RecordUnlinked:
		x.unlink(x.names.number(data.From), x.names.number(data.To), place)
		return
	case *domain.RecordMatched:
		if x.alikes != nil {
			x.match(x.names.number(data.Record), x.names.number(data.SameAs), place)
		}
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
		if x.alikes != nil {
			x.vanish(record, place)
		}
		if x.numbers != nil {
			x.renumber(record, retracted, place)
		}
	}
}

// stand looks at a record's new version.
func (x *Exceptions) stand(record uint32, r *domain.Ruled, place domain.Place) {
	if x.dates != nil {
		missed := x.links.node(record).in != 0 || x.links.node(record).out != 0
		x.dates.stand(record, r.Fact, place, r.Change == domain.Created && !missed)
	}
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
	if x.alikes != nil {
		x.look(record, r, place)
	}
	switch {
	case x.numbers == nil:
	case r.Change == domain.Created:
		x.enumerate(record, r.Name.ID, place)
	case r.Change == domain.Reinstated:
		x.renumber(record, standing, place)
	}
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

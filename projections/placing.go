package projections

import (
	"encoding/json"
	"errors"
	"time"

	"roznamcha/domain"
)

// During is a period, and the clock by which something lies in it. The zero
// During is any time.
type During struct {
	Period domain.Period
	Clock  Clock
}

var errUnknownPeriod = errors.New(`the period "unknown" holds no fact. Try: a period such as 2024-01/2025-06, or none`)

// ParseDuring reads a period, "" for any time, and a clock.
func ParseDuring(period, clock string) (d During, err error) {
	if d.Clock, err = ParseClock(clock); err != nil || period == "" {
		return d, err
	}
	if d.Period, err = domain.ParsePeriod(period); err == nil && d.Period.IsUnknown() {
		err = errUnknownPeriod
	}
	return d, err
}

// IsZero tells whether d is any time; a clock alone says nothing.
func (d During) IsZero() bool { return d.Period.IsZero() }

// String is d as a title has it: "occurred 2024-01/2025-06".
func (d During) String() string { return d.Clock.String() + " " + d.Period.String() }

// MarshalJSON writes {"period":"2024-01/2025-06","clock":"occurred"}.
func (d During) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Period string `json:"period"`
		Clock  Clock  `json:"clock"`
	}{d.Period.String(), d.Clock})
}

// Placing is where something lies to a period. The rule is that of the totals:
// what lies wholly inside counts, and what overlaps, or has no date, is
// unplaced.
type Placing uint8

// The placings; zero is of what was not asked about.
const (
	_ Placing = iota
	// Inside: wholly.
	Inside
	// Unplaced: partly, or without a date.
	Unplaced
	// Outside: not on any day.
	Outside
)

var placingWords = [...]string{"", "inside", "unplaced", "outside"}

// String is the placing's word, "" for zero.
func (p Placing) String() string { return placingWords[p] }

// MarshalText writes the placing's word.
func (p Placing) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// place is where s lies to d.
func (d During) place(s span, zone *time.Location) Placing {
	if d.IsZero() {
		return Inside
	}
	from, to := d.Period.Days(zone)
	switch {
	case s.to < from || s.from > to:
		return Outside
	case s.from >= from && s.to <= to:
		return Inside
	}
	return Unplaced
}

// date is when data are of by d's clock: when a case was registered, a figure
// published or a succession took effect, and when anything else occurred. When
// a figure was published is also when it was reported, unless it says otherwise.
func (d During) date(data domain.Data) domain.Period {
	common := data.Shared()
	switch of := data.(type) {
	case *domain.CaseRegistered:
		if d.Clock == Occurred {
			return of.Registered
		}
	case *domain.FigurePublished:
		if d.Clock == Occurred || common.Reported.IsZero() {
			return of.Published
		}
	case *domain.AgencySucceeded:
		if d.Clock == Occurred {
			return of.Effective
		}
	case *domain.RecordCorrected:
		if of.Replacement != nil {
			return d.date(of.Replacement)
		}
	}
	if d.Clock == Reported {
		return common.Reported
	}
	return common.Occurred
}

// Placer tells where lines lie to a period. It takes 4 bytes a record.
type Placer struct {
	during  During
	spans   *spans
	records []uint32 // the span of each record's last version
}

// NewPlacer is a placer before the first entry.
func NewPlacer(during During) *Placer { return &Placer{during: during, spans: newSpans()} }

// Place is where a line lies; it must be handed every line from entry 1 on. A
// line lies where the dates in it do. A correction lies where the version
// before it did as well, so that what leaves a period is not lost to it; a
// retraction where the version that it takes away did; a match where its two
// records do. A link has no date.
func (p *Placer) Place(r *domain.Ruled) Placing {
	if opened, ok := r.Fact.(*domain.LedgerOpened); ok {
		p.spans.zone = opened.Location()
	}
	if p.during.IsZero() {
		return Inside
	}
	switch r.Change {
	case domain.Created:
		return p.at(p.version(r))
	case domain.Corrected, domain.Reinstated:
		before := p.records[r.Record]
		return min(p.at(before), p.at(p.version(r)))
	case domain.Retracted:
		return p.at(p.records[r.Record])
	case domain.Matched:
		return min(p.at(p.records[r.Record]), p.at(p.records[r.SameAs]))
	}
	return p.at(p.claimed(r))
}

// version takes down, and returns, when a record's new version is of.
func (p *Placer) version(r *domain.Ruled) uint32 {
	for int(r.Record) >= len(p.records) {
		p.records = append(p.records, undated)
	}
	span := p.spans.number(p.during.date(r.Fact))
	p.records[r.Record] = span
	return span
}

// claimed is when a line without effect says that it is of.
func (p *Placer) claimed(r *domain.Ruled) uint32 {
	e, err := domain.Decode(r.Line)
	if err != nil || e.Data == nil {
		return undated
	}
	return p.spans.number(p.during.date(e.Data))
}

func (p *Placer) at(span uint32) Placing { return p.during.place(p.spans.all[span], p.spans.zone) }

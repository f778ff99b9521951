// Package demo owns the one published report that the program carries, and the
// events that are made from it: single raids, arrests and cases from its sums,
// and its own figures as claims; and, for a second demo, what others published
// about the same. It leaves recording them to its caller.
//
// The same bytes come out on every machine and at every time, so that two runs
// of the demo end in the same state hash and the same table hash.
package demo

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"roznamcha/domain"
)

// reportJSON holds the figures of a report of Pakistan's National Cyber Crime
// Investigation Agency (January 2024 to June 2025) as Nukta published them in
// August 2025, and nothing that it does not give: no date, no agency, no
// premises of a single raid, no city of the 195 nationals or of the cases.
//
//go:embed report.json
var reportJSON []byte

// Desk is the diary that the report is entered in.
var Desk = domain.Diary{Agency: "desk", Unit: "nukta"}

// ids is the name space of the demo's event ids (UUID version 5).
var ids = uuid.NewSHA1(uuid.NameSpaceOID, []byte("roznamcha demo"))

// Report is the published report as the demo carries it.
type Report struct {
	Ledger    struct{ Name, Home, Zone string }
	Publisher string
	Published string
	Document  struct{ Ref, Locator string }
	// Period is what all its figures speak of.
	Period string
	// Majority is the city of which the report says that it has the majority of
	// the raids.
	Majority   string
	Succession struct{ Predecessor, Successor, Effective string }
	// Raids are counted by city, Arrests by nationality and, where given, city.
	Raids     []Cell
	Arrests   []Cell
	Cases     int
	Alleged   Amount
	Recovered Amount
	Claims    []Claim
}

// Cell is one figure of the report that becomes events.
type Cell struct {
	City        string
	Nationality domain.Nationality
	Number      int64
}

// Amount is money as the wire writes it.
type Amount struct{ Value, Currency, Qualifier string }

// Claim is one figure as published. It has either a Value or an Amount.
type Claim struct {
	ID         string
	Measure    string
	Dimensions [][2]string
	Value      int64
	Amount     *Amount
	// Worded is the figure as printed, where its words are known.
	Worded string
}

// Load reads the report that the program carries.
func Load() (*Report, error) {
	r := new(Report)
	dec := json.NewDecoder(bytes.NewReader(reportJSON))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("the demo's report: %w", err)
	}
	return r, nil
}

// Opening is the event that opens the demo's ledger.
func (r *Report) Opening() *domain.Event {
	return event(domain.Office, r.Ledger.Name, &domain.LedgerOpened{
		Name:        r.Ledger.Name,
		HomeCountry: domain.Country(r.Ledger.Home),
		Zone:        r.Ledger.Zone,
		Rules:       1,
	})
}

// Submissions are the report's events, to be recorded in this order after the
// opening: the succession, the raids, the arrests, the cases, the money, the
// claims. Each is lines as the recorder takes them.
func (r *Report) Submissions() ([][]byte, error) {
	b := builder{report: r}
	b.period = b.parse(r.Period)
	return b.submissions(append(b.facts(), b.claims()))
}

// submissions writes groups of events as a submission each.
func (b *builder) submissions(groups [][]*domain.Event) ([][]byte, error) {
	if b.err != nil {
		return nil, fmt.Errorf("the demo's report: %w", b.err)
	}
	submissions := make([][]byte, len(groups))
	for i, events := range groups {
		lines, err := Lines(events)
		if err != nil {
			return nil, err
		}
		submissions[i] = lines
	}
	return submissions, nil
}

// Lines writes events as one submission, a line each.
func Lines(events []*domain.Event) (lines []byte, err error) {
	for i, e := range events {
		if i > 0 {
			lines = append(lines, '\n')
		}
		if lines, err = domain.AppendEvent(lines, e); err != nil {
			return nil, fmt.Errorf("event %s: %w", e.Subject, err)
		}
	}
	return lines, nil
}

// event makes an event whose id follows from what it is about.
func event(source domain.Diary, subject string, data domain.Data) *domain.Event {
	name := source.String() + " " + data.Type().String() + " " + subject
	return &domain.Event{ID: uuid.NewSHA1(ids, []byte(name)), Source: source, Type: data.Type(), Subject: subject, Data: data}
}

// builder makes the events of a report and keeps the first error.
type builder struct {
	report *Report
	period domain.Period
	err    error
}

func (b *builder) parse(s string) domain.Period {
	p, err := domain.ParsePeriod(s)
	b.note(err)
	return p
}

func (b *builder) amount(a Amount) domain.Amount {
	q, ok := domain.ParseQualifier(a.Qualifier)
	if !ok {
		b.note(fmt.Errorf("qualifier %q is not in the catalogue", a.Qualifier))
	}
	parsed, err := domain.ParseAmount(a.Value, a.Currency, q)
	b.note(err)
	return parsed
}

func (b *builder) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) document() domain.Document {
	return domain.Document{Ref: b.report.Document.Ref, Locator: b.report.Document.Locator}
}

// common is what the report says of every single fact: when it occurred, as
// far as it tells, that it does not tell who acted, and that the fact was made
// from a sum.
func (b *builder) common(city string) domain.Common {
	return domain.Common{
		Occurred:  b.period,
		Reported:  b.parse(b.report.Published),
		Place:     domain.Location{Country: domain.Country(b.report.Ledger.Home), City: city},
		Agency:    domain.NotGiven,
		Unit:      domain.NotGiven,
		Document:  b.document(),
		Synthetic: true,
	}
}

// facts are the report's events without its claims.
func (b *builder) facts() [][]*domain.Event {
	return [][]*domain.Event{b.succession(), b.raids(), b.arrests(), b.cases(), b.money()}
}

func (b *builder) succession() []*domain.Event {
	s := b.report.Succession
	return []*domain.Event{event(domain.Office, s.Predecessor, &domain.AgencySucceeded{
		Common:      domain.Common{Document: b.document()},
		Predecessor: s.Predecessor,
		Successor:   s.Successor,
		Effective:   b.parse(s.Effective),
	})}
}

func (b *builder) raids() (events []*domain.Event) {
	for _, cell := range b.report.Raids {
		for range cell.Number {
			subject := fmt.Sprintf("raid-%02d", len(events)+1)
			events = append(events, event(Desk, subject, &domain.RaidConducted{Common: b.common(cell.City), Premises: domain.NotGiven}))
		}
	}
	return events
}

func (b *builder) arrests() (events []*domain.Event) {
	for i, cell := range b.report.Arrests {
		events = append(events, event(Desk, fmt.Sprintf("arrests-%d", i+1), &domain.ArrestMade{
			Common:      b.common(cell.City),
			Persons:     domain.Count{N: cell.Number},
			Nationality: []domain.Nationality{cell.Nationality},
		}))
	}
	return events
}

func (b *builder) cases() (events []*domain.Event) {
	for i := range b.report.Cases {
		common := b.common("")
		common.Occurred = domain.Period{} // a case counts by when it was registered
		events = append(events, event(Desk, fmt.Sprintf("case-%02d", i+1), &domain.CaseRegistered{Common: common, Registered: b.period}))
	}
	return events
}

func (b *builder) money() []*domain.Event {
	return []*domain.Event{
		event(Desk, "loss", &domain.LossAlleged{Common: b.common(""), Amount: b.amount(b.report.Alleged)}),
		event(Desk, "recovery", &domain.RecoveryMade{Common: b.common(""), Amount: b.amount(b.report.Recovered)}),
	}
}

func (b *builder) claims() (events []*domain.Event) {
	for _, c := range b.report.Claims {
		data := &domain.FigurePublished{
			Common:    domain.Common{Document: b.document()},
			Publisher: b.report.Publisher,
			Published: b.parse(b.report.Published),
			Worded:    c.Worded,
			Period:    b.period,
			Measure:   c.Measure,
			Value:     c.Value,
		}
		for _, d := range c.Dimensions {
			data.Dimensions = append(data.Dimensions, domain.Dimension{Name: d[0], Value: d[1]})
		}
		if c.Amount != nil {
			data.Amount = b.amount(*c.Amount)
			data.Qualifier, data.Amount.Qualifier = data.Amount.Qualifier, domain.Exact
		}
		events = append(events, event(Desk, c.ID, data))
	}
	return events
}

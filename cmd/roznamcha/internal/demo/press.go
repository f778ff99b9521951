package demo

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"roznamcha/domain"
)

// pressJSON holds 63 figures on the same operations that seven documents
// published from August 2025 to February 2026, and that contradict one another.
// A figure has the publisher's measure in the ledger's word where there is one;
// an address stands for a document that has no other name.
//
//go:embed press.json
var pressJSON []byte

// Press is what was published about the report's operations: the second demo.
type Press struct {
	// Ledger is the name of its ledger, and Desk the unit whose diary has the
	// claims.
	Ledger, Desk string
	// Restated is what the document of number By tells more exactly of the same
	// report: so many more cases, and the two amounts.
	Restated struct {
		By, Cases          int
		Alleged, Recovered Amount
	}
	Documents []Published
}

// Published is one document's figures.
type Published struct {
	Publisher, Published, Period string
	Document                     struct{ Ref, Locator string }
	Claims                       []Figure
}

// Figure is a claim with what a reader must know of it.
type Figure struct {
	Claim
	Qualifier, Note string
}

// LoadPress reads what the program carries, and the report that its facts are
// made from, for a ledger of another name.
func LoadPress() (*Press, *Report, error) {
	p := new(Press)
	dec := json.NewDecoder(bytes.NewReader(pressJSON))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		return nil, nil, fmt.Errorf("the demo's claims: %w", err)
	}
	report, err := Load()
	if err != nil {
		return nil, nil, err
	}
	report.Ledger.Name = p.Ledger
	return p, report, nil
}

// Submissions are the report's facts, and then the claims of each document in
// the order in which they were published, each document one submission; after
// the one that tells it more exactly, the facts are restated. They are recorded
// in this order after the opening.
func (p *Press) Submissions(report *Report) ([][]byte, error) {
	b := builder{report: report}
	b.period = b.parse(report.Period)
	groups := b.facts()
	for i := range p.Documents {
		groups = append(groups, b.published(p, &p.Documents[i]))
		if i == p.Restated.By {
			groups = append(groups, b.restated(p))
		}
	}
	return b.submissions(groups)
}

// published are the claims of one document.
func (b *builder) published(p *Press, d *Published) (events []*domain.Event) {
	desk := domain.Diary{Agency: Desk.Agency, Unit: p.Desk}
	for _, f := range d.Claims {
		data := &domain.FigurePublished{
			Common:    domain.Common{Document: d.document(), Note: f.Note},
			Publisher: d.Publisher,
			Published: b.parse(d.Published),
			Worded:    f.Worded,
			Period:    b.parse(d.Period),
			Measure:   f.Measure,
			Value:     f.Value,
		}
		for _, pair := range f.Dimensions {
			data.Dimensions = append(data.Dimensions, domain.Dimension{Name: pair[0], Value: pair[1]})
		}
		if f.Amount != nil {
			data.Amount = b.amount(Amount{f.Amount.Value, f.Amount.Currency, domain.Exact.String()})
		}
		if f.Qualifier != "" {
			qualifier, ok := domain.ParseQualifier(f.Qualifier)
			if !ok {
				b.note(errors.New("qualifier " + f.Qualifier + " is not in the catalogue"))
			}
			data.Qualifier = qualifier
		}
		events = append(events, event(desk, f.ID, data))
	}
	return events
}

func (d *Published) document() domain.Document {
	return domain.Document{Ref: d.Document.Ref, Locator: d.Document.Locator}
}

// restated are the events by which the desk puts the report's round figures
// right, once another document has told them more exactly.
func (b *builder) restated(p *Press) (events []*domain.Event) {
	by := &p.Documents[p.Restated.By]
	common := b.common("")
	common.Document, common.Reported = by.document(), b.parse(by.Published)
	money := b.money()
	replacements := []domain.Data{
		&domain.LossAlleged{Common: common, Amount: b.amount(p.Restated.Alleged)},
		&domain.RecoveryMade{Common: common, Amount: b.amount(p.Restated.Recovered)},
	}
	for i, first := range money {
		correction := event(Desk, first.Subject, &domain.RecordCorrected{
			Record: first.Record(), Amends: first.ID, Replacement: replacements[i],
			Reason: domain.LateInformation, Authority: by.Publisher + ", " + by.Published,
		})
		correction.Subject = ""
		events = append(events, correction)
	}
	common.Occurred = domain.Period{} // a case counts by when it was registered
	for i := range p.Restated.Cases {
		subject := fmt.Sprintf("case-%02d", b.report.Cases+i+1)
		events = append(events, event(Desk, subject, &domain.CaseRegistered{Common: common, Registered: b.period}))
	}
	return events
}

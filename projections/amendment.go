package projections

import (
	"strings"
	"unique"

	"roznamcha/domain"
)

// Amendments keep why facts changed: every accepted event that is not the first
// of a record, by its position.
type Amendments struct {
	all map[domain.Place]Amendment
}

// Amendment is one event that changed what the ledger says.
type Amendment struct {
	// Kind is what it did.
	Kind ChangeKind
	// Record is what it names, SameAs the other record of a match, or
	// domain.NoRecord.
	Record, SameAs domain.RecordID
	// Source is the diary that it comes from; Reason and Authority are the
	// amendment's own, "" where it has none.
	Source    string
	Reason    domain.Reason
	Authority string
}

// ChangeKind is why a cell changes.
type ChangeKind uint8

// The kinds of changes.
const (
	// NewFact: a record was recorded.
	NewFact ChangeKind = iota
	// Correction: a record was corrected.
	Correction
	// Retraction: a record was retracted.
	Retraction
	// Reinstatement: a record that was retracted was brought back.
	Reinstatement
	// Match: two records were told to be one.
	Match
	// Succession: an agency was said to succeed another. The three after it:
	// that was corrected, undone by a retraction, or redone.
	Succession
	SuccessionCorrected
	SuccessionUndone
	SuccessionRedone
	endOfChangeKinds
)

var changeKindWords = [endOfChangeKinds]string{
	"new fact", "correction", "retraction", "reinstatement", "match",
	"succession", "succession corrected", "succession undone", "succession redone",
}

// IsSuccession tells whether k is about who took over from whom.
func (k ChangeKind) IsSuccession() bool { return k >= Succession }

// ofSuccession is what a change of kind k is called where its record is a
// succession.
func (k ChangeKind) ofSuccession() ChangeKind {
	switch k {
	case Correction:
		return SuccessionCorrected
	case Retraction:
		return SuccessionUndone
	case Reinstatement:
		return SuccessionRedone
	}
	return Succession
}

// String is the kind's word.
func (k ChangeKind) String() string { return changeKindWords[k] }

// MarshalText writes the kind's word.
func (k ChangeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// NewAmendments is the amendments of no entry.
func NewAmendments() *Amendments { return &Amendments{all: make(map[domain.Place]Amendment)} }

var kindsOfChange = [...]ChangeKind{
	domain.Corrected:  Correction,
	domain.Retracted:  Retraction,
	domain.Reinstated: Reinstatement,
	domain.Matched:    Match,
}

// Apply folds one ruling in.
func (a *Amendments) Apply(r *domain.Ruled) {
	if r.Verdict != domain.Accepted || r.Change == domain.NoChange || r.Change == domain.Created {
		return
	}
	made := Amendment{Kind: kindsOfChange[r.Change], Record: r.Record, SameAs: r.SameAs, Source: kept(r.Event.Source.String())}
	switch data := r.Event.Data.(type) {
	case *domain.RecordCorrected:
		made.Reason, made.Authority = domain.Reason(kept(string(data.Reason))), kept(data.Authority)
	case *domain.RecordRetracted:
		made.Reason, made.Authority = domain.Reason(kept(string(data.Reason))), kept(data.Authority)
	}
	a.all[r.Position.Place()] = made
}

// kept is s without the entry that it is part of, once however often it comes.
func kept(s string) string { return unique.Make(strings.Clone(s)).Value() }

// At is the amendment at a position; a NewFact where there is none.
func (a *Amendments) At(p domain.Position) Amendment {
	made, ok := a.all[p.Place()]
	if !ok {
		return Amendment{Kind: NewFact, Record: domain.NoRecord, SameAs: domain.NoRecord}
	}
	return made
}

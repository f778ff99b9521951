package projections

import (
	"cmp"
	"slices"
	"strings"
	"unique"

	"roznamcha/domain"
)

// Amendments keep why facts changed: every accepted event that is not the first
// of a record, in 40 bytes each.
type Amendments struct {
	all   []amended // in the order of their positions
	words keys      // diaries, reasons and authorities
}

// amended is an Amendment, small: its texts are numbers of words.
type amended struct {
	at                        domain.Place
	record, sameAs            domain.RecordID
	source, reason, authority uint32
	kind                      ChangeKind
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
func NewAmendments() *Amendments { return &Amendments{words: keys{ids: make(map[string]uint32)}} }

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
	var reason domain.Reason
	var authority string
	switch data := r.Event.Data.(type) {
	case *domain.RecordCorrected:
		reason, authority = data.Reason, data.Authority
	case *domain.RecordRetracted:
		reason, authority = data.Reason, data.Authority
	}
	a.all = append(a.all, amended{
		at: r.Position.Place(), kind: kindsOfChange[r.Change], record: r.Record, sameAs: r.SameAs,
		source: a.word(r.Event.Source.String()), reason: a.word(string(reason)), authority: a.word(authority),
	})
}

func (a *Amendments) word(text string) uint32 { return a.words.number([]byte(text)) }

// kept is s without the entry that it is part of, once however often it comes.
func kept(s string) string { return unique.Make(strings.Clone(s)).Value() }

// At is the amendment at a position; a NewFact where there is none.
func (a *Amendments) At(p domain.Position) Amendment {
	i, ok := slices.BinarySearchFunc(a.all, p.Place(), func(one amended, at domain.Place) int { return cmp.Compare(one.at, at) })
	if !ok {
		return Amendment{Kind: NewFact, Record: domain.NoRecord, SameAs: domain.NoRecord}
	}
	one := &a.all[i]
	return Amendment{
		Kind: one.kind, Record: one.record, SameAs: one.sameAs,
		Source: a.words.all[one.source], Reason: domain.Reason(a.words.all[one.reason]), Authority: a.words.all[one.authority],
	}
}

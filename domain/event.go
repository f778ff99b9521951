package domain

import (
	"time"

	"github.com/google/uuid"
)

// Event is one fact, one line: a CloudEvents 1.0 object.
type Event struct {
	// ID belongs to its source; lower case, 36 characters.
	ID uuid.UUID
	// Source is the diary that writes.
	Source Diary
	Type   Type
	// Subject is the record's id in its diary. Every event that makes a record
	// has one; the record.* events, which are about another record, need none.
	Subject string
	// Time is when the event was written, by its writer's clock. No rule and no
	// total depends on it. Zero where it is not given.
	Time time.Time
	// Data is a pointer to the struct of Type, such as *RaidConducted.
	Data Data
}

// Record is the name of the record that e makes; zero for the record.* events.
func (e *Event) Record() RecordName {
	if !e.Type.MakesRecord() {
		return RecordName{}
	}
	return RecordName{e.Type.Kind(), e.Source, e.Subject}
}

// Type is an event type of the catalogue. The zero Type is none.
type Type uint8

// The catalogue, rules version 1. The numbers are internal; the names are the
// wire format and never change.
const (
	_ Type = iota
	TypeLedgerOpened
	TypeRaidConducted
	TypePersonDetained
	TypeArrestMade
	TypeCaseRegistered
	TypeLossAlleged
	TypeRecoveryMade
	TypePropertySeized
	TypePropertyForfeited
	TypeFigurePublished
	TypeAgencySucceeded
	TypeRecordCorrected
	TypeRecordRetracted
	TypeRecordLinked
	TypeRecordUnlinked
	TypeRecordMatched
	endOfTypes
)

var typeNames = [endOfTypes]string{
	TypeLedgerOpened:      "ledger.opened",
	TypeRaidConducted:     "raid.conducted",
	TypePersonDetained:    "person.detained",
	TypeArrestMade:        "arrest.made",
	TypeCaseRegistered:    "case.registered",
	TypeLossAlleged:       "loss.alleged",
	TypeRecoveryMade:      "recovery.made",
	TypePropertySeized:    "property.seized",
	TypePropertyForfeited: "property.forfeited",
	TypeFigurePublished:   "figure.published",
	TypeAgencySucceeded:   "agency.succeeded",
	TypeRecordCorrected:   "record.corrected",
	TypeRecordRetracted:   "record.retracted",
	TypeRecordLinked:      "record.linked",
	TypeRecordUnlinked:    "record.unlinked",
	TypeRecordMatched:     "record.matched",
}

// Types is the whole catalogue, in its order.
func Types() []Type {
	types := make([]Type, 0, endOfTypes-1)
	for t := TypeLedgerOpened; t < endOfTypes; t++ {
		types = append(types, t)
	}
	return types
}

// ParseType reads "raid.conducted"; false where the rules do not know the type.
func ParseType(s string) (Type, bool) {
	for t := TypeLedgerOpened; t < endOfTypes; t++ {
		if typeNames[t] == s {
			return t, true
		}
	}
	return 0, false
}

// String is the type's name on the wire, such as "raid.conducted".
func (t Type) String() string {
	if t >= endOfTypes {
		return ""
	}
	return typeNames[t]
}

// MakesRecord tells whether an event of type t is a record's first version.
// The record.* events speak of another record.
func (t Type) MakesRecord() bool { return t > 0 && t < TypeRecordCorrected }

// Counts tells whether records of type t add to a total.
func (t Type) Counts() bool { return t >= TypeRaidConducted && t <= TypePropertyForfeited }

// Kind is what a record is: the word before the dot of its type. Both
// property.seized and property.forfeited make a "property".
type Kind string

// Kind is the word before the dot.
func (t Type) Kind() Kind { return typeKinds[t] }

var typeKinds = func() (kinds [endOfTypes]Kind) {
	for t := TypeLedgerOpened; t < endOfTypes; t++ {
		for i, c := range typeNames[t] {
			if c == '.' {
				kinds[t] = Kind(typeNames[t][:i])
			}
		}
	}
	return kinds
}()

// known tells whether records of this kind exist.
func (k Kind) known() bool {
	for t := TypeLedgerOpened; t < TypeRecordCorrected; t++ {
		if typeKinds[t] == k {
			return true
		}
	}
	return false
}

// Data is what an event says: a pointer to one of the structs below.
type Data interface {
	// Type is the event type that carries this data.
	Type() Type
	// Shared is what every type may say.
	Shared() *Common
}

// NotGiven is written where a source does not say and leaving the member out
// would mean something else.
const NotGiven = "not-given"

// Common is what every event may say. Zero values are not written.
type Common struct {
	// Occurred is when it happened, as its source claims. Required where the
	// type counts, but for cases, which have Registered.
	Occurred Period
	// Reported is when its source first wrote or published it.
	Reported Period
	Place    Location
	// Agency and Unit acted, if not the diary's own; NotGiven where the source
	// does not say who. Tokens, [a-z0-9-]{1,64}.
	Agency string
	Unit   string
	// Operation is the name of the operation that it was part of.
	Operation string
	Document  Document
	// By is an opaque reference to who wrote the event; never a name.
	By string
	// Synthetic marks what was made from a published sum, not from a report of
	// the single action.
	Synthetic bool
	// Note is at most 500 bytes; no rule or total depends on it.
	Note string
}

// Shared returns c itself: every data struct embeds a Common.
func (c *Common) Shared() *Common { return c }

// Location is where it happened. Each part is empty where it is not given.
type Location struct {
	// Country is an ISO 3166 code; see ParseCountry.
	Country Country
	// Subdivision, City and Site are the source's words, trimmed.
	Subdivision string
	City        string
	Site        string
}

// Document is the paper that says so.
type Document struct {
	// Ref is its number or title, Locator where to find it.
	Ref     string
	Locator string
	// SHA256 is the hash of its bytes, 64 small hexadecimal digits.
	SHA256 string
}

// Link names another record: by its id alone, which means the own diary, or by
// its full name. It lends nothing: a fact's dimensions come from its own event.
type Link string

// Name resolves l, written in an event of diary own, to a record of kind k. A
// full name has the kind in it.
func (l Link) Name(k Kind, own Diary) RecordName {
	if isRecordID(string(l)) {
		return RecordName{k, own, string(l)}
	}
	name, _ := ParseRecordName(string(l)) // the codec has checked it
	return name
}

// LedgerOpened is the first event of a ledger, only from /ledger/office.
type LedgerOpened struct {
	Common
	Name string
	// HomeCountry is an ISO 3166-1 code: who is national.
	HomeCountry Country
	// Zone is an IANA time zone: in it an instant has its day.
	Zone string
	// Rules is the version of the register's rules, 1.
	Rules int
}

// Premises is what was raided.
type Premises string

// The premises of the catalogue; not-given is NotGiven.
const (
	CallCentre    Premises = "call-centre"
	SoftwareHouse Premises = "software-house"
	OtherPremises Premises = "other"
)

// RaidConducted counts one raid.
type RaidConducted struct {
	Common
	Premises Premises
	// Participants are agencies that took part; they add nothing.
	Participants []string
	Cases        []Link
}

// PersonDetained counts persons held without arrest.
type PersonDetained struct {
	Common
	Persons     Count
	Nationality []Nationality
	Raid        Link
}

// Sex of those arrested.
type Sex string

// The sexes of the catalogue.
const (
	Female     Sex = "female"
	Male       Sex = "male"
	OtherSex   Sex = "other"
	UnknownSex Sex = "unknown"
)

// ArrestMade counts persons arrested.
type ArrestMade struct {
	Common
	Persons     Count
	Nationality []Nationality
	Raid        Link
	Cases       []Link
	Sex         Sex
	Offences    []string
	// Person is an opaque random reference, where one person was arrested; it
	// lets a source say that it was the same person. Never a name.
	Person string
}

// CaseRegistered counts one case (FIR), by Registered.
type CaseRegistered struct {
	Common
	Registered Period
	Number     string
	Station    string
	Offences   []string
	Raids      []Link
}

// LossAlleged is what victims are said to have lost. One a case and currency;
// a new estimate amends it.
type LossAlleged struct {
	Common
	Amount Amount
	Case   Link
	Raid   Link
	// Basis says what the figure rests on, such as "complaints".
	Basis string
}

// Form is what was recovered.
type Form string

// The forms of the catalogue.
const (
	Cash     Form = "cash"
	Bank     Form = "bank"
	Crypto   Form = "crypto"
	Property Form = "property"
)

// RecoveryMade is money or worth recovered.
type RecoveryMade struct {
	Common
	Amount Amount
	Case   Link
	Raid   Link
	Form   Form
	// Memo is the number of the recovery memo.
	Memo string
}

// PropertySeized is an item taken. An Amount that is not given is unknown.
type PropertySeized struct {
	Common
	Item   string
	Amount Amount
	Case   Link
	Raid   Link
	Memo   string
}

// PropertyForfeited is an item that a court took for good.
type PropertyForfeited struct {
	Common
	Item   string
	Amount Amount
	Case   Link
	Raid   Link
	Memo   string
	// Seizure is the property record of the seizure.
	Seizure Link
}

// FigurePublished is a claim: a figure that somebody published. It adds to no
// total and cannot be amended, only contradicted by another.
type FigurePublished struct {
	Common
	Publisher string
	Published Period
	// Document of Common is required here. Worded is the figure as printed.
	Worded string
	// Period is what the figure speaks of.
	Period Period
	// Measure is the publisher's measure in the ledger's words, such as
	// "arrests"; it need not be one that the ledger has.
	Measure string
	// Dimensions narrow it, such as city=Karachi.
	Dimensions []Dimension
	// Exactly one of Value (a whole number; Amount is zero) and Amount is
	// given. Qualifier stands for both and may be AtMost.
	Value     int64
	Amount    Amount
	Qualifier Qualifier
}

// Dimension is one name=value of a claim.
type Dimension struct{ Name, Value string }

// Reason is why a record was amended.
type Reason string

// The reasons of the catalogue.
const (
	DataEntry       Reason = "data-entry"
	UnitError       Reason = "unit-error"
	WrongPlace      Reason = "wrong-place"
	WrongPeriod     Reason = "wrong-period"
	DuplicateRecord Reason = "duplicate"
	Reclassified    Reason = "reclassified"
	CourtOrder      Reason = "court-order"
	SourceWithdrew  Reason = "source-withdrew"
	LateInformation Reason = "late-information"
)

// RecordCorrected replaces the whole data of a record; the old reading stays
// in the ledger. One that amends a retraction brings the record back.
type RecordCorrected struct {
	Common
	Record RecordName
	// Amends is the id of the event that is the record's current version.
	Amends uuid.UUID
	// Replacement is the record's full new data. It is nil after decoding a
	// line: what type it has, the register alone can tell.
	Replacement Data
	Reason      Reason
	// Authority is the order or officer behind it.
	Authority string

	raw string // the replacement as written
}

// RecordRetracted takes a record out of the totals from here on.
type RecordRetracted struct {
	Common
	Record    RecordName
	Amends    uuid.UUID
	Reason    Reason
	Authority string
}

// RecordLinked ties one record to another, such as an arrest to its later FIR.
type RecordLinked struct {
	Common
	From RecordName
	To   RecordName
}

// RecordUnlinked takes a link back.
type RecordUnlinked struct {
	Common
	From RecordName
	To   RecordName
}

// RecordMatched says that two records, in two diaries, are one action. Both
// stay; the one recorded first counts.
type RecordMatched struct {
	Common
	Record RecordName
	SameAs RecordName
}

// AgencySucceeded says that one agency takes over from another, only from
// /ledger/office.
type AgencySucceeded struct {
	Common
	Predecessor string
	Successor   string
	Effective   Period
}

func (*LedgerOpened) Type() Type      { return TypeLedgerOpened }
func (*RaidConducted) Type() Type     { return TypeRaidConducted }
func (*PersonDetained) Type() Type    { return TypePersonDetained }
func (*ArrestMade) Type() Type        { return TypeArrestMade }
func (*CaseRegistered) Type() Type    { return TypeCaseRegistered }
func (*LossAlleged) Type() Type       { return TypeLossAlleged }
func (*RecoveryMade) Type() Type      { return TypeRecoveryMade }
func (*PropertySeized) Type() Type    { return TypePropertySeized }
func (*PropertyForfeited) Type() Type { return TypePropertyForfeited }
func (*FigurePublished) Type() Type   { return TypeFigurePublished }
func (*RecordCorrected) Type() Type   { return TypeRecordCorrected }
func (*RecordRetracted) Type() Type   { return TypeRecordRetracted }
func (*RecordLinked) Type() Type      { return TypeRecordLinked }
func (*RecordUnlinked) Type() Type    { return TypeRecordUnlinked }
func (*RecordMatched) Type() Type     { return TypeRecordMatched }
func (*AgencySucceeded) Type() Type   { return TypeAgencySucceeded }

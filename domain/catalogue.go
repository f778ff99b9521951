package domain

import "github.com/google/uuid"

// body is the shape of one event type's data: its members in canonical order.
type body struct {
	make    func() Data
	reset   func(Data)
	members []member
	names   names // of members
	// required are the members that must be given, as bits.
	required uint64
	// check finds what no single member shows; nil where there is nothing.
	check func(data Data, has func(name string) bool) (field, detail string)
}

// member is one named value of an event's data.
type member struct {
	name     string
	required bool
	read     func(*decoder, Data)
	write    func([]byte, Data) []byte
	given    func(Data) bool
	shape    Shape
}

// field declares a member of T: its name, its codec and where it is kept.
func field[T any, V any](name string, c codec[V], at func(*T) *V) member {
	return member{
		name:  name,
		read:  func(d *decoder, data Data) { c.read(d, at(any(data).(*T))) },
		write: func(dst []byte, data Data) []byte { return c.write(dst, at(any(data).(*T))) },
		given: func(data Data) bool { return c.given(at(any(data).(*T))) },
		shape: c.shape,
	}
}

// shared declares a member that every type may have.
func shared[V any](name string, c codec[V], at func(*Common) *V) member {
	return member{
		name:  name,
		read:  func(d *decoder, data Data) { c.read(d, at(data.Shared())) },
		write: func(dst []byte, data Data) []byte { return c.write(dst, at(data.Shared())) },
		given: func(data Data) bool { return c.given(at(data.Shared())) },
		shape: c.shape,
	}
}

// required marks a member that must be given.
func required(m member) member {
	m.required = true
	return m
}

// bodyOf puts the shared members before T's own; those named in must are
// required.
func bodyOf[T any, P interface {
	*T
	Data
}](must []string, own ...member) body {
	b := body{
		make:  func() Data { return P(new(T)) },
		reset: func(data Data) { *data.(P) = *new(T) },
	}
	for _, m := range sharedMembers {
		for _, name := range must {
			m.required = m.required || m.name == name
		}
		b.members = append(b.members, m)
	}
	b.members = append(b.members, own...)
	list := make([]string, len(b.members))
	for i, m := range b.members {
		list[i] = m.name
		if m.required {
			b.required |= 1 << i
		}
	}
	b.names = namesOf(list...)
	return b
}

var sharedMembers = []member{
	shared("occurred", period, func(c *Common) *Period { return &c.Occurred }),
	shared("reported", period, func(c *Common) *Period { return &c.Reported }),
	shared("place", location, func(c *Common) *Location { return &c.Place }),
	shared("agency", agencyOrNot, func(c *Common) *string { return &c.Agency }),
	shared("unit", agencyOrNot, func(c *Common) *string { return &c.Unit }),
	shared("operation", text, func(c *Common) *string { return &c.Operation }),
	shared("document", document, func(c *Common) *Document { return &c.Document }),
	shared("by", opaque, func(c *Common) *string { return &c.By }),
	shared("synthetic", flag, func(c *Common) *bool { return &c.Synthetic }),
	shared("note", note, func(c *Common) *string { return &c.Note }),
}

var (
	happened = []string{"occurred"}
	printed  = []string{"document"}

	reason = oneOf(DataEntry, UnitError, WrongPlace, WrongPeriod, DuplicateRecord, Reclassified, CourtOrder, SourceWithdrew, LateInformation)
)

// bodies is the catalogue: the data of every event type, rules version 1. It is
// filled in init because a correction's data hold another event's.
var bodies [endOfTypes]body

func init() {
	bodies[TypeLedgerOpened] = bodyOf[LedgerOpened](nil,
		required(field("name", text, func(e *LedgerOpened) *string { return &e.Name })),
		required(field("home", homeCountry, func(e *LedgerOpened) *Country { return &e.HomeCountry })),
		required(field("zone", timeZone, func(e *LedgerOpened) *string { return &e.Zone })),
		required(field("rules", small, func(e *LedgerOpened) *int { return &e.Rules })),
	)
	bodies[TypeLedgerOpened].check = func(data Data, _ func(string) bool) (string, string) {
		if data.(*LedgerOpened).Rules != RulesVersion {
			return "rules", "a ledger opens with rules 1"
		}
		return "", ""
	}
	bodies[TypeRaidConducted] = bodyOf[RaidConducted](happened,
		required(field("premises", oneOf(CallCentre, SoftwareHouse, OtherPremises, NotGiven), func(e *RaidConducted) *Premises { return &e.Premises })),
		field("participants", textList, func(e *RaidConducted) *[]string { return &e.Participants }),
		field("cases", caseList, func(e *RaidConducted) *[]Link { return &e.Cases }),
	)
	bodies[TypePersonDetained] = bodyOf[PersonDetained](happened,
		field("raid", raidLink, func(e *PersonDetained) *Link { return &e.Raid }),
		required(field("persons", count, func(e *PersonDetained) *Count { return &e.Persons })),
		required(field("nationality", nationalityList, func(e *PersonDetained) *[]Nationality { return &e.Nationality })),
	)
	bodies[TypeArrestMade] = bodyOf[ArrestMade](happened,
		field("raid", raidLink, func(e *ArrestMade) *Link { return &e.Raid }),
		field("cases", caseList, func(e *ArrestMade) *[]Link { return &e.Cases }),
		required(field("persons", count, func(e *ArrestMade) *Count { return &e.Persons })),
		required(field("nationality", nationalityList, func(e *ArrestMade) *[]Nationality { return &e.Nationality })),
		field("sex", oneOf(Female, Male, OtherSex, UnknownSex), func(e *ArrestMade) *Sex { return &e.Sex }),
		field("offences", textList, func(e *ArrestMade) *[]string { return &e.Offences }),
		field("person", opaque, func(e *ArrestMade) *string { return &e.Person }),
	)
	bodies[TypeCaseRegistered] = bodyOf[CaseRegistered](nil,
		required(field("registered", period, func(e *CaseRegistered) *Period { return &e.Registered })),
		field("number", text, func(e *CaseRegistered) *string { return &e.Number }),
		field("station", text, func(e *CaseRegistered) *string { return &e.Station }),
		field("offences", textList, func(e *CaseRegistered) *[]string { return &e.Offences }),
		field("raids", raidList, func(e *CaseRegistered) *[]Link { return &e.Raids }),
	)
	bodies[TypeLossAlleged] = bodyOf[LossAlleged](happened,
		field("case", caseLink, func(e *LossAlleged) *Link { return &e.Case }),
		field("raid", raidLink, func(e *LossAlleged) *Link { return &e.Raid }),
		required(field("amount", amount, func(e *LossAlleged) *Amount { return &e.Amount })),
		field("basis", text, func(e *LossAlleged) *string { return &e.Basis }),
	)
	bodies[TypeRecoveryMade] = bodyOf[RecoveryMade](happened,
		field("case", caseLink, func(e *RecoveryMade) *Link { return &e.Case }),
		field("raid", raidLink, func(e *RecoveryMade) *Link { return &e.Raid }),
		required(field("amount", amount, func(e *RecoveryMade) *Amount { return &e.Amount })),
		field("form", oneOf(Cash, Bank, Crypto, Property), func(e *RecoveryMade) *Form { return &e.Form }),
		field("memo", text, func(e *RecoveryMade) *string { return &e.Memo }),
	)
	bodies[TypePropertySeized] = bodyOf[PropertySeized](happened,
		field("case", caseLink, func(e *PropertySeized) *Link { return &e.Case }),
		field("raid", raidLink, func(e *PropertySeized) *Link { return &e.Raid }),
		required(field("item", text, func(e *PropertySeized) *string { return &e.Item })),
		field("amount", amount, func(e *PropertySeized) *Amount { return &e.Amount }),
		field("memo", text, func(e *PropertySeized) *string { return &e.Memo }),
	)
	bodies[TypePropertyForfeited] = bodyOf[PropertyForfeited](happened,
		field("case", caseLink, func(e *PropertyForfeited) *Link { return &e.Case }),
		field("raid", raidLink, func(e *PropertyForfeited) *Link { return &e.Raid }),
		field("seizure", propertyLink, func(e *PropertyForfeited) *Link { return &e.Seizure }),
		required(field("item", text, func(e *PropertyForfeited) *string { return &e.Item })),
		field("amount", amount, func(e *PropertyForfeited) *Amount { return &e.Amount }),
		field("memo", text, func(e *PropertyForfeited) *string { return &e.Memo }),
	)
	bodies[TypeFigurePublished] = bodyOf[FigurePublished](printed,
		required(field("publisher", text, func(e *FigurePublished) *string { return &e.Publisher })),
		required(field("published", period, func(e *FigurePublished) *Period { return &e.Published })),
		field("worded", note, func(e *FigurePublished) *string { return &e.Worded }),
		required(field("period", period, func(e *FigurePublished) *Period { return &e.Period })),
		required(field("measure", term, func(e *FigurePublished) *string { return &e.Measure })),
		field("dimensions", dimensions, func(e *FigurePublished) *[]Dimension { return &e.Dimensions }),
		field("value", claimed, func(e *FigurePublished) *FigurePublished { return e }),
		field("amount", amount, func(e *FigurePublished) *Amount { return &e.Amount }),
		field("qualifier", qualifier, func(e *FigurePublished) *Qualifier { return &e.Qualifier }),
	)
	bodies[TypeFigurePublished].check = func(data Data, has func(string) bool) (string, string) {
		e := data.(*FigurePublished)
		switch {
		case has("value") == has("amount"):
			return "value", "a claim has either a value or an amount"
		case e.Amount.Qualifier != Exact:
			return "amount.qualifier", "the qualifier of a claim stands beside its amount, not in it"
		case e.Qualifier == Unknown:
			return "qualifier", "a claim is a figure; one that is unknown is none"
		}
		return "", ""
	}
	bodies[TypeRecordCorrected] = bodyOf[RecordCorrected](nil,
		required(field("record", recordName, func(e *RecordCorrected) *RecordName { return &e.Record })),
		required(field("amends", eventID, func(e *RecordCorrected) *uuid.UUID { return &e.Amends })),
		required(field("replacement", replacement, func(e *RecordCorrected) *RecordCorrected { return e })),
		required(field("reason", reason, func(e *RecordCorrected) *Reason { return &e.Reason })),
		field("authority", text, func(e *RecordCorrected) *string { return &e.Authority }),
	)
	bodies[TypeRecordRetracted] = bodyOf[RecordRetracted](nil,
		required(field("record", recordName, func(e *RecordRetracted) *RecordName { return &e.Record })),
		required(field("amends", eventID, func(e *RecordRetracted) *uuid.UUID { return &e.Amends })),
		required(field("reason", reason, func(e *RecordRetracted) *Reason { return &e.Reason })),
		field("authority", text, func(e *RecordRetracted) *string { return &e.Authority }),
	)
	bodies[TypeRecordLinked] = bodyOf[RecordLinked](nil,
		required(field("from", recordName, func(e *RecordLinked) *RecordName { return &e.From })),
		required(field("to", recordName, func(e *RecordLinked) *RecordName { return &e.To })),
	)
	bodies[TypeRecordUnlinked] = bodyOf[RecordUnlinked](nil,
		required(field("from", recordName, func(e *RecordUnlinked) *RecordName { return &e.From })),
		required(field("to", recordName, func(e *RecordUnlinked) *RecordName { return &e.To })),
	)
	bodies[TypeRecordMatched] = bodyOf[RecordMatched](nil,
		required(field("record", recordName, func(e *RecordMatched) *RecordName { return &e.Record })),
		required(field("same_as", recordName, func(e *RecordMatched) *RecordName { return &e.SameAs })),
	)
	bodies[TypeAgencySucceeded] = bodyOf[AgencySucceeded](nil,
		required(field("predecessor", token, func(e *AgencySucceeded) *string { return &e.Predecessor })),
		required(field("successor", token, func(e *AgencySucceeded) *string { return &e.Successor })),
		required(field("effective", period, func(e *AgencySucceeded) *Period { return &e.Effective })),
	)
	bodies[TypeAgencySucceeded].check = func(data Data, _ func(string) bool) (string, string) {
		if e := data.(*AgencySucceeded); e.Predecessor == e.Successor {
			return "successor", "an agency does not succeed itself"
		}
		return "", ""
	}
}

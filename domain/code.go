package domain

// Code is why a line is refused: one word for ever, for programs to act on.
type Code string

// The codes, in the order in which the register looks: the first failure
// decides. CodeInfos says what each means and what cures it.
const (
	NotOpen        Code = "not-open"
	TooLarge       Code = "too-large"
	Malformed      Code = "malformed"
	BadAttribute   Code = "bad-attribute"
	WrongSource    Code = "wrong-source"
	UnknownType    Code = "unknown-type"
	ConflictingID  Code = "conflicting-id"
	BadData        Code = "bad-data"
	AlreadyOpen    Code = "already-open"
	RecordExists   Code = "record-exists"
	NoSuchRecord   Code = "no-such-record"
	NotAmendable   Code = "not-amendable"
	StaleAmendment Code = "stale-amendment"
	NotAuthorised  Code = "not-authorised"
	WithRefused    Code = "with-refused"
)

// CodeInfo says what a code means.
type CodeInfo struct {
	Code Code
	// Means is the rule that the line breaks.
	Means string
	// Cure is what its writer does about it.
	Cure string
	// Retry tells whether the same line can be accepted later as it is.
	Retry bool
}

// CodeInfos is every code, in the order in which the register looks.
var CodeInfos = []CodeInfo{
	{NotOpen, "the ledger is not open: nothing counts before ledger.opened", "open the ledger (roznamcha open), then submit again", true},
	{TooLarge, "an entry holds at most 1,000 lines and 1 MiB", "submit fewer events at a time; shorten the event", false},
	{Malformed, "a line is one strict JSON object: UTF-8, no duplicate names, no names in another letter case", "mend the JSON; print counts as whole numbers and every name once, as in the catalogue", false},
	{BadAttribute, "specversion, id, source, type and subject are CloudEvents 1.0 attributes in the ledger's grammar", "mend the attribute that the field names", false},
	{WrongSource, "a diary's events come from that diary, and the ledger's own from /ledger/office", "submit it to the diary that its source names", false},
	{UnknownType, "rules version 1 does not know this event type", "use a type of the catalogue; what has no word here is not recorded under a neighbour's", false},
	{ConflictingID, "this source has already used this id for another event", "mint a new id for a new event; submit an old event with its bytes unchanged", false},
	{BadData, "the data of an event follow the catalogue", "mend the member that the field names", false},
	{AlreadyOpen, "a ledger is opened once, by its first event", "go on recording; the ledger is open", false},
	{RecordExists, "a record has one first event; a loss is alleged once a case and currency", "amend the record that the detail names, or give the new one an id of its own", false},
	{NoSuchRecord, "what is amended or matched is in the ledger", "record it first; check the full name kind/agency/unit/id", true},
	{NotAmendable, "claims and the opening cannot be amended, and what is retracted not retracted again", "publish another figure; to bring a record back, correct its retraction", false},
	{StaleAmendment, "an amendment names the record's current version", "look at the current version that the detail names and amend that", false},
	{NotAuthorised, "a record is amended by its own agency, or by its successor once the succession is recorded", "let the record's agency amend it, or record the succession from /ledger/office first", true},
	{WithRefused, "a submission is accepted whole or not at all", "mend the refused lines of this submission, or submit this one alone", true},
}

// Refusal is a refused line as an error.
type Refusal struct {
	Code Code
	// Field is the member that it is about, such as "data.persons"; may be "".
	Field  string
	Detail string
}

// Error names the code, the member and what is wrong.
func (r *Refusal) Error() string {
	s := string(r.Code)
	if r.Field != "" {
		s += ": " + r.Field
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

// Info is what the code of r means.
func (c Code) Info() CodeInfo {
	for _, info := range CodeInfos {
		if info.Code == c {
			return info
		}
	}
	return CodeInfo{Code: c}
}

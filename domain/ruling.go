package domain

import "time"

// Verdict is what the register decides about one line.
type Verdict uint8

// The verdicts.
const (
	_ Verdict = iota
	Accepted
	// Duplicate has no effect; its Ruling names where the event first stood.
	Duplicate
	Refused
	// Unrecognised is an event of a type that these rules do not know. It is
	// kept, has no effect, and is an exception.
	Unrecognised
)

var verdictNames = [...]string{"", "accepted", "duplicate", "refused", "unrecognised"}

// String is the verdict's word.
func (v Verdict) String() string { return verdictNames[v] }

// Ruling is what the register decides about one line, and why.
type Ruling struct {
	Verdict Verdict
	// Code says why a line is refused; UnknownType where it is unrecognised;
	// empty otherwise.
	Code Code
	// First is where a duplicate's event was accepted.
	First Position
	// Field is the member of the line that Code is about, such as
	// "data.persons", and Detail what is wrong with it, for a person to read.
	Field  string
	Detail string
}

// Err is the ruling as an error: nil unless the line is refused or
// unrecognised.
func (r Ruling) Err() error {
	if r.Verdict == Accepted || r.Verdict == Duplicate {
		return nil
	}
	return &Refusal{r.Code, r.Field, r.Detail}
}

// RecordID numbers the records of a ledger in the order in which they were
// accepted, from 0. It is the same on every machine that has read the same
// entries and lets projections keep what they know of a record in an array.
type RecordID uint32

// NoRecord is the RecordID of a ruling that touches no record.
const NoRecord = ^RecordID(0)

// Change is what an accepted event does to the records.
type Change uint8

// The changes. Every accepted event has exactly one.
const (
	// NoChange: links and unlinks change no record.
	NoChange Change = iota
	// Created: a record's first version; Ruled.Fact is the event's own data.
	Created
	// Corrected: Ruled.Fact replaces what stood.
	Corrected
	// Retracted: the record no longer counts.
	Retracted
	// Reinstated: a correction that amends a retraction; Ruled.Fact stands now.
	Reinstated
	// Matched: Ruled.Record and Ruled.SameAs are one action.
	Matched
)

// Ruled is one line of an entry with its ruling. It and everything it points
// to is valid until the function that it was handed to returns; strings in
// it share the entry's memory (clone what is kept for long).
type Ruled struct {
	Position Position
	// Submission is the position of the first line that stands or falls with
	// this one.
	Submission Position
	Recorded   time.Time
	// Line is the line as it stands in the entry.
	Line string
	Ruling
	// Event is nil where the line could not be read as one. Its Data is nil
	// where the ruling did not depend on it: in duplicates, and in what was
	// refused before its data were looked at.
	Event *Event

	// The rest says what an accepted event does.

	Change Change
	// Record is the record that it changes, or NoRecord.
	Record RecordID
	// Name is that record's full name.
	Name RecordName
	// Fact is what stands from here on, of the record's own type; nil where
	// nothing new stands.
	Fact Data
	// SameAs is the other record of a match, or NoRecord.
	SameAs RecordID
}

package csvimport

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/google/uuid"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// Amend makes corrections of what changed since an earlier import. Its Rulings
// belong to the recorder that the rows are handed to
// (eventstore.RecorderConfig.Rulings) and must have seen the ledger from entry 1.
type Amend struct {
	Reason    domain.Reason
	Authority string // "" for none

	// first is the event that made each record, and versions are its corrections,
	// both by the record's number; made is the record that an event made, the
	// latest where several diaries have an event of that id. They are what the
	// recorder has read, and are looked at in its View alone.
	first    []uuid.UUID
	made     map[uuid.UUID]domain.RecordID
	versions map[domain.RecordID][]version
}

// version is what a correction made of a record.
type version struct {
	id, amends uuid.UUID
	data       dataHash
}

// dataHash is the SHA-256 of data in canonical form.
type dataHash [sha256.Size]byte

func hashOf(data domain.Data) dataHash { return sha256.Sum256(domain.AppendData(nil, data)) }

// Rulings sees one line of the ledger.
func (a *Amend) Rulings(r *domain.Ruled) {
	switch r.Change {
	case domain.Created:
		a.first = append(a.first, r.Event.ID) // records are numbered in this order
		if a.made == nil {
			a.made = make(map[uuid.UUID]domain.RecordID)
		}
		a.made[r.Event.ID] = r.Record
	case domain.Corrected, domain.Reinstated:
		if a.versions == nil {
			a.versions = make(map[domain.RecordID][]version)
		}
		amends := r.Event.Data.(*domain.RecordCorrected).Amends
		a.versions[r.Record] = append(a.versions[r.Record], version{r.Event.ID, amends, hashOf(r.Fact)})
	}
}

// correctionID is the id of the correction that an import makes: a UUID of
// version 5 in the namespace of the id of the row's own event (which is made of
// dataset, key and event), over the id of the version that it amends and the
// SHA-256 of the new data. The same change of a row has the same id on every
// machine; a row that goes back to what it said before amends another version,
// and so has another.
func correctionID(event, amends uuid.UUID, data dataHash) uuid.UUID {
	return uuid.NewSHA1(event, append(amends[:], data[:]...))
}

// told is what an import last told of a record: the event, and whether it said
// the same as data. same tells that of the row's own event.
func (a *Amend) told(record domain.RecordID, data dataHash, same bool) (event uuid.UUID, says bool) {
	first := a.first[record]
	for _, v := range slices.Backward(a.versions[record]) {
		if v.id == correctionID(first, v.amends, v.data) {
			return v.id, v.data == data
		}
	}
	return first, same
}

// amendment is what becomes of a submission of which the ledger had a part
// already.
type amendment struct {
	// needed tells that it had; else the rest is zero.
	needed bool
	// lines are what the ledger does not have: new events, and corrections in
	// the place of those that changed.
	lines [][]byte
	// corrections is how many of the lines are; over tells that one of them amends
	// a version that was not an import's.
	corrections int
	over        bool
	// reject is why it cannot be done; "" where it can.
	reject string
}

// needs tells whether the ledger had a part of a submission already, from what it
// would rule on it, be it in another diary. Where nothing was ever corrected, the
// same again is no matter.
func (a *Amend) needs(receipt eventstore.Receipt) bool {
	return slices.ContainsFunc(receipt.Rulings, func(r eventstore.LineRuling) bool {
		switch {
		case r.Code == domain.ConflictingID:
			return true
		case r.Verdict == domain.Duplicate:
			return len(a.versions) > 0
		}
		_, made := a.made[r.ID]
		return made
	})
}

// amend makes the amendment of a submission, on which the ledger would rule as in
// receipt. What it corrects is a row's own event alone: a record that something
// else has made is left to be refused.
func (a *Amend) amend(reg *domain.Register, submission []byte, receipt eventstore.Receipt) (out amendment) {
	out.needed = true
	lines := bytes.Split(submission, []byte("\n"))
	for i, r := range receipt.Rulings {
		event, err := domain.Decode(string(lines[i]))
		if err != nil {
			return amendment{needed: true, reject: err.Error()}
		}
		stands, ok := reg.Lookup(event.Record())
		if !ok || a.first[stands.ID] != event.ID {
			if reject := a.elsewhere(reg, event, r.Code); reject != "" {
				return amendment{needed: true, reject: reject}
			}
			if r.Verdict != domain.Duplicate {
				out.lines = append(out.lines, lines[i])
			}
			continue
		}
		data := hashOf(event.Data)
		last, says := a.told(stands.ID, data, r.Code != domain.ConflictingID)
		versions := a.versions[stands.ID]
		switch {
		case says:
			continue
		case stands.Retracted:
			return amendment{needed: true, reject: ChangedSinceImport + ": its record is retracted. Try: roznamcha amend reinstate " + stands.Name.String() + ", then import again"}
		case len(versions) > 0 && versions[len(versions)-1].data == data:
			continue // somebody else has corrected it to the same
		}
		line, err := a.correction(event, stands, data)
		if err != nil {
			return amendment{needed: true, reject: err.Error()}
		}
		out.lines = append(out.lines, line)
		out.corrections++
		out.over = out.over || stands.Event != last
	}
	return out
}

// elsewhere says why an event cannot be recorded that has made another record
// than it names; "" where it can, for that one is in another diary and retracted,
// or there is none.
func (a *Amend) elsewhere(reg *domain.Register, event *domain.Event, code domain.Code) string {
	record, made := a.made[event.ID]
	if !made {
		return ""
	}
	stands := reg.Record(record)
	reason := ChangedSinceImport + ": its record has another name. Try: "
	switch {
	case stands.Name == event.Record():
		return ""
	case code == domain.ConflictingID: // the id is taken for ever
		return reason + "if " + event.Record().String() + " is right and " + stands.Name.String() + " is not, retract that and record this one by hand"
	case !stands.Retracted:
		return reason + "roznamcha amend retract " + stands.Name.String() + ", then import again: it becomes " + event.Record().String()
	}
	return ""
}

// silent says why a row cannot be imported that does not give an event whose
// record stands; "" where there is none such.
func (a *Amend) silent(recorder Foresight, unmet []unmetEvent) (reject string) {
	if len(unmet) == 0 {
		return ""
	}
	recorder.View(func(reg *domain.Register) {
		for _, e := range unmet {
			record, made := a.made[e.id]
			if !made {
				continue
			}
			if stands := reg.Record(record); !stands.Retracted {
				reject = ChangedSinceImport + ": earlier it also gave event " + e.name + ". Try: roznamcha amend retract " + stands.Name.String() + ", then import again"
				return
			}
		}
	})
	return reject
}

// correction is the line that gives the record its new data.
func (a *Amend) correction(event *domain.Event, stands domain.Standing, data dataHash) ([]byte, error) {
	return domain.AppendEvent(nil, &domain.Event{
		ID: correctionID(event.ID, stands.Event, data), Source: event.Source, Type: domain.TypeRecordCorrected,
		Data: &domain.RecordCorrected{Record: stands.Name, Amends: stands.Event, Replacement: event.Data, Reason: a.Reason, Authority: a.Authority},
	})
}

// Foresight is a recorder that is asked and records nothing.
type Foresight interface {
	View(look func(*domain.Register))
	Check(diary domain.Diary, submission []byte) (eventstore.Receipt, error)
}

// foresee is the amendment of a submission, as far as the recorder has read; none
// where it has ended, of which handing in the submission tells.
func (a *Amend) foresee(recorder Foresight, submission []byte) (out amendment) {
	receipt, err := recorder.Check(domain.Diary{}, submission)
	if err != nil {
		return out
	}
	recorder.View(func(reg *domain.Register) {
		if a.needs(receipt) {
			out = a.amend(reg, submission, receipt)
		}
	})
	return out
}

// Foresee is what handing in a row now would add to the ledger: lines, and how
// many of them are corrections. The Reject says why it would add none of the
// row's own; records that are taken once it may add all the same.
func (a *Amend) Foresee(recorder Foresight, row *Row) (lines [][]byte, corrections int, reject *Reject) {
	for i, submission := range append(slices.Clone(row.Once), row.Submission) {
		if i == len(row.Once) {
			if silent := a.silent(recorder, row.Unmet); silent != "" {
				return lines, corrections, &Reject{Line: row.Line, Reason: silent}
			}
		}
		if len(submission) == 0 {
			continue
		}
		out := a.foresee(recorder, submission)
		if out.reject != "" {
			return lines, corrections, &Reject{Line: row.Line, Reason: out.reject}
		}
		corrections += out.corrections
		left := out.lines
		if !out.needed {
			left = bytes.Split(submission, []byte("\n"))
		}
		if len(left) == 0 {
			continue
		}
		receipt, err := recorder.Check(domain.Diary{}, bytes.Join(left, []byte("\n")))
		if err == nil {
			err = receipt.Err()
		}
		if err != nil {
			return lines, corrections, &Reject{Line: row.Line, Reason: err.Error()}
		}
		for i, r := range receipt.Rulings {
			if r.Verdict == domain.Accepted {
				lines = append(lines, left[i])
			}
		}
	}
	return lines, corrections, nil
}

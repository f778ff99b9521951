package domain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// change applies the rules on records, amendments and authority to an event
// that is sound in itself, and says in out what it does. It changes nothing.
func (r *Register) change(in *reading, out *Ruled) *Refusal {
	e := &in.event
	switch data := e.Data.(type) {
	case *RecordCorrected:
		return r.correct(in, data, out)
	case *RecordRetracted:
		return r.retract(e, data, out)
	case *RecordMatched:
		return r.match(e, data, out)
	case *RecordLinked:
		return r.tie(e, data.From, out)
	case *RecordUnlinked:
		return r.tie(e, data.From, out)
	default:
		return r.create(e, out)
	}
}

// create: an event that makes a record, which must not be there yet.
func (r *Register) create(e *Event, out *Ruled) *Refusal {
	if e.Type == TypeLedgerOpened && r.opened != nil {
		return &Refusal{AlreadyOpen, "type", "the ledger " + quote(r.opened.Name) + " was opened at " + r.openedAt.String()}
	}
	name := e.Record()
	if id, ok := r.find(name); ok {
		return &Refusal{RecordExists, "subject", r.stands(id)}
	}
	if why := r.lossTaken(e.Data, name.Diary, NoRecord); why != nil {
		return why
	}
	out.Change, out.Name, out.Fact = Created, name, e.Data
	return nil
}

// correct: a replacement of the current version, or of its retraction.
func (r *Register) correct(in *reading, c *RecordCorrected, out *Ruled) *Refusal {
	id, why := r.amendable(c.Record)
	if why != nil {
		return why
	}
	row := r.records.at(uint32(id))
	if why := r.reader.readReplacement(in, c, row.typ); why != nil {
		return why
	}
	if why := r.current(&in.event, id, c.Amends); why != nil {
		return why
	}
	if why := r.lossTaken(c.Replacement, c.Record.Diary, id); why != nil {
		why.Field = "data.replacement.case"
		return why
	}
	out.Change = Corrected
	if row.retracted {
		out.Change = Reinstated
	}
	out.Record, out.Name, out.Fact = id, c.Record, c.Replacement
	return nil
}

// retract: the record is out of the totals from here on.
func (r *Register) retract(e *Event, data *RecordRetracted, out *Ruled) *Refusal {
	id, why := r.amendable(data.Record)
	if why != nil {
		return why
	}
	if why := r.current(e, id, data.Amends); why != nil {
		return why
	}
	if r.records.at(uint32(id)).retracted {
		return &Refusal{NotAmendable, "data.record", "is retracted already: " + r.stands(id)}
	}
	out.Change, out.Record, out.Name = Retracted, id, data.Record
	return nil
}

// amendable finds a record that can be amended.
func (r *Register) amendable(name RecordName) (RecordID, *Refusal) {
	id, ok := r.find(name)
	if !ok {
		return NoRecord, &Refusal{NoSuchRecord, "data.record", quote(name.String()) + " is not in the ledger"}
	}
	if t := r.records.at(uint32(id)).typ; t == TypeLedgerOpened || t == TypeFigurePublished {
		return id, &Refusal{NotAmendable, "data.record", "a " + t.String() + " cannot be amended"}
	}
	return id, nil
}

// current: an amendment names the record's current version and comes from who
// may amend it.
func (r *Register) current(e *Event, id RecordID, amends uuid.UUID) *Refusal {
	row := r.records.at(uint32(id))
	if r.events.at(row.current).id != amends {
		return &Refusal{StaleAmendment, "data.amends", r.stands(id)}
	}
	if row.typ == TypeAgencySucceeded && e.Source != Office {
		return &Refusal{NotAuthorised, "source", "a succession is amended from " + Office.String() + " only"}
	}
	return r.authority(e, r.diaries[row.diary].Agency)
}

// authority: a record is amended by its own agency, or by who has taken over
// from it.
func (r *Register) authority(e *Event, agency string) *Refusal {
	for heir, ok := agency, true; ok; heir, ok = r.successors[heir] {
		if heir == e.Source.Agency {
			return nil
		}
	}
	return &Refusal{NotAuthorised, "source", e.Source.Agency + " is neither " + agency + " nor its recorded successor"}
}

// match: two records that are one action. Both must be there and of one type.
func (r *Register) match(e *Event, data *RecordMatched, out *Ruled) *Refusal {
	id, ok := r.find(data.Record)
	if !ok {
		return &Refusal{NoSuchRecord, "data.record", quote(data.Record.String()) + " is not in the ledger"}
	}
	same, ok := r.find(data.SameAs)
	if !ok {
		return &Refusal{NoSuchRecord, "data.same_as", quote(data.SameAs.String()) + " is not in the ledger"}
	}
	typ := r.records.at(uint32(id)).typ
	switch {
	case data.Record.Diary == data.SameAs.Diary:
		return &Refusal{BadData, "data.same_as", "is of the same diary: a match is one action in two diaries"}
	case typ != r.records.at(uint32(same)).typ:
		return &Refusal{BadData, "data.same_as", "is of another type than the record"}
	case !typ.Counts():
		return &Refusal{NotAmendable, "data.record", "a " + string(data.Record.Kind) + " adds to no total and cannot be matched"}
	}
	if why := r.authority(e, data.Record.Diary.Agency); why != nil {
		return why
	}
	out.Change, out.Record, out.Name, out.SameAs = Matched, id, data.Record, same
	return nil
}

// tie: a link or its end, said by the agency of the record that it starts from.
// Neither end need be there yet.
func (r *Register) tie(e *Event, from RecordName, out *Ruled) *Refusal {
	if why := r.authority(e, from.Diary.Agency); why != nil {
		return why
	}
	out.Change, out.Name = NoChange, from
	return nil
}

// stands says where a record's current version is.
func (r *Register) stands(id RecordID) string {
	s := r.Record(id)
	stands := s.Name.String() + " stands as event " + s.Event.String() + " at " + s.Position.String()
	if s.Retracted {
		stands += ", a retraction"
	}
	return stands
}

// lossTaken refuses a second loss for the same case and currency; one without
// a case, or of no known currency, is held to nothing. A retracted loss keeps its
// place: it can be brought back.
func (r *Register) lossTaken(data Data, own Diary, record RecordID) *Refusal {
	if loss, ok := data.(*LossAlleged); ok {
		if id, taken := r.losses[lossKeyOf(loss, own)]; taken && id != record {
			return &Refusal{RecordExists, "data.case", "has a loss in " + string(loss.Amount.Currency) + " already: " + r.stands(id)}
		}
	}
	return nil
}

// lossKeyOf is "" for a loss that is held to nothing.
func lossKeyOf(loss *LossAlleged, own Diary) lossKey {
	if loss.Case == "" || loss.Amount.Currency == "" {
		return ""
	}
	return lossKey(loss.Case.Name(TypeCaseRegistered.Kind(), own).String() + " " + string(loss.Amount.Currency))
}

// settle keeps what follows from an accepted event beyond its record: the
// opening, the loss of a case, the successor of an agency.
func (r *Register) settle(out *Ruled) {
	switch fact := out.Fact.(type) {
	case *LedgerOpened:
		opened := *fact
		opened.Name, opened.Zone = strings.Clone(opened.Name), strings.Clone(opened.Zone)
		r.undo = append(r.undo, func() { r.opened, r.openedAt, r.zone = nil, Position{}, nil })
		r.opened, r.openedAt = &opened, out.Position
		r.zone = opened.Location()
	case *LossAlleged:
		r.settleLoss(out.Record, lossKeyOf(fact, out.Name.Diary))
	}
	if out.Change != NoChange && out.Name.Kind == TypeAgencySucceeded.Kind() {
		r.settleSuccession(out)
	}
}

// settleLoss gives a record the place key among the losses, in exchange for the
// one it had. No loss ever has the place "".
func (r *Register) settleLoss(record RecordID, key lossKey) {
	move := func(from, to lossKey) {
		delete(r.losses, from)
		delete(r.lossKeys, record)
		if to != "" {
			r.losses[to], r.lossKeys[record] = record, to
		}
	}
	had := r.lossKeys[record]
	r.lossMoves = append(r.lossMoves, lossMove{record, key})
	r.undo = append(r.undo, func() {
		move(key, had)
		r.lossMoves = r.lossMoves[:len(r.lossMoves)-1]
	})
	move(had, key)
}

// settleSuccession keeps who took over from whom.
func (r *Register) settleSuccession(out *Ruled) {
	standing, followed := r.successions, r.successors
	r.undo = append(r.undo, func() { r.successions, r.successors = standing, followed })
	r.successions = slices.DeleteFunc(slices.Clone(standing), func(s succession) bool { return s.record == out.Record })
	if fact, ok := out.Fact.(*AgencySucceeded); ok {
		r.successions = append(r.successions, succession{out.Record, strings.Clone(fact.Predecessor), strings.Clone(fact.Successor)})
		slices.SortFunc(r.successions, func(a, b succession) int { return cmp.Compare(a.record, b.record) })
	}
	r.successors = successorsOf(r.successions)
}

// successorsOf is what follows from successions, in the order of their records:
// of several that stand for one agency the one recorded last holds, whatever of
// the others is corrected later, and those that go round hold for nobody.
func successorsOf(successions []succession) Successors {
	successors := make(Successors)
	for _, s := range successions {
		successors[s.predecessor] = s.successor
	}
	successors.Straighten()
	return successors
}

package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/minio/highwayhash"
)

// RulesVersion is the version of the rules in this file.
const RulesVersion = 1

// Register is the pure state machine that rules on events in order. What it
// decides depends on the entries it has read and on nothing else: not on how
// they were batched, not on the machine, not on the day.
//
// One goroutine at a time may use it.
type Register struct {
	last  uint64
	chain [sha256.Size]byte
	// first and payload are the SHA-256 of the first entry's payload and of the
	// last one's, recorded at recorded.
	first, payload [sha256.Size]byte
	recorded       time.Time
	opened         *LedgerOpened
	// openedAt is where.
	openedAt Position
	zone     *time.Location

	diaries  []Diary
	diaryIDs map[Diary]uint32
	// recent is the number of the diary that was looked up last.
	recent uint32

	events  rows[eventRow]
	byID    index
	records rows[recordRow]
	byName  index
	names   arena

	// losses is the loss record of a case and currency; successors who took
	// over from an agency; successions the records that say so.
	losses      map[lossKey]RecordID
	lossKeys    map[RecordID]lossKey
	lossMoves   []lossMove // how they came to be, for a snapshot
	successors  Successors
	successions []succession

	// seed scatters rows over the indexes, and key makes the digests of content;
	// both are this register's own and secret, so that nobody can choose what
	// collides there. No ruling depends on them.
	seed maphash.Seed
	key  []byte

	// What follows serves the submission that is being ruled on.

	reader reader // of replacements
	ruled  []Ruled
	undo   []func() // of the rare changes; rows are dropped down to what is kept
	kept   struct {
		diaries               int
		events, records       uint32
		nameBlocks, nameBytes int
	}
	scratch []byte
	rulings []byte // of the whole entry, for the chain
	// ids and recordNames are hashes for warm.
	ids, recordNames []uint64
}

// eventRow is one accepted event.
type eventRow struct {
	id      uuid.UUID
	content [16]byte // see Register.content
	place   Place
	diary   uint32
}

// recordRow is one record.
type recordRow struct {
	name      uint32 // of its id, in the arena
	current   uint32 // the event of its current version
	diary     uint32
	nameLen   uint8
	typ       Type
	retracted bool
}

// lossKey is what a loss is alleged once for: the full name of its case, a
// space and the currency.
type lossKey string

// lossMove gives a record its place among the losses, "" for none.
type lossMove struct {
	record RecordID
	key    lossKey
}

// succession is a record that stands and names a successor.
type succession struct {
	record                 RecordID
	predecessor, successor string
}

// NewRegister is a register before its first entry.
func NewRegister() *Register {
	seed := maphash.MakeSeed()
	var key []byte
	for i := range uint64(4) {
		key = binary.BigEndian.AppendUint64(key, maphash.Comparable(seed, i))
	}
	return &Register{
		diaryIDs:   make(map[Diary]uint32),
		losses:     make(map[lossKey]RecordID),
		lossKeys:   make(map[RecordID]lossKey),
		successors: make(Successors),
		seed:       seed,
		key:        key,
	}
}

// Last is the number of the last entry ruled on, 0 before the first.
func (r *Register) Last() uint64 { return r.last }

// Hash is the state hash after Last: H(n) = SHA-256 over H(n-1); the rules
// version and the entry number, 8 bytes each, big-endian; the subject, its
// length first in 8 bytes; the SHA-256 of the payload; and the rulings, a line
// each: the verdict, then the first position of a duplicate or the code of a
// refusal after a space, then LF. H(0) is zero.
func (r *Register) Hash() [sha256.Size]byte { return r.chain }

// Recorded is when entry Last was; zero before the first.
func (r *Register) Recorded() time.Time { return r.recorded }

// Payloads are the SHA-256 of the payloads of entry 1 and of entry Last, which
// tell the ledger and its place in it; zero before the first.
func (r *Register) Payloads() (first, last [sha256.Size]byte) { return r.first, r.payload }

// Opened is the opening event's data; nil before it.
func (r *Register) Opened() *LedgerOpened { return r.opened }

// Zone is the ledger's zone; nil before the opening.
func (r *Register) Zone() *time.Location { return r.zone }

// Apply rules on every line of e, which must be the entry after Last, and hands
// each to visit in order; visit may be nil. The error is only for an entry out
// of order, and then nothing has changed.
func (r *Register) Apply(e Entry, visit func(*Ruled)) error {
	if e.Number != r.last+1 {
		return fmt.Errorf("register: entry %d after entry %d", e.Number, r.last)
	}
	e.Read()
	r.rulings = r.rulings[:0]
	r.each(e.Subject, e.lines, Position{e.Number, 1}, true, func(ruled []Ruled) {
		r.commit()
		for i := range ruled {
			ruled[i].Recorded = e.Recorded
			r.rulings = appendRuling(r.rulings, &ruled[i])
			if visit != nil {
				visit(&ruled[i])
			}
		}
	})
	r.last, r.recorded = e.Number, e.Recorded
	r.link(&e)
	e.Forget()
	return nil
}

// Check rules on every submission of e as if it stood next in the stream, alone,
// and changes nothing; e has no number, nor have the positions. Where e was read
// it stays so.
func (r *Register) Check(e Entry, visit func(*Ruled)) {
	if e.lines == nil {
		e.Read()
		defer e.Forget()
	}
	r.each(e.Subject, e.lines, Position{0, 1}, false, func(ruled []Ruled) {
		r.rollback()
		for i := range ruled {
			visit(&ruled[i])
		}
	})
}

// link chains the entry to the state hash.
func (r *Register) link(e *Entry) {
	payload := e.Hash()
	if r.payload = payload; e.Number == 1 {
		r.first = payload
	}
	b := append(r.scratch[:0], r.chain[:]...)
	b = binary.BigEndian.AppendUint64(b, RulesVersion)
	b = binary.BigEndian.AppendUint64(b, e.Number)
	b = binary.BigEndian.AppendUint64(b, uint64(len(e.Subject)))
	b = append(b, e.Subject...)
	b = append(b, payload[:]...)
	b = append(b, r.rulings...)
	r.chain = sha256.Sum256(b)
	r.scratch = b
}

func appendRuling(dst []byte, r *Ruled) []byte {
	dst = append(dst, r.Verdict.String()...)
	switch r.Verdict {
	case Duplicate:
		dst = append(append(dst, ' '), r.First.String()...)
	case Refused:
		dst = append(append(dst, ' '), r.Code...)
	}
	return append(dst, '\n')
}

// each rules on the submissions of an entry in turn; done must commit, which lasts
// tells, or roll back. What is not looked into is ruled on as one line.
func (r *Register) each(subject string, first *lines, at Position, lasts bool, done func([]Ruled)) {
	diary, confined := diaryOfSubject(subject)
	r.warm(first)
	for l := first; l != nil; l = l.next {
		if l.whole != nil {
			why := *l.whole
			if r.opened == nil {
				why.Code = NotOpen
			}
			r.ruled = append(r.ruled[:0], Ruled{Position: at, Submission: at, Ruling: refused(&why), Record: NoRecord, SameAs: NoRecord})
			done(r.ruled)
			return
		}
		begin := 0
		for _, end := range l.ends {
			done(r.submission(diary, confined, l.readings[begin:end], at, lasts))
			at.Line += end - begin
			begin = end
		}
	}
}

// warm looks where the indexes would have the lines that are about to be ruled
// on. In a large ledger that is not in the processor's cache, and it fetches
// many places in the time that it takes for one.
func (r *Register) warm(first *lines) {
	if first.n < 4 && first.next == nil {
		return
	}
	r.ids, r.recordNames = r.ids[:0], r.recordNames[:0]
	for l := first; l != nil; l = l.next {
		for _, in := range l.readings[:l.n] {
			e := &in.event
			diary, ok := r.lookUp(e.Source)
			if !ok {
				continue
			}
			r.ids = append(r.ids, r.eventHash(diary, e.ID))
			if e.Type.MakesRecord() {
				r.recordNames = append(r.recordNames, r.nameHash(e.Type.Kind(), diary, e.Subject))
			}
		}
	}
	r.byID.warm(r.ids)
	r.byName.warm(r.recordNames)
}

// refused is a refusal as a ruling.
func refused(why *Refusal) Ruling {
	return Ruling{Verdict: Refused, Code: why.Code, Field: why.Field, Detail: why.Detail}
}

// diaryOfSubject is the diary that an entry on subject is confined to. Every
// other subject than ledger.entry is confined; one that names no diary allows
// no source at all.
func diaryOfSubject(subject string) (d Diary, confined bool) {
	if subject == EntrySubject {
		return Diary{}, false
	}
	rest, ok := strings.CutPrefix(subject, "ledger.diary.")
	agency, unit, dot := strings.Cut(rest, ".")
	if ok && dot && IsToken(agency) && IsToken(unit) {
		return Diary{agency, unit}, true
	}
	return Diary{}, true
}

// submission rules on lines that stand or fall together. Each is ruled on as if
// the ones before it had been accepted; if any is refused, the accepted ones
// are refused with it. The changes are made, to be committed or rolled back; those
// of the last line only if they last, since nothing is ruled on after it.
func (r *Register) submission(diary Diary, confined bool, readings []*reading, at Position, lasts bool) []Ruled {
	r.ruled = r.ruled[:0]
	failed, first := 0, at
	for i, in := range readings {
		r.ruled = append(r.ruled, Ruled{Position: at, Submission: first, Line: in.line, Record: NoRecord, SameAs: NoRecord})
		out := &r.ruled[i]
		if in.refusal == nil {
			out.Event = &in.event
		}
		r.rule(in, diary, confined, lasts || i < len(readings)-1, out)
		if out.Verdict == Refused {
			failed++
		}
		at.Line++
	}
	if failed == 0 {
		return r.ruled
	}
	r.rollback()
	for i := range r.ruled {
		out := &r.ruled[i]
		within := out.First.Entry == first.Entry && out.First.Line >= first.Line
		if out.Verdict == Accepted || out.Verdict == Duplicate && within {
			*out = Ruled{
				Position: out.Position, Submission: first, Line: out.Line, Event: out.Event, Record: NoRecord, SameAs: NoRecord,
				Ruling: Ruling{Verdict: Refused, Code: WithRefused, Detail: fmt.Sprintf("%d of the submission's %d lines refused", failed, len(readings))},
			}
		}
	}
	return r.ruled
}

// rule decides on one line, in the order of the rules: the first failure decides.
// One that is accepted is entered only where that is asked for.
func (r *Register) rule(in *reading, diary Diary, confined, enter bool, out *Ruled) {
	e := &in.event
	refuse := func(why *Refusal) { out.Ruling = refused(why) }
	if r.opened == nil && (in.refusal != nil || e.Type != TypeLedgerOpened) {
		refuse(&Refusal{Code: NotOpen})
		return
	}
	if in.refusal != nil {
		refuse(in.refusal)
		return
	}
	if why := wrongSource(e, diary, confined); why != nil {
		refuse(why)
		return
	}
	if e.Type == 0 {
		why := in.unknownType()
		out.Ruling = Ruling{Verdict: Unrecognised, Code: why.Code, Field: why.Field, Detail: why.Detail}
		return
	}
	content := r.content(in)
	if row, ok := r.event(e.Source, e.ID); ok {
		if row.content == content {
			out.Ruling = Ruling{Verdict: Duplicate, First: row.place.Position()}
		} else {
			refuse(&Refusal{ConflictingID, "id", "stands at " + row.place.Position().String() + " with another type, subject or data"})
		}
		return
	}
	if in.bad != nil {
		refuse(in.bad)
		return
	}
	why := r.change(in, out)
	if why != nil {
		refuse(why)
		return
	}
	out.Verdict = Accepted
	switch {
	case enter:
		r.accept(e, content, out)
	case out.Change == Created: // as it would be called
		out.Record = RecordID(r.records.len)
	}
}

// wrongSource holds the source against the subject and against what only the
// office may say.
func wrongSource(e *Event, diary Diary, confined bool) *Refusal {
	switch {
	case confined && diary.IsZero():
		return &Refusal{WrongSource, "source", "the entry stands on a subject of no diary"}
	case confined && e.Source != diary:
		return &Refusal{WrongSource, "source", "is " + e.Source.String() + "; this is the subject of " + diary.String()}
	case (e.Type == TypeLedgerOpened || e.Type == TypeAgencySucceeded) && e.Source != Office:
		return &Refusal{WrongSource, "source", e.Type.String() + " comes from " + Office.String() + " only"}
	}
	return nil
}

// content is what a duplicate must share: a digest of type, subject and
// compacted data. It is a keyed one, ten times as fast as SHA-256 where the
// processor does not help with that, and stays in this register. A line that is
// checked and then applied has it made once.
func (r *Register) content(in *reading) [16]byte {
	if in.by == r {
		return in.content
	}
	b := append(r.scratch[:0], in.typeName...)
	b = append(append(b, '\n'), in.event.Subject...)
	b = append(b, '\n')
	if in.spaced {
		b, _ = Compact(b, []byte(in.data)) // it has been read as JSON
	} else {
		b = append(b, in.data...)
	}
	r.scratch = b
	in.content, in.by = highwayhash.Sum128(b, r.key), r
	return in.content
}

// event finds an accepted event.
func (r *Register) event(source Diary, id uuid.UUID) (*eventRow, bool) {
	diary, ok := r.lookUp(source)
	if !ok {
		return nil, false
	}
	i, ok := r.byID.find(r.eventHash(diary, id), func(row uint32) bool {
		e := r.events.at(row)
		return e.id == id && e.diary == diary
	})
	if !ok {
		return nil, false
	}
	return r.events.at(i), true
}

func (r *Register) eventHash(diary uint32, id uuid.UUID) uint64 {
	return maphash.Bytes(r.seed, id[:]) + uint64(diary)*golden
}

// accept enters an event that passed every rule, and what it changes.
func (r *Register) accept(e *Event, content [16]byte, out *Ruled) {
	diary := r.diary(e.Source)
	i := r.events.add(eventRow{e.ID, content, out.Position.Place(), diary})
	r.byID.add(r.eventHash(diary, e.ID), i)
	switch out.Change {
	case Created:
		out.Record = RecordID(r.records.add(recordRow{
			name: r.names.add(e.Subject), nameLen: uint8(len(e.Subject)),
			current: i, diary: diary, typ: e.Type,
		}))
		r.byName.add(r.nameHash(e.Type.Kind(), diary, e.Subject), uint32(out.Record))
	case Corrected, Retracted, Reinstated:
		row := r.records.change(uint32(out.Record))
		was := *row
		r.undo = append(r.undo, func() { *row = was })
		row.current = i
		row.retracted = out.Change == Retracted
	}
	r.settle(out)
}

// commit makes the changes of the last submission final.
func (r *Register) commit() {
	clear(r.undo)
	r.undo = r.undo[:0]
	r.kept.diaries = len(r.diaries)
	r.kept.events, r.kept.records = r.events.len, r.records.len
	r.kept.nameBlocks, r.kept.nameBytes = r.names.mark()
}

// rollback takes the changes since the last commit back.
func (r *Register) rollback() {
	for i := len(r.undo) - 1; i >= 0; i-- {
		r.undo[i]()
	}
	for r.records.len > r.kept.records {
		i := r.records.len - 1
		row := r.records.at(i)
		r.byName.remove(r.nameHash(row.typ.Kind(), row.diary, string(r.names.get(row.name, row.nameLen))), i)
		r.records.drop()
	}
	for r.events.len > r.kept.events {
		i := r.events.len - 1
		row := r.events.at(i)
		r.byID.remove(r.eventHash(row.diary, row.id), i)
		r.events.drop()
	}
	r.names.truncate(r.kept.nameBlocks, r.kept.nameBytes)
	for _, d := range r.diaries[r.kept.diaries:] {
		delete(r.diaryIDs, d)
	}
	r.diaries = r.diaries[:r.kept.diaries]
	clear(r.undo)
	r.undo = r.undo[:0]
}

// Standing is what the register knows of a record.
type Standing struct {
	ID   RecordID
	Name RecordName
	Type Type
	// Event and Position are the event of the record's current version: what
	// an amendment names.
	Event     uuid.UUID
	Position  Position
	Retracted bool
}

// Lookup finds a record by its full name.
func (r *Register) Lookup(name RecordName) (Standing, bool) {
	id, ok := r.find(name)
	if !ok {
		return Standing{}, false
	}
	return r.Record(id), true
}

// Record is the record numbered id, which must exist.
func (r *Register) Record(id RecordID) Standing {
	row := r.records.at(uint32(id))
	current := r.events.at(row.current)
	return Standing{
		ID:        id,
		Name:      RecordName{row.typ.Kind(), r.diaries[row.diary], string(r.names.get(row.name, row.nameLen))},
		Type:      row.typ,
		Event:     current.id,
		Position:  current.place.Position(),
		Retracted: row.retracted,
	}
}

// Records is how many records there are; they are numbered from 0.
func (r *Register) Records() int { return int(r.records.len) }

// find is the number of the record called name.
func (r *Register) find(name RecordName) (RecordID, bool) {
	diary, ok := r.lookUp(name.Diary)
	if !ok {
		return NoRecord, false
	}
	i, ok := r.byName.find(r.nameHash(name.Kind, diary, name.ID), func(i uint32) bool {
		row := r.records.at(i)
		return row.diary == diary && row.typ.Kind() == name.Kind && string(r.names.get(row.name, row.nameLen)) == name.ID
	})
	if !ok {
		return NoRecord, false
	}
	return RecordID(i), true
}

func (r *Register) nameHash(kind Kind, diary uint32, id string) uint64 {
	return maphash.String(r.seed, id) ^ maphash.String(r.seed, string(kind)) + uint64(diary)*golden
}

// golden spreads small numbers over all bits: 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// lookUp is the number of d. Most lines repeat the diary of the line before.
func (r *Register) lookUp(d Diary) (i uint32, ok bool) {
	if int(r.recent) < len(r.diaries) && r.diaries[r.recent] == d {
		return r.recent, true
	}
	if i, ok = r.diaryIDs[d]; ok {
		r.recent = i
	}
	return i, ok
}

// diary is the number of d, which gets one now if it has none.
func (r *Register) diary(d Diary) uint32 {
	i, ok := r.lookUp(d)
	if !ok {
		d = Diary{strings.Clone(d.Agency), strings.Clone(d.Unit)}
		i = uint32(len(r.diaries))
		r.diaries = append(r.diaries, d)
		r.diaryIDs[d] = i
	}
	return i
}

// Successor follows the recorded successions from agency to who answers for it
// today; agency itself where none is recorded, or where they go round.
func (r *Register) Successor(agency string) string { return r.successors.Of(agency) }

package eventstore

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"

	"roznamcha/domain"
)

// desk is where a submission is looked at: as an entry of its own, whose payload
// is its compacted lines, which nobody changes any more, and what is ruled on
// them for now.
type desk struct {
	entry   domain.Entry
	rulings []LineRuling
}

// desks are used again, but the payloads are not.
var desks = sync.Pool{New: func() any { return new(desk) }}

// takeDesk is a desk with submission on it, which may hold only events of diary,
// unless that is zero.
func takeDesk(diary domain.Diary, submission []byte) *desk {
	d := desks.Get().(*desk)
	d.entry = domain.Entry{Subject: domain.EntrySubject, Payload: compact(make([]byte, 0, len(submission)), submission)}
	if !diary.IsZero() {
		d.entry.Subject = diary.Subject()
	}
	d.entry.Read() // the larger part of the work, before the register is held still
	return d
}

// take takes the entry, which was read, from the desk.
func (d *desk) take() (e domain.Entry) {
	e, d.entry = d.entry, domain.Entry{}
	return e
}

func (d *desk) free() {
	d.entry.Forget()
	d.entry = domain.Entry{}
	desks.Put(d)
}

// compact appends the lines of a submission without insignificant white space
// and without blank lines, LF between, so that it is one submission and stays
// one. A line that is no JSON is left as it is, to be refused; so is the whole
// of what is larger than an entry.
func compact(dst, submission []byte) []byte {
	rest, lines := submission, 0
	for more := true; more; {
		var line []byte
		line, rest, more = bytes.Cut(rest, []byte{'\n'})
		line = bytes.Trim(line, " \t\r")
		if len(line) == 0 {
			continue
		}
		if lines++; lines > 1 {
			dst = append(dst, '\n')
		}
		dst = appendCompact(dst, line)
		if lines > domain.MaxLines || len(dst) > domain.MaxEntryBytes {
			return append(dst[:0], submission...)
		}
	}
	return dst
}

// appendCompact is domain.Compact that leaves what is no JSON as it is, and is
// quick with what has no white space at all, as most lines that programs write.
func appendCompact(dst, line []byte) []byte {
	if bytes.IndexByte(line, ' ') >= 0 || bytes.IndexByte(line, '\t') >= 0 || bytes.IndexByte(line, '\r') >= 0 {
		if out, err := domain.Compact(dst, line); err == nil {
			return out
		}
	}
	return append(dst, line...)
}

// door asks the register what the state read so far decides on the submission on
// d. Where a line is refused, or all are duplicates of what is in the ledger, the
// submission is answered (lines is 0). Else its new lines are on d and lines is
// how many.
func (r *Recorder) door(d *desk) (p *Pending, lines int) {
	refused, known := r.check(d)
	p = new(Pending)
	switch total := len(d.rulings); {
	case refused > 0:
		p.door = refuseAll(d.rulings)
	case known == 0:
		return p, total
	case known == total:
		p.door = atTheDoor(d.rulings)
	default:
		p.door = atTheDoor(d.rulings)
		d.entry.Forget()
		d.entry.Payload = newLines(d.entry.Payload, p.door)
		d.entry.Read()
		return p, total - known
	}
	return p, 0
}

// check is what the register would rule on the submission on d now, and how many
// of its lines are refused or known.
func (r *Recorder) check(d *desk) (refused, known int) {
	d.rulings = d.rulings[:0]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.register.Check(d.entry, func(line *domain.Ruled) {
		switch {
		case goesOn(line.Ruling):
		case line.Verdict == domain.Duplicate:
			known++
		default: // what is refused; and what the rules do not know may not be recorded
			refused++
		}
		d.rulings = append(d.rulings, keep(line))
	})
	return refused, known
}

// Check answers as Record would now for a submission that may hold only events
// of diary, unless that is zero, and records nothing: no ruling has a position,
// but a duplicate of what is in the ledger has its first. The receipt may be
// Stale: Refresh, and check again. The error says why the recorder has ended.
func (r *Recorder) Check(diary domain.Diary, submission []byte) (Receipt, error) {
	if err := r.queue.ended(); err != nil {
		return Receipt{}, err
	}
	d := takeDesk(diary, submission)
	defer d.free()
	if refused, _ := r.check(d); refused > 0 {
		return Receipt{Rulings: refuseAll(d.rulings)}, nil
	}
	out := slices.Clone(d.rulings)
	for i := range out {
		out[i].Position = domain.Position{}
		if out[i].First.Entry == 0 { // a line of this submission
			out[i].First = domain.Position{}
		}
	}
	return Receipt{Rulings: out}, nil
}

// goesOn tells whether a line must be appended to be decided: it is new, or a
// duplicate of a line of the same submission, which has no entry number yet.
func goesOn(r domain.Ruling) bool {
	return r.Verdict == domain.Accepted || r.Verdict == domain.Duplicate && r.First.Entry == 0
}

// atTheDoor copies the rulings of the door for a receipt; those of lines that
// go on are zero.
func atTheDoor(checked []LineRuling) []LineRuling {
	out := slices.Clone(checked)
	for i := range out {
		if out[i].Position = (domain.Position{}); goesOn(out[i].Ruling) {
			out[i] = LineRuling{}
		}
	}
	return out
}

// refuseAll copies the rulings of the door on a submission that has refused
// lines: no line of it goes on.
func refuseAll(checked []LineRuling) []LineRuling {
	out := slices.Clone(checked)
	for i := range out {
		r := &out[i]
		r.Position = domain.Position{}
		switch {
		case r.Verdict == domain.Unrecognised:
			r.Verdict, r.Code = domain.Refused, domain.UnknownType
		case goesOn(r.Ruling):
			r.Ruling = domain.Ruling{Verdict: domain.Refused, Code: domain.WithRefused, Detail: fmt.Sprintf("the submission's %d lines stand or fall together", len(out))}
		}
	}
	return out
}

// newLines are the lines that have no ruling yet.
func newLines(submission []byte, rulings []LineRuling) (dst []byte) {
	rest := submission
	for i := range rulings {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if rulings[i].Verdict != 0 {
			continue
		}
		if len(dst) > 0 {
			dst = append(dst, '\n')
		}
		dst = append(dst, line...)
	}
	return dst
}

// keep copies a ruling, and what it has of the entry's memory, so that a
// receipt does not hold on to that.
func keep(r *domain.Ruled) LineRuling {
	out := LineRuling{Position: r.Position, Recorded: r.Recorded, Ruling: r.Ruling}
	if r.Event != nil {
		out.ID = r.Event.ID
	}
	if out.Code != "" {
		out.Field, out.Detail = strings.Clone(out.Field), strings.Clone(out.Detail)
	}
	return out
}

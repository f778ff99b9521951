package eventstore

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"

	"roznamcha/domain"
)

// scratch are buffers to compact submissions in.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

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
		if out, err := domain.Compact(dst, line); err == nil {
			dst = out
		} else {
			dst = append(dst, line...)
		}
		if lines > domain.MaxLines || len(dst) > domain.MaxEntryBytes {
			return append(dst[:0], submission...)
		}
	}
	return dst
}

// door asks the register what the state read so far decides on a compacted
// submission. Where a line is refused, or all are duplicates of what is in the
// ledger, the submission is answered (rest is nil). Else rest is its new lines
// and how many they are; it is written over submission.
func (r *Recorder) door(submission []byte) (p *Pending, rest []byte, lines int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked = r.checked[:0]
	refused, known := 0, 0
	r.register.Check(domain.EntrySubject, submission, func(line *domain.Ruled) {
		switch {
		case goesOn(line.Ruling):
		case line.Verdict == domain.Duplicate:
			known++
		default: // what is refused; and what the rules do not know may not be recorded
			refused++
		}
		r.checked = append(r.checked, keep(line))
	})
	p = new(Pending)
	switch total := len(r.checked); {
	case refused > 0:
		p.door = refuseAll(r.checked)
	case known == 0:
		return p, submission, total
	case known == total:
		p.door = atTheDoor(r.checked)
	default:
		p.door = atTheDoor(r.checked)
		return p, newLines(submission, p.door), total - known
	}
	return p, nil, 0
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

// newLines moves the lines that have no ruling yet to the front of submission.
func newLines(submission []byte, rulings []LineRuling) []byte {
	dst, rest := submission[:0], submission
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

package domain

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// EntrySubject is the subject on which recorders write.
const EntrySubject = "ledger.entry"

// Entry is one message of the ledger's stream.
type Entry struct {
	// Number is the stream sequence, from 1 without a gap.
	Number uint64
	// Subject is "ledger.entry" or "ledger.diary.<agency>.<unit>".
	Subject string
	// Recorded is the latest server time up to and including this entry, so it
	// never runs back.
	Recorded time.Time
	// Payload is lines, LF between, a blank line between submissions. Nobody may
	// change it any more: the strings of its events share its memory.
	Payload []byte

	// What Hash and Read have made; zero before.
	hash  [sha256.Size]byte
	lines *lines // of an entry that was joined the first of several
}

// Hash is the SHA-256 of the payload, made once. Like Read, the register does
// it where nobody has; both need no register, are the larger part of the work,
// and can be done beside the ruling on earlier entries.
func (e *Entry) Hash() [sha256.Size]byte {
	if e.hash == [sha256.Size]byte{} {
		e.hash = sha256.Sum256(e.Payload)
	}
	return e.hash
}

// Read reads the lines, unless that was done. An entry that was read can be
// applied once, or joined, or forgotten.
func (e *Entry) Read() {
	if e.lines != nil {
		return
	}
	e.lines = freeOf(len(e.Payload) / shortLine).Get().(*lines)
	e.lines.read(unsafe.String(unsafe.SliceData(e.Payload), len(e.Payload)))
}

// Forget takes back what Read has made, for another entry to use.
func (e *Entry) Forget() {
	for l := e.lines; l != nil; {
		next := l.next
		l.next = nil
		freeOf(len(l.readings)).Put(l)
		l = next
	}
	e.lines = nil
}

// Join makes one entry on EntrySubject of the payloads of parts, each of them
// lines of events without a blank one before, between or after, with a blank
// line between the parts. Each part was read, and need not be read again: it is
// used up.
func Join(parts []Entry) Entry {
	size := 0
	for i := range parts {
		size += len(parts[i].Payload) + len(separator)
	}
	e := Entry{Subject: EntrySubject, Payload: make([]byte, 0, size)}
	last := &e.lines
	for i := range parts {
		if i > 0 {
			e.Payload = append(e.Payload, separator...)
		}
		e.Payload = append(e.Payload, parts[i].Payload...)
		*last = parts[i].lines
		for *last != nil {
			last = &(*last).next
		}
		parts[i].lines = nil
	}
	return e
}

// separator stands between submissions: the end of a line and a blank one.
const separator = "\n\n"

// Lines are used again, those of long payloads, which take up to a megabyte,
// apart: in a recorder thousands of short ones are in use at a time.
var freeShort, freeLong = sync.Pool{New: newLines}, sync.Pool{New: newLines}

const (
	// fewLines is how many lines a short payload has at most; shortLine is fewer
	// bytes than an event takes.
	fewLines  = 16
	shortLine = 256
)

func newLines() any { return new(lines) }

// freeOf are the free lines for a payload of about so many.
func freeOf(n int) *sync.Pool {
	if n > fewLines {
		return &freeLong
	}
	return &freeShort
}

// lines is what a payload says, submission by submission.
type lines struct {
	readings []*reading // the first n are of this payload
	n        int
	// ends is, for each submission, how many lines there are up to its end.
	ends []int
	// whole is why the payload is not looked into: it is over the limits, or has
	// no line. It is ruled on as one line.
	whole *Refusal
	// next are the lines after these, of an entry that was joined.
	next *lines
}

// read reads text, which must not change while it is in use.
func (l *lines) read(text string) {
	l.n, l.ends, l.whole = 0, l.ends[:0], nil
	if len(text) > MaxEntryBytes {
		l.whole = &Refusal{Code: TooLarge, Detail: fmt.Sprintf("%d bytes; at most 1,048,576", len(text))}
		return
	}
	rd := readers.Get().(*reader)
	defer readers.Put(rd)
	begun := 0 // how many lines there are before the submission at hand
	for rest, more := text, true; more; {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		blank := isBlank(line)
		if !blank {
			if l.n == MaxLines {
				l.whole = &Refusal{Code: TooLarge, Detail: fmt.Sprintf("%d lines; at most 1,000", countLines(text))}
				return
			}
			if l.n == len(l.readings) {
				l.readings = append(l.readings, new(reading))
			}
			rd.read(l.readings[l.n], line)
			l.n++
		}
		if (blank || !more) && l.n > begun {
			l.ends = append(l.ends, l.n)
			begun = l.n
		}
	}
	if l.n == 0 {
		l.whole = &Refusal{Code: Malformed, Detail: "no line in it"}
	}
}

// countLines is how many lines of text are not blank.
func countLines(text string) (n int) {
	for line := range strings.SplitSeq(text, "\n") {
		if !isBlank(line) {
			n++
		}
	}
	return n
}

func isBlank(line string) bool {
	for i := 0; i < len(line); i++ {
		if c := line[i]; c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

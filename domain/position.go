package domain

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxLines is how many lines an entry may hold.
const MaxLines = 1000

// MaxEntryBytes is how large an entry's payload may be: 1 MiB.
const MaxEntryBytes = 1 << 20

// Position is the place of one line in the ledger: the number of its entry,
// which is the stream sequence, and its line in it, from 1. Blank lines are
// not counted. The zero Position is no place.
type Position struct {
	Entry uint64 `json:"entry"`
	Line  int    `json:"line"`
}

// ParsePosition reads "1234:2".
func ParsePosition(s string) (Position, error) {
	entry, line, ok := strings.Cut(s, ":")
	e, err1 := strconv.ParseUint(entry, 10, 64)
	l, err2 := strconv.ParseUint(line, 10, 16)
	if !ok || err1 != nil || err2 != nil || e == 0 || l == 0 || l > MaxLines {
		return Position{}, fmt.Errorf("position %q: want entry:line, such as 1234:2", s)
	}
	return Position{e, int(l)}, nil
}

// String writes "1234:2".
func (p Position) String() string {
	return strconv.FormatUint(p.Entry, 10) + ":" + strconv.Itoa(p.Line)
}

// IsZero tells whether p is no place at all.
func (p Position) IsZero() bool { return p == Position{} }

// Before tells whether p comes earlier in the ledger than q.
func (p Position) Before(q Position) bool {
	return p.Entry < q.Entry || p.Entry == q.Entry && p.Line < q.Line
}

// Place is a Position in eight bytes, in the same order: what tables with a
// row for every event hold. Entries up to 2^54 fit.
type Place uint64

const placeLineBits = 10 // enough for lines up to MaxLines

// Place packs p; the zero Position gives the zero Place.
func (p Position) Place() Place {
	return Place(p.Entry<<placeLineBits | uint64(p.Line))
}

// Position unpacks p.
func (p Place) Position() Position {
	return Position{uint64(p >> placeLineBits), int(p & (1<<placeLineBits - 1))}
}

// Entry is the entry number of p.
func (p Place) Entry() uint64 { return uint64(p >> placeLineBits) }

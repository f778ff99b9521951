package domain

import (
	"slices"

	"roznamcha/domain/piece"
)

// The register keeps a row for every event and every record, five million and
// more. Rows stand in blocks, so that growing copies nothing and leaves no
// slack; an index of row numbers finds them.

const (
	blockBits = 13
	blockRows = 1 << blockBits
)

// rows is an array that grows by blocks.
type rows[T any] struct {
	blocks [][]T
	len    uint32
	// still are the rows that a snapshot still reads; nil for none.
	still *piece.Still[T]
}

func (r *rows[T]) at(i uint32) *T { return &r.blocks[i>>blockBits][i&(blockRows-1)] }

// change is row i to be written to.
func (r *rows[T]) change(i uint32) *T {
	r.still.Before(i)
	return r.at(i)
}

// hold is the rows as they are, whatever becomes of them until release.
func (r *rows[T]) hold() *piece.Still[T] {
	blocks := slices.Clone(r.blocks)
	r.still = piece.NewStill(int(r.len), func(from, to int) []T {
		return blocks[from>>blockBits][from&(blockRows-1):][:to-from]
	})
	return r.still
}

// release ends hold.
func (r *rows[T]) release() { r.still = nil }

func (r *rows[T]) add(row T) (i uint32) {
	if int(r.len>>blockBits) == len(r.blocks) {
		r.blocks = append(r.blocks, make([]T, blockRows))
	}
	i = r.len
	r.len++
	*r.at(i) = row
	return i
}

// drop takes the last row away.
func (r *rows[T]) drop() {
	r.len--
	var zero T
	*r.at(r.len) = zero
}

// index finds rows by hash: open addressing with linear probing. A slot is the
// upper half of the row's hash and the row's number plus one; growing needs no
// look at the rows.
type index struct {
	slots []uint64
	used  int
	// warmed is a sum that nobody asks for: what warm reads must go somewhere.
	warmed uint64
}

func slotOf(hash uint64, row uint32) uint64 { return hash>>32<<32 | uint64(row) + 1 }

// home is where a slot stands if nothing is in its way.
func (x *index) home(slot uint64) uint64 { return slot >> 32 & uint64(len(x.slots)-1) }

// find returns the row with this hash that equal agrees to.
func (x *index) find(hash uint64, equal func(row uint32) bool) (row uint32, ok bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(x.slots) - 1)
	for i := x.home(hash); x.slots[i] != 0; i = (i + 1) & mask {
		if slot := x.slots[i]; slot>>32 == hash>>32 && equal(uint32(slot)-1) {
			return uint32(slot) - 1, true
		}
	}
	return 0, false
}

// warm looks where find would look first for each of these.
func (x *index) warm(hashes []uint64) {
	if len(x.slots) == 0 {
		return
	}
	for _, hash := range hashes {
		x.warmed += x.slots[x.home(hash)]
	}
}

// add enters a row that is not there yet.
func (x *index) add(hash uint64, row uint32) {
	if x.used*4 >= len(x.slots)*3 {
		old := x.slots
		x.slots = make([]uint64, max(1024, 2*len(old)))
		for _, slot := range old {
			if slot != 0 {
				x.put(slot)
			}
		}
	}
	x.put(slotOf(hash, row))
	x.used++
}

// filling is an index in the making, of rows that are all at hand. They are
// sorted by the part of the index that they go to first, so that what is written
// to is in the processor's cache: one by one, each would wait for memory.
type filling struct {
	*index
	parts [][]uint64 // slots
}

// partBits is how many slots make a part: a megabyte.
const partBits = 17

// fill makes room for so many rows in an index without any.
func (x *index) fill(rows int) *filling {
	n := 1024
	for n*3 <= rows*4 {
		n *= 2
	}
	x.slots, x.used = make([]uint64, n), rows
	f := &filling{x, make([][]uint64, max(1, n>>partBits))}
	for i := range f.parts {
		f.parts[i] = make([]uint64, 0, rows/len(f.parts)*9/8+1)
	}
	return f
}

// add takes the next rows, from a number on.
func (f *filling) add(from uint32, hashes []uint64) {
	for i, hash := range hashes {
		slot := slotOf(hash, from+uint32(i))
		part := &f.parts[f.home(slot)>>partBits]
		*part = append(*part, slot)
	}
}

// finish enters them all.
func (f *filling) finish() {
	for _, part := range f.parts {
		for _, slot := range part {
			f.put(slot)
		}
	}
}

func (x *index) put(slot uint64) {
	mask := uint64(len(x.slots) - 1)
	i := x.home(slot)
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = slot
}

// remove takes out a row that is there and moves back what it had pushed on.
func (x *index) remove(hash uint64, row uint32) {
	mask := uint64(len(x.slots) - 1)
	i := x.home(hash)
	for x.slots[i] != slotOf(hash, row) {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; x.slots[j] != 0; j = (j + 1) & mask {
		if (j-x.home(x.slots[j]))&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
	x.used--
}

// arena keeps short strings end to end, without a header each.
type arena struct {
	blocks [][]byte
}

const arenaBlock = 1 << 20 // far more than any string in it

// add keeps s and returns where it stands.
func (a *arena) add(s string) (at uint32) {
	n := len(a.blocks)
	if n == 0 || len(a.blocks[n-1])+len(s) > arenaBlock {
		a.blocks = append(a.blocks, make([]byte, 0, arenaBlock))
		n++
	}
	block := &a.blocks[n-1]
	at = uint32(n-1)<<20 | uint32(len(*block))
	*block = append(*block, s...)
	return at
}

// get is the string of length n at at; its bytes stay as they are.
func (a *arena) get(at uint32, n uint8) []byte {
	block := a.blocks[at>>20]
	return block[at&(arenaBlock-1):][:n]
}

// holds tells whether get has something to get.
func (a *arena) holds(at uint32, n uint8) bool {
	block := int(at >> 20)
	return block < len(a.blocks) && int(at&(arenaBlock-1))+int(n) <= len(a.blocks[block])
}

// mark is how far the arena is full; truncate empties it from there on.
func (a *arena) mark() (blocks, used int) {
	if n := len(a.blocks); n > 0 {
		return n, len(a.blocks[n-1])
	}
	return 0, 0
}

func (a *arena) truncate(blocks, used int) {
	clear(a.blocks[blocks:])
	a.blocks = a.blocks[:blocks]
	if blocks > 0 {
		a.blocks[blocks-1] = a.blocks[blocks-1][:used]
	}
}

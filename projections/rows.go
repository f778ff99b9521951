package projections

import (
	"slices"
	"sort"

	"roznamcha/domain"
	"roznamcha/domain/piece"
)

// The table of facts: one row for every version of a record, in the order of
// the positions that opened them. Rows stand in blocks, so that growing copies
// nothing and leaves no slack. A row takes 33 bytes, and 8 more in a block in
// which one is closed.

const (
	blockBits = 14
	blockRows = 1 << blockBits
)

// open is where a row ends that still stands.
const open = ^domain.Place(0)

// block is blockRows rows, by column. What row i says is
// cells.all[cell[i]], spans.all[occurred[i]] and spans.all[reported[i]].
type block struct {
	cell      [blockRows]uint32
	occurred  [blockRows]uint32
	reported  [blockRows]uint32
	record    [blockRows]domain.RecordID
	quantity  [blockRows]int64
	qualifier [blockRows]domain.Qualifier
	// opened is the position from which on the row counts; it never runs back
	// from row to row.
	opened [blockRows]domain.Place
	// closed is the position from which on it counts no more; nil while every
	// row of the block is open.
	closed *[blockRows]domain.Place
}

// row is one row, gathered from its columns.
type row struct {
	cell, occurred, reported uint32
	record                   domain.RecordID
	quantity                 int64
	qualifier                domain.Qualifier
	opened, closed           domain.Place
}

// rows is the table.
type rows struct {
	blocks []*block
	len    uint32
	// still is closed as a snapshot still reads it; nil for none.
	still *piece.Still[domain.Place]
	// onClose is told of every row that is closed; nil for nobody.
	onClose func(n uint32, at domain.Place)
}

// add appends r and returns its number.
func (t *rows) add(r row) uint32 {
	n := t.len
	if int(n>>blockBits) == len(t.blocks) {
		t.blocks = append(t.blocks, new(block))
	}
	b, i := t.blocks[n>>blockBits], n&(blockRows-1)
	b.cell[i] = r.cell
	b.occurred[i] = r.occurred
	b.reported[i] = r.reported
	b.record[i] = r.record
	b.quantity[i] = r.quantity
	b.qualifier[i] = r.qualifier
	b.opened[i] = r.opened
	if b.closed != nil {
		b.closed[i] = open
	}
	t.len++
	if r.closed != open {
		t.close(n, r.closed)
	}
	return n
}

// at gathers row n.
func (t *rows) at(n uint32) row {
	b, i := t.blocks[n>>blockBits], n&(blockRows-1)
	r := row{
		cell: b.cell[i], occurred: b.occurred[i], reported: b.reported[i],
		record: b.record[i], quantity: b.quantity[i], qualifier: b.qualifier[i],
		opened: b.opened[i], closed: open,
	}
	if b.closed != nil {
		r.closed = b.closed[i]
	}
	return r
}

// close ends row n at a place; open opens it again.
func (t *rows) close(n uint32, at domain.Place) {
	b := t.blocks[n>>blockBits]
	if b.closed == nil {
		b.closed = new([blockRows]domain.Place)
		for i := range b.closed {
			b.closed[i] = open
		}
	}
	t.still.Before(n)
	b.closed[n&(blockRows-1)] = at
	if t.onClose != nil && at != open {
		t.onClose(n, at)
	}
}

// before is how many rows were opened before a place.
func (t *rows) before(at domain.Place) uint32 {
	return uint32(sort.Search(int(t.len), func(n int) bool {
		return t.blocks[n>>blockBits].opened[n&(blockRows-1)] >= at
	}))
}

// allOpen are rows of a block in which none is closed.
var allOpen = func() (all [piece.StillRows]domain.Place) {
	for i := range all {
		all[i] = open
	}
	return all
}()

// hold keeps where the rows are closed still, until release.
func (t *rows) hold() {
	columns := make([]*[blockRows]domain.Place, len(t.blocks))
	for i, b := range t.blocks {
		columns[i] = b.closed
	}
	t.still = piece.NewStill(int(t.len), func(from, to int) []domain.Place {
		if column := columns[from>>blockBits]; column != nil {
			return column[from&(blockRows-1):][:to-from]
		}
		return allOpen[:to-from]
	})
}

func (t *rows) release() { t.still = nil }

// column is an array with a number for every record, in blocks as the rows are.
type column struct {
	blocks []*[blockRows]uint32
	// still is what a snapshot still reads; nil for none.
	still *piece.Still[uint32]
}

// noRow is the number of no row.
const noRow = ^uint32(0)

// set keeps n for a record.
func (c *column) set(id domain.RecordID, n uint32) {
	for int(id>>blockBits) >= len(c.blocks) {
		b := new([blockRows]uint32)
		for i := range b {
			b[i] = noRow
		}
		c.blocks = append(c.blocks, b)
	}
	c.still.Before(uint32(id))
	c.blocks[id>>blockBits][id&(blockRows-1)] = n
}

// hold keeps the column still, whole blocks of it, until release.
func (c *column) hold() {
	blocks := slices.Clone(c.blocks)
	c.still = piece.NewStill(len(blocks)<<blockBits, func(from, to int) []uint32 {
		return blocks[from>>blockBits][from&(blockRows-1):][:to-from]
	})
}

func (c *column) release() { c.still = nil }

// get is what was kept for a record, noRow where nothing was.
func (c *column) get(id domain.RecordID) uint32 {
	if int(id>>blockBits) >= len(c.blocks) {
		return noRow
	}
	return c.blocks[id>>blockBits][id&(blockRows-1)]
}

package projections

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"roznamcha/domain"
	"roznamcha/domain/piece"
)

// totalsLayout is raised when what is kept of totals changes. With TotalsVersion,
// which says what they make of a ruling, it is their version: totals of another
// are no use.
const totalsLayout = 2

// totalsSnapshot is totals as they were at one moment, in pieces. All that it
// shares with them only grows at its end, but for the places at which rows are
// closed and the latest row of each record: these are held.
type totalsSnapshot struct {
	inSeries
	of *Totals
}

// snapshot is t as it is now, between two entries. It copies nothing large;
// until release, t copies what is around a row that it is about to change.
func (t *Totals) snapshot() keptPart {
	t.rows.hold()
	t.latest.hold()
	s := &totalsSnapshot{inSeries{series: t.series(0)}, t}
	s.small = t.appendSmall(piece.AppendLens(nil, s.series))
	return s
}

func (s *totalsSnapshot) release() {
	s.of.rows.release()
	s.of.latest.release()
}

// appendSmall appends what is in no series.
func (t *Totals) appendSmall(b []byte) []byte {
	u64 := binary.LittleEndian.AppendUint64
	b = u64(b, t.last)
	b = appendTime(b, t.recorded)
	b = piece.AppendText(piece.AppendText(b, t.opened.Name), t.opened.HomeCountry)
	b = binary.LittleEndian.AppendUint32(piece.AppendText(b, t.opened.Zone), uint32(t.opened.Rules))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.successions.all)))
	for _, one := range t.successions.all {
		b = binary.LittleEndian.AppendUint32(b, uint32(one.record))
		b = piece.AppendText(piece.AppendText(b, one.predecessor), one.successor)
		b = binary.LittleEndian.AppendUint32(b, uint32(one.effective))
		b = u64(u64(b, uint64(one.opened)), uint64(one.closed))
	}
	return b
}

// appendTime and readTime keep a time to the nanosecond.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.LittleEndian.AppendUint64(append(b, 1), uint64(t.UnixNano()))
}

func readTime(in *piece.Reader) time.Time {
	if in.Uint8() == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(in.Uint64())).UTC()
}

var errNowhere = errors.New("a piece refers to what is not there")

func (t *Totals) reset() { *t = *NewTotals() }

func (t *Totals) keptAs() (string, int) { return "totals", TotalsVersion<<8 | totalsLayout }

func (t *Totals) restore(from source, records int) error {
	return readSeries(from, t.series(records), t.readSmall)
}

// join makes the groups of what was matched. Who is retracted, the register
// knows.
func (t *Totals) join(reg *domain.Register) error {
	groupOf := func(record domain.RecordID) *group {
		if t.groups[record] == nil {
			t.groups[record] = &group{members: []member{{record, reg.Record(record).Retracted}}}
		}
		return t.groups[record]
	}
	for _, m := range t.matches {
		if t.latest.get(m.a) == noRow || t.latest.get(m.b) == noRow {
			return errNowhere
		}
		one, other := groupOf(m.a), groupOf(m.b)
		if one == other {
			return errNowhere
		}
		t.unite(one, other)
	}
	for _, g := range t.groups {
		g.counting = g.first()
	}
	return nil
}

func (t *Totals) readSmall(in *piece.Reader) {
	t.last, t.recorded = in.Uint64(), readTime(in)
	opened := domain.LedgerOpened{Name: in.Text(), HomeCountry: domain.Country(in.Text()), Zone: in.Text(), Rules: int(in.Uint32())}
	if opened.Zone != "" {
		t.open(&opened)
	}
	for range in.Count(32) {
		t.successions.all = append(t.successions.all, succession{
			record: domain.RecordID(in.Uint32()), predecessor: in.Text(), successor: in.Text(),
			effective: domain.Day(int32(in.Uint32())), opened: domain.Place(in.Uint64()), closed: domain.Place(in.Uint64()),
		})
	}
	t.parties = t.successions.parties()
}

// series are what t has many of, as it is now; records is how many the register
// has, for what is read.
func (t *Totals) series(records int) (all []piece.Series) {
	c := t.cells
	for d := range c.values {
		v := &c.values[d]
		all = append(all, piece.Texts(afterFirst(v.texts), v.add))
	}
	for d := range c.lists {
		all = append(all, listSeries(&c.lists[d]))
	}
	spans, copied, matches := afterFirst(t.spans.all), t.copied, t.matches
	return append(all,
		piece.Texts(c.wheres.all, c.wheres.add),
		piece.Texts(c.whats.all, c.whats.add),
		c.series(),
		piece.Numbers(2, len(spans), func(i int, to []uint32) { to[0], to[1] = uint32(spans[i].from), uint32(spans[i].to) },
			func(n []uint32) { t.spans.find(span{domain.Day(int32(n[0])), domain.Day(int32(n[1]))}) }),
		t.rowSeries(records),
		t.latest.series(&t.rows),
		piece.Numbers(2, len(copied), func(i int, to []uint32) { to[0], to[1] = copied[i].row, copied[i].version },
			func(n []uint32) { t.copied = append(t.copied, copiedRow{n[0], min(n[1], n[0])}) }),
		piece.Numbers(2, len(matches), func(i int, to []uint32) { to[0], to[1] = uint32(matches[i].a), uint32(matches[i].b) },
			func(n []uint32) {
				t.matches = append(t.matches, matchedPair{domain.RecordID(n[0]), domain.RecordID(n[1])})
			}),
	)
}

// afterFirst is all without the first, which is always the same.
func afterFirst[T any](all []T) []T { return all[min(1, len(all)):] }

// listSeries are the lists of values of a dimension.
func listSeries(l *lists) piece.Series {
	all := afterFirst(l.all)
	return piece.Series{
		Len: len(all), Each: 4096,
		Append: func(dst []byte, from, to int) []byte {
			for _, list := range all[from:to] {
				dst = binary.LittleEndian.AppendUint32(dst, uint32(len(list)))
				for _, n := range list {
					dst = binary.LittleEndian.AppendUint32(dst, n)
				}
			}
			return dst
		},
		Read: func(in *piece.Reader, from, to int) {
			for range to - from {
				list := make([]uint32, in.Count(4))
				for i := range list {
					list[i] = in.Uint32()
				}
				l.number(list)
			}
		},
	}
}

// series are the cells: the numbers of their halves, their measure, and the
// numbers of their values.
func (c *cells) series() piece.Series {
	all, keys := c.all, c.keys
	return piece.Series{
		Len: len(all), Each: 4096,
		Append: func(dst []byte, from, to int) []byte {
			u32 := binary.LittleEndian.AppendUint32
			for i := from; i < to; i++ {
				dst = append(u32(u32(dst, keys[i].where), keys[i].what), byte(all[i].measure))
				for _, n := range all[i].values {
					dst = u32(dst, n)
				}
				dst = u32(dst, all[i].own[0])
			}
			return dst
		},
		Read: func(in *piece.Reader, from, to int) {
			for range to - from {
				key := halves{in.Uint32(), in.Uint32()}
				one := cell{measure: Measure(in.Uint8())}
				for d := range one.values {
					one.values[d] = in.Uint32()
				}
				one.own[0] = in.Uint32()
				if !c.hold(&one) {
					in.Fail(errNowhere)
					return
				}
				c.byHalves[key] = uint32(len(c.all))
				c.all, c.keys = append(c.all, one), append(c.keys, key)
			}
		},
	}
}

// hold tells whether c has the values of a cell.
func (c *cells) hold(one *cell) bool {
	for d, n := range one.values {
		there := len(c.values[d].texts)
		if Dimension(d).isList() {
			there = len(c.lists[d].all)
		}
		if n != 0 && int(n) >= there {
			return false
		}
	}
	if int(one.own[0]) >= max(1, len(c.values[Agency].texts)) {
		return false
	}
	return one.measure > 0 && one.measure < endOfMeasures
}

// rowSeries are the rows, column by column within a block.
func (t *Totals) rowSeries(records int) piece.Series {
	blocks, still := slices.Clone(t.rows.blocks), t.rows.still
	closed := make([]bool, len(blocks)) // where a row is
	for i, b := range blocks {
		closed[i] = b.closed != nil
	}
	return piece.Series{
		Len: int(t.rows.len), Each: blockRows,
		Append: func(dst []byte, from, to int) []byte {
			dst = appendBlock(dst, blocks[from>>blockBits], to-from)
			if !closed[from>>blockBits] {
				return append(dst, 0)
			}
			dst = append(dst, 1)
			still.Read(from, to, func(places []domain.Place) { dst = appendPlaces(dst, places) })
			return dst
		},
		Read: func(in *piece.Reader, from, to int) {
			b := t.readBlock(in, to-from, uint32(records))
			t.rows.blocks, t.rows.len = append(t.rows.blocks, b), uint32(to)
		},
	}
}

// appendBlock appends what never changes of the n rows of a block.
func appendBlock(dst []byte, b *block, n int) []byte {
	dst = slices.Grow(dst, 42*n)
	for _, column := range []*[blockRows]uint32{&b.cell, &b.occurred, &b.reported} {
		dst = appendColumn(dst, column[:n])
	}
	dst = appendColumn(dst, b.record[:n])
	for _, quantity := range b.quantity[:n] {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(quantity))
	}
	for _, q := range b.qualifier[:n] {
		dst = append(dst, byte(q))
	}
	return appendPlaces(dst, b.opened[:n])
}

// readBlock reads the n rows of a block.
func (t *Totals) readBlock(in *piece.Reader, n int, records uint32) *block {
	b := new(block)
	bad := readColumn(in, b.cell[:n], uint32(len(t.cells.all)))
	bad = readColumn(in, b.occurred[:n], uint32(len(t.spans.all))) || bad
	bad = readColumn(in, b.reported[:n], uint32(len(t.spans.all))) || bad
	bad = readColumn(in, b.record[:n], domain.RecordID(records)) || bad
	if column := in.Bytes(8 * n); column != nil {
		for i := range n {
			b.quantity[i] = int64(binary.LittleEndian.Uint64(column[8*i:]))
			bad = bad || b.quantity[i] < 0
		}
	}
	for i, q := range in.Bytes(n) {
		b.qualifier[i] = domain.Qualifier(q)
		bad = bad || b.qualifier[i] > domain.AtMost
	}
	readPlaces(in, b.opened[:n])
	if in.Uint8() == 1 {
		b.closed = new([blockRows]domain.Place)
		for i := n; i < blockRows; i++ {
			b.closed[i] = open
		}
		readPlaces(in, b.closed[:n])
	}
	if bad {
		in.Fail(errNowhere)
	}
	return b
}

func appendColumn[N ~uint32](dst []byte, column []N) []byte {
	for _, n := range column {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	}
	return dst
}

func appendPlaces(dst []byte, places []domain.Place) []byte {
	for _, place := range places {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(place))
	}
	return dst
}

// readColumn reads numbers, and tells whether one is not below an end.
func readColumn[N ~uint32](in *piece.Reader, column []N, end N) (beyond bool) {
	b := in.Bytes(4 * len(column))
	if b == nil {
		return len(column) > 0
	}
	most := N(0)
	for i := range column {
		column[i] = N(binary.LittleEndian.Uint32(b[4*i:]))
		most = max(most, column[i])
	}
	return len(column) > 0 && most >= end
}

func readPlaces(in *piece.Reader, places []domain.Place) {
	if b := in.Bytes(8 * len(places)); b != nil {
		for i := range places {
			places[i] = domain.Place(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
}

// series are the blocks of a column, of row numbers.
func (c *column) series(rows *rows) piece.Series {
	still := c.still
	return piece.Series{
		Len: still.Len() >> blockBits, Each: 1,
		Append: func(dst []byte, from, _ int) []byte {
			dst = append(slices.Grow(dst, 4+4*blockRows), 0, 0, 0, 0) // how many
			begin, end := len(dst), len(dst)
			still.Read(from<<blockBits, (from+1)<<blockBits, func(page []uint32) {
				dst = appendColumn(dst, page)
				for i, n := range page {
					if n != noRow {
						end = len(dst) - 4*(len(page)-1-i)
					}
				}
			})
			binary.LittleEndian.PutUint32(dst[begin-4:], uint32(end-begin)/4)
			return dst[:end]
		},
		Read: func(in *piece.Reader, _, _ int) {
			b, n := new([blockRows]uint32), min(in.Count(4), blockRows)
			readColumn(in, b[:n], noRow)
			for i := n; i < blockRows; i++ {
				b[i] = noRow
			}
			for _, n := range b {
				if n >= rows.len && n != noRow {
					in.Fail(errNowhere)
					return
				}
			}
			c.blocks = append(c.blocks, b)
		},
	}
}
